/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/failure.h"

static void keeps_since_when_it_is_so(void **state)
{
	struct hf_failure f = { 0 };

	(void)state;
	hf_failure_note(&f, "a", 1000);
	hf_failure_note(&f, "a", 5000);
	assert_string_equal(f.words, "a");
	assert_int_equal(f.since_ms, 1000);
	hf_failure_note(&f, "b", 7000);
	assert_string_equal(f.words, "b");
	assert_int_equal(f.since_ms, 7000);
	hf_failure_clear(&f);
	assert_string_equal(f.words, "");
}

static void is_logged_when_it_changes(void **state)
{
	struct hf_failure f = { 0 };

	(void)state;
	assert_true(hf_failure_note(&f, "a", 1000));
	assert_false(hf_failure_note(&f, "a", 500000));
	assert_true(hf_failure_note(&f, "b", 600000));
	hf_failure_clear(&f);
	assert_true(hf_failure_note(&f, "b", 700000));
}

static void words_that_take_turns_are_logged_once_a_minute(void **state)
{
	struct hf_failure f = { 0 };
	unsigned logged = 0;

	(void)state;
	for (uint64_t s = 1; s <= 600; s++)
		logged += hf_failure_note(&f, s % 2 ? "a" : "b", s * 1000);
	assert_in_range(logged, 9, 10);
}

static void long_words_are_cut(void **state)
{
	struct hf_failure f = { 0 };
	char words[1000];

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	assert_true(hf_failure_note(&f, words, 1000));
	assert_false(hf_failure_note(&f, words, 100000));
	assert_int_equal(strlen(f.words), HF_FAILURE_WORDS_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_since_when_it_is_so),
		cmocka_unit_test(is_logged_when_it_changes),
		cmocka_unit_test(words_that_take_turns_are_logged_once_a_minute),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
