/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that caches read: Cache-Control (RFC 9111 section 5.2, RFC 5861, RFC
 * 8246), Pragma, Age and Expires. Deltas are seconds, clamped to HF_DELTA_MAX
 * (RFC 9111 section 1.2.2).
 */
#ifndef HF_HTTP_CACHE_CONTROL_H
#define HF_HTTP_CACHE_CONTROL_H

#include "base/span.h"
#include "http/message.h"

#define HF_DELTA_MAX  INT32_MAX
#define HF_DELTA_NONE (-1)	   /* the directive is absent */
#define HF_DELTA_ANY  HF_DELTA_MAX /* max-stale without a number */

/* Field names of a qualified no-cache or private. */
struct hf_cache_names {
	struct hf_span list[4]; /* each a comma-separated list, without quotes */
	uint8_t n;
};

/*
 * The first of a repeated directive counts. max-age and s-maxage whose value
 * is not a number (or has spaces around the '=') are 0, which is stale; the
 * other deltas are absent then. Numbers may stand in quotes. A qualified
 * no-cache or private whose list cannot be read, is empty, or is the fifth of
 * its kind counts as the unqualified one.
 */
struct hf_cache_control {
	bool present; /* there was a Cache-Control line */
	bool no_store, no_cache, is_private, is_public;
	bool must_revalidate, proxy_revalidate, must_understand;
	bool no_transform, immutable, only_if_cached;
	struct hf_cache_names no_cache_names, private_names;
	int32_t max_age, s_maxage;
	int32_t stale_while_revalidate, stale_if_error;
	int32_t max_stale, min_fresh;
};

/* Over all Cache-Control lines of a response. */
void hf_cache_control_parse(const struct hf_fields *fields, struct hf_cache_control *out);
/* Of a request: as above, and without any Cache-Control line "Pragma: no-cache"
 * is no-cache (RFC 9111 section 5.4). */
void hf_cache_control_parse_request(const struct hf_fields *fields, struct hf_cache_control *out);
/* Case-insensitive. */
bool hf_cache_names_have(const struct hf_cache_names *names, struct hf_span name);

/* The first member of the first Age line, 0 to HF_DELTA_MAX seconds; 0 when
 * there is none or it is no number (RFC 9111 section 5.1). */
int32_t hf_age_parse(const struct hf_fields *fields);

/* Expires (RFC 9111 section 5.3). False when there is no such line. An
 * invalid date, or lines that differ, are in the past: *unix_s is INT64_MIN. */
bool hf_expires_parse(const struct hf_fields *fields, int64_t *unix_s);

/* A date field's only line as Unix seconds; false when it is absent, repeated
 * or no date. */
bool hf_field_date(const struct hf_fields *fields, const char *name, int64_t *unix_s);

#endif
