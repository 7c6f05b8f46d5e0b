/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"

static void names_and_words_differ_for_every_error(void **state)
{
	static const int all[] = {
#define NUMBER(name, number, words) HF_##name,
		HF_ERRORS(NUMBER)
#undef NUMBER
	};
	size_t i, j, n = sizeof(all) / sizeof(all[0]);

	(void)state;
	for (i = 0; i < n; i++) {
		assert_true(all[i] < 0);
		assert_int_equal(hf_errname(all[i])[0], 'E');
		for (j = 0; j < i; j++) {
			assert_string_not_equal(hf_errname(all[i]), hf_errname(all[j]));
			assert_string_not_equal(hf_strerror(all[i]), hf_strerror(all[j]));
		}
	}
}

static void names_success_and_strangers(void **state)
{
	(void)state;
	assert_string_equal(hf_errname(0), "OK");
	assert_string_equal(hf_strerror(0), "ok");
	assert_string_equal(hf_errname(HF_EFULL), "EFULL");
	assert_string_equal(hf_errname(1), "EUNKNOWN");
	assert_string_equal(hf_errname(-10000), "EUNKNOWN");
	assert_string_equal(hf_strerror(-10000), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_words_differ_for_every_error),
		cmocka_unit_test(names_success_and_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
