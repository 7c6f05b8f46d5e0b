/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler. Each origin has a list of lanes that are ready; a pass over
 * them starts replays while the origin may be tried and there is room.
 *
 * An origin that is DOWN makes its lanes OFFLINE; connectivity's trial lets one
 * of them through. UP brings all of them back.
 */
#include "sync/sync.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "net/backoff.h"
#include "queue/lane.h"
#include "sync/replay.h"

struct origin {
	struct hf_list ready; /* struct hf_lane, ready */
	unsigned running;
	unsigned lanes_waiting;
	bool trial; /* one attempt is allowed although it is down */
};

struct hf_sync {
	struct hf_sync_options opt;
	struct origin *origins;
	struct hf_list replays;
	bool started;
	bool passing, again;
};

static void pass(struct hf_sync *s);

static bool is_down(const struct hf_sync *s, unsigned origin)
{
	enum hf_reach reach = hf_connectivity_origin(s->opt.connectivity, origin);

	return reach == HF_REACH_DOWN || reach == HF_REACH_TRIAL;
}

/* ---- replays ---- */

static void replay_done(void *user, struct hf_replay *r, bool tried)
{
	struct hf_sync *s = user;
	struct hf_lane *lane = hf_replay_lane(r);

	(void)tried;
	s->origins[lane->origin].running--;
	hf_sync_lane(s, lane);
	pass(s);
}

static void start_replay(struct hf_sync *s, struct hf_lane *lane)
{
	struct hf_replay *r;

	s->origins[lane->origin].running++;
	if (hf_replay_start(&s->opt, lane, replay_done, s, &r)) {
		s->origins[lane->origin].running--;
		hf_lane_delay(lane, s->opt.backoff_base_ms, HF_REASON_BACKOFF);
		return;
	}
	hf_list_push(&s->replays, hf_replay_link(r));
}

static bool may_start(const struct hf_sync *s, unsigned i)
{
	const struct origin *o = &s->origins[i];

	if (!s->started || hf_list_empty(&o->ready))
		return false;
	if (is_down(s, i))
		return o->trial && o->running == 0;
	return o->running < CONFIG_HF_REPLAY_CONCURRENCY;
}

static void pass_origin(struct hf_sync *s, unsigned i)
{
	struct origin *o = &s->origins[i];

	while (may_start(s, i)) {
		struct hf_lane *lane =
			hf_container_of(hf_list_pop(&o->ready), struct hf_lane, ready);

		o->trial = false;
		if (lane->state == HF_LANE_READY)
			start_replay(s, lane);
	}
}

/* Starting a replay can end in another pass: those are folded into a loop. */
static void pass(struct hf_sync *s)
{
	s->again = true;
	if (s->passing)
		return;
	s->passing = true;
	while (s->again) {
		s->again = false;
		for (unsigned i = 0; i < s->opt.origins_n; i++)
			pass_origin(s, i);
	}
	s->passing = false;
}

/* ---- lanes ---- */

static void count_wanted(struct hf_sync *s, struct hf_lane *lane)
{
	struct origin *o = &s->origins[lane->origin];
	bool wanted = lane->waiting > 0 && lane->state != HF_LANE_HELD;

	if (wanted == lane->wanted)
		return;
	lane->wanted = wanted;
	if (wanted && o->lanes_waiting++ == 0)
		hf_connectivity_want(s->opt.connectivity, lane->origin, true);
	else if (!wanted && --o->lanes_waiting == 0)
		hf_connectivity_want(s->opt.connectivity, lane->origin, false);
}

void hf_sync_lane(struct hf_sync *s, struct hf_lane *lane)
{
	if (lane->origin == HF_ORIGIN_NONE)
		return;
	if (lane->state == HF_LANE_READY) {
		if (is_down(s, lane->origin) && !s->origins[lane->origin].trial) {
			lane->state = HF_LANE_OFFLINE;
			lane->wait_reason = HF_REASON_NETWORK;
			hf_list_remove(&lane->ready);
		} else if (hf_list_empty(&lane->ready)) {
			hf_list_push(&s->origins[lane->origin].ready, &lane->ready);
		}
	} else if (lane->state == HF_LANE_OFFLINE && !is_down(s, lane->origin)) {
		/* A failure or two is not an outage yet: try again soon. */
		hf_lane_delay(lane,
			      hf_backoff_ms(s->opt.rand, s->opt.backoff_base_ms,
					    s->opt.backoff_base_ms, 0),
			      (enum hf_reason)lane->wait_reason);
		return; /* it has called us again */
	}
	count_wanted(s, lane);
	pass(s);
}

static void promote(struct hf_sync *s, unsigned origin)
{
	struct hf_list *lanes = hf_queue_lanes(s->opt.queue);
	struct hf_list *it, *tmp;

	hf_list_for (it, tmp, lanes) {
		struct hf_lane *lane = hf_container_of(it, struct hf_lane, link);

		if (lane->origin == origin)
			hf_lane_promote(lane);
	}
}

/* ---- the world ---- */

void hf_sync_origin_changed(struct hf_sync *s, unsigned origin, enum hf_reach reach)
{
	if (reach == HF_REACH_UP)
		promote(s, origin);
	pass(s);
}

/* One lane of the origin is let through, the one that has waited longest in the
 * list; the others stay OFFLINE. */
void hf_sync_trial(struct hf_sync *s, unsigned origin)
{
	struct hf_list *lanes = hf_queue_lanes(s->opt.queue);
	struct origin *o = &s->origins[origin];

	if (!s->started || o->running > 0)
		return;
	o->trial = true;
	for (struct hf_list *l = lanes->next; l != lanes && o->trial; l = l->next) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);

		if (lane->origin == origin && lane->state == HF_LANE_OFFLINE) {
			lane->state = HF_LANE_READY;
			hf_sync_lane(s, lane);
			break;
		}
	}
}

void hf_sync_clock(struct hf_sync *s)
{
	struct hf_list *lanes = hf_queue_lanes(s->opt.queue);
	struct hf_list *it, *tmp;

	hf_list_for (it, tmp, lanes) {
		struct hf_lane *lane = hf_container_of(it, struct hf_lane, link);

		if (lane->wait_reason == HF_REASON_CLOCK && lane->origin != HF_ORIGIN_NONE) {
			if (is_down(s, lane->origin))
				hf_connectivity_poke(s->opt.connectivity, lane->origin);
			else
				hf_lane_promote(lane);
		}
	}
}

void hf_sync_now(struct hf_sync *s)
{
	for (unsigned i = 0; i < s->opt.origins_n; i++) {
		if (is_down(s, i))
			hf_connectivity_poke(s->opt.connectivity, i);
		else
			promote(s, i);
	}
	pass(s);
}

/* ---- life ---- */

int hf_sync_create(const struct hf_sync_options *opt, struct hf_sync **out)
{
	struct hf_sync *s = calloc(1, sizeof(*s));

	if (!s)
		return HF_ENOMEM;
	s->opt = *opt;
	s->origins = calloc(opt->origins_n + 1, sizeof(*s->origins));
	if (!s->origins) {
		free(s);
		return HF_ENOMEM;
	}
	for (unsigned i = 0; i < opt->origins_n; i++)
		hf_list_init(&s->origins[i].ready);
	hf_list_init(&s->replays);
	*out = s;
	return 0;
}

void hf_sync_start(struct hf_sync *s)
{
	s->started = true;
	pass(s);
}

void hf_sync_stop(struct hf_sync *s)
{
	s->started = false;
}

bool hf_sync_is_idle(const struct hf_sync *s)
{
	return hf_list_empty(&s->replays);
}

void hf_sync_destroy(struct hf_sync *s)
{
	if (!s)
		return;
	while (!hf_list_empty(&s->replays))
		hf_replay_destroy(hf_replay_from_link(s->replays.next));
	free(s->origins);
	free(s);
}
