/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap[0] is due first; the children of i are 2i+1 and 2i+2. A timer knows its
 * slot (index + 1), so moving and clearing one cost O(log n).
 *
 * While the queue runs, a time in the past is set as the running time: with
 * its younger order such a timer stands behind all that are due in this run.
 */
#include "base/timerq.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define CAP_MIN 16

void hf_timerq_init(struct hf_timerq *q, void (*wake)(void *user, uint64_t due_ms), void *user)
{
	*q = (struct hf_timerq){ .wake = wake, .wake_user = user, .asked_ms = HF_TIMER_NEVER };
}

void hf_timerq_finish(struct hf_timerq *q)
{
	size_t i;

	for (i = 0; i < q->len; i++)
		q->heap[i]->slot = 0;
	free(q->heap);
	hf_timerq_init(q, q->wake, q->wake_user);
}

void hf_timer_init(struct hf_timer *t, void (*fire)(void *user), void *user)
{
	*t = (struct hf_timer){ .due_ms = HF_TIMER_NEVER, .fire = fire, .user = user };
}

static bool before(const struct hf_timer *a, const struct hf_timer *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	return a->order < b->order;
}

static void place(struct hf_timerq *q, struct hf_timer *t, size_t i)
{
	q->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct hf_timerq *q, struct hf_timer *t, size_t i)
{
	while (i > 0 && before(t, q->heap[(i - 1) / 2])) {
		place(q, q->heap[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	place(q, t, i);
}

static void sift_down(struct hf_timerq *q, struct hf_timer *t, size_t i)
{
	size_t child;

	while ((child = 2 * i + 1) < q->len) {
		if (child + 1 < q->len && before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], t))
			break;
		place(q, q->heap[child], i);
		i = child;
	}
	place(q, t, i);
}

/* Puts @t at @i, where a hole is, and from there to its right place. */
static void settle(struct hf_timerq *q, struct hf_timer *t, size_t i)
{
	if (i > 0 && before(t, q->heap[(i - 1) / 2]))
		sift_up(q, t, i);
	else
		sift_down(q, t, i);
}

static int grow(struct hf_timerq *q)
{
	size_t cap = q->cap ? q->cap * 2 : CAP_MIN;
	struct hf_timer **heap;

	if (cap > SIZE_MAX / sizeof(*heap))
		return HF_ENOMEM;
	heap = realloc(q->heap, cap * sizeof(*heap));
	if (!heap)
		return HF_ENOMEM;
	q->heap = heap;
	q->cap = cap;
	return 0;
}

uint64_t hf_timerq_next(const struct hf_timerq *q)
{
	return q->len ? q->heap[0]->due_ms : HF_TIMER_NEVER;
}

static void ask(struct hf_timerq *q, uint64_t due_ms)
{
	q->asked_ms = due_ms;
	if (q->wake)
		q->wake(q->wake_user, due_ms);
}

int hf_timerq_set(struct hf_timerq *q, struct hf_timer *t, uint64_t due_ms)
{
	int err;

	assert(t->fire);
	if (!hf_timer_is_set(t)) {
		if (q->len == q->cap) {
			err = grow(q);
			if (err)
				return err;
		}
		q->len++;
		t->slot = q->len;
	} else {
		assert(t->slot <= q->len && q->heap[t->slot - 1] == t);
	}
	t->due_ms = q->running && due_ms < q->floor_ms ? q->floor_ms : due_ms;
	t->order = q->order++;
	settle(q, t, t->slot - 1);
	if (!q->running && hf_timerq_next(q) < q->asked_ms)
		ask(q, hf_timerq_next(q));
	return 0;
}

void hf_timerq_clear(struct hf_timerq *q, struct hf_timer *t)
{
	struct hf_timer *last;
	size_t hole;

	if (!hf_timer_is_set(t))
		return;
	assert(t->slot <= q->len && q->heap[t->slot - 1] == t);
	hole = t->slot - 1;
	t->slot = 0;
	last = q->heap[--q->len];
	if (last != t)
		settle(q, last, hole);
}

void hf_timerq_run(struct hf_timerq *q, uint64_t now_ms)
{
	uint64_t order_end = q->order;

	assert(!q->running);
	q->running = true;
	q->floor_ms = now_ms;
	while (q->len > 0 && q->heap[0]->due_ms <= now_ms && q->heap[0]->order < order_end) {
		struct hf_timer *t = q->heap[0];

		hf_timerq_clear(q, t);
		t->fire(t->user);
	}
	q->running = false;
	ask(q, hf_timerq_next(q));
}
