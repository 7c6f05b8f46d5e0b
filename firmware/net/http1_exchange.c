/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange:
 *
 *   WAITING -> READY -> HELD -> ACTIVE -> (TUNNEL) -> ENDED -> GONE
 *      ^         |        |       |
 *      +---------+--------+-------+   its connection died; nothing was sent, or
 *                                     it may be sent once more
 *
 * The timer is moved only to an earlier time; when it fires too early, it is
 * set again from the last activity.
 */
#include "net/http1_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define OUT_CEILING (1024 * 1024) /* of a head or last chunk, however large */
#define OUT_KEEP    4096	  /* by a finished exchange, for the next */
#define LOOK_MS	    1		  /* for what has come over a long idle connection */
#define HELD_MAX    (4u * 1024 * 1024)

static void on_timer(void *user);

/* ---- calling the user ---- */

/* After an event: false when the exchange was cancelled inside. */
static bool leave(struct hf_exchange *x)
{
	assert(x->depth > 0);
	if (--x->depth > 0 || x->state != X_GONE)
		return x->state != X_GONE;
	hf_http1_x_destroy(x);
	return false;
}

static bool tell_body(struct hf_exchange *x, struct hf_span data)
{
	x->depth++;
	x->events->on_body(x->user, data);
	return leave(x);
}

bool hf_http1_x_tell_writable(struct hf_exchange *x)
{
	x->depth++;
	x->events->on_writable(x->user);
	return leave(x);
}

/* Body that was held back; false when cancelled inside. */
static bool tell_held(struct hf_exchange *x)
{
	struct hf_buf held;
	bool alive;

	if (x->held.len == 0)
		return true;
	held = x->held;
	hf_buf_init(&x->held, HELD_MAX);
	alive = tell_body(x, hf_buf_span(&held));
	hf_buf_finish(&held);
	return alive;
}

static void tell_end(struct hf_exchange *x)
{
	const struct hf_fields *trailers = x->result.end == HF_END_COMPLETE ? &x->trailers : NULL;

	assert(x->state == X_ENDED);
	x->depth++;
	x->state = X_GONE;
	x->events->on_end(x->user, &x->result, trailers);
	leave(x);
}

/* ---- making and freeing ---- */

static void x_clean(struct hf_exchange *x)
{
	struct http1 *t = x->t;

	hf_timerq_clear(t->opt.timers, &x->timer);
	hf_list_remove(&x->soon);
	if (x->out.cap > OUT_KEEP)
		hf_buf_finish(&x->out);
	hf_buf_clear(&x->out);
	hf_buf_finish(&x->held);
	hf_arena_reset(&x->arena);
}

struct hf_exchange *hf_http1_x_create(struct http1 *t)
{
	struct hf_list *node = hf_list_pop(&t->spare);
	struct hf_exchange *x;
	struct hf_arena arena;
	struct hf_buf out;

	if (node) {
		x = hf_container_of(node, struct hf_exchange, node);
		t->spare_n--;
		arena = x->arena;
		out = x->out;
	} else {
		x = malloc(sizeof(*x));
		if (!x)
			return NULL;
		/* head and trailers, and what their lists need */
		hf_arena_init(&arena, 4 * t->opt.head_bytes_max +
					      8 * t->opt.fields_max * sizeof(struct hf_field));
		hf_buf_init(&out, OUT_CEILING);
	}
	memset(x, 0, offsetof(struct hf_exchange, detail));
	x->t = t;
	x->arena = arena;
	x->out = out;
	x->receiving = true;
	x->detail[0] = '\0';
	hf_buf_init(&x->held, HELD_MAX);
	hf_list_init(&x->node);
	hf_list_init(&x->soon);
	hf_timer_init(&x->timer, on_timer, x);
	return x;
}

void hf_http1_x_destroy(struct hf_exchange *x)
{
	struct http1 *t = x->t;

	assert(!x->c && x->depth == 0);
	x_clean(x);
	if (x->state == X_WAITING)
		t->waiting_n--;
	hf_list_remove(&x->node);
	x->state = X_GONE;
	if (t->spare_n < t->opt.connections_max && t->spare_n < 16) {
		hf_list_push_front(&t->spare, &x->node);
		t->spare_n++;
		return;
	}
	hf_arena_finish(&x->arena);
	hf_buf_finish(&x->out);
	free(x);
}

/* ---- deadlines ---- */

static bool is_event_stream(const struct hf_message *head)
{
	const struct hf_span *type = hf_fields_get(&head->fields, "Content-Type");
	struct hf_span rest, media;

	if (!type)
		return false;
	rest = *type;
	media = hf_span_trim(hf_span_cut(&rest, ';'));
	return hf_span_ieq_str(media, "text/event-stream");
}

static uint64_t deadline(const struct hf_exchange *x)
{
	const struct hf_http1_options *opt = &x->t->opt;

	switch (x->state) {
	case X_WAITING:
		/* a dial of the same age ends first, since it says more */
		return x->start_ms + opt->connect_timeout_ms + 1;
	case X_ACTIVE:
		if (x->write_err)
			return x->active_ms + HF_HTTP1_GRACE_MS;
		if (x->head_seen || !hf_http1_x_sent_all(x))
			return x->active_ms + opt->idle_timeout_ms;
		return x->active_ms + x->first_byte_ms;
	case X_TUNNEL:
		return x->write_err ? x->active_ms + HF_HTTP1_GRACE_MS : HF_TIMER_NEVER;
	case X_READY:
	case X_HELD:
	case X_ENDED:
	case X_GONE:
		break;
	}
	return HF_TIMER_NEVER;
}

void hf_http1_x_arm(struct hf_exchange *x)
{
	uint64_t due = deadline(x);

	if (due == HF_TIMER_NEVER)
		return;
	if (hf_timer_is_set(&x->timer) && x->timer.due_ms <= due)
		return;
	if (hf_timerq_set(x->t->opt.timers, &x->timer, due))
		hf_log(x->t->opt.log, HF_LOG_ERROR, "http1.timer", "err=ENOMEM");
}

/* Takes the connection off, which is of no more use. */
void hf_http1_x_drop_conn(struct hf_exchange *x, bool abort)
{
	if (x->c)
		hf_http1_conn_close(x->c, abort);
	assert(!x->c);
}

static void timed_out_waiting(struct hf_exchange *x)
{
	char detail[128];
	bool dialing = x->t->connecting >= x->t->waiting_n;

	snprintf(detail, sizeof(detail), "%s within %u ms",
		 dialing ? "no connection" : "no connection free", x->t->opt.connect_timeout_ms);
	hf_http1_x_end(x, dialing ? HF_END_CONNECT : HF_END_LIMIT,
		       dialing ? HF_ETIMEDOUT : HF_ELIMIT, detail);
}

/* What the end of the connection is to the exchange. A TLS 1.3 server tells what
 * it thinks of our certificate after the handshake, perhaps after the request. */
static enum hf_end broken_end(const struct hf_exchange *x, int err)
{
	if (x->state == X_TUNNEL)
		return HF_END_UPGRADED;
	if (err == HF_ETLS && !x->rx_any)
		return HF_END_TLS;
	return x->head_seen ? HF_END_TRUNCATED : HF_END_RESET;
}

static void timed_out_active(struct hf_exchange *x)
{
	char detail[128];

	if (x->write_err) {
		snprintf(detail, sizeof(detail), "while sending: %s", hf_strerror(x->write_err));
		hf_http1_x_drop_conn(x, true);
		hf_http1_x_end(x, broken_end(x, x->write_err), x->write_err, detail);
		return;
	}
	snprintf(detail, sizeof(detail), "%s for %llu ms",
		 x->head_seen || !hf_http1_x_sent_all(x) ? "idle" : "no answer",
		 (unsigned long long)(http1_now(x->t) - x->active_ms));
	hf_http1_x_drop_conn(x, true);
	hf_http1_x_end(x, HF_END_TIMEOUT, HF_ETIMEDOUT, detail);
}

static void on_timer(void *user)
{
	struct hf_exchange *x = user;
	uint64_t now = http1_now(x->t), due = deadline(x);

	if (x->state == X_ACTIVE &&
	    (!x->receiving || (x->head_seen && is_event_stream(&x->head)))) {
		x->active_ms = now; /* not the origin's fault, or its right */
		due = deadline(x);
	}
	if (x->state == X_READY)
		hf_http1_x_run(x);
	else if (due > now)
		hf_http1_x_arm(x);
	else if (x->state == X_WAITING)
		timed_out_waiting(x);
	else
		timed_out_active(x);
}

/* ---- the end ---- */

static enum hf_sent sent_so_far(const struct hf_exchange *x)
{
	enum hf_sent now = HF_SENT_NONE;

	if (x->attempt_bytes > 0)
		now = hf_http1_x_sent_all(x) ? HF_SENT_ALL : HF_SENT_PART;
	return now > x->sent ? now : x->sent;
}

void hf_http1_x_end(struct hf_exchange *x, enum hf_end end, int err, const char *detail)
{
	struct http1 *t = x->t;

	assert(x->state != X_ENDED && x->state != X_GONE && !x->c);
	snprintf(x->detail, sizeof(x->detail), "%s", detail);
	x->result = (struct hf_exchange_result){
		.end = end,
		.sent = sent_so_far(x),
		.request_bytes = x->request_bytes,
		.err = err,
		.detail = x->detail,
	};
	if (x->state == X_WAITING)
		t->waiting_n--;
	hf_list_remove(&x->node);
	hf_list_push(&t->running, &x->node);
	hf_timerq_clear(t->opt.timers, &x->timer);
	x->state = X_ENDED;
	hf_http1_pump(t);
	if (t->calls > 0 || x->depth > 0) {
		hf_http1_soon(x);
		return;
	}
	if (!x->receiving)
		return; /* hf_http1_x_receive goes on */
	if (tell_held(x)) {
		if (x->receiving)
			tell_end(x);
		else
			hf_http1_soon(x);
	}
}

void hf_http1_x_cancel(struct hf_exchange *x)
{
	struct conn *c = x->c;
	bool untouched = x->state == X_READY || x->state == X_HELD;

	assert(x->state != X_GONE);
	x->c = NULL;
	if (c) {
		c->x = NULL;
		if (untouched && x->attempt_bytes == 0)
			hf_http1_conn_release(c);
		else
			hf_http1_conn_close(c, false);
	}
	if (x->depth > 0) {
		if (x->state == X_WAITING)
			x->t->waiting_n--;
		x->state = X_GONE; /* freed by leave */
		hf_list_remove(&x->node);
		hf_list_remove(&x->soon);
		hf_timerq_clear(x->t->opt.timers, &x->timer);
		return;
	}
	hf_http1_x_destroy(x);
}

/* ---- a connection comes and goes ---- */

static bool retry_allowed(const struct hf_exchange *x, bool reused)
{
	if (!reused || x->retried || x->rx_any)
		return false;
	return x->attempt_bytes == 0 ||
	       (!hf_http1_x_has_body(x) && hf_method_is_idempotent(x->msg.method));
}

static void retry(struct hf_exchange *x)
{
	x->retried = true;
	x->fresh = true;
	x->sent = sent_so_far(x);
	if (x->attempt_bytes > 0) {
		hf_buf_clear(&x->out); /* the head is made again */
		x->built = false;
	}
	x->attempt_bytes = 0;
	x->write_err = 0;
	hf_http1_wait(x, true);
	hf_http1_pump(x->t);
}

void hf_http1_x_lost(struct hf_exchange *x, bool reused, int err, const char *detail)
{
	assert(!x->c);
	switch (x->state) {
	case X_READY:
		hf_http1_wait(x, true);
		hf_http1_pump(x->t);
		break;
	case X_HELD:
		break; /* go asks for another */
	case X_ACTIVE:
		if (retry_allowed(x, reused))
			retry(x);
		else
			hf_http1_x_end(x, broken_end(x, err), err, detail);
		break;
	case X_TUNNEL:
		hf_http1_x_end(x, broken_end(x, err), err == HF_EEOF ? 0 : err, detail);
		break;
	case X_WAITING:
	case X_ENDED:
	case X_GONE:
		assert(!"an exchange without a connection lost one");
	}
}

void hf_http1_x_attach(struct hf_exchange *x, struct conn *c)
{
	struct http1 *t = x->t;
	bool looked_at = http1_now(t) - c->idle_since_ms <= HF_HTTP1_FRESH_MS;

	assert(!x->c && !c->x && c->state == CONN_IDLE);
	if (!looked_at)
		c->uses++;
	if (c->uses > 0)
		t->reused++;
	t->idle_n--;
	c->state = CONN_BUSY;
	hf_list_remove(&c->node);
	hf_list_push(&t->conns, &c->node);
	c->x = x;
	x->c = c;
	if (x->state == X_WAITING)
		t->waiting_n--;
	hf_list_remove(&x->node);
	hf_list_push(&t->running, &x->node);
	hf_timerq_clear(t->opt.timers, &x->timer);
	x->state = X_READY;
	if (x->gone && !hf_http1_x_has_body(x) && looked_at)
		hf_http1_x_begin(x);
	else if (looked_at || hf_timerq_set(t->opt.timers, &x->timer, http1_now(t) + LOOK_MS))
		hf_http1_soon(x);
}

/* ---- turns ---- */

void hf_http1_x_go(struct hf_exchange *x)
{
	assert(!x->gone);
	if (x->state == X_ENDED)
		return;
	assert(x->state == X_HELD);
	x->gone = true;
	if (x->depth > 0)
		return; /* inside on_send, which goes on */
	if (!x->c) {
		hf_http1_wait(x, true);
		hf_http1_pump(x->t);
	} else if (hf_http1_x_has_body(x)) {
		x->state = X_READY;
		hf_http1_soon(x);
	} else {
		hf_http1_x_begin(x);
	}
}

static void tell_send(struct hf_exchange *x)
{
	x->state = X_HELD;
	x->told_send = true;
	x->depth++;
	x->events->on_send(x->user);
	if (!leave(x) || !x->gone || x->state != X_HELD)
		return;
	if (x->c) {
		hf_http1_x_begin(x);
	} else {
		hf_http1_wait(x, true);
		hf_http1_pump(x->t);
	}
}

void hf_http1_x_run(struct hf_exchange *x)
{
	if (x->state == X_READY) {
		if (x->gone)
			hf_http1_x_begin(x);
		else if (x->told_send)
			x->state = X_HELD;
		else
			tell_send(x);
	} else if (x->receiving && tell_held(x) && x->receiving && x->state == X_ENDED) {
		tell_end(x);
	}
}

void hf_http1_x_receive(struct hf_exchange *x, bool on)
{
	if (x->receiving == on)
		return;
	x->receiving = on;
	if (x->c)
		hf_channel_read(x->c->ch, on || x->state < X_ACTIVE);
	if (on && (x->held.len > 0 || x->state == X_ENDED))
		hf_http1_soon(x);
	if (on)
		x->active_ms = http1_now(x->t);
}

/* ---- the response in ---- */

void hf_http1_x_on_head(struct hf_exchange *x, const struct hf_message *head)
{
	struct conn *c = x->c;

	x->rx_any = true;
	x->active_ms = http1_now(x->t);
	x->depth++;
	if (head->status < 200 && head->status != 101) {
		if (x->events->on_interim)
			x->events->on_interim(x->user, head);
		leave(x);
		return;
	}
	x->head = *head;
	x->head_seen = true;
	if (head->status == 101) {
		x->state = X_TUNNEL;
		x->body_done = false;
		hf_timerq_clear(x->t->opt.timers, &x->timer);
	}
	x->events->on_head(x->user, &x->head);
	if (!leave(x) || x->c != c)
		return;
	if (!x->receiving)
		hf_channel_read(c->ch, false);
	hf_http1_x_arm(x);
}

void hf_http1_x_on_body(struct hf_exchange *x, struct hf_span data)
{
	x->active_ms = http1_now(x->t);
	if (x->receiving && x->held.len == 0) {
		tell_body(x, data);
		return;
	}
	if (hf_buf_append(&x->held, data)) {
		hf_http1_x_drop_conn(x, true);
		hf_http1_x_end(x, HF_END_INTERNAL, HF_ENOMEM, "no room for the response");
		return;
	}
	if (x->receiving)
		tell_held(x);
}
