/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A script in which the n-th allocation fails, for every n: the caches go on, and what
 * memory tells of a URL is never more than what the shelf has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "lib/live_cache.h"

#define ALLOCATIONS_MAX 2000

static const char *const urls[] = { "/a", "/b" };

/* Returns the entry of /a that was taken out, 0: none. */
static uint64_t script(struct live_cache *l, uint32_t cache)
{
	uint64_t ids[HF_SHELF_VARIANTS_MAX], removed = 0;
	size_t n;

	live_cache_put(l, cache, "/a", "", "1");
	live_cache_ids(l, cache, "/a", ids);
	live_cache_put(l, cache, "/a", "accept:x\n", "2");
	hf_cache_mark(l->cache, cache, HF_SPAN("/a"), HF_STORED_PENDING_WRITE, 0);
	hf_cache_mark(l->cache, cache, HF_SPAN("/b"), HF_STORED_INVALIDATED, 0);
	fake_port_turn(&l->port);
	n = live_cache_ids(l, cache, "/a", ids);
	if (n > 0) {
		removed = ids[0];
		hf_cache_remove_entry(l->cache, cache, HF_SPAN("/a"), removed);
	}
	live_cache_put(l, cache, "/b", "", "3");
	live_cache_ids(l, cache, "/b", ids);
	hf_cache_remove(l->cache, cache, HF_SPAN("/b"));
	hf_cache_forget(l->cache, cache);
	live_cache_ids(l, cache, "/a", ids);
	fake_port_settle(&l->port);
	return removed;
}

static bool has(const uint64_t *ids, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void expect_no_more_than_the_shelf(struct live_cache *l, uint32_t cache)
{
	uint64_t a[HF_SHELF_VARIANTS_MAX], b[HF_SHELF_VARIANTS_MAX];

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		size_t n = live_cache_ids(l, cache, urls[i], a);
		size_t m = live_cache_shelf_ids(l, cache, urls[i], b);

		for (size_t k = 0; k < n; k++)
			assert_true(has(b, m, a[k]));
	}
}

static void every_allocation_may_fail(void **state)
{
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	struct live_cache l;
	uint64_t removed;
	bool failed = true;
	uint32_t cache;
	int n;

	(void)state;
	for (n = 0; failed && n < ALLOCATIONS_MAX; n++) {
		live_cache_init(&l, 1 << 20);
		cache = live_cache_named(&l, HF_SHELF_NAMED, "one");
		alloc_countdown = n;
		removed = script(&l, cache);
		failed = alloc_countdown < 0;
		alloc_countdown = -1;
		expect_no_more_than_the_shelf(&l, cache);
		/* what was taken out is gone in any case */
		assert_int_equal(live_cache_shelf_ids(&l, cache, "/b", ids), 0);
		assert_false(has(ids, live_cache_shelf_ids(&l, cache, "/a", ids), removed));
		/* memory is there again: so is everything else */
		assert_int_equal(live_cache_put(&l, cache, "/c", "", "4"), 0);
		assert_int_equal(live_cache_ids(&l, cache, "/c", ids), 1);
		live_cache_finish(&l);
	}
	assert_false(failed);
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
