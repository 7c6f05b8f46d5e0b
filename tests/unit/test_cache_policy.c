/* SPDX-License-Identifier: Apache-2.0 */
/* Stored fields, invalidation, ranges and single decisions; names of rows are
 * those of the public suite's cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cache_rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- fields ---- */

#define KEPT(name, value)                                                                    \
	CACHE_CASE("headers-store-" name,                                                    \
		   { .answer = "Date: @0\n" name ": " value "\nCache-Control: max-age=3600", \
		     .pause_s = 3 },                                                         \
		   { .end = END_CACHED, .expect = name ": " value })
#define DROPPED(name)                                                                    \
	CACHE_CASE("headers-store-" name,                                                \
		   { .answer = "Date: @0\n" name ": value\nCache-Control: max-age=3600", \
		     .pause_s = 3 },                                                     \
		   { .end = END_CACHED, .expect_not = name })

static void headers(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE(
			"headers-omit-headers-listed-in-Connection",
			{ .answer = "Cache-Control: max-age=3600\nConnection: a, b\na: 1\nb: 2\n"
				    "c: 3" },
			{ .end = END_CACHED, .expect = "c: 3", .expect_not = "a\nb\nConnection" }),
		KEPT("Test-Header", "v"),
		KEPT("X-Test-Header", "v"),
		KEPT("Content-Foo", "v"),
		KEPT("X-Content-Foo", "v"),
		CACHE_CASE("headers-store-Cache-Control",
			   { .answer = "Date: @0\nCache-Control: max-age=3600", .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Cache-Control: max-age=3600" }),
		DROPPED("Connection"),
		KEPT("Content-Encoding", "v"),
		KEPT("Content-Length", "10"),
		KEPT("Content-Location", "/bar"),
		KEPT("Content-MD5", "N7UdGUp1E+RbVvZSTy1R8g=="),
		KEPT("Content-Range", "v"),
		KEPT("Content-Security-Policy", "default-src 'self' cdn.example.com"),
		KEPT("Content-Type", "text/plain;charset=utf-8"),
		KEPT("Clear-Site-Data", "cookies"),
		KEPT("ETag", "\"ghijkl\""),
		KEPT("Expires", "Mon, 11 Jan 2038 11:11:11 GMT"),
		DROPPED("Keep-Alive"),
		DROPPED("Proxy-Authenticate"),
		DROPPED("Proxy-Authentication-Info"),
		DROPPED("Proxy-Authorization"),
		DROPPED("Proxy-Connection"),
		KEPT("Public-Key-Pins", "v"),
		KEPT("Set-Cookie", "a=c"),
		KEPT("Set-Cookie2", "a=c"),
		DROPPED("TE"),
		DROPPED("Transfer-Encoding"),
		DROPPED("Upgrade"),
		KEPT("X-Frame-Options", "sameorigin"),
		KEPT("X-XSS-Protection", "1; mode=block"),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* ---- ranges ---- */

#define WHOLE(id, ranges, part)                                                                  \
	CACHE_CASE(id, { .answer = "Cache-Control: max-age=3600\nA: 1", .body = "0123456789A" }, \
		   { .ask = "Range: bytes=" ranges,                                              \
		     .end = END_CACHED,                                                          \
		     .expect_status = 206,                                                       \
		     .expect_body = part,                                                        \
		     .expect = "A: 1" })
#define PART(id, ranges, how)                                                                \
	CACHE_CASE(id,                                                                       \
		   { .ask = "Range: bytes=-5",                                               \
		     .status = 206,                                                          \
		     .body = "01234",                                                        \
		     .answer = "Cache-Control: max-age=3600\nContent-Range: bytes 4-9/10" }, \
		   { .ask = "Range: bytes=" ranges, .end = (how) })

/* Parts are not stored: what is of use only with stored parts ends as a miss. */
static void partial(void **state)
{
	static const struct cache_case cases[] = {
		PART("partial-store-partial-reuse-partial", "-5", END_MISS),
		WHOLE("partial-store-complete-reuse-partial", "0-1", "01"),
		WHOLE("partial-store-complete-reuse-partial-no-last", "1-", "123456789A"),
		WHOLE("partial-store-complete-reuse-partial-suffix", "-1", "A"),
		PART("partial-store-partial-reuse-partial-byterange", "6-8", END_MISS),
		PART("partial-store-partial-reuse-partial-absent", "6-", END_MISS),
		PART("partial-store-partial-reuse-partial-suffix", "-1", END_MISS),
		CACHE_CASE("partial-store-partial-complete",
			   { .ask = "Range: bytes=-5",
			     .status = 206,
			     .body = "01234",
			     .answer = "Cache-Control: max-age=3600\nContent-Range: bytes 0-4/10" },
			   { .end = END_MISS, .expect_unsent = "Range" }),
		WHOLE("partial-use-headers", "0-1", "01"),
		WHOLE("partial-use-stored-headers", "0-1", "01"),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* ---- invalidation ---- */

#define FRESH "Expires: @100000\nCache-Control: max-age=100000\nDate: @0"
#define UNSAFE(m)                                                                                \
	CACHE_CASE("invalidate-" m, { .answer = FRESH }, { .method = m, .answer = "" },          \
		   { .end = END_MISS }),                                                         \
		CACHE_CASE("invalidate-" m "-failed", { .answer = FRESH },                       \
			   { .method = m, .answer = "", .status = 500 }, { .end = END_CACHED }), \
		CACHE_CASE("invalidate-" m "-location",                                          \
			   { .target = "/a/location_target", .answer = FRESH },                  \
			   { .method = m, .answer = "Location: location_target" },               \
			   { .target = "/a/location_target", .end = END_MISS }),                 \
		CACHE_CASE("invalidate-" m "-cl", { .target = "/a/cl_target", .answer = FRESH }, \
			   { .method = m,                                                        \
			     .answer = "Content-Location: http://origin.example/a/cl_target" },  \
			   { .target = "/a/cl_target", .end = END_MISS })

static void invalidation(void **state)
{
	static const struct cache_case cases[] = {
		UNSAFE("POST"),
		UNSAFE("PUT"),
		UNSAFE("DELETE"),
		UNSAFE("M-SEARCH"),
		CACHE_CASE("a redirection counts", { .answer = FRESH },
			   { .method = "POST", .status = 303, .answer = "Location: /c" },
			   { .end = END_MISS }),
		CACHE_CASE("a refusal does not", { .answer = FRESH },
			   { .method = "POST", .status = 404, .answer = "" },
			   { .end = END_CACHED }),
		CACHE_CASE("safe methods", { .answer = FRESH },
			   { .method = "OPTIONS", .answer = "Location: /a/b" },
			   { .end = END_CACHED }),
		CACHE_CASE("another origin", { .target = "/x", .answer = FRESH },
			   { .method = "POST", .answer = "Location: http://other.example/x" },
			   { .target = "/x", .end = END_CACHED }),
		CACHE_CASE("what is invalid is not for the disconnected either",
			   { .answer = FRESH }, { .method = "POST", .answer = "" },
			   { .disconnect = true, .end = END_TIMEOUT }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void each_target_is_told_once(void **state)
{
	struct hf_target out[HF_CACHE_INVALID_MAX];
	struct hf_message answer = { .status = 201 };
	struct hf_arena arena;
	struct hf_url url;

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	assert_int_equal(hf_url_parse(HF_SPAN("http://h/a?q"), &url), 0);
	cache_rig_fields(&arena, "Location: /a?q#x\nContent-Location: //H:80/c/../d", 0,
			 &answer.fields);
	assert_int_equal(hf_cache_invalidates(HF_SPAN("POST"), &url, &answer, &arena, out), 2);
	assert_true(hf_span_eq_str(out[0].path, "/a") && hf_span_eq_str(out[0].query, "q"));
	assert_true(hf_span_eq_str(out[1].path, "/d") && !out[1].query.ptr);
	hf_arena_finish(&arena);
}

/* ---- single decisions ---- */

struct one {
	struct hf_arena arena;
	struct hf_fields stored, asked;
	struct hf_cache_entry entry;
	struct hf_cache_rules rules;
	struct hf_cache_clock now;
	struct hf_cache_decision decision;
};

static void decide(struct one *o, const char *stored, const char *asked)
{
	hf_arena_init(&o->arena, 1 << 16);
	cache_rig_fields(&o->arena, stored, 0, &o->stored);
	cache_rig_fields(&o->arena, asked, 0, &o->asked);
	o->entry.fields = &o->stored;
	o->entry.status = 200;
	hf_cache_decide(&o->rules, &o->entry, &o->asked, &o->now, &o->decision);
	hf_arena_finish(&o->arena);
}

static void an_unknown_age_is_asked_for(void **state)
{
	struct one o = { .entry.times.boot = 1, .now.boot = 2 };

	(void)state;
	decide(&o, "Cache-Control: max-age=9999\nETag: \"a\"", "");
	assert_int_equal(o.decision.use, HF_CACHE_REVALIDATE);
	assert_int_equal(o.decision.fwd, HF_FWD_STALE);
	assert_false(o.decision.stale_on_unreachable);
	decide(&o, "Cache-Control: max-age=9999, stale-if-error=99999", "");
	assert_int_equal(o.decision.use, HF_CACHE_REFETCH);
	assert_false(o.decision.stale_on_unreachable || o.decision.stale_on_5xx);
	decide(&o, "Cache-Control: max-age=9999", "Cache-Control: only-if-cached, max-stale");
	assert_int_equal(o.decision.use, HF_CACHE_GATEWAY_TIMEOUT);
}

static void offline_rules_may_take_an_unknown_age(void **state)
{
	struct one o = { .rules.offline_stale_s = HF_DELTA_MAX, .entry.times.boot = 1 };

	(void)state;
	decide(&o, "Cache-Control: max-age=9999\nETag: \"a\"", "");
	assert_int_equal(o.decision.use, HF_CACHE_REVALIDATE);
	assert_true(o.decision.stale_on_unreachable);
	assert_false(o.decision.stale_on_5xx);
	o.rules.gateway_errors_are_offline = true;
	decide(&o, "Cache-Control: max-age=9999\nETag: \"a\"", "");
	assert_true(hf_cache_stale_for(&o.decision, 0));
	assert_true(hf_cache_stale_for(&o.decision, 502));
	assert_true(hf_cache_stale_for(&o.decision, 503));
	assert_true(hf_cache_stale_for(&o.decision, 504));
	assert_false(hf_cache_stale_for(&o.decision, 500));
	assert_false(hf_cache_stale_for(&o.decision, 404));
	decide(&o, "Cache-Control: max-age=9999, must-revalidate", "");
	assert_false(o.decision.stale_on_unreachable || o.decision.stale_on_gateway);
	o.rules.offline_stale_s = 99999;
	decide(&o, "Cache-Control: max-age=9999\nETag: \"a\"", "");
	assert_false(o.decision.stale_on_unreachable);
}

static void tells_why_it_asks(void **state)
{
	struct one o = { .now.device_ms = 5000 };
	struct hf_fields nothing = { .n = 0 };

	(void)state;
	decide(&o, "Cache-Control: max-age=9", "");
	assert_int_equal(o.decision.use, HF_CACHE_FRESH);
	assert_int_equal(o.decision.fwd, HF_FWD_NONE);
	assert_int_equal(o.decision.freshness.ttl_s, 4);
	decide(&o, "Cache-Control: max-age=9", "Cache-Control: no-cache");
	assert_int_equal(o.decision.fwd, HF_FWD_REQUEST);
	decide(&o, "Cache-Control: max-age=2", "Cache-Control: no-cache");
	assert_int_equal(o.decision.fwd, HF_FWD_STALE);
	assert_int_equal(o.decision.freshness.ttl_s, -3);
	hf_cache_decide(&o.rules, NULL, &nothing, &o.now, &o.decision);
	assert_int_equal(o.decision.use, HF_CACHE_REFETCH);
	assert_int_equal(o.decision.fwd, HF_FWD_MISS);
}

static void a_max_stale_of_a_fresh_enough_entry_is_no_stale_answer(void **state)
{
	struct one o = { .now.device_ms = 5000 };

	(void)state;
	decide(&o, "Cache-Control: max-age=9", "Cache-Control: max-stale=1");
	assert_int_equal(o.decision.use, HF_CACHE_FRESH);
	decide(&o, "Cache-Control: max-age=4", "Cache-Control: max-stale=1");
	assert_int_equal(o.decision.use, HF_CACHE_STALE_ALLOWED);
	decide(&o, "Cache-Control: max-age=4, stale-while-revalidate=1", "");
	assert_int_equal(o.decision.use, HF_CACHE_STALE_REVALIDATE);
}

static void stale_if_error_is_of_four_statuses(void **state)
{
	static const int statuses[] = { 0, 500, 502, 503, 504 };
	struct one o = { .now.device_ms = 5000 };
	size_t i;

	(void)state;
	decide(&o, "Cache-Control: max-age=1, stale-if-error=4", "");
	for (i = 0; i < COUNT(statuses); i++)
		assert_true(hf_cache_stale_for(&o.decision, statuses[i]));
	assert_false(hf_cache_stale_for(&o.decision, 501));
	decide(&o, "Cache-Control: max-age=1, stale-if-error=3", "");
	for (i = 0; i < COUNT(statuses); i++)
		assert_false(hf_cache_stale_for(&o.decision, statuses[i]));
}

static void requests_get_what_they_just_allow(void **state)
{
	struct one o = { .now.device_ms = 5000 };

	(void)state;
	decide(&o, "Cache-Control: max-age=9", "Cache-Control: max-age=5");
	assert_int_equal(o.decision.use, HF_CACHE_FRESH);
	decide(&o, "Cache-Control: max-age=9", "Cache-Control: max-age=4");
	assert_int_equal(o.decision.use, HF_CACHE_REFETCH);
	decide(&o, "Cache-Control: max-age=9", "Cache-Control: min-fresh=4");
	assert_int_equal(o.decision.use, HF_CACHE_FRESH);
	decide(&o, "Cache-Control: max-age=9", "Cache-Control: min-fresh=5");
	assert_int_equal(o.decision.use, HF_CACHE_REFETCH);
	decide(&o, "Cache-Control: max-age=9\nETag: \"a\"", "Cache-Control: no-store");
	assert_int_equal(o.decision.use, HF_CACHE_REFETCH);
	assert_int_equal(o.decision.fwd, HF_FWD_REQUEST);
}

/* ---- storing ---- */

struct answered {
	const char *method, *ask;
	int status;
	const char *answer;
	bool is_private;
	enum hf_cache_refusal refusal;
};

static void each_answer(const struct answered *a)
{
	struct hf_message request = { .method = hf_span_str(a->method) };
	struct hf_cache_rules rules = { .is_private = a->is_private };
	struct hf_message response = { .status = a->status };
	enum hf_cache_refusal got;
	struct hf_arena arena;
	struct hf_url url;

	hf_arena_init(&arena, 1 << 16);
	assert_int_equal(hf_url_parse(HF_SPAN("http://h/a"), &url), 0);
	cache_rig_fields(&arena, a->ask, 0, &request.fields);
	cache_rig_fields(&arena, a->answer, 0, &response.fields);
	got = hf_cache_storable(&rules, &request, &url, &response, &arena);
	if (got != a->refusal)
		fail_msg("%s %d %s: %s", a->method, a->status, a->answer,
			 hf_cache_refusal_name(got));
	hf_arena_finish(&arena);
}

#define AGED "Cache-Control: max-age=9"

static void tells_why_it_does_not_store(void **state)
{
	static const struct answered rows[] = {
		{ "GET", "", 200, AGED, false, HF_CACHE_STORE },
		{ "GET", "", 200, "ETag: \"a\"", false, HF_CACHE_STORE },
		{ "GET", "", 201, "ETag: \"a\"", false, HF_CACHE_NOT_FRESHNESS },
		{ "GET", "", 200, "A: 1", false, HF_CACHE_NOT_FRESHNESS },
		{ "GET", "", 200, AGED ", no-cache", false, HF_CACHE_NOT_FRESHNESS },
		{ "GET", "", 200, "Cache-Control: s-maxage=9", true, HF_CACHE_NOT_FRESHNESS },
		{ "GET", "", 416, AGED, false, HF_CACHE_NOT_STATUS },
		{ "GET", "", 199, AGED, false, HF_CACHE_NOT_STATUS },
		{ "GET", "", 600, AGED, false, HF_CACHE_NOT_STATUS },
		{ "GET", "", 299, AGED ", must-understand", false, HF_CACHE_NOT_STATUS },
		{ "GET", "", 200, AGED ", no-store", false, HF_CACHE_NOT_NO_STORE },
		{ "GET", "Cache-Control: no-store", 200, AGED, false, HF_CACHE_NOT_NO_STORE },
		{ "GET", "Cache-Control: no-store", 200, AGED ", must-understand", false,
		  HF_CACHE_NOT_NO_STORE },
		{ "GET", "", 200, AGED ", private", false, HF_CACHE_NOT_PRIVATE },
		{ "GET", "", 200, AGED ", private", true, HF_CACHE_STORE },
		{ "GET", "Authorization: x", 200, AGED, false, HF_CACHE_NOT_AUTHORIZATION },
		{ "GET", "Authorization: x", 200, AGED, true, HF_CACHE_STORE },
		{ "GET", "", 200, AGED "\nVary: *", false, HF_CACHE_NOT_VARY },
		{ "HEAD", "", 200, AGED, false, HF_CACHE_NOT_METHOD },
		{ "get", "", 200, AGED, false, HF_CACHE_NOT_METHOD },
		{ "POST", "", 200, AGED "\nContent-Location: /a", false, HF_CACHE_STORE },
		{ "POST", "", 303, AGED "\nContent-Location: /a", false, HF_CACHE_NOT_METHOD },
		{ "POST", "", 200, AGED "\nContent-Location: /a?", false, HF_CACHE_NOT_METHOD },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		each_answer(&rows[i]);
	assert_string_equal(hf_cache_refusal_name(HF_CACHE_STORE), "");
	assert_string_equal(hf_cache_refusal_name(HF_CACHE_NOT_VARY), "vary");
}

static void a_private_cache_keeps_what_is_private(void **state)
{
	struct hf_cache_rules rules = { .is_private = true };
	struct hf_cache_times times = { .wall_ms = 0 };
	struct hf_fields response, out;
	struct hf_arena arena;

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	cache_rig_fields(&arena, "Cache-Control: private=\"a\", no-cache=\"b\"\na: 1\nb: 1", 0,
			 &response);
	assert_int_equal(hf_cache_stored_fields(&rules, &response, &times, &arena, &out), 0);
	assert_int_equal(out.n, 2); /* and no Date, since nobody knows it */
	assert_non_null(hf_fields_get(&out, "a"));
	hf_arena_finish(&arena);
}

static bool bypasses(const char *fields)
{
	struct hf_fields asked;
	struct hf_arena arena;
	bool bypass;

	hf_arena_init(&arena, 1 << 12);
	cache_rig_fields(&arena, fields, 0, &asked);
	bypass = hf_cache_bypass(&asked);
	hf_arena_finish(&arena);
	return bypass;
}

static void conditions_on_the_origins_state_go_past_the_cache(void **state)
{
	(void)state;
	assert_true(bypasses("If-Match: \"a\""));
	assert_true(bypasses("If-Unmodified-Since: @0"));
	assert_true(bypasses("Cache-Control: no-store"));
	assert_false(bypasses("Cache-Control: no-store, only-if-cached"));
	assert_false(bypasses("If-None-Match: \"a\"\nRange: bytes=0-1\nCache-Control: no-cache"));
}

/* ---- limits ---- */

static void a_condition_names_at_most_16_tags(void **state)
{
	struct hf_cache_entry entries[40];
	struct hf_fields fields[40], request, out;
	struct hf_arena arena;
	struct hf_span list;
	char text[32];
	size_t i, commas = 0;

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	hf_fields_init(&request, &arena);
	for (i = 0; i < COUNT(entries); i++) {
		snprintf(text, sizeof(text), "ETag: \"%zu\"", i / 2);
		cache_rig_fields(&arena, text, 0, &fields[i]);
		entries[i] = (struct hf_cache_entry){ .status = 200, .fields = &fields[i] };
	}
	assert_int_equal(hf_cache_condition(entries, 40, 30, &request, &arena, &out), 0);
	list = *hf_fields_get(&out, "If-None-Match");
	for (i = 0; i < list.len; i++)
		commas += list.ptr[i] == ',';
	assert_int_equal(commas, 15);
	assert_true(hf_span_starts(list, HF_SPAN("\"15\", \"0\", \"1\"")));
	hf_arena_finish(&arena);
}

static void confirms_by_tag_the_entry_that_has_it(void **state)
{
	struct hf_fields fields[3], answer;
	struct hf_cache_entry entries[3];
	struct hf_arena arena;
	size_t i;
	static const char *const texts[] = { "ETag: \"a\"\nDate: @0", "ETag: \"b\"\nDate: @0",
					     "ETag: W/\"b\"\nDate: @9" };

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	for (i = 0; i < 3; i++) {
		cache_rig_fields(&arena, texts[i], 0, &fields[i]);
		entries[i] = (struct hf_cache_entry){ .status = 200, .fields = &fields[i] };
	}
	cache_rig_fields(&arena, "ETag: \"b\"", 0, &answer);
	assert_int_equal(hf_cache_confirmed(entries, 3, 0, &answer), 1);
	cache_rig_fields(&arena, "ETag: W/\"b\"", 0, &answer);
	assert_int_equal(hf_cache_confirmed(entries, 3, 0, &answer), 2);
	assert_int_equal(hf_cache_confirmed(entries, 3, 1, &answer), 1);
	cache_rig_fields(&arena, "ETag: \"c\"", 0, &answer);
	assert_int_equal(hf_cache_confirmed(entries, 3, 0, &answer), -1);
	cache_rig_fields(&arena, "Last-Modified: @5", 0, &answer);
	assert_int_equal(hf_cache_confirmed(entries, 1, 0, &answer), -1);
	cache_rig_fields(&arena, "Last-Modified: @5", 0, &fields[0]);
	assert_int_equal(hf_cache_confirmed(entries, 1, 0, &answer), 0);
	cache_rig_fields(&arena, "Last-Modified: @6", 0, &answer);
	assert_int_equal(hf_cache_confirmed(entries, 1, 0, &answer), -1);
	cache_rig_fields(&arena, texts[0], 0, &fields[0]);
	cache_rig_fields(&arena, "A: 1", 0, &answer);
	assert_int_equal(hf_cache_confirmed(entries, 3, 0, &answer), -1);
	assert_int_equal(hf_cache_confirmed(entries, 1, 0, &answer), 0);
	assert_int_equal(hf_cache_confirmed(entries, 1, -1, &answer), -1);
	hf_arena_finish(&arena);
}

static void shapes_leave_out_what_is_not_theirs(void **state)
{
	struct hf_cache_freshness freshness = { .age_s = INT64_C(9999999999) };
	struct hf_cache_entry entry = { .status = 200 };
	struct hf_fields stored, out;
	struct hf_arena arena;

	(void)state;
	hf_arena_init(&arena, 1 << 16);
	cache_rig_fields(&arena,
			 "Age: 1\nContent-Length: 9\nContent-Type: a/b\nETag: \"x\"\n"
			 "Cache-Control: max-age=1\nX: 1",
			 0, &stored);
	entry.fields = &stored;
	assert_int_equal(
		hf_cache_answer_fields(&entry, &freshness, HF_CACHE_AS_STORED, &arena, &out), 0);
	assert_int_equal(out.n, 6);
	assert_true(hf_span_eq_str(*hf_fields_get(&out, "Age"), "2147483647"));
	assert_int_equal(hf_cache_answer_fields(&entry, &freshness, HF_CACHE_AS_206, &arena, &out),
			 0);
	assert_int_equal(out.n, 5);
	assert_null(hf_fields_get(&out, "Content-Length"));
	assert_int_equal(hf_cache_answer_fields(&entry, &freshness, HF_CACHE_AS_416, &arena, &out),
			 0);
	assert_int_equal(out.n, 2);
	hf_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(partial),
		cmocka_unit_test(invalidation),
		cmocka_unit_test(each_target_is_told_once),
		cmocka_unit_test(an_unknown_age_is_asked_for),
		cmocka_unit_test(offline_rules_may_take_an_unknown_age),
		cmocka_unit_test(tells_why_it_asks),
		cmocka_unit_test(a_max_stale_of_a_fresh_enough_entry_is_no_stale_answer),
		cmocka_unit_test(stale_if_error_is_of_four_statuses),
		cmocka_unit_test(requests_get_what_they_just_allow),
		cmocka_unit_test(tells_why_it_does_not_store),
		cmocka_unit_test(a_private_cache_keeps_what_is_private),
		cmocka_unit_test(conditions_on_the_origins_state_go_past_the_cache),
		cmocka_unit_test(a_condition_names_at_most_16_tags),
		cmocka_unit_test(confirms_by_tag_the_entry_that_has_it),
		cmocka_unit_test(shapes_leave_out_what_is_not_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
