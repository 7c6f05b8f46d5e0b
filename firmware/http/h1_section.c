/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that are being collected: a head, trailers or one chunk line. What came
 * in one piece is read where it lies; what came in several is kept together.
 */
#include "http/h1_private.h"

#include "holdfast/err.h"

static int section_too_big(struct hf_h1_reader *r)
{
	switch ((enum h1_state)r->state) {
	case H1_CHUNK_LINE:
		return hf_h1_bad(r, "chunk extensions too long");
	case H1_TRAILERS:
		return hf_h1_fail(r, HF_ETOOBIG, 431, "trailers too large");
	default:
		break;
	}
	if (r->kind == HF_H1_REQUEST && r->section.lines == 0)
		return hf_h1_fail(r, HF_ETOOBIG, 414, "request target too long");
	return hf_h1_fail(r, HF_ETOOBIG, 431, "head too large");
}

/* Start lines are not fields. */
static bool too_many_fields(const struct hf_h1_reader *r)
{
	size_t start_lines = r->state == H1_HEAD;

	return r->section.lines - start_lines > r->limits.fields_max;
}

/* A line ends with the LF at the end of @piece, its last part. 1 when that
 * ends the section. */
static int end_line(struct hf_h1_reader *r, struct hf_span piece)
{
	struct h1_section *s = &r->section;
	size_t len = s->line_len + piece.len;
	char first = s->line_len ? s->first : piece.ptr[0];
	char before_lf = piece.len > 1 ? piece.ptr[piece.len - 2] : s->last;

	if (len < 2 || before_lf != '\r')
		return hf_h1_bad(r, "line ends with a bare LF");
	s->line_len = 0;
	if (r->state == H1_CHUNK_LINE || len == 2)
		return 1;
	if (first == ' ' || first == '\t')
		return hf_h1_bad(r, "line begins with white space (folded field)");
	s->lines++;
	if (too_many_fields(r))
		return hf_h1_fail(r, HF_ETOOBIG, 431, "too many fields");
	return 0;
}

/* Looks for the section's end in @data, which is not empty: 1 and its offset in
 * *@end, 0 when all of @data belongs to the section. */
static int section_scan(struct hf_h1_reader *r, struct hf_span data, size_t *end)
{
	struct h1_section *s = &r->section;
	struct hf_span rest = hf_span(data.ptr, data.len < s->left ? data.len : s->left);
	const char *lf;
	int ret;

	s->left -= rest.len;
	while (rest.len > 0 && (lf = memchr(rest.ptr, '\n', rest.len)) != NULL) {
		struct hf_span piece = hf_span(rest.ptr, (size_t)(lf - rest.ptr) + 1);

		rest = hf_span_skip(rest, piece.len);
		ret = end_line(r, piece);
		if (ret < 0)
			return ret;
		if (ret) {
			*end = (size_t)(rest.ptr - data.ptr);
			return 1;
		}
	}
	if (s->left == 0)
		return section_too_big(r);
	if (rest.len > 0) {
		if (s->line_len == 0)
			s->first = rest.ptr[0];
		s->last = rest.ptr[rest.len - 1];
		s->line_len += rest.len;
	}
	return 0;
}

static int section_keep(struct hf_h1_reader *r, struct hf_span bytes)
{
	return hf_buf_append(&r->partial, bytes) ? hf_h1_no_memory(r) : 0;
}

/* Takes bytes from @rest. 1: all of the section is in *@out, which is valid
 * until section_release. 0: more is needed. */
int hf_h1_section_collect(struct hf_h1_reader *r, struct hf_span *rest, struct hf_span *out)
{
	size_t n = rest->len;
	int done, err;

	if (n == 0)
		return 0;
	done = section_scan(r, *rest, &n);
	if (done < 0)
		return done;
	*out = hf_span(rest->ptr, n);
	if (!done || r->partial.len > 0) {
		err = section_keep(r, *out);
		if (err)
			return err;
		*out = hf_buf_span(&r->partial);
	}
	*rest = hf_span_skip(*rest, n);
	return done;
}
