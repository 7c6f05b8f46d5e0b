/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field lines. Checked: every delta is in its range; a Cache-Control written
 * anew from what was read is read as the same; adding no-store or must-revalidate
 * never takes anything away; entity-tags of a list lie inside it.
 */
#include <stdio.h>

#include "field_lines.h"
#include "http/cache_control.h"
#include "http/etag.h"

static void check_delta(int32_t delta)
{
	assert(delta >= HF_DELTA_NONE && delta <= HF_DELTA_MAX);
}

static void check_ranges(const struct hf_cache_control *cc)
{
	check_delta(cc->max_age);
	check_delta(cc->s_maxage);
	check_delta(cc->stale_while_revalidate);
	check_delta(cc->stale_if_error);
	check_delta(cc->max_stale);
	check_delta(cc->min_fresh);
	assert(cc->no_cache_names.n <= 4 && cc->private_names.n <= 4);
}

static void add(struct hf_fields *fields, const char *name, int32_t delta)
{
	struct hf_span text;

	if (delta == HF_DELTA_NONE)
		return;
	text = hf_arena_printf(fields->arena, "%s=\"%d\"", name, (int)delta);
	assert(text.ptr && !hf_fields_add(fields, HF_SPAN("cache-CONTROL"), text));
}

static void check_again(const struct hf_cache_control *cc, struct hf_arena *arena)
{
	struct hf_cache_control again;
	struct hf_fields fields;

	hf_fields_init(&fields, arena);
	add(&fields, "S-MAXAGE", cc->s_maxage);
	add(&fields, "max-age", cc->max_age);
	add(&fields, "stale-if-error", cc->stale_if_error);
	add(&fields, "max-stale", cc->max_stale);
	assert(!hf_fields_add(&fields, HF_SPAN("Cache-Control"), HF_SPAN(",x,max-age=1,")));
	hf_cache_control_parse(&fields, &again);
	assert(again.s_maxage == cc->s_maxage && again.stale_if_error == cc->stale_if_error);
	assert(again.max_age == (cc->max_age == HF_DELTA_NONE ? 1 : cc->max_age));
	assert(again.max_stale == cc->max_stale);
}

static void check_more(struct hf_fields *fields, const struct hf_cache_control *cc)
{
	struct hf_cache_control more;

	assert(!hf_fields_add(fields, HF_SPAN("Cache-Control"),
			      HF_SPAN("no-store, must-revalidate")));
	hf_cache_control_parse(fields, &more);
	assert(more.no_store && more.must_revalidate);
	assert(more.no_cache == cc->no_cache && more.is_private == cc->is_private);
	assert(more.max_age == cc->max_age && more.s_maxage == cc->s_maxage);
}

static void check_tags(const struct hf_fields *fields)
{
	const struct hf_span *line = hf_fields_get(fields, "If-None-Match");
	struct hf_span rest = line ? *line : hf_span(NULL, 0);
	struct hf_etag etag, own;

	while (hf_etag_next(&rest, &etag)) {
		assert(etag.text.len > 0 && etag.opaque.len <= etag.text.len);
		assert(etag.text.ptr >= line->ptr);
		assert(etag.text.ptr + etag.text.len <= line->ptr + line->len);
		assert(hf_etag_eq_weak(&etag, &etag));
		assert(hf_if_none_match(fields, &etag));
	}
	if (hf_etag_of(fields, &own))
		hf_if_none_match(fields, &own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span rest = hf_span(data, size);
	struct hf_cache_control cc;
	struct hf_fields fields;
	struct hf_arena arena;
	int64_t unix_s;

	hf_arena_init(&arena, SIZE_MAX);
	fields = read_lines(&rest, &arena);
	check_tags(&fields);
	assert(hf_age_parse(&fields) >= 0);
	hf_expires_parse(&fields, &unix_s);
	hf_cache_control_parse_request(&fields, &cc);
	check_ranges(&cc);
	hf_cache_control_parse(&fields, &cc);
	check_ranges(&cc);
	check_again(&cc, &arena);
	check_more(&fields, &cc);
	hf_arena_finish(&arena);
	return 0;
}
