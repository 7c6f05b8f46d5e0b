/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of records that no lease has: cancel and retry, asked for from outside,
 * and the end of what has grown too old or makes room for later ones. A record that an attempt is under way
 * for is not touched.
 */
#include <assert.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

enum kind {
	KIND_CANCEL,
	KIND_RETRY,
	KIND_EXPIRE,
	KIND_DISPLACE,
	KIND_ORPHAN,
	KIND_UNHOLD,
};

void hf_change_abandon(struct hf_queue_change *c)
{
	hf_list_remove(&c->link);
	hf_store_load_finish(&c->load);
	hf_arena_finish(&c->arena);
	hf_buf_finish(&c->summary);
	if (c->lane)
		c->lane->users--;
	c->lane = NULL;
}

static void finish(struct hf_queue_change *c, int err)
{
	hf_change_abandon(c);
	c->done(c, err);
}

/* Before anything is written: what is written is told with it. */
static int read_head(struct hf_queue_change *c)
{
	int err = hf_record_head_decode(hf_buf_span(&c->load.head), &c->arena, &c->head);

	c->has_head = !err;
	return err == HF_ENOMEM ? err : 0;
}

/* The record's lane, which may not be in memory any more. */
static int find_lane(struct hf_queue_change *c)
{
	uint32_t id = HF_RECORD_LANE(c->load.id);
	struct hf_lane *lane = hf_queue_lane_by_id(c->queue, id);
	int err = 0;

	if (!lane && !c->has_head)
		return HF_ECORRUPT;
	if (!lane)
		err = hf_queue_lane_restore(c->queue, c->head.origin,
					    hf_span_str(c->head.policy.lane), id, &lane);
	if (err)
		return err;
	c->lane = lane;
	lane->users++;
	return 0;
}

/* An attempt is under way, or a lease is being taken that may be for it. */
bool hf_lane_is_leased(const struct hf_lane *lane, uint64_t id)
{
	return lane->state == HF_LANE_LEASED && (lane->leased_id == 0 || lane->leased_id == id);
}

static const char *log_name(enum hf_queue_event_type type)
{
	if (type == HF_QUEUE_DEAD)
		return "queue.dead";
	return type == HF_QUEUE_CANCELLED ? "queue.cancelled" : "queue.released";
}

static void tell(struct hf_queue_change *c, enum hf_queue_event_type type, uint8_t before,
		 uint64_t id, const struct hf_record_state *state)
{
	struct hf_lane *lane = c->lane;
	char public_id[HF_ULID_LEN + 1], replaces[HF_ULID_LEN + 1];
	struct hf_queue_event event = {
		.type = type,
		.id = id,
		.state = state,
		.public_id = public_id,
		.origin = hf_span_str(lane->origin_name),
		.lane = hf_span_str(lane->key),
		.status = state->last_status,
	};

	hf_record_id_format(id, state, public_id);
	if (id != c->load.id) {
		hf_record_id_format(c->load.id, &c->load.state, replaces);
		event.replaces = replaces;
	}
	if (c->has_head) {
		event.tag = hf_span_str(c->head.policy.tag);
		event.method = c->head.method;
		event.target = c->head.target;
		event.key = c->head.key;
	}
	if (type != HF_QUEUE_CANCELLED || hf_queue_may_log(c->queue, &c->queue->cancelled))
		hf_log(c->queue->opt.log, HF_LOG_INFO, log_name(type), "id=%s lane=%s reason=%s",
		       public_id, lane->key, hf_reason_name(state->reason));
	hf_queue_changed(c->queue, lane, before, &event);
}

/* ---- cancel, expire, displace, orphan ---- */

static void ended(struct hf_store_op *op, int err)
{
	struct hf_queue_change *c = op->user;
	struct hf_lane *lane = c->lane;

	if (!err) {
		tell(c,
		     c->settle.state.status == HF_RECORD_DEAD ? HF_QUEUE_DEAD : HF_QUEUE_CANCELLED,
		     c->load.state.status, c->load.id, &c->settle.state);
		if (c->settle.has_dependents)
			hf_queue_dependents_look(c->queue, c->load.id);
		if (lane->state == HF_LANE_HELD)
			lane->state = HF_LANE_IDLE;
		hf_lane_refresh(lane);
	}
	finish(c, err);
}

static void end(struct hf_queue_change *c, enum hf_record_status status, enum hf_reason reason)
{
	struct hf_store_settle *x = &c->settle;
	int err = c->has_head ? hf_record_summary_encode(&c->head, &c->summary) : 0;

	if (err == HF_ENOMEM) {
		finish(c, err);
		return;
	}
	*x = (struct hf_store_settle){ .id = c->load.id, .state = c->load.state };
	x->state.status = (uint8_t)status;
	x->state.reason = (uint8_t)reason;
	x->state.inflight = false;
	x->state.settled_dev_ms = hf_queue_device_ms(c->queue);
	x->summary = hf_buf_span(&c->summary);
	x->op.done = ended;
	x->op.user = c;
	hf_store_settle(c->queue->opt.store, x);
}

/* ---- retry ---- */

void hf_lane_wake(struct hf_lane *lane, uint64_t id)
{
	if (id && lane->next_id > id)
		lane->next_id = id;
	if (lane->state == HF_LANE_HELD)
		lane->state = HF_LANE_IDLE;
	hf_lane_refresh(lane);
}

/* Now: whatever it waits for. */
static void wake_lane(struct hf_lane *lane, uint64_t id)
{
	lane->failures = 0;
	lane->resumed = false;
	if (lane->state == HF_LANE_DELAYED)
		lane->wait_reason = HF_REASON_OPERATOR;
	hf_lane_promote(lane);
	hf_lane_wake(lane, id);
}

static void released(struct hf_store_op *op, int err)
{
	struct hf_queue_change *c = op->user;

	if (!err) {
		tell(c, HF_QUEUE_RELEASED, HF_RECORD_HELD, c->load.id, &c->mark.state);
		if (c->kind == KIND_RETRY)
			wake_lane(c->lane, c->load.id);
		else
			hf_lane_wake(c->lane, c->load.id);
	}
	finish(c, err);
}

static void release_held(struct hf_queue_change *c)
{
	struct hf_record_state *s = &c->mark.state;

	c->mark.id = c->load.id;
	*s = c->load.state;
	s->status = HF_RECORD_QUEUED;
	s->reason = HF_REASON_NONE;
	s->inflight = false;
	s->same_500 = 0;
	s->conflicts = 0;
	/* A person has decided: the key's age begins anew. */
	if (c->kind == KIND_RETRY)
		s->first_sent_dev_ms = hf_queue_device_ms(c->queue);
	c->mark.op.done = released;
	c->mark.op.user = c;
	hf_store_mark(c->queue->opt.store, &c->mark);
}

/* It can grow too old once more. */
static void note_age(struct hf_queue_change *c)
{
	if (c->has_head)
		hf_queue_expiry_note(c->queue, c->requeue.created_dev_ms, c->head.policy.max_age_s);
}

static void requeued(struct hf_store_op *op, int err)
{
	struct hf_queue_change *c = op->user;
	struct hf_record_state state = c->load.state;

	if (!err) { /* as the store has made it */
		state.status = HF_RECORD_QUEUED;
		state.reason = HF_REASON_NONE;
		state.created_dev_ms = c->requeue.created_dev_ms;
		state.attempts = 0;
		state.last_status = 0;
		hf_record_id_format(c->requeue.id, &state, c->new_id);
		tell(c, HF_QUEUE_RELEASED, c->load.state.status, c->requeue.id, &state);
		note_age(c);
		wake_lane(c->lane, 0);
		if (c->requeue.has_dependents)
			hf_queue_dependents_look(c->queue, c->requeue.id);
	}
	finish(c, err);
}

static void requeue(struct hf_queue_change *c)
{
	c->requeue.id = c->load.id;
	c->requeue.created_dev_ms = hf_queue_device_ms(c->queue);
	c->requeue.op.done = requeued;
	c->requeue.op.user = c;
	hf_store_requeue(c->queue->opt.store, &c->requeue);
}

/* ---- both ---- */

static bool waits(const struct hf_queue_change *c)
{
	uint8_t status = c->load.state.status;

	return status == HF_RECORD_QUEUED || status == HF_RECORD_HELD;
}

bool hf_queue_is_changing(const struct hf_queue *q, uint64_t id)
{
	const struct hf_list *changes = &q->changes;

	for (const struct hf_list *l = changes->next; l != changes; l = l->next) {
		const struct hf_queue_change *c = hf_container_of(l, struct hf_queue_change, link);

		if (c->writing && c->load.id == id)
			return true;
	}
	return false;
}

static void change(struct hf_queue_change *c)
{
	uint8_t status = c->load.state.status;

	if ((waits(c) && hf_lane_is_leased(c->lane, c->load.id)) ||
	    hf_queue_is_changing(c->queue, c->load.id)) {
		finish(c, HF_EBUSY);
		return;
	}
	/* A lease that is taken from here on reads what is written here. */
	c->writing = true;
	if (c->kind == KIND_UNHOLD) {
		if (status == HF_RECORD_HELD)
			release_held(c);
		else
			finish(c, HF_ESTATE);
	} else if (c->kind != KIND_RETRY) {
		if (!waits(c))
			finish(c, HF_ESTATE);
		else if (c->kind == KIND_CANCEL)
			end(c, HF_RECORD_CANCELLED, HF_REASON_OPERATOR);
		else if (c->kind == KIND_DISPLACE)
			end(c, HF_RECORD_CANCELLED, HF_REASON_DISPLACED);
		else
			end(c, HF_RECORD_DEAD,
			    c->kind == KIND_ORPHAN ? HF_REASON_AFTER_FAILED : HF_REASON_EXPIRED);
	} else if (status == HF_RECORD_HELD) {
		release_held(c);
	} else if (status == HF_RECORD_QUEUED) {
		wake_lane(c->lane, 0);
		finish(c, 0);
	} else if (status == HF_RECORD_SETTLED) {
		finish(c, HF_ESTATE);
	} else {
		requeue(c);
	}
}

static void found(struct hf_store_op *op, int err)
{
	struct hf_queue_change *c = op->user;

	if (!err && (!hf_queue_found(&c->load, c->public_id) ||
		     !hf_queue_is_for(c->queue, &c->load, c->origin)))
		err = HF_ENOENT;
	else if (!err && !c->load.has_record && !waits(c))
		err = HF_ESTATE;
	if (err == HF_ESTATE)
		hf_queue_replaced_by(&c->load, c->new_id);
	if (!err)
		err = read_head(c);
	if (!err)
		err = find_lane(c);
	if (err)
		finish(c, err);
	else
		change(c);
}

static int start(struct hf_queue *q, struct hf_queue_change *c, enum kind kind)
{
	int err;

	c->queue = q;
	c->kind = (uint8_t)kind;
	c->lane = NULL;
	c->writing = false;
	c->has_head = false;
	c->new_id[0] = 0;
	hf_store_load_init(&c->load);
	hf_arena_init(&c->arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	hf_buf_init(&c->summary, HF_RECORD_SUMMARY_MAX);
	c->load.op.done = found;
	c->load.op.user = c;
	err = hf_queue_find(q, c->public_id, true, &c->load);
	if (err) {
		hf_store_load_finish(&c->load);
		return err;
	}
	hf_list_init(&c->link);
	hf_list_push(&q->changes, &c->link);
	return 0;
}

int hf_queue_cancel(struct hf_queue *q, struct hf_queue_change *c)
{
	return start(q, c, KIND_CANCEL);
}

int hf_queue_expire(struct hf_queue *q, struct hf_queue_change *c)
{
	return start(q, c, KIND_EXPIRE);
}

int hf_queue_orphan(struct hf_queue *q, struct hf_queue_change *c)
{
	return start(q, c, KIND_ORPHAN);
}

int hf_queue_displace(struct hf_queue *q, struct hf_queue_change *c)
{
	return start(q, c, KIND_DISPLACE);
}

int hf_queue_unhold(struct hf_queue *q, struct hf_queue_change *c)
{
	return start(q, c, KIND_UNHOLD);
}

int hf_queue_retry(struct hf_queue *q, struct hf_queue_change *c)
{
	return start(q, c, KIND_RETRY);
}
