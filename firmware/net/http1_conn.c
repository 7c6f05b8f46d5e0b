/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection dials, shakes hands, and then serves one exchange after the
 * other. Reading stays on while it is idle, so that the other side's close is
 * seen at once; a byte that nobody asked for closes it.
 *
 * Every event handler of ours stands between enter and leave, so that a close
 * inside frees the memory only when the stack is unwound.
 */
#include "net/http1_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/addr.h"
#include "net/tls.h"

static void conn_free(struct conn *c)
{
	hf_h1_reader_destroy(c->reader);
	free(c);
}

static void enter(struct conn *c)
{
	c->depth++;
}

static void leave(struct conn *c)
{
	assert(c->depth > 0);
	if (--c->depth == 0 && c->closed)
		conn_free(c);
}

/* The connection is of no more use: closes it, then its exchange hears. */
static void conn_lost(struct conn *c, int err, const char *detail)
{
	struct hf_exchange *x = c->x;
	struct http1 *t = c->t;
	bool reused = c->uses > 0;

	hf_http1_conn_close(c, false);
	if (x)
		hf_http1_x_lost(x, reused, err, detail);
	hf_http1_pump(t);
}

/* ---- opening ---- */

static void conn_failed(struct conn *c, enum hf_end end, int err, const char *detail)
{
	struct http1 *t = c->t;
	char copy[256];

	assert(c->state == CONN_DIALING || c->state == CONN_HANDSHAKE);
	snprintf(copy, sizeof(copy), "%s", detail);
	hf_http1_conn_close(c, true);
	hf_http1_dial_failed(t, end, err, copy);
}

static void conn_ready(struct conn *c)
{
	struct http1 *t = c->t;

	hf_timerq_clear(t->opt.timers, &c->deadline);
	t->connecting--;
	t->idle_n++;
	t->opened++;
	c->state = CONN_IDLE;
	c->idle_since_ms = http1_now(t);
	hf_list_remove(&c->node);
	hf_list_push_front(&t->idle, &c->node);
	hf_channel_read(c->ch, true);
	hf_http1_pump(t);
	if (c->state == CONN_IDLE && !hf_timer_is_set(&t->idle_timer))
		(void)hf_timerq_set(t->opt.timers, &t->idle_timer,
				    c->idle_since_ms + t->opt.keepalive_timeout_ms);
}

/* What a failed handshake counts as: a network that breaks is no refusal. */
static enum hf_end handshake_end(int err)
{
	switch (err) {
	case HF_ECERT:
		return HF_END_TLS_CERT;
	case HF_ECERTTIME:
		return HF_END_TLS_TIME;
	case HF_ECONNRESET:
	case HF_ETIMEDOUT:
	case HF_EIO:
		return HF_END_CONNECT;
	case HF_ENOMEM:
		return HF_END_INTERNAL;
	}
	return HF_END_TLS;
}

static void handshake_failed(struct conn *c, int err)
{
	const char *why = hf_channel_error(c->ch);
	char detail[256];

	snprintf(detail, sizeof(detail), "TLS with %s: %s", c->t->opt.host,
		 *why ? why : hf_strerror(err));
	conn_failed(c, handshake_end(err), err, detail);
}

static void on_open(void *user, int err)
{
	struct conn *c = user;

	enter(c);
	if (err)
		handshake_failed(c, err);
	else
		conn_ready(c);
	leave(c);
}

static void on_deadline(void *user)
{
	struct conn *c = user;
	bool resolving = false;
	char detail[256];

	if (c->state == CONN_HANDSHAKE)
		snprintf(detail, sizeof(detail), "TLS with %s: no answer within %u ms",
			 c->t->opt.host, c->t->opt.connect_timeout_ms);
	else
		snprintf(detail, sizeof(detail), "%s: no answer within %u ms",
			 hf_dial_phase(&c->dial, &resolving), c->t->opt.connect_timeout_ms);
	conn_failed(c, resolving ? HF_END_DNS : HF_END_CONNECT, HF_ETIMEDOUT, detail);
}

/* ---- response ---- */

static int on_head(void *user, struct hf_message *msg)
{
	struct conn *c = user;

	if (msg->status == 101 && !c->x->msg.upgrade) {
		c->why = "101 without an upgrade";
		return HF_EPROTO;
	}
	if (msg->status < 200 && msg->status != 101 && ++c->x->interim > HF_HTTP1_INTERIM_MAX) {
		c->why = "too many interim responses";
		return HF_EPROTO;
	}
	hf_http1_x_on_head(c->x, msg);
	return c->x ? 0 : HF_ECANCELED;
}

static int on_body(void *user, struct hf_span data)
{
	struct conn *c = user;

	hf_http1_x_on_body(c->x, data);
	return c->x ? 0 : HF_ECANCELED;
}

static int on_complete(void *user, const struct hf_fields *trailers)
{
	struct conn *c = user;

	if (c->x->state == X_TUNNEL)
		return 0;
	c->x->trailers = *trailers;
	c->complete = true;
	return 0;
}

static const struct hf_h1_events reader_events = {
	.on_head = on_head,
	.on_body = on_body,
	.on_complete = on_complete,
};

/* The response is complete: the connection goes back or away first, so that
 * the user's next request inside on_end may have it. */
static void finish_response(struct conn *c, bool clean)
{
	struct hf_exchange *x = c->x;

	x->c = NULL;
	c->x = NULL;
	c->uses++;
	if (clean && !hf_channel_pending(c->ch) && x->head.keep_alive && hf_http1_x_sent_all(x))
		hf_http1_conn_release(c);
	else
		hf_http1_conn_close(c, false);
	hf_http1_x_end(x, HF_END_COMPLETE, 0, "");
}

static void response_broken(struct conn *c, int err)
{
	struct hf_exchange *x = c->x;
	const char *why = c->why ? c->why : hf_h1_reader_error(c->reader);
	char detail[192];

	snprintf(detail, sizeof(detail), "response: %s", why && *why ? why : hf_strerror(err));
	x->c = NULL;
	c->x = NULL;
	hf_http1_conn_close(c, false);
	hf_http1_x_end(x, err == HF_ENOMEM ? HF_END_INTERNAL : HF_END_MALFORMED, err, detail);
}

static void read_response(struct conn *c, struct hf_span data)
{
	ptrdiff_t n;

	c->x->rx_any = true;
	n = hf_h1_reader_feed(c->reader, data);
	if (c->closed || !c->x)
		return; /* cancelled inside */
	if (n < 0) {
		response_broken(c, (int)n);
		return;
	}
	data = hf_span_skip(data, (size_t)n);
	if (c->x->state == X_TUNNEL) {
		if (data.len > 0)
			hf_http1_x_on_body(c->x, data);
	} else if (c->complete) {
		finish_response(c, data.len == 0);
	} else {
		assert(data.len == 0);
	}
}

static void on_data(void *user, struct hf_span data)
{
	struct conn *c = user;

	enter(c);
	if (!c->x || c->x->state != X_ACTIVE) {
		if (c->x && c->x->state == X_TUNNEL)
			hf_http1_x_on_body(c->x, data);
		else
			conn_lost(c, HF_ECONNRESET, "the origin spoke before it was asked");
	} else {
		read_response(c, data);
	}
	leave(c);
}

static void on_eof(void *user)
{
	struct conn *c = user;
	struct hf_exchange *x = c->x;
	int err;

	enter(c);
	if (x && x->state == X_ACTIVE && x->rx_any) {
		err = hf_h1_reader_eof(c->reader);
		if (!c->closed && c->x) {
			if (c->complete && !err)
				finish_response(c, false);
			else
				conn_lost(c, HF_EEOF, "the origin closed within its answer");
		}
	} else {
		conn_lost(c, HF_EEOF, "the origin closed without an answer");
	}
	leave(c);
}

static void on_writable(void *user)
{
	struct conn *c = user;

	enter(c);
	if (c->x)
		hf_http1_x_writable(c->x);
	leave(c);
}

static void on_error(void *user, int err)
{
	struct conn *c = user;
	const char *why = hf_channel_error(c->ch);
	char detail[256];

	enter(c);
	snprintf(detail, sizeof(detail), "%s", *why ? why : hf_strerror(err));
	conn_lost(c, err, detail);
	leave(c);
}

static const struct hf_channel_events channel_events = {
	.on_open = on_open,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

static void on_dialed(void *user, const struct hf_dial_result *result)
{
	struct conn *c = user;
	int err;

	enter(c);
	if (result->err) {
		conn_failed(c, result->err == HF_EDNS ? HF_END_DNS : HF_END_CONNECT, result->err,
			    result->detail);
	} else {
		c->ch = result->channel;
		c->addr = result->addr;
		hf_channel_bind(c->ch, &channel_events, c);
		if (!c->t->opt.tls) {
			conn_ready(c);
		} else {
			c->state = CONN_HANDSHAKE;
			err = hf_channel_start_tls(c->ch, c->t->opt.tls);
			if (err)
				handshake_failed(c, err);
		}
	}
	leave(c);
}

/* ---- for the pool ---- */

struct conn *hf_http1_conn_open(struct http1 *t)
{
	const struct hf_h1_limits limits = {
		.head_bytes_max = t->opt.head_bytes_max,
		.fields_max = t->opt.fields_max,
	};
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->t = t;
	c->state = CONN_DIALING;
	hf_list_init(&c->node);
	hf_timer_init(&c->deadline, on_deadline, c);
	if (hf_timerq_set(t->opt.timers, &c->deadline, http1_now(t) + t->opt.connect_timeout_ms) ||
	    hf_h1_reader_create(HF_H1_RESPONSE, &limits, &reader_events, c, &c->reader)) {
		hf_timerq_clear(t->opt.timers, &c->deadline);
		free(c);
		return NULL;
	}
	hf_list_push(&t->conns, &c->node);
	t->connections++;
	t->connecting++;
	hf_dial_start(&c->dial, &t->dialer, on_dialed, c);
	return c;
}

void hf_http1_conn_close(struct conn *c, bool abort)
{
	struct http1 *t = c->t;

	if (c->closed)
		return;
	c->closed = true;
	if (c->x)
		c->x->c = NULL;
	c->x = NULL;
	hf_timerq_clear(t->opt.timers, &c->deadline);
	hf_dial_cancel(&c->dial);
	hf_channel_close(c->ch, abort);
	c->ch = NULL;
	if (c->state == CONN_DIALING || c->state == CONN_HANDSHAKE)
		t->connecting--;
	else if (c->state == CONN_IDLE)
		t->idle_n--;
	t->connections--;
	hf_list_remove(&c->node);
	if (c->depth == 0)
		conn_free(c);
}

void hf_http1_conn_release(struct conn *c)
{
	struct http1 *t = c->t;

	assert(c->state == CONN_BUSY && !c->x && !c->closed);
	if (c->last) {
		hf_http1_conn_close(c, false);
		hf_http1_pump(t);
		return;
	}
	c->state = CONN_IDLE;
	c->idle_since_ms = http1_now(t);
	c->complete = false;
	t->idle_n++;
	hf_list_remove(&c->node);
	hf_list_push_front(&t->idle, &c->node);
	hf_channel_read(c->ch, true);
	hf_http1_pump(t);
	if (!hf_timer_is_set(&t->idle_timer))
		(void)hf_timerq_set(t->opt.timers, &t->idle_timer,
				    http1_now(t) + t->opt.keepalive_timeout_ms);
}

void hf_http1_conn_restart(struct conn *c)
{
	assert(c->state == CONN_HANDSHAKE);
	hf_channel_close(c->ch, true);
	c->ch = NULL;
	c->state = CONN_DIALING;
	hf_dial_start(&c->dial, &c->t->dialer, on_dialed, c);
}
