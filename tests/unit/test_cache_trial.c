/* SPDX-License-Identifier: Apache-2.0 */
/* What came by a way on which others may answer is shown when it is proved, and what
 * was there before it stays until then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "lib/live_cache.h"

struct rig {
	struct live_cache l;
	uint32_t cache;
};

static void begin(struct rig *r)
{
	live_cache_init(&r->l, 1 << 20);
	r->cache = live_cache_named(&r->l, HF_SHELF_HTTP, "one");
	r->l.doubtful = true;
}

static void put(struct rig *r, const char *url, const char *text)
{
	assert_int_equal(live_cache_put(&r->l, r->cache, url, "", text), 0);
	fake_port_settle(&r->l.port);
}

/* A probe goes and comes back. */
static void in_order(struct rig *r)
{
	hf_cache_in_order(r->l.cache, hf_cache_probe_goes(r->l.cache));
	fake_port_settle(&r->l.port);
}

static const char *text_of(struct rig *r, const char *url, char out[16])
{
	struct hf_stored *const *v;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	size_t n = live_cache_ids(&r->l, r->cache, url, ids);

	assert_true(n <= 1);
	if (n == 0)
		return "";
	assert_true(hf_cache_peek(r->l.cache, r->cache, hf_span_str(url), &v, &n));
	snprintf(out, 16, "%.*s", HF_SPAN_ARG(v[0]->data));
	return out;
}

#define EXPECT(r, url, text)                                         \
	do {                                                         \
		char got[16];                                        \
		assert_string_equal(text_of((r), (url), got), text); \
	} while (0)

static void restart(struct rig *r)
{
	live_cache_restart(&r->l);
}

static void it_is_shown_when_it_is_proved(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	put(&r, "/a", "1");
	assert_true(r.l.open);
	EXPECT(&r, "/a", "");
	in_order(&r);
	assert_false(r.l.open);
	assert_int_equal(r.l.judged, 1);
	EXPECT(&r, "/a", "1");
	restart(&r);
	EXPECT(&r, "/a", "1");
	live_cache_finish(&r.l);
}

static void what_came_after_the_probe_went_is_not_proved_by_it(void **state)
{
	struct rig r;
	uint32_t mark;

	(void)state;
	begin(&r);
	put(&r, "/a", "1");
	mark = hf_cache_probe_goes(r.l.cache);
	put(&r, "/b", "2");
	hf_cache_in_order(r.l.cache, mark);
	EXPECT(&r, "/a", "1");
	EXPECT(&r, "/b", "");
	assert_true(r.l.open);
	restart(&r);
	EXPECT(&r, "/b", "");
	live_cache_finish(&r.l);
}

/* One without an answer is made up for by the next. */
static void a_later_probe_proves_what_an_earlier_one_did_not(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	put(&r, "/a", "1");
	(void)hf_cache_probe_goes(r.l.cache);
	put(&r, "/b", "2");
	in_order(&r);
	restart(&r);
	EXPECT(&r, "/a", "1");
	EXPECT(&r, "/b", "2");
	live_cache_finish(&r.l);
}

static void a_stranger_leaves_nothing(void **state)
{
	struct rig r;
	uint32_t mark;

	(void)state;
	begin(&r);
	put(&r, "/a", "1");
	in_order(&r);
	put(&r, "/a", "login");
	put(&r, "/b", "login");
	mark = hf_cache_probe_goes(r.l.cache);
	hf_cache_stranger(r.l.cache);
	hf_cache_in_order(r.l.cache, mark); /* of before */
	assert_false(r.l.open);
	EXPECT(&r, "/a", "1");
	EXPECT(&r, "/b", "");
	in_order(&r);
	EXPECT(&r, "/b", "");
	restart(&r);
	EXPECT(&r, "/a", "1");
	EXPECT(&r, "/b", "");
	live_cache_finish(&r.l);
}

static void another_network_proves_nothing_of_the_one_before(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	put(&r, "/a", "1");
	hf_cache_other_network(r.l.cache);
	put(&r, "/b", "2");
	in_order(&r);
	EXPECT(&r, "/a", "");
	EXPECT(&r, "/b", "2");
	live_cache_finish(&r.l);
}

static void what_was_asked_for_on_another_way_is_not_stored(void **state)
{
	struct hf_fields none = { .n = 0 };
	struct hf_cache_put p = { .url = HF_SPAN("/a"), .status = 200, .fields = &none };
	struct rig r;

	(void)state;
	begin(&r);
	p.cache = r.cache;
	p.doubtful = true;
	p.way = hf_cache_way(r.l.cache);
	hf_cache_stranger(r.l.cache);
	assert_int_equal(hf_cache_put(r.l.cache, &p), HF_ESTATE);
	live_cache_finish(&r.l);
}

/* It is on its way to the shelf when somebody shows himself. */
static void a_put_under_way_is_not_shown_either(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	EXPECT(&r, "/a", ""); /* the slot is there */
	assert_int_equal(live_cache_put(&r.l, r.cache, "/a", "", "login"), 0);
	hf_cache_stranger(r.l.cache);
	fake_port_settle(&r.l.port);
	in_order(&r);
	EXPECT(&r, "/a", "");
	hf_cache_forget(r.l.cache, r.cache);
	EXPECT(&r, "/a", "");
	live_cache_finish(&r.l);
}

static void count_found(void *user, struct hf_stored *const *v, size_t n)
{
	(void)v;
	*(size_t *)user = n;
}

/* The same of a look that is under way. */
static void a_look_under_way_does_not_find_it(void **state)
{
	size_t n, seen = 99;
	struct hf_stored *const *v;
	struct hf_cache_lookup lookup = {
		.url = HF_SPAN("/a"), .all = true, .found = count_found, .user = &seen
	};
	struct rig r;

	(void)state;
	begin(&r);
	put(&r, "/a", "login");
	hf_cache_forget(r.l.cache, r.cache);
	lookup.cache = r.cache;
	assert_false(hf_cache_peek(r.l.cache, r.cache, lookup.url, &v, &n));
	assert_int_equal(hf_cache_lookup(r.l.cache, &lookup), 0);
	hf_cache_stranger(r.l.cache);
	fake_port_settle(&r.l.port);
	assert_int_equal(seen, 0);
	live_cache_finish(&r.l);
}

static void a_change_concerns_what_is_not_shown_too(void **state)
{
	struct hf_stored *const *v;
	struct rig r;
	size_t n;

	(void)state;
	begin(&r);
	EXPECT(&r, "/a", "");
	put(&r, "/a", "1");
	hf_cache_mark(r.l.cache, r.cache, HF_SPAN("/a"), HF_STORED_INVALIDATED, 0);
	in_order(&r);
	EXPECT(&r, "/a", "1");
	assert_true(hf_cache_peek(r.l.cache, r.cache, HF_SPAN("/a"), &v, &n));
	assert_true(v[0]->entry.invalidated);
	hf_cache_remove(r.l.cache, r.cache, HF_SPAN("/a"));
	EXPECT(&r, "/a", "");
	live_cache_finish(&r.l);
}

static void of_one_answer_two_are_stored_at_most(void **state)
{
	struct hf_shelf_caches c = { .n = 0 };
	struct rig r;
	char text[8];

	(void)state;
	begin(&r);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "%u", i);
		put(&r, "/a", text);
		if (i % 2)
			in_order(&r);
		if (i % 2)
			EXPECT(&r, "/a", text);
	}
	hf_shelf_caches(hf_cache_shelf(r.l.cache), &c);
	fake_port_settle(&r.l.port);
	assert_int_equal(c.v[0].entries, 2);
	hf_shelf_caches_finish(&c);
	live_cache_finish(&r.l);
}

static void with_the_one_that_is_shown_go_those_behind_it(void **state)
{
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	struct rig r;

	(void)state;
	begin(&r);
	EXPECT(&r, "/a", "");
	for (unsigned i = 0; i < 2; i++) {
		put(&r, "/a", i ? "2" : "1");
		in_order(&r);
	}
	assert_int_equal(live_cache_ids(&r.l, r.cache, "/a", ids), 1);
	hf_cache_remove_entry(r.l.cache, r.cache, HF_SPAN("/a"), ids[0]);
	EXPECT(&r, "/a", "");
	hf_cache_forget(r.l.cache, r.cache);
	EXPECT(&r, "/a", "");
	live_cache_finish(&r.l);
}

/* ---- where nothing could tell ---- */

static void what_is_assumed_is_shown_at_once(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	r.l.assumed = true;
	restart(&r);
	put(&r, "/a", "1");
	EXPECT(&r, "/a", "1");
	assert_false(r.l.open);
	put(&r, "/a", "2");
	EXPECT(&r, "/a", "2");
	restart(&r);
	EXPECT(&r, "/a", "2");
	live_cache_finish(&r.l);
}

static void what_is_assumed_goes_with_a_stranger(void **state)
{
	struct rig r;

	(void)state;
	begin(&r);
	r.l.assumed = true;
	restart(&r);
	put(&r, "/before", "1");
	hf_cache_other_network(r.l.cache);
	put(&r, "/since", "login");
	hf_cache_stranger(r.l.cache);
	EXPECT(&r, "/before", "1");
	EXPECT(&r, "/since", "");
	put(&r, "/after", "2");
	restart(&r);
	EXPECT(&r, "/before", "1");
	EXPECT(&r, "/since", "");
	EXPECT(&r, "/after", "2");
	live_cache_finish(&r.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_shown_when_it_is_proved),
		cmocka_unit_test(what_came_after_the_probe_went_is_not_proved_by_it),
		cmocka_unit_test(a_later_probe_proves_what_an_earlier_one_did_not),
		cmocka_unit_test(a_stranger_leaves_nothing),
		cmocka_unit_test(another_network_proves_nothing_of_the_one_before),
		cmocka_unit_test(what_was_asked_for_on_another_way_is_not_stored),
		cmocka_unit_test(a_put_under_way_is_not_shown_either),
		cmocka_unit_test(a_look_under_way_does_not_find_it),
		cmocka_unit_test(a_change_concerns_what_is_not_shown_too),
		cmocka_unit_test(of_one_answer_two_are_stored_at_most),
		cmocka_unit_test(with_the_one_that_is_shown_go_those_behind_it),
		cmocka_unit_test(what_is_assumed_is_shown_at_once),
		cmocka_unit_test(what_is_assumed_goes_with_a_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
