/* SPDX-License-Identifier: Apache-2.0 */
/* A customer who does not need a browser: posts orders through holdfastd, one
 * after another, each at once after the answer to the one before. */
#ifndef LIVE_RUSH_H
#define LIVE_RUSH_H

#include "live/call.h"

struct live_rush {
	struct live_client client;
	struct live_call call;
	struct hf_timer pause;
	unsigned left;
	unsigned made;
};

void live_rush_init(struct live_rush *r, struct live_bench *b, uint16_t port);
void live_rush_finish(struct live_rush *r);
/* @n more orders; those that holdfastd does not take while it is off are given up. */
void live_rush_add(struct live_rush *r, unsigned n);

#endif
