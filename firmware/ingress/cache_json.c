/* SPDX-License-Identifier: Apache-2.0 */
/* Caches and their entries as JSON. */
#include <inttypes.h>

#include "fetch/plan.h"
#include "http/values.h"
#include "ingress/cache_call.h"

const char *hf_cache_kind_name(enum hf_shelf_kind kind)
{
	switch (kind) {
	case HF_SHELF_HTTP:
		return "http";
	case HF_SHELF_NAMED:
		return "named";
	case HF_SHELF_PRECACHE:
		return "precache";
	}
	return "http";
}

int hf_cache_json(const struct hf_shelf_cache *cache, struct hf_buf *out)
{
	struct hf_span name = cache->kind == HF_SHELF_HTTP ? cache->owner : cache->name;
	int err = hf_buf_append_str(out, "{\"name\":");

	if (!err)
		err = hf_json_append_string(out, name);
	if (!err)
		err = hf_buf_appendf(
			out, ",\"kind\":\"%s\",\"owner\":", hf_cache_kind_name(cache->kind));
	if (!err)
		err = hf_json_append_string(out, cache->owner);
	return err ? err :
		     hf_buf_appendf(out,
				    ",\"active\":%s,\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
				    cache->active ? "true" : "false", cache->entries, cache->bytes);
}

/* ---- entries ---- */

static int append_flags(const struct hf_stored *s, bool stale, struct hf_buf *out)
{
	const struct {
		bool is;
		const char *word;
	} flags[] = {
		{ stale, "\"stale\"" },
		{ (s->state.flags & HF_STORED_PENDING_WRITE) != 0, "\"pending-write\"" },
		{ s->entry.invalidated, "\"invalidated\"" },
	};
	int err = hf_buf_append_str(out, ",\"flags\":[");
	bool any = false;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && !err; i++) {
		if (!flags[i].is)
			continue;
		err = hf_buf_appendf(out, "%s%s", any ? "," : "", flags[i].word);
		any = true;
	}
	return err ? err : hf_buf_append_str(out, "]}");
}

static int append_age(const struct hf_cache_freshness *f, struct hf_buf *out)
{
	if (!f->age_known)
		return hf_buf_append_str(out, ",\"ageSeconds\":null,\"freshSeconds\":null");
	return hf_buf_appendf(out, ",\"ageSeconds\":%" PRId64 ",\"freshSeconds\":%" PRId64,
			      f->age_s, f->ttl_s);
}

/* The selecting key (http/vary.h) as an object: the fields that the answer depends on. */
static int append_vary(struct hf_span key, struct hf_buf *out)
{
	int err = hf_buf_append_str(out, ",\"vary\":{");
	bool first = true;

	while (key.len > 0 && !err) {
		struct hf_span value = hf_span_cut(&key, '\n'), name;

		if (value.len == 0)
			continue;
		name = hf_span_cut(&value, ':');
		err = hf_buf_append_str(out, first ? "" : ",");
		if (!err)
			err = hf_json_append_string(out, name);
		if (!err)
			err = hf_buf_append_str(out, ":");
		if (!err)
			err = value.ptr ? hf_json_append_string(out, value) :
					  hf_buf_append_str(out, "null");
		first = false;
	}
	return err ? err : hf_buf_append_str(out, "}");
}

int hf_cache_entry_json(const struct hf_stored *s, const struct hf_cache_clock *now,
			struct hf_buf *out)
{
	const struct hf_span *type = hf_fields_get(&s->fields, "content-type");
	struct hf_cache_freshness fresh;
	int err = hf_buf_appendf(out, "{\"id\":\"%" PRIu64 "\",\"url\":", s->id);

	hf_cache_freshness(&hf_http_rules, &s->entry, now, &fresh);
	if (!err)
		err = hf_json_append_string(out, s->url);
	if (!err)
		err = hf_buf_appendf(out, ",\"status\":%d,\"bytes\":%" PRIu64 ",\"type\":",
				     s->entry.status, s->body_len);
	if (!err)
		err = type ? hf_json_append_string(out, *type) : hf_buf_append_str(out, "null");
	if (!err)
		err = append_vary(s->entry.variant, out);
	if (!err)
		err = append_age(&fresh, out);
	return err ? err : append_flags(s, !fresh.is_fresh, out);
}
