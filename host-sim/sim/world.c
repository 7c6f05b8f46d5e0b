/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap of pointers, slot 1 is the earliest event. */
#include "sim/world.h"

#include <assert.h>
#include <string.h>

#include "sim/mem.h"

void sim_world_init(struct sim_world *w, uint64_t seed, FILE *trace_out)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->order = UINT64_C(1) << 32; /* below it: sim_event_first */
	sim_trace_init(&w->trace, trace_out);
}

void sim_world_finish(struct sim_world *w)
{
	size_t i;

	for (i = 0; i < w->len; i++)
		w->heap[i]->slot = 0;
	sim_free(w->heap);
	memset(w, 0, sizeof(*w));
}

void sim_event_init(struct sim_event *e, void (*fire)(void *user), void *user)
{
	memset(e, 0, sizeof(*e));
	e->fire = fire;
	e->user = user;
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void put(struct sim_world *w, size_t slot, struct sim_event *e)
{
	w->heap[slot - 1] = e;
	e->slot = slot;
}

static void sift_up(struct sim_world *w, struct sim_event *e, size_t slot)
{
	while (slot > 1 && before(e, w->heap[slot / 2 - 1])) {
		put(w, slot, w->heap[slot / 2 - 1]);
		slot /= 2;
	}
	put(w, slot, e);
}

static void sift_down(struct sim_world *w, struct sim_event *e, size_t slot)
{
	for (;;) {
		size_t child = slot * 2;

		if (child > w->len)
			break;
		if (child < w->len && before(w->heap[child], w->heap[child - 1]))
			child++;
		if (!before(w->heap[child - 1], e))
			break;
		put(w, slot, w->heap[child - 1]);
		slot = child;
	}
	put(w, slot, e);
}

static void set_event(struct sim_world *w, struct sim_event *e, uint64_t at_us, uint64_t order)
{
	assert(e->fire);
	sim_event_clear(w, e);
	if (w->len == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->heap = sim_realloc(w->heap, w->cap * sizeof(struct sim_event *));
	}
	e->at_us = at_us > w->now_us ? at_us : w->now_us;
	e->order = order;
	w->len++;
	sift_up(w, e, w->len);
}

void sim_event_at(struct sim_world *w, struct sim_event *e, uint64_t at_us)
{
	set_event(w, e, at_us, w->order++);
}

void sim_event_first(struct sim_world *w, struct sim_event *e)
{
	set_event(w, e, w->now_us, 0);
}

void sim_event_clear(struct sim_world *w, struct sim_event *e)
{
	struct sim_event *last;
	size_t slot = e->slot;

	if (slot == 0)
		return;
	assert(slot <= w->len && w->heap[slot - 1] == e);
	last = w->heap[w->len - 1];
	w->len--;
	e->slot = 0;
	if (last == e)
		return;
	if (slot > 1 && before(last, w->heap[slot / 2 - 1]))
		sift_up(w, last, slot);
	else
		sift_down(w, last, slot);
}

uint64_t sim_world_next(const struct sim_world *w)
{
	return w->len ? w->heap[0]->at_us : SIM_NEVER;
}

static void move_to(struct sim_world *w, uint64_t at_us)
{
	if (at_us > w->now_us && w->on_moment)
		w->on_moment(w->on_moment_user);
	w->now_us = at_us;
}

bool sim_world_step(struct sim_world *w)
{
	struct sim_event *e;

	if (w->len == 0 || w->stalled)
		return false;
	e = w->heap[0];
	assert(e->at_us >= w->now_us);
	sim_event_clear(w, e);
	w->same_time = e->at_us == w->now_us ? w->same_time + 1 : 0;
	w->stalled = w->same_time > SIM_STALL_EVENTS;
	move_to(w, e->at_us);
	w->fired++;
	e->fire(e->user);
	return true;
}

void sim_world_run(struct sim_world *w, uint64_t until_us)
{
	while (sim_world_next(w) <= until_us && sim_world_step(w))
		;
	if (w->now_us < until_us)
		move_to(w, until_us);
}

bool sim_world_run_until(struct sim_world *w, uint64_t until_us, bool (*done)(void *user),
			 void *user)
{
	while (!done(user)) {
		if (sim_world_next(w) > until_us) {
			if (w->now_us < until_us)
				move_to(w, until_us);
			return done(user);
		}
		if (!sim_world_step(w))
			return false;
	}
	return true;
}
