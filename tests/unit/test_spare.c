/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/spare.h"

#define SIZE 100

static void gives_zeroed_blocks_again_and_keeps_a_few(void **state)
{
	static const char zero[SIZE];
	struct hf_spare s = { .n = 0 };
	void *v[HF_SPARE_MAX + 4];
	size_t n = sizeof(v) / sizeof(v[0]);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			v[i] = hf_spare_take(&s, SIZE);
			assert_non_null(v[i]);
			assert_memory_equal(v[i], zero, SIZE);
			memset(v[i], 'x', SIZE);
		}
		for (size_t i = 0; i < n; i++)
			hf_spare_give(&s, v[i]);
		assert_true(s.n <= HF_SPARE_MAX);
	}
	hf_spare_finish(&s);
	assert_int_equal(s.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_blocks_again_and_keeps_a_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
