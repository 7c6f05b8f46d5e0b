/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/vary.h"
#include "lib/cache_rig.h"

static void assert_key(const char *vary, const char *ask, const char *expected)
{
	struct hf_fields request, response;
	struct hf_arena arena;
	struct hf_span key;

	hf_arena_init(&arena, 1 << 16);
	cache_rig_fields(&arena, vary, 0, &response);
	cache_rig_fields(&arena, ask, 0, &request);
	key = hf_vary_key(&arena, &response, &request);
	if (!key.ptr || !hf_span_eq_str(key, expected))
		fail_msg("%s: %.*s", ask, HF_SPAN_ARG(key));
	assert_int_equal(hf_vary_is_star(&response), strcmp(expected, "*\n") == 0);
	assert_int_equal(hf_vary_match(&arena, key, &request, hf_span(NULL, 0)),
			 strcmp(expected, "*\n") != 0);
	hf_arena_finish(&arena);
}

static void writes_names_sorted_and_once(void **state)
{
	(void)state;
	assert_key("A: 1", "Foo: 1", "");
	assert_key("Vary:", "Foo: 1", "");
	assert_key("Vary: Foo, bar\nvary: FOO,, baz", "foo: 1\nBAZ: 3", "bar\nbaz:3\nfoo:1\n");
	assert_key("Vary: foo", "Foo:", "foo:\n");
	assert_key("Vary: foo, *", "Foo: 1", "*\n");
	assert_key("Vary: foo bar", "Foo: 1", "*\n");
}

static void combines_values(void **state)
{
	(void)state;
	assert_key("Vary: foo", "Foo: a ,b,, c\nX: 1\nFoo: d", "foo:a,b,c,d\n");
	assert_key("Vary: foo", "Foo: \"a , b\" , c", "foo:\"a , b\",c\n");
	assert_key("Vary: user-agent", "User-Agent: A/1 (x;  y) B", "user-agent:A/1 (x;  y) B\n");
	assert_key("Vary: foo", "Foo: B, a", "foo:B,a\n");
}

static void sorts_preferences(void **state)
{
	(void)state;
	assert_key("Vary: Accept-Language", "Accept-Language: en-GB ; q=0.50, DE,*;q=0.0",
		   "accept-language:*;q=,de,en-gb;q=5\n");
	assert_key("Vary: Accept-Encoding",
		   "Accept-Encoding: gzip;q=1.000\nAccept-Encoding: br;q=0.05",
		   "accept-encoding:br;q=05,gzip\n");
	assert_key("Vary: Accept-Language", "Accept-Language: en;level=1, de",
		   "accept-language:en;level=1,de\n"); /* not read: as it is */
	assert_key("Vary: Accept-Language", "Accept-Language: en;q=2, de",
		   "accept-language:en;q=2,de\n");
}

static void is_bounded(void **state)
{
	char text[4096] = "Vary: n0", name[16];
	int i;

	(void)state;
	for (i = 1; i < HF_VARY_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), ", n%d", i);
		strcat(text, name);
	}
	assert_key(text, "n0: 1",
		   "n0:1\nn1\nn10\nn11\nn12\nn13\nn14\nn15\nn16\nn17\nn18\nn19\nn2\n"
		   "n20\nn21\nn22\nn23\nn24\nn25\nn26\nn27\nn28\nn29\nn3\nn30\nn31\n"
		   "n4\nn5\nn6\nn7\nn8\nn9\n");
	strcat(text, ", n32");
	assert_key(text, "n0: 1", "*\n");
}

static void a_key_that_is_too_long_matches_nothing(void **state)
{
	static char text[HF_VARY_KEY_MAX + 8] = "Foo: ";
	struct hf_fields request, response;
	struct hf_arena arena;
	struct hf_span key;

	(void)state;
	memset(text + 5, 'a', HF_VARY_KEY_MAX);
	hf_arena_init(&arena, 1 << 17);
	cache_rig_fields(&arena, "Vary: foo", 0, &response);
	cache_rig_fields(&arena, text, 0, &request);
	key = hf_vary_key(&arena, &response, &request);
	assert_true(hf_span_eq_str(key, "*\n"));
	assert_false(hf_vary_match(&arena, key, &request, hf_span(NULL, 0)));
	assert_false(hf_vary_match(&arena, HF_SPAN("foo:a\n"), &request, hf_span(NULL, 0)));
	hf_arena_finish(&arena);
}

static void without_memory_nothing_matches(void **state)
{
	struct hf_fields request, response;
	struct hf_arena arena, none;

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	hf_arena_init(&none, 0);
	cache_rig_fields(&arena, "Vary: foo", 0, &response);
	cache_rig_fields(&arena, "Foo: 1", 0, &request);
	assert_null(hf_vary_key(&none, &response, &request).ptr);
	assert_false(hf_vary_match(&none, HF_SPAN("foo:1\n"), &request, hf_span(NULL, 0)));
	assert_true(hf_vary_match(&none, HF_SPAN(""), &request, hf_span(NULL, 0)));
	hf_arena_finish(&arena);
}

static void takes_codings_as_the_request_says(void **state)
{
	static const struct {
		const char *accept, *coding; /* "": no field */
		bool ok;
	} cases[] = {
		{ "", "", true },
		{ "", "Content-Encoding: br", true },
		{ "Accept-Encoding:", "", true },
		{ "Accept-Encoding:", "Content-Encoding: gzip", false },
		{ "Accept-Encoding: gzip", "", true },
		{ "Accept-Encoding: gzip", "Content-Encoding: GZIP", true },
		{ "Accept-Encoding: gzip", "Content-Encoding: x-gzip", true },
		{ "Accept-Encoding: gzip", "Content-Encoding: br", false },
		{ "Accept-Encoding: gzip;q=0, *", "Content-Encoding: gzip", false },
		{ "Accept-Encoding: gzip;q=0, *", "Content-Encoding: br", true },
		{ "Accept-Encoding: *;q=0", "Content-Encoding: br", false },
		{ "Accept-Encoding: *;q=0", "", false },
		{ "Accept-Encoding: gzip, *;q=0", "Content-Encoding: identity", false },
		{ "Accept-Encoding: identity;q=0.0", "", false },
		{ "Accept-Encoding: identity;q=0.1, *;q=0", "", true },
		{ "Accept-Encoding: gzip, br", "Content-Encoding: gzip, br", true },
		{ "Accept-Encoding: gzip", "Content-Encoding: gzip\nContent-Encoding: br", false },
		{ "Accept-Encoding: ;;", "", true },
		{ "Accept-Encoding: ;;", "Content-Encoding: gzip", false },
	};
	struct hf_fields request, response;
	struct hf_arena arena;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hf_arena_init(&arena, 1 << 16);
		cache_rig_fields(&arena, cases[i].accept, 0, &request);
		cache_rig_fields(&arena, cases[i].coding, 0, &response);
		if (hf_accepts_encoding(&request, &response) != cases[i].ok)
			fail_msg("%s / %s", cases[i].accept, cases[i].coding);
		hf_arena_finish(&arena);
	}
}

static void leaves_the_encoding_out_when_told(void **state)
{
	struct hf_span key = HF_SPAN("accept-encoding:br\nfoo:1\n"), none = { NULL, 0 };
	struct hf_fields request;
	struct hf_arena arena;

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	cache_rig_fields(&arena, "Foo: 1", 0, &request);
	assert_false(hf_vary_match(&arena, key, &request, none));
	assert_true(hf_vary_match_any_encoding(&arena, key, &request, none));
	assert_false(hf_vary_match_any_encoding(&arena, HF_SPAN("accept-encoding\nfoo:2\n"),
						&request, none));
	assert_false(hf_vary_match_any_encoding(&arena, HF_SPAN("*\n"), &request, none));
	hf_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_names_sorted_and_once),
		cmocka_unit_test(combines_values),
		cmocka_unit_test(sorts_preferences),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(a_key_that_is_too_long_matches_nothing),
		cmocka_unit_test(without_memory_nothing_matches),
		cmocka_unit_test(takes_codings_as_the_request_says),
		cmocka_unit_test(leaves_the_encoding_out_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
