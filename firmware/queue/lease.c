/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases. On disk a record is inflight from the mark to the end of the
 * attempt; after a power cut in between it is found so, and is repeated with
 * the same key, or held where the policy forbids repeating.
 */
#include "queue/lease.h"

#include <assert.h>

#include "holdfast_config.h"
#include "queue/ahead.h"
#include "queue/queue_private.h"

#define STORE_FAILED_DELAY_MS 5000

enum step {
	STEP_NONE,
	STEP_LOADING,
	STEP_READY,
	STEP_MARKING,
	STEP_ENDING,
	STEP_PASSING, /* ending a record that is not sent at all */
};

static struct hf_queue *queue_of(const struct hf_lease *lease)
{
	return lease->lane->queue;
}

static void release(struct hf_lease *lease)
{
	hf_timerq_clear(queue_of(lease)->opt.timers, &lease->again);
	hf_store_load_finish(&lease->load);
	hf_arena_finish(&lease->arena);
	hf_buf_finish(&lease->summary);
	hf_buf_finish(&lease->answer);
	lease->step = STEP_NONE;
	lease->lane->leased_id = 0;
}

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

	hf_log(queue_of(lease)->opt.log, HF_LOG_INFO, event,
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
}

static void held(struct hf_lease *lease)
{
	struct hf_queue_event event;

	log_final(lease, "queue.held");
	fill_event(lease, HF_QUEUE_HELD, &event);
	lease->lane->retried_now = false;
	hf_queue_changed(queue_of(lease), lease->lane, lease->load.state.status, &event);
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
		hf_lane_offline(lane, v->reason);
		return;
	}
}

/* ---- ending ---- */

static void ended(struct hf_lease *lease, int err)
{
	struct hf_lane *lane = lease->lane;
	bool passing = lease->step == STEP_PASSING;
	struct hf_verdict verdict = lease->verdict;

	if (err) {
		hf_log(lane->queue->opt.log, HF_LOG_ERROR, "queue.not_stored", "id=%s err=%s",
		       lease->public_id, hf_errname(err));
		verdict = (struct hf_verdict){ .action = HF_ACTION_RETRY,
					       .reason = HF_REASON_BACKOFF,
					       .delay_ms = STORE_FAILED_DELAY_MS };
	} else if (verdict.action == HF_ACTION_DELIVERED || verdict.action == HF_ACTION_DEAD) {
		passed(lease);
	} else if (verdict.action == HF_ACTION_HOLD) {
		held(lease);
	}
	release(lease);
	reschedule(lane, &verdict);
	if (passing)
		lease->ready(lease, err ? err : HF_ENOENT);
	else
		lease->stored(lease, err);
}

/* ---- without room ---- */

#define MAKE_ROOM_ANSWERS 4
#define NO_ROOM_AGAIN_MS  5000

/* Stores what settle() or store_state() have made ready. */
static void store_end(struct hf_lease *lease)
{
	struct hf_store *store = queue_of(lease)->opt.store;

	if (lease->settling)
		hf_store_settle(store, &lease->settle);
	else
		hf_store_mark(store, &lease->mark);
}

static void again_due(void *user)
{
	store_end(user);
}

static void wait_for_room(struct hf_lease *lease)
{
	struct hf_queue *q = queue_of(lease);
	uint64_t now = q->opt.port->boottime_ms(q->opt.port);

	if (hf_timerq_set(q->opt.timers, &lease->again, now + NO_ROOM_AGAIN_MS))
		ended(lease, HF_EFULL);
}

static void room_made(struct hf_store_op *op, int err)
{
	struct hf_lease *lease = op->user;

	if (err || lease->purge.outcomes == 0) {
		wait_for_room(lease);
		return;
	}
	hf_log(queue_of(lease)->opt.log, HF_LOG_WARNING, "queue.answers_dropped", "n=%u",
	       lease->purge.outcomes);
	store_end(lease);
}

/* An old answer is worth less than a record that is known to be final. */
static void make_room(struct hf_lease *lease)
{
	lease->purge = (struct hf_store_purge){
		.before_dev_ms = UINT64_MAX,
		.dead_max = UINT64_MAX,
		.budget = MAKE_ROOM_ANSWERS,
		.op.done = room_made,
		.op.user = lease,
	};
	hf_store_purge(queue_of(lease)->opt.store, &lease->purge);
}

static void drop_body(struct hf_lease *lease)
{
	struct hf_store_settle *x = &lease->settle;

	hf_log(queue_of(lease)->opt.log, HF_LOG_WARNING, "queue.answer_cut", "id=%s bytes=%zu",
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
	lease->state.settled_dev_ms = hf_queue_device_ms(queue_of(lease));
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
	x->blob = end->blob;
	x->body_len = end->body_len;
	x->op.done = end_stored;
	x->op.user = lease;
	lease->settling = true;
	store_end(lease);
	hf_ahead_begin(lease->lane, lease->load.id);
}

static void store_state(struct hf_lease *lease, void (*done)(struct hf_store_op *op, int err))
{
	lease->mark.id = lease->load.id;
	lease->mark.state = lease->state;
	lease->mark.op.done = done;
	lease->mark.op.user = lease;
	lease->settling = false;
	store_end(lease);
}

/* What the attempt taught, into the state. */
static void note_attempt(struct hf_lease *lease, const struct hf_lease_end *end)
{
	struct hf_record_state *s = &lease->state;
	int status = end->answer ? end->answer->status : 0;
	bool server_error = status >= 500;

	s->inflight = false;
	if (!end->sent) { /* the mark was for nothing */
		s->maybe_received = lease->load.state.maybe_received;
		s->first_sent_dev_ms = lease->load.state.first_sent_dev_ms;
	}
	s->reason = (uint8_t)end->verdict.reason;
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
	       a->first_sent_dev_ms == b->first_sent_dev_ms && a->body_hash == b->body_hash;
}

/* An attempt of which nothing left is not worth a write, unless its mark stands
 * there; neither is one that taught nothing new. */
static bool is_worth_storing(const struct hf_lease *lease, const struct hf_lease_end *end)
{
	bool marked = lease->stored_state.inflight && !lease->load.state.inflight;

	return (end->sent || marked) && !is_same(&lease->state, &lease->stored_state);
}

void hf_lease_end(struct hf_lease *lease, const struct hf_lease_end *end)
{
	assert(lease->step == STEP_READY);
	lease->step = STEP_ENDING;
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
	store_state(lease, end_stored);
}

/* Ends a record that was taken but must not be sent. */
static void pass_over(struct hf_lease *lease, enum hf_action action, enum hf_reason reason)
{
	struct hf_lease_end end = { .verdict = { .action = action, .reason = reason } };

	lease->step = STEP_PASSING;
	lease->verdict = end.verdict;
	lease->state.inflight = false;
	lease->state.reason = (uint8_t)reason;
	if (action == HF_ACTION_DEAD) {
		settle(lease, &end);
		return;
	}
	lease->state.status = HF_RECORD_HELD;
	store_state(lease, end_stored);
}

/* ---- marking ---- */

static void marked(struct hf_store_op *op, int err)
{
	struct hf_lease *lease = op->user;

	lease->step = STEP_READY;
	if (!err) {
		lease->stored_state = lease->state;
	} else {
		lease->state = lease->stored_state;
		hf_log(queue_of(lease)->opt.log, HF_LOG_ERROR, "queue.not_marked", "id=%s err=%s",
		       lease->public_id, hf_errname(err));
	}
	lease->stored(lease, err);
}

bool hf_lease_mark(struct hf_lease *lease)
{
	struct hf_record_state *s = &lease->state;

	assert(lease->step == STEP_READY);
	/* Repeatable ones need the mark once, for the age of their key; the others
	 * each time, to know an attempt that a power cut ended. */
	if (s->inflight ||
	    (s->maybe_received && lease->head.policy.idempotency != HF_IDEMPOTENCY_NEVER))
		return true;
	if (!s->maybe_received)
		s->first_sent_dev_ms = hf_queue_device_ms(queue_of(lease));
	s->maybe_received = true;
	s->inflight = true;
	lease->step = STEP_MARKING;
	store_state(lease, marked);
	return false;
}

/* ---- taking ---- */

static void load(struct hf_lease *lease);

static bool is_older(uint64_t now, uint64_t since, uint32_t seconds)
{
	return seconds > 0 && now > since && now - since > (uint64_t)seconds * 1000;
}

/* Nothing that waits is at or behind next_id. */
static void nothing_left(struct hf_lane *lane)
{
	struct hf_queue *q = lane->queue;

	if (lane->passed && lane->waiting > 0) {
		lane->state = HF_LANE_HELD;
		lane->blocked = false;
		return;
	}
	q->totals.waiting -= lane->waiting;
	q->totals.held -= lane->held;
	lane->waiting = 0;
	lane->held = 0;
	hf_lane_refresh(lane);
}

/* Nothing of the lane can be sent. */
static void nothing(struct hf_lease *lease, int err)
{
	struct hf_lane *lane = lease->lane;

	release(lease);
	lane->state = HF_LANE_IDLE;
	if (err == HF_ENOENT && lane->next_id < lease->from) {
		hf_lane_refresh(lane); /* one was released meanwhile */
	} else if (err == HF_ENOENT) {
		nothing_left(lane);
	} else {
		hf_log(lane->queue->opt.log, HF_LOG_ERROR, "queue.not_loaded", "lane=%s err=%s",
		       lane->key, hf_errname(err));
		hf_lane_delay(lane, STORE_FAILED_DELAY_MS, HF_REASON_BACKOFF);
	}
	lease->ready(lease, err);
}

/* The lane waits for a person, or until its head has grown too old. */
static void blocked(struct hf_lease *lease)
{
	struct hf_lane *lane = lease->lane;
	struct hf_queue *q = lane->queue;
	uint64_t age_max = (uint64_t)lease->head.policy.max_age_s * 1000;
	uint64_t age = hf_queue_device_ms(q) - lease->state.created_dev_ms;

	release(lease);
	lane->state = HF_LANE_HELD;
	lane->blocked = true;
	if (age_max)
		hf_lane_timer(lane, q->opt.port->boottime_ms(q->opt.port) + age_max + 1 -
					    (age < age_max ? age : age_max));
	lease->ready(lease, HF_ENOENT);
}

static void head_is_held(struct hf_lease *lease)
{
	struct hf_lane *lane = lease->lane;

	if (lease->head.policy.order != HF_ORDER_SKIP) {
		blocked(lease);
		return;
	}
	lane->passed = true;
	if (lane->next_id == lease->load.id)
		lane->next_id++;
	load(lease);
}

static void judge(struct hf_lease *lease)
{
	const struct hf_policy *p = &lease->head.policy;
	const struct hf_record_state *s = &lease->state;
	uint64_t now = hf_queue_device_ms(queue_of(lease));

	if (is_older(now, s->created_dev_ms, p->max_age_s))
		pass_over(lease, HF_ACTION_DEAD, HF_REASON_EXPIRED);
	else if (s->status == HF_RECORD_HELD)
		head_is_held(lease);
	else if (s->inflight && p->idempotency == HF_IDEMPOTENCY_NEVER)
		pass_over(lease, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS);
	else if (s->maybe_received && p->idempotency == HF_IDEMPOTENCY_KEYED &&
		 is_older(now, s->first_sent_dev_ms, p->key_validity_s))
		pass_over(lease, HF_ACTION_HOLD, HF_REASON_KEY_EXPIRED);
	else
		lease->ready(lease, 0);
}

/* Its contents are not what was stored: it can neither be sent nor judged. */
static void damaged(struct hf_lease *lease)
{
	hf_log(queue_of(lease)->opt.log, HF_LOG_ERROR, "queue.damaged", "id=%s", lease->public_id);
	pass_over(lease, HF_ACTION_DEAD, HF_REASON_DAMAGED);
}

static void load_over(struct hf_lease *lease, int err)
{
	struct hf_lane *lane = lease->lane;
	bool corrupt = err == HF_ECORRUPT && lease->load.state.status != 0;

	if (err && !corrupt) {
		nothing(lease, err);
		return;
	}
	if (lane->next_id == lease->from) /* else one before it was released */
		lane->next_id = lease->load.id;
	lane->leased_id = lease->load.id;
	lane->head_created_dev_ms = lease->load.state.created_dev_ms;
	lease->state = lease->load.marked ? lease->load.mark_state : lease->load.state;
	lease->stored_state = lease->state;
	hf_record_id_format(lease->load.id, &lease->state, lease->public_id);
	lease->step = STEP_READY;
	err = hf_record_head_decode(hf_buf_span(&lease->load.head), &lease->arena, &lease->head);
	lease->target = lease->head.target;
	if (err == HF_ENOMEM)
		nothing(lease, err);
	else if (err || corrupt)
		damaged(lease);
	else
		judge(lease);
}

static void loaded(struct hf_store_op *op, int err)
{
	load_over(op->user, err);
}

static void got_ahead(void *user, struct hf_store_load *ahead, int err)
{
	struct hf_lease *lease = user;

	/* A change that is being stored is seen by what is read after it. */
	if (err || lease->lane->next_id != lease->from ||
	    hf_queue_is_changing(queue_of(lease), ahead->id)) {
		hf_store_load_finish(ahead);
		load(lease);
		return;
	}
	hf_store_load_finish(&lease->load);
	lease->load = *ahead;
	load_over(lease, 0);
}

static void load(struct hf_lease *lease)
{
	hf_arena_finish(&lease->arena);
	lease->step = STEP_LOADING;
	lease->lane->leased_id = 0;
	lease->from = lease->lane->next_id;
	if (hf_ahead_wait(lease->lane, got_ahead, lease))
		return;
	lease->load.mark = NULL;
	lease->load.state.status = 0; /* told from a record by the store */
	lease->load.id = lease->from;
	lease->load.next = true;
	lease->load.head_only = false;
	lease->load.op.done = loaded;
	lease->load.op.user = lease;
	hf_store_load(queue_of(lease)->opt.store, &lease->load);
}

void hf_lease_take(struct hf_lane *lane, struct hf_lease *lease)
{
	assert(lane->state == HF_LANE_READY && lane->id != 0);
	lane->state = HF_LANE_LEASED;
	lane->leased_id = 0;
	lease->lane = lane;
	hf_timer_init(&lease->again, again_due, lease);
	hf_store_load_init(&lease->load);
	hf_arena_init(&lease->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	hf_buf_init(&lease->summary, CONFIG_HF_HEAD_BYTES_MAX);
	hf_buf_init(&lease->answer, 2 * CONFIG_HF_HEAD_BYTES_MAX);
	load(lease);
}

bool hf_lease_is_over(const struct hf_lease *lease)
{
	return lease->step == STEP_NONE;
}

void hf_lease_abandon(struct hf_lease *lease)
{
	if (lease->step != STEP_NONE)
		release(lease);
}
