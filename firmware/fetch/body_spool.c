/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two buffers: `memory` takes what comes, `flight` belongs to the store while a
 * chunk of it is written. They change places when flight is used up.
 */
#include "fetch/body_spool.h"

#include <assert.h>

#include "holdfast/err.h"

static void chunk_done(struct hf_store_op *op, int err);

void hf_spool_init(struct hf_spool *s)
{
	size_t most = s->inline_max > s->chunk_bytes ? s->inline_max : s->chunk_bytes;

	assert(s->chunk_bytes > 0);
	hf_buf_init(&s->memory, most);
	hf_buf_init(&s->flight, most);
	s->append.op.done = chunk_done;
	s->append.op.user = s;
}

static void write_chunk(struct hf_spool *s)
{
	struct hf_span data = hf_buf_span(&s->flight);

	if (data.len > s->chunk_bytes)
		data.len = s->chunk_bytes;
	s->busy = true;
	s->append.blob = s->blob;
	s->append.n = s->chunks;
	s->append.data = data;
	hf_store_blob_append(s->store, &s->append);
}

/* Writes the next chunk if there is a whole one, or the last one. */
static void advance(struct hf_spool *s)
{
	struct hf_buf swap;

	if (s->busy || s->err)
		return;
	if (s->flight.len == 0 &&
	    (s->memory.len >= s->chunk_bytes || (s->ended && s->memory.len > 0))) {
		swap = s->flight;
		s->flight = s->memory;
		s->memory = swap;
	}
	if (s->flight.len > 0)
		write_chunk(s);
}

/* Nothing is left to be written, or nothing can be. */
static bool is_through(const struct hf_spool *s)
{
	return !s->busy && (s->err || s->memory.len + s->flight.len == 0);
}

static void chunk_done(struct hf_store_op *op, int err)
{
	struct hf_spool *s = op->user;

	s->busy = false;
	if (s->append.blob)
		s->blob = s->append.blob;
	if (s->stopping) {
		s->stopped(s->user);
		return;
	}
	if (err) {
		s->err = err;
	} else {
		s->chunks++;
		hf_buf_consume(&s->flight, s->append.data.len);
		advance(s);
	}
	if (s->ended && is_through(s)) {
		s->finished(s->user, s->err);
	} else if (s->waiting) {
		s->waiting = false;
		s->room(s->user);
	}
}

/* How much memory may take now. */
static size_t room_of(const struct hf_spool *s)
{
	bool spooled = s->busy || s->chunks > 0 || s->flight.len > 0;
	size_t most = spooled ? s->chunk_bytes : s->memory.max;

	return most > s->memory.len ? most - s->memory.len : 0;
}

ptrdiff_t hf_spool_write(struct hf_spool *s, struct hf_span data)
{
	size_t n = 0, piece;
	int err;

	assert(!s->ended && !s->stopping);
	if (s->err)
		return s->err;
	if (data.len > s->body_max - s->len)
		return HF_ETOOBIG;
	while (n < data.len) {
		piece = room_of(s);
		if (piece > data.len - n)
			piece = data.len - n;
		if (piece == 0 && !s->busy && !s->err) {
			advance(s);
			continue;
		}
		if (piece == 0)
			break;
		err = hf_buf_append(&s->memory, hf_span(data.ptr + n, piece));
		if (err)
			return err;
		n += piece;
		s->len += piece;
		if (s->len > s->inline_max)
			advance(s);
	}
	s->waiting = n < data.len;
	return (ptrdiff_t)n;
}

int hf_spool_end(struct hf_spool *s)
{
	assert(!s->ended && !s->stopping);
	s->ended = true;
	if (s->err)
		return s->err;
	if (s->len <= s->inline_max && s->chunks == 0 && !s->busy)
		return 1;
	advance(s);
	return is_through(s) ? 1 : 0;
}

bool hf_spool_stop(struct hf_spool *s)
{
	s->stopping = true;
	return !s->busy;
}

void hf_spool_finish(struct hf_spool *s)
{
	hf_buf_finish(&s->memory);
	hf_buf_finish(&s->flight);
}
