/* SPDX-License-Identifier: Apache-2.0 */
#include "live/call.h"

#include <stdio.h>

#include "net/http1.h"

#define ARENA_BYTES_MAX (64 * 1024)

/* ---- the client ---- */

void live_client_init(struct live_client *c, struct live_bench *b, uint16_t port)
{
	struct hf_http1_options opt = {
		.port = b->port,
		.timers = &b->timers,
		.log = &b->log,
		.host = "127.0.0.1",
		.port_number = port,
		.connect_timeout_ms = 2000,
		.first_byte_timeout_ms = 120000,
		.idle_timeout_ms = 120000,
		.keepalive_timeout_ms = 10000,
		.connections_max = 6,
		.head_bytes_max = 32768,
		.fields_max = 100,
	};

	c->bench = b;
	snprintf(c->host, sizeof(c->host), "127.0.0.1:%u", port);
	live_must(hf_http1_create(&opt, &c->transport));
}

void live_client_finish(struct live_client *c)
{
	hf_http1_destroy(c->transport);
	c->transport = NULL;
}

/* ---- one call ---- */

static void on_writable(void *user)
{
	struct live_call *c = user;
	struct hf_transport *t = c->client->transport;

	c->sending = hf_span_skip(c->sending, t->send(t, c->exchange, c->sending));
	if (c->sending.len == 0)
		t->send_end(t, c->exchange, NULL);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct live_call *c = user;

	c->status = head->status;
}

static void on_body(void *user, struct hf_span data)
{
	struct live_call *c = user;

	if (c->on_bytes)
		c->on_bytes(c->user, data);
	else if (hf_buf_append(&c->body, data))
		c->status = 0; /* too long to be believed */
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct live_call *c = user;
	struct hf_buf body = c->body;

	(void)trailers;
	c->exchange = NULL;
	hf_buf_init(&c->body, LIVE_ANSWER_BYTES_MAX);
	c->done(c->user, result->end == HF_END_COMPLETE ? c->status : 0, hf_buf_span(&body));
	hf_buf_finish(&body);
}

static const struct hf_exchange_events events = {
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static int make_request(struct live_call *c, const char *method, const char *target,
			struct hf_span body)
{
	struct hf_message *m = &c->msg;
	int err;

	*m = (struct hf_message){ .minor = 1, .keep_alive = true };
	m->method = hf_arena_copy(&c->arena, hf_span_str(method));
	m->target = hf_arena_copy(&c->arena, hf_span_str(target));
	c->sending = hf_arena_copy(&c->arena, body);
	if (!m->method.ptr || !m->target.ptr || !c->sending.ptr)
		return HF_ENOMEM;
	if (body.ptr) {
		m->body = HF_BODY_LENGTH;
		m->body_len = body.len;
	}
	hf_fields_init(&m->fields, &c->arena);
	err = hf_fields_add(&m->fields, HF_SPAN("Host"), hf_span_str(c->client->host));
	if (!err && body.ptr)
		err = hf_fields_add(&m->fields, HF_SPAN("Content-Type"),
				    HF_SPAN("application/json"));
	return err;
}

void live_call_start(struct live_call *c, const char *method, const char *target,
		     struct hf_span body)
{
	struct hf_transport *t = c->client->transport;
	struct hf_transport_request request = { .msg = &c->msg };

	hf_arena_reset(&c->arena);
	c->status = 0;
	live_must(make_request(c, method, target, body));
	live_must(t->perform(t, &request, &events, c, &c->exchange));
}

bool live_call_runs(const struct live_call *c)
{
	return c->exchange != NULL;
}

void live_call_init(struct live_call *c, struct live_client *client,
		    void (*done)(void *user, int status, struct hf_span body), void *user)
{
	*c = (struct live_call){ .client = client, .done = done, .user = user };
	hf_arena_init(&c->arena, ARENA_BYTES_MAX);
	hf_buf_init(&c->body, LIVE_ANSWER_BYTES_MAX);
}

void live_call_cancel(struct live_call *c)
{
	if (!c->client)
		return;
	if (c->exchange)
		c->client->transport->cancel(c->client->transport, c->exchange);
	c->exchange = NULL;
	hf_arena_finish(&c->arena);
	hf_buf_finish(&c->body);
}
