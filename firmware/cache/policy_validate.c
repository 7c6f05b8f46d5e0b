/* SPDX-License-Identifier: Apache-2.0 */
/* Validation (RFC 9111 section 4.3): asking, and what the answer confirms. */
#include "cache/policy_private.h"

#include "holdfast/err.h"
#include "http/date.h"
#include "http/etag.h"

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define ETAGS_MAX     16
#define ETAG_LIST_MAX 4096

bool hf_cache_has_validator(const struct hf_cache_entry *entry)
{
	struct hf_etag etag;
	int64_t modified;

	return hf_etag_of(entry->fields, &etag) ||
	       hf_field_date(entry->fields, "Last-Modified", &modified);
}

/* ---- asking (section 4.3.1) ---- */

struct tags {
	struct hf_etag v[ETAGS_MAX];
	size_t n, bytes;
};

static void add_tag(struct tags *tags, const struct hf_cache_entry *entry)
{
	struct hf_etag etag;
	size_t i;

	if (tags->n == ETAGS_MAX || !hf_etag_of(entry->fields, &etag) ||
	    tags->bytes + etag.text.len + 2 > ETAG_LIST_MAX)
		return;
	for (i = 0; i < tags->n; i++)
		if (hf_span_eq(tags->v[i].text, etag.text))
			return;
	tags->v[tags->n++] = etag;
	tags->bytes += etag.text.len + 2;
}

/* The list, joined in the arena. */
static struct hf_span tag_list(const struct tags *tags, struct hf_arena *arena)
{
	char *at, *list = hf_arena_alloc(arena, tags->bytes);
	size_t i;

	for (i = 0, at = list; list && i < tags->n; i++) {
		if (i > 0) {
			memcpy(at, ", ", 2);
			at += 2;
		}
		memcpy(at, tags->v[i].text.ptr, tags->v[i].text.len);
		at += tags->v[i].text.len;
	}
	return hf_span(list, (size_t)(at - list));
}

/* Tags of other variants are added only beside a tag, because If-None-Match
 * puts If-Modified-Since out of force. */
static int add_tags(const struct hf_cache_entry *entries, size_t n, int selected,
		    struct hf_fields *out)
{
	struct tags tags = { .n = 0 };
	struct hf_span list;
	size_t i;

	if (selected >= 0) {
		add_tag(&tags, &entries[selected]);
		if (tags.n == 0)
			return 0;
	}
	for (i = 0; i < n; i++)
		add_tag(&tags, &entries[i]);
	if (tags.n == 0)
		return 0;
	list = tag_list(&tags, out->arena);
	return list.ptr ? hf_fields_add(out, HF_SPAN("If-None-Match"), list) : HF_ENOMEM;
}

static int add_date(const struct hf_cache_entry *entry, struct hf_fields *out)
{
	int64_t modified;

	if (!hf_field_date(entry->fields, "Last-Modified", &modified))
		return 0;
	return hf_fields_add(out, HF_SPAN("If-Modified-Since"),
			     *hf_fields_get(entry->fields, "Last-Modified"));
}

static bool is_condition(struct hf_span name)
{
	static const char *const names[] = {
		"If-None-Match",       "If-Modified-Since", "If-Match",
		"If-Unmodified-Since", "If-Range",	    "Range",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (hf_span_ieq_str(name, names[i]))
			return true;
	return false;
}

int hf_cache_condition(const struct hf_cache_entry *entries, size_t n, int selected,
		       const struct hf_fields *request, struct hf_arena *arena,
		       struct hf_fields *out)
{
	size_t i;
	int rc = 0;

	hf_fields_init(out, arena);
	for (i = 0; i < request->n && !rc; i++)
		if (!is_condition(request->v[i].name))
			rc = hf_fields_add(out, request->v[i].name, request->v[i].value);
	if (!rc)
		rc = add_tags(entries, n, selected, out);
	if (!rc && selected >= 0)
		rc = add_date(&entries[selected], out);
	return rc;
}

/* ---- what a 304 confirms (section 4.3.4) ---- */

typedef bool (*matches_fn)(const struct hf_etag *a, const struct hf_etag *b);

/* The asked entry where it matches, else the newest that does. */
static int find_tag(const struct hf_cache_entry *entries, size_t n, int asked,
		    const struct hf_etag *etag)
{
	matches_fn matches = etag->weak ? hf_etag_eq_weak : hf_etag_eq_strong;
	struct hf_etag own;
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!hf_etag_of(entries[i].fields, &own) || !matches(etag, &own))
			continue;
		if ((int)i == asked)
			return asked;
		if (best < 0 || hf_cache_is_newer(&entries[i], &entries[best]))
			best = (int)i;
	}
	return best;
}

int hf_cache_confirmed(const struct hf_cache_entry *entries, size_t n, int asked,
		       const struct hf_fields *not_modified)
{
	int64_t modified, own_modified;
	struct hf_etag etag, own;

	if (hf_etag_of(not_modified, &etag))
		return find_tag(entries, n, asked, &etag);
	if (asked < 0)
		return -1;
	if (hf_field_date(not_modified, "Last-Modified", &modified))
		return hf_field_date(entries[asked].fields, "Last-Modified", &own_modified) &&
				       modified == own_modified ?
			       asked :
			       -1;
	return n == 1 || !hf_etag_of(entries[asked].fields, &own) ? asked : -1;
}

/* ---- a client's own conditions (section 4.3.2) ---- */

static bool is_unmodified_since(const struct hf_cache_entry *entry, int64_t since)
{
	int64_t modified;

	if (hf_field_date(entry->fields, "Last-Modified", &modified) ||
	    hf_field_date(entry->fields, "Date", &modified))
		return modified <= since;
	return entry->times.wall_ms > 0 && entry->times.wall_ms / 1000 <= since;
}

bool hf_cache_not_modified(const struct hf_cache_entry *entry, const struct hf_fields *request)
{
	struct hf_etag etag;
	int64_t since;
	bool tagged;

	if (entry->status != 200)
		return false;
	if (hf_fields_count(request, "If-None-Match") > 0) {
		tagged = hf_etag_of(entry->fields, &etag);
		return hf_if_none_match(request, tagged ? &etag : NULL);
	}
	return hf_field_date(request, "If-Modified-Since", &since) &&
	       is_unmodified_since(entry, since);
}
