/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a request is read: stream -> reader -> (head: who answers?) -> exchange.
 * Handlers only note what happened; pump(), run by the last one to leave, goes
 * on from there, so that a row of pipelined requests costs no stack.
 *
 * Back-pressure: when the exchange takes less than it is offered, the rest
 * stays in @in and reading stops until on_writable.
 */
#include "ingress/connection.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fsm.h"
#include "holdfast/err.h"

#define IN_MAX	    (1024 * 1024) /* one read and more */
#define IN_STOP	    (16 * 1024)	  /* reading stops above it */
#define OUT_MAX	    (8 * 1024 * 1024)
#define LINGER_MS   2000
#define ARENA_SPARE (256 * 1024)

#define TO(name) HF_FSM_TO(HF_CONNECTION_##name)
static const uint32_t allowed[] = {
	[HF_CONNECTION_HEAD] = TO(WORK) | TO(LINGER) | TO(CLOSED),
	[HF_CONNECTION_WORK] = TO(HEAD) | TO(TUNNEL) | TO(LINGER) | TO(CLOSED),
	[HF_CONNECTION_TUNNEL] = TO(LINGER) | TO(CLOSED),
	[HF_CONNECTION_LINGER] = TO(CLOSED),
	[HF_CONNECTION_CLOSED] = 0,
};
static const char *const names[] = { "head", "work", "tunnel", "linger", "closed" };
static const struct hf_fsm fsm = { "connection", 5, allowed, names };

static void pump(struct hf_connection *c);

void hf_connection_move(struct hf_connection *c, enum hf_connection_state to)
{
	hf_fsm_move(&fsm, &c->state, to);
}

/* ---- coming and going ---- */

static void free_connection(struct hf_connection *c)
{
	hf_h1_reader_destroy(c->reader);
	hf_arena_finish(&c->arena);
	hf_buf_finish(&c->in);
	hf_buf_finish(&c->out);
	free(c);
}

void hf_connection_enter(struct hf_connection *c)
{
	c->depth++;
}

void hf_connection_leave(struct hf_connection *c)
{
	if (c->depth == 1 && c->state != HF_CONNECTION_CLOSED)
		pump(c);
	if (--c->depth == 0 && c->state == HF_CONNECTION_CLOSED)
		free_connection(c);
}

static void cancel_exchange(struct hf_connection *c)
{
	struct hf_exchange *x = c->exchange;

	c->exchange = NULL;
	if (x)
		c->transport->cancel(c->transport, x);
}

void hf_connection_close(struct hf_connection *c, bool abort)
{
	struct hf_ingress *in = c->ingress;

	if (c->state == HF_CONNECTION_CLOSED)
		return;
	hf_connection_move(c, HF_CONNECTION_CLOSED);
	c->depth++;
	cancel_exchange(c);
	hf_timerq_clear(in->opt.timers, &c->timer);
	hf_list_remove(&c->unflushed);
	hf_list_remove(&c->link);
	in->opt.port->stream_close(in->opt.port, c->stream, abort);
	c->stream = NULL;
	hf_ingress_closed(in, (enum hf_side)c->side);
	hf_connection_leave(c);
}

/* ---- time ---- */

/* When the present state has lasted too long. */
static uint64_t deadline(const struct hf_connection *c)
{
	const struct hf_ingress_options *opt = &c->ingress->opt;

	switch ((enum hf_connection_state)c->state) {
	case HF_CONNECTION_HEAD:
		return c->since_ms +
		       (c->head_begun ? opt->head_timeout_ms : opt->keepalive_timeout_ms);
	case HF_CONNECTION_WORK:
		if (c->blocked || (!c->request_done && c->upload_len == 0))
			return c->since_ms + opt->idle_timeout_ms;
		return HF_TIMER_NEVER;
	case HF_CONNECTION_TUNNEL:
		return c->blocked ? c->since_ms + opt->idle_timeout_ms : HF_TIMER_NEVER;
	case HF_CONNECTION_LINGER:
		return c->since_ms + (c->out.len > 0 ? opt->idle_timeout_ms : LINGER_MS);
	case HF_CONNECTION_CLOSED:
		break;
	}
	return HF_TIMER_NEVER;
}

/* The timer is only ever moved to an earlier time; when it fires too early it
 * is set again. Without memory for a timer the connection cannot be kept. */
static void arm(struct hf_connection *c)
{
	uint64_t due = deadline(c);

	if (due == HF_TIMER_NEVER || (hf_timer_is_set(&c->timer) && c->timer.due_ms <= due))
		return;
	if (hf_timerq_set(c->ingress->opt.timers, &c->timer, due))
		hf_connection_close(c, true);
}

static void time_is_up(struct hf_connection *c)
{
	static const struct hf_problem slow = {
		.status = 408,
		.error = "http_request_error",
		.detail = "The request did not arrive in time.",
	};

	switch ((enum hf_connection_state)c->state) {
	case HF_CONNECTION_HEAD:
		if (c->head_begun)
			hf_connection_problem(c, &slow);
		else
			hf_connection_close(c, false);
		return;
	case HF_CONNECTION_WORK:
		if (!c->response_begun)
			hf_connection_problem(c, &slow);
		else
			hf_connection_close(c, true);
		return;
	case HF_CONNECTION_TUNNEL:
	case HF_CONNECTION_LINGER:
		hf_connection_close(c, c->out.len > 0);
		return;
	case HF_CONNECTION_CLOSED:
		return;
	}
}

static void on_timer(void *user)
{
	struct hf_connection *c = user;

	hf_connection_enter(c);
	if (hf_ingress_now(c->ingress) >= deadline(c))
		time_is_up(c);
	hf_connection_leave(c);
}

/* ---- from the reader ---- */

static int on_head(void *user, struct hf_message *msg)
{
	struct hf_connection *c = user;

	hf_connection_move(c, HF_CONNECTION_WORK);
	c->msg = msg;
	c->request = *msg;
	c->minor0 = msg->minor == 0;
	c->is_head = hf_span_eq_str(msg->method, "HEAD");
	/* HTTP/1.0 panels get one answer a connection. */
	c->keep_alive = msg->keep_alive && !c->minor0;
	c->since_ms = hf_ingress_now(c->ingress);
	c->request_done = msg->body == HF_BODY_NONE ||
			  (msg->body == HF_BODY_LENGTH && msg->body_len == 0);
	c->response_begun = false;
	c->response_done = false;
	hf_connection_route(c);
	return 0;
}

static int on_body(void *user, struct hf_span data)
{
	struct hf_connection *c = user;
	size_t n;

	c->since_ms = hf_ingress_now(c->ingress);
	if (!c->exchange)
		return 0; /* answered already: dropped */
	n = c->transport->send(c->transport, c->exchange, data);
	assert(n <= data.len);
	if (n < data.len && c->exchange) {
		c->upload_len = data.len - n;
		c->paused = true;
		hf_h1_reader_pause(c->reader);
	}
	return 0;
}

static int on_complete(void *user, const struct hf_fields *trailers)
{
	struct hf_connection *c = user;

	c->request_done = true;
	if (c->exchange && c->msg->body != HF_BODY_NONE)
		c->transport->send_end(c->transport, c->exchange, trailers);
	return 0;
}

static const struct hf_h1_events reader_events = {
	.on_head = on_head,
	.on_body = on_body,
	.on_complete = on_complete,
};

static void malformed(struct hf_connection *c)
{
	struct hf_problem p = {
		.status = hf_h1_reader_error_status(c->reader),
		.error = "http_request_error",
		.detail = hf_h1_reader_error(c->reader),
	};

	if (p.status == 500)
		p = (struct hf_problem){ .status = 503,
					 .error = "proxy_internal_error",
					 .detail = "Holdfast is short of memory.",
					 .retry_after_s = 5 };
	if (c->state == HF_CONNECTION_WORK && c->response_begun)
		hf_connection_close(c, true);
	else
		hf_connection_problem(c, &p);
}

/* ---- what was read ---- */

static bool may_feed(const struct hf_connection *c)
{
	if (c->upload_len > 0)
		return false;
	if (c->state == HF_CONNECTION_HEAD)
		return true;
	/* The end of a body that is all read has still to be told. */
	return c->state == HF_CONNECTION_WORK && !c->response_done &&
	       (!c->request_done || c->paused);
}

/* Gives @data to the reader; returns how many bytes need not be kept: all that
 * were used but those the exchange had no room for. */
static size_t feed(struct hf_connection *c, struct hf_span data)
{
	ptrdiff_t n = hf_h1_reader_feed(c->reader, data);

	if (c->state == HF_CONNECTION_CLOSED)
		return data.len;
	if (n < 0) {
		malformed(c);
		return data.len;
	}
	assert(c->upload_len <= (size_t)n);
	if (c->state == HF_CONNECTION_HEAD && !c->head_begun && !hf_h1_reader_idle(c->reader)) {
		c->head_begun = true;
		c->since_ms = hf_ingress_now(c->ingress);
	}
	return (size_t)n - c->upload_len;
}

static void keep(struct hf_connection *c, struct hf_span data)
{
	if (c->state != HF_CONNECTION_CLOSED && hf_buf_append(&c->in, data))
		hf_connection_close(c, true);
}

/* Tunnel bytes, and body bytes that had to wait. */
static void offer(struct hf_connection *c, size_t len)
{
	struct hf_span data = hf_span(hf_buf_span(&c->in).ptr, len);
	size_t n = c->exchange ? c->transport->send(c->transport, c->exchange, data) : len;

	if (c->state != HF_CONNECTION_CLOSED)
		hf_buf_consume(&c->in, n);
}

/* The peer has nothing more to say. */
static void end_tunnel(struct hf_connection *c)
{
	if (c->exchange)
		c->transport->send_end(c->transport, c->exchange, NULL);
}

void hf_connection_upload(struct hf_connection *c)
{
	size_t before = c->in.len;

	if (c->state == HF_CONNECTION_TUNNEL && c->in.len > 0) {
		offer(c, c->in.len);
		if (c->eof && c->in.len == 0)
			end_tunnel(c);
	} else if (c->state == HF_CONNECTION_WORK && c->upload_len > 0) {
		c->since_ms = hf_ingress_now(c->ingress);
		offer(c, c->upload_len);
		if (c->state != HF_CONNECTION_CLOSED)
			c->upload_len -= before - c->in.len;
	}
}

/* ---- going on ---- */

static void next_request(struct hf_connection *c)
{
	hf_connection_move(c, HF_CONNECTION_HEAD);
	c->msg = NULL;
	c->head_begun = false;
	c->paused = false;
	c->since_ms = hf_ingress_now(c->ingress);
	hf_arena_reset(&c->arena);
	hf_h1_reader_next(c->reader, &c->arena);
}

static void linger(struct hf_connection *c)
{
	hf_connection_move(c, HF_CONNECTION_LINGER);
	c->upload_len = 0;
	hf_buf_finish(&c->in);
	c->since_ms = hf_ingress_now(c->ingress);
}

/* The answer is out. */
static void finish_answer(struct hf_connection *c)
{
	bool whole = c->request_done && c->upload_len == 0;

	if (whole && c->keep_alive && c->reader && !c->ingress->stopping)
		next_request(c);
	else if (whole && (c->eof || c->in.len == 0))
		hf_connection_close(c, false);
	else
		linger(c);
}

/* The peer will send no more. A peer that said so beforehand, or has asked for
 * more already, may still be listening. */
static void heed_eof(struct hf_connection *c)
{
	switch ((enum hf_connection_state)c->state) {
	case HF_CONNECTION_HEAD:
	case HF_CONNECTION_LINGER:
		hf_connection_close(c, false);
		return;
	case HF_CONNECTION_WORK:
		if (c->response_done)
			return;
		if (!c->request_done ? c->upload_len == 0 : c->keep_alive && c->in.len == 0)
			hf_connection_close(c, false);
		return;
	case HF_CONNECTION_TUNNEL:
	case HF_CONNECTION_CLOSED:
		return;
	}
}

static void set_reading(struct hf_connection *c)
{
	struct hf_port *port = c->ingress->opt.port;
	bool on = true;

	if (c->eof)
		return;
	if (c->state == HF_CONNECTION_TUNNEL)
		on = c->in.len == 0;
	else if (c->state == HF_CONNECTION_WORK)
		on = c->upload_len == 0 && c->in.len < IN_STOP;
	if (on == c->reading)
		return;
	c->reading = on;
	port->stream_read(port, c->stream, on);
}

static void shut_down(struct hf_connection *c)
{
	struct hf_port *port = c->ingress->opt.port;

	c->shut = true;
	port->stream_shutdown(port, c->stream);
	c->since_ms = hf_ingress_now(c->ingress);
}

/* Does one thing that is due; false: nothing is. */
static bool step(struct hf_connection *c)
{
	struct hf_span rest = hf_buf_span(&c->in);

	if (c->state == HF_CONNECTION_WORK && c->response_done) {
		if (!hf_connection_flush(c) || c->out.len > 0)
			return false;
		finish_answer(c);
		return true;
	}
	if (c->state == HF_CONNECTION_LINGER && !c->shut) {
		if (!hf_connection_flush(c) || c->out.len > 0)
			return false;
		shut_down(c);
		return true;
	}
	if ((rest.len > 0 || c->paused) && may_feed(c)) {
		size_t n;

		c->paused = false;
		n = feed(c, rest);

		if (c->state != HF_CONNECTION_CLOSED)
			hf_buf_consume(&c->in, n < c->in.len ? n : c->in.len);
		return c->state != HF_CONNECTION_CLOSED;
	}
	return false;
}

static void pump(struct hf_connection *c)
{
	while (step(c)) {
	}
	if (c->eof && c->state != HF_CONNECTION_CLOSED &&
	    !(c->state == HF_CONNECTION_LINGER && c->out.len > 0))
		heed_eof(c);
	if (c->state == HF_CONNECTION_CLOSED)
		return;
	set_reading(c);
	arm(c);
}

/* ---- from the stream ---- */

static void on_data(void *user, const void *bytes, size_t len)
{
	struct hf_connection *c = user;
	struct hf_span data = hf_span(bytes, len);
	size_t n;

	hf_connection_enter(c);
	if (c->state == HF_CONNECTION_LINGER) {
		hf_connection_leave(c);
		return;
	}
	if (c->state == HF_CONNECTION_TUNNEL) {
		n = 0;
		if (c->in.len == 0)
			n = c->exchange ? c->transport->send(c->transport, c->exchange, data) : len;
		keep(c, hf_span_skip(data, n));
	} else if (c->in.len == 0 && may_feed(c)) {
		n = feed(c, data);
		if (c->state != HF_CONNECTION_LINGER)
			keep(c, hf_span_skip(data, n));
	} else {
		keep(c, data);
	}
	hf_connection_leave(c);
}

static void on_eof(void *user)
{
	struct hf_connection *c = user;

	hf_connection_enter(c);
	c->eof = true;
	c->reading = false;
	if (c->state == HF_CONNECTION_TUNNEL && c->in.len == 0)
		end_tunnel(c);
	hf_connection_leave(c);
}

static void on_writable(void *user)
{
	struct hf_connection *c = user;

	hf_connection_enter(c);
	c->blocked = false;
	c->since_ms = hf_ingress_now(c->ingress);
	hf_connection_flush(c);
	hf_connection_leave(c);
}

static void on_error(void *user, int err)
{
	(void)err; /* the peer has gone; nobody is left to be told */
	hf_connection_close(user, true);
}

static const struct hf_stream_events stream_events = {
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

/* ---- opening ---- */

static struct hf_connection *create(struct hf_ingress *in, bool with_reader)
{
	struct hf_h1_limits limits = {
		.head_bytes_max = in->opt.head_bytes_max,
		.fields_max = in->opt.fields_max,
	};
	struct hf_connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->ingress = in;
	hf_list_init(&c->link);
	hf_list_init(&c->unflushed);
	hf_timer_init(&c->timer, on_timer, c);
	hf_arena_init(&c->arena, in->opt.head_bytes_max * 4 + ARENA_SPARE);
	hf_buf_init(&c->in, IN_MAX);
	hf_buf_init(&c->out, OUT_MAX);
	if (with_reader &&
	    hf_h1_reader_create(HF_H1_REQUEST, &limits, &reader_events, c, &c->reader)) {
		free_connection(c);
		return NULL;
	}
	return c;
}

void hf_connection_open(struct hf_ingress *in, struct hf_stream *stream, enum hf_side side,
			const struct hf_problem *refusal)
{
	struct hf_port *port = in->opt.port;
	struct hf_connection *c = create(in, !refusal);

	if (!c) {
		port->stream_close(port, stream, true);
		hf_ingress_closed(in, side);
		return;
	}
	c->stream = stream;
	c->side = (uint8_t)side;
	c->since_ms = hf_ingress_now(in);
	hf_list_push(&in->connections, &c->link);
	port->stream_accept(port, stream, &stream_events, c);
	hf_connection_enter(c);
	if (port->stream_peer(port, stream, &c->peer))
		c->peer = (struct hf_peer){ .addr = { .family = HF_FAMILY_UNIX } };
	if (refusal)
		hf_connection_problem(c, refusal);
	else
		hf_h1_reader_next(c->reader, &c->arena);
	hf_connection_leave(c);
}

void hf_connection_stop(struct hf_connection *c)
{
	if (c->state == HF_CONNECTION_HEAD && !c->head_begun)
		hf_connection_close(c, false);
}
