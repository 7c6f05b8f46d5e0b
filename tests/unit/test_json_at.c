/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "http/json_at.h"

static struct hf_arena arena;

/* In a block of its own size, so that a sanitizer sees what is read behind it. */
static int at(const char *json, const char *pointer, struct hf_json_at *out)
{
	static char *copy;
	size_t n = strlen(json);

	free(copy);
	copy = malloc(n + !n);
	assert_non_null(copy);
	memcpy(copy, json, n);
	return hf_json_at(hf_span(copy, n), hf_span_str(pointer), &arena, out);
}

static int setup(void **state)
{
	(void)state;
	hf_arena_init(&arena, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	return 0;
}

static void finds_what_a_pointer_names(void **state)
{
	static const struct {
		const char *json, *pointer, *text;
		enum hf_json_kind kind;
	} table[] = {
		{ "17", "", "17", HF_JSON_NUMBER },
		{ " \"a\" ", "", "a", HF_JSON_STRING },
		{ "{\"id\":4711}", "/id", "4711", HF_JSON_NUMBER },
		{ "{ \"a\" : [ 1 , { \"b\" : \"x\" } ] }", "/a/1/b", "x", HF_JSON_STRING },
		{ "{\"a\":{\"b\":[],\"c\":{}},\"d\":-1.5e+3}", "/d", "-1.5e+3", HF_JSON_NUMBER },
		{ "{\"\":{\"\":\"deep\"}}", "//", "deep", HF_JSON_STRING },
		{ "{\"a/b\":1,\"m~n\":2}", "/a~1b", "1", HF_JSON_NUMBER },
		{ "{\"a/b\":1,\"m~n\":2}", "/m~0n", "2", HF_JSON_NUMBER },
		{ "{\"\\u0061\":\"\\u00e9\\ud83d\\ude00\\n\\\"\"}", "/a",
		  "\xc3\xa9\xf0\x9f\x98\x80\n\"", HF_JSON_STRING },
		{ "{\"x\":\"\\\\\",\"id\":\"y\"}", "/id", "y", HF_JSON_STRING },
		{ "{\"id\":1,\"id\":2}", "/id", "1", HF_JSON_NUMBER },
		{ "{\"id\":1, and this is not looked at", "/id", "1", HF_JSON_NUMBER },
	};
	struct hf_json_at out;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(at(table[i].json, table[i].pointer, &out), 0);
		assert_int_equal(out.kind, table[i].kind);
		assert_true(hf_span_eq_str(out.text, table[i].text));
	}
	assert_int_equal(at("{\"a\":null}", "/a", &out), 0);
	assert_int_equal(out.kind, HF_JSON_OTHER);
	assert_int_equal(at("{\"a\":[1]}", "/a", &out), 0);
	assert_int_equal(out.kind, HF_JSON_OTHER);
}

static void says_what_is_not_there(void **state)
{
	static const char *const table[][2] = {
		{ "{}", "/id" },      { "[]", "/0" },	     { "[1]", "/1" },
		{ "[1]", "/01" },     { "[1]", "/-" },	     { "[1]", "/x" },
		{ "17", "/id" },      { "\"id\"", "/id" },   { "{\"a\":1}", "/a/b" },
		{ "{\"a\":1}", "/" }, { "{\"a\":1}", "/A" }, { "{\"ab\":1}", "/a" },
	};
	struct hf_json_at out;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(at(table[i][0], table[i][1], &out), HF_ENOENT);
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const table[] = {
		"",
		"{",
		"{\"id\"",
		"{\"id\":",
		"{\"id\":}",
		"{\"id\":01}",
		"{\"id\":1.}",
		"{\"id\":-}",
		"{\"id\":1e}",
		"{\"id\":\"a",
		"{id:1}",
		"{\"id\":\"\\x\"}",
		"{\"id\":tru",
		"{\"id\":\"\\u12\"",
		"{\"id\":\"\\ud800\"}",
		"<html>",
		"{\"a\":[1,],\"id\":1}",
		"{\"a\":{1},\"id\":1}",
		"{\"a\":[1},\"id\":1}",
		"{\"id\":\"\n\"}",
		"{\"a\":1 \"id\":2}",
	};
	char deep[300] = "{\"a\":";
	struct hf_json_at out;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int err = at(table[i], "/id", &out);

		if (err == 0 && out.kind == HF_JSON_NUMBER) /* 01: the 0, and what follows */
			assert_true(hf_span_eq_str(out.text, "0"));
		else
			assert_int_equal(err, HF_EPROTO);
	}
	memset(deep + 5, '[', 200);
	assert_int_equal(at(deep, "/id", &out), HF_EPROTO);
}

static void knows_pointers(void **state)
{
	(void)state;
	assert_true(hf_json_pointer_is_valid(HF_SPAN("")));
	assert_true(hf_json_pointer_is_valid(HF_SPAN("/a~0~1/0/")));
	assert_false(hf_json_pointer_is_valid(HF_SPAN("a")));
	assert_false(hf_json_pointer_is_valid(HF_SPAN("/a~")));
	assert_false(hf_json_pointer_is_valid(HF_SPAN("/a~2")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_what_a_pointer_names, setup, teardown),
		cmocka_unit_test_setup_teardown(says_what_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_json, setup, teardown),
		cmocka_unit_test(knows_pointers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
