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
/* lease_end.c */
void hf_lease_end_init(struct hf_lease *lease);
/* Writes lease->state over the record's. */
void hf_lease_store_state(struct hf_lease *lease, void (*done)(struct hf_store_op *op, int err));
/* Ends a record that was taken but must not be sent: DEAD or HOLD. */
void hf_lease_pass_over(struct hf_lease *lease, enum hf_action action, enum hf_reason reason);

#endif
