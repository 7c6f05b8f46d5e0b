/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator holds: a lane with those that begin with its name and '/' or
 * '@', or all lanes of an origin. Nothing of them is sent; what is accepted waits.
 * Kept in the store's meta, key "holds", and thus over restarts. A hold with an end
 * ends by device time.
 */
#ifndef HF_QUEUE_HOLD_H
#define HF_QUEUE_HOLD_H

#include "queue/queue.h"

#define HF_HOLDS_MAX	 64
#define HF_HOLD_KEY_MAX	 1024
#define HF_HOLD_ENDS_MAX (UINT64_C(366) * 86400 * 1000)

struct hf_hold {
	unsigned origin;       /* index */
	struct hf_span lane;   /* ptr NULL: all of the origin's; in the queue's memory */
	uint64_t since_dev_ms; /* device time */
	int64_t since_wall_ms; /* 0: the clock was not set */
	uint64_t until_dev_ms; /* 0: until it is released */
};

enum hf_hold_event {
	HF_HOLD_BEGUN,
	HF_HOLD_RELEASED,
	HF_HOLD_ENDED, /* its time was over */
};

struct hf_hold_change {
	/* in */
	bool release;
	bool all; /* release: every one; the others below do not count */
	unsigned origin;
	struct hf_span lane; /* as in struct hf_hold; valid until done */
	uint64_t for_ms;     /* 0: until it is released */
	/* On the loop after the commit: 0; HF_ENOENT: there is no such hold; HF_ELIMIT:
	 * too many; HF_EBUSY: another change is being stored; HF_EIO, HF_EFULL. */
	void (*done)(struct hf_hold_change *c, int err);
	void *user;
	/* private */
	struct hf_store_meta meta;
	struct hf_queue *queue;
};
/* An error returned: nothing began, done does not come. A hold that is there already
 * gets the new end. */
int hf_queue_hold(struct hf_queue *q, struct hf_hold_change *c);
/* Calls @each for every hold; stops at a non-zero return and returns it. */
int hf_queue_each_hold(const struct hf_queue *q,
		       int (*each)(void *user, const struct hf_hold *hold), void *user);
/* How many lanes in memory it is about. */
unsigned hf_queue_held_lanes(const struct hf_queue *q, unsigned origin, struct hf_span lane);

#endif
