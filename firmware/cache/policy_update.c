/* SPDX-License-Identifier: Apache-2.0 */
/* What a 304 and the answer to a HEAD change in a stored response (RFC 9111
 * sections 3.2, 4.3.4 and 4.3.5). */
#include "cache/policy_private.h"

#include "http/etag.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* These describe the stored bytes, and stay as they are. */
static bool is_of_body(struct hf_span name)
{
	static const char *const names[] = { "Content-Length", "Content-Encoding",
					     "Content-Range" };
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (hf_span_ieq_str(name, names[i]))
			return true;
	return false;
}

static bool has(const struct hf_fields *fields, struct hf_span name)
{
	size_t i;

	for (i = 0; i < fields->n; i++)
		if (hf_span_ieq(fields->v[i].name, name))
			return true;
	return false;
}

/* Stored fields that no newer field replaces. Age and Date tell of the answer
 * they came with. */
static int add_unreplaced(const struct hf_fields *stored, const struct hf_fields *kept,
			  const struct hf_cache_times *times, struct hf_fields *out)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < stored->n && !rc; i++) {
		struct hf_span name = stored->v[i].name;

		if (hf_span_ieq_str(name, "Age") ||
		    (hf_span_ieq_str(name, "Date") && times->wall_ms > 0 && !has(kept, name)))
			continue;
		if (is_of_body(name) || !has(kept, name))
			rc = hf_fields_add(out, name, stored->v[i].value);
	}
	return rc;
}

int hf_cache_updated_fields(const struct hf_cache_rules *rules, const struct hf_fields *stored,
			    const struct hf_fields *fresh, const struct hf_cache_times *times,
			    struct hf_arena *arena, struct hf_fields *out)
{
	struct hf_fields kept;
	size_t i;
	int rc;

	hf_fields_init(out, arena);
	rc = hf_cache_kept_fields(rules, fresh, arena, &kept);
	if (!rc)
		rc = add_unreplaced(stored, &kept, times, out);
	for (i = 0; i < kept.n && !rc; i++)
		if (!is_of_body(kept.v[i].name))
			rc = hf_fields_add(out, kept.v[i].name, kept.v[i].value);
	return rc ? rc : hf_cache_add_date(times, out);
}

/* ---- HEAD ---- */

static bool same_etag(const struct hf_fields *stored, const struct hf_fields *fresh)
{
	struct hf_etag a, b;

	return !hf_etag_of(fresh, &b) || (hf_etag_of(stored, &a) && hf_etag_eq_weak(&a, &b));
}

static bool same_date(const struct hf_fields *stored, const struct hf_fields *fresh)
{
	int64_t a, b;

	return !hf_field_date(fresh, "Last-Modified", &b) ||
	       (hf_field_date(stored, "Last-Modified", &a) && a == b);
}

static bool same_length(const struct hf_fields *fresh, uint64_t length)
{
	const struct hf_span *line = hf_fields_get(fresh, "Content-Length");
	uint64_t given;

	return !line || (hf_span_u64(hf_span_trim(*line), &given) && given == length);
}

enum hf_cache_head hf_cache_head(const struct hf_cache_entry *entry, uint64_t length,
				 const struct hf_message *response)
{
	if (response->status == 404 || response->status == 410)
		return HF_CACHE_HEAD_INVALIDATE;
	if (response->status != 200)
		return HF_CACHE_HEAD_NOTHING;
	if (entry->status != 200 || !same_etag(entry->fields, &response->fields) ||
	    !same_date(entry->fields, &response->fields) || !same_length(&response->fields, length))
		return HF_CACHE_HEAD_INVALIDATE;
	return HF_CACHE_HEAD_UPDATE;
}
