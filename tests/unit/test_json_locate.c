/* SPDX-License-Identifier: Apache-2.0 */
/* Places of JSON values, and what is no JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "worker/json_locate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char sample[] = "{\n"
			     "  \"routes\": [\n"
			     "    {\"a\": 1},\n"
			     "    [],\n"
			     "    { \"queue\": { \"order\":\n"
			     "        \"block\" }, \"b\": [ true , null ] }\n"
			     "  ],\n"
			     "  \"name\" : \"x\\\"y\"\n"
			     "}\n";

/* The first value whose path reads @path, or HF_JSON_NONE. */
static uint32_t find(const struct hf_json_map *m, const char *path)
{
	bool found = false;
	struct hf_buf out;
	uint32_t v;

	hf_buf_init(&out, 256);
	for (v = 0; v < m->n; v++) {
		hf_buf_clear(&out);
		assert_int_equal(hf_json_path(m, v, &out), 0);
		found = hf_span_eq_str(hf_buf_span(&out), path);
		if (found)
			break;
	}
	hf_buf_finish(&out);
	return found ? v : HF_JSON_NONE;
}

static void assert_place(const struct hf_json_map *m, const char *path, unsigned line,
			 unsigned column)
{
	uint32_t v = find(m, path);
	unsigned l, c;

	assert_int_not_equal(v, HF_JSON_NONE);
	hf_json_place(m->text, m->values[v].at, &l, &c);
	assert_int_equal(l, line);
	assert_int_equal(c, column);
}

static void gives_values_a_path_and_a_place(void **state)
{
	struct hf_json_error error;
	struct hf_json_map m;

	(void)state;
	assert_int_equal(hf_json_map_init(&m, HF_SPAN(sample), &error), 0);
	assert_place(&m, "", 1, 1);
	assert_place(&m, "routes[2].queue.order", 6, 9);
	assert_place(&m, "routes[2].b[1]", 6, 34);
	assert_place(&m, "name", 8, 12);
	assert_place(&m, "routes[2]", 5, 5);
	assert_int_equal(find(&m, "routes[3]"), HF_JSON_NONE);
	hf_json_map_finish(&m);
}

static void numbers_values_in_the_order_of_the_text(void **state)
{
	struct hf_json_error error;
	struct hf_json_map m;

	(void)state;
	assert_int_equal(hf_json_map_init(&m, HF_SPAN("[1,{\"a\":[2]},{},3]"), &error), 0);
	assert_int_equal(m.n, 7);
	assert_int_equal(m.values[0].end, 7);
	assert_int_equal(m.values[2].end, 5);
	assert_int_equal(m.values[4].parent, 3);
	assert_int_equal(m.values[6].index, 3);
	hf_json_map_finish(&m);
}

static void takes_what_is_json(void **state)
{
	static const char *const good[] = {
		"0",	       "-0.5e+10",	 "\"\\u00e9\\ud83d\\ude00\\n\"",
		"[]",	       " { } ",		 "[[],[{}]]",
		"true",	       "\xef\xbb\xbf{}", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"[1 , 2]\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct hf_json_error error;
		struct hf_json_map m;

		if (hf_json_map_init(&m, hf_span_str(good[i]), &error) != 0)
			fail_msg("%s: %s at %zu", good[i], error.words, error.at);
		hf_json_map_finish(&m);
	}
}

static void says_where_and_why_a_text_is_no_json(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *words;
	} bad[] = {
		{ "", 0, "the text ends too early" },
		{ "  ", 2, "the text ends too early" },
		{ "{\"a\":1,}", 7, "a member is missing; is there a comma too many?" },
		{ "[1,]", 3, "a value is missing; is there a comma too many?" },
		{ "[1 2]", 3, "a comma or ] is missing" },
		{ "{\"a\":1 \"b\":2}", 7, "a comma or } is missing" },
		{ "{\"a\" 1}", 5, "a colon is missing behind a member's name" },
		{ "{a:1}", 1, "a member's name in double quotes is missing" },
		{ "['x']", 1, "strings stand in double quotes" },
		{ "// x\n{}", 0, "JSON has no comments" },
		{ "{} {}", 3, "text behind the end of the document" },
		{ "[1", 2, "a comma or ] is missing" },
		{ "{\"a\":", 5, "the text ends too early" },
		{ "\"a\nb\"", 0, "the string that begins here does not end in its line" },
		{ "\"a", 0, "the string that begins here does not end in its line" },
		{ "\"a\tb\"", 2, "a control byte in a string; write it as \\u00XX" },
		{ "\"\\x\"", 1, "no such escape in a string" },
		{ "\"\\u12g4\"", 1, "four hexadecimal digits must follow \\u" },
		{ "\"\\u0000\"", 1, "\\u0000 is not allowed" },
		{ "\"\\ud800\"", 1, "half of a surrogate pair" },
		{ "\"\\udc00\\ud800\"", 1, "half of a surrogate pair" },
		{ "\"\xff\"", 1, "not UTF-8" },
		{ "\"\xc0\xaf\"", 1, "not UTF-8" },
		{ "\"\xed\xa0\x80\"", 1, "not UTF-8" },
		{ "\"\xe2\x82\"", 1, "not UTF-8" },
		{ "01", 0, "a number does not begin with 0" },
		{ "-", 1, "a digit is missing in a number" },
		{ "1.", 2, "a digit is missing in a number" },
		{ "1e", 2, "a digit is missing in a number" },
		{ "+1", 0, "not a JSON value" },
		{ "nul", 0, "not a JSON value" },
		{ "True", 0, "not a JSON value" },
		{ "1234567890123456789012345678901234567890123456789012345678901", 0,
		  "the number is too long" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct hf_json_error error;
		struct hf_json_map m;

		assert_int_equal(hf_json_map_init(&m, hf_span_str(bad[i].text), &error), HF_EPROTO);
		assert_string_equal(error.words, bad[i].words);
		assert_int_equal(error.at, bad[i].at);
	}
}

static void refuses_nesting_beyond_its_stack(void **state)
{
	char text[2 * (HF_JSON_DEPTH_MAX + 1)];
	struct hf_json_error error;
	struct hf_json_map m;

	(void)state;
	for (unsigned depth = HF_JSON_DEPTH_MAX; depth <= HF_JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(hf_json_map_init(&m, hf_span(text, 2 * depth), &error),
				 depth <= HF_JSON_DEPTH_MAX ? 0 : HF_EPROTO);
		hf_json_map_finish(&m);
	}
	assert_string_equal(error.words, "nested too deeply");
	assert_int_equal(error.at, HF_JSON_DEPTH_MAX);
}

static void every_cut_of_a_text_is_refused(void **state)
{
	(void)state;
	for (size_t n = 0; n + 2 < sizeof(sample); n++) {
		struct hf_json_error error;
		struct hf_json_map m;
		char *exact = malloc(n ? n : 1); /* for AddressSanitizer */

		assert_non_null(exact);
		memcpy(exact, sample, n);
		assert_int_equal(hf_json_map_init(&m, hf_span(exact, n), &error), HF_EPROTO);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_values_a_path_and_a_place),
		cmocka_unit_test(numbers_values_in_the_order_of_the_text),
		cmocka_unit_test(takes_what_is_json),
		cmocka_unit_test(says_where_and_why_a_text_is_no_json),
		cmocka_unit_test(refuses_nesting_beyond_its_stack),
		cmocka_unit_test(every_cut_of_a_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
