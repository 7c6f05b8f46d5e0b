/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/errand.h"

#include <stdlib.h>

#include "holdfast_config.h"

struct hf_errand {
	const struct hf_sync_options *opt;
	const struct hf_sync_origin *origin;
	struct hf_errand_job job;
	struct hf_arena arena;
	struct hf_message msg;
	struct hf_transport *transport;
	struct hf_transport_request request;
	struct hf_exchange *exchange;
	struct hf_span unsent;
	bool sent_end;
	int status;
	struct hf_fields fields; /* of the answer */
	void (*done)(void *user, const struct hf_errand_end *end);
	void *user;
};

static void release(struct hf_errand *e)
{
	hf_arena_finish(&e->arena);
	free(e);
}

static void on_writable(void *user)
{
	struct hf_errand *e = user;
	struct hf_transport *t = e->transport;

	if (!e->exchange || e->sent_end)
		return;
	if (e->unsent.len > 0)
		e->unsent = hf_span_skip(e->unsent, t->send(t, e->exchange, e->unsent));
	if (e->unsent.len > 0)
		return;
	e->sent_end = true;
	t->send_end(t, e->exchange, NULL);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_errand *e = user;

	e->status = head->status;
	hf_fields_copy(&e->fields, &head->fields, &e->arena); /* without: no Retry-After */
}

static void on_body(void *user, struct hf_span data)
{
	(void)user;
	(void)data; /* there is nowhere to put it */
}

static void classify(struct hf_errand *e, const struct hf_exchange_result *result,
		     struct hf_verdict *v)
{
	static const struct hf_policy policy = { .idempotency = HF_IDEMPOTENCY_KEYED,
						 .key_validity_s = UINT32_MAX };
	struct hf_message head = { .status = e->status, .fields = e->fields };
	struct hf_record_state state = { 0 };
	struct hf_attempt a = {
		.policy = &policy,
		.method = hf_span_str(e->job.method),
		.tls = e->origin->tls,
		.origin_host = e->origin->host,
		.origin_port = e->origin->port,
		.result = result,
		.head = e->status ? &head : NULL,
		.state = &state,
		.device_now_ms = hf_queue_device_ms(e->opt->queue),
		.retry_after_max_s = e->opt->retry_after_max_s,
	};

	a.trust = e->opt->port->wall_ms(e->opt->port, &a.wall_ms);
	hf_outcome_classify(&a, v);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_errand *e = user;
	struct hf_connectivity *c = e->opt->connectivity;
	struct hf_errand_end end = { .status = e->status };
	struct hf_verdict v = { 0 };

	(void)trailers;
	e->exchange = NULL;
	classify(e, result, &v);
	if (v.captive)
		hf_connectivity_captive(c, e->job.origin);
	else if (e->transport != e->origin->refresher)
		hf_connectivity_heard(c, e->job.origin, result, e->status);
	end.delivered = v.action == HF_ACTION_DELIVERED && result->end == HF_END_COMPLETE;
	end.offline = v.action == HF_ACTION_WAIT;
	if (v.action == HF_ACTION_RETRY && hf_reason_binds((uint8_t)v.reason))
		end.delay_ms = v.delay_ms;
	e->done(e->user, &end);
	release(e);
}

static const struct hf_exchange_events events = {
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static int build(struct hf_errand *e)
{
	bool safe = hf_method_is_safe(hf_span_str(e->job.method));
	struct hf_fields *fields = &e->msg.fields;
	int err;

	e->unsent = hf_span_str(e->job.body);
	e->msg = (struct hf_message){
		.method = hf_span_str(e->job.method),
		.target = hf_span_str(e->job.target),
		.minor = 1,
		.keep_alive = true,
		.body = safe ? HF_BODY_NONE : HF_BODY_LENGTH,
		.body_len = safe ? 0 : e->unsent.len,
	};
	hf_fields_init(fields, &e->arena);
	err = hf_fields_add(fields, HF_SPAN("Host"), e->origin->authority);
	for (size_t i = 0; i < e->job.fields_n && !err; i++)
		err = hf_fields_add(fields, hf_span_str(e->job.fields[i].name),
				    hf_span_str(e->job.fields[i].value));
	if (!err && e->job.key.len > 0)
		err = hf_fields_add(fields, HF_SPAN("Idempotency-Key"), e->job.key);
	return err;
}

int hf_errand_start(const struct hf_sync_options *opt, const struct hf_errand_job *job,
		    void (*done)(void *user, const struct hf_errand_end *end), void *user,
		    struct hf_errand **out)
{
	struct hf_errand *e = calloc(1, sizeof(*e));
	struct hf_transport *t;
	int err;

	if (!e)
		return HF_ENOMEM;
	e->opt = opt;
	e->origin = &opt->origins[job->origin];
	t = job->refresh && e->origin->refresher ? e->origin->refresher : e->origin->transport;
	e->transport = t;
	e->job = *job;
	e->done = done;
	e->user = user;
	hf_arena_init(&e->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	hf_fields_init(&e->fields, &e->arena);
	err = build(e);
	e->request = (struct hf_transport_request){ .msg = &e->msg };
	if (!err)
		err = t->perform(t, &e->request, &events, e, &e->exchange);
	if (err) {
		release(e);
		return err;
	}
	*out = e;
	return 0;
}

void hf_errand_destroy(struct hf_errand *e)
{
	struct hf_transport *t;

	if (!e)
		return;
	t = e->transport;
	t->cancel(t, e->exchange);
	release(e);
}
