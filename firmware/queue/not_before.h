/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a record may be tried again, as a restart finds it: a Retry-After or a
 * back-off that goes on. While the device runs the lane's timer decides, and
 * what ends a delay early ends it there.
 */
#ifndef HF_QUEUE_NOT_BEFORE_H
#define HF_QUEUE_NOT_BEFORE_H

#include "queue/queue.h"

/* Not before @delay_ms from now; 0: at any time. */
void hf_not_before_set(const struct hf_queue *q, struct hf_record_state *state, uint64_t delay_ms);
/* Milliseconds left. *sure: no clock will tell better. With a trusted clock then
 * and now it is what is left. Without one nobody knows how long the device was
 * off: what is left by device time, but at most the longest back-off. */
uint64_t hf_not_before_left_ms(const struct hf_queue *q, const struct hf_record_state *state,
			       bool *sure);

#endif
