/* SPDX-License-Identifier: Apache-2.0 */
#include "net/probe.h"

#include <assert.h>

#define ANSWER_MS 10000 /* a later answer is as good as none */

int hf_probe_init(struct hf_probe *p, struct hf_transport *transport, struct hf_span method,
		  const char *host, const char *target)
{
	*p = (struct hf_probe){ .transport = transport };
	hf_arena_init(&p->arena, 4096);
	p->msg = (struct hf_message){
		.method = method,
		.target = hf_span_str(target),
		.minor = 1,
		.body = HF_BODY_NONE,
		.keep_alive = true,
	};
	hf_fields_init(&p->msg.fields, &p->arena);
	return hf_fields_add(&p->msg.fields, HF_SPAN("Host"), hf_span_str(host));
}

int hf_probe_want(struct hf_probe *p, const char *type, size_t max)
{
	p->type = type;
	hf_buf_init(&p->body, max);
	return hf_fields_add(&p->msg.fields, HF_SPAN("Accept"), hf_span_str(type));
}

void hf_probe_finish(struct hf_probe *p)
{
	hf_probe_cancel(p);
	hf_buf_finish(&p->body);
	hf_arena_finish(&p->arena);
}

static bool is_type(const struct hf_span *value, const char *type)
{
	struct hf_span rest = value ? *value : hf_span(NULL, 0);

	return value && hf_span_ieq_str(hf_span_trim(hf_span_cut(&rest, ';')), type);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_probe *p = user;

	p->status = head->status;
	p->typed = p->type && is_type(hf_fields_get(&head->fields, "content-type"), p->type);
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_probe *p = user;

	if (p->typed && hf_buf_append(&p->body, data))
		p->typed = false;
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_probe *p = user;

	(void)trailers;
	p->x = NULL;
	p->done(p->user, result, p->status);
}

static const struct hf_exchange_events events = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

int hf_probe_start(struct hf_probe *p,
		   void (*done)(void *user, const struct hf_exchange_result *result, int status),
		   void *user)
{
	struct hf_transport_request req = {
		.msg = &p->msg,
		.first_byte_timeout_ms = ANSWER_MS,
		.fresh = true,
	};

	assert(!p->x);
	p->status = 0;
	p->typed = false;
	hf_buf_clear(&p->body);
	p->done = done;
	p->user = user;
	return p->transport->perform(p->transport, &req, &events, p, &p->x);
}

void hf_probe_cancel(struct hf_probe *p)
{
	if (p->x)
		p->transport->cancel(p->transport, p->x);
	p->x = NULL;
}
