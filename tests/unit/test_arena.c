/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "failing_alloc.h"

static void gives_aligned_memory_that_does_not_overlap(void **state)
{
	char *p[200];
	struct hf_arena a;
	size_t i, j;

	(void)state;
	hf_arena_init(&a, SIZE_MAX);
	for (i = 0; i < 200; i++) {
		size_t size = i * 37 % 3000;

		p[i] = hf_arena_alloc(&a, size);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		memset(p[i], (int)i, size);
	}
	for (i = 0; i < 200; i++)
		for (j = 0; j < i * 37 % 3000; j++)
			assert_int_equal((unsigned char)p[i][j], i);
	hf_arena_finish(&a);
}

static void keeps_the_ceiling(void **state)
{
	struct hf_arena a;

	(void)state;
	hf_arena_init(&a, 64);
	assert_non_null(hf_arena_alloc(&a, 48));
	assert_null(hf_arena_alloc(&a, 17));
	assert_null(hf_arena_alloc(&a, SIZE_MAX));
	assert_null(hf_arena_alloc(&a, SIZE_MAX - 8));
	assert_non_null(hf_arena_alloc(&a, 16));
	assert_null(hf_arena_alloc(&a, 0));
	hf_arena_finish(&a);
	assert_non_null(hf_arena_alloc(&a, 64));
	hf_arena_finish(&a);
}

static void copies_with_a_nul_behind(void **state)
{
	struct hf_arena a;

	(void)state;
	hf_arena_init(&a, SIZE_MAX);
	assert_string_equal(hf_arena_copy(&a, hf_span("abc", 2)).ptr, "ab");
	assert_string_equal(hf_arena_copy(&a, hf_span(NULL, 0)).ptr, "");
	hf_arena_finish(&a);
}

static void prints_text_of_any_length(void **state)
{
	struct hf_arena a;
	struct hf_span s;

	(void)state;
	hf_arena_init(&a, 10000);
	s = hf_arena_printf(&a, "%s=%05d", "x", 42);
	assert_string_equal(s.ptr, "x=00042");
	assert_int_equal(s.len, 7);
	assert_int_equal(hf_arena_printf(&a, "%6000d", 1).len, 6000);
	assert_null(hf_arena_printf(&a, "%6000d", 1).ptr);
	hf_arena_finish(&a);
}

static void keeps_one_block_over_a_reset(void **state)
{
	struct hf_arena a;
	void *first;

	(void)state;
	hf_arena_init(&a, SIZE_MAX);
	hf_arena_reset(&a);
	first = hf_arena_alloc(&a, 8);
	assert_non_null(hf_arena_alloc(&a, 100000));
	hf_arena_reset(&a);
	assert_int_equal(a.used, 0);
	assert_ptr_equal(hf_arena_alloc(&a, 8), first);
	hf_arena_finish(&a);
}

static void does_not_keep_a_large_block(void **state)
{
	struct hf_arena a;

	(void)state;
	hf_arena_init(&a, SIZE_MAX);
	assert_non_null(hf_arena_alloc(&a, 100000));
	hf_arena_reset(&a);
	assert_null(a.blocks);
	hf_arena_finish(&a);
}

static void reports_that_memory_is_short(void **state)
{
	struct hf_arena a;

	(void)state;
	hf_arena_init(&a, SIZE_MAX);
	alloc_countdown = 0;
	assert_null(hf_arena_alloc(&a, 8));
	alloc_countdown = 0;
	assert_null(hf_arena_copy(&a, HF_SPAN("a")).ptr);
	alloc_countdown = 0;
	assert_null(hf_arena_printf(&a, "a").ptr);
	alloc_countdown = -1;
	assert_int_equal(a.used, 0);
	hf_arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_aligned_memory_that_does_not_overlap),
		cmocka_unit_test(keeps_the_ceiling),
		cmocka_unit_test(copies_with_a_nul_behind),
		cmocka_unit_test(prints_text_of_any_length),
		cmocka_unit_test(keeps_one_block_over_a_reset),
		cmocka_unit_test(does_not_keep_a_large_block),
		cmocka_unit_test(reports_that_memory_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
