/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/firing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "queue/lane.h"
#include "sync/errand.h"

#define REPLAY_LOOK_MS 100 /* how often the lanes of a replay are looked at */

struct hf_firing {
	const struct hf_firing_world *world;
	struct hf_firing_job job;
	char id[HF_FIRING_ID_LEN + 1];
	char key[48];
	uint64_t until_ms;
	struct hf_timer timer;
	struct hf_errand *errand;
	size_t refreshed; /* targets that are done */
	bool over;
	struct hf_firing_end end; /* when over */
	void (*done)(void *user, const struct hf_firing_end *end);
	void *user;
};

static uint64_t now_ms(const struct hf_firing *f)
{
	return f->world->sync->port->boottime_ms(f->world->sync->port);
}

static void release(struct hf_firing *f)
{
	hf_timerq_clear(f->world->sync->timers, &f->timer);
	hf_errand_destroy(f->errand);
	free(f);
}

static void finish(struct hf_firing *f)
{
	struct hf_firing_end end = f->end;

	f->done(f->user, &end);
	release(f);
}

static void look_at(struct hf_firing *f, uint64_t at_ms)
{
	hf_timerq_set(f->world->sync->timers, &f->timer, at_ms); /* is set: can be moved */
}

static void end_later(struct hf_firing *f, enum hf_tag_event event, enum hf_tag_why why)
{
	f->over = true;
	f->end.event = event;
	f->end.why = why;
	look_at(f, now_ms(f));
}

/* ---- refresh, request ---- */

static int next_errand(struct hf_firing *f);

static void errand_done(void *user, const struct hf_errand_end *end)
{
	struct hf_firing *f = user;

	f->errand = NULL;
	f->end.status = end->status;
	f->end.delay_ms = end->delay_ms;
	if (end->offline)
		end_later(f, HF_TAG_OFFLINE, HF_TAG_WHY_NETWORK);
	else if (end->delivered && ++f->refreshed < f->job.action->refresh_n)
		next_errand(f);
	else if (end->delivered)
		end_later(f, HF_TAG_SUCCESS, HF_TAG_WHY_NONE);
	else if (end->delay_ms)
		end_later(f, HF_TAG_FAILURE, HF_TAG_WHY_RETRY_AFTER);
	else
		end_later(f, HF_TAG_FAILURE,
			  end->status ? HF_TAG_WHY_ANSWER : HF_TAG_WHY_CONNECTION);
}

static int next_errand(struct hf_firing *f)
{
	const struct hf_sync_action *a = f->job.action;
	struct hf_errand_job job = { .origin = f->job.origin, .method = "GET" };
	int err;

	if (a->kind == HF_SYNC_REFRESH) {
		job.target = a->refresh[f->refreshed];
		job.refresh = true;
	} else {
		job.method = a->method;
		job.target = a->target;
		job.body = a->body;
		job.fields = a->fields;
		job.fields_n = a->fields_n;
		job.key = hf_span_str(f->key);
	}
	err = hf_errand_start(f->world->sync, &job, errand_done, f, &f->errand);
	if (err)
		end_later(f, HF_TAG_OFFLINE, HF_TAG_WHY_NETWORK);
	return err;
}

/* ---- replay ---- */

/* What the lane says of the event; NONE: it goes on. */
static enum hf_tag_why look_at_lane(struct hf_firing *f, const struct hf_lane *lane, bool *busy)
{
	uint64_t now = now_ms(f);

	if (lane->waiting == 0 && lane->inserting == 0)
		return HF_TAG_WHY_NONE;
	*busy = true;
	switch ((enum hf_lane_state)lane->state) {
	case HF_LANE_DELAYED:
		if (!hf_reason_binds(lane->wait_reason))
			return HF_TAG_WHY_CONNECTION;
		f->end.delay_ms = lane->not_before_ms > now ? lane->not_before_ms - now : 1;
		return HF_TAG_WHY_RETRY_AFTER;
	case HF_LANE_OFFLINE:
		return HF_TAG_WHY_NETWORK;
	case HF_LANE_HELD:
	case HF_LANE_PAUSED:
		return HF_TAG_WHY_HELD;
	case HF_LANE_IDLE:
	case HF_LANE_READY:
	case HF_LANE_LEASED:
		break;
	}
	return HF_TAG_WHY_NONE;
}

/* Goes over the lanes of the tag's routes. */
struct lane_walk {
	struct hf_firing *f;
	unsigned n; /* names taken */
	const char *name;
	bool family;
	struct hf_lane *lane;
};

static struct hf_lane *next_lane(struct lane_walk *w)
{
	struct hf_firing *f = w->f;
	struct hf_queue *q = f->world->sync->queue;

	for (;;) {
		if (w->name && w->family)
			w->lane = hf_queue_lane_next(q, f->job.origin, w->name, w->lane);
		else if (w->name)
			w->lane = w->lane ? NULL : hf_queue_lane_find(q, f->job.origin, w->name);
		if (w->lane)
			return w->lane;
		w->family = false;
		w->name = f->world->lane(f->world->user, f->job.worker, f->job.tag, w->n++,
					 &w->family);
		if (!w->name)
			return NULL;
	}
}

static void watch_lanes(struct hf_firing *f)
{
	enum hf_tag_why why = HF_TAG_WHY_NONE;
	struct lane_walk walk = { .f = f };
	const struct hf_lane *lane;
	bool busy = false;

	while (why == HF_TAG_WHY_NONE && (lane = next_lane(&walk)) != NULL)
		why = look_at_lane(f, lane, &busy);
	if (why == HF_TAG_WHY_NETWORK)
		end_later(f, HF_TAG_OFFLINE, why);
	else if (why != HF_TAG_WHY_NONE)
		end_later(f, HF_TAG_FAILURE, why);
	else if (!busy)
		end_later(f, HF_TAG_SUCCESS, why);
	else
		look_at(f, now_ms(f) + REPLAY_LOOK_MS);
}

static void promote_lanes(struct hf_firing *f)
{
	struct lane_walk walk = { .f = f };
	struct hf_lane *lane;

	while ((lane = next_lane(&walk)) != NULL)
		if (lane->state == HF_LANE_DELAYED)
			hf_lane_promote(lane);
	look_at(f, now_ms(f) + REPLAY_LOOK_MS);
}

/* ---- life ---- */

static void on_timer(void *user)
{
	struct hf_firing *f = user;

	if (f->over) {
		finish(f);
	} else if (now_ms(f) >= f->until_ms) {
		f->end = (struct hf_firing_end){ HF_TAG_FAILURE, HF_TAG_WHY_TIMEOUT, 0, 0 };
		finish(f);
	} else if (f->job.action->kind == HF_SYNC_REPLAY) {
		hf_timerq_set(f->world->sync->timers, &f->timer, f->until_ms);
		watch_lanes(f);
	} else {
		hf_timerq_set(f->world->sync->timers, &f->timer, f->until_ms);
	}
}

static int begin(struct hf_firing *f)
{
	uint64_t random[2];
	struct hf_port *port = f->world->sync->port;
	int err = port->entropy(port, random, sizeof(random));

	snprintf(f->id, sizeof(f->id), "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
	snprintf(f->key, sizeof(f->key), "sync-%016" PRIx64 "-%" PRIu32, f->job.key,
		 f->job.generation);
	f->until_ms = now_ms(f) + f->job.action->time_limit_s * UINT64_C(1000);
	if (!err)
		err = hf_timerq_set(f->world->sync->timers, &f->timer, f->until_ms);
	if (err)
		return err;
	switch (f->job.action->kind) {
	case HF_SYNC_PAGE:
		break; /* the event has been told */
	case HF_SYNC_REPLAY:
		promote_lanes(f);
		break;
	case HF_SYNC_REFRESH:
	case HF_SYNC_REQUEST:
		next_errand(f);
		break;
	}
	return 0;
}

int hf_firing_start(const struct hf_firing_world *world, const struct hf_firing_job *job,
		    void (*done)(void *user, const struct hf_firing_end *end), void *user,
		    struct hf_firing **out)
{
	struct hf_firing *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return HF_ENOMEM;
	f->world = world;
	f->job = *job;
	f->done = done;
	f->user = user;
	hf_timer_init(&f->timer, on_timer, f);
	err = begin(f);
	if (err) {
		release(f);
		return err;
	}
	*out = f;
	return 0;
}

void hf_firing_destroy(struct hf_firing *f)
{
	if (f)
		release(f);
}

uint64_t hf_firing_left_ms(const struct hf_firing *f)
{
	return f->until_ms > now_ms(f) ? f->until_ms - now_ms(f) : 0;
}

const char *hf_firing_id(const struct hf_firing *f)
{
	return f->id;
}

int hf_firing_settle(struct hf_firing *f, bool success)
{
	if (f->job.action->kind != HF_SYNC_PAGE || f->over)
		return HF_ESTATE;
	if (success)
		end_later(f, HF_TAG_SUCCESS, HF_TAG_WHY_NONE);
	else
		end_later(f, HF_TAG_FAILURE, HF_TAG_WHY_PAGE);
	return 0;
}

const char *hf_firing_kind_name(enum hf_sync_kind kind)
{
	switch (kind) {
	case HF_SYNC_PAGE:
		return "page";
	case HF_SYNC_REPLAY:
		return "replay";
	case HF_SYNC_REFRESH:
		return "refresh";
	case HF_SYNC_REQUEST:
		return "request";
	}
	return "page";
}
