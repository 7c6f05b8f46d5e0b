/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a lease ends: the verdict and what the attempt taught are stored, the
 * lane goes on. What the origin has said is stored as well as there is room.
 */
#include <assert.h>

#include "queue/ahead.h"
#include "queue/lease_private.h"
#include "queue/not_before.h"

static void fill_event(const struct hf_lease *lease, enum hf_queue_event_type type,
		       struct hf_queue_event *event)
{
	*event = (struct hf_queue_event){
		.type = type,
		.id = lease->load.id,
		.state = &lease->state,
		.public_id = lease->public_id,
		.origin = lease->head.origin,
		.lane = hf_span_str(lease->lane->key),
		.tag = hf_span_str(lease->head.policy.tag),
		.method = lease->head.method,
		.target = lease->head.target,
		.key = lease->head.key,
		.status = lease->state.last_status,
	};
}

static void log_final(const struct hf_lease *lease, const char *event)
{
	const struct hf_record_state *s = &lease->state;

	hf_log(hf_lease_queue(lease)->opt.log, HF_LOG_INFO, event,
	       "id=%s lane=%s attempts=%u status=%u reason=%s", lease->public_id, lease->lane->key,
	       s->attempts, s->last_status, hf_reason_name(s->reason));
}

/* The record is final on the medium. */
static void passed(struct hf_lease *lease)
{
	struct hf_lane *lane = lease->lane;
	bool delivered = lease->state.status == HF_RECORD_SETTLED;
	struct hf_queue_event event;

	if (lane->next_id == lease->load.id) /* else one before it was released */
		lane->next_id++;
	lane->failures = 0;
	lane->retried_now = false;
	log_final(lease, delivered ? "queue.settled" : "queue.dead");
	fill_event(lease, delivered ? HF_QUEUE_SETTLED : HF_QUEUE_DEAD, &event);
	hf_queue_changed(lane->queue, lane, lease->load.state.status, &event);
	if (lease->settle.has_dependents)
		hf_queue_dependents_look(lane->queue, lease->load.id);
	/* its parent came back behind it */
	if (lease->state.reason == HF_REASON_AFTER_FAILED && lease->parent.id)
		hf_queue_dependents_look(lane->queue, lease->parent.id);
}

static void held(struct hf_lease *lease)
{
	struct hf_queue_event event;

	log_final(lease, "queue.held");
	fill_event(lease, HF_QUEUE_HELD, &event);
	lease->lane->retried_now = false;
	hf_queue_changed(hf_lease_queue(lease), lease->lane, lease->load.state.status, &event);
}

/* Lets the lane go on as the verdict says. */
static void reschedule(struct hf_lane *lane, const struct hf_verdict *v)
{
	lane->state = HF_LANE_IDLE;
	switch (v->action) {
	case HF_ACTION_DELIVERED:
	case HF_ACTION_DEAD:
	case HF_ACTION_HOLD:
		hf_lane_refresh(lane);
		return;
	case HF_ACTION_RETRY:
		lane->failures++;
		lane->retried_now = false;
		hf_lane_delay(lane, v->delay_ms, v->reason);
		return;
	case HF_ACTION_RETRY_NOW:
		lane->retried_now = true;
		hf_lane_refresh(lane);
		return;
	case HF_ACTION_FOLLOW:
		hf_lane_refresh(lane);
		return;
	case HF_ACTION_WAIT:
		if (v->delay_ms > 0)
			hf_lane_delay(lane, v->delay_ms, v->reason);
		else
			hf_lane_offline(lane, v->reason);
		return;
	}
}

/* ---- ending ---- */

static void ended(struct hf_lease *lease, int err)
{
	struct hf_lane *lane = lease->lane;
	bool passing = lease->step == HF_LEASE_PASSING;
	struct hf_verdict verdict = lease->verdict;

	if (err) {
		hf_log(lane->queue->opt.log, HF_LOG_ERROR, "queue.not_stored", "id=%s err=%s",
		       lease->public_id, hf_errname(err));
		verdict = (struct hf_verdict){ .action = HF_ACTION_RETRY,
					       .reason = HF_REASON_BACKOFF,
					       .delay_ms = HF_STORE_FAILED_DELAY_MS };
	} else if (verdict.action == HF_ACTION_DELIVERED || verdict.action == HF_ACTION_DEAD) {
		passed(lease);
	} else if (verdict.action == HF_ACTION_HOLD) {
		held(lease);
	}
	hf_lease_release(lease);
	reschedule(lane, &verdict);
	if (passing)
		lease->ready(lease, err ? err : HF_ENOENT);
	else
		lease->stored(lease, err);
}

/* ---- without room ---- */

#define MAKE_ROOM_ANSWERS 4
#define NO_ROOM_AGAIN_MS  5000

/* Stores what settle() or hf_lease_store_state() have made ready. */
static void store_end(struct hf_lease *lease)
{
	struct hf_store *store = hf_lease_queue(lease)->opt.store;

	if (lease->settling)
		hf_store_settle(store, &lease->settle);
	else
		hf_store_mark(store, &lease->mark);
}

static void again_due(void *user)
{
	store_end(user);
}

void hf_lease_end_init(struct hf_lease *lease)
{
	hf_timer_init(&lease->again, again_due, lease);
}

static void wait_for_room(struct hf_lease *lease)
{
	struct hf_queue *q = hf_lease_queue(lease);
	uint64_t now = q->opt.port->boottime_ms(q->opt.port);

	if (hf_timerq_set(q->opt.timers, &lease->again, now + NO_ROOM_AGAIN_MS))
		ended(lease, HF_EFULL);
}

static void room_made(struct hf_store_op *op, int err)
{
	struct hf_lease *lease = op->user;
	struct hf_queue *q = hf_lease_queue(lease);

	if (err || lease->purge.outcomes == 0) {
		wait_for_room(lease);
		return;
	}
	if (hf_queue_may_log(q, &q->answers_dropped))
		hf_log(q->opt.log, HF_LOG_WARNING, "queue.answers_dropped", "n=%u",
		       lease->purge.outcomes);
	store_end(lease);
}

/* An old answer is worth less than a record that is known to be final. */
static void make_room(struct hf_lease *lease)
{
	hf_store_purge_oldest(hf_lease_queue(lease)->opt.store, &lease->purge, MAKE_ROOM_ANSWERS,
			      room_made, lease);
}

static void drop_body(struct hf_lease *lease)
{
	struct hf_store_settle *x = &lease->settle;
	struct hf_queue *q = hf_lease_queue(lease);

	if (hf_queue_may_log(q, &q->answer_cut))
		hf_log(q->opt.log, HF_LOG_WARNING, "queue.answer_cut", "id=%s bytes=%zu",
		       lease->public_id, x->body.len);
	hf_answer_head_truncate(&lease->answer);
	x->body = hf_span(NULL, 0);
	store_end(lease);
}

static void end_stored(struct hf_store_op *op, int err)
{
	struct hf_lease *lease = op->user;

	if (err != HF_EFULL)
		ended(lease, err);
	else if (lease->settling && lease->settle.body.len > 0)
		drop_body(lease);
	else
		make_room(lease);
}

static int encode_answer(struct hf_lease *lease, const struct hf_answer_head *answer)
{
	int err = hf_record_summary_encode(&lease->head, &lease->summary);

	if (!err && answer)
		err = hf_answer_head_encode(answer, &lease->answer);
	return err;
}

static void settle(struct hf_lease *lease, const struct hf_lease_end *end)
{
	struct hf_store_settle *x = &lease->settle;
	int err;

	lease->state.status = lease->verdict.action == HF_ACTION_DELIVERED ? HF_RECORD_SETTLED :
									     HF_RECORD_DEAD;
	lease->state.settled_dev_ms = hf_queue_device_ms(hf_lease_queue(lease));
	err = encode_answer(lease, end->answer);
	if (err) {
		ended(lease, err);
		return;
	}
	x->id = lease->load.id;
	x->state = lease->state;
	x->summary = hf_buf_span(&lease->summary);
	x->head = hf_buf_span(&lease->answer);
	x->body = end->body;
	x->blob = 0;
	x->body_len = end->body.len;
	x->op.done = end_stored;
	x->op.user = lease;
	lease->settling = true;
	store_end(lease);
	hf_ahead_begin(lease->lane, lease->load.id);
}

void hf_lease_store_state(struct hf_lease *lease, void (*done)(struct hf_store_op *op, int err))
{
	lease->mark.id = lease->load.id;
	lease->mark.state = lease->state;
	lease->mark.op.done = done;
	lease->mark.op.user = lease;
	lease->settling = false;
	store_end(lease);
}

/* The origin has understood the request and will not do it. A 401 waits for another
 * credential. */
static bool is_refusal(const struct hf_lease_end *end)
{
	int status = end->answer ? end->answer->status : 0;

	return status >= 300 && status < 500 &&
	       (end->verdict.action == HF_ACTION_DEAD || end->verdict.action == HF_ACTION_HOLD ||
		(end->verdict.action == HF_ACTION_WAIT && status == 401));
}

/* What the attempt taught, into the state. */
static void note_attempt(struct hf_lease *lease, const struct hf_lease_end *end)
{
	struct hf_record_state *s = &lease->state;
	int status = end->answer ? end->answer->status : 0;
	bool server_error = status >= 500;

	s->inflight = false;
	if (!end->sent || is_refusal(end)) { /* of this attempt there is no effect */
		s->maybe_received = lease->load.state.maybe_received;
		s->first_sent_dev_ms = lease->load.state.first_sent_dev_ms;
	}
	s->reason = (uint8_t)end->verdict.reason;
	hf_not_before_set(hf_lease_queue(lease), s,
			  end->verdict.action == HF_ACTION_RETRY ? end->verdict.delay_ms : 0);
	if (end->verdict.action != HF_ACTION_WAIT)
		s->attempts++;
	s->same_500 = server_error && s->last_status == status && s->body_hash == end->body_hash ?
			      (uint8_t)(s->same_500 + (s->same_500 < UINT8_MAX)) :
			      server_error;
	s->body_hash = server_error ? end->body_hash : 0;
	s->conflicts = status == 409 ? (uint8_t)(s->conflicts + (s->conflicts < UINT8_MAX)) : 0;
	s->last_status = (uint16_t)status;
	s->last_end = end->result ? (uint8_t)(end->result->end + 1) : 0;
}

static bool is_same(const struct hf_record_state *a, const struct hf_record_state *b)
{
	return a->status == b->status && a->reason == b->reason && a->inflight == b->inflight &&
	       a->maybe_received == b->maybe_received && a->same_500 == b->same_500 &&
	       a->conflicts == b->conflicts && a->last_status == b->last_status &&
	       a->last_end == b->last_end && a->attempts == b->attempts &&
	       a->first_sent_dev_ms == b->first_sent_dev_ms &&
	       a->not_before_dev_s == b->not_before_dev_s && a->body_hash == b->body_hash;
}

/* An attempt of which nothing left is not worth a write, unless its mark stands
 * there; neither is one that taught nothing new. */
static bool is_worth_storing(const struct hf_lease *lease, const struct hf_lease_end *end)
{
	bool marked = lease->stored_state.inflight && !lease->load.state.inflight;
	enum hf_reason reason = end->verdict.reason;

	/* it waits for someone who has to see why; once is enough */
	if (reason == HF_REASON_AUTH || reason == HF_REASON_IDENTITY ||
	    reason == HF_REASON_CREDENTIAL || reason == HF_REASON_CLOCK ||
	    reason == HF_REASON_CERTIFICATE)
		marked |= lease->stored_state.reason != reason;
	return (end->sent || marked) && !is_same(&lease->state, &lease->stored_state);
}

void hf_lease_end(struct hf_lease *lease, const struct hf_lease_end *end)
{
	assert(lease->step == HF_LEASE_READY);
	lease->step = HF_LEASE_ENDING;
	lease->verdict = end->verdict;
	note_attempt(lease, end);
	switch (end->verdict.action) {
	case HF_ACTION_DELIVERED:
	case HF_ACTION_DEAD:
		settle(lease, end);
		return;
	case HF_ACTION_HOLD:
		lease->state.status = HF_RECORD_HELD;
		break;
	case HF_ACTION_RETRY:
	case HF_ACTION_RETRY_NOW:
	case HF_ACTION_FOLLOW:
	case HF_ACTION_WAIT:
		if (!is_worth_storing(lease, end)) {
			ended(lease, 0);
			return;
		}
		break;
	}
	hf_lease_store_state(lease, end_stored);
}

void hf_lease_pass_over(struct hf_lease *lease, enum hf_action action, enum hf_reason reason)
{
	struct hf_lease_end end = { .verdict = { .action = action, .reason = reason } };

	lease->step = HF_LEASE_PASSING;
	lease->verdict = end.verdict;
	lease->state.inflight = false;
	lease->state.reason = (uint8_t)reason;
	if (action == HF_ACTION_DEAD) {
		settle(lease, &end);
		return;
	}
	lease->state.status = HF_RECORD_HELD;
	hf_lease_store_state(lease, end_stored);
}
