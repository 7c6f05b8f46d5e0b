/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many timers over the one wake-up of the port: a binary heap by due time,
 * equal times fire in the order they were set. Timers are embedded in the
 * caller's struct; the queue holds pointers only. Times are boot-time
 * milliseconds (struct hf_port, boottime_ms).
 */
#ifndef HF_BASE_TIMERQ_H
#define HF_BASE_TIMERQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_TIMER_NEVER UINT64_MAX

struct hf_timer {
	uint64_t due_ms;
	uint64_t order;
	size_t slot; /* 1-based place in the heap, 0: not set */
	void (*fire)(void *user);
	void *user;
};

struct hf_timerq {
	struct hf_timer **heap;
	size_t len, cap;
	uint64_t order;
	bool running;
	uint64_t floor_ms; /* inside a run: its time, no timer is set below it */
	/* Asks the world for a wake-up (struct hf_port, wake_at). Called when the
	 * earliest due time becomes earlier than what was last asked for, and at
	 * the end of hf_timerq_run with the next one. A timer moved later or
	 * cleared leaves the wake-up as it is: a spurious one costs little, a
	 * system call per activity much. May be NULL. */
	void (*wake)(void *user, uint64_t due_ms);
	void *wake_user;
	uint64_t asked_ms;
};

void hf_timerq_init(struct hf_timerq *q, void (*wake)(void *user, uint64_t due_ms), void *user);
void hf_timerq_finish(struct hf_timerq *q);
/* Before the first use of @t, which may be on no queue. */
void hf_timer_init(struct hf_timer *t, void (*fire)(void *user), void *user);
/* Sets or moves @t. HF_ENOMEM leaves @t as it was; a timer that is set
 * can always be moved. */
int hf_timerq_set(struct hf_timerq *q, struct hf_timer *t, uint64_t due_ms);
/* No effect when @t is not set. */
void hf_timerq_clear(struct hf_timerq *q, struct hf_timer *t);
static inline bool hf_timer_is_set(const struct hf_timer *t)
{
	return t->slot != 0;
}
/* When the next one is due, HF_TIMER_NEVER when none is set. */
uint64_t hf_timerq_next(const struct hf_timerq *q);
/* Fires what is due at @now_ms; each timer is cleared before its callback,
 * which may set any timer (one set for <= @now_ms fires in the next run). */
void hf_timerq_run(struct hf_timerq *q, uint64_t now_ms);

#endif
