/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "http/url_pattern.h"

static bool matches(const char *text, const char *path, const char *query)
{
	struct hf_url_pattern *p;
	const char *error = "";
	size_t at = 0;
	bool result;

	if (hf_url_pattern_compile(hf_span_str(text), &p, &at, &error))
		fail_msg("%s: %s at %zu", text, error, at);
	result = hf_url_pattern_match(p, hf_span_str(path), hf_span_str(query));
	hf_url_pattern_destroy(p);
	return result;
}

static void matches_literal_text_in_full(void **state)
{
	(void)state;
	assert_true(matches("/a/b", "/a/b", NULL));
	assert_false(matches("/a/b", "/a/b/", NULL));
	assert_false(matches("/a/b", "/a", NULL));
	assert_false(matches("/a/b", "/A/b", NULL));
	assert_false(matches("/a/b", "", NULL));
}

static void matches_any_run_also_over_slashes(void **state)
{
	(void)state;
	assert_true(matches("*", "/", NULL));
	assert_true(matches("/static/*", "/static/", NULL));
	assert_true(matches("/static/*", "/static/a/b.js", NULL));
	assert_false(matches("/static/*", "/static", NULL));
	assert_true(matches("/*.js", "/a/b.js", NULL));
	assert_false(matches("/*.js", "/a/b.jsx", NULL));
	assert_true(matches("/a*b*c", "/abbc", NULL));
}

static void matches_a_name_with_one_segment(void **state)
{
	(void)state;
	assert_true(matches("/orders/:id", "/orders/17", NULL));
	assert_false(matches("/orders/:id", "/orders/", NULL));
	assert_false(matches("/orders/:id", "/orders/17/edit", NULL));
	assert_true(matches("/:a/:b_2$", "/x/y", NULL));
	assert_true(matches("/:a-:b", "/x-y", NULL));
	assert_true(matches("/v:major.:minor", "/v1.2", NULL));
}

static void matches_optional_groups_with_and_without(void **state)
{
	(void)state;
	assert_true(matches("/a{/b}?/c", "/a/b/c", NULL));
	assert_true(matches("/a{/b}?/c", "/a/c", NULL));
	assert_false(matches("/a{/b}?/c", "/a/b/b/c", NULL));
	assert_true(matches("/a{/:x}?", "/a", NULL));
	assert_true(matches("/a{/:x}?", "/a/1", NULL));
	assert_true(matches("{/a}?{/b}?{/c}?/", "/b/", NULL));
	assert_true(matches("/a{}?b", "/ab", NULL));
}

static void matches_plain_groups_only_with(void **state)
{
	(void)state;
	assert_true(matches("/a{bc}d", "/abcd", NULL));
	assert_false(matches("/a{bc}d", "/ad", NULL));
}

static void ignores_the_query_unless_it_has_one(void **state)
{
	(void)state;
	assert_true(matches("/s", "/s", "q=1"));
	assert_true(matches("/s", "/s", NULL));
	assert_true(matches("/s?q=*", "/s", "q=1&r=2"));
	assert_true(matches("/s\\?q=*", "/s", "q=1"));
	assert_false(matches("/s?q=*", "/s", "r=2"));
	assert_false(matches("/s?q=*", "/s", NULL));
	assert_true(matches("/s?", "/s", NULL));
	assert_true(matches("/s?", "/s", ""));
	assert_false(matches("/s?", "/s", "a"));
	assert_true(matches("/s?q=:q", "/s", "q=a/b"));
	assert_false(matches("/s?q=:q", "/s", "q="));
	assert_true(matches("/s?a{&b}?", "/s", "a&b"));
	assert_true(matches("/s?a?b", "/s", "a?b"));
}

static void takes_escaped_characters_literally(void **state)
{
	(void)state;
	assert_true(matches("/a\\:b\\*\\{\\}\\\\", "/a:b*{}\\", NULL));
	assert_false(matches("/a\\*", "/ab", NULL));
	assert_true(matches("/\\:a/:a", "/:a/b", NULL));
}

static void compares_the_path_percent_normalized(void **state)
{
	(void)state;
	assert_true(matches("/%7e%c3%a9", "/~%C3%A9", NULL));
	assert_true(matches("/100%", "/100%", NULL));
}

static void refuses_with_place_and_words(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *words;
	} rows[] = {
		{ "", 0, "pattern is empty" },
		{ "a", 0, "a path begins with '/'" },
		{ "?a", 0, "a path begins with '/'" },
		{ "/a(b)", 2, "regular expressions are not supported" },
		{ "/a)", 2, "regular expressions are not supported" },
		{ "/:", 1, "':' without a name; for a colon write \\:" },
		{ "/:1", 1, "':' without a name; for a colon write \\:" },
		{ "/:a/:b/:a", 7, "name is used twice" },
		{ "/:a?", 3, "'?' behind a name or '*'; use {...}? or, for a query, \\?" },
		{ "/*?", 2, "'?' behind a name or '*'; use {...}? or, for a query, \\?" },
		{ "/:a*", 3, "repetition is not supported" },
		{ "/:a+", 3, "repetition is not supported" },
		{ "/**", 2, "repetition is not supported" },
		{ "/{a}+", 4, "repetition is not supported" },
		{ "/{a}*", 4, "repetition is not supported" },
		{ "/{a{b}}", 3, "group inside a group" },
		{ "/{a", 1, "'{' without '}'" },
		{ "/a}", 2, "'}' without '{'" },
		{ "/{a?b}", 3, "'?' inside a group" },
		{ "/a#b", 2, "fragments never reach a server" },
		{ "/a\\", 2, "'\\' at the end" },
		{ "/a b", 2, "byte must be percent-encoded" },
		{ "/\xc3\xa9", 1, "byte must be percent-encoded" },
		{ "/\\\xc3", 2, "byte must be percent-encoded" },
		{ "https://a.example/", 0, "a path begins with '/'" },
	};
	struct hf_url_pattern *p;
	const char *error;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hf_url_pattern_compile(hf_span_str(rows[i].text), &p, &at, &error),
				 HF_EINVAL);
		assert_string_equal(error, rows[i].words);
		assert_int_equal(at, rows[i].at);
	}
}

static void limits_the_length_of_a_pattern(void **state)
{
	static char text[HF_URL_PATTERN_MAX + 1];
	struct hf_url_pattern *p;
	const char *error;
	size_t at;

	(void)state;
	memset(text, '/', sizeof(text));
	assert_int_equal(hf_url_pattern_compile(hf_span(text, HF_URL_PATTERN_MAX), &p, &at, &error),
			 0);
	assert_true(hf_url_pattern_match(p, hf_span(text, HF_URL_PATTERN_MAX), hf_span(NULL, 0)));
	hf_url_pattern_destroy(p);
	assert_int_equal(hf_url_pattern_compile(hf_span(text, HF_URL_PATTERN_MAX + 1), &p, &at,
						&error),
			 HF_EINVAL);
	assert_string_equal(error, "pattern is too long");
}

/* A backtracking matcher would need about 2^500 steps for this. */
static void is_not_slowed_down_by_hostile_patterns(void **state)
{
	static char text[HF_URL_PATTERN_MAX], path[8192];
	struct hf_url_pattern *p;
	const char *error;
	size_t at, i;

	(void)state;
	text[0] = '/';
	for (i = 1; i + 1 < sizeof(text); i++)
		text[i] = i % 2 ? '*' : 'a';
	text[sizeof(text) - 1] = 'b';
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	assert_int_equal(hf_url_pattern_compile(hf_span(text, sizeof(text)), &p, &at, &error), 0);
	assert_false(hf_url_pattern_match(p, hf_span(path, sizeof(path)), hf_span(NULL, 0)));
	hf_url_pattern_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_literal_text_in_full),
		cmocka_unit_test(matches_any_run_also_over_slashes),
		cmocka_unit_test(matches_a_name_with_one_segment),
		cmocka_unit_test(matches_optional_groups_with_and_without),
		cmocka_unit_test(matches_plain_groups_only_with),
		cmocka_unit_test(ignores_the_query_unless_it_has_one),
		cmocka_unit_test(takes_escaped_characters_literally),
		cmocka_unit_test(compares_the_path_percent_normalized),
		cmocka_unit_test(refuses_with_place_and_words),
		cmocka_unit_test(limits_the_length_of_a_pattern),
		cmocka_unit_test(is_not_slowed_down_by_hostile_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
