/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an h1_reader makes of some bytes, as text: one line for each head,
 * body, end and error, the same however the bytes are cut into pieces. Shared
 * by the fuzz target and the tests test_h1_*.c.
 */
#ifndef HF_TESTS_H1_TRANSCRIPT_H
#define HF_TESTS_H1_TRANSCRIPT_H

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/rand.h"
#include "holdfast/err.h"
#include "http/h1_reader.h"

enum h1_cut {
	H1_CUT_WHOLE,
	H1_CUT_BYTES,
	H1_CUT_RANDOM, /* pieces of 1 to 16 bytes */
};

struct h1_transcript {
	enum hf_h1_kind kind;
	struct hf_h1_limits limits;
	bool no_body; /* of the first response */
	bool pause;   /* in every event */
	enum h1_cut cut;
	uint64_t seed; /* of H1_CUT_RANDOM */
	size_t arena_max;
	/* sees each head before it is written down; may be NULL */
	void (*check)(const struct hf_message *msg);

	struct hf_buf text;
	struct hf_h1_reader *reader;
	struct hf_arena arena;
	bool in_body, complete, paused;
	int err;
};

static inline void h1_say(struct h1_transcript *t, const char *what)
{
	assert(hf_buf_append_str(&t->text, t->in_body ? "\n" : "") == 0);
	assert(hf_buf_append_str(&t->text, what) == 0);
	t->in_body = false;
}

static inline void h1_say_fields(struct h1_transcript *t, const struct hf_fields *fields)
{
	size_t i;

	for (i = 0; i < fields->n; i++) {
		hf_buf_append_str(&t->text, " [");
		hf_buf_append(&t->text, fields->v[i].name);
		hf_buf_append_str(&t->text, "=");
		hf_buf_append(&t->text, fields->v[i].value);
		hf_buf_append_str(&t->text, "]");
	}
	hf_buf_append_str(&t->text, "\n");
}

static inline void h1_maybe_pause(struct h1_transcript *t)
{
	t->paused = t->pause;
	if (t->pause)
		hf_h1_reader_pause(t->reader);
}

static inline int h1_on_head(void *user, struct hf_message *msg)
{
	struct h1_transcript *t = user;

	if (t->check)
		t->check(msg);
	h1_say(t, "head ");
	hf_buf_append(&t->text, msg->method);
	hf_buf_append_str(&t->text, " ");
	hf_buf_append(&t->text, msg->target);
	hf_buf_appendf(&t->text, " %d ", msg->status);
	hf_buf_append(&t->text, msg->reason);
	hf_buf_appendf(&t->text, " minor=%d body=%d len=%lld%s%s%s", msg->minor, (int)msg->body,
		       (long long)msg->body_len, msg->keep_alive ? " keep-alive" : "",
		       msg->upgrade ? " upgrade" : "", msg->expect_continue ? " continue" : "");
	h1_say_fields(t, &msg->fields);
	h1_maybe_pause(t);
	return 0;
}

static inline int h1_on_body(void *user, struct hf_span data)
{
	struct h1_transcript *t = user;

	assert(data.len > 0);
	if (!t->in_body)
		h1_say(t, "body ");
	t->in_body = true;
	hf_buf_append(&t->text, data);
	h1_maybe_pause(t);
	return 0;
}

static inline int h1_on_complete(void *user, const struct hf_fields *trailers)
{
	struct h1_transcript *t = user;

	h1_say(t, "complete");
	h1_say_fields(t, trailers);
	t->complete = true;
	return 0;
}

static inline void h1_next(struct h1_transcript *t)
{
	hf_arena_reset(&t->arena);
	hf_h1_reader_next(t->reader, &t->arena);
	t->complete = false;
}

/* Feeds one piece to its end, over as many messages as it holds. */
static inline void h1_feed_piece(struct h1_transcript *t, struct hf_span piece)
{
	ptrdiff_t n;

	do {
		t->paused = false;
		n = hf_h1_reader_feed(t->reader, piece);
		if (n < 0) {
			t->err = (int)n;
			return;
		}
		assert((size_t)n <= piece.len);
		assert((size_t)n == piece.len || t->complete || t->paused);
		piece = hf_span_skip(piece, (size_t)n);
		if (t->complete)
			h1_next(t);
	} while (piece.len > 0 || t->paused);
}

static inline size_t h1_piece_len(struct h1_transcript *t, struct hf_rand *rand, size_t left)
{
	size_t n = left;

	if (t->cut == H1_CUT_BYTES)
		n = 1;
	else if (t->cut == H1_CUT_RANDOM)
		n = 1 + (size_t)hf_rand_below(rand, 16);
	return n < left ? n : left;
}

/* Reads @data and the end of the stream; the text is in t->text until
 * h1_transcript_finish. The first fields of @t are set by the caller. */
static inline void h1_transcript_run(struct h1_transcript *t, struct hf_span data)
{
	static const struct hf_h1_events events = {
		.on_head = h1_on_head,
		.on_body = h1_on_body,
		.on_complete = h1_on_complete,
	};
	struct hf_rand rand;

	hf_rand_init(&rand, t->seed);
	hf_buf_init(&t->text, SIZE_MAX);
	hf_arena_init(&t->arena, t->arena_max ? t->arena_max : SIZE_MAX);
	assert(hf_h1_reader_create(t->kind, &t->limits, &events, t, &t->reader) == 0);
	h1_next(t);
	if (t->no_body)
		hf_h1_reader_no_body(t->reader);
	while (data.len > 0 && !t->err) {
		size_t n = h1_piece_len(t, &rand, data.len);
		char *piece = hf_span_dup(hf_span(data.ptr, n)); /* lives as short as may be */

		assert(piece);
		h1_feed_piece(t, hf_span(piece, n));
		free(piece);
		data = hf_span_skip(data, n);
	}
	if (!t->err)
		t->err = hf_h1_reader_eof(t->reader);
	h1_say(t, "end ");
	hf_buf_appendf(&t->text, "%s", hf_errname(t->err));
	if (t->err)
		hf_buf_appendf(&t->text, " %d %s", hf_h1_reader_error_status(t->reader),
			       hf_h1_reader_error(t->reader));
	hf_buf_append_str(&t->text, "\n");
}

static inline void h1_transcript_finish(struct h1_transcript *t)
{
	hf_h1_reader_destroy(t->reader);
	hf_arena_finish(&t->arena);
	hf_buf_finish(&t->text);
}

#endif
