/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "holdfast/err.h"
#include "http/values.h"

static void reads_retry_after_as_a_delay(void **state)
{
	int64_t seconds;
	bool is_date;

	(void)state;
	assert_int_equal(hf_retry_after_parse(HF_SPAN(" 120\t"), &is_date, &seconds), 0);
	assert_false(is_date);
	assert_int_equal(seconds, 120);
	assert_int_equal(
		hf_retry_after_parse(HF_SPAN("99999999999999999999999"), &is_date, &seconds), 0);
	assert_int_equal(seconds, UINT32_MAX);
}

static void reads_retry_after_as_a_date(void **state)
{
	int64_t seconds;
	bool is_date;

	(void)state;
	assert_int_equal(hf_retry_after_parse(HF_SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), &is_date,
					      &seconds),
			 0);
	assert_true(is_date);
	assert_int_equal(seconds, 784111777);
}

static void refuses_other_retry_after_values(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", "1.5", "1s", "1, 2", "soon", "0x10" };
	int64_t seconds;
	bool is_date;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hf_retry_after_parse(hf_span_str(bad[i]), &is_date, &seconds),
				 HF_EINVAL);
}

static struct hf_prefer prefer(const char *first, const char *second)
{
	struct hf_arena arena;
	struct hf_fields f;
	struct hf_prefer out;

	hf_arena_init(&arena, SIZE_MAX);
	hf_fields_init(&f, &arena);
	hf_fields_add(&f, HF_SPAN("Prefer"), hf_span_str(first));
	if (second)
		hf_fields_add(&f, HF_SPAN("prefer"), hf_span_str(second));
	hf_prefer_parse(&f, &out);
	hf_arena_finish(&arena);
	return out;
}

static void reads_preferences_over_all_lines(void **state)
{
	struct hf_prefer p =
		prefer("return=minimal; foo=\"a, wait=9\", WAIT = 10 ; x", "Respond-Async");

	(void)state;
	assert_true(p.respond_async);
	assert_true(p.has_wait);
	assert_int_equal(p.wait_s, 10);
}

static void counts_the_first_of_a_repeated_preference(void **state)
{
	(void)state;
	assert_int_equal(prefer("wait=1, wait=2", "wait=3").wait_s, 1);
}

static void ignores_malformed_and_unknown_preferences(void **state)
{
	struct hf_prefer p = prefer("wait, wait=, wait=-1, wait=a, respond-async=1", "waits=1");

	(void)state;
	assert_false(p.has_wait);
	assert_false(p.respond_async);
	assert_int_equal(prefer("wait=\"7\"", NULL).wait_s, 7);
	assert_int_equal(prefer("wait=5000000000", NULL).wait_s, UINT32_MAX);
}

static void takes_quoted_and_bare_keys(void **state)
{
	struct hf_span key;

	(void)state;
	assert_int_equal(hf_idempotency_key_parse(HF_SPAN(" \"8e03978e-40d5\" "), &key), 0);
	assert_true(hf_span_eq_str(key, "8e03978e-40d5"));
	assert_int_equal(hf_idempotency_key_parse(HF_SPAN("8e03978e-40d5"), &key), 0);
	assert_true(hf_span_eq_str(key, "8e03978e-40d5"));
	assert_int_equal(hf_idempotency_key_parse(HF_SPAN("\"a b, c\""), &key), 0);
	assert_true(hf_span_eq_str(key, "a b, c"));
}

static void refuses_other_keys(void **state)
{
	static const char *const bad[] = {
		"",    "\"\"", "\"",   "\"a",	   "a\"",      "\"a\"b\"",  "\"a\\\"\"", "a b",
		"a,b", "a, b", "\x01", "\"\x7f\"", "\xc3\xa9", "\"a\";x=1", "a\\b",
	};
	struct hf_span key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hf_idempotency_key_parse(hf_span_str(bad[i]), &key) != HF_EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void limits_keys_to_255_bytes(void **state)
{
	char text[256];
	struct hf_span key;

	(void)state;
	memset(text, 'k', sizeof(text));
	assert_int_equal(hf_idempotency_key_parse(hf_span(text, 255), &key), 0);
	assert_int_equal(hf_idempotency_key_parse(hf_span(text, 256), &key), HF_EINVAL);
}

static void assert_json(struct hf_span s, const char *text)
{
	struct hf_buf out;

	hf_buf_init(&out, SIZE_MAX);
	assert_int_equal(hf_json_append_string(&out, s), 0);
	assert_string_equal(hf_buf_cstr(&out), text);
	hf_buf_finish(&out);
}

static void writes_json_strings(void **state)
{
	(void)state;
	assert_json(HF_SPAN(""), "\"\"");
	assert_json(HF_SPAN("a b"), "\"a b\"");
	assert_json(HF_SPAN("\"\\/\n\t\0\x1f\x7f"), "\"\\\"\\\\/\\n\\u0009\\u0000\\u001f\x7f\"");
	assert_json(HF_SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

#define FFFD "\xef\xbf\xbd"

static void replaces_what_is_not_utf_8(void **state)
{
	(void)state;
	assert_json(HF_SPAN("a\xff"
			    "b"),
		    "\"a" FFFD "b\"");
	assert_json(HF_SPAN("\x80"), "\"" FFFD "\"");
	assert_json(HF_SPAN("\xc0\xaf"), "\"" FFFD FFFD "\"");
	assert_json(HF_SPAN("\xe0\x80\xaf"), "\"" FFFD FFFD FFFD "\"");
	assert_json(HF_SPAN("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\"");
	assert_json(HF_SPAN("\xf4\x90\x80\x80"), "\"" FFFD FFFD FFFD FFFD "\"");
	assert_json(HF_SPAN("\xe2\x82"), "\"" FFFD "\"");
	assert_json(HF_SPAN("\xf0\x9f\x98"
			    "a"),
		    "\"" FFFD "a\"");
	assert_json(HF_SPAN("\xe2\x82\""), "\"" FFFD "\\\"\"");
}

static void appends_no_part_of_a_json_string(void **state)
{
	struct hf_buf out;
	int err = HF_ELIMIT;
	size_t max;

	(void)state;
	for (max = 0; err; max++) {
		hf_buf_init(&out, max);
		err = hf_json_append_string(&out, HF_SPAN("a\n\x01\xff\xc3\xa9"));
		assert_true(err == 0 || (err == HF_ELIMIT && out.len == 0));
		hf_buf_finish(&out);
	}
	assert_true(max > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_retry_after_as_a_delay),
		cmocka_unit_test(reads_retry_after_as_a_date),
		cmocka_unit_test(refuses_other_retry_after_values),
		cmocka_unit_test(reads_preferences_over_all_lines),
		cmocka_unit_test(counts_the_first_of_a_repeated_preference),
		cmocka_unit_test(ignores_malformed_and_unknown_preferences),
		cmocka_unit_test(takes_quoted_and_bare_keys),
		cmocka_unit_test(refuses_other_keys),
		cmocka_unit_test(limits_keys_to_255_bytes),
		cmocka_unit_test(writes_json_strings),
		cmocka_unit_test(replaces_what_is_not_utf_8),
		cmocka_unit_test(appends_no_part_of_a_json_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
