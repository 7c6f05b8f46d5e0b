/* SPDX-License-Identifier: Apache-2.0 */
/* Freshness and age; names of rows are those of the public suite's cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cache_rig.h"

#define COUNT(a)	 (sizeof(a) / sizeof((a)[0]))
#define FRESH(id, text)	 CACHE_PAIR(id, text, END_CACHED)
#define UNUSED(id, text) CACHE_PAIR(id, text, END_MISS)

static void cc_freshness(void **state)
{
	static const struct cache_case cases[] = {
		UNUSED("freshness-none", ""),
		FRESH("freshness-max-age", "Cache-Control: max-age=3600"),
		UNUSED("freshness-max-age-stale", "Cache-Control: max-age=2\nTemplate-A: 1"),
		UNUSED("freshness-max-age-0", "Cache-Control: max-age=0"),
		FRESH("freshness-max-age-max-minus-1", "Cache-Control: max-age=2147483647"),
		FRESH("freshness-max-age-max", "Cache-Control: max-age=2147483648"),
		FRESH("freshness-max-age-max-plus-1", "Cache-Control: max-age=2147483649"),
		FRESH("freshness-max-age-max-plus", "Cache-Control: max-age=99999999999"),
		UNUSED("freshness-max-age-age", "Date: @0\nCache-Control: max-age=3600\nAge: 7200"),
		UNUSED("freshness-max-age-date", "Date: @-7200\nCache-Control: max-age=3600"),
		FRESH("freshness-max-age-expires",
		      "Cache-Control: max-age=3600\nExpires: @-7200\nDate: @0"),
		FRESH("freshness-max-age-expires-invalid",
		      "Cache-Control: max-age=3600\nExpires: 0\nDate: @0"),
		UNUSED("freshness-max-age-0-expires",
		       "Expires: @3600\nCache-Control: max-age=0\nDate: @0"),
		FRESH("freshness-max-age-extension", "Cache-Control: foobar, max-age=3600"),
		FRESH("freshness-max-age-case-insenstive", "Cache-Control: MaX-aGe=3600"),
		UNUSED("freshness-max-age-negative", "Cache-Control: max-age=-3600"),
		FRESH("freshness-s-maxage-shared", "Cache-Control: s-maxage=3600"),
		UNUSED("freshness-max-age-s-maxage-shared-longer",
		       "Cache-Control: max-age=3600, s-maxage=1"),
		UNUSED("freshness-max-age-s-maxage-shared-longer-reversed",
		       "Cache-Control: s-maxage=1, max-age=3600"),
		UNUSED("freshness-max-age-s-maxage-shared-longer-multiple",
		       "Cache-Control: max-age=3600\nCache-Control: s-maxage=1"),
		FRESH("freshness-max-age-s-maxage-shared-shorter",
		      "Cache-Control: max-age=1, s-maxage=3600"),
		FRESH("freshness-max-age-s-maxage-shared-shorter-expires",
		      "Expires: @-10\nCache-Control: max-age=0, s-maxage=3600"),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void cc_freshness_of_a_private_cache(void **state)
{
	struct cache_case cases[] = {
		UNUSED("freshness-max-age-s-maxage-private",
		       "Cache-Control: s-maxage=3600, max-age=1"),
		UNUSED("freshness-max-age-s-maxage-private-multiple",
		       "Cache-Control: s-maxage=3600\nCache-Control: max-age=1"),
		FRESH("cc-resp-private-private", "Cache-Control: private, max-age=3600"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		cases[i].is_private = true;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* The first of two counts; what is no number is stale. */
static void cc_parse(void **state)
{
	static const struct cache_case cases[] = {
		FRESH("freshness-max-age-two-fresh-stale-sameline",
		      "Cache-Control: max-age=1800, max-age=1"),
		FRESH("freshness-max-age-two-fresh-stale-sepline",
		      "Cache-Control: max-age=1800\nCache-Control: max-age=1"),
		UNUSED("freshness-max-age-two-stale-fresh-sameline",
		       "Cache-Control: max-age=1, max-age=1800"),
		UNUSED("freshness-max-age-two-stale-fresh-sepline",
		       "Cache-Control: max-age=1\nCache-Control: max-age=1800"),
		FRESH("freshness-max-age-quoted", "Cache-Control: max-age=\"3600\""),
		UNUSED("freshness-max-age-ignore-quoted",
		       "Cache-Control: extension=\"max-age=3600\", max-age=1"),
		UNUSED("freshness-max-age-ignore-quoted-rev",
		       "Cache-Control: max-age=1, extension=\"max-age=3600\""),
		UNUSED("freshness-max-age-space-before-equals", "Cache-Control: max-age =3600"),
		UNUSED("freshness-max-age-space-after-equals", "Cache-Control: max-age= 3600"),
		FRESH("freshness-max-age-leading-zero", "Cache-Control: max-age=003600"),
		UNUSED("freshness-max-age-single-quoted", "Cache-Control: max-age='3600'"),
		UNUSED("freshness-max-age-decimal-zero", "Cache-Control: max-age=3600.0"),
		UNUSED("freshness-max-age-decimal-five", "Cache-Control: max-age=3600.5"),
		UNUSED("freshness-max-age-a100", "Cache-Control: max-age=a3600"),
		UNUSED("freshness-max-age-100a", "Cache-Control: max-age=3600a"),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define AGED(value) "Date: @0\nCache-Control: max-age=3600\nAge: " value

static void age_parse(void **state)
{
	static const struct cache_case cases[] = {
		FRESH("age-parse-nonnumeric", AGED("abc")),
		FRESH("age-parse-negative", AGED("-7200")),
		FRESH("age-parse-float", AGED("7200.0")),
		UNUSED("age-parse-large-minus-one", AGED("2147483647")),
		UNUSED("age-parse-large", AGED("2147483648")),
		UNUSED("age-parse-larger", AGED("2147483649")),
		UNUSED("age-parse-suffix", AGED("7200, 0")),
		FRESH("age-parse-prefix", AGED("0, 7200")),
		UNUSED("age-parse-suffix-twoline", AGED("7200\nAge: 0")),
		FRESH("age-parse-prefix-twoline", AGED("0\nAge: 7200")),
		FRESH("age-parse-dup-0", AGED("0, 0")),
		FRESH("age-parse-dup-0-twoline", AGED("0\nAge: 0")),
		FRESH("age-parse-dup-old",
		      "Date: @0\nCache-Control: max-age=10000\nAge: 3600\nAge: 3600"),
		FRESH("age-parse-parameter", AGED("7200;foo=bar")),
		FRESH("age-parse-numeric-parameter", AGED("7200;foo=111")),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void expires(void **state)
{
	static const struct cache_case cases[] = {
		FRESH("freshness-expires-future", "Expires: @2592000\nDate: @0"),
		UNUSED("freshness-expires-past", "Expires: @-2592000\nDate: @0"),
		UNUSED("freshness-expires-old-date", "Expires: @300\nDate: @400"),
		UNUSED("freshness-expires-invalid", "Expires: 0\nDate: @0"),
		CACHE_CASE("freshness-expires-present", { .answer = "Expires: @0\nDate: @0" },
			   { .end = END_MISS }),
		CACHE_CASE("freshness-expires-invalid-date",
			   { .answer = "Date: foo\nExpires: @10" }, { .end = END_CACHED }),
		CACHE_CASE("freshness-expires-age-slow-date",
			   { .answer = "Date: @-10\nExpires: @10\nAge: 25" }, { .end = END_MISS }),
		CACHE_CASE("freshness-expires-age-fast-date",
			   { .answer = "Date: @10\nExpires: @20\nAge: 15" }, { .end = END_MISS }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define UNTIL(value) "Expires: " value "\nDate: @0"

static void expires_parse(void **state)
{
	static const struct cache_case cases[] = {
		FRESH("freshness-expires-32bit", UNTIL("Tue, 19 Jan 2038 14:14:08 GMT")),
		FRESH("freshness-expires-far-future", UNTIL("Sun, 21 Nov 2286 04:46:39 GMT")),
		FRESH("freshness-expires-rfc850", UNTIL("Thursday, 18-Aug-50 02:01:18 GMT")),
		FRESH("freshness-expires-ansi-c", UNTIL("Thu Aug  8 02:01:18 2050")),
		FRESH("freshness-expires-wrong-case-weekday",
		      UNTIL("THU, 18 Aug 2050 02:01:18 GMT")),
		FRESH("freshness-expires-wrong-case-month", UNTIL("Thu, 18 AUG 2050 02:01:18 GMT")),
		FRESH("freshness-expires-wrong-case-tz", UNTIL("Thu, 18 Aug 2050 02:01:18 gMT")),
		UNUSED("freshness-expires-invalid-utc", UNTIL("Thu, 18 Aug 2050 02:01:18 UTC")),
		UNUSED("freshness-expires-invalid-aest", UNTIL("Thu, 18 Aug 2050 02:01:18 AEST")),
		UNUSED("freshness-expires-invalid-2-digit-year",
		       UNTIL("Thu, 18 Aug 50 02:01:18 GMT")),
		UNUSED("freshness-expires-invalid-no-comma", UNTIL("Thu 18 Aug 2050 02:01:18 GMT")),
		UNUSED("freshness-expires-invalid-multiple-spaces",
		       UNTIL("Thu, 18  Aug  2050 02:01:18 GMT")),
		UNUSED("freshness-expires-invalid-date-dashes",
		       UNTIL("Thu, 18-Aug-2050 02:01:18 GMT")),
		UNUSED("freshness-expires-invalid-time-periods",
		       UNTIL("Thu, 18 Aug 2050 02.01.18 GMT")),
		UNUSED("freshness-expires-invalid-1-digit-hour",
		       UNTIL("Thu, 18 Aug 2050 2:01:18 GMT")),
		UNUSED("freshness-expires-invalid-multiple-lines",
		       UNTIL("Thu, 18 Aug 2050 2:01:18 GMT\nExpires: Thu, 18 Aug 2050 2:01:19 GMT")),
		UNUSED("two valid lines that differ", UNTIL("@3600\nExpires: @7200")),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define DAY_OLD "Last-Modified: @-86400\nDate: @0"
#define BY_STATUS(id, code, how) \
	CACHE_CASE(id, { .status = (code), .answer = DAY_OLD }, { .end = (how) })

static void heuristic(void **state)
{
	static const struct cache_case cases[] = {
		BY_STATUS("heuristic-200-cached", 200, END_CACHED),
		BY_STATUS("heuristic-201-not_cached", 201, END_MISS),
		BY_STATUS("heuristic-202-not_cached", 202, END_MISS),
		BY_STATUS("heuristic-203-cached", 203, END_CACHED),
		BY_STATUS("heuristic-204-cached", 204, END_CACHED),
		BY_STATUS("heuristic-403-not_cached", 403, END_MISS),
		BY_STATUS("heuristic-404-cached", 404, END_CACHED),
		BY_STATUS("heuristic-405-cached", 405, END_CACHED),
		BY_STATUS("heuristic-410-cached", 410, END_CACHED),
		BY_STATUS("heuristic-414-cached", 414, END_CACHED),
		BY_STATUS("heuristic-501-cached", 501, END_CACHED),
		BY_STATUS("heuristic-502-not_cached", 502, END_MISS),
		BY_STATUS("heuristic-503-not_cached", 503, END_MISS),
		BY_STATUS("heuristic-504-not_cached", 504, END_MISS),
		BY_STATUS("heuristic-599-not_cached", 599, END_MISS),
		CACHE_CASE("heuristic-599-cached",
			   { .status = 599, .answer = DAY_OLD "\nCache-Control: public" },
			   { .end = END_CACHED }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define CHANGED(delta, how) \
	CACHE_PAIR("heuristic-delta-" #delta, "Last-Modified: @-" #delta "\nDate: @0", how)

/* A tenth: what changed less than 40 seconds ago is not fresh for 3 more. */
static void heuristic_delta(void **state)
{
	static const struct cache_case cases[] = {
		CHANGED(5, END_DATE_VALIDATED),	 CHANGED(10, END_DATE_VALIDATED),
		CHANGED(30, END_DATE_VALIDATED), CHANGED(60, END_CACHED),
		CHANGED(300, END_CACHED),	 CHANGED(600, END_CACHED),
		CHANGED(1200, END_CACHED),	 CHANGED(1800, END_CACHED),
		CHANGED(3600, END_CACHED),	 CHANGED(43200, END_CACHED),
		CHANGED(86400, END_CACHED),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void heuristic_freshness_has_a_ceiling(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("a year old, used within a day",
			   { .answer = "Last-Modified: @-31536000\nDate: @0", .pause_s = 86399 },
			   { .end = END_CACHED, .pause_s = 1 }, { .end = END_DATE_VALIDATED }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* ---- clocks ---- */

static struct hf_cache_freshness freshness_of(const char *fields, struct hf_cache_times times,
					      struct hf_cache_clock now)
{
	struct hf_cache_rules rules = { .is_private = false };
	struct hf_cache_freshness freshness;
	struct hf_fields parsed;
	struct hf_arena arena;

	hf_arena_init(&arena, 1 << 16);
	cache_rig_fields(&arena, fields, 1700000000, &parsed);
	hf_cache_freshness(
		&rules,
		&(struct hf_cache_entry){ .status = 200, .fields = &parsed, .times = times }, &now,
		&freshness);
	hf_arena_finish(&arena);
	return freshness;
}

static void counts_the_way_and_the_stay(void **state)
{
	struct hf_cache_times times = { .request_ms = 1000, .response_ms = 4000, .boot = 1 };
	struct hf_cache_freshness f = freshness_of("Age: 10\nCache-Control: max-age=60", times,
						   (struct hf_cache_clock){ 24500, 1, 0 });

	(void)state;
	assert_true(f.age_known && f.is_fresh && f.is_explicit);
	assert_int_equal(f.age_s, 10 + 3 + 20);
	assert_int_equal(f.ttl_s, 27);
}

static void apparent_age_needs_a_trusted_clock(void **state)
{
	struct hf_cache_times times = { .boot = 1, .wall_ms = INT64_C(1700000100000) };
	struct hf_cache_clock now = { 0, 1, 0 };

	(void)state;
	assert_int_equal(freshness_of("Date: @0", times, now).age_s, 100);
	assert_int_equal(freshness_of("Date: @900", times, now).age_s, 0);
	times.wall_ms = 0;
	assert_int_equal(freshness_of("Date: @0", times, now).age_s, 0);
}

static void another_boot_needs_the_wall_clock(void **state)
{
	const char *fields = "Cache-Control: max-age=1000";
	struct hf_cache_times times = { .boot = 1, .wall_ms = INT64_C(1700000000000) };
	struct hf_cache_freshness f;

	(void)state;
	f = freshness_of(fields, times, (struct hf_cache_clock){ 5000, 2, INT64_C(1700000500000) });
	assert_true(f.age_known && f.is_fresh);
	assert_int_equal(f.age_s, 500);
	f = freshness_of(fields, times, (struct hf_cache_clock){ 5000, 2, INT64_C(1700000001000) });
	assert_true(f.age_known);
	assert_int_equal(f.age_s, 5);
	f = freshness_of(fields, times, (struct hf_cache_clock){ 5000, 2, 0 });
	assert_false(f.age_known || f.is_fresh);
	assert_int_equal(f.age_s, 5);
	f = freshness_of(fields, times, (struct hf_cache_clock){ 5000, 2, INT64_C(1600000000000) });
	assert_false(f.age_known || f.is_fresh);
	times.wall_ms = 0;
	f = freshness_of(fields, times, (struct hf_cache_clock){ 5000, 2, INT64_C(1700000500000) });
	assert_false(f.age_known || f.is_fresh);
}

static void expires_needs_a_date_or_a_clock(void **state)
{
	struct hf_cache_times times = { .boot = 1 };
	struct hf_cache_clock now = { 0, 1, 0 };

	(void)state;
	assert_int_equal(freshness_of("Expires: @60\nDate: @0", times, now).lifetime_s, 60);
	assert_int_equal(freshness_of("Expires: @60", times, now).lifetime_s, 0);
	times.wall_ms = INT64_C(1700000000000);
	assert_int_equal(freshness_of("Expires: @60", times, now).lifetime_s, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cc_freshness),
		cmocka_unit_test(cc_freshness_of_a_private_cache),
		cmocka_unit_test(cc_parse),
		cmocka_unit_test(age_parse),
		cmocka_unit_test(expires),
		cmocka_unit_test(expires_parse),
		cmocka_unit_test(heuristic),
		cmocka_unit_test(heuristic_delta),
		cmocka_unit_test(heuristic_freshness_has_a_ceiling),
		cmocka_unit_test(counts_the_way_and_the_stay),
		cmocka_unit_test(apparent_age_needs_a_trusted_clock),
		cmocka_unit_test(another_boot_needs_the_wall_clock),
		cmocka_unit_test(expires_needs_a_date_or_a_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
