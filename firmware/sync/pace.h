/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast an origin that is back is asked, so that a backlog does not knock it
 * over again.
 *
 * Slow start (as RFC 5681, section 3.1, counted in requests): one replay at a
 * time, one more for each that is answered, half of them after one that is
 * pushed back (429, 502, 503, 504, no answer).
 *
 * A token bucket: @burst replays at once, then one each @interval_ms.
 */
#ifndef HF_SYNC_PACE_H
#define HF_SYNC_PACE_H

#include <stdint.h>

struct hf_pace {
	uint32_t interval_ms; /* 0: no bucket */
	uint64_t slack_ms;    /* (burst - 1) * interval_ms */
	uint64_t due_ms;      /* boot time at which the bucket is full again */
	uint64_t halved_ms;   /* boot time of the last halving, 0: none */
	unsigned window, window_max;
};

/* A bucket with one token, whatever the run before had spent. @burst from 1. */
void hf_pace_init(struct hf_pace *p, uint32_t interval_ms, uint32_t burst, unsigned window_max,
		  uint64_t now_ms);
/* Milliseconds until the next replay may begin, 0: now. */
uint64_t hf_pace_wait_ms(const struct hf_pace *p, uint64_t now_ms);
/* One begins. */
void hf_pace_spend(struct hf_pace *p, uint64_t now_ms);
/* It came to nothing: no request was sent. */
void hf_pace_refund(struct hf_pace *p);
/* The origin has gone away: what it can bear is found out anew. */
void hf_pace_restart(struct hf_pace *p);
void hf_pace_answered(struct hf_pace *p);
void hf_pace_pushed_back(struct hf_pace *p, uint64_t now_ms);

#endif
