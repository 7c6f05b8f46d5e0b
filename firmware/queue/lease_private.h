/* SPDX-License-Identifier: Apache-2.0 */
/* What lease.c (taking, marking) and lease_end.c (ending) share. */
#ifndef HF_QUEUE_LEASE_PRIVATE_H
#define HF_QUEUE_LEASE_PRIVATE_H

#include "queue/lease.h"
#include "queue/queue_private.h"

#define HF_STORE_FAILED_DELAY_MS 5000

enum hf_lease_step {
	HF_LEASE_NONE,
	HF_LEASE_LOADING,
	HF_LEASE_READY,
	HF_LEASE_MARKING,
	HF_LEASE_ENDING,
	HF_LEASE_PASSING, /* ending a record that is not sent at all */
};

static inline struct hf_queue *hf_lease_queue(const struct hf_lease *lease)
{
	return lease->lane->queue;
}

/* lease.c */
void hf_lease_release(struct hf_lease *lease);
/* Nothing of the lane can be sent; the lease is over. */
void hf_lease_nothing(struct hf_lease *lease, int err);
/* The record waits for a person, or for another one: the lane with it, until it has
 * grown too old, or the next one goes. */
void hf_lease_step_aside(struct hf_lease *lease, enum hf_reason reason);
/* lease_after.c: when the one it waits for is delivered, the lease is ready with
 * what that one's answer says filled in; else it is over. */
void hf_lease_after(struct hf_lease *lease);
/* lease_end.c */
void hf_lease_end_init(struct hf_lease *lease);
/* Writes lease->state over the record's. */
void hf_lease_store_state(struct hf_lease *lease, void (*done)(struct hf_store_op *op, int err));
/* Ends a record that was taken but must not be sent: DEAD or HOLD. */
void hf_lease_pass_over(struct hf_lease *lease, enum hf_action action, enum hf_reason reason);

#endif
