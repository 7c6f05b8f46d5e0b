/* SPDX-License-Identifier: Apache-2.0 */
/* A fill's body: into the shelf piece by piece, and out to listeners from wherever
 * it is by then. */
#include <assert.h>
#include <stdlib.h>

#include "fetch/event.h"
#include "fetch/fill_private.h"
#include "holdfast/err.h"

#define SLICE 16384 /* handed over at a time */

/* ---- into the shelf ---- */

static void append_done(struct hf_shelf_op *op, int err)
{
	struct hf_fill *f = op->user;

	f->appending = false;
	hf_fill_enter(f);
	if (err) {
		f->keep_err = err;
		hf_fill_give_up(f);
	} else {
		f->stored_len += f->flight.len;
		hf_buf_clear(&f->flight);
	}
	hf_fill_append(f);
	hf_fill_pump(f);
	hf_fill_throttle(f);
	hf_fill_exit(f);
}

static void put_done(struct hf_cache_put *p, int err, struct hf_stored *s)
{
	struct hf_fill *f = p->user;

	f->putting = false;
	if (s && f->marks != p->flags)
		hf_stored_unref(hf_cache_update(f->fetch->opt.cache, s, NULL, &s->entry.times,
						(s->state.flags & ~p->flags) | f->marks));
	hf_fill_enter(f);
	f->storing = false;
	f->state = HF_FILL_OVER;
	f->kept = err == 0;
	f->keep_err = err;
	f->body = p->op.body;
	f->held = f->kept && p->intake && !hf_list_empty(&f->listeners);
	if (f->held)
		hf_shelf_hold(hf_cache_shelf(f->fetch->opt.cache), &f->hold, f->body);
	hf_fill_pump(f);
	hf_fill_exit(f);
}

static void put(struct hf_fill *f)
{
	hf_fill_put_init(f, f->head.status, &f->stored_fields);
	f->put.intake = f->intake.body || f->intake.integrity.len ? &f->intake : NULL;
	f->put.data = hf_buf_span(&f->window);
	f->put.done = put_done;
	f->putting = hf_cache_put(f->fetch->opt.cache, &f->put) == 0;
	if (!f->putting)
		hf_fill_give_up(f);
}

static void begin_append(struct hf_fill *f, size_t len)
{
	struct hf_buf rest = f->window;

	/* The piece stays where it is; what came behind it moves. */
	f->window = f->flight;
	f->flight = rest;
	if (hf_buf_append(&f->window, hf_span_skip(hf_buf_span(&f->flight), len))) {
		rest = f->window;
		f->window = f->flight;
		f->flight = rest;
		hf_fill_give_up(f);
		return;
	}
	hf_buf_truncate(&f->flight, len);
	f->append.op.done = append_done;
	f->append.op.user = f;
	f->append.intake = &f->intake;
	f->append.data = hf_buf_span(&f->flight);
	f->appending = true;
	hf_shelf_append(hf_cache_shelf(f->fetch->opt.cache), &f->append);
}

void hf_fill_append(struct hf_fill *f)
{
	bool complete = f->state == HF_FILL_KEEP;
	bool short_one = f->intake.body == 0 && f->intake.integrity.len == 0;

	if (!f->storing || f->appending || f->putting)
		return;
	if (f->window.len > HF_SHELF_PIECE || (f->window.len == HF_SHELF_PIECE && !complete))
		begin_append(f, HF_SHELF_PIECE);
	else if (complete && f->window.len > 0 && !short_one)
		begin_append(f, f->window.len);
	else if (complete)
		put(f);
}

void hf_fill_give_up(struct hf_fill *f)
{
	f->storing = false;
	f->kept = false;
	if (f->state == HF_FILL_KEEP)
		f->state = HF_FILL_OVER;
}

static void discarded(struct hf_shelf_op *op, int err)
{
	struct hf_fill *f = op->user;

	(void)err; /* at the next start the shelf finds it */
	f->appending = false;
	f->intake.body = 0;
	hf_fill_enter(f);
	hf_fill_exit(f);
}

void hf_fill_discard(struct hf_fill *f)
{
	f->appending = true;
	f->discard.body = f->intake.body;
	f->discard.op.done = discarded;
	f->discard.op.user = f;
	hf_shelf_discard(hf_cache_shelf(f->fetch->opt.cache), &f->discard);
}

/* ---- out to listeners ---- */

static void read_end(struct hf_fill_read *r)
{
	hf_list_remove(&r->link);
	r->fill->reads--;
	hf_buf_finish(&r->op.data);
	free(r);
}

void hf_fill_forget_reads(struct hf_fill *f)
{
	struct hf_list *it;

	while ((it = hf_list_first(&f->reading)))
		read_end(hf_container_of(it, struct hf_fill_read, link));
}

static void cut_short(struct hf_fill_listener *l)
{
	struct hf_exchange_result result = { .end = HF_END_TRUNCATED,
					     .sent = HF_SENT_ALL,
					     .err = HF_EIO,
					     .detail = "the stored body cannot be read" };

	hf_fill_end_listener(l, &result, NULL);
}

/* Hands over @data, which begins at l->at. False: @l has left. */
static bool give(struct hf_fill *f, struct hf_fill_listener *l, struct hf_span data)
{
	struct hf_list *it, *tmp;

	l->at += data.len;
	l->events->on_body(l->user, data);
	hf_list_for(it, tmp, &f->listeners) {
		if (it == &l->link)
			return true;
	}
	return false;
}

static void pump_one(struct hf_fill *f, struct hf_fill_listener *l);

static void read_done(struct hf_shelf_op *op, int err)
{
	struct hf_fill_read *r = op->user;
	struct hf_fill *f = r->fill;
	struct hf_fill_listener *l = r->listener;
	uint64_t begin = (uint64_t)r->op.n * HF_SHELF_PIECE;
	bool again = err && f->kept && r->op.body != f->body; /* it has another name now */

	hf_fill_enter(f);
	if (l) {
		l->read = NULL;
		if (!err && l->at >= begin && l->at - begin < r->op.data.len) {
			if (give(f, l,
				 hf_span_skip(hf_buf_span(&r->op.data), (size_t)(l->at - begin))))
				pump_one(f, l);
		} else if (again) {
			pump_one(f, l);
		} else {
			cut_short(l);
		}
	}
	read_end(r);
	hf_fill_exit(f);
}

static void begin_read(struct hf_fill *f, struct hf_fill_listener *l)
{
	struct hf_fill_read *r = calloc(1, sizeof(*r));

	if (!r) {
		cut_short(l);
		return;
	}
	r->fill = f;
	r->listener = l;
	l->read = r;
	f->reads++;
	hf_list_push(&f->reading, &r->link);
	hf_buf_init(&r->op.data, HF_SHELF_PIECE);
	r->op.body = f->kept ? f->body : f->intake.body;
	r->op.n = (uint32_t)(l->at / HF_SHELF_PIECE);
	r->op.op.done = read_done;
	r->op.op.user = r;
	hf_shelf_read(hf_cache_shelf(f->fetch->opt.cache), &r->op);
}

/* What there is in memory from @at on. */
static struct hf_span in_memory(const struct hf_fill *f, uint64_t at)
{
	uint64_t window_at = f->len - f->window.len;
	struct hf_span s;

	if (at >= window_at)
		s = hf_span_skip(hf_buf_span(&f->window), (size_t)(at - window_at));
	else
		s = hf_span_skip(hf_buf_span(&f->flight),
				 (size_t)(at - (window_at - f->flight.len)));
	if (s.len > SLICE)
		s.len = SLICE;
	return s;
}

static void finish_one(struct hf_fill *f, struct hf_fill_listener *l)
{
	struct hf_exchange_result result = { .end = f->end,
					     .sent = HF_SENT_ALL,
					     .err = f->err,
					     .detail = f->err ? "the origin's answer was cut" :
								"" };
	struct hf_fields none;

	hf_fields_init(&none, &f->arena);
	hf_fill_end_listener(l, &result, f->end == HF_END_COMPLETE ? &none : NULL);
}

static void pump_one(struct hf_fill *f, struct hf_fill_listener *l)
{
	uint64_t memory_at = f->len - f->window.len - f->flight.len;

	while (l->receiving && !l->read) {
		if (l->at == f->len) {
			if (f->state == HF_FILL_KEEP || f->state == HF_FILL_OVER)
				finish_one(f, l);
			return;
		}
		if (l->at < memory_at) {
			begin_read(f, l);
			return;
		}
		if (!give(f, l, in_memory(f, l->at)))
			return;
	}
}

void hf_fill_pump_heads(struct hf_fill *f)
{
	struct hf_list *it, *tmp, all;

	/* Each is told once, and may leave, or make another leave. */
	hf_list_take(&f->listeners, &all);
	hf_list_for(it, tmp, &all) {
		struct hf_fill_listener *l = hf_container_of(it, struct hf_fill_listener, link);

		hf_list_remove(&l->link);
		hf_list_push(&f->listeners, &l->link);
		tmp = all.next;
		if (!l->told_head) {
			l->told_head = true;
			l->events->on_head(l->user, &f->head);
			tmp = all.next;
		}
	}
}

void hf_fill_pump(struct hf_fill *f)
{
	struct hf_list *it, *tmp, all;

	hf_fill_enter(f);
	if (f->state != HF_FILL_ASK) {
		hf_fill_pump_heads(f);
		hf_list_take(&f->listeners, &all);
		hf_list_for(it, tmp, &all) {
			struct hf_fill_listener *l =
				hf_container_of(it, struct hf_fill_listener, link);

			hf_list_remove(&l->link);
			hf_list_push(&f->listeners, &l->link);
			if (l->told_head && !hf_fill_is_direct(f))
				pump_one(f, l);
			tmp = all.next;
		}
	}
	if (!f->storing)
		hf_fill_trim(f);
	hf_fill_exit(f);
}

void hf_fill_trim(struct hf_fill *f)
{
	uint64_t least = f->len, flight_at = f->len - f->window.len - f->flight.len;
	struct hf_list *it, *tmp;

	if (f->appending || f->putting)
		return;
	hf_list_for(it, tmp, &f->listeners) {
		struct hf_fill_listener *l = hf_container_of(it, struct hf_fill_listener, link);

		if (l->at < least)
			least = l->at;
	}
	if (least <= flight_at)
		return;
	least -= flight_at;
	if (least >= f->flight.len) {
		least -= f->flight.len;
		hf_buf_clear(&f->flight);
		hf_buf_consume(&f->window, (size_t)least);
	}
	hf_fill_throttle(f);
}
