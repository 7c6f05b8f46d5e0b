/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <stdlib.h>

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool hf_span_ieq(struct hf_span a, struct hf_span b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool hf_span_ieq_str(struct hf_span a, const char *str)
{
	size_t i;

	for (i = 0; i < a.len; i++)
		if (!str || !str[i] || lower(a.ptr[i]) != lower(str[i]))
			return false;
	return !str || !str[i];
}

bool hf_span_starts(struct hf_span s, struct hf_span prefix)
{
	return s.len >= prefix.len && hf_span_eq(hf_span(s.ptr, prefix.len), prefix);
}

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

struct hf_span hf_span_trim(struct hf_span s)
{
	while (s.len > 0 && is_ows(s.ptr[0]))
		s = hf_span_skip(s, 1);
	while (s.len > 0 && is_ows(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct hf_span hf_span_cut(struct hf_span *rest, char sep)
{
	struct hf_span head = *rest;
	const char *at = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;

	if (!at) {
		*rest = hf_span(NULL, 0);
		return head;
	}
	head.len = (size_t)(at - rest->ptr);
	*rest = hf_span(at + 1, rest->len - head.len - 1);
	return head;
}

bool hf_span_u64(struct hf_span s, uint64_t *out)
{
	uint64_t value = 0;
	size_t i;

	if (s.len == 0)
		return false;
	for (i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

struct hf_span hf_span_of_u64(uint64_t value, char out[HF_DECIMAL_MAX])
{
	size_t at = HF_DECIMAL_MAX;

	do {
		out[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return hf_span(out + at, HF_DECIMAL_MAX - at);
}

int hf_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

char *hf_span_dup(struct hf_span s)
{
	char *copy;

	if (s.len == SIZE_MAX)
		return NULL;
	copy = malloc(s.len + 1);
	if (!copy)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

uint32_t hf_span_hash(struct hf_span s)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.ptr[i]) * 16777619U;
	return h;
}
