/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: who of a lane may go live, and who must go behind the backlog.
 */
#include <assert.h>

#include "queue/queue_private.h"

int hf_turn_take(struct hf_queue *q, unsigned origin, const struct hf_policy *policy,
		 bool origin_down, struct hf_turn *turn, enum hf_grant *grant)
{
	int err = 0;
	struct hf_lane *lane = hf_queue_lane_get(q, origin, policy->lane, &err);

	if (!lane)
		return err;
	lane->order = policy->order;
	hf_list_init(&turn->link);
	turn->lane = lane;
	if (hf_lane_has_backlog(lane) || (origin_down && !lane->live && hf_list_empty(&lane->turns))) {
		turn->grant = HF_GRANT_QUEUE;
	} else if (policy->order == HF_ORDER_SKIP) {
		turn->grant = HF_GRANT_LIVE;
	} else if (lane->live || !hf_list_empty(&lane->turns)) {
		turn->grant = HF_GRANT_WAIT;
		hf_list_push(&lane->turns, &turn->link);
	} else {
		turn->grant = HF_GRANT_LIVE;
		lane->live = turn;
	}
	*grant = turn->grant;
	return 0;
}

/* The lane's live turn has ended, or a backlog has come up: who is next? */
static void grant_next(struct hf_lane *lane)
{
	while (!lane->live && !hf_list_empty(&lane->turns)) {
		struct hf_turn *turn =
			hf_container_of(hf_list_pop(&lane->turns), struct hf_turn, link);

		if (hf_lane_has_backlog(lane)) {
			turn->grant = HF_GRANT_QUEUE;
		} else {
			turn->grant = HF_GRANT_LIVE;
			lane->live = turn;
		}
		turn->granted(turn, turn->grant);
	}
}

void hf_turn_give_back(struct hf_turn *turn)
{
	struct hf_lane *lane = turn->lane;

	if (!lane)
		return;
	turn->lane = NULL;
	hf_list_remove(&turn->link);
	if (lane->live == turn)
		lane->live = NULL;
	/* A granted turn may be given back inside its own callback, down to the
	 * last one; the lane must outlive the loop. */
	lane->users++;
	grant_next(lane);
	lane->users--;
	hf_queue_lane_release(lane);
}
