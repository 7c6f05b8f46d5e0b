/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler. Each origin has its lanes in three lists: READY ones, OFFLINE
 * ones and DELAYED ones; lanes in which nothing can go are in none. A pass
 * starts replays of the ready ones while the origin may be tried and there is
 * room, so every event costs what it touches and not what is stored. Of the
 * ready ones the most urgent goes first, then the one that has waited longest.
 *
 * An origin that is DOWN makes its lanes OFFLINE; connectivity's trial lets one
 * of them through, the one that has waited longest, so that a request that
 * kills its origin stops its own lane only. UP brings all of them back. A trial
 * whose record is not sent at all goes to the next one.
 *
 * An answer, to a replay or to the page, tells that the origin is well: it brings
 * a few lanes that back off near, and theirs bring others. A lane is brought near
 * once a minute at most, so that one which fails on its own is not asked again
 * with each answer.
 */
#include "sync/sync.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "net/backoff.h"
#include "queue/lane.h"
#include "sync/pace.h"
#include "sync/replay.h"

#define EDGE_SPREAD_MS 5000 /* lanes that back off come back within it */
/* An origin that goes down and up all the time does not end back-off with it,
 * nor do answers that of the same lane. */
#define EDGE_EVERY_MS 60000
/* Lanes that an answer brings near, and looks at for it. */
#define EASE_LANES 2
#define EASE_LOOKS 8

struct origin {
	/* struct hf_lane, ready */
	struct hf_list ready[HF_POLICY_URGENCIES], offline, delayed;
	unsigned running;
	unsigned lanes_waiting;
	bool trial;		  /* one attempt is allowed although it is down */
	struct hf_replay *trying; /* it is under way */
	uint64_t edge_ms;	  /* boot time when it last brought DELAYED lanes near */
	struct hf_pace pace;
	struct hf_timer turn; /* the pace lets the next one begin */
	struct hf_sync *sync;
};

struct hf_sync {
	struct hf_sync_options opt;
	struct origin *origins;
	unsigned origins_n; /* set up */
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

static uint64_t now_ms(const struct hf_sync *s)
{
	return s->opt.port->boottime_ms(s->opt.port);
}

static void tell_pace(struct hf_sync *s, struct hf_pace *p, enum hf_replay_end end)
{
	switch (end) {
	case HF_REPLAY_NOT_TRIED:
		hf_pace_refund(p);
		break;
	case HF_REPLAY_ANSWERED:
		hf_pace_answered(p);
		break;
	case HF_REPLAY_PUSHED_BACK:
		hf_pace_pushed_back(p, now_ms(s));
		break;
	}
}

static void replay_done(void *user, struct hf_replay *r, enum hf_replay_end end)
{
	struct hf_sync *s = user;
	struct hf_lane *lane = hf_replay_lane(r);
	struct origin *o = &s->origins[lane->origin];

	o->running--;
	tell_pace(s, &o->pace, end);
	if (o->trying == r) {
		o->trying = NULL;
		/* Nothing was reported to connectivity: it still waits for that. */
		o->trial |= end == HF_REPLAY_NOT_TRIED && is_down(s, lane->origin);
	}
	hf_sync_lane(s, lane);
	pass(s);
}

static struct hf_replay *start_replay(struct hf_sync *s, struct hf_lane *lane)
{
	struct hf_replay *r;

	if (hf_replay_start(&s->opt, lane, replay_done, s, &r)) {
		hf_lane_delay(lane, s->opt.backoff_base_ms, HF_REASON_BACKOFF);
		return NULL;
	}
	s->origins[lane->origin].running++;
	hf_pace_spend(&s->origins[lane->origin].pace, now_ms(s));
	hf_list_push(&s->replays, hf_replay_link(r));
	return r;
}

/* ---- passes ---- */

static struct hf_lane *pop(struct hf_list *list)
{
	struct hf_list *node = hf_list_pop(list);

	assert(node);
	return hf_container_of(node, struct hf_lane, ready);
}

/* False: the pace lets nothing begin yet, a pass follows when it does. */
static bool may_begin(struct hf_sync *s, struct origin *o)
{
	uint64_t wait_ms = hf_pace_wait_ms(&o->pace, now_ms(s));

	if (wait_ms > 0)
		hf_timerq_set(s->opt.timers, &o->turn, now_ms(s) + wait_ms);
	return wait_ms == 0;
}

/* The list of the most urgent lanes that are ready, NULL: none is. */
static struct hf_list *first_ready(struct origin *o)
{
	for (size_t i = 0; i < HF_POLICY_URGENCIES; i++)
		if (!hf_list_empty(&o->ready[i]))
			return &o->ready[i];
	return NULL;
}

/* The one attempt that an origin that is down may have. */
static void pass_trial(struct hf_sync *s, struct origin *o)
{
	struct hf_list *list = first_ready(o);
	struct hf_lane *lane;

	if (!o->trial || o->running > 0)
		return;
	if (!list && hf_list_empty(&o->offline))
		return; /* for the next lane that gets ready */
	if (!may_begin(s, o))
		return;
	lane = pop(list ? list : &o->offline);
	lane->state = HF_LANE_READY;
	o->trying = start_replay(s, lane);
	o->trial = !o->trying;
}

static void pass_origin(struct hf_sync *s, unsigned i)
{
	struct origin *o = &s->origins[i];
	struct hf_list *list;

	if (is_down(s, i)) {
		pass_trial(s, o);
		return;
	}
	while (o->running < o->pace.window && (list = first_ready(o)) && may_begin(s, o))
		start_replay(s, pop(list));
}

/* What happens inside can lead to another pass: those are folded into a loop. */
static void pass(struct hf_sync *s)
{
	s->again = true;
	if (s->passing || !s->started)
		return;
	s->passing = true;
	while (s->again) {
		s->again = false;
		for (unsigned i = 0; i < s->opt.origins_n; i++)
			pass_origin(s, i);
	}
	s->passing = false;
}

static void turn_came(void *user)
{
	struct origin *o = user;

	pass(o->sync);
}

/* ---- lanes ---- */

static bool is_wanted(const struct hf_lane *lane)
{
	switch ((enum hf_lane_state)lane->state) {
	case HF_LANE_READY:
	case HF_LANE_LEASED:
	case HF_LANE_OFFLINE:
		return lane->waiting > 0;
	case HF_LANE_DELAYED: /* until then nobody has to look for the origin */
		return lane->waiting > 0 && !lane->paused && !hf_reason_binds(lane->wait_reason);
	case HF_LANE_IDLE:
	case HF_LANE_HELD:
	case HF_LANE_PAUSED:
		break;
	}
	return false;
}

static void count_wanted(struct hf_sync *s, struct hf_lane *lane)
{
	struct origin *o = &s->origins[lane->origin];
	bool wanted = is_wanted(lane);

	if (wanted == lane->wanted)
		return;
	lane->wanted = wanted;
	if (wanted && o->lanes_waiting++ == 0)
		hf_connectivity_want(s->opt.connectivity, lane->origin, true);
	else if (!wanted && --o->lanes_waiting == 0)
		hf_connectivity_want(s->opt.connectivity, lane->origin, false);
}

static struct hf_list *list_of(struct origin *o, const struct hf_lane *lane)
{
	switch ((enum hf_lane_state)lane->state) {
	case HF_LANE_READY:
		return &o->ready[lane->urgency];
	case HF_LANE_OFFLINE:
		return &o->offline;
	case HF_LANE_DELAYED:
		return &o->delayed;
	case HF_LANE_IDLE:
	case HF_LANE_LEASED:
	case HF_LANE_HELD:
	case HF_LANE_PAUSED:
		break;
	}
	return NULL;
}

/* Into the list of its state; one that is there keeps its place. */
static void put_in_list(struct hf_sync *s, struct hf_lane *lane)
{
	struct hf_list *list = list_of(&s->origins[lane->origin], lane);

	if (list && lane->listed == lane->state && !hf_list_empty(&lane->ready))
		return;
	hf_list_remove(&lane->ready);
	lane->listed = lane->state;
	if (!list)
		return;
	if (lane->ahead) /* its next record is being read already */
		hf_list_push_front(list, &lane->ready);
	else
		hf_list_push(list, &lane->ready);
}

void hf_sync_lane(struct hf_sync *s, struct hf_lane *lane)
{
	if (lane->origin == HF_ORIGIN_NONE)
		return;
	if (lane->state == HF_LANE_READY && is_down(s, lane->origin)) {
		lane->state = HF_LANE_OFFLINE;
		lane->wait_reason = HF_REASON_NETWORK;
	} else if (lane->state == HF_LANE_OFFLINE && !is_down(s, lane->origin)) {
		/* A failure or two is not an outage yet: try again soon. */
		hf_lane_delay(lane,
			      hf_backoff_ms(s->opt.rand, s->opt.backoff_base_ms,
					    s->opt.backoff_base_ms, 0),
			      (enum hf_reason)lane->wait_reason);
		return; /* it has called us again */
	}
	put_in_list(s, lane);
	count_wanted(s, lane);
	pass(s);
}

static bool waits_for_the_world(const struct hf_lane *lane)
{
	switch ((enum hf_reason)lane->wait_reason) {
	case HF_REASON_NETWORK:
	case HF_REASON_CAPTIVE:
	case HF_REASON_CLOCK:
	case HF_REASON_CERTIFICATE:
		return true;
	default:
		return false;
	}
}

/* It comes again with the others, but not all at once, and never sooner than
 * half of the shortest back-off. */
static void bring_near(struct hf_sync *s, struct hf_lane *lane)
{
	uint64_t now = now_ms(s);
	uint64_t delay = hf_backoff_ms(s->opt.rand, s->opt.backoff_base_ms, EDGE_SPREAD_MS, 16);

	if (lane->not_before_ms > now + delay)
		hf_lane_delay(lane, delay, (enum hf_reason)lane->wait_reason);
	else
		put_in_list(s, lane);
}

static bool may_be_eased(const struct hf_lane *lane, uint64_t now)
{
	return !hf_reason_binds(lane->wait_reason) &&
	       (lane->eased_ms == 0 || now - lane->eased_ms >= EDGE_EVERY_MS);
}

/* The ones that are looked at go to the end of the list. */
void hf_sync_answered(struct hf_sync *s, unsigned origin)
{
	struct origin *o = &s->origins[origin];
	uint64_t now = now_ms(s);
	unsigned eased = 0;

	for (unsigned i = 0; i < EASE_LOOKS && eased < EASE_LANES && !hf_list_empty(&o->delayed);
	     i++) {
		struct hf_lane *lane = pop(&o->delayed);

		if (!may_be_eased(lane, now)) {
			put_in_list(s, lane);
			continue;
		}
		lane->eased_ms = now;
		eased++;
		bring_near(s, lane);
	}
}

/* What ends a delay before its time. What the origin asks for (a Retry-After, no
 * room there) is ended by nothing, but one of an earlier run is looked at again
 * when the clock can be trusted. */
enum edge {
	EDGE_UP,    /* the origin has answered */
	EDGE_LINK,  /* the link has come up */
	EDGE_CLOCK, /* the clock has been set, or can be trusted */
	EDGE_NOW,   /* someone wants it */
};

static void end_delay(struct hf_sync *s, struct hf_lane *lane, enum edge edge)
{
	bool ended = edge == EDGE_NOW || (edge == EDGE_LINK && waits_for_the_world(lane)) ||
		     (edge == EDGE_CLOCK && (lane->wait_reason == HF_REASON_CLOCK ||
					     lane->wait_reason == HF_REASON_CERTIFICATE));

	if (edge == EDGE_CLOCK && lane->resumed) { /* only a clock tells what is left */
		lane->wait_reason = HF_REASON_CLOCK;
		hf_lane_promote(lane);
	} else if (hf_reason_binds(lane->wait_reason)) {
		put_in_list(s, lane);
	} else if (ended) {
		hf_lane_promote(lane);
	} else if (edge == EDGE_UP) {
		bring_near(s, lane);
	} else {
		put_in_list(s, lane);
	}
}

static void move_all(struct hf_list *from, struct hf_list *to)
{
	struct hf_list *l;

	hf_list_init(to);
	while ((l = hf_list_pop(from)) != NULL)
		hf_list_push(to, l);
}

static void end_delays(struct hf_sync *s, struct origin *o, enum edge edge)
{
	struct hf_list lanes;

	move_all(&o->delayed, &lanes);
	while (!hf_list_empty(&lanes))
		end_delay(s, pop(&lanes), edge);
}

static void end_offline(struct origin *o)
{
	struct hf_list lanes;

	move_all(&o->offline, &lanes);
	while (!hf_list_empty(&lanes))
		hf_lane_promote(pop(&lanes));
}

static bool edge_is_new(struct hf_sync *s, struct origin *o)
{
	uint64_t now = now_ms(s);

	if (o->edge_ms && now - o->edge_ms < EDGE_EVERY_MS)
		return false;
	o->edge_ms = now;
	return true;
}

/* The origin's lanes come back, in one pass. */
static void promote(struct hf_sync *s, unsigned origin, enum edge edge)
{
	struct origin *o = &s->origins[origin];
	bool passing = s->passing;

	s->passing = true;
	if (edge != EDGE_CLOCK)
		end_offline(o);
	if (edge != EDGE_UP || edge_is_new(s, o))
		end_delays(s, o, edge);
	s->passing = passing;
	pass(s);
}

/* ---- the world ---- */

/* What was ready waits with the others. */
static void put_offline(struct hf_sync *s, struct origin *o)
{
	struct hf_list lanes;

	for (size_t i = 0; i < HF_POLICY_URGENCIES; i++) {
		move_all(&o->ready[i], &lanes);
		while (!hf_list_empty(&lanes))
			hf_sync_lane(s, pop(&lanes));
	}
}

void hf_sync_origin_changed(struct hf_sync *s, unsigned origin, enum hf_reach reach)
{
	struct origin *o = &s->origins[origin];

	if (reach != HF_REACH_TRIAL)
		o->trial = false;
	if (reach == HF_REACH_UP)
		promote(s, origin, EDGE_UP);
	if (reach == HF_REACH_DOWN) {
		hf_pace_restart(&o->pace);
		put_offline(s, o);
	}
	pass(s);
}

bool hf_sync_wants(const struct hf_sync *s, unsigned origin)
{
	return s->origins[origin].lanes_waiting > 0;
}

void hf_sync_trial(struct hf_sync *s, unsigned origin)
{
	s->origins[origin].trial = true;
	pass(s);
}

void hf_sync_link(struct hf_sync *s)
{
	for (unsigned i = 0; i < s->opt.origins_n; i++)
		promote(s, i, EDGE_LINK);
}

void hf_sync_clock(struct hf_sync *s)
{
	for (unsigned i = 0; i < s->opt.origins_n; i++) {
		promote(s, i, EDGE_CLOCK);
		if (is_down(s, i))
			hf_connectivity_poke(s->opt.connectivity, i);
	}
}

void hf_sync_credential(struct hf_sync *s, unsigned origin)
{
	struct origin *o = &s->origins[origin];
	bool passing = s->passing;
	struct hf_list lanes;

	s->passing = true;
	move_all(&o->delayed, &lanes);
	while (!hf_list_empty(&lanes)) {
		struct hf_lane *lane = pop(&lanes);

		if (!lane->for_credential) {
			put_in_list(s, lane);
			continue;
		}
		lane->for_credential = false;
		lane->wait_reason = HF_REASON_NONE; /* a Retry-After was the endpoint's */
		hf_lane_promote(lane);
	}
	s->passing = passing;
	pass(s);
}

void hf_sync_now(struct hf_sync *s, unsigned origin)
{
	for (unsigned i = 0; i < s->opt.origins_n; i++) {
		if (origin != UINT_MAX && origin != i)
			continue;
		promote(s, i, EDGE_NOW);
		if (is_down(s, i))
			hf_connectivity_poke(s->opt.connectivity, i);
	}
}

/* ---- life ---- */

static int init_origin(struct hf_sync *s, unsigned i)
{
	const struct hf_sync_origin *opt = &s->opt.origins[i];
	struct origin *o = &s->origins[i];

	o->sync = s;
	for (size_t u = 0; u < HF_POLICY_URGENCIES; u++)
		hf_list_init(&o->ready[u]);
	hf_list_init(&o->offline);
	hf_list_init(&o->delayed);
	hf_pace_init(&o->pace, opt->interval_ms, opt->burst ? opt->burst : 1,
		     CONFIG_HF_REPLAY_CONCURRENCY, now_ms(s));
	hf_timer_init(&o->turn, turn_came, o);
	/* Its place in the heap is taken now: setting it later cannot fail. */
	return hf_timerq_set(s->opt.timers, &o->turn, HF_TIMER_NEVER);
}

/* The lanes live on. */
static void finish_origin(struct hf_sync *s, struct origin *o)
{
	struct hf_list *list;

	hf_timerq_clear(s->opt.timers, &o->turn);
	while ((list = first_ready(o)) != NULL)
		hf_list_pop(list);
	while (hf_list_pop(&o->offline) || hf_list_pop(&o->delayed))
		;
}

int hf_sync_create(const struct hf_sync_options *opt, struct hf_sync **out)
{
	struct hf_sync *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return HF_ENOMEM;
	s->opt = *opt;
	hf_list_init(&s->replays);
	s->origins = calloc(opt->origins_n + 1, sizeof(*s->origins));
	if (!s->origins)
		err = HF_ENOMEM;
	while (!err && s->origins_n < opt->origins_n)
		err = init_origin(s, s->origins_n++);
	if (err) {
		hf_sync_destroy(s);
		return err;
	}
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
	for (unsigned i = 0; i < s->origins_n; i++)
		finish_origin(s, &s->origins[i]);
	free(s->origins);
	free(s);
}
