/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way into the queue. The acknowledgement waits for the commit and
 * carries the answer; when that takes long, it goes alone and the answer follows.
 */
#include <stdlib.h>

#include "fetch/problem.h"
#include "holdfast/err.h"
#include "http/json_at.h"
#include "http/values.h"
#include "sensor/sensor_private.h"

#define ARENA_MAX    (3 * CONFIG_HF_SENSOR_BODY_BYTES_MAX + 16384)
#define ACK_AFTER_MS 800 /* well below ACK_TIMEOUT, 2 s */
#define PROBLEM_MAX  2048

struct hf_sensor_call {
	struct hf_list link;
	struct hf_sensors *sensors;
	struct hf_sensor_ask ask;
	uint64_t hash;
	uint8_t code; /* of the request */
	bool has_block;
	struct hf_coap_block block; /* the last one of the body */
	struct hf_arena arena;
	struct hf_sensor_request request;
	struct hf_exchange *exchange; /* NULL: ended */
	size_t sent;		      /* of the body */
	bool sending, ended;	      /* the end may come while the body is handed over */
	struct hf_timer timer;
	/* the answer */
	int status;
	bool accepted;
	uint32_t retry_after_s;
	char id[HF_ULID_LEN + 1];
	struct hf_buf problem;
};

static void free_call(struct hf_sensor_call *c)
{
	c->sensors->figures.calls--;
	hf_list_remove(&c->link);
	hf_timerq_clear(c->sensors->opt.timers, &c->timer);
	hf_buf_finish(&c->problem);
	hf_arena_finish(&c->arena);
	hf_spare_give(&c->sensors->spare_calls, c);
}

/* ---- the answer ---- */

static void add_location(struct hf_coap_head *head, struct hf_span id)
{
	(void)hf_coap_option_add(head, HF_COAP_LOCATION_PATH, HF_SPAN(".holdfast"));
	(void)hf_coap_option_add(head, HF_COAP_LOCATION_PATH, HF_SPAN("requests"));
	(void)hf_coap_option_add(head, HF_COAP_LOCATION_PATH, id);
}

static void answer_accepted(struct hf_sensors *s, struct hf_sensor_ask *ask, uint8_t code,
			    const struct hf_coap_block *block, struct hf_span id)
{
	struct hf_coap_head head = { .code = code };
	char bytes[4];

	add_location(&head, id);
	if (block)
		(void)hf_coap_option_add(&head, HF_COAP_BLOCK1, hf_coap_block_format(block, bytes));
	hf_sensor_answer(s, ask, &head, hf_span(NULL, 0));
}

static void remember(struct hf_sensor_call *c, uint8_t code)
{
	struct hf_seen_entry *e =
		hf_seen_find(&c->sensors->seen, c->hash, hf_sensor_now(c->sensors));
	uint64_t id[2];

	if (!e)
		return;
	e->code = code;
	if (hf_ulid_parse(hf_span_str(c->id), &id[0], &id[1]) == 0)
		memcpy(e->id, id, sizeof(e->id));
}

/* The same message is not tried anew: who was refused may have sent another one since,
 * and would have two of them accepted. 5.03 promises that, so it takes memory. */
static void refuse_for_good(struct hf_sensors *s, struct hf_sensor_ask *ask, uint64_t hash,
			    uint8_t code, uint32_t age_s, const char *words)
{
	uint64_t now = hf_sensor_now(s);
	struct hf_seen_entry *e = hf_seen_find(&s->seen, hash, now);

	if (!e)
		e = hf_seen_add(&s->seen, hash, now);
	if (e) {
		e->code = code;
		memcpy(e->id, &age_s, sizeof(age_s));
	} else if (code == HF_COAP_CODE(5, 3)) {
		code = HF_COAP_CODE(5, 0);
	}
	hf_sensor_refuse(s, ask, code, age_s, words);
}

void hf_sensor_call_answered(struct hf_sensors *s, struct hf_sensor_in *in,
			     const struct hf_seen_entry *seen)
{
	const struct hf_span *value = hf_coap_option_get(&in->m.head, HF_COAP_BLOCK1);
	struct hf_coap_block block;
	char id[HF_ULID_LEN + 1];
	uint64_t bits[2];
	uint32_t age_s;
	bool has_block = value && hf_coap_block_parse(*value, &block);

	if (seen->code >> 5 != 2) {
		memcpy(&age_s, seen->id, sizeof(age_s));
		hf_sensor_refuse(s, &in->ask, seen->code, age_s, "");
		return;
	}
	memcpy(bits, seen->id, sizeof(bits));
	hf_ulid_format(bits[0], bits[1], id);
	answer_accepted(s, &in->ask, seen->code, has_block ? &block : NULL, hf_span_str(id));
}

void hf_sensor_call_again(struct hf_sensors *s, const struct hf_sensor_in *in)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->calls) {
		struct hf_sensor_call *c = hf_container_of(it, struct hf_sensor_call, link);

		if (c->hash != in->hash)
			continue;
		if (c->ask.allowance != HF_SENSOR_UNLIMITED)
			c->ask.allowance += in->ask.allowance;
		if (c->ask.type == HF_COAP_CON)
			hf_sensor_ack(s, &c->ask);
		return;
	}
}

static uint8_t code_of(int status)
{
	switch (status) {
	case 400:
	case 403:
	case 404:
	case 409:
	case 413:
	case 415:
	case 422:
	case 429:
		return HF_COAP_CODE(4, status - 400);
	case 503:
	case 507:
		return HF_COAP_CODE(5, 3);
	}
	return status >= 400 && status < 500 ? HF_COAP_CODE(4, 0) : HF_COAP_CODE(5, 0);
}

/* What the problem document says, for people. */
static const char *detail_of(struct hf_sensor_call *c)
{
	struct hf_json_at detail;

	if (hf_json_at(hf_buf_span(&c->problem), HF_SPAN("/detail"), &c->arena, &detail) ||
	    detail.kind != HF_JSON_STRING)
		return "";
	detail.text = hf_arena_copy(&c->arena, detail.text);
	return detail.text.ptr ? detail.text.ptr : "";
}

static void answer_refused(struct hf_sensor_call *c)
{
	struct hf_sensors *s = c->sensors;
	/* Without a status nobody can say whether it was accepted. */
	uint8_t code = c->status ? code_of(c->status) : HF_COAP_CODE(5, 0);
	uint32_t age = c->retry_after_s;

	if (code == HF_COAP_CODE(5, 3) && !age)
		age = HF_SENSOR_FULL_S;
	refuse_for_good(s, &c->ask, c->hash, code, age, detail_of(c));
}

static void finish(struct hf_sensor_call *c)
{
	struct hf_sensors *s = c->sensors;
	uint8_t code = c->code == HF_COAP_CODE(0, 2) ? HF_COAP_CODE(2, 1) :
		       c->code == HF_COAP_CODE(0, 4) ? HF_COAP_CODE(2, 2) :
						       HF_COAP_CODE(2, 4);

	if (c->accepted) {
		s->figures.accepted++;
		remember(c, code);
		answer_accepted(s, &c->ask, code, c->has_block ? &c->block : NULL,
				hf_span_str(c->id));
	} else {
		answer_refused(c);
	}
	free_call(c);
}

/* ---- events of the exchange ---- */

static void send_rest(struct hf_sensor_call *c)
{
	struct hf_transport *t = hf_fetch_transport(c->sensors->opt.fetch);
	struct hf_span rest = hf_span_skip(c->request.body, c->sent);

	if (c->sent > c->request.body.len)
		return;
	c->sending = true;
	if (rest.len > 0)
		c->sent += t->send(t, c->exchange, rest);
	if (!c->ended && c->sent == c->request.body.len) {
		c->sent++;
		t->send_end(t, c->exchange, NULL);
		hf_arena_finish(&c->arena); /* the queue has a copy of all of it */
	}
	c->sending = false;
	if (c->ended)
		finish(c);
}

static void on_writable(void *user)
{
	struct hf_sensor_call *c = user;

	if (c->exchange)
		send_rest(c);
}

static void take_location(struct hf_sensor_call *c, const struct hf_message *head)
{
	const struct hf_span *where = hf_fields_get(&head->fields, "Location");
	struct hf_span prefix = HF_SPAN("/.holdfast/requests/");

	if (!where || !hf_span_starts(*where, prefix) || where->len != prefix.len + HF_ULID_LEN)
		return;
	memcpy(c->id, where->ptr + prefix.len, HF_ULID_LEN);
}

static void on_head(void *user, const struct hf_message *head)
{
	const struct hf_span *retry = hf_fields_get(&head->fields, "Retry-After");
	struct hf_sensor_call *c = user;
	int64_t seconds;
	bool is_date;

	c->status = head->status;
	c->accepted = head->status == 202 && hf_fields_get(&head->fields, "Holdfast-State");
	if (c->accepted)
		take_location(c, head);
	if (retry && hf_retry_after_parse(*retry, &is_date, &seconds) == 0 && !is_date &&
	    seconds > 0)
		c->retry_after_s = (uint32_t)seconds;
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_sensor_call *c = user;

	if (!c->accepted)
		(void)hf_buf_append(&c->problem, data); /* what is longer has no words for us */
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_sensor_call *c = user;

	(void)trailers;
	c->exchange = NULL;
	if (result->end != HF_END_COMPLETE)
		c->accepted = false;
	if (result->end != HF_END_COMPLETE)
		c->status = 0;
	c->ended = true;
	if (!c->sending)
		finish(c);
}

static const struct hf_exchange_events call_events = {
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

static void acknowledge(void *user)
{
	struct hf_sensor_call *c = user;

	if (c->ask.type == HF_COAP_CON && !c->ask.acked)
		hf_sensor_ack(c->sensors, &c->ask);
}

/* ---- the beginning ---- */

static const struct hf_route *route_of(struct hf_sensors *s, unsigned origin,
				       const struct hf_sensor_request *r, struct hf_span method)
{
	struct hf_match_request match = { .method = method, .path = r->path, .query = r->query };
	const struct hf_route *route = s->opt.route(s->opt.user, origin, &match);

	return route && route->queued ? route : NULL;
}

static bool takes_another_method(struct hf_sensors *s, unsigned origin,
				 const struct hf_sensor_request *r)
{
	return route_of(s, origin, r, HF_SPAN("POST")) || route_of(s, origin, r, HF_SPAN("PUT")) ||
	       route_of(s, origin, r, HF_SPAN("PATCH")) ||
	       route_of(s, origin, r, HF_SPAN("DELETE"));
}

/* 0: it may; else a code with *words. */
static int check(struct hf_sensors *s, const struct hf_sensor_ask *ask, unsigned origin,
		 const struct hf_sensor_request *r, const char **words)
{
	hf_devices_look(&s->devices);
	*words = "This device may not send that: the file of devices has no rule for it.";
	if (!hf_devices_may(&s->devices, hf_sensor_identity(&ask->peer), r->method, r->path))
		return HF_COAP_CODE(4, 3);
	if (route_of(s, origin, r, r->method))
		return 0;
	*words = "No route queues this path; the worker's manifest says which may be sent to.";
	if (!takes_another_method(s, origin, r))
		return HF_COAP_CODE(4, 4);
	*words = "No route queues this method here; another one is.";
	return HF_COAP_CODE(4, 5);
}

static unsigned origin_of(struct hf_sensors *s, const struct hf_sensor_request *r)
{
	int origin = r->host.len > 0 ? s->opt.origin_by_host(s->opt.user, r->host) : 0;

	return origin < 0 ? 0 : (unsigned)origin;
}

/* A CoAP code, 0: it is on its way, or an HF_E*. */
static int perform(struct hf_sensor_call *c, struct hf_sensor_in *in, struct hf_span body,
		   struct hf_span first, const char **words)
{
	struct hf_sensors *s = c->sensors;
	struct hf_peer peer = { .addr = c->ask.peer.addr };
	char derived[HF_SENSOR_KEY_SIZE];
	struct hf_fetch_request req = { .peer = &peer };
	int err = hf_sensor_request_read(s, &in->m.head, &c->arena, &c->request, words);

	if (err)
		return err;
	req.origin = origin_of(s, &c->request);
	err = check(s, &c->ask, req.origin, &c->request, words);
	if (err)
		return err;
	body = hf_arena_copy(&c->arena, body);
	err = body.ptr ? hf_sensor_request_finish(&c->request,
						  s->opt.origin_is_coap(s->opt.user, req.origin),
						  body, &c->arena) :
			 HF_ENOMEM;
	if (err)
		return err;
	if (c->request.key.len == 0) {
		hf_sensor_key(s, &c->ask.peer, first, c->has_block ? body : hf_span(NULL, 0),
			      derived);
		c->request.key = hf_span(derived, HF_SENSOR_KEY_SIZE - 1);
	}
	req.base.msg = &c->request.msg;
	req.key = c->request.key;
	req.identity = hf_sensor_identity(&c->ask.peer);
	req.proto = c->ask.peer.session ? "coaps" : "coap";
	if (!hf_seen_add(&s->seen, c->hash, hf_sensor_now(s)))
		return HF_ENOMEM;
	err = hf_fetch_perform(s->opt.fetch, &req, &call_events, c, &c->exchange);
	if (err)
		hf_seen_forget(&s->seen, c->hash, hf_sensor_now(s));
	return err;
}

static struct hf_sensor_call *create(struct hf_sensors *s, const struct hf_sensor_in *in,
				     const struct hf_coap_block *block)
{
	struct hf_sensor_call *c = NULL;

	if (s->figures.calls < CONFIG_HF_SENSOR_CALLS_MAX)
		c = hf_spare_take(&s->spare_calls, sizeof(*c));
	if (!c)
		return NULL;
	c->sensors = s;
	c->ask = in->ask;
	c->hash = in->hash;
	c->code = in->m.head.code;
	c->has_block = block != NULL;
	if (block)
		c->block = *block;
	hf_arena_init_from(&c->arena, ARENA_MAX, &s->blocks);
	hf_buf_init(&c->problem, PROBLEM_MAX);
	hf_timer_init(&c->timer, acknowledge, c);
	hf_list_push(&s->calls, &c->link);
	s->figures.calls++;
	return c;
}

void hf_sensor_call(struct hf_sensors *s, struct hf_sensor_in *in, struct hf_span body,
		    struct hf_span first, const struct hf_coap_block *block)
{
	struct hf_sensor_call *c = create(s, in, block);
	const char *words = "";
	int err;

	if (!c) {
		refuse_for_good(s, &in->ask, in->hash, HF_COAP_CODE(5, 3), HF_SENSOR_BUSY_S,
				"As many requests are on their way as may be.");
		return;
	}
	err = perform(c, in, body, first, &words);
	if (err > 0)
		hf_sensor_refuse(s, &c->ask, (uint8_t)err, 0, words);
	else if (err < 0)
		refuse_for_good(s, &c->ask, c->hash, HF_COAP_CODE(5, 3), HF_SENSOR_BUSY_S,
				"Holdfast is short of memory.");
	if (err) {
		free_call(c);
		return;
	}
	if (c->ask.type == HF_COAP_CON &&
	    hf_timerq_set(s->opt.timers, &c->timer, hf_sensor_now(s) + ACK_AFTER_MS))
		acknowledge(c);
	if (c->request.body.len > 0)
		send_rest(c);
}

/* The requests go on; nobody hears of them. */
void hf_sensor_calls_forget(struct hf_sensors *s, struct hf_sensor_session *session)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->calls) {
		struct hf_sensor_call *c = hf_container_of(it, struct hf_sensor_call, link);

		if (c->ask.peer.session != session)
			continue;
		c->ask.peer.session = NULL;
		c->ask.peer.gone = true;
	}
}

void hf_sensor_calls_finish(struct hf_sensors *s)
{
	struct hf_transport *t = hf_fetch_transport(s->opt.fetch);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->calls) {
		struct hf_sensor_call *c = hf_container_of(it, struct hf_sensor_call, link);

		if (c->exchange)
			t->cancel(t, c->exchange);
		free_call(c);
	}
}
