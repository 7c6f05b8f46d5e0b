/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of token endpoints, good ones and hostile ones; what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "sync/token_answer.h"
#include "sync/token_keep.h"

static struct hf_arena arena;

static int parse(const char *text, struct hf_token_answer *a)
{
	hf_arena_finish(&arena);
	hf_arena_init(&arena, 1 << 20);
	return hf_token_answer_parse(hf_span_str(text), &arena, a);
}

static void assert_text(struct hf_span s, const char *text)
{
	assert_true(hf_span_eq_str(s, text));
}

static void a_token_with_all_there_is(void **state)
{
	struct hf_token_answer a;

	(void)state;
	assert_int_equal(parse("{\"access_token\":\"ab.c~+/=\",\"token_type\":\"bEARER\","
			       "\"expires_in\":3600,\"refresh_token\":\"r 1\",\"scope\":\"x\"}",
			       &a),
			 0);
	assert_text(a.access, "ab.c~+/=");
	assert_text(a.refresh, "r 1");
	assert_int_equal(a.expires_s, 3600);
}

static void how_long_it_lives(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint32_t seconds;
	} cases[] = {
		{ "60", 0, 60 },
		{ "\"60\"", 0, 60 },
		{ "null", 0, 0 },
		{ "0", 0, 1 },
		{ "0.5", 0, 1 },
		{ "59.9", 0, 59 },
		{ "1e300", 0, HF_TOKEN_EXPIRES_MAX },
		{ "\"99999999999999999\"", 0, HF_TOKEN_EXPIRES_MAX },
		{ "-1", HF_EPROTO, 0 },
		{ "\"-1\"", HF_EPROTO, 0 },
		{ "\"\"", HF_EPROTO, 0 },
		{ "[]", HF_EPROTO, 0 },
		{ "true", HF_EPROTO, 0 },
	};
	struct hf_token_answer a;
	char text[160];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
			 "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":%s}",
			 cases[i].text);
		if (parse(text, &a) != cases[i].err ||
		    (!cases[i].err && a.expires_s != cases[i].seconds))
			fail_msg("%s gives %u", text, (unsigned)a.expires_s);
	}
}

static void what_is_no_token(void **state)
{
	static const char *const cases[] = {
		"",
		"{}",
		"null",
		"\"access_token\"",
		"<html></html>",
		"{\"access_token\":\"a\"",
		"[{\"access_token\":\"a\",\"token_type\":\"bearer\"}]",
		"{\"access_token\":\"a\"}",
		"{\"token_type\":\"bearer\"}",
		"{\"access_token\":\"\",\"token_type\":\"bearer\"}",
		"{\"access_token\":1,\"token_type\":\"bearer\"}",
		"{\"access_token\":\"a b\",\"token_type\":\"bearer\"}",
		"{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"bearer\"}",
		"{\"access_token\":\"a\\u0000b\",\"token_type\":\"bearer\"}",
		"{\"access_token\":\"\\u00e4\",\"token_type\":\"bearer\"}",
		"{\"access_token\":\"a\",\"access_token\":\"b\",\"token_type\":\"bearer\"}",
		"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"refresh_token\":\"\"}",
		"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"refresh_token\":[]}",
		"{\"access_token\":\"a\",\"token_type\":\"bearer\",\"refresh_token\":\"\\n\"}",
	};
	struct hf_token_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse(cases[i], &a) != HF_EPROTO)
			fail_msg("taken for a token: %s", cases[i]);
	assert_int_equal(parse("{\"access_token\":\"a\",\"token_type\":\"mac\"}", &a), HF_ENOTSUP);
}

/* {"access_token":"xxx...","token_type":"bearer"} of @len bytes of token. */
static int parse_long(size_t len)
{
	static const char end[] = "\",\"token_type\":\"bearer\"}";
	char *text = malloc(len + 100);
	struct hf_token_answer a;
	int err;

	assert_non_null(text);
	strcpy(text, "{\"access_token\":\"");
	memset(text + 17, 'x', len);
	strcpy(text + 17 + len, end);
	err = parse(text, &a);
	free(text);
	return err;
}

static void what_is_too_long_is_no_token(void **state)
{
	char *deep = malloc(HF_TOKEN_ANSWER_MAX + 1);
	struct hf_token_answer a;

	(void)state;
	assert_non_null(deep);
	assert_int_equal(parse_long(HF_ACCESS_TOKEN_MAX), 0);
	assert_int_equal(parse_long(HF_ACCESS_TOKEN_MAX + 1), HF_EPROTO);
	assert_int_equal(parse_long(HF_TOKEN_ANSWER_MAX), HF_EPROTO);
	memset(deep, '[', HF_TOKEN_ANSWER_MAX);
	deep[HF_TOKEN_ANSWER_MAX] = '\0';
	assert_int_equal(parse(deep, &a), HF_EPROTO);
	free(deep);
}

static void the_errors_that_time_does_not_heal(void **state)
{
	(void)state;
	assert_string_equal(hf_token_error(HF_SPAN("{\"error\":\"invalid_grant\"}")),
			    "invalid_grant");
	assert_string_equal(hf_token_error(HF_SPAN("{\"x\":1,\"error\":\"invalid_client\"}")),
			    "invalid_client");
	assert_null(hf_token_error(HF_SPAN("{\"error\":\"temporarily_unavailable\"}")));
	assert_null(hf_token_error(HF_SPAN("{\"error\":[\"invalid_grant\"]}")));
	assert_null(hf_token_error(
		HF_SPAN("{\"error\":\"invalid_grant\",\"error\":\"invalid_grant\"}")));
	assert_null(hf_token_error(HF_SPAN("invalid_grant")));
	assert_null(hf_token_error(HF_SPAN("")));
}

/* ---- what is kept ---- */

static void rotate(struct hf_token_keep *k, uint64_t seed, const char *used, const char *next)
{
	assert_int_equal(hf_token_keep_rotate(k, seed, hf_span_str(used), hf_span_str(next)), 0);
}

static void the_last_and_the_one_before_it_are_kept(void **state)
{
	struct hf_token_keep k = { 0 }, back;
	struct hf_buf bytes;

	(void)state;
	hf_buf_init(&bytes, 1 << 16);
	rotate(&k, 7, "seed", "one");
	rotate(&k, 8, "of another", "hers");
	rotate(&k, 7, "one", "two");
	assert_int_equal(hf_token_keep_encode(&k, &bytes), 0);
	assert_int_equal(hf_token_keep_decode(hf_buf_span(&bytes), &back), 0);
	assert_int_equal(back.n, 2);
	assert_string_equal(hf_token_keep_find(&back, 7)->current, "two");
	assert_string_equal(hf_token_keep_find(&back, 7)->previous, "one");
	assert_string_equal(hf_token_keep_find(&back, 8)->current, "hers");
	assert_null(hf_token_keep_find(&back, 9));
	hf_token_keep_finish(&k);
	hf_token_keep_finish(&back);
	hf_buf_finish(&bytes);
}

static void of_many_the_one_that_rests_longest_goes(void **state)
{
	struct hf_token_keep k = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < HF_TOKENS_KEPT_MAX; seed++)
		rotate(&k, seed, "a", "b");
	rotate(&k, 0, "b", "c");
	rotate(&k, 100, "a", "b");
	assert_int_equal(k.n, HF_TOKENS_KEPT_MAX);
	assert_null(hf_token_keep_find(&k, 1));
	assert_string_equal(hf_token_keep_find(&k, 0)->current, "c");
	assert_non_null(hf_token_keep_find(&k, 100));
	hf_token_keep_finish(&k);
}

static void bytes_that_were_not_written_so_are_refused(void **state)
{
	struct hf_token_keep k = { 0 }, back;
	struct hf_buf bytes;

	(void)state;
	hf_buf_init(&bytes, 1 << 16);
	rotate(&k, 7, "seed", "one");
	assert_int_equal(hf_token_keep_encode(&k, &bytes), 0);
	for (size_t n = 1; n < bytes.len; n++)
		assert_int_equal(hf_token_keep_decode(hf_span(bytes.data, n), &back), HF_ECORRUPT);
	assert_int_equal(hf_buf_append_str(&bytes, "x"), 0);
	assert_int_equal(hf_token_keep_decode(hf_buf_span(&bytes), &back), HF_ECORRUPT);
	assert_int_equal(hf_token_keep_decode(HF_SPAN(""), &back), 0);
	assert_int_equal(back.n, 0);
	hf_token_keep_finish(&k);
	hf_buf_finish(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_with_all_there_is),
		cmocka_unit_test(how_long_it_lives),
		cmocka_unit_test(what_is_no_token),
		cmocka_unit_test(what_is_too_long_is_no_token),
		cmocka_unit_test(the_errors_that_time_does_not_heal),
		cmocka_unit_test(the_last_and_the_one_before_it_are_kept),
		cmocka_unit_test(of_many_the_one_that_rests_longest_goes),
		cmocka_unit_test(bytes_that_were_not_written_so_are_refused),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	hf_arena_finish(&arena);
	return failed;
}
