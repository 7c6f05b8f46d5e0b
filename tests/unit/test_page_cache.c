/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/page_cache.h"

#define M     (&hf_page_cache_methods)
#define PAGES 192
#define INNER 120
#define LEAF  13 /* first byte of a page of a B-tree */
#define NODE  5

static sqlite3_pcache *cache_new(int pages, int purgeable)
{
	sqlite3_pcache *c = M->xCreate(4096, 64, purgeable);

	assert_non_null(c);
	M->xCachesize(c, pages);
	return c;
}

static void *extra_of(sqlite3_pcache_page *p)
{
	void *first;

	memcpy(&first, p->pExtra, sizeof(first));
	return first;
}

/* As SQLite does it: what it finds new it reads. True: it was there. */
static int use(sqlite3_pcache *c, unsigned key, char kind)
{
	sqlite3_pcache_page *p = M->xFetch(c, key, 2);
	int there;

	assert_non_null(p);
	there = extra_of(p) != NULL;
	if (there)
		assert_int_equal(((char *)p->pBuf)[1], (char)key);
	memset(p->pBuf, (char)key, 4096);
	*(char *)p->pBuf = kind;
	memcpy(p->pExtra, &c, sizeof(c));
	M->xUnpin(c, p, 0);
	return there;
}

static void nodes_stay_while_leaves_pass(void **state)
{
	sqlite3_pcache *c = cache_new(PAGES, 1);
	unsigned missed = 0, leaf = 1000;

	(void)state;
	for (unsigned i = 0; i < 20 * INNER; i++) {
		if (!use(c, 1 + i * 7 % INNER, NODE) && i >= INNER)
			missed++;
		for (int k = 0; k < 3; k++)
			use(c, leaf++, LEAF);
	}
	assert_int_equal(missed, 0);
	assert_int_equal(M->xPagecount(c), PAGES);
	M->xDestroy(c);
}

static void leaves_have_a_quarter_whatever_comes(void **state)
{
	sqlite3_pcache *c = cache_new(40, 1);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		use(c, 1000 + i, LEAF);
	for (unsigned i = 0; i < 500; i++)
		use(c, 1 + i, NODE);
	assert_int_equal(M->xPagecount(c), 40);
	for (unsigned i = 0; i < 9; i++)
		assert_true(use(c, 1001 + i, LEAF));
	M->xDestroy(c);
}

static void what_is_in_use_stays_and_counts(void **state)
{
	sqlite3_pcache *c = cache_new(10, 1);
	sqlite3_pcache_page *held[20];

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		held[i] = M->xFetch(c, i + 1, 1);
	assert_null(M->xFetch(c, 10, 1));
	for (unsigned i = 9; i < 20; i++) {
		held[i] = M->xFetch(c, i + 1, 2);
		assert_non_null(held[i]);
	}
	assert_int_equal(M->xPagecount(c), 20);
	for (unsigned i = 0; i < 20; i++) {
		assert_ptr_equal(M->xFetch(c, i + 1, 0), held[i]);
		*(char *)held[i]->pBuf = LEAF;
	}
	for (unsigned i = 0; i < 20; i++)
		M->xUnpin(c, held[i], 0);
	assert_int_equal(M->xPagecount(c), 10);
	M->xShrink(c);
	assert_int_equal(M->xPagecount(c), 0);
	M->xDestroy(c);
}

static void a_cache_in_memory_drops_nothing(void **state)
{
	sqlite3_pcache *c = cache_new(10, 0);

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		use(c, 1 + i, LEAF);
	M->xShrink(c);
	M->xCachesize(c, 1);
	for (unsigned i = 0; i < 300; i++)
		assert_true(use(c, 1 + i, LEAF));
	M->xDestroy(c);
}

static void pages_move_and_go(void **state)
{
	sqlite3_pcache *c = cache_new(400, 1);
	sqlite3_pcache_page *p;

	(void)state;
	for (unsigned i = 1; i <= 300; i++)
		use(c, i, LEAF);
	p = M->xFetch(c, 7, 0);
	M->xRekey(c, p, 7, 200); /* in the place of that one */
	assert_null(M->xFetch(c, 7, 0));
	assert_ptr_equal(M->xFetch(c, 200, 0), p);
	assert_int_equal(M->xPagecount(c), 299);
	M->xTruncate(c, 150);
	assert_int_equal(M->xPagecount(c), 148);
	assert_null(M->xFetch(c, 150, 0));
	p = M->xFetch(c, 149, 0);
	M->xUnpin(c, p, 1);
	assert_null(M->xFetch(c, 149, 0));
	p = M->xFetch(c, 149, 2);
	assert_null(extra_of(p)); /* new again */
	M->xDestroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_stay_while_leaves_pass),
		cmocka_unit_test(leaves_have_a_quarter_whatever_comes),
		cmocka_unit_test(what_is_in_use_stays_and_counts),
		cmocka_unit_test(a_cache_in_memory_drops_nothing),
		cmocka_unit_test(pages_move_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
