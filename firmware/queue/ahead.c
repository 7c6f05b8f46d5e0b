/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/ahead.h"

#include <stdlib.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

/* So many in a row, then other lanes that are ready have their turn. */
#define STREAK_MAX 16

struct hf_ahead {
	struct hf_list link; /* of the queue's */
	struct hf_lane *lane;
	uint64_t from;
	struct hf_store_load load;
	struct hf_store_mark unmark;
	void (*got)(void *user, struct hf_store_load *load, int err);
	void *user;
};

/* On the store thread: whether the record is marked, and how. */
static bool mark(const struct hf_store_load *l, struct hf_record_state *state)
{
	struct hf_record_head head;
	struct hf_arena arena;
	bool wanted;

	if (state->status != HF_RECORD_QUEUED || state->maybe_received)
		return false;
	hf_arena_init(&arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	wanted = hf_record_head_decode(hf_buf_span(&l->head), &arena, &head) == 0 &&
		 head.after.len == 0 && head.policy.idempotency != HF_IDEMPOTENCY_NEVER;
	hf_arena_finish(&arena);
	if (!wanted)
		return false;
	state->inflight = true;
	state->maybe_received = true;
	state->first_sent_dev_ms = l->mark_dev_ms;
	return true;
}

static void release(struct hf_ahead *a)
{
	hf_list_remove(&a->link);
	hf_store_load_finish(&a->load);
	free(a);
}

static void destroy(struct hf_ahead *a)
{
	a->lane->users--;
	release(a);
}

static void unmarked(struct hf_store_op *op, int err)
{
	(void)err; /* the mark says "may have arrived", which does no harm */
	destroy(op->user);
}

/* A lease has read the record with its mark, or may be doing so. */
static bool is_leased(const struct hf_ahead *a)
{
	const struct hf_lane *lane = a->lane;

	return lane->state == HF_LANE_LEASED &&
	       (lane->leased_id == 0 || lane->leased_id == a->load.id);
}

/* Nobody goes on with it. */
static void drop(struct hf_ahead *a, int err)
{
	if (err || !a->load.marked || is_leased(a)) {
		destroy(a);
		return;
	}
	a->unmark.id = a->load.id;
	a->unmark.state = a->load.state;
	a->unmark.op.done = unmarked;
	a->unmark.op.user = a;
	hf_store_mark(a->lane->queue->opt.store, &a->unmark);
}

static void done(struct hf_store_op *op, int err)
{
	struct hf_ahead *a = op->user;

	a->lane->ahead = NULL;
	if (!a->got) {
		drop(a, err);
		return;
	}
	a->got(a->user, &a->load, err);
	hf_store_load_init(&a->load); /* taken over */
	destroy(a);
}

void hf_ahead_begin(struct hf_lane *lane, uint64_t id)
{
	struct hf_ahead *a;

	if (lane->ahead || lane->waiting < 2 || lane->next_id != id)
		return;
	if (++lane->streak >= STREAK_MAX) {
		lane->streak = 0;
		return;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return;
	hf_list_init(&a->link);
	hf_list_push(&lane->queue->aheads, &a->link);
	a->lane = lane;
	a->from = id + 1;
	lane->users++;
	hf_store_load_init(&a->load);
	a->load.id = a->from;
	a->load.next = true;
	a->load.mark = mark;
	a->load.mark_dev_ms = hf_queue_device_ms(lane->queue);
	a->load.op.done = done;
	a->load.op.user = a;
	lane->ahead = a;
	hf_store_load(lane->queue->opt.store, &a->load);
}

bool hf_ahead_wait(struct hf_lane *lane,
		   void (*got)(void *user, struct hf_store_load *load, int err), void *user)
{
	if (!lane->ahead || lane->ahead->from != lane->next_id)
		return false;
	lane->ahead->got = got;
	lane->ahead->user = user;
	return true;
}

void hf_ahead_finish(struct hf_queue *q)
{
	struct hf_list *l;

	while ((l = hf_list_first(&q->aheads)) != NULL)
		release(hf_container_of(l, struct hf_ahead, link));
}
