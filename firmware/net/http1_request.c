/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request of an exchange on its way out.
 *
 * The head, and as much body as the user has at hand, leave in one write: @out
 * is corked while on_writable is told for the first time. A body of known length
 * then goes from the user's memory straight to the channel; chunks are framed
 * in @out.
 */
#include "net/http1_internal.h"

#include <assert.h>

#define OUT_MAX 16384

bool hf_http1_x_sent_all(const struct hf_exchange *x)
{
	return x->built && x->body_done && x->out.len == 0 && !x->write_err;
}

/* A write failed. What the origin has said already may still be read, unless
 * it cannot have heard anything. */
static void write_failed(struct hf_exchange *x, int err)
{
	bool reused = x->c && x->c->uses > 0;

	if (err == HF_ENOMEM) { /* @out may hold half of something */
		hf_http1_x_drop_conn(x, true);
		hf_http1_x_end(x, HF_END_INTERNAL, err, "out of memory");
		return;
	}
	if (x->attempt_bytes == 0) {
		hf_http1_x_drop_conn(x, true);
		hf_http1_x_lost(x, reused, err, hf_strerror(err));
		return;
	}
	x->write_err = err;
	x->active_ms = http1_now(x->t);
	hf_http1_x_arm(x);
}

static void count(struct hf_exchange *x, size_t n)
{
	if (n == 0)
		return;
	x->attempt_bytes += n;
	if (x->attempt_bytes > x->request_bytes)
		x->request_bytes = x->attempt_bytes;
	x->active_ms = http1_now(x->t);
}

/* Writes @out. True when it is empty and the exchange goes on. */
static bool flush(struct hf_exchange *x)
{
	ptrdiff_t n;

	if (!x->c || x->write_err)
		return false;
	if (x->out.len == 0)
		return true;
	n = hf_channel_write(x->c->ch, hf_buf_span(&x->out).ptr, x->out.len);
	if (n < 0) {
		write_failed(x, (int)n);
		return false;
	}
	hf_buf_consume(&x->out, (size_t)n);
	count(x, (size_t)n);
	return x->out.len == 0;
}

static int build(struct hf_exchange *x)
{
	int err;

	if (x->built)
		return 0; /* it waits in @out since a connection died before */
	err = hf_h1_write_request(&x->out, &x->msg);
	x->built = err == 0;
	x->body_done = !hf_http1_x_has_body(x) ||
		       (x->msg.body == HF_BODY_LENGTH && x->body_left == 0);
	return err;
}

void hf_http1_x_begin(struct hf_exchange *x)
{
	struct conn *c = x->c;
	bool first = !x->built;
	int err = build(x);

	if (err) {
		x->c = NULL;
		c->x = NULL;
		hf_http1_conn_release(c);
		hf_http1_x_end(x, HF_END_INTERNAL, err, "the request cannot be written");
		return;
	}
	x->state = X_ACTIVE;
	x->active_ms = http1_now(x->t);
	hf_arena_reset(&x->arena);
	hf_h1_reader_next(c->reader, &x->arena);
	c->complete = false;
	hf_channel_read(c->ch, x->receiving);
	if (hf_span_eq(x->msg.method, HF_SPAN("HEAD")))
		hf_h1_reader_no_body(c->reader);
	if (first && hf_http1_x_has_body(x)) {
		x->corked = true;
		if (!hf_http1_x_tell_writable(x))
			return;
		x->corked = false;
		if (x->state != X_ACTIVE || x->c != c)
			return;
	}
	hf_http1_x_writable(x);
	if (x->state == X_ACTIVE)
		hf_http1_x_arm(x);
}

void hf_http1_x_writable(struct hf_exchange *x)
{
	struct conn *c = x->c;

	if (x->state == X_TUNNEL) {
		if (!flush(x))
			return;
		if (x->body_done)
			hf_channel_shutdown(c->ch);
		else
			hf_http1_x_tell_writable(x);
		return;
	}
	if (flush(x) && x->want_writable) {
		x->want_writable = false;
		if (!hf_http1_x_tell_writable(x) || x->c != c)
			return;
	}
	if (x->state == X_ACTIVE && hf_http1_x_sent_all(x))
		hf_http1_x_arm(x); /* for the first byte */
}

/* What a send says that could not write: @done when it goes on, here or on
 * another connection, else all of it, which nobody will ask for again. */
static size_t taken(const struct hf_exchange *x, size_t done, size_t all)
{
	return x->state == X_ENDED || x->state == X_GONE || x->write_err ? all : done;
}

/* Body of known length: behind the head while corked, else past @out. */
static size_t send_plain(struct hf_exchange *x, struct hf_span data)
{
	ptrdiff_t n;

	if (x->corked && x->out.len + data.len <= OUT_MAX) {
		if (!hf_buf_append(&x->out, data))
			return data.len;
		write_failed(x, HF_ENOMEM);
		return taken(x, 0, data.len);
	}
	if (!flush(x))
		return taken(x, 0, data.len);
	n = hf_channel_write(x->c->ch, data.ptr, data.len);
	if (n < 0) {
		write_failed(x, (int)n);
		return taken(x, 0, data.len);
	}
	count(x, (size_t)n);
	return (size_t)n;
}

static int append_chunk(struct hf_exchange *x, struct hf_span data)
{
	char prefix[20];
	size_t n = hf_h1_chunk_prefix(data.len, prefix);
	int err = hf_buf_append(&x->out, hf_span(prefix, n));

	if (!err)
		err = hf_buf_append(&x->out, data);
	if (!err)
		err = hf_buf_append(&x->out, HF_SPAN("\r\n"));
	return err;
}

static size_t send_chunks(struct hf_exchange *x, struct hf_span data)
{
	size_t done = 0, n, room;

	while (done < data.len) {
		if ((!x->corked || x->out.len + 64 >= OUT_MAX) && !flush(x))
			break;
		room = x->out.len + 64 < OUT_MAX ? OUT_MAX - 64 - x->out.len : 1024;
		n = data.len - done < room ? data.len - done : room;
		if (append_chunk(x, hf_span(data.ptr + done, n))) {
			write_failed(x, HF_ENOMEM);
			break;
		}
		done += n;
	}
	if (!x->corked && x->state == X_ACTIVE)
		flush(x);
	return taken(x, done, data.len);
}

static size_t send_tunnel(struct hf_exchange *x, struct hf_span data)
{
	ptrdiff_t n;

	if (x->write_err)
		return data.len;
	if (x->out.len > 0)
		return 0;
	n = hf_channel_write(x->c->ch, data.ptr, data.len);
	if (n < 0) {
		x->write_err = (int)n;
		x->active_ms = http1_now(x->t);
		hf_http1_x_arm(x);
		return data.len;
	}
	return (size_t)n;
}

size_t hf_http1_x_send(struct hf_exchange *x, struct hf_span data)
{
	size_t n;

	if (x->state == X_TUNNEL) {
		n = send_tunnel(x, data);
	} else if (x->state == X_WAITING || x->state == X_READY || x->state == X_HELD) {
		n = 0; /* a connection died before its first byte: the next one asks */
	} else if (x->state != X_ACTIVE || x->write_err || data.len == 0) {
		n = data.len;
	} else if (x->msg.body == HF_BODY_CHUNKED) {
		n = send_chunks(x, data);
	} else {
		assert(x->msg.body == HF_BODY_LENGTH && data.len <= x->body_left);
		n = send_plain(x, data);
		x->body_left -= n;
		x->body_done = x->body_left == 0;
	}
	if (n < data.len)
		x->want_writable = true;
	else if (x->state == X_ACTIVE && x->c)
		hf_http1_x_arm(x);
	return n;
}

void hf_http1_x_send_end(struct hf_exchange *x, const struct hf_fields *trailers)
{
	int err;

	if (x->state == X_TUNNEL) {
		x->body_done = true;
		if (x->out.len == 0)
			hf_channel_shutdown(x->c->ch);
		return;
	}
	if (x->state == X_ENDED || x->write_err || x->msg.body != HF_BODY_CHUNKED)
		return;
	assert(!x->body_done);
	err = hf_h1_write_last_chunk(&x->out, trailers);
	if (err) {
		write_failed(x, err);
		return;
	}
	x->body_done = true;
	if (x->state != X_ACTIVE || x->corked)
		return;
	flush(x);
	if (x->state == X_ACTIVE)
		hf_http1_x_arm(x);
}
