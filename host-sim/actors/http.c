/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/http.h"

#include <assert.h>

#include "sim/mem.h"

#define HEAD_MAX 65536
#define BODY_MAX (64 << 20)

static void pump(struct sim_http *h);

static void gone(struct sim_http *h, int err)
{
	sim_http_close(h, err != 0);
	h->events->on_gone(h->user, err);
}

/* ---- reading ---- */

static int head_came(void *user, struct hf_message *msg)
{
	struct sim_http *h = user;

	if (h->kind == HF_H1_RESPONSE && msg->status < 200 && msg->status != 101)
		return 0;
	h->msg = msg;
	if (h->events->on_head)
		h->events->on_head(h->user, msg);
	return h->stream ? 0 : HF_ECANCELED;
}

static int body_came(void *user, struct hf_span data)
{
	struct sim_http *h = user;

	if (!h->events->on_body)
		return hf_buf_append(&h->body, data);
	h->events->on_body(h->user, data);
	return h->stream ? 0 : HF_ECANCELED;
}

static int message_came(void *user, const struct hf_fields *trailers)
{
	struct sim_http *h = user;

	(void)trailers;
	h->complete = true;
	return 0;
}

static const struct hf_h1_events reader_events = {
	.on_head = head_came,
	.on_body = body_came,
	.on_complete = message_came,
};

static void next_message(struct sim_http *h)
{
	hf_arena_reset(&h->arena);
	hf_h1_reader_next(h->reader, &h->arena);
	hf_buf_clear(&h->body);
	h->msg = NULL;
	h->complete = false;
}

/* False when the connection ended in the callback. */
static bool hand_over(struct sim_http *h)
{
	h->events->on_message(h->user, h->msg, hf_buf_span(&h->body));
	if (!h->stream)
		return false;
	next_message(h);
	return true;
}

static void plain_data(struct sim_http *h, const void *data, size_t len)
{
	struct hf_span rest = hf_span(data, len);

	while (rest.len > 0) {
		ptrdiff_t n = hf_h1_reader_feed(h->reader, rest);

		if (!h->stream)
			return;
		if (n < 0) {
			gone(h, (int)n);
			return;
		}
		rest = hf_span_skip(rest, (size_t)n);
		if (h->complete && !hand_over(h))
			return;
		if (n == 0 && !h->complete && rest.len > 0 && h->msg)
			return; /* an upgrade: nobody here speaks it */
	}
}

static void on_data(void *user, const void *data, size_t len)
{
	struct sim_http *h = user;
	char plain[4096];
	ptrdiff_t n = 1;

	if (!h->tls) {
		plain_data(h, data, len);
		return;
	}
	sim_tls_feed(h->tls, data, len);
	while (h->stream && n > 0) {
		n = sim_tls_read(h->tls, plain, sizeof(plain));
		if (n > 0)
			plain_data(h, plain, (size_t)n);
	}
	if (h->stream)
		pump(h);
	if (h->stream && n < 0)
		gone(h, n == HF_EEOF ? 0 : (int)n);
}

static void on_eof(void *user)
{
	struct sim_http *h = user;
	int err = hf_h1_reader_eof(h->reader);

	if (!err && h->complete && !hand_over(h))
		return;
	if (h->stream)
		gone(h, err);
}

/* ---- the stream ---- */

static void on_connect(void *user, int err)
{
	struct sim_http *h = user;

	if (err) {
		gone(h, err);
		return;
	}
	h->established = true;
	sim_stream_read(h->stream, true);
	if (h->events->on_open)
		h->events->on_open(h->user);
	pump(h);
}

static void on_writable(void *user)
{
	pump(user);
}

static void on_error(void *user, int err)
{
	gone(user, err);
}

static const struct hf_stream_events stream_events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

void sim_http_init(struct sim_http *h, enum hf_h1_kind kind, const struct sim_http_events *events,
		   void *user)
{
	static const struct hf_h1_limits limits = { .head_bytes_max = HEAD_MAX, .fields_max = 200 };

	memset(h, 0, sizeof(*h));
	h->kind = kind;
	h->events = events;
	h->user = user;
	hf_arena_init(&h->arena, 4 * HEAD_MAX);
	hf_buf_init(&h->body, BODY_MAX);
	hf_buf_init(&h->out, BODY_MAX);
	if (hf_h1_reader_create(kind, &limits, &reader_events, h, &h->reader))
		sim_must(NULL);
	next_message(h);
}

void sim_http_finish(struct sim_http *h)
{
	if (h->stream)
		sim_http_close(h, true);
	sim_tls_destroy(h->tls);
	h->tls = NULL;
	hf_h1_reader_destroy(h->reader);
	hf_arena_finish(&h->arena);
	hf_buf_finish(&h->body);
	hf_buf_finish(&h->out);
}

void sim_http_connect(struct sim_http *h, struct sim_node *node, const void *owner,
		      const struct hf_addr *to)
{
	assert(!h->stream);
	if (sim_stream_connect(node, owner, to, &stream_events, h, &h->stream))
		sim_must(NULL);
}

void sim_http_accept(struct sim_http *h, struct hf_stream *stream, struct sim_tls_server *tls)
{
	if (tls)
		h->tls = sim_tls_create(tls, stream);
	h->stream = stream;
	h->established = true;
	sim_stream_accept(stream, &stream_events, h);
	sim_stream_read(stream, true);
}

void sim_http_send(struct sim_http *h, struct hf_span bytes)
{
	if (!h->stream)
		return;
	if (hf_buf_append(&h->out, bytes))
		sim_must(NULL);
	if (h->established)
		pump(h);
}

void sim_http_end(struct sim_http *h)
{
	h->close_after = true;
	if (h->stream && h->established)
		pump(h);
}

void sim_http_close(struct sim_http *h, bool abort)
{
	struct hf_stream *s = h->stream;

	if (!s)
		return;
	h->stream = NULL;
	h->established = false;
	sim_stream_close(s, abort);
}

/* What is to be sent, as the stream takes it. */
static struct hf_buf *wire_of(struct sim_http *h)
{
	if (!h->tls)
		return &h->out;
	hf_buf_consume(&h->out, sim_tls_write(h->tls, hf_buf_span(&h->out)));
	return sim_tls_out(h->tls);
}

static void pump(struct sim_http *h)
{
	struct hf_buf *wire = wire_of(h);
	struct hf_span out = hf_buf_span(wire);
	ptrdiff_t n;

	if (h->close_after && h->tls && hf_buf_span(&h->out).len == 0 && !h->said_goodbye) {
		sim_tls_close_notify(h->tls);
		h->said_goodbye = true;
		out = hf_buf_span(wire);
	}
	if (h->stream && out.len > 0) {
		n = sim_stream_write(h->stream, out.ptr, out.len);
		if (n < 0)
			return; /* on_error follows */
		hf_buf_consume(wire, (size_t)n);
	}
	if (h->stream && h->close_after && hf_buf_span(&h->out).len == 0 &&
	    hf_buf_span(wire).len == 0)
		sim_http_close(h, false);
}
