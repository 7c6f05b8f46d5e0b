/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/cache_control.h"
#include "http/cache_status.h"
#include "http/etag.h"
#include "lib/cache_rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Spans of the result outlive the test in this arena. */
static struct hf_arena arena;

static int start(void **state)
{
	(void)state;
	hf_arena_init(&arena, 1 << 20);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	return 0;
}

static struct hf_fields fields_of(const char *text)
{
	struct hf_fields fields;

	cache_rig_fields(&arena, text, 0, &fields);
	return fields;
}

static struct hf_cache_control parse(const char *text)
{
	struct hf_fields fields = fields_of(text);
	struct hf_cache_control cc;

	hf_cache_control_parse(&fields, &cc);
	return cc;
}

static void reads_every_directive(void **state)
{
	struct hf_cache_control cc = parse(
		"Cache-Control: max-age=1, s-maxage=2, no-store, no-cache, private, public\n"
		"cache-control: must-revalidate, proxy-revalidate,must-understand\n"
		"CACHE-CONTROL: no-transform ,, immutable, stale-while-revalidate=3\n"
		"Cache-Control: stale-if-error=4, max-stale=5, min-fresh=6, only-if-cached, x=y");

	(void)state;
	assert_true(cc.present && cc.no_store && cc.no_cache && cc.is_private && cc.is_public);
	assert_true(cc.must_revalidate && cc.proxy_revalidate && cc.must_understand);
	assert_true(cc.no_transform && cc.immutable && cc.only_if_cached);
	assert_int_equal(cc.max_age, 1);
	assert_int_equal(cc.s_maxage, 2);
	assert_int_equal(cc.stale_while_revalidate, 3);
	assert_int_equal(cc.stale_if_error, 4);
	assert_int_equal(cc.max_stale, 5);
	assert_int_equal(cc.min_fresh, 6);
}

static void nothing_is_given_without_a_line(void **state)
{
	struct hf_cache_control cc = parse("Pragma: no-cache\nDate: x");

	(void)state;
	assert_false(cc.present || cc.no_cache || cc.no_store);
	assert_int_equal(cc.max_age, HF_DELTA_NONE);
	assert_int_equal(cc.max_stale, HF_DELTA_NONE);
	assert_int_equal(cc.no_cache_names.n + cc.private_names.n, 0);
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		int32_t max_age;
	} rows[] = {
		{ "max-age=0", 0 },
		{ "max-age=007", 7 },
		{ "MAX-AGE=7", 7 },
		{ "max-age=\"7\"", 7 },
		{ "max-age=2147483647", HF_DELTA_MAX },
		{ "max-age=2147483648", HF_DELTA_MAX },
		{ "max-age=99999999999999999999999999999", HF_DELTA_MAX },
		{ "max-age=7, max-age=9", 7 },
		{ "max-age=x, max-age=9", 0 },
		{ "max-age=7;a", 0 },
		{ "max-age=-7", 0 },
		{ "max-age=+7", 0 },
		{ "max-age=7.0", 0 },
		{ "max-age=7a", 0 },
		{ "max-age=a7", 0 },
		{ "max-age='7'", 0 },
		{ "max-age=\"7", 0 },
		{ "max-age=7\"", 0 },
		{ "max-age=\"7\"8\"", 0 },
		{ "max-age=", 0 },
		{ "max-age", 0 },
		{ "max-age =7", 0 },
		{ "max-age= 7", 0 },
		{ "a=\"max-age=7\"", HF_DELTA_NONE },
		{ "a=\"x, max-age=7\", b", HF_DELTA_NONE },
		{ "a=\"\\\", max-age=7\"", HF_DELTA_NONE },
		{ "a=\"max-age=7", HF_DELTA_NONE },
		{ "xmax-age=7", HF_DELTA_NONE },
		{ "max-age7", HF_DELTA_NONE },
	};
	struct hf_fields fields;
	struct hf_cache_control cc;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		hf_fields_init(&fields, &arena);
		hf_fields_add(&fields, HF_SPAN("Cache-Control"), hf_span_str(rows[i].text));
		hf_cache_control_parse(&fields, &cc);
		if (cc.max_age != rows[i].max_age)
			fail_msg("%s: %d", rows[i].text, (int)cc.max_age);
	}
}

static void permissions_that_cannot_be_read_are_none(void **state)
{
	struct hf_cache_control cc =
		parse("Cache-Control: stale-while-revalidate=x, stale-if-error, max-stale=-1\n"
		      "Cache-Control: min-fresh=a");

	(void)state;
	assert_int_equal(cc.stale_while_revalidate, HF_DELTA_NONE);
	assert_int_equal(cc.stale_if_error, HF_DELTA_NONE);
	assert_int_equal(cc.max_stale, HF_DELTA_NONE);
	assert_int_equal(cc.min_fresh, HF_DELTA_NONE);
	assert_int_equal(parse("Cache-Control: max-stale").max_stale, HF_DELTA_ANY);
}

static void reads_lists_of_names(void **state)
{
	struct hf_cache_control cc = parse("Cache-Control: no-cache=\"a, B\", private=c\n"
					   "Cache-Control: No-Cache=\"d\"");

	(void)state;
	assert_false(cc.no_cache || cc.is_private);
	assert_true(hf_cache_names_have(&cc.no_cache_names, HF_SPAN("A")));
	assert_true(hf_cache_names_have(&cc.no_cache_names, HF_SPAN("b")));
	assert_true(hf_cache_names_have(&cc.no_cache_names, HF_SPAN("d")));
	assert_false(hf_cache_names_have(&cc.no_cache_names, HF_SPAN("c")));
	assert_true(hf_cache_names_have(&cc.private_names, HF_SPAN("C")));
}

static void a_list_that_cannot_be_read_is_of_all_fields(void **state)
{
	static const char *const texts[] = {
		"no-cache=\"\"",
		"no-cache=",
		"no-cache=\"a b\"",
		"no-cache=\"a",
		"no-cache=\"a\\b\"",
		"no-cache =\"a\"",
		"no-cache=\"a\", no-cache",
		"no-cache=a, no-cache=b, no-cache=c, no-cache=d, no-cache=e",
	};
	struct hf_fields fields;
	struct hf_cache_control cc;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		hf_fields_init(&fields, &arena);
		hf_fields_add(&fields, HF_SPAN("Cache-Control"), hf_span_str(texts[i]));
		hf_cache_control_parse(&fields, &cc);
		if (!cc.no_cache)
			fail_msg("%s", texts[i]);
	}
}

static void pragma_counts_in_requests_without_cache_control(void **state)
{
	struct hf_fields alone = fields_of("Pragma: foo, No-Cache");
	struct hf_fields beside = fields_of("Pragma: no-cache\nCache-Control: max-age=1");
	struct hf_cache_control cc;

	(void)state;
	hf_cache_control_parse_request(&alone, &cc);
	assert_true(cc.no_cache && !cc.present);
	hf_cache_control_parse(&alone, &cc);
	assert_false(cc.no_cache);
	hf_cache_control_parse_request(&beside, &cc);
	assert_false(cc.no_cache);
}

static int32_t age(const char *text)
{
	struct hf_fields fields = fields_of(text);

	return hf_age_parse(&fields);
}

static void reads_age(void **state)
{
	(void)state;
	assert_int_equal(age(""), 0);
	assert_int_equal(age("Age: 7"), 7);
	assert_int_equal(age("Age: 7, 9"), 7);
	assert_int_equal(age("Age: 7\nAge: 9"), 7);
	assert_int_equal(age("Age: 99999999999"), HF_DELTA_MAX);
	assert_int_equal(age("Age: -7"), 0);
	assert_int_equal(age("Age: 7.5"), 0);
	assert_int_equal(age("Age: 7;a=1"), 0);
	assert_int_equal(age("Age:"), 0);
}

static int64_t expires(const char *text)
{
	struct hf_fields fields = fields_of(text);
	int64_t unix_s;

	return hf_expires_parse(&fields, &unix_s) ? unix_s : -1;
}

static void reads_expires(void **state)
{
	(void)state;
	assert_int_equal(expires("Date: @0"), -1);
	assert_int_equal(expires("Expires: @9"), 9);
	assert_int_equal(expires("Expires: @9\nExpires: @9"), 9);
	assert_true(expires("Expires: @9\nExpires: @10") == INT64_MIN);
	assert_true(expires("Expires: 0") == INT64_MIN);
	assert_true(expires("Expires:") == INT64_MIN);
}

/* ---- entity-tags ---- */

static bool listed(const char *list, const char *tag)
{
	struct hf_fields request = fields_of(list), response = fields_of(tag);
	struct hf_etag etag;
	bool has = hf_etag_of(&response, &etag);

	return hf_if_none_match(&request, has ? &etag : NULL);
}

static void compares_lists_of_tags(void **state)
{
	(void)state;
	assert_true(listed("If-None-Match: \"a\"", "ETag: \"a\""));
	assert_true(listed("If-None-Match: W/\"a\"", "ETag: \"a\""));
	assert_true(listed("If-None-Match: \"x\" , ,\"a,b\"", "ETag: W/\"a,b\""));
	assert_true(listed("If-None-Match: \"a\\\", \"b\"", "ETag: \"b\""));
	assert_true(listed("If-None-Match: *", "A: 1"));
	assert_false(listed("If-None-Match: \"*\"", "A: 1"));
	assert_false(listed("If-None-Match: \"a\"", "A: 1"));
	assert_false(listed("If-None-Match: \"a\"", "ETag: \"A\""));
	assert_false(listed("If-None-Match:", "ETag: \"a\""));
	assert_false(listed("If-Match: \"a\"", "ETag: \"a\""));
	assert_false(listed("If-None-Match: \"a", "ETag: \"a\""));
}

static bool strong(const char *a, const char *b)
{
	struct hf_fields left = fields_of(a), right = fields_of(b);
	struct hf_etag x, y;

	assert_true(hf_etag_of(&left, &x) && hf_etag_of(&right, &y));
	return hf_etag_eq_strong(&x, &y);
}

static void strong_comparison_takes_no_weak_tag(void **state)
{
	(void)state;
	assert_true(strong("ETag: \"a\"", "ETag: \"a\""));
	assert_false(strong("ETag: \"a\"", "ETag: W/\"a\""));
	assert_false(strong("ETag: W/\"a\"", "ETag: W/\"a\""));
	assert_false(strong("ETag: \"a\"", "ETag: \"b\""));
	assert_true(strong("ETag: \"\"", "ETag: \"\""));
}

/* ---- Cache-Status ---- */

static void assert_member(const struct hf_cache_status *status, const char *expected)
{
	struct hf_fields fields;

	hf_fields_init(&fields, &arena);
	hf_fields_add(&fields, HF_SPAN("Cache-Status"), HF_SPAN("Origin; hit"));
	assert_int_equal(hf_cache_status_append(&fields, "Holdfast", status), 0);
	assert_int_equal(fields.n, 2); /* behind the origin's */
	if (!hf_span_eq_str(fields.v[1].value, expected))
		fail_msg("%.*s", HF_SPAN_ARG(fields.v[1].value));
}

static void writes_cache_status(void **state)
{
	(void)state;
	assert_member(&(struct hf_cache_status){ .hit = true, .has_ttl = true, .ttl_s = 30 },
		      "Holdfast; hit; ttl=30");
	assert_member(&(struct hf_cache_status){ .hit = true,
						 .fwd = HF_FWD_STALE,
						 .fwd_status = 304,
						 .has_ttl = true,
						 .ttl_s = -5,
						 .stored = true },
		      "Holdfast; fwd=stale; fwd-status=304; ttl=-5; stored");
	assert_member(&(struct hf_cache_status){ .fwd = HF_FWD_URI_MISS,
						 .collapsed = true,
						 .key = HF_SPAN("/a\"b\\\n"),
						 .detail = HF_SPAN("x y") },
		      "Holdfast; fwd=uri-miss; collapsed; key=\"/a\\\"b\\\\?\"; detail=\"x y\"");
	assert_member(&(struct hf_cache_status){ .fwd_status = 200 }, "Holdfast");
	assert_string_equal(hf_cache_fwd_name(HF_FWD_PARTIAL), "partial");
	assert_string_equal(hf_cache_fwd_name(HF_FWD_VARY_MISS), "vary-miss");
	assert_string_equal(hf_cache_fwd_name((enum hf_cache_fwd)99), "");
}

static void long_keys_are_cut(void **state)
{
	struct hf_fields fields;
	char key[300];

	(void)state;
	memset(key, '"', sizeof(key));
	hf_fields_init(&fields, &arena);
	assert_int_equal(hf_cache_status_append(
				 &fields, "H",
				 &(struct hf_cache_status){ .key = hf_span(key, sizeof(key)) }),
			 0);
	assert_int_equal(fields.v[0].value.len, strlen("H; key=\"\"") + 2 * 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_directive),
		cmocka_unit_test(nothing_is_given_without_a_line),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(permissions_that_cannot_be_read_are_none),
		cmocka_unit_test(reads_lists_of_names),
		cmocka_unit_test(a_list_that_cannot_be_read_is_of_all_fields),
		cmocka_unit_test(pragma_counts_in_requests_without_cache_control),
		cmocka_unit_test(reads_age),
		cmocka_unit_test(reads_expires),
		cmocka_unit_test(compares_lists_of_tags),
		cmocka_unit_test(strong_comparison_takes_no_weak_tag),
		cmocka_unit_test(writes_cache_status),
		cmocka_unit_test(long_keys_are_cut),
	};

	return cmocka_run_group_tests(tests, start, finish);
}
