/* SPDX-License-Identifier: Apache-2.0 */
/* The shelf: caches, entries, bodies, as its callers see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/shelf_rig.h"

static void begin(struct shelf_rig *r)
{
	shelf_rig_init(r);
	assert_int_equal(shelf_rig_open(r), 0);
}

static void restart(struct shelf_rig *r)
{
	shelf_rig_kill(r);
	assert_int_equal(shelf_rig_open(r), 0);
	assert_false(r->report.renewed);
}

static void what_is_put_is_found_after_a_start(void **state)
{
	static const size_t sizes[] = { 0, 1, 3072, 3073, 32768, 32769, 100000 };
	struct shelf_rig r;
	uint32_t cache;
	char url[32];

	(void)state;
	begin(&r);
	assert_true(r.report.created);
	assert_int_equal(r.report.boot, 1);
	cache = shelf_rig_cache(&r, HF_SHELF_HTTP, "a");
	assert_true(cache > 0);
	for (unsigned i = 0; i < 7; i++) {
		snprintf(url, sizeof(url), "https://a/%u", i);
		assert_int_equal(shelf_rig_put(&r, cache, url, i, sizes[i]), 0);
	}
	for (unsigned again = 0; again < 3; again++) {
		for (unsigned i = 0; i < 7; i++) {
			snprintf(url, sizeof(url), "https://a/%u", i);
			assert_int_equal(shelf_rig_get(&r, cache, url), i);
		}
		assert_int_equal(shelf_rig_get(&r, cache, "https://a/none"), -1);
		assert_int_equal(shelf_rig_figures(&r, cache).entries, 7);
		if (again == 0)
			assert_int_equal(shelf_rig_close(&r), 0);
		shelf_rig_kill(&r);
		assert_int_equal(shelf_rig_open(&r), 0);
		assert_int_equal(r.report.boot, again + 2);
		assert_int_equal(r.report.unclean, again > 0);
		assert_int_equal(r.report.entries, 7);
		assert_int_equal(shelf_rig_cache(&r, HF_SHELF_HTTP, "a"), cache);
	}
	shelf_rig_finish(&r);
}

static void an_entry_that_is_replaced_is_gone(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	uint64_t bytes;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	assert_int_equal(shelf_rig_put(&r, cache, "u", 1, 100000), 0);
	bytes = shelf_rig_figures(&r, cache).bytes;
	assert_int_equal(shelf_rig_put(&r, cache, "u", 2, 100000), 0);
	assert_int_equal(shelf_rig_get(&r, cache, "u"), 2);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 1);
	assert_int_equal(shelf_rig_figures(&r, cache).bytes, bytes);
	restart(&r);
	assert_int_equal(shelf_rig_get(&r, cache, "u"), 2);
	shelf_rig_finish(&r);
}

static uint64_t live(struct shelf_rig *r)
{
	struct hf_shelf_usage u;

	fake_port_settle(&r->port);
	hf_shelf_usage(r->shelf, &u);
	return u.bytes;
}

static void equal_bodies_are_stored_once(void **state)
{
	struct shelf_rig r;
	uint32_t cache, other;
	uint64_t with_one, empty;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	other = shelf_rig_cache(&r, HF_SHELF_NAMED, "b");
	empty = live(&r);
	assert_int_equal(shelf_rig_put(&r, cache, "u", 1, 200000), 0);
	with_one = live(&r);
	assert_int_equal(shelf_rig_put(&r, cache, "v", 1, 200000), 0);
	assert_int_equal(shelf_rig_put(&r, other, "u", 1, 200000), 0);
	assert_true(live(&r) < with_one + 16384);
	assert_int_equal(shelf_rig_put(&r, cache, "u", 2, 10), 0);
	assert_int_equal(shelf_rig_put(&r, cache, "v", 2, 10), 0);
	assert_int_equal(shelf_rig_get(&r, other, "u"), 1);
	assert_int_equal(shelf_rig_put(&r, other, "u", 2, 10), 0);
	assert_true(live(&r) < empty + 32768);
	shelf_rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_after_a_start),
		cmocka_unit_test(an_entry_that_is_replaced_is_gone),
		cmocka_unit_test(equal_bodies_are_stored_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
