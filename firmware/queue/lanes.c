/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lanes in memory. A lane comes with its first turn and has an id in the
 * store from its first admission on. One that was never stored goes with its
 * last turn. A stored one stays, because the next request is likely to come the
 * same way; when there are too many, the idle one that was used least lately is
 * forgotten, and leaves the store as well when nothing of it is left there.
 */
#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "queue/ahead.h"
#include "queue/queue_private.h"

static unsigned lanes_max(const struct hf_queue *q)
{
	return q->opt.lanes_max ? q->opt.lanes_max : CONFIG_HF_LANES_MAX;
}

/* ---- creating ---- */

static unsigned origin_index(const struct hf_queue *q, struct hf_span name)
{
	for (unsigned i = 0; i < q->opt.origins_n; i++)
		if (hf_span_eq_str(name, q->opt.origin_names[i]))
			return i;
	return HF_ORIGIN_NONE;
}

/* Its time is over: the head of a HELD one has grown too old. */
static void timer_fired(void *user)
{
	struct hf_lane *lane = user;

	hf_lane_timer(lane, HF_TIMER_NEVER);
	if (lane->state == HF_LANE_DELAYED || lane->state == HF_LANE_HELD) {
		lane->state = HF_LANE_IDLE;
		hf_lane_refresh(lane);
	}
}

/* "origin NUL key NUL", for the caller to free. */
static char *make_name(struct hf_span origin, struct hf_span key)
{
	char *name = malloc(origin.len + key.len + 2);

	if (!name)
		return NULL;
	if (origin.len > 0)
		memcpy(name, origin.ptr, origin.len);
	name[origin.len] = '\0';
	if (key.len > 0)
		memcpy(name + origin.len + 1, key.ptr, key.len);
	name[origin.len + 1 + key.len] = '\0';
	return name;
}

/* Takes @name. */
static struct hf_lane *lane_create(struct hf_queue *q, char *name, struct hf_span origin,
				   struct hf_span key)
{
	struct hf_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		goto fail;
	lane->queue = q;
	lane->name = hf_span(name, origin.len + 1 + key.len);
	lane->origin_name = name;
	lane->key = name + origin.len + 1;
	lane->origin = origin_index(q, origin);
	hf_list_init(&lane->admissions);
	hf_list_init(&lane->turns);
	hf_list_init(&lane->ready);
	lane->paused = hf_lane_is_on_hold(lane);
	hf_timer_init(&lane->timer, timer_fired, lane);
	/* Its place in the heap is taken now: setting it later cannot fail. */
	if (hf_timerq_set(q->opt.timers, &lane->timer, HF_TIMER_NEVER))
		goto fail;
	if (hf_strmap_put(&q->by_name, lane->name, lane)) {
		hf_timerq_clear(q->opt.timers, &lane->timer);
		goto fail;
	}
	hf_list_push(&q->lanes, &lane->link);
	q->lanes_n++;
	return lane;
fail:
	free(lane);
	free(name);
	return NULL;
}

/* ---- forgetting ---- */

static void lane_free(struct hf_lane *lane)
{
	hf_timerq_clear(lane->queue->opt.timers, &lane->timer);
	hf_list_remove(&lane->link);
	hf_list_remove(&lane->ready);
	free((char *)lane->name.ptr);
	free(lane);
}

static void lane_forget(struct hf_lane *lane)
{
	struct hf_queue *q = lane->queue;
	uint32_t id = lane->id;

	assert(!lane->wanted);
	hf_strmap_remove(&q->by_name, lane->name);
	if (id)
		hf_strmap_remove(&q->by_id, hf_span(&id, sizeof(id)));
	q->lanes_n--;
	lane_free(lane);
}

static bool is_unused(const struct hf_lane *lane)
{
	return lane->waiting == 0 && lane->inserting == 0 && lane->turns_n == 0 &&
	       lane->users == 0 && !lane->creating && lane->state != HF_LANE_LEASED;
}

void hf_queue_lane_release(struct hf_lane *lane)
{
	if (lane->id == 0 && is_unused(lane))
		lane_forget(lane);
}

bool hf_queue_lane_forget(struct hf_lane *lane)
{
	if (!is_unused(lane) || lane->wanted)
		return false;
	lane_forget(lane);
	return true;
}

/* Makes room for one more. */
static bool forget_one(struct hf_queue *q)
{
	for (struct hf_list *l = q->lanes.next; l != &q->lanes; l = l->next) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);
		uint32_t id = lane->id;

		if (!hf_queue_lane_forget(lane))
			continue;
		if (id)
			hf_queue_removal_begin(q, id);
		return true;
	}
	return false;
}

/* ---- finding ---- */

static void touch(struct hf_lane *lane)
{
	hf_list_remove(&lane->link);
	hf_list_push(&lane->queue->lanes, &lane->link);
}

static int find_or_create(struct hf_queue *q, struct hf_span origin, struct hf_span key,
			  bool limited, struct hf_lane **out)
{
	char *name = make_name(origin, key);

	if (!name)
		return HF_ENOMEM;
	*out = hf_strmap_get(&q->by_name, hf_span(name, origin.len + 1 + key.len));
	if (*out) {
		free(name);
		touch(*out);
		return 0;
	}
	if (limited && q->lanes_n >= lanes_max(q) && !forget_one(q)) {
		free(name);
		return HF_ELIMIT;
	}
	*out = lane_create(q, name, origin, key);
	return *out ? 0 : HF_ENOMEM;
}

struct hf_lane *hf_queue_lane_find(struct hf_queue *q, unsigned origin, const char *key)
{
	struct hf_span name = hf_span_str(q->opt.origin_names[origin]), k = hf_span_str(key);
	char *joined = make_name(name, k);
	struct hf_lane *lane = NULL;

	if (joined)
		lane = hf_strmap_get(&q->by_name, hf_span(joined, name.len + 1 + k.len));
	free(joined);
	return lane;
}

struct hf_lane *hf_queue_lane_next(struct hf_queue *q, unsigned origin, const char *key,
				   struct hf_lane *after)
{
	struct hf_list *l = after ? after->link.next : q->lanes.next;
	size_t n = strlen(key);

	for (; l != &q->lanes; l = l->next) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);

		if (lane->origin == origin && strncmp(lane->key, key, n) == 0 &&
		    (lane->key[n] == '\0' || lane->key[n] == '/' || lane->key[n] == '@'))
			return lane;
	}
	return NULL;
}

struct hf_lane *hf_queue_lane_get(struct hf_queue *q, unsigned origin, const char *key, int *err)
{
	struct hf_lane *lane = NULL;

	*err = find_or_create(q, hf_span_str(q->opt.origin_names[origin]), hf_span_str(key), true,
			      &lane);
	return *err ? NULL : lane;
}

struct hf_lane *hf_queue_lane_by_id(struct hf_queue *q, uint32_t id)
{
	return hf_strmap_get(&q->by_id, hf_span(&id, sizeof(id)));
}

int hf_queue_lane_restore(struct hf_queue *q, struct hf_span origin, struct hf_span key,
			  uint32_t id, struct hf_lane **out)
{
	struct hf_lane *lane;
	int err;

	*out = hf_queue_lane_by_id(q, id);
	if (*out)
		return 0;
	err = find_or_create(q, origin, key, false, &lane);
	/* in memory with another id, or about to get one: not this record's lane */
	if (!err && (lane->id || lane->creating))
		err = HF_ESTATE;
	if (!err)
		err = hf_queue_lane_got_id(lane, id);
	if (err)
		return err;
	*out = lane;
	return 0;
}

void hf_queue_lane_lost_id(struct hf_lane *lane)
{
	uint32_t id = lane->id;

	hf_strmap_remove(&lane->queue->by_id, hf_span(&id, sizeof(id)));
	lane->id = 0;
	lane->next_id = 0;
}

int hf_queue_lane_got_id(struct hf_lane *lane, uint32_t id)
{
	int err = hf_strmap_put(&lane->queue->by_id, hf_span(&id, sizeof(id)), lane);

	if (err)
		return err;
	lane->id = id;
	if (lane->next_id == 0)
		lane->next_id = HF_RECORD_ID(id, UINT64_C(1));
	return 0;
}

/* ---- loading ---- */

static void apply_row(struct hf_lane *lane, const struct hf_lane_row *row)
{
	if (row->head_id) {
		lane->next_id = row->head_id;
		lane->head_created_dev_ms = row->head_state.created_dev_ms;
		lane->urgency = row->head_state.urgency;
	} else {
		lane->next_id = row->tail_id ? row->tail_id + 1 :
					       HF_RECORD_ID(row->id, UINT64_C(1));
	}
	lane->waiting = row->waiting;
	lane->queue->totals.waiting += row->waiting;
}

/* Lanes in which nothing waits come back with their next request. */
static int load_row(struct hf_queue *q, const struct hf_lane_row *row)
{
	struct hf_lane *lane = hf_queue_lane_by_id(q, row->id);
	int err = 0;

	if (!lane && row->waiting == 0)
		return 0;
	if (!lane) {
		err = hf_queue_lane_restore(q, row->origin, row->key, row->id, &lane);
		if (!err)
			lane->resumed = true;
	}
	if (err)
		return err;
	apply_row(lane, row);
	if (lane->origin == HF_ORIGIN_NONE && lane->waiting > 0)
		hf_log(q->opt.log, HF_LOG_WARNING, "queue.origin_gone",
		       "origin=%s lane=%s waiting=%llu", lane->origin_name, lane->key,
		       (unsigned long long)lane->waiting);
	return 0;
}

/* What is in memory is forgotten, but who uses it stays. */
static void clear_counts(struct hf_queue *q)
{
	for (struct hf_list *l = q->lanes.next; l != &q->lanes; l = l->next) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);

		lane->waiting = 0;
		lane->held = 0;
		lane->passed = false;
	}
	q->totals.waiting = 0;
	q->totals.held = 0;
}

static void look_again(struct hf_queue *q)
{
	for (struct hf_list *l = q->lanes.next; l != &q->lanes; l = l->next) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);

		if (lane->state == HF_LANE_HELD)
			lane->state = HF_LANE_IDLE;
		hf_lane_refresh(lane);
	}
}

static void load(struct hf_queue *q);

static void lanes_loaded(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	void (*done)(void *user, int err) = q->loaded;

	q->loading = false;
	q->loaded = NULL;
	if (!err)
		clear_counts(q);
	for (size_t i = 0; i < q->load.n && !err; i++)
		err = load_row(q, &q->load.rows[i]);
	hf_store_lanes_finish(&q->load);
	if (err)
		hf_log(q->opt.log, HF_LOG_ERROR, "queue.lanes_not_read", "err=%s", hf_errname(err));
	look_again(q);
	if (!err) {
		hf_queue_count_held(q);
		hf_queue_expiry_start(q);
		hf_queue_dependents_start(q);
	}
	if (done)
		done(q->loaded_user, err);
	if (q->load_again)
		load(q);
}

static void load(struct hf_queue *q)
{
	q->loading = true;
	q->load_again = false;
	q->load.op.done = lanes_loaded;
	q->load.op.user = q;
	hf_store_lanes(q->opt.store, &q->load);
}

static void holds_loaded(struct hf_queue *q, int err)
{
	if (!err) {
		load(q);
		return;
	}
	q->loading = false;
	hf_log(q->opt.log, HF_LOG_ERROR, "queue.holds_not_read", "err=%s", hf_errname(err));
	q->loaded(q->loaded_user, err);
}

void hf_queue_load(struct hf_queue *q, void (*done)(void *user, int err), void *user)
{
	assert(!q->loading);
	q->loading = true;
	q->loaded = done;
	q->loaded_user = user;
	hf_queue_holds_load(q, holds_loaded);
}

void hf_queue_reload(struct hf_queue *q)
{
	if (q->loading)
		q->load_again = true;
	else
		load(q);
}

/* ---- closing down ---- */

void hf_queue_lanes_finish(struct hf_queue *q)
{
	hf_ahead_finish(q);
	hf_queue_displacing_finish(q);
	hf_queue_removals_finish(q);
	while (!hf_list_empty(&q->lanes))
		lane_free(hf_container_of(q->lanes.next, struct hf_lane, link));
	hf_store_lanes_finish(&q->load);
	hf_strmap_finish(&q->by_name);
	hf_strmap_finish(&q->by_id);
}
