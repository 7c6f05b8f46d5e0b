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
#include "queue/lease_private.h"
#include "queue/not_before.h"

void hf_lease_release(struct hf_lease *lease)
{
	hf_timerq_clear(hf_lease_queue(lease)->opt.timers, &lease->again);
	hf_store_load_finish(&lease->load);
	hf_store_load_finish(&lease->parent);
	hf_arena_finish(&lease->arena);
	hf_buf_finish(&lease->summary);
	hf_buf_finish(&lease->answer);
	lease->step = HF_LEASE_NONE;
	lease->lane->leased_id = 0;
}

/* ---- marking ---- */

static void marked(struct hf_store_op *op, int err)
{
	struct hf_lease *lease = op->user;

	lease->step = HF_LEASE_READY;
	if (!err) {
		lease->stored_state = lease->state;
	} else {
		lease->state = lease->stored_state;
		hf_log(hf_lease_queue(lease)->opt.log, HF_LOG_ERROR, "queue.not_marked",
		       "id=%s err=%s", lease->public_id, hf_errname(err));
	}
	lease->stored(lease, err);
}

bool hf_lease_mark(struct hf_lease *lease)
{
	struct hf_record_state *s = &lease->state;

	assert(lease->step == HF_LEASE_READY);
	/* Repeatable ones need the mark once, for the age of their key; the others
	 * each time, to know an attempt that a power cut ended. */
	if (s->inflight ||
	    (s->maybe_received && lease->head.policy.idempotency != HF_IDEMPOTENCY_NEVER))
		return true;
	if (!s->maybe_received)
		s->first_sent_dev_ms = hf_queue_device_ms(hf_lease_queue(lease));
	s->maybe_received = true;
	s->inflight = true;
	lease->step = HF_LEASE_MARKING;
	hf_lease_store_state(lease, marked);
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
		lane->wait_reason = HF_REASON_NONE;
		lane->blocked = false;
		return;
	}
	q->totals.waiting -= lane->waiting;
	q->totals.held -= lane->held;
	lane->waiting = 0;
	lane->held = 0;
	hf_lane_refresh(lane);
}

void hf_lease_nothing(struct hf_lease *lease, int err)
{
	struct hf_lane *lane = lease->lane;

	hf_lease_release(lease);
	lane->state = HF_LANE_IDLE;
	if (err == HF_ENOENT && lane->next_id < lease->from) {
		hf_lane_refresh(lane); /* one was released meanwhile */
	} else if (err == HF_ENOENT) {
		nothing_left(lane);
	} else {
		hf_log(lane->queue->opt.log, HF_LOG_ERROR, "queue.not_loaded", "lane=%s err=%s",
		       lane->key, hf_errname(err));
		hf_lane_delay(lane, HF_STORE_FAILED_DELAY_MS, HF_REASON_BACKOFF);
	}
	lease->ready(lease, err);
}

/* The lane waits, or until its head has grown too old. */
static void blocked(struct hf_lease *lease, enum hf_reason reason)
{
	struct hf_lane *lane = lease->lane;
	struct hf_queue *q = lane->queue;
	uint64_t age_max = (uint64_t)lease->head.policy.max_age_s * 1000;
	uint64_t now = hf_queue_device_ms(q), created = lease->state.created_dev_ms;
	uint64_t age = now > created ? now - created : 0;

	hf_lease_release(lease);
	lane->state = HF_LANE_HELD;
	lane->blocked = true;
	lane->wait_reason = (uint8_t)reason;
	if (age_max)
		hf_lane_timer(lane, q->opt.port->boottime_ms(q->opt.port) + age_max + 1 -
					    (age < age_max ? age : age_max));
	lease->ready(lease, HF_ENOENT);
}

void hf_lease_step_aside(struct hf_lease *lease, enum hf_reason reason)
{
	struct hf_lane *lane = lease->lane;

	if (lease->head.policy.order != HF_ORDER_SKIP) {
		blocked(lease, reason);
		return;
	}
	lane->passed = true;
	if (lane->next_id == lease->load.id)
		lane->next_id++;
	load(lease);
}

/* The first one of its lane since the start: a restart is no reason to ask an
 * origin before the time it has named, or to forget that it is in trouble. */
static bool is_too_early(struct hf_lease *lease, uint64_t *left_ms)
{
	struct hf_lane *lane = lease->lane;
	bool sure;

	if (!lane->resumed)
		return false;
	*left_ms = hf_not_before_left_ms(lane->queue, &lease->state, &sure);
	/* a clock that comes to be trusted looks again */
	lane->resumed = *left_ms > 0 && !sure && hf_reason_binds(lease->state.reason);
	return *left_ms > 0;
}

static void come_again(struct hf_lease *lease, uint64_t left_ms)
{
	struct hf_lane *lane = lease->lane;
	enum hf_reason reason = (enum hf_reason)lease->state.reason;

	lane->failures = lease->state.attempts;
	hf_lease_release(lease);
	hf_lane_delay(lane, left_ms, reason);
	lease->ready(lease, HF_ENOENT);
}

static void judge(struct hf_lease *lease)
{
	const struct hf_policy *p = &lease->head.policy;
	const struct hf_record_state *s = &lease->state;
	uint64_t now = hf_queue_device_ms(hf_lease_queue(lease));
	uint64_t left_ms;

	if (is_older(now, s->created_dev_ms, p->max_age_s))
		hf_lease_pass_over(lease, HF_ACTION_DEAD, HF_REASON_EXPIRED);
	else if (s->status == HF_RECORD_HELD)
		hf_lease_step_aside(lease, (enum hf_reason)s->reason);
	else if (s->inflight && p->idempotency == HF_IDEMPOTENCY_NEVER)
		hf_lease_pass_over(lease, HF_ACTION_HOLD, HF_REASON_AMBIGUOUS);
	else if (s->maybe_received && p->idempotency == HF_IDEMPOTENCY_KEYED &&
		 is_older(now, s->first_sent_dev_ms, p->key_validity_s))
		hf_lease_pass_over(lease, HF_ACTION_HOLD, HF_REASON_KEY_EXPIRED);
	else if (is_too_early(lease, &left_ms))
		come_again(lease, left_ms);
	else if (lease->head.after.len > 0)
		hf_lease_after(lease);
	else
		lease->ready(lease, 0);
}

/* Its contents are not what was stored: it can neither be sent nor judged. */
static void damaged(struct hf_lease *lease)
{
	hf_log(hf_lease_queue(lease)->opt.log, HF_LOG_ERROR, "queue.damaged", "id=%s",
	       lease->public_id);
	hf_lease_pass_over(lease, HF_ACTION_DEAD, HF_REASON_DAMAGED);
}

static void load_over(struct hf_lease *lease, int err)
{
	struct hf_lane *lane = lease->lane;
	bool corrupt = err == HF_ECORRUPT && lease->load.state.status != 0;

	if (err && !corrupt) {
		hf_lease_nothing(lease, err);
		return;
	}
	if (lane->next_id == lease->from) /* else one before it was released */
		lane->next_id = lease->load.id;
	lane->leased_id = lease->load.id;
	lane->head_created_dev_ms = lease->load.state.created_dev_ms;
	lease->state = lease->load.marked ? lease->load.mark_state : lease->load.state;
	lease->stored_state = lease->state;
	hf_record_id_format(lease->load.id, &lease->state, lease->public_id);
	lease->step = HF_LEASE_READY;
	err = hf_record_head_decode(hf_buf_span(&lease->load.head), &lease->arena, &lease->head);
	lease->target = lease->head.target;
	if (err == HF_ENOMEM)
		hf_lease_nothing(lease, err);
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
	    hf_queue_is_changing(hf_lease_queue(lease), ahead->id)) {
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
	lease->step = HF_LEASE_LOADING;
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
	hf_store_load(hf_lease_queue(lease)->opt.store, &lease->load);
}

void hf_lease_take(struct hf_lane *lane, struct hf_lease *lease)
{
	assert(lane->state == HF_LANE_READY && lane->id != 0);
	lane->state = HF_LANE_LEASED;
	lane->leased_id = 0;
	lease->lane = lane;
	hf_lease_end_init(lease);
	hf_store_load_init(&lease->load);
	hf_store_load_init(&lease->parent);
	hf_arena_init(&lease->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	hf_buf_init(&lease->summary, HF_RECORD_SUMMARY_MAX);
	hf_buf_init(&lease->answer, 2 * CONFIG_HF_HEAD_BYTES_MAX);
	load(lease);
}

bool hf_lease_is_over(const struct hf_lease *lease)
{
	return lease->step == HF_LEASE_NONE;
}

void hf_lease_abandon(struct hf_lease *lease)
{
	if (lease->step != HF_LEASE_NONE)
		hf_lease_release(lease);
}
