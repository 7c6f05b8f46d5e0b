/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world: virtual time and one heap of events, ordered by time and, for
 * equal times, by the order in which they were set. Time stands still while an
 * event runs and jumps to the next one afterwards. Whatever lives in the
 * world acts through events only, so nothing completes inside its own call.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/trace.h"

#define SIM_US_PER_MS  UINT64_C(1000)
#define SIM_US_PER_S   UINT64_C(1000000)
#define SIM_US_PER_MIN (60 * SIM_US_PER_S)
#define SIM_US_PER_H   (60 * SIM_US_PER_MIN)
#define SIM_NEVER      UINT64_MAX

/* Embedded in whoever waits. */
struct sim_event {
	uint64_t at_us;
	uint64_t order;
	size_t slot; /* 1-based place in the heap, 0: not set */
	void (*fire)(void *user);
	void *user;
};

struct sim_world {
	uint64_t seed;
	uint64_t now_us; /* since the beginning of the world */
	uint64_t fired;	 /* events so far */
	struct sim_trace trace;
	struct sim_event **heap;
	size_t len, cap;
	uint64_t order;
	uint64_t same_time; /* events in a row without time going on */
	bool stalled;	    /* too many of them: somebody spins, nothing runs any more */
	/* Called when time is about to move on. Looks and changes nothing. NULL: nobody. */
	void (*on_moment)(void *user);
	void *on_moment_user;
};

/* Events at one moment of virtual time that mean a program spins. */
#define SIM_STALL_EVENTS 20000

void sim_world_init(struct sim_world *w, uint64_t seed, FILE *trace_out);
/* Forgets the events that are still set. */
void sim_world_finish(struct sim_world *w);

void sim_event_init(struct sim_event *e, void (*fire)(void *user), void *user);
/* Sets or moves @e; a time in the past means now. */
void sim_event_at(struct sim_world *w, struct sim_event *e, uint64_t at_us);
static inline void sim_event_in(struct sim_world *w, struct sim_event *e, uint64_t delay_us)
{
	sim_event_at(w, e, w->now_us + delay_us);
}
/* As sim_event_at for now, but before every other event of this time. */
void sim_event_first(struct sim_world *w, struct sim_event *e);
/* No effect when @e is not set. */
void sim_event_clear(struct sim_world *w, struct sim_event *e);
static inline bool sim_event_is_set(const struct sim_event *e)
{
	return e->slot != 0;
}

/* Time of the next event, SIM_NEVER when there is none. */
uint64_t sim_world_next(const struct sim_world *w);
/* Runs the next event; false when there is none. */
bool sim_world_step(struct sim_world *w);
/* Runs all events up to and including @until_us, then stands at that time. */
void sim_world_run(struct sim_world *w, uint64_t until_us);
/* As sim_world_run, but returns true as soon as done(user) is. */
bool sim_world_run_until(struct sim_world *w, uint64_t until_us, bool (*done)(void *user),
			 void *user);

#define sim_trace(w, who, ...) sim_trace_line(&(w)->trace, (w)->now_us, (who), __VA_ARGS__)

#endif
