/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cache_rule.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define ENTRIES_MAX 1000000
#define AGE_MAX_S   (10u * 365 * 86400)

void hf_cache_rule_defaults(struct hf_cache_rule *out)
{
	*out = (struct hf_cache_rule){
		.store = { .v = { 200 }, .n = 1 },
		.fallback_on = { .v = { 500, 502, 503, 504 }, .n = 4 },
	};
}

void hf_cache_rule_finish(struct hf_cache_rule *r)
{
	free(r->name);
	free(r->offline);
}

static void read_statuses(struct hf_json_doc *d, const cJSON *item, uint32_t min,
			  struct hf_statuses *out)
{
	const cJSON *entry;
	size_t n;

	if (!hf_json_array(d, item, HF_RULE_STATUSES_MAX, &n))
		return;
	out->n = 0;
	cJSON_ArrayForEach(entry, item)
	{
		uint32_t status;

		if (!hf_json_whole32(d, entry, min, 599, &status))
			continue;
		if (hf_statuses_have(out, (int)status))
			hf_json_fault(d, entry, "%u stands twice", status);
		else
			out->v[out->n++] = (uint16_t)status;
	}
}

void hf_cache_rule_read_expiration(struct hf_json_doc *d, const cJSON *item,
				   struct hf_cache_rule *out)
{
	static const char *const keys[] = { "maxEntries", "maxAgeSeconds", "maxBytes" };
	const cJSON *m[COUNT(keys)];

	if (!hf_json_object(d, item, keys, COUNT(keys), m))
		return;
	if (m[0])
		hf_json_whole32(d, m[0], 1, ENTRIES_MAX, &out->max_entries);
	if (m[1])
		hf_json_whole32(d, m[1], 1, AGE_MAX_S, &out->max_age_s);
	if (m[2])
		hf_json_whole(d, m[2], 1024, (uint64_t)1 << 40, &out->max_bytes);
	if (!m[0] && !m[1] && !m[2])
		hf_json_fault(d, item, "says nothing; give maxEntries, maxAgeSeconds or maxBytes");
}

void hf_cache_rule_read_cacheable(struct hf_json_doc *d, const cJSON *item,
				  struct hf_cache_rule *out)
{
	static const char *const keys[] = { "statuses", "personal" };
	const cJSON *m[COUNT(keys)];

	if (!hf_json_object(d, item, keys, COUNT(keys), m))
		return;
	if (m[0])
		read_statuses(d, m[0], 200, &out->store);
	if (hf_statuses_have(&out->store, 206) || hf_statuses_have(&out->store, 304))
		hf_json_fault(d, m[0], "206 and 304 are no answers that can be stored");
	if (m[1] && !cJSON_IsBool(m[1]))
		hf_json_fault(d, m[1], "must be true or false");
	else if (m[1])
		out->personal = cJSON_IsTrue(m[1]);
}

void hf_cache_rule_read_fallback(struct hf_json_doc *d, const cJSON *item,
				 struct hf_cache_rule *out)
{
	read_statuses(d, item, 300, &out->fallback_on);
}
