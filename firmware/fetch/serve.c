/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   HEAD -> BODY -> END -> GONE
 *
 * A serve that was cancelled while the shelf reads a piece for it lives until the
 * shelf is done with that.
 */
#include "fetch/serve.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fsm.h"
#include "holdfast/err.h"
#include "fetch/plan.h"
#include "http/range.h"

#define SLICE 16384 /* handed over at a time */

enum state {
	HEAD,
	BODY,
	END,
	GONE
};

static const uint32_t allowed[] = {
	[HEAD] = HF_FSM_TO(BODY) | HF_FSM_TO(GONE),
	[BODY] = HF_FSM_TO(END) | HF_FSM_TO(GONE),
	[END] = HF_FSM_TO(GONE),
	[GONE] = 0,
};
static const char *const names[] = { "head", "body", "end", "gone" };
static const struct hf_fsm fsm = { "serve", 4, allowed, names };

struct hf_serve {
	struct hf_serve_options opt;
	struct hf_stored *stored;
	struct hf_message msg;
	uint64_t at, end; /* of the body, in bytes */
	struct hf_shelf_read read;
	struct hf_shelf_hold hold; /* a body of several pieces stays meanwhile */
	bool reading, held;
	struct hf_timer timer;
	uint8_t state;
	bool receiving, truncated;
	unsigned depth;
};

/* ---- the head ---- */

static int set_length(struct hf_serve *v, uint64_t len)
{
	char digits[HF_DECIMAL_MAX];
	struct hf_span text = hf_arena_copy(v->opt.arena, hf_span_of_u64(len, digits));

	return text.ptr ? hf_fields_set(&v->msg.fields, HF_SPAN("Content-Length"), text) :
			  HF_ENOMEM;
}

static int set_range(struct hf_serve *v, const struct hf_range *range)
{
	char text[HF_CONTENT_RANGE_MAX];
	size_t len = hf_content_range_format(range, v->stored->body_len, text);
	struct hf_span value = hf_arena_copy(v->opt.arena, hf_span(text, len));

	return value.ptr ? hf_fields_set(&v->msg.fields, HF_SPAN("Content-Range"), value) :
			   HF_ENOMEM;
}

/* Which shape the answer has; sets at and end. */
static enum hf_cache_shape shape_of(struct hf_serve *v, struct hf_range *range)
{
	const struct hf_message *req = v->opt.request;
	const struct hf_stored *s = v->stored;
	struct hf_ranges ranges;

	v->end = s->body_len;
	if (v->opt.plain)
		return HF_CACHE_AS_STORED;
	if (hf_cache_not_modified(&s->entry, &req->fields)) {
		v->end = 0;
		return HF_CACHE_AS_304;
	}
	if (s->entry.status != 200 || !hf_span_eq_str(req->method, "GET"))
		return HF_CACHE_AS_STORED;
	switch (hf_range_decide(&req->fields, &s->fields, s->body_len, &ranges)) {
	case HF_RANGE_PARTIAL:
		if (ranges.n != 1)
			return HF_CACHE_AS_STORED; /* several at once: the whole is allowed */
		*range = ranges.v[0];
		v->at = range->first;
		v->end = range->last + 1;
		return HF_CACHE_AS_206;
	case HF_RANGE_UNSATISFIABLE:
		v->end = 0;
		return HF_CACHE_AS_416;
	default:
		return HF_CACHE_AS_STORED;
	}
}

static int status_of(const struct hf_stored *s, enum hf_cache_shape shape)
{
	switch (shape) {
	case HF_CACHE_AS_304:
		return 304;
	case HF_CACHE_AS_206:
		return 206;
	case HF_CACHE_AS_416:
		return 416;
	default:
		return s->entry.status;
	}
}

static int frame(struct hf_serve *v, enum hf_cache_shape shape, const struct hf_range *range)
{
	bool head = v->opt.head_only;
	bool none = shape == HF_CACHE_AS_304 || v->msg.status == 204;
	uint64_t len = v->end - v->at;
	int err = 0;

	v->msg.body = head || none ? HF_BODY_NONE : HF_BODY_LENGTH;
	v->msg.body_len = v->msg.body == HF_BODY_NONE ? 0 : len;
	if (head)
		v->at = v->end;
	if (!none)
		err = set_length(v, len);
	if (!err && shape == HF_CACHE_AS_206)
		err = set_range(v, range);
	if (!err && shape == HF_CACHE_AS_416)
		err = set_range(v, NULL);
	return err;
}

static int make_head(struct hf_serve *v)
{
	const struct hf_serve_options *opt = &v->opt;
	struct hf_cache_freshness freshness;
	struct hf_cache_clock now;
	struct hf_range range = { 0, 0 };
	enum hf_cache_shape shape = shape_of(v, &range);
	struct hf_message stored = { .minor = 1, .status = status_of(v->stored, shape) };
	int err;

	hf_cache_now(opt->cache, &now);
	hf_cache_freshness(&hf_http_rules, &v->stored->entry, &now, &freshness);
	err = hf_cache_answer_fields(&v->stored->entry, &freshness, shape, opt->arena,
				     &stored.fields);
	if (!err)
		err = hf_forward_response(opt->forward, &stored, opt->arena, &v->msg);
	if (!err && opt->status)
		err = hf_cache_status_append(&v->msg.fields, "holdfast", opt->status);
	return err ? err : frame(v, shape, &range);
}

/* ---- life ---- */

static void destroy(struct hf_serve *v)
{
	if (v->held && hf_cache_shelf(v->opt.cache))
		hf_shelf_release(hf_cache_shelf(v->opt.cache), &v->hold);
	hf_timerq_clear(v->opt.timers, &v->timer);
	hf_stored_unref(v->stored);
	hf_buf_finish(&v->read.data);
	if (v->opt.spare)
		hf_spare_give(v->opt.spare, v);
	else
		free(v);
}

static void step(void *user);

int hf_serve_start(const struct hf_serve_options *opt, struct hf_stored *s, struct hf_serve **out)
{
	struct hf_serve *v = opt->spare ? hf_spare_take(opt->spare, sizeof(*v)) :
					  calloc(1, sizeof(*v));
	int err;

	if (!v)
		return HF_ENOMEM;
	v->opt = *opt;
	v->stored = hf_stored_ref(s);
	v->receiving = true;
	hf_buf_init(&v->read.data, HF_SHELF_PIECE);
	hf_timer_init(&v->timer, step, v);
	err = make_head(v);
	if (!err)
		err = hf_timerq_set(opt->timers, &v->timer, opt->port->boottime_ms(opt->port));
	if (err) {
		destroy(v);
		return err;
	}
	*out = v;
	return 0;
}

/* ---- the body ---- */

/* The piece is not there, or not what was stored; any other error says nothing of it. */
static bool is_lost(const struct hf_serve *v, int err)
{
	if (!err)
		return (uint64_t)v->read.n * HF_SHELF_PIECE + v->read.data.len <= v->at;
	return err == HF_ENOENT || err == HF_ECORRUPT;
}

static void piece_done(struct hf_shelf_op *op, int err)
{
	struct hf_serve *v = op->user;
	uint64_t piece_at = (uint64_t)v->read.n * HF_SHELF_PIECE;

	v->reading = false;
	if (v->state == GONE) {
		destroy(v);
		return;
	}
	if (is_lost(v, err)) {
		hf_cache_lost(v->opt.cache, v->stored);
		err = HF_ECORRUPT;
	}
	if (err) {
		if (v->state == HEAD) {
			void (*lost)(void *owner) = v->opt.lost;
			void *owner = v->opt.owner;

			destroy(v);
			lost(owner);
			return;
		}
		v->truncated = true;
		v->at = v->end;
		hf_buf_clear(&v->read.data);
	} else {
		hf_buf_consume(&v->read.data, (size_t)(v->at - piece_at));
	}
	step(v);
}

static void read_piece(struct hf_serve *v)
{
	if (!v->held && v->stored->body_len > HF_SHELF_PIECE) {
		v->held = true;
		hf_shelf_hold(hf_cache_shelf(v->opt.cache), &v->hold, v->stored->body);
	}
	v->reading = true;
	v->read.body = v->stored->body;
	v->read.n = (uint32_t)(v->at / HF_SHELF_PIECE);
	v->read.op.done = piece_done;
	v->read.op.user = v;
	hf_shelf_read(hf_cache_shelf(v->opt.cache), &v->read);
}

/* What there is of the body from @at on; empty: it is still to be read. */
static struct hf_span body_here(const struct hf_serve *v)
{
	if (v->stored->has_data)
		return hf_span_skip(v->stored->data, (size_t)v->at);
	return hf_buf_span(&v->read.data);
}

/* False: a piece is to come. */
static bool head_step(struct hf_serve *v)
{
	if (v->at < v->end && body_here(v).len == 0) {
		if (!v->reading)
			read_piece(v);
		return false;
	}
	hf_cache_used(v->opt.cache, v->stored);
	hf_fsm_move(&fsm, &v->state, BODY);
	v->opt.events->on_head(v->opt.user, &v->msg);
	return true;
}

static bool body_step(struct hf_serve *v)
{
	struct hf_span piece = body_here(v);

	if (v->at == v->end) {
		hf_fsm_move(&fsm, &v->state, END);
		return true;
	}
	if (piece.len == 0) {
		if (!v->reading)
			read_piece(v);
		return false;
	}
	if (piece.len > SLICE)
		piece.len = SLICE;
	if (piece.len > v->end - v->at)
		piece.len = (size_t)(v->end - v->at);
	v->opt.events->on_body(v->opt.user, piece);
	if (v->state == GONE)
		return true;
	v->at += piece.len;
	if (!v->stored->has_data)
		hf_buf_consume(&v->read.data, piece.len);
	return true;
}

static void finish(struct hf_serve *v)
{
	struct hf_exchange_result result = {
		.end = v->truncated ? HF_END_TRUNCATED : HF_END_COMPLETE,
		.sent = HF_SENT_ALL,
		.err = v->truncated ? HF_EIO : 0,
		.detail = v->truncated ? "the stored body cannot be read" : "",
	};
	struct hf_fields none;

	hf_fields_init(&none, v->opt.arena);
	hf_fsm_move(&fsm, &v->state, GONE);
	if (v->opt.ended)
		v->opt.ended(v->opt.owner);
	v->opt.events->on_end(v->opt.user, &result, v->truncated ? NULL : &none);
}

static void step(void *user)
{
	struct hf_serve *v = user;

	v->depth++;
	while (v->receiving && v->state != GONE) {
		if (v->state == HEAD) {
			if (!head_step(v))
				break;
		} else if (v->state == BODY) {
			if (!body_step(v))
				break;
		} else {
			finish(v);
		}
	}
	v->depth--;
	if (v->state == GONE && v->depth == 0 && !v->reading)
		destroy(v);
}

void hf_serve_receive(struct hf_serve *v, bool on)
{
	bool was = v->receiving;

	v->receiving = on;
	/* The first event waits for the timer of start. */
	if (on && !was && v->depth == 0 && !v->reading && !hf_timer_is_set(&v->timer))
		step(v);
}

void hf_serve_cancel(struct hf_serve *v)
{
	assert(v->state != GONE);
	hf_fsm_move(&fsm, &v->state, GONE);
	hf_timerq_clear(v->opt.timers, &v->timer);
	if (!hf_cache_shelf(v->opt.cache))
		v->reading = false; /* it will not call back */
	if (v->reading)
		v->opt.spare = NULL; /* it may outlive that */
	if (v->depth == 0 && !v->reading)
		destroy(v);
}
