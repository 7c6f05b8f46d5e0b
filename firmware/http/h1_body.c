/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies: data with a length, up to the end of the stream, or in chunks with
 * trailers behind them. Chunk lines are collected and given to llhttp; data is
 * counted and passed through.
 */
#include "http/h1_private.h"

#include <assert.h>

#include "holdfast/err.h"

#define CHUNK_LINE_BYTES 18   /* 16 hex digits and CRLF */
#define CHUNK_SPARE_MAX	 4096 /* bytes of chunk lines above that, per message */

static void begin_chunk_line(struct hf_h1_reader *r)
{
	r->state = H1_CHUNK_LINE;
	hf_h1_section_begin(r, CHUNK_LINE_BYTES + (size_t)r->chunk_spare);
}

void hf_h1_body_begin(struct hf_h1_reader *r)
{
	switch (r->msg.body) {
	case HF_BODY_NONE:
		r->state = H1_COMPLETE;
		break;
	case HF_BODY_LENGTH:
		r->body_left = r->msg.body_len;
		r->state = r->body_left > 0 ? H1_LENGTH : H1_COMPLETE;
		break;
	case HF_BODY_CHUNKED:
		r->chunk_spare = CHUNK_SPARE_MAX;
		begin_chunk_line(r);
		break;
	case HF_BODY_CLOSE:
		r->state = H1_CLOSE;
		break;
	}
}

/* Hands over what @rest holds of the @limit bytes, at least one. */
static struct hf_span take_body(struct hf_span *rest, uint64_t limit)
{
	struct hf_span piece = *rest;

	if (piece.len > limit)
		piece.len = (size_t)limit;
	*rest = hf_span_skip(*rest, piece.len);
	return piece;
}

static int give_body(struct hf_h1_reader *r, struct hf_span piece)
{
	int err = hf_h1_heed(r, r->events->on_body(r->user, piece));

	return err ? err : H1_ON;
}

static int step_length(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span piece;

	if (rest->len == 0)
		return H1_MORE;
	piece = take_body(rest, r->body_left);
	r->body_left -= piece.len;
	if (r->body_left == 0)
		r->state = H1_COMPLETE;
	return give_body(r, piece);
}

static int step_close(struct hf_h1_reader *r, struct hf_span *rest)
{
	if (rest->len == 0)
		return H1_MORE;
	return give_body(r, take_body(rest, UINT64_MAX));
}

/* ---- chunks ---- */

static int parse_chunk_line(struct hf_h1_reader *r, struct hf_span line)
{
	size_t spare = line.len > CHUNK_LINE_BYTES ? line.len - CHUNK_LINE_BYTES : 0;

	assert(spare <= r->chunk_spare);
	r->chunk_spare = (uint16_t)(r->chunk_spare - spare);
	llhttp_resume(&r->llhttp);
	if (!hf_h1_llhttp_stops_behind(r, line))
		return hf_h1_bad(r, llhttp_get_errno(&r->llhttp) == HPE_INVALID_CHUNK_SIZE ?
					    "malformed chunk size" :
					    "malformed chunk line");
	llhttp_resume(&r->llhttp);
	r->body_left = r->llhttp.content_length;
	return r->body_left > HF_LEN_MAX ? hf_h1_bad(r, "chunk is too large") : 0;
}

static int step_chunk_line(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span line;
	int ret;

	ret = hf_h1_section_collect(r, rest, &line);
	if (ret <= 0)
		return ret;
	ret = parse_chunk_line(r, line);
	hf_h1_section_release(r);
	if (ret)
		return ret;
	if (r->body_left > 0) {
		r->state = H1_CHUNK_DATA;
	} else {
		r->state = H1_TRAILERS;
		hf_h1_section_begin(r, r->limits.head_bytes_max);
	}
	return H1_ON;
}

static int step_chunk_data(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span piece;

	if (rest->len == 0)
		return H1_MORE;
	piece = take_body(rest, r->body_left);
	if (llhttp_execute(&r->llhttp, piece.ptr, piece.len) != HPE_OK)
		return hf_h1_bad(r, "malformed chunk");
	r->body_left -= piece.len;
	if (r->body_left == 0) {
		r->state = H1_CHUNK_END;
		r->chunk_end = 0;
	}
	return give_body(r, piece);
}

static int step_chunk_end(struct hf_h1_reader *r, struct hf_span *rest)
{
	static const char crlf[] = "\r\n";

	while (r->chunk_end < 2) {
		if (rest->len == 0)
			return H1_MORE;
		if (rest->ptr[0] != crlf[r->chunk_end])
			return hf_h1_bad(r, "chunk is longer than its size");
		r->chunk_end++;
		*rest = hf_span_skip(*rest, 1);
	}
	if (llhttp_execute(&r->llhttp, crlf, 2) != HPE_OK)
		return hf_h1_bad(r, "malformed chunk");
	begin_chunk_line(r);
	return H1_ON;
}

static int step_trailers(struct hf_h1_reader *r, struct hf_span *rest)
{
	struct hf_span section;
	int ret;

	ret = hf_h1_section_collect(r, rest, &section);
	if (ret <= 0)
		return ret;
	ret = hf_h1_trailers_parse(r, section);
	hf_h1_section_release(r);
	if (ret)
		return ret;
	r->state = H1_COMPLETE;
	return H1_ON;
}

static int body_step(struct hf_h1_reader *r, struct hf_span *rest)
{
	switch ((enum h1_state)r->state) {
	case H1_LENGTH:
		return step_length(r, rest);
	case H1_CLOSE:
		return step_close(r, rest);
	case H1_CHUNK_LINE:
		return step_chunk_line(r, rest);
	case H1_CHUNK_DATA:
		return step_chunk_data(r, rest);
	case H1_CHUNK_END:
		return step_chunk_end(r, rest);
	case H1_TRAILERS:
		return step_trailers(r, rest);
	case H1_HEAD:
	case H1_COMPLETE:
	case H1_DONE:
	case H1_FAILED:
		break;
	}
	return HF_ESTATE;
}

int hf_h1_body_steps(struct hf_h1_reader *r, struct hf_span *rest)
{
	int ret;

	do
		ret = body_step(r, rest);
	while (ret == H1_ON && !r->paused && r->state != H1_COMPLETE);
	return ret;
}
