/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection reads one request at a time. Bytes that the kernel does not take
 * at once are kept in @out; an event stream whose reader is too slow for that
 * is ended.
 *
 * A connection may be closed while its own data is handled: it is then marked
 * gone and freed when the handling is over.
 */
#include "live/server.h"

#include <stdlib.h>

#include "http/h1_reader.h"
#include "http/h1_writer.h"

#define ARENA_BYTES_MAX (64 * 1024)
#define OUT_BYTES_MAX	(8 * 1024 * 1024)

struct live_conn {
	struct live_server *server;
	struct hf_list node;
	struct hf_stream *stream; /* NULL: gone */
	struct hf_h1_reader *reader;
	struct hf_arena arena;
	struct hf_message *msg;
	struct hf_buf body, out;
	bool complete;	/* a whole request is there */
	bool streaming; /* the answer is an event stream */
	bool head_only; /* HEAD */
	bool last;	/* closes when all is sent */
	bool busy;	/* inside its own on_data */
};

/* ---- the end ---- */

static void free_conn(struct live_conn *c)
{
	hf_h1_reader_destroy(c->reader);
	hf_arena_finish(&c->arena);
	hf_buf_finish(&c->body);
	hf_buf_finish(&c->out);
	free(c);
}

static void close_conn(struct live_conn *c, bool abort)
{
	struct hf_port *port = c->server->bench->port;

	if (!c->stream)
		return;
	port->stream_close(port, c->stream, abort);
	c->stream = NULL;
	hf_list_remove(&c->node);
	if (!c->busy)
		free_conn(c);
}

void live_reset(struct live_conn *c)
{
	close_conn(c, true);
}

/* ---- sending ---- */

static void flush(struct live_conn *c)
{
	struct hf_port *port = c->server->bench->port;

	while (c->out.len > 0) {
		struct hf_span s = hf_buf_span(&c->out);
		ptrdiff_t n = port->stream_write(port, c->stream, s.ptr, s.len);

		if (n < 0) {
			close_conn(c, true);
			return;
		}
		hf_buf_consume(&c->out, (size_t)n);
		if ((size_t)n < s.len)
			return;
	}
	if (c->last)
		close_conn(c, false);
}

void live_send(struct live_conn *c, struct hf_span bytes)
{
	if (!c->stream)
		return;
	if (hf_buf_append(&c->out, bytes))
		close_conn(c, true);
	else
		flush(c);
}

static int write_head(struct live_conn *c, struct hf_message *head, const struct live_reply *reply)
{
	int err = 0;

	if (reply->type)
		err = hf_fields_add(&head->fields, HF_SPAN("Content-Type"),
				    hf_span_str(reply->type));
	for (size_t i = 0; i < reply->fields_n && !err; i++)
		err = hf_fields_add(&head->fields, reply->fields[i].name, reply->fields[i].value);
	if (!err)
		err = hf_fields_add(&head->fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
	if (!err)
		err = hf_fields_add(&head->fields, HF_SPAN("X-Content-Type-Options"),
				    HF_SPAN("nosniff"));
	return err ? err : hf_h1_write_response(&c->out, head, true);
}

static void begin(struct live_conn *c, const struct live_reply *reply, enum hf_body_kind kind)
{
	struct hf_message head = { .status = reply->status,
				   .reason = hf_span_str(hf_status_reason(reply->status)),
				   .minor = 1,
				   .body = kind,
				   .body_len = reply->body.len,
				   .keep_alive = !c->last };

	hf_fields_init(&head.fields, &c->arena);
	live_must(write_head(c, &head, reply));
}

void live_reply(struct live_conn *c, const struct live_reply *reply)
{
	begin(c, reply, reply->status == 204 ? HF_BODY_NONE : HF_BODY_LENGTH);
	live_send(c, c->head_only ? HF_SPAN("") : reply->body);
}

void live_reply_text(struct live_conn *c, int status, const char *text)
{
	struct live_reply r = { status, "text/plain; charset=utf-8", hf_span_str(text), NULL, 0 };

	live_reply(c, &r);
}

void live_stream(struct live_conn *c)
{
	struct live_reply r = { 200, "text/event-stream", { NULL, 0 }, NULL, 0 };

	c->streaming = true;
	c->last = false; /* it ends with the reader or the server */
	begin(c, &r, HF_BODY_CLOSE);
	flush(c);
}

/* ---- requests ---- */

static int on_head(void *user, struct hf_message *msg)
{
	struct live_conn *c = user;

	c->msg = msg;
	if (msg->body == HF_BODY_LENGTH && msg->body_len > LIVE_BODY_BYTES_MAX)
		return HF_ETOOBIG;
	if (msg->expect_continue)
		live_send(c, HF_SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
	return 0;
}

static int on_body(void *user, struct hf_span data)
{
	struct live_conn *c = user;

	return hf_buf_append(&c->body, data);
}

static int on_complete(void *user, const struct hf_fields *trailers)
{
	struct live_conn *c = user;

	(void)trailers;
	c->complete = true;
	return 0;
}

static const struct hf_h1_events reader_events = {
	.on_head = on_head,
	.on_body = on_body,
	.on_complete = on_complete,
};

static void next_request(struct live_conn *c)
{
	c->complete = false;
	c->msg = NULL;
	hf_buf_clear(&c->body);
	hf_arena_reset(&c->arena);
	hf_h1_reader_next(c->reader, &c->arena);
}

static void serve(struct live_conn *c)
{
	struct hf_span rest = c->msg->target;
	struct live_request r = { .method = c->msg->method,
				  .fields = &c->msg->fields,
				  .body = hf_buf_span(&c->body) };

	r.path = hf_span_cut(&rest, '?');
	r.query = rest;
	c->head_only = hf_span_eq_str(r.method, "HEAD");
	c->last = !c->msg->keep_alive;
	c->server->on_request(c->server->user, c, &r);
	if (c->stream && !c->streaming)
		next_request(c);
}

static void refuse(struct live_conn *c)
{
	c->last = true;
	live_reply_text(c, hf_h1_reader_error_status(c->reader), "That was not a request.\n");
}

static void take_bytes(struct live_conn *c, struct hf_span data)
{
	while (c->stream && data.len > 0 && !c->streaming && !c->last) {
		ptrdiff_t n = hf_h1_reader_feed(c->reader, data);

		if (!c->stream)
			return;
		if (n < 0) {
			refuse(c);
			return;
		}
		data = hf_span_skip(data, (size_t)n);
		if (c->complete)
			serve(c);
		else if (data.len > 0)
			return;
	}
}

static void on_data(void *user, const void *data, size_t len)
{
	struct live_conn *c = user;

	c->busy = true;
	take_bytes(c, hf_span(data, len));
	c->busy = false;
	if (!c->stream)
		free_conn(c);
}

static void on_eof(void *user)
{
	close_conn(user, false);
}

static void on_writable(void *user)
{
	flush(user);
}

static void on_error(void *user, int err)
{
	(void)err;
	close_conn(user, true);
}

static const struct hf_stream_events stream_events = {
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

/* ---- the server ---- */

void live_server_take(struct live_server *s, struct hf_stream *stream)
{
	static const struct hf_h1_limits limits = { .head_bytes_max = 32768, .fields_max = 100 };
	struct live_conn *c = live_alloc(sizeof(*c));
	struct hf_port *port = s->bench->port;

	c->server = s;
	c->stream = stream;
	hf_arena_init(&c->arena, ARENA_BYTES_MAX);
	hf_buf_init(&c->body, LIVE_BODY_BYTES_MAX);
	hf_buf_init(&c->out, OUT_BYTES_MAX);
	live_must(hf_h1_reader_create(HF_H1_REQUEST, &limits, &reader_events, c, &c->reader));
	hf_list_push(&s->conns, &c->node);
	next_request(c);
	port->stream_accept(port, stream, &stream_events, c);
	port->stream_read(port, stream, true);
}

static void on_accept(void *user, struct hf_stream *stream)
{
	live_server_take(user, stream);
}

void live_server_init(struct live_server *s, struct live_bench *b,
		      void (*on_request)(void *user, struct live_conn *c,
					 const struct live_request *r),
		      void *user)
{
	*s = (struct live_server){ .bench = b, .on_request = on_request, .user = user };
	hf_list_init(&s->conns);
}

int live_server_listen(struct live_server *s, uint16_t port)
{
	static const struct hf_listener_events events = { .on_accept = on_accept };
	struct hf_addr at = live_loopback(port);

	if (s->listener)
		return 0;
	return s->bench->port->listen(s->bench->port, &at, &events, s, &s->listener);
}

void live_server_down(struct live_server *s)
{
	struct hf_list *it, *tmp;

	if (!s->bench)
		return;
	if (s->listener)
		s->bench->port->listener_close(s->bench->port, s->listener);
	s->listener = NULL;
	hf_list_for(it, tmp, &s->conns)
		close_conn(hf_container_of(it, struct live_conn, node), true);
}

void live_server_send_all(struct live_server *s, struct hf_span bytes)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &s->conns) {
		struct live_conn *c = hf_container_of(it, struct live_conn, node);

		if (c->streaming)
			live_send(c, bytes);
	}
}
