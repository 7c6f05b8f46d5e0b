/* SPDX-License-Identifier: Apache-2.0 */
/* Range, If-Range and Content-Range in bytes (RFC 9110 section 14). */
#ifndef HF_HTTP_RANGE_H
#define HF_HTTP_RANGE_H

#include "base/arena.h"
#include "base/span.h"
#include "http/message.h"

#define HF_RANGES_MAX	     16
#define HF_CONTENT_RANGE_MAX 80 /* "bytes 0-1/2" and a NUL, any numbers */

struct hf_range {
	uint64_t first, last; /* both inclusive */
};

enum hf_range_answer {
	HF_RANGE_WHOLE,		/* 200: no Range, or one that is to be ignored */
	HF_RANGE_PARTIAL,	/* 206: ranges to send, in the order asked for */
	HF_RANGE_UNSATISFIABLE, /* 416 */
};

struct hf_ranges {
	struct hf_range v[HF_RANGES_MAX];
	size_t n;
};

/* The Range value against a representation of @length bytes. Ignored: other
 * units, bad syntax, more than HF_RANGES_MAX members, ranges that together ask
 * for more bytes than there are. Members outside the representation are left
 * out; when all are, HF_RANGE_UNSATISFIABLE. */
enum hf_range_answer hf_range_parse(struct hf_span value, uint64_t length, struct hf_ranges *out);

/* The request's Range, when If-Range (RFC 9110 section 13.1.5) allows it: a
 * strong entity-tag equal to the response's ETag, or a date equal to its
 * Last-Modified when this is at least a second older than its Date. Only for
 * GET, 200 and a complete representation; the caller sees to that. */
enum hf_range_answer hf_range_decide(const struct hf_fields *request,
				     const struct hf_fields *response, uint64_t length,
				     struct hf_ranges *out);

/* The value of Content-Range: "bytes 0-9/100"; @range NULL: "bytes *" with the
 * length, for 416. NUL-terminated; returns its length. */
size_t hf_content_range_format(const struct hf_range *range, uint64_t length,
			       char out[HF_CONTENT_RANGE_MAX]);

/* multipart/byteranges (RFC 9110 section 14.6): a part is what
 * hf_byteranges_head() gives and the range's bytes; behind the last part comes
 * hf_byteranges_end(). @boundary: a token that no part holds; @content_type:
 * that of the representation, may be empty. In @arena; ptr NULL: no memory. */
struct hf_span hf_byteranges_head(struct hf_arena *arena, const char *boundary,
				  struct hf_span content_type, const struct hf_range *range,
				  uint64_t length);
struct hf_span hf_byteranges_end(struct hf_arena *arena, const char *boundary);
/* "multipart/byteranges; boundary=..." */
struct hf_span hf_byteranges_type(struct hf_arena *arena, const char *boundary);

#endif
