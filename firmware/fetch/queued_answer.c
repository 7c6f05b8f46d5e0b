/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into the queue, and what the page hears of it: 202 with the address of its
 * request after the commit, or, with Prefer: wait, the origin's own answer when
 * that comes in time (RFC 7240 section 4.3).
 */
#include <assert.h>

#include "fetch/queued.h"
#include "holdfast/err.h"
#include "queue/record.h"

#define WAIT_MAX_S 300

/* ---- replies ---- */

static void reply_ended(void *owner)
{
	struct hf_queued *q = owner;

	q->reply = NULL;
	hf_queued_close(q);
}

void hf_queued_reply(struct hf_queued *q, struct hf_reply *r)
{
	hf_queued_move(q, HF_QUEUED_REPLY);
	q->reply = r;
	hf_reply_start(r, q->ev.events, q->ev.user, reply_ended, q);
	hf_reply_receive(r, q->receiving);
}

/* It is accepted, and nothing is left to say under which id. */
static void short_of_memory(struct hf_queued *q, const char *state)
{
	const struct hf_problem p = {
		.status = 500,
		.error = "proxy_internal_error",
		.detail = "The request was accepted; Holdfast is short of memory for the answer.",
		.state = state,
	};

	hf_queued_refuse(q, &p);
}

static int write_accepted(struct hf_queued *q, const char *state, struct hf_buf *out)
{
	struct hf_span key;
	int err;

	if (hf_idempotency_key_parse(q->key, &key))
		key = q->key;
	err = hf_buf_appendf(
		out, "{\"id\":\"%s\",\"state\":\"%s\",\"tag\":", q->admission.public_id, state);
	if (!err)
		err = hf_json_append_string(out, hf_span_str(q->policy.tag));
	if (!err)
		err = hf_buf_append_str(out, ",\"idempotencyKey\":");
	if (!err)
		err = hf_json_append_string(out, key);
	if (!err)
		err = hf_buf_append_str(out, "}\n");
	return err;
}

static int fill_accepted(struct hf_queued *q, const char *state, struct hf_reply *r)
{
	struct hf_fields *fields = hf_reply_fields(r);
	struct hf_span where = hf_arena_printf(hf_reply_arena(r), "/.holdfast/requests/%s",
					       q->admission.public_id);
	int err;

	if (!where.ptr)
		return HF_ENOMEM;
	hf_reply_status(r, 202);
	err = hf_fields_add(fields, HF_SPAN("Location"), where);
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Content-Type"), HF_SPAN("application/json"));
	if (!err)
		err = hf_fields_add(fields, HF_SPAN("Holdfast-State"), hf_span_str(state));
	if (!err && q->prefer.respond_async)
		err = hf_fields_add(fields, HF_SPAN("Preference-Applied"),
				    HF_SPAN("respond-async"));
	return err;
}

/* "202 Accepted"; @state as the record has it now. Where memory does not suffice for the
 * body, the fields say it. */
static void accept(struct hf_queued *q, const char *state)
{
	struct hf_reply *r;

	if (hf_event_reply(&q->ev, &r)) {
		short_of_memory(q, state);
		return;
	}
	if (fill_accepted(q, state, r)) {
		hf_reply_destroy(r);
		short_of_memory(q, state);
		return;
	}
	if (write_accepted(q, state, hf_reply_body(r)))
		hf_buf_clear(hf_reply_body(r));
	hf_arena_finish(&q->arena); /* nobody asks for what was read any more */
	hf_queued_reply(q, r);
}

/* ---- Prefer: wait ---- */

static int fill_stored(struct hf_queued *q, struct hf_reply *r)
{
	struct hf_span applied =
		hf_arena_printf(hf_reply_arena(r), "wait=%u", (unsigned)q->prefer.wait_s);
	int err;

	if (!applied.ptr)
		return HF_ENOMEM;
	err = hf_reply_stored(r, &q->load);
	if (!err)
		err = hf_forward_stored(&q->forward, hf_reply_fields(r));
	return err ? err :
		     hf_fields_add(hf_reply_fields(r), HF_SPAN("Preference-Applied"), applied);
}

static void load_done(struct hf_store_op *op, int err)
{
	struct hf_queued *q = op->user;
	struct hf_reply *r = NULL;

	q->loading = false;
	if (q->state == HF_QUEUED_CLOSING) {
		hf_queued_release(q);
		return;
	}
	if (!err)
		err = hf_event_reply(&q->ev, &r);
	if (!err)
		err = fill_stored(q, r);
	if (!err) {
		hf_queued_reply(q, r);
		return;
	}
	hf_reply_destroy(r);
	/* The answer can be asked for at its own address. */
	accept(q, "settled");
}

static void stop_waiting(struct hf_queued *q)
{
	hf_timerq_clear(q->ev.fetch->opt.timers, &q->timer);
	if (q->watching)
		hf_queue_unwatch(&q->watch);
	q->watching = false;
}

static void changed(struct hf_watch *w, const struct hf_queue_event *event)
{
	struct hf_queued *q = w->user;

	switch (event->type) {
	case HF_QUEUE_SETTLED:
		stop_waiting(q);
		hf_queued_move(q, HF_QUEUED_LOAD);
		q->loading = true;
		q->load.id = q->admission.id;
		q->load.op.done = load_done;
		q->load.op.user = q;
		hf_store_load(q->ev.fetch->opt.store, &q->load);
		return;
	case HF_QUEUE_HELD:
		stop_waiting(q);
		accept(q, "held");
		return;
	case HF_QUEUE_DEAD:
		stop_waiting(q);
		accept(q, "dead");
		return;
	case HF_QUEUE_CANCELLED:
		stop_waiting(q);
		accept(q, "cancelled");
		return;
	case HF_QUEUE_QUEUED:
	case HF_QUEUE_RELEASED:
		return;
	}
}

void hf_queued_on_timer(struct hf_queued *q)
{
	assert(q->state == HF_QUEUED_WATCH);
	stop_waiting(q);
	accept(q, "queued");
}

static uint64_t wait_until(const struct hf_queued *q)
{
	uint32_t wait_s = q->prefer.wait_s < WAIT_MAX_S ? q->prefer.wait_s : WAIT_MAX_S;

	return q->opened_ms + (uint64_t)wait_s * 1000;
}

static bool may_wait(const struct hf_queued *q)
{
	struct hf_port *port = q->ev.fetch->opt.port;

	return q->prefer.has_wait && wait_until(q) > port->boottime_ms(port);
}

static void watch(struct hf_queued *q)
{
	hf_queued_move(q, HF_QUEUED_WATCH);
	q->watch = (struct hf_watch){ .id = q->admission.id, .changed = changed, .user = q };
	hf_queue_watch(q->ev.fetch->opt.queue, &q->watch);
	q->watching = true;
	if (hf_timerq_set(q->ev.fetch->opt.timers, &q->timer, wait_until(q)))
		hf_queued_on_timer(q);
}

/* ---- admission ---- */

static void admitted(struct hf_admission *a, int err)
{
	struct hf_queued *q = a->user;
	struct hf_problem p;

	if (err) {
		a->id = 0;
		if (!a->parent || !hf_queued_after_refused(err, &p))
			hf_problem_of_queue(err, &p);
		hf_queued_refuse(q, &p);
		return;
	}
	hf_queued_give_back(q);
	if (!q->ev.events)
		hf_queued_close(q);
	else if (!a->hold && may_wait(q))
		watch(q);
	else
		accept(q, a->hold ? "held" : "queued");
}

void hf_queued_admit(struct hf_queued *q, const struct hf_verdict *v, bool maybe_received)
{
	struct hf_admission *a = &q->admission;
	struct hf_problem p;
	int err;

	hf_queued_move(q, HF_QUEUED_ADMIT);
	*a = (struct hf_admission){
		.turn = &q->turn,
		.origin = q->origin,
		.policy = &q->policy,
		.msg = &q->stored,
		.key = q->key,
		.identity = q->identity,
		.body = q->spool.blob ? hf_span(NULL, 0) : hf_buf_span(&q->spool.memory),
		.blob = q->spool.blob,
		.body_len = q->spool.len,
		.after = q->after_field,
		.parent = q->after_field.len > 0 ? q->parent : 0,
		.after_depth = q->after_depth,
		.maybe_received = maybe_received,
		.hold = v->action == HF_ACTION_HOLD,
		.reason = v->reason,
		.last_status = (uint16_t)q->status,
		.not_before_delay_ms = v->delay_ms,
		.done = admitted,
		.user = q,
	};
	err = hf_queue_admit(q->ev.fetch->opt.queue, a);
	if (err) {
		hf_problem_of_queue(err, &p);
		hf_queued_refuse(q, &p);
	}
}
