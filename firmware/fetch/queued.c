/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a queued request up to its turn, and its end. The live attempt is
 * in queued_live.c, admission and the page's answer in queued_answer.c.
 */
#include "fetch/queued.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fsm.h"
#include "holdfast/err.h"

#define ARENA_MAX (1024 * 1024)

#define TO(name) HF_FSM_TO(HF_QUEUED_##name)
static const uint32_t allowed[] = {
	[HF_QUEUED_COLLECT] = TO(AFTER) | TO(TURN) | TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_AFTER] = TO(TURN) | TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_TURN] = TO(LIVE) | TO(ADMIT) | TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_LIVE] = TO(PASS) | TO(ADMIT) | TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_PASS] = TO(CLOSING),
	[HF_QUEUED_ADMIT] = TO(WATCH) | TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_WATCH] = TO(LOAD) | TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_LOAD] = TO(REPLY) | TO(CLOSING),
	[HF_QUEUED_REPLY] = TO(CLOSING),
	[HF_QUEUED_CLOSING] = 0,
};
static const char *const names[] = { "collect", "after", "turn", "live",  "pass",
				     "admit",	"watch", "load", "reply", "closing" };
static const struct hf_fsm fsm = { "queued", 10, allowed, names };

void hf_queued_move(struct hf_queued *q, enum hf_queued_state to)
{
	hf_fsm_move(&fsm, &q->state, to);
}

static struct hf_queued *self(struct hf_event *ev)
{
	return hf_container_of(ev, struct hf_queued, ev);
}

/* ---- the end ---- */

static void free_queued(struct hf_queued *q)
{
	hf_list_remove(&q->ev.link);
	hf_list_remove(&q->token.link);
	hf_timerq_clear(q->ev.fetch->opt.timers, &q->timer);
	hf_spool_finish(&q->spool);
	hf_body_send_finish(&q->body);
	hf_store_load_finish(&q->load);
	hf_buf_finish(&q->admission.head); /* of one that was never done */
	hf_arena_finish(&q->arena);
	hf_spare_give(&q->ev.fetch->queued, q);
}

void hf_queued_give_back(struct hf_queued *q)
{
	if (q->has_turn)
		hf_turn_give_back(&q->turn);
	q->has_turn = false;
}

void hf_queued_leave_exchange(struct hf_queued *q)
{
	hf_body_send_detach(&q->body);
	if (q->exchange)
		q->transport->cancel(q->transport, q->exchange);
	q->exchange = NULL;
}

void hf_queued_release(struct hf_queued *q)
{
	assert(q->state == HF_QUEUED_CLOSING);
	if (q->spool.busy || q->body.reading || q->loading)
		return;
	if (q->spool.blob && q->admission.id == 0) /* no record has it */
		hf_fetch_discard(q->ev.fetch, q->spool.blob);
	free_queued(q);
}

void hf_queued_close(struct hf_queued *q)
{
	hf_queued_move(q, HF_QUEUED_CLOSING);
	q->ev.events = NULL;
	hf_timerq_clear(q->ev.fetch->opt.timers, &q->timer);
	hf_list_remove(&q->token.link);
	hf_queued_leave_exchange(q);
	hf_queued_give_back(q);
	if (q->watching)
		hf_queue_unwatch(&q->watch);
	q->watching = false;
	if (q->reply)
		hf_reply_cancel(q->reply);
	q->reply = NULL;
	hf_spool_stop(&q->spool);
	hf_body_send_stop(&q->body);
	hf_queued_release(q);
}

static void store_is_through(void *user)
{
	hf_queued_release(user);
}

static bool start_refusal(struct hf_queued *q, const struct hf_problem *p)
{
	struct hf_reply *r;

	if (hf_event_reply(&q->ev, &r))
		return false;
	if (hf_reply_problem(r, p)) {
		hf_reply_destroy(r);
		return false;
	}
	hf_queued_reply(q, r);
	return true;
}

void hf_queued_refuse(struct hf_queued *q, const struct hf_problem *p)
{
	const struct hf_exchange_events *events = q->ev.events;
	void *user = q->ev.user;
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };

	hf_queued_give_back(q);
	if (events && start_refusal(q, p))
		return;
	hf_queued_close(q);
	if (events)
		events->on_end(user, &result, NULL);
}

/* ---- turn ---- */

static void granted(struct hf_queued *q, enum hf_grant grant)
{
	struct hf_verdict none = { .reason = q->down ? HF_REASON_NETWORK : HF_REASON_NONE };

	if (q->after_field.len > 0)
		none.reason = HF_REASON_AFTER;
	else if (grant == HF_GRANT_LIVE && !q->prefer.respond_async && !q->down) {
		hf_queued_try_live(q);
		return;
	}
	hf_queued_admit(q, &none, false);
}

static void on_granted(struct hf_turn *turn, enum hf_grant grant)
{
	struct hf_queued *q = turn->user;

	if (!q->ev.fetch->closing)
		granted(q, grant);
}

void hf_queued_take_turn(struct hf_queued *q)
{
	const struct hf_fetch_options *opt = &q->ev.fetch->opt;
	enum hf_reach reach = opt->connectivity ?
				      hf_connectivity_origin(opt->connectivity, q->origin) :
				      HF_REACH_UNKNOWN;
	enum hf_grant grant;
	struct hf_problem p;
	int err;

	hf_queued_move(q, HF_QUEUED_TURN);
	q->down = reach == HF_REACH_DOWN || reach == HF_REACH_TRIAL;
	q->turn = (struct hf_turn){ .granted = on_granted, .user = q };
	err = hf_turn_take(opt->queue, q->origin, &q->policy, q->down, &q->turn, &grant);
	if (err) {
		hf_problem_of_queue(err, &p);
		hf_queued_refuse(q, &p);
		return;
	}
	q->has_turn = true;
	if (grant != HF_GRANT_WAIT)
		granted(q, grant);
}

/* ---- body ---- */

/* Everything of the body is where it belongs. */
static void body_complete(struct hf_queued *q)
{
	q->body.memory = hf_buf_span(&q->spool.memory);
	q->body.blob = q->spool.blob;
	q->body.len = q->spool.len;
	q->stored.body = q->has_body ? HF_BODY_LENGTH : HF_BODY_NONE;
	q->stored.body_len = q->spool.len;
	if (q->after_field.len > 0)
		hf_queued_after(q);
	else
		hf_queued_take_turn(q);
}

static void refuse_body(struct hf_queued *q, int err)
{
	struct hf_problem p;

	if (err == HF_EFULL)
		hf_queue_make_room(q->ev.fetch->opt.queue, q->spool.len);
	hf_problem_of_queue(err, &p);
	hf_queued_refuse(q, &p);
}

static void spool_finished(void *user, int err)
{
	struct hf_queued *q = user;

	if (q->state != HF_QUEUED_COLLECT)
		return;
	if (err)
		refuse_body(q, err);
	else
		body_complete(q);
}

static void spool_room(void *user)
{
	struct hf_queued *q = user;

	if (q->state == HF_QUEUED_COLLECT && q->ev.events)
		q->ev.events->on_writable(q->ev.user);
}

static size_t send_body(struct hf_event *ev, struct hf_span data)
{
	struct hf_queued *q = self(ev);
	ptrdiff_t n;

	if (q->state != HF_QUEUED_COLLECT)
		return data.len; /* refused already */
	n = hf_spool_write(&q->spool, data);
	if (n >= 0)
		return (size_t)n;
	refuse_body(q, (int)n);
	return data.len;
}

static void end_body(struct hf_queued *q)
{
	int end;

	hf_timerq_clear(q->ev.fetch->opt.timers, &q->timer);
	end = hf_spool_end(&q->spool);
	if (end != 0)
		spool_finished(q, end < 0 ? end : 0);
}

static void send_end(struct hf_event *ev, const struct hf_fields *trailers)
{
	struct hf_queued *q = self(ev);

	(void)trailers; /* a stored request has a length, so it has none */
	if (q->state == HF_QUEUED_COLLECT && q->has_body)
		end_body(q);
}

/* ---- from ingress ---- */

static void receive(struct hf_event *ev, bool on)
{
	struct hf_queued *q = self(ev);

	q->receiving = on;
	if (q->state == HF_QUEUED_PASS && q->exchange)
		q->transport->receive(q->transport, q->exchange, on);
	else if (q->reply)
		hf_reply_receive(q->reply, on);
}

static void cancel(struct hf_event *ev)
{
	struct hf_queued *q = self(ev);
	struct hf_exchange_result result = { .end = HF_END_COMPLETE,
					     .sent = HF_SENT_ALL,
					     .detail = "" };
	bool goes_on = q->state == HF_QUEUED_AFTER || q->state == HF_QUEUED_TURN ||
		       q->state == HF_QUEUED_LIVE || q->state == HF_QUEUED_ADMIT ||
		       (q->state == HF_QUEUED_COLLECT && q->spool.ended);

	if (goes_on) {
		ev->events = NULL;
		return;
	}
	if (q->state == HF_QUEUED_PASS && ev->fetch->opt.connectivity)
		hf_connectivity_report(ev->fetch->opt.connectivity, q->origin, &result, q->status);
	hf_queued_close(q);
}

static void destroy(struct hf_event *ev)
{
	struct hf_queued *q = self(ev);

	hf_queued_leave_exchange(q);
	hf_queued_give_back(q);
	if (q->watching)
		hf_queue_unwatch(&q->watch);
	if (q->reply)
		hf_reply_abandon(q->reply);
	free_queued(q);
}

static void on_timer(void *user)
{
	struct hf_queued *q = user;
	struct hf_message go_on = { .status = 100, .minor = 1, .keep_alive = true };

	if (q->state != HF_QUEUED_COLLECT) {
		hf_queued_on_timer(q);
		return;
	}
	if (!q->has_body) {
		end_body(q);
		return;
	}
	hf_fields_init(&go_on.fields, &q->arena);
	if (q->ev.events->on_interim)
		q->ev.events->on_interim(q->ev.user, &go_on);
}

static const struct hf_event_ops ops = { send_body, send_end, receive, cancel, destroy };

/* ---- opening ---- */

/* Everything the request keeps: copied, because the panel may leave. */
static int copy_request(struct hf_queued *q, const struct hf_fetch_request *req)
{
	const struct hf_message *in = req->base.msg;
	const char *credential =
		hf_credential_header(q->ev.fetch->opt.credentials, q->origin, q->policy.credential);
	struct hf_message out;
	int err;

	q->forward.host = hf_arena_copy(&q->arena, req->host);
	if (!q->forward.host.ptr)
		return HF_ENOMEM;
	err = hf_forward_request(&q->forward, in, in->fields.arena, &out);
	q->forward.identity = hf_span(NULL, 0); /* it was said, and is the caller's */
	if (err)
		return err;
	hf_fields_remove(&out.fields, "host");
	hf_fields_remove(&out.fields, "expect");
	hf_fields_remove(&out.fields, "upgrade");
	hf_fields_remove(&out.fields, HF_AFTER_FIELD);
	hf_fields_remove(&out.fields, "content-length");
	hf_fields_remove(&out.fields, q->policy.key_header);
	if (credential)
		hf_fields_remove(&out.fields, credential);
	err = hf_forward_without_prefer(&out.fields);
	if (err)
		return err;
	q->stored = out;
	q->stored.upgrade = false;
	q->stored.expect_continue = false;
	q->stored.method = hf_arena_copy(&q->arena, in->method);
	q->stored.target = hf_arena_copy(&q->arena, in->target);
	if (!q->stored.method.ptr || !q->stored.target.ptr)
		return HF_ENOMEM;
	hf_fields_init(&q->stored.fields, &q->arena);
	return hf_fields_copy(&q->stored.fields, &out.fields, &q->arena);
}

static void init_parts(struct hf_queued *q, const struct hf_fetch_options *opt)
{
	q->spool.store = opt->store;
	q->spool.inline_max = opt->inline_body_max;
	q->spool.chunk_bytes = opt->chunk_bytes;
	q->spool.body_max = opt->body_max;
	q->spool.room = spool_room;
	q->spool.finished = spool_finished;
	q->spool.stopped = store_is_through;
	q->spool.user = q;
	hf_spool_init(&q->spool);
	q->body.store = opt->store;
	q->body.stopped = store_is_through;
	q->body.user = q;
	hf_body_send_init(&q->body);
	hf_store_load_init(&q->load);
	hf_timer_init(&q->timer, on_timer, q);
	hf_list_init(&q->token.link);
}

static struct hf_queued *open_queued(struct hf_fetch *f, const struct hf_fetch_request *req,
				     const struct hf_route *route)
{
	const struct hf_fetch_origin *origin = hf_fetch_origin(f, req->origin);
	struct hf_queued *q = hf_spare_take(&f->queued, sizeof(*q));

	if (!q)
		return NULL;
	hf_arena_init_from(&q->arena, ARENA_MAX, &f->blocks);
	q->policy = route->policy;
	hf_lane_rule_apply(&route->lane_rule, req->base.msg, f->queued_n++, q->policy.lane);
	q->origin = req->origin;
	q->transport = origin->transport;
	q->peer = *req->peer;
	q->forward.scheme = origin->scheme;
	q->forward.authority = origin->authority;
	q->forward.peer = &q->peer;
	q->forward.identity = req->identity;
	q->forward.proto = req->proto;
	q->receiving = true;
	q->opened_ms = f->opt.port->boottime_ms(f->opt.port);
	q->has_body = req->base.msg->body != HF_BODY_NONE;
	hf_prefer_parse(&req->base.msg->fields, &q->prefer);
	init_parts(q, &f->opt);
	return q;
}

/* For whom it is accepted. */
static int find_identity(struct hf_queued *q, struct hf_span sender)
{
	int err;

	if (sender.len > 0) {
		q->identity = hf_arena_copy(&q->arena, sender);
		if (!q->identity.ptr)
			return HF_ENOMEM;
		hf_lane_append(q->policy.lane, '@', sender);
	}
	if (!q->policy.credential[0])
		return 0;
	err = hf_credential_identity(q->ev.fetch->opt.credentials, q->origin, q->policy.credential,
				     &q->arena, &q->identity);
	/* one who is away stops nobody else */
	if (!err && q->identity.len > 0)
		hf_lane_append(q->policy.lane, '@', q->identity);
	return err && err != HF_ENOMEM ? HF_EPERM : err;
}

static int find_key(struct hf_queued *q, const struct hf_fetch_request *req)
{
	if (req->key.len == 0)
		return hf_queue_key(q->ev.fetch->opt.queue, &q->policy, &req->base.msg->fields,
				    &q->arena, &q->key, NULL);
	q->key = hf_arena_printf(&q->arena, q->policy.key_quoted ? "\"%.*s\"" : "%.*s",
				 HF_SPAN_ARG(req->key));
	return q->key.ptr ? 0 : HF_ENOMEM;
}

int hf_queued(struct hf_fetch *f, const struct hf_fetch_request *req, const struct hf_route *route,
	      const struct hf_exchange_events *events, void *user, struct hf_event **out)
{
	const struct hf_message *msg = req->base.msg;
	struct hf_queued *q = open_queued(f, req, route);
	struct hf_problem p;
	int err;

	if (!q)
		return HF_ENOMEM;
	hf_event_open(&q->ev, f, &ops, events, user);
	err = copy_request(q, req);
	if (!err)
		err = find_key(q, req);
	if (!err)
		err = find_identity(q, req->identity);
	if (!err && msg->body == HF_BODY_LENGTH && msg->body_len > f->opt.body_max)
		err = HF_ETOOBIG;
	if (err)
		hf_problem_of_queue(err, &p);
	else
		err = hf_queued_after_read(q, &msg->fields, &p);
	if (err) {
		err = start_refusal(q, &p) ? 0 : HF_ENOMEM;
	} else if (!q->has_body || (msg->expect_continue && !req->panel_minor0)) {
		err = hf_timerq_set(f->opt.timers, &q->timer, q->opened_ms);
	}
	if (err) {
		free_queued(q);
		return err;
	}
	*out = &q->ev;
	return 0;
}
