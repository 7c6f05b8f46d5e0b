/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cache_rig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/date.h"
#include "http/etag.h"
#include "http/range.h"
#include "http/vary.h"

#define ENTRIES_MAX 8
#define START_S	    INT64_C(1700000000)

struct entry {
	char target[64];
	struct hf_cache_entry e;
	struct hf_fields fields;
	char body[64];
};

struct rig {
	const struct cache_case *c;
	struct hf_cache_rules rules;
	struct hf_cache_clock clock;
	struct hf_arena arena; /* of the whole case */
	struct entry entries[ENTRIES_MAX];
	size_t n;
	const struct cache_step *origin; /* the step whose answer it gives */
	int64_t origin_s;		 /* when it first did */
	/* of this step */
	struct hf_message ask, answer;
	struct hf_fields sent;
	enum cache_end end;
	char body[64];
	/* of the entries that the target has */
	struct hf_cache_entry found[ENTRIES_MAX];
	size_t at[ENTRIES_MAX], found_n;
};

/* ---- text ---- */

static struct hf_span date_value(struct hf_arena *arena, struct hf_span value, int64_t unix_s)
{
	char date[HF_HTTP_DATE_LEN + 1];

	if (value.len == 0 || value.ptr[0] != '@')
		return hf_arena_copy(arena, value);
	hf_http_date_format(unix_s + strtoll(value.ptr + 1, NULL, 10), date);
	return hf_arena_copy(arena, hf_span_str(date));
}

void cache_rig_fields(struct hf_arena *arena, const char *text, int64_t unix_s,
		      struct hf_fields *out)
{
	struct hf_span rest = hf_span_str(text), line;

	hf_fields_init(out, arena);
	while (rest.len > 0) {
		struct hf_span value = line = hf_span_cut(&rest, '\n');
		struct hf_span name = hf_span_cut(&value, ':');

		value = date_value(arena, hf_span_trim(value), unix_s);
		assert(value.ptr);
		assert(!hf_fields_add(out, hf_arena_copy(arena, name), value));
	}
}

static int64_t now_s(const struct rig *r)
{
	return START_S + (int64_t)(r->clock.device_ms / 1000);
}

static void set_clock(struct rig *r)
{
	r->clock.wall_ms = r->c->no_clock ? 0 : now_s(r) * 1000;
}

/* ---- the store ---- */

static struct hf_url url_of(const struct cache_step *step)
{
	const char *target = step->target ? step->target : "/a/b";
	static char text[128];
	struct hf_url url;

	snprintf(text, sizeof(text), "http://origin.example%s", target);
	assert(!hf_url_parse(hf_span_str(text), &url));
	return url;
}

static const char *target_of(const struct cache_step *step)
{
	return step->target ? step->target : "/a/b";
}

static void find(struct rig *r, const char *target)
{
	size_t i;

	for (i = 0, r->found_n = 0; i < r->n; i++) {
		if (strcmp(r->entries[i].target, target) != 0)
			continue;
		r->entries[i].e.fields = &r->entries[i].fields;
		r->at[r->found_n] = i;
		r->found[r->found_n++] = r->entries[i].e;
	}
}

static struct hf_cache_times times(const struct rig *r)
{
	return (struct hf_cache_times){
		.request_ms = r->clock.device_ms,
		.response_ms = r->clock.device_ms,
		.boot = r->clock.boot,
		.wall_ms = r->clock.wall_ms,
	};
}

/* In place of the entry of the same variant, or as a new one. */
static struct entry *room(struct rig *r, const char *target, struct hf_span variant)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->entries[i].target, target) == 0 &&
		    hf_span_eq(r->entries[i].e.variant, variant))
			return &r->entries[i];
	assert(r->n < ENTRIES_MAX);
	return &r->entries[r->n++];
}

static void store(struct rig *r, const struct cache_step *step, const char *body)
{
	struct hf_url url = url_of(step);
	struct hf_cache_times t = times(r);
	struct hf_span variant;
	struct entry *e;

	if (hf_cache_storable(&r->rules, &r->ask, &url, &r->answer, &r->arena) != HF_CACHE_STORE)
		return;
	variant = hf_vary_key(&r->arena, &r->answer.fields, &r->ask.fields);
	e = room(r, target_of(step), variant);
	snprintf(e->target, sizeof(e->target), "%s", target_of(step));
	snprintf(e->body, sizeof(e->body), "%s", body);
	assert(!hf_cache_stored_fields(&r->rules, &r->answer.fields, &t, &r->arena, &e->fields));
	e->e = (struct hf_cache_entry){ .status = r->answer.status,
					.variant = variant,
					.times = t };
}

/* ---- the origin ---- */

static bool date_matches(const struct rig *r)
{
	const struct hf_span *asked = hf_fields_get(&r->sent, "If-Modified-Since");
	const struct hf_span *own = hf_fields_get(&r->answer.fields, "Last-Modified");

	return asked && own && hf_span_eq(*asked, *own);
}

static bool origin_matches(const struct rig *r)
{
	struct hf_etag etag;

	if (hf_fields_count(&r->sent, "If-None-Match") > 0)
		return hf_etag_of(&r->answer.fields, &etag) && hf_if_none_match(&r->sent, &etag);
	return date_matches(r);
}

static void ask_origin(struct rig *r, const struct cache_step *step)
{
	if (step->answer || step->status || !r->origin) {
		r->origin = step;
		r->origin_s = now_s(r);
	}
	cache_rig_fields(&r->arena, r->origin->answer ? r->origin->answer : "", r->origin_s,
			 &r->answer.fields);
	r->answer.status = r->origin->status ? r->origin->status : 200;
	if (r->answer.status == 200 && origin_matches(r))
		r->answer.status = 304;
	snprintf(r->body, sizeof(r->body), "%s", r->origin->body ? r->origin->body : "0123456789");
}

/* ---- the cache ---- */

static void answer_range(struct rig *r, const struct entry *e)
{
	struct hf_ranges ranges;
	size_t length = strlen(e->body);

	if (e->e.status != 200 ||
	    hf_range_decide(&r->ask.fields, &e->fields, length, &ranges) != HF_RANGE_PARTIAL)
		return;
	r->answer.status = 206;
	snprintf(r->body, sizeof(r->body), "%.*s", (int)(ranges.v[0].last - ranges.v[0].first + 1),
		 e->body + ranges.v[0].first);
}

static void answer_from(struct rig *r, size_t found)
{
	struct entry *e = &r->entries[r->at[found]];
	enum hf_cache_shape shape = HF_CACHE_AS_STORED;
	struct hf_cache_freshness freshness;

	e->e.fields = &e->fields;
	hf_cache_freshness(&r->rules, &e->e, &r->clock, &freshness);
	r->answer.status = e->e.status;
	snprintf(r->body, sizeof(r->body), "%s", e->body);
	answer_range(r, e);
	if (hf_cache_not_modified(&e->e, &r->ask.fields)) {
		shape = HF_CACHE_AS_304;
		r->answer.status = 304;
	}
	assert(!hf_cache_answer_fields(&e->e, &freshness, shape, &r->arena, &r->answer.fields));
}

/* Asks the origin; without a condition a second time when its 304 is of none. */
static void validate(struct rig *r, const struct cache_step *step, int selected)
{
	bool tags = hf_fields_count(&r->sent, "If-None-Match") > 0;
	struct hf_cache_times t = times(r);
	struct hf_fields updated;
	struct entry *e;
	int confirmed;

	ask_origin(r, step);
	r->end = END_ASKED;
	if (r->answer.status != 304)
		return;
	confirmed = hf_cache_confirmed(r->found, r->found_n, selected, &r->answer.fields);
	if (confirmed < 0) {
		r->answer.status = 200;
		r->end = END_MISS;
		return;
	}
	e = &r->entries[r->at[confirmed]];
	assert(!hf_cache_updated_fields(&r->rules, &e->fields, &r->answer.fields, &t, &r->arena,
					&updated));
	e->fields = updated;
	e->e.times = t;
	e->e.invalidated = false;
	r->end = tags ? END_ETAG_VALIDATED : END_DATE_VALIDATED;
	answer_from(r, (size_t)confirmed);
}

/* Past the cache, or asked with a condition; then what came is stored. */
static void exchange(struct rig *r, const struct cache_step *step, int selected)
{
	bool conditional = hf_fields_count(&r->sent, "If-None-Match") > 0 ||
			   hf_fields_count(&r->sent, "If-Modified-Since") > 0;

	if (hf_cache_bypass(&r->ask.fields) || r->found_n == 0 || !conditional) {
		ask_origin(r, step);
		r->end = END_MISS;
	} else {
		validate(r, step, selected);
	}
}

static void forward(struct rig *r, const struct cache_step *step, int selected,
		    const struct hf_cache_decision *d)
{
	bool bypass = hf_cache_bypass(&r->ask.fields);

	r->sent = r->ask.fields;
	if (!bypass && r->found_n > 0 && (selected < 0 || d->use == HF_CACHE_REVALIDATE))
		assert(!hf_cache_condition(r->found, r->found_n, selected, &r->ask.fields,
					   &r->arena, &r->sent));
	r->end = END_TIMEOUT;
	r->answer.status = 504;
	if (!step->disconnect)
		exchange(r, step, selected);
	if (r->end == END_ETAG_VALIDATED || r->end == END_DATE_VALIDATED)
		return;
	if (hf_cache_stale_for(d, step->disconnect ? 0 : r->answer.status)) {
		r->end = END_CACHED;
		answer_from(r, (size_t)selected);
	} else if (!step->disconnect && !bypass) {
		store(r, step, r->body);
	}
}

static void read_head(struct rig *r, const struct cache_step *step, int selected)
{
	struct hf_cache_times t = times(r);
	struct hf_fields updated;
	struct entry *e;

	r->sent = r->ask.fields;
	ask_origin(r, step);
	r->end = END_MISS;
	if (selected < 0)
		return;
	e = &r->entries[r->at[selected]];
	switch (hf_cache_head(&e->e, strlen(e->body), &r->answer)) {
	case HF_CACHE_HEAD_UPDATE:
		assert(!hf_cache_updated_fields(&r->rules, &e->fields, &r->answer.fields, &t,
						&r->arena, &updated));
		e->fields = updated;
		e->e.times = t;
		r->answer.fields = updated;
		break;
	case HF_CACHE_HEAD_INVALIDATE:
		e->e.invalidated = true;
		break;
	case HF_CACHE_HEAD_NOTHING:
		break;
	}
}

static void read_step(struct rig *r, const struct cache_step *step)
{
	struct hf_cache_decision d;
	int selected;

	find(r, target_of(step));
	selected = hf_cache_select(&r->arena, r->found, r->found_n, &r->ask.fields);
	hf_cache_decide(&r->rules, selected < 0 ? NULL : &r->found[selected], &r->ask.fields,
			&r->clock, &d);
	if (d.use == HF_CACHE_GATEWAY_TIMEOUT) {
		r->end = END_TIMEOUT;
		r->answer.status = 504;
	} else if (d.use <= HF_CACHE_STALE_ALLOWED && !hf_cache_bypass(&r->ask.fields)) {
		r->end = END_CACHED;
		answer_from(r, (size_t)selected);
	} else if (step->method && strcmp(step->method, "HEAD") == 0) {
		read_head(r, step, selected);
	} else {
		forward(r, step, selected, &d);
	}
}

static void write_step(struct rig *r, const struct cache_step *step)
{
	struct hf_target targets[HF_CACHE_INVALID_MAX];
	struct hf_url url = url_of(step);
	size_t i, k, n;

	r->sent = r->ask.fields;
	ask_origin(r, step);
	r->end = END_MISS;
	n = hf_cache_invalidates(r->ask.method, &url, &r->answer, &r->arena, targets);
	for (k = 0; k < n; k++)
		for (i = 0; i < r->n; i++)
			if (hf_span_eq_str(targets[k].path, r->entries[i].target))
				r->entries[i].e.invalidated = true;
	store(r, step, r->body);
}

/* ---- expectations ---- */

static bool has_line(const struct hf_fields *fields, const struct hf_field *line)
{
	size_t i;

	for (i = 0; i < fields->n; i++)
		if (hf_span_ieq(fields->v[i].name, line->name) &&
		    (line->value.len == 0 || hf_span_eq(fields->v[i].value, line->value)))
			return true;
	return false;
}

/* Every line of @text is (@wanted) or is not in @fields; a line without a value
 * stands for any. */
static bool compare(struct rig *r, const char *text, const struct hf_fields *fields, bool wanted)
{
	struct hf_fields lines;
	size_t i;

	if (!text)
		return true;
	cache_rig_fields(&r->arena, text, now_s(r), &lines);
	for (i = 0; i < lines.n; i++)
		if (has_line(fields, &lines.v[i]) != wanted) {
			printf("  %s: %.*s\n", wanted ? "missing" : "unexpected",
			       HF_SPAN_ARG(lines.v[i].name));
			return false;
		}
	return true;
}

static bool check(struct rig *r, const struct cache_step *step, size_t i)
{
	bool ok = step->end == END_ANY || step->end == r->end;

	if (!ok)
		printf("  step %zu ended %d, not %d\n", i + 1, (int)r->end, (int)step->end);
	if (step->expect_status && step->expect_status != r->answer.status) {
		printf("  step %zu: status %d\n", i + 1, r->answer.status);
		ok = false;
	}
	if (step->expect_body && strcmp(step->expect_body, r->body) != 0) {
		printf("  step %zu: body %s\n", i + 1, r->body);
		ok = false;
	}
	return compare(r, step->expect, &r->answer.fields, true) &&
	       compare(r, step->expect_not, &r->answer.fields, false) &&
	       compare(r, step->expect_sent, &r->sent, true) &&
	       compare(r, step->expect_unsent, &r->sent, false) && ok;
}

static bool run(struct rig *r, const struct cache_case *c)
{
	bool ok = true;
	size_t i;

	*r = (struct rig){ .c = c, .clock = { .device_ms = 1000000, .boot = 3 } };
	r->rules.is_private = c->is_private;
	r->rules.offline_stale_s = c->offline_stale ? HF_DELTA_MAX : 0;
	hf_arena_init(&r->arena, 1 << 20);
	for (i = 0; i < c->n && ok; i++) {
		const struct cache_step *step = &c->steps[i];

		set_clock(r);
		r->answer = (struct hf_message){ .status = 0 };
		hf_fields_init(&r->answer.fields, &r->arena);
		hf_fields_init(&r->sent, &r->arena);
		r->ask.method = hf_span_str(step->method ? step->method : "GET");
		cache_rig_fields(&r->arena, step->ask ? step->ask : "", now_s(r), &r->ask.fields);
		if (!step->method || strcmp(step->method, "HEAD") == 0)
			read_step(r, step);
		else
			write_step(r, step);
		ok = check(r, step, i);
		r->clock.device_ms += INT64_C(1000) * step->pause_s;
	}
	hf_arena_finish(&r->arena);
	return ok;
}

int cache_rig_run(const struct cache_case *cases, size_t n)
{
	static struct rig r;
	int failed = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (run(&r, &cases[i]))
			continue;
		printf("FAILED %s\n", cases[i].id);
		failed++;
	}
	return failed;
}
