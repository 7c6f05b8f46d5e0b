/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cache_status.h"

#include <inttypes.h>
#include <stdio.h>

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

struct text {
	char bytes[2 * STRING_MAX + 16];
};

/* "; name=" and a structured-field string (RFC 8941 section 3.3.3). */
static const char *parameter(struct text *t, const char *name, struct hf_span s)
{
	size_t i, n = (size_t)snprintf(t->bytes, sizeof(t->bytes), "; %s=\"", name);

	if (s.len == 0)
		return "";
	for (i = 0; i < s.len && i < STRING_MAX; i++) {
		char c = s.ptr[i] >= 0x20 && s.ptr[i] < 0x7f ? s.ptr[i] : '?';

		if (c == '"' || c == '\\')
			t->bytes[n++] = '\\';
		t->bytes[n++] = c;
	}
	memcpy(t->bytes + n, "\"", 2);
	return t->bytes;
}

static const char *number(struct text *t, const char *name, bool given, int64_t value)
{
	if (!given)
		return "";
	snprintf(t->bytes, sizeof(t->bytes), "; %s=%" PRId64, name, value);
	return t->bytes;
}

int hf_cache_status_append(struct hf_fields *response, const char *name,
			   const struct hf_cache_status *status)
{
	bool forwarded = status->fwd != HF_FWD_NONE;
	struct text fwd_status, ttl, key, detail;
	struct hf_span value = hf_arena_printf(
		response->arena, "%s%s%s%s%s%s%s%s%s%s", name,
		status->hit && !forwarded ? "; hit" : "", forwarded ? "; fwd=" : "",
		hf_cache_fwd_name(status->fwd),
		number(&fwd_status, "fwd-status", forwarded && status->fwd_status != 0,
		       status->fwd_status),
		number(&ttl, "ttl", status->has_ttl, status->ttl_s),
		status->stored ? "; stored" : "", status->collapsed ? "; collapsed" : "",
		parameter(&key, "key", status->key), parameter(&detail, "detail", status->detail));

	if (!value.ptr)
		return HF_ENOMEM;
	return hf_fields_add(response, HF_SPAN("Cache-Status"), value);
}
