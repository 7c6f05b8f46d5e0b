/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "http/date.h"

static void assert_date(const char *text, int64_t expected)
{
	int64_t unix_s = -1;

	assert_int_equal(hf_http_date_parse(hf_span_str(text), &unix_s), 0);
	assert_true(unix_s == expected);
}

static void reads_the_three_forms(void **state)
{
	(void)state;
	assert_date("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
	assert_date("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
	assert_date("Sun Nov  6 08:49:37 1994", 784111777);
	assert_date("Sun Nov 16 08:49:37 1994", 784975777);
}

static void reads_names_of_either_case(void **state)
{
	(void)state;
	assert_date("sun, 06 Nov 1994 08:49:37 GMT", 784111777);
	assert_date("Sun, 06 NOV 1994 08:49:37 gMT", 784111777);
	assert_date("SUNDAY, 06-nov-94 08:49:37 GMT", 784111777);
	assert_date("sUN nOV  6 08:49:37 1994", 784111777);
}

static void reads_two_digit_years_as_1970_to_2069(void **state)
{
	(void)state;
	assert_date("Thursday, 01-Jan-70 00:00:00 GMT", 0);
	assert_date("Friday, 31-Dec-99 23:59:59 GMT", 946684799);
	assert_date("Saturday, 01-Jan-00 00:00:00 GMT", 946684800);
	assert_date("Tuesday, 31-Dec-69 23:59:59 GMT", 3155759999);
}

static void knows_leap_years(void **state)
{
	(void)state;
	assert_date("Tue, 29 Feb 2000 00:00:00 GMT", 951782400);
	assert_date("Thu, 29 Feb 2024 12:00:00 GMT", 1709208000);
	assert_date("Mon, 01 Mar 2100 00:00:00 GMT", 4107542400);
}

static void takes_a_leap_second_for_the_next_minute(void **state)
{
	(void)state;
	assert_date("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
}

static void reads_years_far_off(void **state)
{
	(void)state;
	assert_date("Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799));
	assert_date("Wed, 31 Dec 1969 23:59:59 GMT", -1);
	assert_date("Mon, 01 Jan 0001 00:00:00 GMT", -INT64_C(62135596800));
}

static void refuses_what_is_no_date(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"Sun",
		"Sun, ",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"Son, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 NOB 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Thu, 31 Nov 1994 08:49:37 GMT",
		"Wed, 29 Feb 2023 08:49:37 GMT",
		"Mon, 29 Feb 1900 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 1994 08:49:3 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 +8:49:37 GMT",
		"Sun, 06 Nov -994 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sun Nov 06 08:49:37 1994 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov  6 08:49:37 94",
	};
	int64_t unix_s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hf_http_date_parse(hf_span_str(bad[i]), &unix_s) != HF_EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void refuses_every_cut_of_a_date(void **state)
{
	static const char *const forms[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
	};
	int64_t unix_s;
	size_t i, n;

	(void)state;
	for (i = 0; i < 3; i++)
		for (n = 0; n < strlen(forms[i]); n++)
			assert_int_equal(hf_http_date_parse(hf_span(forms[i], n), &unix_s),
					 HF_EINVAL);
}

static void writes_what_it_reads(void **state)
{
	char text[HF_HTTP_DATE_LEN + 1];
	int64_t t, again;

	(void)state;
	hf_http_date_format(784111777, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	for (t = 0; t < INT64_C(253402300800); t += INT64_C(9999991)) {
		hf_http_date_format(t, text);
		assert_int_equal(hf_http_date_parse(hf_span_str(text), &again), 0);
		assert_true(again == t);
	}
}

static void clamps_times_without_a_date(void **state)
{
	char text[HF_HTTP_DATE_LEN + 1], rfc3339[25];

	(void)state;
	hf_http_date_format(INT64_MIN, text);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	hf_http_date_format(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	hf_rfc3339_format(INT64_MAX, rfc3339);
	assert_string_equal(rfc3339, "9999-12-31T23:59:59.999Z");
	hf_rfc3339_format(-1, rfc3339);
	assert_string_equal(rfc3339, "1970-01-01T00:00:00.000Z");
}

static void writes_rfc_3339(void **state)
{
	char text[25];

	(void)state;
	hf_rfc3339_format(INT64_C(1795229100123), text);
	assert_string_equal(text, "2026-11-21T02:45:00.123Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_three_forms),
		cmocka_unit_test(reads_names_of_either_case),
		cmocka_unit_test(reads_two_digit_years_as_1970_to_2069),
		cmocka_unit_test(knows_leap_years),
		cmocka_unit_test(takes_a_leap_second_for_the_next_minute),
		cmocka_unit_test(reads_years_far_off),
		cmocka_unit_test(refuses_what_is_no_date),
		cmocka_unit_test(refuses_every_cut_of_a_date),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(clamps_times_without_a_date),
		cmocka_unit_test(writes_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
