/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/span.h"

static void compares_bytes_also_when_empty_or_null(void **state)
{
	(void)state;
	assert_true(hf_span_eq(HF_SPAN("a\0b"), hf_span("a\0b", 3)));
	assert_false(hf_span_eq(HF_SPAN("a\0b"), HF_SPAN("a\0c")));
	assert_true(hf_span_eq(hf_span(NULL, 0), HF_SPAN("")));
	assert_true(hf_span_eq_str(hf_span_str(NULL), ""));
}

static void ignores_only_ascii_case(void **state)
{
	(void)state;
	assert_true(hf_span_ieq_str(HF_SPAN("Content-Length"), "CONTENT-length"));
	assert_false(hf_span_ieq_str(HF_SPAN("a"), "ab"));
	assert_false(hf_span_ieq_str(HF_SPAN("ab"), "a"));
	assert_false(hf_span_ieq_str(HF_SPAN("a\0"), "a"));
	assert_true(hf_span_ieq_str(hf_span(NULL, 0), ""));
	assert_true(hf_span_ieq_str(hf_span(NULL, 0), NULL));
	assert_false(hf_span_ieq_str(HF_SPAN("a"), NULL));
	assert_false(hf_span_ieq_str(HF_SPAN("@"), "`"));
	assert_false(hf_span_ieq_str(HF_SPAN("\xe4"), "\xc4"));
}

static void skips_at_most_what_is_there(void **state)
{
	(void)state;
	assert_true(hf_span_eq_str(hf_span_skip(HF_SPAN("abc"), 2), "c"));
	assert_int_equal(hf_span_skip(HF_SPAN("abc"), 9).len, 0);
	assert_null(hf_span_skip(hf_span(NULL, 0), 9).ptr);
}

static void knows_a_prefix(void **state)
{
	(void)state;
	assert_true(hf_span_starts(HF_SPAN("abc"), HF_SPAN("ab")));
	assert_true(hf_span_starts(HF_SPAN("abc"), HF_SPAN("")));
	assert_false(hf_span_starts(HF_SPAN("ab"), HF_SPAN("abc")));
}

static void trims_spaces_and_tabs_alone(void **state)
{
	(void)state;
	assert_true(hf_span_eq_str(hf_span_trim(HF_SPAN(" \t a b\t ")), "a b"));
	assert_true(hf_span_eq_str(hf_span_trim(HF_SPAN("\na\r")), "\na\r"));
	assert_int_equal(hf_span_trim(HF_SPAN(" \t")).len, 0);
}

static void cuts_until_nothing_is_left(void **state)
{
	struct hf_span rest = HF_SPAN("a,,b");

	(void)state;
	assert_true(hf_span_eq_str(hf_span_cut(&rest, ','), "a"));
	assert_true(hf_span_eq_str(hf_span_cut(&rest, ','), ""));
	assert_non_null(rest.ptr);
	assert_true(hf_span_eq_str(hf_span_cut(&rest, ','), "b"));
	assert_null(rest.ptr);
	assert_int_equal(hf_span_cut(&rest, ',').len, 0);
}

static void tells_a_last_empty_part_from_no_part(void **state)
{
	struct hf_span rest = HF_SPAN("a,");

	(void)state;
	hf_span_cut(&rest, ',');
	assert_non_null(rest.ptr);
	assert_int_equal(rest.len, 0);
}

static void reads_decimal_numbers_that_fit(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(hf_span_u64(HF_SPAN("18446744073709551615"), &n));
	assert_true(n == UINT64_MAX);
	assert_true(hf_span_u64(HF_SPAN("00012"), &n));
	assert_int_equal(n, 12);
}

static void writes_decimal_numbers(void **state)
{
	static const uint64_t numbers[] = { 0, 9, 10, 12345, UINT64_MAX };
	char digits[HF_DECIMAL_MAX];
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_true(hf_span_u64(hf_span_of_u64(numbers[i], digits), &n));
		assert_true(n == numbers[i]);
	}
	assert_true(hf_span_eq_str(hf_span_of_u64(0, digits), "0"));
	assert_true(hf_span_eq_str(hf_span_of_u64(100, digits), "100"));
}

static void refuses_what_is_not_a_plain_number(void **state)
{
	static const char *const bad[] = {
		"",
		"+1",
		"-1",
		" 1",
		"1 ",
		"0x1",
		"1a",
		"18446744073709551616",
		"99999999999999999999",
	};
	uint64_t n = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(hf_span_u64(hf_span_str(bad[i]), &n));
	assert_int_equal(n, 7);
}

static void duplicates_with_a_nul_behind(void **state)
{
	char *copy = hf_span_dup(hf_span("abc", 2));

	(void)state;
	assert_string_equal(copy, "ab");
	free(copy);
	copy = hf_span_dup(hf_span(NULL, 0));
	assert_string_equal(copy, "");
	free(copy);
}

static void reads_hexadecimal_digits_of_either_case(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	int c, known = 0;

	(void)state;
	for (c = 0; c < 16; c++)
		assert_int_equal(hf_hex_digit(digits[c]), c);
	for (c = 16; c < 22; c++)
		assert_int_equal(hf_hex_digit(digits[c]), c - 6);
	for (c = -128; c < 128; c++)
		known += hf_hex_digit((char)c) >= 0;
	assert_int_equal(known, 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_bytes_also_when_empty_or_null),
		cmocka_unit_test(ignores_only_ascii_case),
		cmocka_unit_test(skips_at_most_what_is_there),
		cmocka_unit_test(knows_a_prefix),
		cmocka_unit_test(trims_spaces_and_tabs_alone),
		cmocka_unit_test(cuts_until_nothing_is_left),
		cmocka_unit_test(tells_a_last_empty_part_from_no_part),
		cmocka_unit_test(reads_decimal_numbers_that_fit),
		cmocka_unit_test(writes_decimal_numbers),
		cmocka_unit_test(refuses_what_is_not_a_plain_number),
		cmocka_unit_test(duplicates_with_a_nul_behind),
		cmocka_unit_test(reads_hexadecimal_digits_of_either_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
