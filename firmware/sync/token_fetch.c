/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/token_fetch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "holdfast_config.h"
#include "http/values.h"

#define FETCH_MAX_MS 60000 /* of an answer that does not end */
#define BODY_MAX     (64 * 1024)

struct hf_token_fetch {
	const struct hf_token_world *world;
	const struct hf_token_endpoint *endpoint;
	struct hf_arena arena;
	struct hf_message msg;
	struct hf_transport_request request;
	struct hf_exchange *exchange;
	struct hf_buf form;
	struct hf_span unsent;
	bool sent_end;
	int status;
	struct hf_fields fields; /* of the answer */
	struct hf_buf body;
	bool too_long;
	struct hf_timer timer;
	void (*done)(void *user, const struct hf_token_result *result);
	void *user;
};

static void release(struct hf_token_fetch *f)
{
	hf_timerq_clear(f->world->timers, &f->timer);
	hf_buf_finish(&f->form);
	hf_buf_finish(&f->body);
	hf_arena_finish(&f->arena);
	free(f);
}

/* ---- what the end means ---- */

static void classify(struct hf_token_fetch *f, const struct hf_exchange_result *result,
		     struct hf_verdict *v)
{
	static const struct hf_policy policy = { .idempotency = HF_IDEMPOTENCY_KEYED,
						 .key_validity_s = UINT32_MAX,
						 .expect = { 200 },
						 .expect_n = 1 };
	struct hf_message head = { .status = f->status, .fields = f->fields };
	const struct hf_record_state state = { 0 };
	struct hf_port *port = f->world->port;
	struct hf_attempt a = {
		.policy = &policy,
		.method = f->msg.method,
		.tls = f->endpoint->tls,
		.origin_host = f->endpoint->host,
		.origin_port = f->endpoint->port,
		.result = result,
		.head = f->status ? &head : NULL,
		.state = &state,
		.retry_after_max_s = f->world->retry_after_max_s,
	};

	a.trust = port->wall_ms(port, &a.wall_ms);
	hf_outcome_classify(&a, v);
}

static void got(struct hf_token_fetch *f, struct hf_token_result *r)
{
	int err = f->too_long ? HF_EPROTO :
				hf_token_answer_parse(hf_buf_span(&f->body), &f->arena, &r->answer);

	if (!err) {
		r->end = HF_TOKEN_GOT;
		return;
	}
	r->end = err == HF_ENOTSUP ? HF_TOKEN_REFUSED : HF_TOKEN_FAILED;
	r->reason = err == HF_ENOMEM ? HF_REASON_BACKOFF : HF_REASON_CREDENTIAL;
	snprintf(r->why, sizeof(r->why), "%s",
		 err == HF_ENOTSUP ? "token-type" :
		 err == HF_ENOMEM  ? "memory" :
				     "answer-is-no-token");
}

static void refused(struct hf_token_fetch *f, const struct hf_verdict *v, struct hf_token_result *r)
{
	const char *error = hf_token_error(hf_buf_span(&f->body));

	snprintf(r->why, sizeof(r->why), "status-%d", f->status);
	if (error)
		snprintf(r->why, sizeof(r->why), "%s", error);
	if (error || v->reason == HF_REASON_AUTH) {
		r->end = HF_TOKEN_REFUSED;
		return;
	}
	r->reason = HF_REASON_CREDENTIAL;
}

static void judge(struct hf_token_fetch *f, const struct hf_exchange_result *result,
		  const struct hf_verdict *v, struct hf_token_result *r)
{
	bool whole = result->end == HF_END_COMPLETE;

	r->end = HF_TOKEN_FAILED;
	r->reason = v->reason;
	if (v->reason == HF_REASON_RETRY_AFTER)
		r->delay_ms = v->delay_ms;
	if (f->status)
		snprintf(r->why, sizeof(r->why), "status-%d", f->status);
	else
		snprintf(r->why, sizeof(r->why), "%s", hf_end_name(result->end));
	switch (v->action) {
	case HF_ACTION_DELIVERED:
		r->reason = HF_REASON_NETWORK;
		if (whole)
			got(f, r);
		else
			snprintf(r->why, sizeof(r->why), "%s", hf_end_name(result->end));
		return;
	case HF_ACTION_DEAD:
	case HF_ACTION_HOLD:
		refused(f, v, r);
		return;
	case HF_ACTION_RETRY:
	case HF_ACTION_RETRY_NOW:
	case HF_ACTION_FOLLOW:
	case HF_ACTION_WAIT:
		if (v->reason == HF_REASON_NONE || v->reason == HF_REASON_BACKOFF)
			r->reason = HF_REASON_CREDENTIAL;
		return;
	}
}

static void report(struct hf_token_fetch *f, const struct hf_exchange_result *result,
		   const struct hf_verdict *v, const struct hf_token_result *r)
{
	struct hf_connectivity *c = f->world->connectivity;
	unsigned origin = f->endpoint->origin;

	if (!c || origin == HF_TOKEN_NO_ORIGIN)
		return;
	if (v->captive)
		hf_connectivity_captive(c, origin);
	else if (r->end == HF_TOKEN_GOT)
		hf_connectivity_report(c, origin, result, f->status);
	else
		hf_connectivity_heard(c, origin, result, f->status);
}

static void ended(struct hf_token_fetch *f, const struct hf_exchange_result *result)
{
	struct hf_token_result r = { 0 };
	struct hf_verdict v;

	classify(f, result, &v);
	judge(f, result, &v, &r);
	report(f, result, &v, &r);
	f->done(f->user, &r);
	release(f);
}

/* ---- the exchange ---- */

static void on_writable(void *user)
{
	struct hf_token_fetch *f = user;
	struct hf_transport *t = f->endpoint->transport;

	if (!f->exchange || f->sent_end)
		return;
	f->unsent = hf_span_skip(f->unsent, t->send(t, f->exchange, f->unsent));
	if (f->unsent.len > 0)
		return;
	f->sent_end = true;
	t->send_end(t, f->exchange, NULL);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_token_fetch *f = user;

	f->status = head->status;
	hf_fields_copy(&f->fields, &head->fields, &f->arena); /* without: no Retry-After */
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_token_fetch *f = user;

	f->too_long |= data.len > HF_TOKEN_ANSWER_MAX - f->body.len;
	if (!f->too_long && hf_buf_append(&f->body, data))
		f->too_long = true;
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_token_fetch *f = user;

	(void)trailers;
	f->exchange = NULL;
	ended(f, result);
}

static const struct hf_exchange_events events = {
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static void cancel(struct hf_token_fetch *f)
{
	struct hf_transport *t = f->endpoint->transport;

	if (f->exchange)
		t->cancel(t, f->exchange);
	f->exchange = NULL;
}

static void took_too_long(void *user)
{
	struct hf_token_fetch *f = user;
	struct hf_exchange_result result = {
		.end = HF_END_TIMEOUT, .sent = HF_SENT_ALL, .err = HF_ETIMEDOUT, .detail = ""
	};

	cancel(f);
	ended(f, &result);
}

/* ---- the request ---- */

/* application/x-www-form-urlencoded (RFC 6749 appendix B). */
static int append_encoded(struct hf_buf *b, struct hf_span text)
{
	int err = 0;

	for (size_t i = 0; i < text.len && !err; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || (c && strchr("-._*", c));

		if (plain)
			err = hf_buf_append(b, hf_span(&text.ptr[i], 1));
		else
			err = c == ' ' ? hf_buf_append_str(b, "+") : hf_buf_appendf(b, "%%%02X", c);
	}
	return err;
}

static int append_pair(struct hf_buf *b, const char *name, struct hf_span value)
{
	int err = hf_buf_appendf(b, "%s%s=", b->len > 0 ? "&" : "", name);

	return err ? err : append_encoded(b, value);
}

static int make_form(struct hf_buf *b, const struct hf_token_request *q)
{
	bool names_itself = !q->secret.ptr || q->secret_in_body;
	int err = append_pair(b, "grant_type",
			      q->refresh.ptr ? HF_SPAN("refresh_token") :
					       HF_SPAN("client_credentials"));

	if (!err && q->refresh.ptr)
		err = append_pair(b, "refresh_token", q->refresh);
	if (!err && q->scope)
		err = append_pair(b, "scope", hf_span_str(q->scope));
	if (!err && names_itself)
		err = append_pair(b, "client_id", q->client_id);
	if (!err && q->secret.ptr && q->secret_in_body)
		err = append_pair(b, "client_secret", q->secret);
	return err;
}

/* "Basic ...": both parts are encoded as in a form first. */
static int add_basic(struct hf_token_fetch *f, const struct hf_token_request *q)
{
	struct hf_span value = { 0 };
	struct hf_buf pair, text;
	int err;

	hf_buf_init(&pair, BODY_MAX);
	hf_buf_init(&text, BODY_MAX);
	err = append_encoded(&pair, q->client_id);
	if (!err)
		err = hf_buf_append_str(&pair, ":");
	if (!err)
		err = append_encoded(&pair, q->secret);
	if (!err)
		err = hf_buf_append_str(&text, "Basic ");
	if (!err)
		err = hf_base64_append(&text, hf_buf_span(&pair));
	if (!err)
		value = hf_arena_copy(&f->arena, hf_buf_span(&text));
	hf_buf_finish(&pair);
	hf_buf_finish(&text);
	if (err || !value.ptr)
		return HF_ENOMEM;
	return hf_fields_add(&f->msg.fields, HF_SPAN("Authorization"), value);
}

static int build(struct hf_token_fetch *f, const struct hf_token_request *q)
{
	struct hf_fields *fields = &f->msg.fields;
	int err = make_form(&f->form, q);

	f->unsent = hf_buf_span(&f->form);
	f->msg = (struct hf_message){
		.method = HF_SPAN("POST"),
		.target = hf_span_str(f->endpoint->target),
		.minor = 1,
		.keep_alive = true,
		.body = HF_BODY_LENGTH,
		.body_len = f->unsent.len,
	};
	hf_fields_init(fields, &f->arena);
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Host"), f->endpoint->authority);
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Accept"), HF_SPAN("application/json"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Content-Type"),
				    HF_SPAN("application/x-www-form-urlencoded"));
	if (!err && q->secret.ptr && !q->secret_in_body)
		err = add_basic(f, q);
	return err;
}

static int start(struct hf_token_fetch *f)
{
	struct hf_transport *t = f->endpoint->transport;
	struct hf_port *port = f->world->port;
	int err =
		hf_timerq_set(f->world->timers, &f->timer, port->boottime_ms(port) + FETCH_MAX_MS);

	f->request = (struct hf_transport_request){ .msg = &f->msg, .fresh = true };
	return err ? err : t->perform(t, &f->request, &events, f, &f->exchange);
}

int hf_token_fetch_start(const struct hf_token_world *w, const struct hf_token_endpoint *e,
			 const struct hf_token_request *request,
			 void (*done)(void *user, const struct hf_token_result *result), void *user,
			 struct hf_token_fetch **out)
{
	struct hf_token_fetch *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return HF_ENOMEM;
	f->world = w;
	f->endpoint = e;
	f->done = done;
	f->user = user;
	hf_arena_init(&f->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX + BODY_MAX);
	hf_fields_init(&f->fields, &f->arena);
	hf_buf_init(&f->form, BODY_MAX);
	hf_buf_init(&f->body, HF_TOKEN_ANSWER_MAX);
	hf_timer_init(&f->timer, took_too_long, f);
	err = build(f, request);
	if (!err)
		err = start(f);
	if (err) {
		release(f);
		return err;
	}
	*out = f;
	return 0;
}

void hf_token_fetch_destroy(struct hf_token_fetch *f)
{
	if (!f)
		return;
	cancel(f);
	release(f);
}
