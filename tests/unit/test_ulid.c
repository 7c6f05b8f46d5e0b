/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ulid.h"
#include "holdfast/err.h"

static void writes_known_values(void **state)
{
	char text[HF_ULID_LEN + 1];

	(void)state;
	hf_ulid_format(0, 0, text);
	assert_string_equal(text, "00000000000000000000000000");
	hf_ulid_format(UINT64_MAX, UINT64_MAX, text);
	assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	/* 48 bits of time: 1469918176385 is 01ARYZ6S41 in the ULID specification */
	hf_ulid_format(UINT64_C(1469918176385) << 16, 0, text);
	assert_string_equal(text, "01ARYZ6S410000000000000000");
}

static void reads_what_it_wrote_in_any_case(void **state)
{
	uint64_t hi, lo;
	char text[HF_ULID_LEN + 1];

	(void)state;
	hf_ulid_format(UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210), text);
	assert_int_equal(hf_ulid_parse(HF_SPAN("01ARYZ6S41tsv4rrffq69g5fav"), &hi, &lo), 0);
	assert_int_equal(hf_ulid_parse(hf_span_str(text), &hi, &lo), 0);
	assert_true(hi == UINT64_C(0x0123456789abcdef));
	assert_true(lo == UINT64_C(0xfedcba9876543210));
}

static void refuses_other_text(void **state)
{
	static const char *const bad[] = {
		"",
		"0000000000000000000000000",
		"000000000000000000000000000",
		"80000000000000000000000000",
		"0000000000000000000000000I",
		"0000000000000000000000000l",
		"0000000000000000000000000O",
		"0000000000000000000000000u",
		"0000000000000000000000000-",
	};
	uint64_t hi, lo;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hf_ulid_parse(hf_span_str(bad[i]), &hi, &lo), HF_EINVAL);
	assert_int_equal(hf_ulid_parse(hf_span("0000000000000000000000000\0", 26), &hi, &lo),
			 HF_EINVAL);
}

/* The example of RFC 9562, appendix A.6. */
static void writes_version_7_uuids(void **state)
{
	static const uint8_t random[10] = {
		0xfc, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f,
	};
	char text[HF_UUID_LEN + 1];

	(void)state;
	hf_uuid7_format(UINT64_C(0x017f22e279b0), random, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_known_values),
		cmocka_unit_test(reads_what_it_wrote_in_any_case),
		cmocka_unit_test(refuses_other_text),
		cmocka_unit_test(writes_version_7_uuids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
