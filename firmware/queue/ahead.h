/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking ahead: while a record is being settled, the next one of its lane is
 * read, and marked as begun, in the same transaction. A lane that drains costs
 * one commit a record instead of two.
 *
 * A mark made ahead may turn out to be for nothing (the origin goes away at
 * that moment); it is taken back by the attempt that sends nothing, and else
 * says no more than that the request may have arrived. Where such a doubt would
 * hold a record (idempotency "never"), none is made ahead.
 */
#ifndef HF_QUEUE_AHEAD_H
#define HF_QUEUE_AHEAD_H

#include "queue/lane.h"

struct hf_ahead;

/* Submits the look-ahead for the record behind @id. Without memory there is
 * none. */
void hf_ahead_begin(struct hf_lane *lane, uint64_t id);
/* True when one is under way for the record that is next now: then @got comes
 * with its load, which the receiver takes over (hf_store_load_finish). */
bool hf_ahead_wait(struct hf_lane *lane,
		   void (*got)(void *user, struct hf_store_load *load, int err), void *user);
/* At closing down, after the store: all of them. */
void hf_ahead_finish(struct hf_queue *q);

#endif
