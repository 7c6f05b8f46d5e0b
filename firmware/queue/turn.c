/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: who of a lane may go live, and who must go behind the backlog.
 */
#include <assert.h>

#include "queue/queue_private.h"

/* Who is before it goes first, delivered or stored: nobody is passed. */
static bool must_wait(const struct hf_lane *lane, const struct hf_policy *policy)
{
	return policy->order != HF_ORDER_SKIP && (lane->live || !hf_list_empty(&lane->turns));
}

int hf_turn_take(struct hf_queue *q, unsigned origin, const struct hf_policy *policy,
		 bool origin_down, struct hf_turn *turn, enum hf_grant *grant)
{
	int err = 0;
	struct hf_lane *lane = hf_queue_lane_get(q, origin, policy->lane, &err);

	if (!lane)
		return err;
	hf_list_init(&turn->link);
	turn->lane = lane;
	turn->taken_ms = q->opt.port->boottime_ms(q->opt.port);
	lane->turns_n++;
	if (must_wait(lane, policy)) {
		turn->grant = HF_GRANT_WAIT;
		hf_list_push(&lane->turns, &turn->link);
	} else if (hf_lane_has_backlog(lane) || origin_down) {
		turn->grant = HF_GRANT_QUEUE;
	} else {
		turn->grant = HF_GRANT_LIVE;
		if (policy->order != HF_ORDER_SKIP)
			lane->live = turn;
	}
	*grant = turn->grant;
	return 0;
}

/* The page that waits so long shall hear that its request is safe. */
static bool waited_long(const struct hf_turn *turn)
{
	struct hf_port *port = turn->lane->queue->opt.port;

	return port->boottime_ms(port) - turn->taken_ms > CONFIG_HF_TURN_WAIT_MS;
}

/* The lane's live turn has ended: who is next? A turn may be given back inside
 * its own callback; that goes on in the loop, not in a deeper one. */
static void grant_next(struct hf_lane *lane)
{
	if (lane->granting || lane->queue->closing)
		return;
	lane->granting = true;
	while (!lane->live && !hf_list_empty(&lane->turns)) {
		struct hf_turn *turn =
			hf_container_of(hf_list_pop(&lane->turns), struct hf_turn, link);

		if (hf_lane_has_backlog(lane) || waited_long(turn)) {
			turn->grant = HF_GRANT_QUEUE;
		} else {
			turn->grant = HF_GRANT_LIVE;
			lane->live = turn;
		}
		turn->granted(turn, turn->grant);
	}
	lane->granting = false;
}

void hf_turn_give_back(struct hf_turn *turn)
{
	struct hf_lane *lane = turn->lane;

	if (!lane)
		return;
	assert(lane->turns_n > 0);
	turn->lane = NULL;
	lane->turns_n--;
	hf_list_remove(&turn->link);
	if (lane->live == turn)
		lane->live = NULL;
	lane->users++; /* down to the last turn: the lane must outlive the loop */
	grant_next(lane);
	lane->users--;
	hf_queue_lane_release(lane);
}
