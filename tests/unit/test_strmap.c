/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/strmap.h"
#include "failing_alloc.h"
#include "holdfast/err.h"

static const uint64_t seed[2] = { 1, 2 };

static void finds_what_was_put_and_nothing_else(void **state)
{
	struct hf_strmap m;
	int a, b;

	(void)state;
	hf_strmap_init(&m, seed);
	assert_null(hf_strmap_get(&m, HF_SPAN("a")));
	assert_int_equal(hf_strmap_put(&m, HF_SPAN("a"), &a), 0);
	assert_int_equal(hf_strmap_put(&m, HF_SPAN(""), &b), 0);
	assert_ptr_equal(hf_strmap_get(&m, HF_SPAN("a")), &a);
	assert_ptr_equal(hf_strmap_get(&m, HF_SPAN("")), &b);
	assert_null(hf_strmap_get(&m, HF_SPAN("a\0")));
	hf_strmap_finish(&m);
}

static void replaces_the_value_of_a_key(void **state)
{
	struct hf_strmap m;
	int a, b;

	(void)state;
	hf_strmap_init(&m, seed);
	hf_strmap_put(&m, HF_SPAN("k"), &a);
	hf_strmap_put(&m, HF_SPAN("k"), &b);
	assert_int_equal(m.len, 1);
	assert_ptr_equal(hf_strmap_remove(&m, HF_SPAN("k")), &b);
	assert_null(hf_strmap_remove(&m, HF_SPAN("k")));
	assert_int_equal(m.len, 0);
	hf_strmap_finish(&m);
}

static struct hf_span key_of(char buf[24], int i)
{
	return hf_span(buf, (size_t)snprintf(buf, 24, "some-key-%d", i));
}

static void keeps_a_thousand_keys_over_growth_and_removal(void **state)
{
	static int values[1000];
	struct hf_strmap m;
	char buf[24];
	int i;

	(void)state;
	hf_strmap_init(&m, seed);
	for (i = 0; i < 1000; i++)
		assert_int_equal(hf_strmap_put(&m, key_of(buf, i), &values[i]), 0);
	for (i = 0; i < 1000; i += 2)
		assert_ptr_equal(hf_strmap_remove(&m, key_of(buf, i)), &values[i]);
	for (i = 0; i < 1000; i++)
		assert_ptr_equal(hf_strmap_get(&m, key_of(buf, i)), i % 2 ? &values[i] : NULL);
	assert_int_equal(m.len, 500);
	hf_strmap_finish(&m);
}

static int fill(struct hf_strmap *m, int n)
{
	static int value;
	char buf[24];
	int i, err = 0;

	for (i = 0; i < n && !err; i++)
		err = hf_strmap_put(m, key_of(buf, i), &value);
	return err;
}

static void stays_whole_when_any_allocation_fails(void **state)
{
	struct hf_strmap m;
	int n, err = HF_ENOMEM;
	size_t len;
	char buf[24];

	(void)state;
	for (n = 0; err; n++) {
		hf_strmap_init(&m, seed);
		alloc_countdown = n;
		err = fill(&m, 40);
		alloc_countdown = -1;
		len = m.len;
		assert_true(err == HF_ENOMEM || len == 40);
		while (len-- > 0)
			assert_non_null(hf_strmap_get(&m, key_of(buf, (int)len)));
		hf_strmap_finish(&m);
	}
	assert_true(n > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put_and_nothing_else),
		cmocka_unit_test(replaces_the_value_of_a_key),
		cmocka_unit_test(keeps_a_thousand_keys_over_growth_and_removal),
		cmocka_unit_test(stays_whole_when_any_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
