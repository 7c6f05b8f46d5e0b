/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an answer is written: the exchange's events become bytes in @out. A head
 * and a small body leave in one write: what is small waits for the end of the
 * answer, at most FLUSH_MS. What is large passes without a copy as far as the
 * stream takes it; a piece with a head before it is copied behind that when both
 * fit: one segment and one system call less.
 */
#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "http/h1_writer.h"
#include "ingress/connection.h"

#define COALESCE (16 * 1024)
#define JOIN_MAX (COALESCE + 4096)
#define FLUSH_MS 1

/* ---- bytes out ---- */

/* Nothing more may come from the exchange while bytes wait, and it may again
 * when they have gone. */
static void set_back_pressure(struct hf_connection *c)
{
	bool hold = c->blocked || c->out.len > COALESCE;

	if (!c->exchange || hold == c->held_back)
		return;
	c->held_back = hold;
	c->transport->receive(c->transport, c->exchange, !hold);
}

bool hf_connection_flush(struct hf_connection *c)
{
	struct hf_port *port = c->ingress->opt.port;
	struct hf_span data = hf_buf_span(&c->out);
	ptrdiff_t n;

	if (c->state == HF_CONNECTION_CLOSED)
		return false;
	hf_list_remove(&c->unflushed);
	if (data.len > 0 && !c->blocked) {
		n = port->stream_write(port, c->stream, data.ptr, data.len);
		if (n < 0) {
			hf_connection_close(c, true);
			return false;
		}
		c->blocked = (size_t)n < data.len;
		if (n > 0)
			c->since_ms = hf_ingress_now(c->ingress);
		hf_buf_consume(&c->out, (size_t)n);
	}
	set_back_pressure(c);
	return c->state != HF_CONNECTION_CLOSED;
}

void hf_connection_flush_soon(struct hf_connection *c)
{
	struct hf_ingress *in = c->ingress;

	if (c->unflushed.next != &c->unflushed)
		return;
	hf_list_push(&in->unflushed, &c->unflushed);
	if (!hf_timer_is_set(&in->flush_timer) &&
	    hf_timerq_set(in->opt.timers, &in->flush_timer, hf_ingress_now(in) + FLUSH_MS))
		hf_connection_flush(c);
}

static void put(struct hf_connection *c, struct hf_span data)
{
	if (c->state != HF_CONNECTION_CLOSED && hf_buf_append(&c->out, data))
		hf_connection_close(c, true);
}

/* What waits and @data in one write. False: they do not fit. */
static bool put_joined(struct hf_connection *c, struct hf_span data)
{
	struct hf_ingress *in = c->ingress;
	struct hf_span head = hf_buf_span(&c->out);
	size_t len = head.len + data.len;
	ptrdiff_t n;

	if (head.len == 0 || c->blocked || len > JOIN_MAX)
		return false;
	if (!in->joined)
		in->joined = malloc(JOIN_MAX);
	if (!in->joined)
		return false;
	memcpy(in->joined, head.ptr, head.len);
	memcpy(in->joined + head.len, data.ptr, data.len);
	hf_list_remove(&c->unflushed);
	n = in->opt.port->stream_write(in->opt.port, c->stream, in->joined, len);
	if (n < 0) {
		hf_connection_close(c, true);
		return true;
	}
	c->blocked = (size_t)n < len;
	if (n > 0)
		c->since_ms = hf_ingress_now(in);
	hf_buf_consume(&c->out, (size_t)n < head.len ? (size_t)n : head.len);
	if ((size_t)n > head.len)
		data = hf_span_skip(data, (size_t)n - head.len);
	put(c, data);
	return true;
}

/* Past @out when that is empty. */
static void put_large(struct hf_connection *c, struct hf_span data)
{
	struct hf_port *port = c->ingress->opt.port;
	ptrdiff_t n = 0;

	if (c->state == HF_CONNECTION_CLOSED)
		return;
	if (put_joined(c, data)) {
		if (c->state != HF_CONNECTION_CLOSED)
			set_back_pressure(c);
		return;
	}
	if (!hf_connection_flush(c))
		return;
	if (c->out.len == 0 && !c->blocked) {
		n = port->stream_write(port, c->stream, data.ptr, data.len);
		if (n < 0) {
			hf_connection_close(c, true);
			return;
		}
		c->blocked = (size_t)n < data.len;
		c->since_ms = hf_ingress_now(c->ingress);
	}
	put(c, hf_span_skip(data, (size_t)n));
	if (c->state != HF_CONNECTION_CLOSED)
		set_back_pressure(c);
}

static void put_body(struct hf_connection *c, struct hf_span data)
{
	if (c->out.len + data.len <= COALESCE)
		put(c, data);
	else
		put_large(c, data);
}

/* ---- the head ---- */

static int add_date(struct hf_connection *c, struct hf_message *msg)
{
	struct hf_span date;

	if (hf_fields_get(&msg->fields, "Date"))
		return 0;
	date = hf_ingress_date(c->ingress);
	return date.len > 0 ? hf_fields_add(&msg->fields, HF_SPAN("Date"), date) : 0;
}

/* How the body is framed towards this peer. */
static enum hf_body_kind framing_of(const struct hf_connection *c, const struct hf_message *head)
{
	switch (head->body) {
	case HF_BODY_NONE:
	case HF_BODY_LENGTH:
		return head->body;
	case HF_BODY_CHUNKED:
	case HF_BODY_CLOSE:
		break;
	}
	return c->minor0 ? HF_BODY_CLOSE : HF_BODY_CHUNKED;
}

static bool is_event_stream(const struct hf_message *head)
{
	const struct hf_span *type = hf_fields_get(&head->fields, "Content-Type");
	struct hf_span rest;

	if (!type)
		return false;
	rest = *type;
	return hf_span_ieq_str(hf_span_trim(hf_span_cut(&rest, ';')), "text/event-stream");
}

/* Writes the final head into @out. */
static int write_head(struct hf_connection *c, const struct hf_message *head)
{
	struct hf_message msg = *head;
	bool bodiless = head->status == 204 || head->status == 304;
	bool has_body_fields = head->status != 304;
	int err;

	if (msg.reason.len == 0)
		msg.reason = hf_span_str(hf_status_reason(head->status));
	c->framing = framing_of(c, head);
	c->no_body = c->is_head || bodiless;
	c->immediate = is_event_stream(head);
	if (c->is_head && head->body == HF_BODY_NONE)
		has_body_fields = false; /* the length is what GET would have */
	msg.body = bodiless ? HF_BODY_NONE : c->framing;
	if (!c->request_done || c->ingress->stopping || msg.body == HF_BODY_CLOSE)
		c->keep_alive = false;
	msg.keep_alive = c->keep_alive;
	msg.upgrade = false;
	err = add_date(c, &msg);
	return err ? err : hf_h1_write_response(&c->out, &msg, has_body_fields);
}

/* Without memory for a head: the connection ends, after the words if nothing
 * else was said. */
static void fail(struct hf_connection *c)
{
	static const char words[] = "HTTP/1.1 503 Service Unavailable\r\n"
				    "Connection: close\r\nHoldfast-State: refused\r\n"
				    "Content-Length: 0\r\n\r\n";
	struct hf_port *port = c->ingress->opt.port;

	if (c->state == HF_CONNECTION_CLOSED)
		return;
	if (!c->response_begun && c->out.len == 0)
		(void)port->stream_write(port, c->stream, words, sizeof(words) - 1);
	hf_connection_close(c, false);
}

/* ---- problems ---- */

static int write_problem(struct hf_connection *c, const struct hf_problem *p)
{
	struct hf_message msg = { .status = p->status, .minor = 1, .body = HF_BODY_LENGTH };
	struct hf_buf body;
	int err;

	hf_fields_init(&msg.fields, &c->arena);
	hf_buf_init(&body, 4096);
	err = hf_problem_fields(p, &msg.fields);
	if (!err)
		err = hf_problem_body(p, &body);
	msg.body_len = body.len;
	if (!err)
		err = write_head(c, &msg);
	if (!err && !c->no_body)
		err = hf_buf_append(&c->out, hf_buf_span(&body));
	hf_buf_finish(&body);
	return err;
}

void hf_connection_problem(struct hf_connection *c, const struct hf_problem *p)
{
	struct hf_exchange *x = c->exchange;

	assert(!c->response_begun || c->response_done || c->state == HF_CONNECTION_HEAD);
	c->exchange = NULL;
	if (x)
		c->transport->cancel(c->transport, x);
	if (c->state == HF_CONNECTION_HEAD) {
		/* No head was read: there is nothing to go on from. */
		hf_connection_move(c, HF_CONNECTION_WORK);
		c->request_done = false;
		c->is_head = false;
		c->minor0 = false;
	}
	if (write_problem(c, p)) {
		fail(c);
		return;
	}
	c->response_begun = true;
	c->response_done = true;
}

/* ---- the exchange's events ---- */

static void begin_tunnel(struct hf_connection *c, const struct hf_message *head)
{
	struct hf_message msg = *head;

	msg.body = HF_BODY_NONE;
	msg.upgrade = true;
	if (msg.reason.len == 0)
		msg.reason = hf_span_str(hf_status_reason(101));
	if (hf_h1_write_response(&c->out, &msg, true)) {
		fail(c);
		return;
	}
	hf_connection_move(c, HF_CONNECTION_TUNNEL);
	c->response_begun = true;
	c->keep_alive = false;
	if (hf_connection_flush(c) && c->in.len > 0)
		hf_connection_upload(c);
}

static void on_writable(void *user)
{
	struct hf_connection *c = user;

	hf_connection_enter(c);
	hf_connection_upload(c);
	hf_connection_leave(c);
}

static void on_interim(void *user, const struct hf_message *head)
{
	struct hf_connection *c = user;
	struct hf_message msg = *head;

	if (c->minor0 || c->response_begun)
		return;
	hf_connection_enter(c);
	msg.keep_alive = true;
	if (msg.reason.len == 0)
		msg.reason = hf_span_str(hf_status_reason(msg.status));
	if (hf_h1_write_response(&c->out, &msg, true))
		fail(c);
	else
		hf_connection_flush(c);
	hf_connection_leave(c);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_connection *c = user;

	assert(!c->response_begun);
	hf_connection_enter(c);
	if (head->status == 101) {
		begin_tunnel(c, head);
	} else if (write_head(c, head)) {
		fail(c);
	} else {
		c->response_begun = true;
		hf_connection_flush_soon(c);
	}
	hf_connection_leave(c);
}

static void write_chunk(struct hf_connection *c, struct hf_span data)
{
	char prefix[20];

	put(c, hf_span(prefix, hf_h1_chunk_prefix(data.len, prefix)));
	if (c->state != HF_CONNECTION_CLOSED)
		put_body(c, data);
	put(c, HF_SPAN("\r\n"));
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_connection *c = user;

	if (data.len == 0 || (c->no_body && c->state == HF_CONNECTION_WORK))
		return;
	hf_connection_enter(c);
	if (c->state == HF_CONNECTION_TUNNEL)
		put_large(c, data);
	else if (c->framing == HF_BODY_CHUNKED)
		write_chunk(c, data);
	else
		put_body(c, data);
	if (c->state == HF_CONNECTION_WORK && c->out.len > 0 && !c->blocked) {
		if (c->immediate)
			hf_connection_flush(c);
		else
			hf_connection_flush_soon(c);
	}
	hf_connection_leave(c);
}

/* The answer broke off: a peer that counts bytes or chunks sees that; one that
 * waits for the end of the connection is told by a reset. */
static void break_off(struct hf_connection *c)
{
	c->keep_alive = false;
	if (!c->response_begun)
		fail(c);
	else if (c->framing == HF_BODY_CLOSE)
		hf_connection_close(c, true);
	else if (hf_connection_flush(c))
		hf_connection_close(c, false);
}

static void complete(struct hf_connection *c, const struct hf_fields *trailers)
{
	if (c->framing == HF_BODY_CHUNKED && !c->no_body &&
	    hf_h1_write_last_chunk(&c->out, trailers)) {
		hf_connection_close(c, true);
		return;
	}
	c->response_done = true;
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_connection *c = user;

	hf_connection_enter(c);
	c->exchange = NULL;
	c->held_back = false;
	if (c->state == HF_CONNECTION_TUNNEL) {
		hf_connection_move(c, HF_CONNECTION_LINGER);
		hf_buf_finish(&c->in);
	} else if (result->end == HF_END_COMPLETE && c->response_begun) {
		complete(c, trailers);
	} else {
		break_off(c);
	}
	hf_connection_leave(c);
}

const struct hf_exchange_events hf_connection_events = {
	.on_writable = on_writable,
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};
