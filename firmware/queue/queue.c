/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue as a whole: its lanes, its counts, and who is told of changes.
 */
#include "queue/queue.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

static void init_quotas(struct hf_queue *q)
{
	const struct {
		struct hf_log_quota *quota;
		enum hf_log_level level;
		const char *event;
	} all[] = {
		{ &q->refused, HF_LOG_WARNING, "queue.refused" },
		{ &q->answer_cut, HF_LOG_WARNING, "queue.answer_cut" },
		{ &q->answers_dropped, HF_LOG_WARNING, "queue.answers_dropped" },
		{ &q->cancelled, HF_LOG_INFO, "queue.cancelled" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		hf_log_quota_init(all[i].quota, q->opt.log, all[i].level, all[i].event,
				  q->opt.timers);
}

int hf_queue_create(const struct hf_queue_options *opt, struct hf_queue **out)
{
	struct hf_queue *q = calloc(1, sizeof(*q));
	uint64_t seed[2] = { hf_rand_u64(opt->rand), hf_rand_u64(opt->rand) };
	int err;

	if (!q)
		return HF_ENOMEM;
	q->opt = *opt;
	q->boot_ms = opt->port->boottime_ms(opt->port);
	hf_list_init(&q->lanes);
	hf_list_init(&q->watches);
	hf_list_init(&q->admissions);
	hf_list_init(&q->changes);
	hf_list_init(&q->removals);
	hf_list_init(&q->aheads);
	hf_list_init(&q->displacing);
	init_quotas(q);
	err = hf_queue_holds_init(q);
	hf_queue_count_held_init(q);
	hf_queue_expiry_init(q);
	hf_queue_dependents_init(q);
	hf_strmap_init(&q->by_name, seed);
	hf_strmap_init(&q->by_id, seed);
	q->of_origin = calloc(opt->origins_n + 1, sizeof(*q->of_origin));
	if (err || !q->of_origin) {
		hf_queue_destroy(q);
		return HF_ENOMEM;
	}
	*out = q;
	return 0;
}

void hf_queue_abandon(struct hf_queue *q)
{
	q->closing = true;
	while (!hf_list_empty(&q->admissions))
		hf_admission_abandon(
			hf_container_of(q->admissions.next, struct hf_admission, pending));
	while (!hf_list_empty(&q->changes))
		hf_change_abandon(hf_container_of(q->changes.next, struct hf_queue_change, link));
	hf_queue_holds_abandon(q);
}

void hf_queue_destroy(struct hf_queue *q)
{
	if (!q)
		return;
	hf_queue_count_held_finish(q);
	hf_queue_expiry_finish(q);
	hf_queue_release_finish(q);
	hf_queue_dependents_finish(q);
	hf_queue_lanes_finish(q);
	hf_queue_holds_finish(q);
	hf_log_quota_finish(&q->refused);
	hf_log_quota_finish(&q->answer_cut);
	hf_log_quota_finish(&q->answers_dropped);
	hf_log_quota_finish(&q->cancelled);
	hf_spare_finish(&q->blocks);
	free(q->of_origin);
	free(q);
}

uint64_t hf_queue_device_ms(const struct hf_queue *q)
{
	return q->opt.device_ms + (q->opt.port->boottime_ms(q->opt.port) - q->boot_ms);
}

unsigned hf_queue_origins(const struct hf_queue *q)
{
	return q->opt.origins_n;
}

struct hf_span hf_queue_origin_name(const struct hf_queue *q, unsigned i)
{
	assert(i < q->opt.origins_n);
	return hf_span_str(q->opt.origin_names[i]);
}

/* ---- scheduling state ---- */

bool hf_lane_has_backlog(const struct hf_lane *lane)
{
	if (lane->inserting > 0 || lane->paused || lane->state == HF_LANE_LEASED)
		return true;
	return lane->waiting > 0 && (lane->state != HF_LANE_HELD || lane->blocked);
}

void hf_lane_timer(struct hf_lane *lane, uint64_t due_ms)
{
	int err = hf_timerq_set(lane->queue->opt.timers, &lane->timer, due_ms);

	assert(!err); /* it has its place since the lane was made */
	(void)err;
}

void hf_lane_refresh(struct hf_lane *lane)
{
	struct hf_queue *q = lane->queue;

	if (lane->state == HF_LANE_LEASED)
		return;
	if (lane->waiting > 0 && lane->state != HF_LANE_IDLE && lane->state != HF_LANE_READY)
		return;
	hf_lane_timer(lane, HF_TIMER_NEVER);
	if (lane->waiting == 0 || lane->origin == HF_ORIGIN_NONE) {
		lane->state = HF_LANE_IDLE;
		lane->passed &= lane->waiting > 0;
	} else {
		lane->state = lane->paused ? HF_LANE_PAUSED : HF_LANE_READY;
	}
	q->opt.on_lane(q->opt.user, lane);
}

void hf_lane_delay(struct hf_lane *lane, uint64_t delay_ms, enum hf_reason reason)
{
	struct hf_queue *q = lane->queue;

	lane->state = HF_LANE_IDLE;
	if (lane->waiting == 0) {
		hf_lane_refresh(lane);
		return;
	}
	lane->state = HF_LANE_DELAYED;
	lane->wait_reason = (uint8_t)reason;
	lane->not_before_ms = q->opt.port->boottime_ms(q->opt.port) + delay_ms;
	hf_lane_timer(lane, lane->not_before_ms);
	q->opt.on_lane(q->opt.user, lane);
}

void hf_lane_offline(struct hf_lane *lane, enum hf_reason reason)
{
	struct hf_queue *q = lane->queue;

	lane->state = HF_LANE_IDLE;
	if (lane->waiting == 0 || lane->paused) {
		hf_lane_refresh(lane);
		return;
	}
	hf_lane_timer(lane, HF_TIMER_NEVER);
	lane->state = HF_LANE_OFFLINE;
	lane->wait_reason = (uint8_t)reason;
	q->opt.on_lane(q->opt.user, lane);
}

void hf_lane_promote(struct hf_lane *lane)
{
	if (lane->state == HF_LANE_DELAYED && hf_reason_binds(lane->wait_reason))
		return;
	if (lane->state != HF_LANE_OFFLINE && lane->state != HF_LANE_DELAYED)
		return;
	lane->state = HF_LANE_IDLE;
	hf_lane_refresh(lane);
}

/* ---- changes ---- */

static bool waits(uint8_t status)
{
	return status == HF_RECORD_QUEUED || status == HF_RECORD_HELD;
}

static void count_held(struct hf_queue *q, struct hf_lane *lane, uint8_t before, uint8_t after)
{
	if (before != HF_RECORD_HELD && after == HF_RECORD_HELD) {
		lane->held++;
		q->totals.held++;
	} else if (before == HF_RECORD_HELD && after != HF_RECORD_HELD) {
		lane->held -= lane->held > 0;
		q->totals.held -= q->totals.held > 0;
	}
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
}

static void count_since_start(struct hf_queue_totals *t, uint8_t before, uint8_t after)
{
	t->accepted += before == 0;
	t->delivered += after == HF_RECORD_SETTLED;
	t->dead += after == HF_RECORD_DEAD;
	t->cancelled += after == HF_RECORD_CANCELLED;
}

void hf_queue_changed(struct hf_queue *q, struct hf_lane *lane, uint8_t status_before,
		      const struct hf_queue_event *event)
{
	struct hf_list *it, *tmp, *next, told;

	count(q, lane, status_before, event->state->status);
	if (!waits(event->state->status))
		lane->progress_ms = q->opt.port->boottime_ms(q->opt.port);
	count_since_start(&q->totals, status_before, event->state->status);
	if (lane->origin != HF_ORIGIN_NONE)
		count_since_start(&q->of_origin[lane->origin], status_before, event->state->status);
	if (event->id <= q->held_upto)
		count_held(q, lane, status_before, event->state->status);
	/* One that is told may end others. */
	hf_list_init(&told);
	hf_list_for(it, tmp, &q->watches) {
		if (hf_container_of(it, struct hf_watch, link)->id != event->id)
			continue;
		hf_list_remove(it);
		hf_list_push(&told, it);
	}
	while ((next = hf_list_pop(&told)) != NULL) {
		struct hf_watch *w = hf_container_of(next, struct hf_watch, link);

		hf_list_push(&q->watches, next);
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
	const struct hf_record_state *s = &l->state;
	char id[HF_ULID_LEN + 1];

	/* A salvage has found its answer alone: the rest of the id is not known. */
	if (s->tag == 0 && s->created_dev_ms == 0 && s->created_wall_ms == 0)
		return true;
	hf_record_id_format(l->id, s, id);
	return hf_span_ieq_str(text, id);
}

/* It does not say so itself, after damage: its lane's, or the only one's. */
static bool is_in_lane_of(const struct hf_queue *q, uint64_t id, struct hf_span origin)
{
	struct hf_lane *lane = hf_queue_lane_by_id((struct hf_queue *)q, HF_RECORD_LANE(id));

	return lane ? hf_span_eq_str(origin, lane->origin_name) : q->opt.origins_n == 1;
}

bool hf_queue_is_for(const struct hf_queue *q, const struct hf_store_load *l, struct hf_span origin)
{
	const struct hf_buf *from = l->head.len > 0 ? &l->head : &l->summary;
	struct hf_record_head head;
	struct hf_arena arena;
	bool is;

	if (!origin.ptr)
		return true;
	hf_arena_init(&arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	if (hf_record_head_decode(hf_buf_span(from), &arena, &head) == 0)
		is = hf_span_eq(head.origin, origin);
	else
		is = is_in_lane_of(q, l->id, origin);
	hf_arena_finish(&arena);
	return is;
}

bool hf_queue_replaced_by(const struct hf_store_load *l, char out[HF_ULID_LEN + 1])
{
	if (l->replaced_by)
		hf_record_id_format(l->replaced_by, &l->replaced_state, out);
	return l->replaced_by != 0;
}

/* ---- figures ---- */

static const char *lane_state_name(const struct hf_lane *lane)
{
	if (lane->origin == HF_ORIGIN_NONE)
		return "no-origin";
	if (lane->paused && lane->state != HF_LANE_LEASED)
		return "paused";
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
		return lane->blocked && lane->wait_reason == HF_REASON_AFTER ? "after" : "held";
	case HF_LANE_PAUSED:
		return "paused";
	}
	return "unknown";
}

static const char *lane_reason_name(const struct hf_lane *lane)
{
	bool waits_for = lane->state == HF_LANE_DELAYED || lane->state == HF_LANE_OFFLINE ||
			 lane->state == HF_LANE_HELD;

	if (lane->paused && lane->state != HF_LANE_LEASED)
		return "operator";
	return waits_for && lane->wait_reason ? hf_reason_name(lane->wait_reason) : NULL;
}

static uint64_t lane_next_attempt(const struct hf_lane *lane, uint64_t now)
{
	if (lane->paused && lane->state != HF_LANE_LEASED)
		return UINT64_MAX;
	switch ((enum hf_lane_state)lane->state) {
	case HF_LANE_READY:
	case HF_LANE_LEASED:
		return 0;
	case HF_LANE_DELAYED:
		return lane->not_before_ms > now ? lane->not_before_ms - now : 0;
	case HF_LANE_IDLE:
	case HF_LANE_OFFLINE:
	case HF_LANE_HELD:
	case HF_LANE_PAUSED:
		break;
	}
	return UINT64_MAX;
}

int hf_queue_each_lane(struct hf_queue *q, int (*each)(void *user, const struct hf_lane_figures *f),
		       void *user)
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
			.reason = lane_reason_name(lane),
			.progress_ago_ms = lane->progress_ms ? now - lane->progress_ms : UINT64_MAX,
		};

		if (lane->waiting && lane->head_created_dev_ms &&
		    device > lane->head_created_dev_ms)
			f.oldest_age_ms = device - lane->head_created_dev_ms;
		ret = each(user, &f);
	}
	return ret;
}

void hf_queue_totals(const struct hf_queue *q, unsigned origin, struct hf_queue_totals *out)
{
	struct hf_list *it, *tmp;

	if (origin == UINT_MAX) {
		*out = q->totals;
		return;
	}
	*out = q->of_origin[origin];
	hf_list_for(it, tmp, &q->lanes) {
		struct hf_lane *lane = hf_container_of(it, struct hf_lane, link);

		if (lane->origin != origin)
			continue;
		out->waiting += lane->waiting;
		out->held += lane->held;
	}
}

uint64_t hf_queue_next_attempt_ms(const struct hf_queue *q, uint64_t id)
{
	struct hf_lane *lane = hf_queue_lane_by_id((struct hf_queue *)q, HF_RECORD_LANE(id));

	if (!lane || lane->next_id > id)
		return UINT64_MAX;
	return lane_next_attempt(lane, q->opt.port->boottime_ms(q->opt.port));
}
