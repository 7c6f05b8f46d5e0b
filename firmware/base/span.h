/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span: bytes that somebody else owns. Not terminated, may hold NUL.
 * The empty span is {NULL or anything, 0}.
 */
#ifndef HF_BASE_SPAN_H
#define HF_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_span {
	const char *ptr;
	size_t len;
};

/* A span over a string literal (or any char array, without its last byte). */
#define HF_SPAN(lit) ((struct hf_span){ (lit), sizeof(lit) - 1 })
/* For printf: "%.*s", HF_SPAN_ARG(span). */
#define HF_SPAN_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct hf_span hf_span(const void *ptr, size_t len)
{
	return (struct hf_span){ ptr, len };
}

static inline struct hf_span hf_span_str(const char *str)
{
	return (struct hf_span){ str, str ? strlen(str) : 0 };
}

static inline bool hf_span_eq(struct hf_span a, struct hf_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool hf_span_eq_str(struct hf_span a, const char *str)
{
	return hf_span_eq(a, hf_span_str(str));
}

/* @s without its first @n bytes; all of it when @n is larger. */
static inline struct hf_span hf_span_skip(struct hf_span s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return (struct hf_span){ n ? s.ptr + n : s.ptr, s.len - n }; /* ptr may be NULL */
}

/* To tell bytes apart that nobody chose with care: FNV-1a. */
uint32_t hf_span_hash(struct hf_span s);

/* ASCII case-insensitive, as for HTTP field names (RFC 9110 section 5.1). */
bool hf_span_ieq(struct hf_span a, struct hf_span b);
bool hf_span_ieq_str(struct hf_span a, const char *str);
bool hf_span_starts(struct hf_span s, struct hf_span prefix);
/* Without leading and trailing SP and HTAB (OWS, RFC 9110 section 5.6.3). */
struct hf_span hf_span_trim(struct hf_span s);
/* Cuts @rest at the first @sep: returns what stands before it and moves @rest
 * behind it; without a @sep returns all and leaves @rest empty with ptr NULL. */
struct hf_span hf_span_cut(struct hf_span *rest, char sep);
/* All of @s is decimal digits (at least one) and fits: stores it, returns
 * true. Anything else, also a sign or a space, is false. */
bool hf_span_u64(struct hf_span s, uint64_t *out);
/* @value in decimal digits, in @out. */
#define HF_DECIMAL_MAX 20
struct hf_span hf_span_of_u64(uint64_t value, char out[HF_DECIMAL_MAX]);
/* The value of a hexadecimal digit of either case, or -1. */
int hf_hex_digit(char c);
/* A malloc'd, NUL-terminated copy; NULL when memory is short. */
char *hf_span_dup(struct hf_span s);

#endif
