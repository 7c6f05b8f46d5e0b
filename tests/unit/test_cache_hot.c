/* SPDX-License-Identifier: Apache-2.0 */
/* What of the shelf is in memory: slots, their order, their sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/hot.h"
#include "holdfast/err.h"

static const uint64_t seed[2] = { 1, 2 };

static struct hf_stored *entry(uint64_t id, size_t size)
{
	static char bytes[4096];
	struct hf_fields none = { .n = 0 };
	struct hf_shelf_entry row = {
		.id = id, .cache = 1, .url = HF_SPAN("/a"), .note = HF_SPAN(""), .has_data = true
	};
	struct hf_stored *s;
	struct hf_buf head;

	hf_buf_init(&head, 4096);
	assert_int_equal(hf_stored_head_encode(200, HF_SPAN(""), &none, &head), 0);
	row.head = hf_buf_span(&head);
	row.data = hf_span(bytes, size);
	assert_int_equal(hf_stored_decode(&row, &s), 0);
	hf_buf_finish(&head);
	return s;
}

static struct hf_hot_slot *slot(struct hf_hot *h, uint32_t cache, const char *url)
{
	struct hf_hot_slot *s;

	assert_int_equal(hf_hot_add(h, cache, hf_span_str(url), &s), 0);
	assert_true(s->loading);
	s->loading = false;
	return s;
}

static void a_slot_holds_the_last_sixteen(void **state)
{
	struct hf_hot_slot *s;
	struct hf_hot h;
	size_t before;

	(void)state;
	hf_hot_init(&h, seed, 1 << 20);
	s = slot(&h, 1, "/a");
	before = h.bytes;
	for (uint64_t id = 1; id <= HF_SHELF_VARIANTS_MAX + 4; id++)
		hf_hot_put(&h, s, entry(id, 10));
	assert_int_equal(s->n, HF_SHELF_VARIANTS_MAX);
	for (size_t i = 0; i < s->n; i++)
		assert_int_equal(s->v[i]->id, HF_SHELF_VARIANTS_MAX + 4 - i);
	hf_hot_take_out(&h, s, 10);
	assert_int_equal(s->n, HF_SHELF_VARIANTS_MAX - 1);
	hf_hot_take_out(&h, s, 10);
	assert_int_equal(s->n, HF_SHELF_VARIANTS_MAX - 1);
	hf_hot_empty(&h, s);
	assert_int_equal(s->n, 0);
	assert_int_equal(h.bytes, before);
	hf_hot_drop(&h, s);
	assert_int_equal(h.bytes, 0);
	assert_null(hf_hot_find(&h, 1, HF_SPAN("/a")));
	hf_hot_finish(&h);
}

static void a_replaced_entry_is_counted_anew(void **state)
{
	struct hf_stored *large = entry(7, 4000), *stranger = entry(8, 1);
	struct hf_hot_slot *s;
	struct hf_hot h;
	size_t before;

	(void)state;
	hf_hot_init(&h, seed, 1 << 20);
	s = slot(&h, 1, "/a");
	hf_hot_put(&h, s, entry(7, 0));
	before = h.bytes;
	assert_true(hf_hot_replace(&h, s, large));
	assert_int_equal(h.bytes, before + 4000);
	assert_ptr_equal(s->v[0], large);
	assert_false(hf_hot_replace(&h, s, stranger));
	hf_stored_unref(stranger);
	hf_hot_finish(&h);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
	static const char *const urls[] = { "/a", "/b", "/c", "/d" };
	struct hf_hot_slot *v[4];
	struct hf_hot h;

	(void)state;
	hf_hot_init(&h, seed, 10000);
	for (size_t i = 0; i < 4; i++) {
		v[i] = slot(&h, 1, urls[i]);
		hf_hot_put(&h, v[i], entry(i + 1, 3000));
	}
	hf_hot_used(&h, v[0]);
	v[1]->loading = true;	 /* stays, whatever its age */
	hf_hot_shrink(&h, v[2]); /* so does what is in use */
	assert_non_null(hf_hot_find(&h, 1, HF_SPAN("/b")));
	assert_non_null(hf_hot_find(&h, 1, HF_SPAN("/c")));
	assert_null(hf_hot_find(&h, 1, HF_SPAN("/d")));
	assert_true(h.bytes <= h.bytes_max || !hf_hot_find(&h, 1, HF_SPAN("/a")));
	hf_hot_finish(&h);
}

static void caches_are_apart(void **state)
{
	struct hf_hot_slot *loading, *s;
	struct hf_hot h;
	uint32_t generation;

	(void)state;
	hf_hot_init(&h, seed, 1 << 20);
	s = slot(&h, 1, "/a");
	slot(&h, 2, "/a");
	loading = slot(&h, 1, "/b");
	loading->loading = true;
	generation = loading->generation;
	assert_ptr_equal(hf_hot_find(&h, 1, HF_SPAN("/a")), s);
	hf_hot_drop_cache(&h, 1);
	assert_null(hf_hot_find(&h, 1, HF_SPAN("/a")));
	assert_non_null(hf_hot_find(&h, 2, HF_SPAN("/a")));
	assert_ptr_equal(hf_hot_find(&h, 1, HF_SPAN("/b")), loading);
	assert_true(loading->generation != generation);
	generation = loading->generation;
	hf_hot_changed(&h, loading);
	assert_true(loading->generation != generation);
	hf_hot_drop_cache(&h, 0);
	assert_null(hf_hot_find(&h, 2, HF_SPAN("/a")));
	hf_hot_finish(&h);
}

static void a_url_has_a_longest(void **state)
{
	char url[HF_SHELF_URL_MAX + 1];
	struct hf_hot_slot *s;
	struct hf_hot h;

	(void)state;
	memset(url, 'u', sizeof(url));
	hf_hot_init(&h, seed, 1 << 20);
	assert_int_equal(hf_hot_add(&h, 1, hf_span(url, sizeof(url)), &s), HF_ETOOBIG);
	assert_null(hf_hot_find(&h, 1, hf_span(url, sizeof(url))));
	assert_int_equal(hf_hot_add(&h, 1, hf_span(url, sizeof(url) - 1), &s), 0);
	hf_hot_finish(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_holds_the_last_sixteen),
		cmocka_unit_test(a_replaced_entry_is_counted_anew),
		cmocka_unit_test(what_was_used_longest_ago_goes_first),
		cmocka_unit_test(caches_are_apart),
		cmocka_unit_test(a_url_has_a_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
