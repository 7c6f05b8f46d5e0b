/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds of the operator. The list is short and looked through; a lane knows whether
 * one is about it (lane->paused). A change is stored first and then applied, one at
 * a time.
 *
 *   meta "holds": version 1 u8, then for each
 *     since_dev u64, since_wall i64, until_dev u64, origin u16, lane u16 (0xffff:
 *     all of the origin's), then the bytes of both names; little-endian
 */
#include "queue/hold.h"

#include <assert.h>
#include <stdlib.h>

#include "queue/queue_private.h"
#include "store/codec.h"

#define KEY	    "holds"
#define VERSION	    1
#define FIXED_BYTES 28
#define NO_LANE	    0xffff
#define STORED_MAX  (1 + HF_HOLDS_MAX * (FIXED_BYTES + HF_HOLD_KEY_MAX + 256))

/* ---- which lanes ---- */

static bool is_about(const struct hf_hold *h, unsigned origin, struct hf_span key)
{
	if (h->origin != origin)
		return false;
	if (!h->lane.ptr)
		return true;
	if (!hf_span_starts(key, h->lane))
		return false;
	return key.len == h->lane.len || key.ptr[h->lane.len] == '/' || key.ptr[h->lane.len] == '@';
}

bool hf_lane_is_on_hold(const struct hf_lane *lane)
{
	const struct hf_queue *q = lane->queue;

	for (unsigned i = 0; i < q->holds_n; i++)
		if (is_about(&q->holds[i], lane->origin, hf_span_str(lane->key)))
			return true;
	return false;
}

unsigned hf_queue_held_lanes(const struct hf_queue *q, unsigned origin, struct hf_span lane)
{
	const struct hf_hold h = { .origin = origin, .lane = lane };
	unsigned n = 0;

	for (const struct hf_list *l = q->lanes.next; l != &q->lanes; l = l->next) {
		const struct hf_lane *one = hf_container_of(l, const struct hf_lane, link);

		n += is_about(&h, one->origin, hf_span_str(one->key));
	}
	return n;
}

static void pause_or_go_on(struct hf_lane *lane)
{
	bool paused = hf_lane_is_on_hold(lane);

	if (paused == lane->paused)
		return;
	lane->paused = paused;
	if (paused && (lane->state == HF_LANE_READY || lane->state == HF_LANE_OFFLINE))
		lane->state = HF_LANE_IDLE;
	if (!paused && lane->state == HF_LANE_PAUSED)
		lane->state = HF_LANE_IDLE;
	if (lane->state == HF_LANE_IDLE)
		hf_lane_refresh(lane);
	else
		lane->queue->opt.on_lane(lane->queue->opt.user, lane);
}

/* The scheduler is told of lanes one by one, and may touch others. */
static void apply(struct hf_queue *q)
{
	struct hf_list *l = q->lanes.next;

	while (l != &q->lanes) {
		struct hf_lane *lane = hf_container_of(l, struct hf_lane, link);

		lane->users++;
		pause_or_go_on(lane);
		lane->users--;
		l = lane->link.next;
	}
}

/* ---- the list ---- */

static uint64_t boot_now(const struct hf_queue *q)
{
	return q->opt.port->boottime_ms(q->opt.port);
}

static struct hf_hold *find(struct hf_queue *q, unsigned origin, struct hf_span lane)
{
	for (unsigned i = 0; i < q->holds_n; i++) {
		struct hf_hold *h = &q->holds[i];

		if (h->origin == origin && !h->lane.ptr == !lane.ptr &&
		    (!lane.ptr || hf_span_eq(h->lane, lane)))
			return h;
	}
	return NULL;
}

static void drop(struct hf_queue *q, struct hf_hold *h, enum hf_hold_event event)
{
	struct hf_hold gone = *h;

	*h = q->holds[--q->holds_n];
	hf_log(q->opt.log, HF_LOG_INFO, event == HF_HOLD_ENDED ? "hold.ended" : "hold.released",
	       "origin=%s lane=%.*s", q->opt.origin_names[gone.origin], HF_SPAN_ARG(gone.lane));
	if (q->opt.on_hold)
		q->opt.on_hold(q->opt.user, event, &gone);
	free((char *)gone.lane.ptr);
}

static void set_timer(struct hf_queue *q)
{
	uint64_t now = hf_queue_device_ms(q), first = UINT64_MAX;

	for (unsigned i = 0; i < q->holds_n; i++)
		if (q->holds[i].until_dev_ms && q->holds[i].until_dev_ms < first)
			first = q->holds[i].until_dev_ms;
	hf_timerq_set(q->opt.timers, &q->holds_timer,
		      first == UINT64_MAX ? HF_TIMER_NEVER :
					    boot_now(q) + (first > now ? first - now : 0));
}

/* One that has ended leaves the store with the next change. */
static void end_some(void *user)
{
	struct hf_queue *q = user;
	uint64_t now = hf_queue_device_ms(q);

	for (unsigned i = q->holds_n; i-- > 0;)
		if (q->holds[i].until_dev_ms && q->holds[i].until_dev_ms <= now)
			drop(q, &q->holds[i], HF_HOLD_ENDED);
	set_timer(q);
	apply(q);
}

/* ---- the stored form ---- */

static int append_hold(const struct hf_queue *q, const struct hf_hold *h, struct hf_buf *out)
{
	struct hf_span origin = hf_span_str(q->opt.origin_names[h->origin]);
	uint8_t fixed[FIXED_BYTES];
	int err;

	hf_put_le(fixed, h->since_dev_ms, 8);
	hf_put_le(fixed + 8, (uint64_t)h->since_wall_ms, 8);
	hf_put_le(fixed + 16, h->until_dev_ms, 8);
	hf_put_le(fixed + 24, origin.len, 2);
	hf_put_le(fixed + 26, h->lane.ptr ? h->lane.len : NO_LANE, 2);
	err = hf_buf_append(out, hf_span(fixed, sizeof(fixed)));
	if (!err)
		err = hf_buf_append(out, origin);
	if (!err && h->lane.ptr)
		err = hf_buf_append(out, h->lane);
	return err;
}

static bool is_changed_by(const struct hf_hold_change *c, const struct hf_hold *h)
{
	if (c->all)
		return true;
	return h->origin == c->origin && !h->lane.ptr == !c->lane.ptr &&
	       (!c->lane.ptr || hf_span_eq(h->lane, c->lane));
}

static struct hf_hold made_by(const struct hf_hold_change *c)
{
	const struct hf_queue *q = c->queue;
	uint64_t now = hf_queue_device_ms(q);
	int64_t wall = 0;
	struct hf_hold h = {
		.origin = c->origin,
		.lane = c->lane,
		.since_dev_ms = now,
		.until_dev_ms = c->for_ms ? now + c->for_ms : 0,
	};

	if (q->opt.port->wall_ms(q->opt.port, &wall) != HF_CLOCK_UNSET)
		h.since_wall_ms = wall;
	return h;
}

/* All holds as they are after @c. */
static int encode(struct hf_hold_change *c, struct hf_buf *out)
{
	const struct hf_queue *q = c->queue;
	struct hf_hold new = made_by(c);
	uint8_t version = VERSION;
	int err = hf_buf_append(out, hf_span(&version, 1));

	for (unsigned i = 0; i < q->holds_n && !err; i++)
		if (!is_changed_by(c, &q->holds[i]))
			err = append_hold(q, &q->holds[i], out);
	if (!err && !c->release)
		err = append_hold(q, &new, out);
	return err;
}

static unsigned origin_named(const struct hf_queue *q, struct hf_span name)
{
	unsigned i = 0;

	while (i < q->opt.origins_n && !hf_span_eq_str(name, q->opt.origin_names[i]))
		i++;
	return i;
}

/* Takes one off the front of @in; false: there is none, or it is damaged. Those of
 * origins that are not configured any more are left out. */
static bool take_stored(struct hf_queue *q, struct hf_span *in)
{
	const uint8_t *p = (const uint8_t *)in->ptr;
	struct hf_hold h = { 0 };
	size_t origin_len, lane_len, key_len;
	char *key = NULL;

	if (in->len < FIXED_BYTES)
		return false;
	origin_len = (size_t)hf_get_le(p + 24, 2);
	lane_len = (size_t)hf_get_le(p + 26, 2);
	key_len = lane_len == NO_LANE ? 0 : lane_len;
	if (in->len - FIXED_BYTES < origin_len + key_len)
		return false;
	h.since_dev_ms = hf_get_le(p, 8);
	h.since_wall_ms = (int64_t)hf_get_le(p + 8, 8);
	h.until_dev_ms = hf_get_le(p + 16, 8);
	*in = hf_span_skip(*in, FIXED_BYTES);
	h.origin = origin_named(q, hf_span(in->ptr, origin_len));
	*in = hf_span_skip(*in, origin_len);
	if (h.origin < q->opt.origins_n && q->holds_n < HF_HOLDS_MAX) {
		if (lane_len != NO_LANE)
			h.lane = hf_span(key = hf_span_dup(hf_span(in->ptr, key_len)), key_len);
		if (lane_len == NO_LANE || key)
			q->holds[q->holds_n++] = h;
	}
	*in = hf_span_skip(*in, key_len);
	return true;
}

/* ---- changing ---- */

static void release_all(struct hf_queue *q, const struct hf_hold_change *c)
{
	for (unsigned i = q->holds_n; i-- > 0;)
		if (is_changed_by(c, &q->holds[i]))
			drop(q, &q->holds[i], HF_HOLD_RELEASED);
}

static int begin(struct hf_queue *q, const struct hf_hold_change *c)
{
	struct hf_hold *there = find(q, c->origin, c->lane), h = made_by(c);

	if (there) {
		there->until_dev_ms = h.until_dev_ms;
	} else {
		if (c->lane.ptr) {
			h.lane.ptr = hf_span_dup(c->lane);
			if (!h.lane.ptr)
				return HF_ENOMEM;
		}
		there = &q->holds[q->holds_n++];
		*there = h;
	}
	hf_log(q->opt.log, HF_LOG_INFO, "hold.begun", "origin=%s lane=%.*s for_ms=%llu",
	       q->opt.origin_names[c->origin], HF_SPAN_ARG(c->lane), (unsigned long long)c->for_ms);
	if (q->opt.on_hold)
		q->opt.on_hold(q->opt.user, HF_HOLD_BEGUN, there);
	return 0;
}

static void stored(struct hf_store_op *op, int err)
{
	struct hf_hold_change *c = op->user;
	struct hf_queue *q = c->queue;

	q->hold_change = NULL;
	hf_buf_finish(&c->meta.value);
	if (!err && c->release)
		release_all(q, c);
	else if (!err)
		err = begin(q, c);
	if (!err) {
		set_timer(q);
		apply(q);
	}
	c->done(c, err);
}

static int refusal(struct hf_queue *q, const struct hf_hold_change *c)
{
	const struct hf_hold *there = c->all ? NULL : find(q, c->origin, c->lane);

	if (q->hold_change)
		return HF_EBUSY;
	if (c->release)
		return there || (c->all && q->holds_n > 0) ? 0 : HF_ENOENT;
	if (c->lane.len > HF_HOLD_KEY_MAX || (!there && q->holds_n == HF_HOLDS_MAX))
		return HF_ELIMIT;
	return 0;
}

int hf_queue_hold(struct hf_queue *q, struct hf_hold_change *c)
{
	int err = refusal(q, c);

	assert(c->all || c->origin < q->opt.origins_n);
	if (err)
		return err;
	c->queue = q;
	hf_buf_init(&c->meta.value, STORED_MAX);
	err = encode(c, &c->meta.value);
	if (err) {
		hf_buf_finish(&c->meta.value);
		return err;
	}
	c->meta.key = KEY;
	c->meta.put = true;
	c->meta.op.done = stored;
	c->meta.op.user = c;
	q->hold_change = c;
	hf_store_meta(q->opt.store, &c->meta);
	return 0;
}

int hf_queue_each_hold(const struct hf_queue *q,
		       int (*each)(void *user, const struct hf_hold *hold), void *user)
{
	int ret = 0;

	for (unsigned i = 0; i < q->holds_n && !ret; i++)
		ret = each(user, &q->holds[i]);
	return ret;
}

/* ---- loading ---- */

static void holds_read(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	struct hf_span rest = hf_buf_span(&q->holds_load.value);
	bool sound = rest.len == 0 || rest.ptr[0] == VERSION;

	if (!err && sound && rest.len > 0)
		for (rest = hf_span_skip(rest, 1); rest.len > 0 && sound;)
			sound = take_stored(q, &rest);
	if (!sound)
		hf_log(q->opt.log, HF_LOG_ERROR, "hold.not_read", "holds=%u", q->holds_n);
	hf_buf_finish(&q->holds_load.value);
	if (!err)
		end_some(q);
	q->holds_loaded(q, err);
}

void hf_queue_holds_load(struct hf_queue *q, void (*done)(struct hf_queue *q, int err))
{
	struct hf_store_meta *m = &q->holds_load;

	q->holds_loaded = done;
	hf_buf_init(&m->value, STORED_MAX);
	m->key = KEY;
	m->op.done = holds_read;
	m->op.user = q;
	hf_store_meta(q->opt.store, m);
}

int hf_queue_holds_init(struct hf_queue *q)
{
	hf_timer_init(&q->holds_timer, end_some, q);
	q->holds = calloc(HF_HOLDS_MAX, sizeof(*q->holds));
	/* Its place in the heap is taken now: setting it later cannot fail. */
	return q->holds ? hf_timerq_set(q->opt.timers, &q->holds_timer, HF_TIMER_NEVER) : HF_ENOMEM;
}

void hf_queue_holds_abandon(struct hf_queue *q)
{
	if (q->hold_change)
		hf_buf_finish(&q->hold_change->meta.value);
	q->hold_change = NULL;
}

void hf_queue_holds_finish(struct hf_queue *q)
{
	hf_timerq_clear(q->opt.timers, &q->holds_timer);
	hf_buf_finish(&q->holds_load.value); /* of a read that was dropped with the store */
	hf_queue_holds_abandon(q);
	for (unsigned i = 0; i < q->holds_n; i++)
		free((char *)q->holds[i].lane.ptr);
	free(q->holds);
	q->holds_n = 0;
}
