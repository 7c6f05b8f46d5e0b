/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it works: a head is collected up to its empty line, copied into the
 * arena in one piece and read there twice, by the strict parser of h1_head.c
 * and by llhttp (h1_llhttp.c). Both must accept it and agree
 * on the framing. Chunk lines are collected and given to llhttp in the same
 * way; chunk data and bodies with a length are counted and passed through.
 *
 *            +---------- interim response ---------+
 *            v                                     |
 *   DONE -> HEAD -> (on_head) -+-> LENGTH -----+-> COMPLETE -> (on_complete) -> DONE
 *                              +-> CLOSE ------+
 *                              +-> TRAILERS <--+-- CHUNK_LINE -> CHUNK_DATA -> CHUNK_END
 *                                                      ^                           |
 *                                                      +---------------------------+
 *
 * Everything that is refused is a property of the bytes alone, never of how
 * they were cut into pieces. Events are called from the loop in feed, outside
 * of llhttp, so that a pause takes effect at an exact byte.
 */
#include "http/h1_private.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define EMPTY_LINES_MAX 4  /* before a request (RFC 9112 section 2.2) */
#define INTERIM_MAX	64 /* 1xx responses before the final one */

/* ---- errors ---- */

int hf_h1_fail(struct hf_h1_reader *r, int err, int status, const char *words)
{
	assert(err < 0);
	r->state = H1_FAILED;
	r->err = err;
	r->status = (short)status;
	r->error = words;
	return err;
}

int hf_h1_bad(struct hf_h1_reader *r, const char *words)
{
	return hf_h1_fail(r, HF_EPROTO, 400, words);
}

int hf_h1_no_memory(struct hf_h1_reader *r)
{
	return hf_h1_fail(r, HF_ENOMEM, 500, "out of memory");
}

/* What an event returned. */
int hf_h1_heed(struct hf_h1_reader *r, int err)
{
	return err < 0 ? hf_h1_fail(r, err, 500, "the receiver stopped") : 0;
}

/* ---- heads ---- */

static bool is_interim(const struct hf_message *msg)
{
	return msg->status >= 100 && msg->status < 200 && msg->status != 101;
}

static void begin_head(struct hf_h1_reader *r)
{
	r->state = H1_HEAD;
	r->empty_line_cr = false;
	r->empty_lines = 0;
	hf_h1_section_begin(r, r->limits.head_bytes_max);
}

/* The empty lines that may stand before a request. 1: they are over. */
static int skip_empty_lines(struct hf_h1_reader *r, struct hf_span *rest)
{
	for (; rest->len > 0; *rest = hf_span_skip(*rest, 1)) {
		char c = rest->ptr[0];

		if (r->empty_line_cr && c != '\n')
			return hf_h1_bad(r, "bare CR");
		if (!r->empty_line_cr && c == '\n')
			return hf_h1_bad(r, "line ends with a bare LF");
		if (c != '\r' && c != '\n')
			return 1;
		r->empty_line_cr = c == '\r';
		if (c == '\n' && ++r->empty_lines > EMPTY_LINES_MAX)
			return hf_h1_bad(r, "too many empty lines before the request");
	}
	return 0;
}

static bool head_begun(const struct hf_h1_reader *r)
{
	return r->partial.len > 0;
}

/* The first byte tells what does not speak HTTP, such as a TLS greeting. */
static int check_first_byte(struct hf_h1_reader *r, struct hf_span first)
{
	if (r->kind == HF_H1_REQUEST)
		return hf_is_token(first) ? 0 : hf_h1_bad(r, "malformed method");
	return first.ptr[0] == 'H' ? 0 : hf_h1_bad(r, "malformed HTTP version");
}

static int step_head(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span head;
	int ret;

	if (!head_begun(r)) {
		ret = r->kind == HF_H1_REQUEST ? skip_empty_lines(r, rest) : rest->len > 0;
		if (ret <= 0)
			return ret;
		ret = check_first_byte(r, hf_span(rest->ptr, 1));
		if (ret)
			return ret;
	}
	ret = hf_h1_section_collect(r, rest, &head);
	if (ret <= 0)
		return ret;
	ret = hf_h1_head_parse(r, head);
	hf_h1_section_release(r);
	if (ret)
		return ret;
	if (is_interim(&r->msg)) {
		if (++r->interims > INTERIM_MAX)
			return hf_h1_bad(r, "too many interim responses");
		begin_head(r);
	} else {
		hf_h1_body_begin(r);
	}
	ret = hf_h1_heed(r, r->events->on_head(r->user, &r->msg));
	return ret ? ret : H1_ON;
}

/* ---- the loop ---- */

static int complete(struct hf_h1_reader *r)
{
	r->state = H1_DONE;
	return hf_h1_heed(r, r->events->on_complete(r->user, &r->trailers));
}

static int step(struct hf_h1_reader *r, struct hf_span *rest)
{
	switch ((enum h1_state)r->state) {
	case H1_HEAD:
		return step_head(r, rest);
	case H1_LENGTH:
	case H1_CLOSE:
	case H1_CHUNK_LINE:
	case H1_CHUNK_DATA:
	case H1_CHUNK_END:
	case H1_TRAILERS:
		return hf_h1_body_steps(r, rest);
	case H1_COMPLETE:
		r->paused = true; /* also when the event calls hf_h1_reader_next */
		return complete(r);
	case H1_DONE:
		return H1_MORE;
	case H1_FAILED:
		return r->err;
	}
	return HF_ESTATE;
}

/* ---- public ---- */

int hf_h1_reader_create(enum hf_h1_kind kind, const struct hf_h1_limits *limits,
			const struct hf_h1_events *events, void *user, struct hf_h1_reader **out)
{
	struct hf_h1_reader *r;

	assert(events->on_head && events->on_body && events->on_complete);
	r = calloc(1, sizeof(*r));
	if (!r)
		return HF_ENOMEM;
	r->kind = (uint8_t)kind;
	r->limits = *limits;
	r->events = events;
	r->user = user;
	r->state = H1_DONE;
	r->error = "";
	hf_buf_init(&r->partial, SIZE_MAX); /* sections have their own limits */
	hf_h1_llhttp_init(r);
	*out = r;
	return 0;
}

void hf_h1_reader_destroy(struct hf_h1_reader *r)
{
	if (!r)
		return;
	hf_buf_finish(&r->partial);
	free(r);
}

void hf_h1_reader_next(struct hf_h1_reader *r, struct hf_arena *arena)
{
	assert(r->state == H1_DONE || hf_h1_reader_idle(r));
	r->arena = arena;
	r->no_body = false;
	r->interims = 0;
	r->msg = (struct hf_message){ .body = HF_BODY_NONE };
	hf_fields_init(&r->trailers, arena);
	begin_head(r);
}

void hf_h1_reader_no_body(struct hf_h1_reader *r)
{
	assert(r->kind == HF_H1_RESPONSE && hf_h1_reader_idle(r));
	r->no_body = true;
}

ptrdiff_t hf_h1_reader_feed(struct hf_h1_reader *r, struct hf_span data)
{
	struct hf_span rest = data;
	int ret = H1_ON;

	r->paused = false;
	while (ret == H1_ON && !r->paused)
		ret = step(r, &rest);
	return ret < 0 ? ret : (ptrdiff_t)(data.len - rest.len);
}

void hf_h1_reader_pause(struct hf_h1_reader *r)
{
	r->paused = true;
}

int hf_h1_reader_eof(struct hf_h1_reader *r)
{
	switch ((enum h1_state)r->state) {
	case H1_DONE:
		return 0;
	case H1_FAILED:
		return r->err;
	case H1_CLOSE:
	case H1_COMPLETE: /* held up by a pause */
		return complete(r);
	case H1_HEAD:
		if (hf_h1_reader_idle(r))
			return 0;
		break;
	case H1_LENGTH:
	case H1_CHUNK_LINE:
	case H1_CHUNK_DATA:
	case H1_CHUNK_END:
	case H1_TRAILERS:
		break;
	}
	return hf_h1_fail(r, HF_EEOF, 400, "the stream ends inside a message");
}

const char *hf_h1_reader_error(const struct hf_h1_reader *r)
{
	return r->error;
}

int hf_h1_reader_error_status(const struct hf_h1_reader *r)
{
	return r->status ? r->status : 400;
}

bool hf_h1_reader_idle(const struct hf_h1_reader *r)
{
	return r->state == H1_DONE ||
	       (r->state == H1_HEAD && !head_begun(r) && !r->empty_line_cr && r->interims == 0);
}
