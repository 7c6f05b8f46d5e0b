/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cache_status.h"

#include "holdfast/err.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define STRING_MAX 200

const char *hf_cache_fwd_name(enum hf_cache_fwd fwd)
{
	static const char *const names[] = {
		[HF_FWD_NONE] = "",
		[HF_FWD_BYPASS] = "bypass",
		[HF_FWD_METHOD] = "method",
		[HF_FWD_URI_MISS] = "uri-miss",
		[HF_FWD_VARY_MISS] = "vary-miss",
		[HF_FWD_MISS] = "miss",
		[HF_FWD_REQUEST] = "request",
		[HF_FWD_STALE] = "stale",
		[HF_FWD_PARTIAL] = "partial",
	};

	return (size_t)fwd < COUNT(names) ? names[fwd] : "";
}

/* Room for all but the name; "\\" before each character of a string at most. */
#define TEXT_MAX (2 * (2 * STRING_MAX + 16) + 128)

struct text {
	char bytes[TEXT_MAX];
	size_t len;
};

static void put(struct text *t, struct hf_span s)
{
	memcpy(t->bytes + t->len, s.ptr, s.len);
	t->len += s.len;
}

/* "; name=" and a structured-field string (RFC 8941 section 3.3.3). */
static void put_string(struct text *t, struct hf_span parameter, struct hf_span s)
{
	size_t i;

	if (s.len == 0)
		return;
	put(t, parameter);
	put(t, HF_SPAN("\""));
	for (i = 0; i < s.len && i < STRING_MAX; i++) {
		char c = s.ptr[i] >= 0x20 && s.ptr[i] < 0x7f ? s.ptr[i] : '?';

		if (c == '"' || c == '\\')
			t->bytes[t->len++] = '\\';
		t->bytes[t->len++] = c;
	}
	put(t, HF_SPAN("\""));
}

static void put_number(struct text *t, struct hf_span parameter, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[HF_DECIMAL_MAX];

	put(t, parameter);
	if (value < 0)
		put(t, HF_SPAN("-"));
	put(t, hf_span_of_u64(size, digits));
}

static void put_status(struct text *t, const struct hf_cache_status *status)
{
	if (status->fwd != HF_FWD_NONE) {
		put(t, HF_SPAN("; fwd="));
		put(t, hf_span_str(hf_cache_fwd_name(status->fwd)));
		if (status->fwd_status != 0)
			put_number(t, HF_SPAN("; fwd-status="), status->fwd_status);
	} else if (status->hit) {
		put(t, HF_SPAN("; hit"));
	}
	if (status->has_ttl)
		put_number(t, HF_SPAN("; ttl="), status->ttl_s);
	if (status->stored)
		put(t, HF_SPAN("; stored"));
	if (status->collapsed)
		put(t, HF_SPAN("; collapsed"));
	put_string(t, HF_SPAN("; key="), status->key);
	put_string(t, HF_SPAN("; detail="), status->detail);
}

int hf_cache_status_append(struct hf_fields *response, const char *name,
			   const struct hf_cache_status *status)
{
	struct hf_span who = hf_span_str(name);
	struct text t;
	char *value;

	t.len = 0;
	put_status(&t, status);
	value = hf_arena_alloc(response->arena, who.len + t.len);
	if (!value)
		return HF_ENOMEM;
	memcpy(value, who.ptr, who.len);
	memcpy(value + who.len, t.bytes, t.len);
	return hf_fields_add(response, HF_SPAN("Cache-Status"), hf_span(value, who.len + t.len));
}
