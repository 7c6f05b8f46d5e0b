/* SPDX-License-Identifier: Apache-2.0 */
#include "http/range.h"

#include <inttypes.h>
#include <stdio.h>

#include "http/cache_control.h"
#include "http/date.h"
#include "http/etag.h"

/* Digits only; what does not fit is UINT64_MAX. */
static bool parse_position(struct hf_span s, uint64_t *out)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	if (s.len > 0 && !hf_span_u64(s, out))
		*out = UINT64_MAX;
	return s.len > 0;
}

enum member {
	MEMBER_BAD,
	MEMBER_OUTSIDE, /* of the representation */
	MEMBER_INSIDE,
};

/* "-5": the last bytes. */
static enum member read_suffix(struct hf_span text, uint64_t length, struct hf_range *range)
{
	uint64_t n;

	if (!parse_position(text, &n))
		return MEMBER_BAD;
	if (n == 0)
		return MEMBER_OUTSIDE;
	range->first = n < length ? length - n : 0;
	range->last = length - 1;
	return MEMBER_INSIDE;
}

/* "0-4", "5-" and "-5" (RFC 9110 section 14.1.2); @length is not 0. */
static enum member read_member(struct hf_span text, uint64_t length, struct hf_range *range)
{
	struct hf_span rest = text, first = hf_span_cut(&rest, '-');

	if (!rest.ptr)
		return MEMBER_BAD;
	if (first.len == 0)
		return read_suffix(rest, length, range);
	range->last = UINT64_MAX;
	if (!parse_position(first, &range->first) ||
	    (rest.len > 0 && !parse_position(rest, &range->last)) || range->last < range->first)
		return MEMBER_BAD;
	if (range->last > length - 1)
		range->last = length - 1;
	return range->first < length ? MEMBER_INSIDE : MEMBER_OUTSIDE;
}

static enum hf_range_answer read_members(struct hf_span rest, uint64_t length,
					 struct hf_ranges *out)
{
	uint64_t left = length;
	struct hf_span text;
	struct hf_range range;
	enum member member;
	size_t n;

	out->n = 0;
	for (n = 0; hf_list_next(&rest, &text); n++) {
		member = n < HF_RANGES_MAX ? read_member(text, length, &range) : MEMBER_BAD;
		if (member == MEMBER_BAD)
			return HF_RANGE_WHOLE;
		if (member == MEMBER_OUTSIDE)
			continue;
		if (range.last - range.first + 1 > left)
			return HF_RANGE_WHOLE;
		left -= range.last - range.first + 1;
		out->v[out->n++] = range;
	}
	if (n == 0)
		return HF_RANGE_WHOLE;
	return out->n > 0 ? HF_RANGE_PARTIAL : HF_RANGE_UNSATISFIABLE;
}

enum hf_range_answer hf_range_parse(struct hf_span value, uint64_t length, struct hf_ranges *out)
{
	struct hf_span rest = hf_span_trim(value), unit = hf_span_cut(&rest, '=');
	enum hf_range_answer answer;

	out->n = 0;
	if (!rest.ptr || !hf_span_ieq_str(unit, "bytes") || length == 0)
		return HF_RANGE_WHOLE;
	answer = read_members(rest, length, out);
	if (answer == HF_RANGE_WHOLE)
		out->n = 0;
	return answer;
}

/* RFC 9110 section 8.8.2.2. */
static bool has_strong_date(const struct hf_fields *response, int64_t unix_s)
{
	int64_t modified, date;

	return hf_field_date(response, "Last-Modified", &modified) && modified == unix_s &&
	       hf_field_date(response, "Date", &date) && date > modified;
}

static bool if_range_holds(const struct hf_fields *request, const struct hf_fields *response)
{
	const struct hf_span *value = hf_fields_get(request, "If-Range");
	struct hf_etag asked, own;
	struct hf_span rest;
	int64_t unix_s;

	if (!value)
		return true;
	if (hf_fields_count(request, "If-Range") > 1)
		return false;
	if (!hf_http_date_parse(hf_span_trim(*value), &unix_s))
		return has_strong_date(response, unix_s);
	rest = *value;
	return hf_etag_next(&rest, &asked) && rest.len == 0 && hf_etag_of(response, &own) &&
	       hf_etag_eq_strong(&asked, &own);
}

enum hf_range_answer hf_range_decide(const struct hf_fields *request,
				     const struct hf_fields *response, uint64_t length,
				     struct hf_ranges *out)
{
	const struct hf_span *value = hf_fields_get(request, "Range");

	out->n = 0;
	if (!value || hf_fields_count(request, "Range") > 1 || !if_range_holds(request, response))
		return HF_RANGE_WHOLE;
	return hf_range_parse(*value, length, out);
}

size_t hf_content_range_format(const struct hf_range *range, uint64_t length,
			       char out[HF_CONTENT_RANGE_MAX])
{
	int n;

	if (range)
		n = snprintf(out, HF_CONTENT_RANGE_MAX, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
			     range->first, range->last, length);
	else
		n = snprintf(out, HF_CONTENT_RANGE_MAX, "bytes */%" PRIu64, length);
	return (size_t)n;
}

struct hf_span hf_byteranges_head(struct hf_arena *arena, const char *boundary,
				  struct hf_span content_type, const struct hf_range *range,
				  uint64_t length)
{
	char content_range[HF_CONTENT_RANGE_MAX];

	hf_content_range_format(range, length, content_range);
	return hf_arena_printf(arena, "\r\n--%s\r\n%s%.*s%sContent-Range: %s\r\n\r\n", boundary,
			       content_type.len ? "Content-Type: " : "", HF_SPAN_ARG(content_type),
			       content_type.len ? "\r\n" : "", content_range);
}

struct hf_span hf_byteranges_end(struct hf_arena *arena, const char *boundary)
{
	return hf_arena_printf(arena, "\r\n--%s--\r\n", boundary);
}

struct hf_span hf_byteranges_type(struct hf_arena *arena, const char *boundary)
{
	return hf_arena_printf(arena, "multipart/byteranges; boundary=%s", boundary);
}
