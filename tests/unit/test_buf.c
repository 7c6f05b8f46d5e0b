/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "failing_alloc.h"
#include "holdfast/err.h"

static void assert_holds(const struct hf_buf *b, const char *text)
{
	assert_true(hf_span_eq_str(hf_buf_span(b), text));
}

static void appends_and_consumes(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, 100);
	assert_int_equal(hf_buf_append(&b, HF_SPAN("abc")), 0);
	assert_int_equal(hf_buf_append_str(&b, "def"), 0);
	assert_int_equal(hf_buf_appendf(&b, "%d-%s", 7, "x"), 0);
	hf_buf_consume(&b, 2);
	assert_holds(&b, "cdef7-x");
	hf_buf_truncate(&b, 3);
	assert_holds(&b, "cde");
	hf_buf_clear(&b);
	assert_int_equal(hf_buf_span(&b).len, 0);
	hf_buf_finish(&b);
}

static void refuses_to_grow_past_the_ceiling(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, 4);
	assert_int_equal(hf_buf_append(&b, HF_SPAN("abc")), 0);
	assert_int_equal(hf_buf_append(&b, HF_SPAN("de")), HF_ELIMIT);
	assert_int_equal(hf_buf_appendf(&b, "%d", 12), HF_ELIMIT);
	assert_holds(&b, "abc");
	assert_int_equal(hf_buf_append(&b, HF_SPAN("d")), 0);
	hf_buf_consume(&b, 2);
	assert_int_equal(hf_buf_append(&b, HF_SPAN("ef")), 0);
	assert_holds(&b, "cdef");
	hf_buf_finish(&b);
}

static void makes_a_string_also_at_the_ceiling(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, 3);
	assert_string_equal(hf_buf_cstr(&b), "");
	hf_buf_append(&b, HF_SPAN("abc"));
	assert_string_equal(hf_buf_cstr(&b), "abc");
	assert_int_equal(b.len, 3);
	hf_buf_finish(&b);
}

static void gives_memory_back_when_a_large_one_is_emptied(void **state)
{
	char block[20000] = { 0 };
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, SIZE_MAX);
	hf_buf_append(&b, HF_SPAN("small"));
	hf_buf_clear(&b);
	assert_non_null(b.data);
	hf_buf_append(&b, hf_span(block, sizeof(block)));
	hf_buf_consume(&b, sizeof(block));
	assert_null(b.data);
	hf_buf_finish(&b);
}

static void stays_small_as_a_queue(void **state)
{
	struct hf_buf b;
	int i;

	(void)state;
	hf_buf_init(&b, SIZE_MAX);
	for (i = 0; i < 10000; i++) {
		assert_int_equal(hf_buf_append(&b, HF_SPAN("0123456789")), 0);
		if (i > 0)
			hf_buf_consume(&b, 10);
	}
	assert_int_equal(b.len, 10);
	assert_true(b.cap <= 1024);
	hf_buf_finish(&b);
}

static void changes_nothing_when_memory_is_short(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, SIZE_MAX);
	alloc_countdown = 0;
	assert_int_equal(hf_buf_append(&b, HF_SPAN("x")), HF_ENOMEM);
	alloc_countdown = 0;
	assert_null(hf_buf_cstr(&b));
	hf_buf_append(&b, HF_SPAN("abc"));
	alloc_countdown = 0;
	assert_int_equal(hf_buf_appendf(&b, "%1000d", 1), HF_ENOMEM);
	alloc_countdown = -1;
	assert_holds(&b, "abc");
	hf_buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_consumes),
		cmocka_unit_test(refuses_to_grow_past_the_ceiling),
		cmocka_unit_test(makes_a_string_also_at_the_ceiling),
		cmocka_unit_test(gives_memory_back_when_a_large_one_is_emptied),
		cmocka_unit_test(stays_small_as_a_queue),
		cmocka_unit_test(changes_nothing_when_memory_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
