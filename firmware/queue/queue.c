/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue as a whole: its lanes, its counts, and who is told of changes.
 */
#include "queue/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

int hf_queue_create(const struct hf_queue_options *opt, struct hf_queue **out)
{
	struct hf_queue *q = calloc(1, sizeof(*q));
	uint64_t seed[2] = { hf_rand_u64(opt->rand), hf_rand_u64(opt->rand) };

	if (!q)
		return HF_ENOMEM;
	q->opt = *opt;
	q->boot_ms = opt->port->boottime_ms(opt->port);
	hf_list_init(&q->lanes);
	hf_list_init(&q->watches);
	hf_strmap_init(&q->by_name, seed);
	hf_strmap_init(&q->by_id, seed);
	*out = q;
	return 0;
}

static void lane_destroy(struct hf_lane *lane)
{
	struct hf_queue *q = lane->queue;

	hf_timerq_clear(q->opt.timers, &lane->timer);
	hf_list_remove(&lane->link);
	hf_list_remove(&lane->ready);
	free(lane->origin_name);
	free(lane->key);
	free(lane);
}

void hf_queue_destroy(struct hf_queue *q)
{
	if (!q)
		return;
	while (!hf_list_empty(&q->lanes))
		lane_destroy(hf_container_of(q->lanes.next, struct hf_lane, link));
	hf_strmap_finish(&q->by_name);
	hf_strmap_finish(&q->by_id);
	free(q);
}

uint64_t hf_queue_device_ms(const struct hf_queue *q)
{
	return q->opt.device_ms + (q->opt.port->boottime_ms(q->opt.port) - q->boot_ms);
}

struct hf_list *hf_queue_lanes(struct hf_queue *q)
{
	return &q->lanes;
}

struct hf_port *hf_queue_port(struct hf_queue *q)
{
	return q->opt.port;
}

/* ---- lanes ---- */

/* "origin NUL key" in @arena-like memory of the caller. */
static struct hf_span lane_name(struct hf_span origin, struct hf_span key, char *out)
{
	memcpy(out, origin.ptr, origin.len);
	out[origin.len] = 0;
	if (key.len > 0)
		memcpy(out + origin.len + 1, key.ptr, key.len);
	return hf_span(out, origin.len + 1 + key.len);
}

static struct hf_lane *lane_find(struct hf_queue *q, struct hf_span origin, struct hf_span key,
				 bool remove)
{
	char *name = malloc(origin.len + key.len + 2);
	struct hf_lane *lane;
	struct hf_span span;

	if (!name)
		return NULL;
	span = lane_name(origin, key, name);
	lane = remove ? hf_strmap_remove(&q->by_name, span) : hf_strmap_get(&q->by_name, span);
	free(name);
	return lane;
}

static unsigned origin_index(const struct hf_queue *q, struct hf_span name)
{
	for (unsigned i = 0; i < q->opt.origins_n; i++)
		if (hf_span_eq_str(name, q->opt.origin_names[i]))
			return i;
	return HF_ORIGIN_NONE;
}

static void delay_over(void *user)
{
	struct hf_lane *lane = user;

	if (lane->state == HF_LANE_DELAYED) {
		lane->state = HF_LANE_IDLE;
		hf_lane_refresh(lane);
	}
}

static struct hf_lane *lane_create(struct hf_queue *q, struct hf_span origin, struct hf_span key)
{
	struct hf_lane *lane = calloc(1, sizeof(*lane));
	char *name = malloc(origin.len + key.len + 2);

	if (!lane || !name)
		goto fail;
	lane->queue = q;
	lane->origin_name = hf_span_dup(origin);
	lane->key = hf_span_dup(key);
	lane->origin = origin_index(q, origin);
	if (!lane->origin_name || !lane->key ||
	    hf_strmap_put(&q->by_name, lane_name(origin, key, name), lane))
		goto fail;
	hf_list_init(&lane->admissions);
	hf_list_init(&lane->turns);
	hf_list_init(&lane->ready);
	hf_timer_init(&lane->timer, delay_over, lane);
	hf_list_push(&q->lanes, &lane->link);
	q->lanes_n++;
	free(name);
	return lane;
fail:
	if (lane) {
		free(lane->origin_name);
		free(lane->key);
	}
	free(lane);
	free(name);
	return NULL;
}

struct hf_lane *hf_queue_lane_get(struct hf_queue *q, unsigned origin, const char *key, int *err)
{
	struct hf_span origin_name = hf_span_str(q->opt.origin_names[origin]);
	struct hf_lane *lane = lane_find(q, origin_name, hf_span_str(key), false);

	if (lane)
		return lane;
	*err = HF_ELIMIT;
	if (q->lanes_n >= CONFIG_HF_LANES_MAX)
		return NULL;
	*err = HF_ENOMEM;
	return lane_create(q, origin_name, hf_span_str(key));
}

struct hf_lane *hf_queue_lane_by_id(struct hf_queue *q, uint32_t id)
{
	return hf_strmap_get(&q->by_id, hf_span(&id, sizeof(id)));
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

bool hf_lane_has_backlog(const struct hf_lane *lane)
{
	return lane->waiting > 0 || lane->inserting > 0 || lane->state == HF_LANE_LEASED;
}

void hf_queue_lane_release(struct hf_lane *lane)
{
	struct hf_queue *q = lane->queue;

	if (lane->id != 0 || lane->users || lane->live || lane->creating || hf_lane_has_backlog(lane) ||
	    !hf_list_empty(&lane->turns) || !hf_list_empty(&lane->admissions))
		return;
	lane_find(q, hf_span_str(lane->origin_name), hf_span_str(lane->key), true);
	q->lanes_n--;
	lane_destroy(lane);
}

/* ---- scheduling state ---- */

void hf_lane_refresh(struct hf_lane *lane)
{
	struct hf_queue *q = lane->queue;

	if (lane->state == HF_LANE_LEASED || lane->state == HF_LANE_DELAYED ||
	    lane->state == HF_LANE_OFFLINE || lane->state == HF_LANE_HELD) {
		if (lane->state == HF_LANE_LEASED || lane->waiting > 0)
			return;
		hf_timerq_clear(q->opt.timers, &lane->timer);
	}
	if (lane->waiting == 0 || lane->origin == HF_ORIGIN_NONE) {
		lane->state = HF_LANE_IDLE;
		lane->head_created_dev_ms = 0;
		hf_list_remove(&lane->ready);
	} else {
		lane->state = HF_LANE_READY;
	}
	q->opt.on_lane(q->opt.user, lane);
}

void hf_lane_delay(struct hf_lane *lane, uint64_t delay_ms, enum hf_reason reason)
{
	struct hf_queue *q = lane->queue;
	uint64_t now = q->opt.port->boottime_ms(q->opt.port);

	hf_list_remove(&lane->ready);
	lane->state = HF_LANE_DELAYED;
	lane->wait_reason = (uint8_t)reason;
	lane->not_before_ms = now + delay_ms;
	if (hf_timerq_set(q->opt.timers, &lane->timer, lane->not_before_ms))
		lane->state = HF_LANE_READY; /* no memory for a timer: no delay either */
	q->opt.on_lane(q->opt.user, lane);
}

void hf_lane_offline(struct hf_lane *lane, enum hf_reason reason)
{
	hf_list_remove(&lane->ready);
	lane->state = HF_LANE_OFFLINE;
	lane->wait_reason = (uint8_t)reason;
	lane->queue->opt.on_lane(lane->queue->opt.user, lane);
}

void hf_lane_promote(struct hf_lane *lane)
{
	if (lane->state == HF_LANE_DELAYED && lane->wait_reason == HF_REASON_RETRY_AFTER)
		return;
	if (lane->state != HF_LANE_OFFLINE && lane->state != HF_LANE_DELAYED)
		return;
	hf_timerq_clear(lane->queue->opt.timers, &lane->timer);
	lane->state = HF_LANE_IDLE;
	hf_lane_refresh(lane);
}

/* ---- loading ---- */

static int load_lane(struct hf_queue *q, const struct hf_lane_row *row)
{
	struct hf_lane *lane = lane_create(q, row->origin, row->key);
	int err;

	if (!lane)
		return HF_ENOMEM;
	err = hf_queue_lane_got_id(lane, row->id);
	if (err)
		return err;
	if (row->head_id) {
		lane->next_id = row->head_id;
		lane->waiting = row->waiting;
		lane->head_created_dev_ms = row->head_state.created_dev_ms;
	} else if (row->tail_id) {
		lane->next_id = row->tail_id + 1;
	}
	q->totals.waiting += lane->waiting;
	if (lane->origin == HF_ORIGIN_NONE && lane->waiting > 0)
		hf_log(q->opt.log, HF_LOG_WARNING, "queue.origin_gone",
		       "origin=%s lane=%s waiting=%llu", lane->origin_name, lane->key,
		       (unsigned long long)lane->waiting);
	return 0;
}

static void lanes_loaded(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;

	for (size_t i = 0; i < q->load.n && !err; i++)
		err = load_lane(q, &q->load.rows[i]);
	hf_store_lanes_finish(&q->load);
	if (!err)
		for (struct hf_list *l = q->lanes.next; l != &q->lanes; l = l->next)
			hf_lane_refresh(hf_container_of(l, struct hf_lane, link));
	q->loaded(q->loaded_user, err);
}

void hf_queue_load(struct hf_queue *q, void (*done)(void *user, int err), void *user)
{
	q->loaded = done;
	q->loaded_user = user;
	q->load.op.done = lanes_loaded;
	q->load.op.user = q;
	hf_store_lanes(q->opt.store, &q->load);
}

/* ---- changes ---- */

static bool waits(uint8_t status)
{
	return status == HF_RECORD_QUEUED || status == HF_RECORD_HELD;
}

static void count(struct hf_queue *q, struct hf_lane *lane, uint8_t before, uint8_t after)
{
	if (!waits(before) && waits(after)) {
		lane->waiting++;
		q->totals.waiting++;
	} else if (waits(before) && !waits(after)) {
		lane->waiting -= lane->waiting > 0;
		q->totals.waiting -= q->totals.waiting > 0;
	}
	if (before != HF_RECORD_HELD && after == HF_RECORD_HELD) {
		lane->held++;
		q->totals.held++;
	} else if (before == HF_RECORD_HELD && after != HF_RECORD_HELD) {
		lane->held -= lane->held > 0;
		q->totals.held -= q->totals.held > 0;
	}
	if (before == 0)
		q->totals.accepted++;
	q->totals.delivered += after == HF_RECORD_SETTLED;
	q->totals.dead += after == HF_RECORD_DEAD;
	q->totals.cancelled += after == HF_RECORD_CANCELLED;
}

void hf_queue_changed(struct hf_queue *q, struct hf_lane *lane, uint8_t status_before,
		      const struct hf_queue_event *event)
{
	struct hf_list *it, *tmp;

	count(q, lane, status_before, event->state->status);
	hf_list_for (it, tmp, &q->watches) {
		struct hf_watch *w = hf_container_of(it, struct hf_watch, link);

		if (w->id == event->id)
			w->changed(w, event);
	}
	q->opt.on_event(q->opt.user, event);
}

void hf_queue_watch(struct hf_queue *q, struct hf_watch *w)
{
	hf_list_push(&q->watches, &w->link);
}

void hf_queue_unwatch(struct hf_watch *w)
{
	hf_list_remove(&w->link);
}

/* ---- look-up ---- */

int hf_queue_find(struct hf_queue *q, struct hf_span text, bool head_only, struct hf_store_load *l)
{
	int err = hf_record_id_parse(text, &l->id);

	if (err)
		return err;
	l->next = false;
	l->head_only = head_only;
	hf_store_load(q->opt.store, l);
	return 0;
}

bool hf_queue_found(const struct hf_store_load *l, struct hf_span text)
{
	char id[HF_ULID_LEN + 1];

	hf_record_id_format(l->id, &l->state, id);
	return hf_span_ieq_str(text, id);
}

/* ---- figures ---- */

static const char *lane_state_name(const struct hf_lane *lane)
{
	if (lane->origin == HF_ORIGIN_NONE)
		return "no-origin";
	switch ((enum hf_lane_state)lane->state) {
	case HF_LANE_IDLE:
		return "idle";
	case HF_LANE_READY:
	case HF_LANE_LEASED:
		return "sending";
	case HF_LANE_DELAYED:
		return "waiting";
	case HF_LANE_OFFLINE:
		return "offline";
	case HF_LANE_HELD:
		return "held";
	}
	return "unknown";
}

static uint64_t lane_next_attempt(const struct hf_lane *lane, uint64_t now)
{
	switch ((enum hf_lane_state)lane->state) {
	case HF_LANE_READY:
	case HF_LANE_LEASED:
		return 0;
	case HF_LANE_DELAYED:
		return lane->not_before_ms > now ? lane->not_before_ms - now : 0;
	case HF_LANE_IDLE:
	case HF_LANE_OFFLINE:
	case HF_LANE_HELD:
		break;
	}
	return UINT64_MAX;
}

int hf_queue_each_lane(struct hf_queue *q,
		       int (*each)(void *user, const struct hf_lane_figures *f), void *user)
{
	uint64_t now = q->opt.port->boottime_ms(q->opt.port);
	uint64_t device = hf_queue_device_ms(q);
	int ret = 0;

	for (struct hf_list *l = q->lanes.next; l != &q->lanes && !ret; l = l->next) {
		const struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);
		struct hf_lane_figures f = {
			.origin = hf_span_str(lane->origin_name),
			.key = hf_span_str(lane->key),
			.waiting = lane->waiting,
			.held = lane->held,
			.next_attempt_ms = lane_next_attempt(lane, now),
			.state = lane_state_name(lane),
		};

		if (lane->waiting && lane->head_created_dev_ms &&
		    device > lane->head_created_dev_ms)
			f.oldest_age_ms = device - lane->head_created_dev_ms;
		ret = each(user, &f);
	}
	return ret;
}

void hf_queue_totals(const struct hf_queue *q, struct hf_queue_totals *out)
{
	*out = q->totals;
}

uint64_t hf_queue_next_attempt_ms(const struct hf_queue *q, uint64_t id)
{
	struct hf_lane *lane = hf_queue_lane_by_id((struct hf_queue *)q, HF_RECORD_LANE(id));

	if (!lane || lane->next_id > id)
		return UINT64_MAX;
	return lane_next_attempt(lane, q->opt.port->boottime_ms(q->opt.port));
}
