/* SPDX-License-Identifier: Apache-2.0 */
/* What may be stored and used again; names of rows are those of the public
 * suite's cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cache_rig.h"

#define COUNT(a)	   (sizeof(a) / sizeof((a)[0]))
#define FRESH		   "Expires: @100000\nCache-Control: max-age=100000\nLast-Modified: @0\nDate: @0"
#define STALE		   "Expires: @-5000\nLast-Modified: @-100000\nDate: @0"
#define NOW(id, text, how) CACHE_CASE(id, { .answer = (text) }, { .end = (how) })

static void cc_request(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("ccreq-ma0", { .answer = FRESH, .pause_s = 3 },
			   { .ask = "Cache-Control: max-age=0", .end = END_DATE_VALIDATED }),
		CACHE_CASE("ccreq-ma0 at once", { .answer = "Cache-Control: max-age=3600" },
			   { .ask = "Cache-Control: max-age=0", .end = END_MISS }),
		CACHE_CASE("ccreq-ma1", { .answer = FRESH, .pause_s = 3 },
			   { .ask = "Cache-Control: max-age=1", .end = END_DATE_VALIDATED }),
		CACHE_CASE("ccreq-magreaterage",
			   { .answer = "Cache-Control: max-age=3600\nAge: 1800" },
			   { .ask = "Cache-Control: max-age=600", .end = END_MISS }),
		CACHE_CASE("ccreq-max-stale",
			   { .answer = "Cache-Control: max-age=1", .pause_s = 3 },
			   { .ask = "Cache-Control: max-stale=1000", .end = END_CACHED }),
		CACHE_CASE("ccreq-max-stale-age",
			   { .answer = "Cache-Control: max-age=1500\nAge: 2000" },
			   { .ask = "Cache-Control: max-stale=1000", .end = END_CACHED }),
		CACHE_CASE("max-stale without a number",
			   { .answer = "Cache-Control: max-age=1", .pause_s = 9999 },
			   { .ask = "Cache-Control: max-stale", .end = END_CACHED }),
		CACHE_CASE("max-stale does not reach",
			   { .answer = "Cache-Control: max-age=1", .pause_s = 9 },
			   { .ask = "Cache-Control: max-stale=7", .end = END_MISS }),
		CACHE_CASE("must-revalidate is above max-stale",
			   { .answer = "Cache-Control: max-age=1, must-revalidate", .pause_s = 3 },
			   { .ask = "Cache-Control: max-stale", .end = END_MISS }),
		CACHE_CASE("ccreq-min-fresh", { .answer = "Cache-Control: max-age=1500" },
			   { .ask = "Cache-Control: min-fresh=2000", .end = END_MISS }),
		CACHE_CASE("ccreq-min-fresh-age",
			   { .answer = "Cache-Control: max-age=1500\nAge: 1000" },
			   { .ask = "Cache-Control: min-fresh=1000", .end = END_MISS }),
		CACHE_CASE("ccreq-no-cache", { .answer = "Cache-Control: max-age=3600" },
			   { .ask = "Cache-Control: no-cache", .end = END_MISS }),
		CACHE_CASE(
			"ccreq-no-cache-lm",
			{ .answer =
				  "Cache-Control: max-age=3600\nLast-Modified: @-10000\nDate: @0" },
			{ .ask = "Cache-Control: no-cache", .end = END_DATE_VALIDATED }),
		CACHE_CASE("ccreq-no-cache-etag",
			   { .answer = "Cache-Control: max-age=3600\nETag: abc" },
			   { .ask = "Cache-Control: no-cache", .end = END_ETAG_VALIDATED }),
		CACHE_CASE("ccreq-no-store", { .answer = "Cache-Control: max-age=3600" },
			   { .ask = "Cache-Control: no-store", .end = END_MISS }),
		CACHE_CASE("no-store in a request keeps its answer out",
			   { .ask = "Cache-Control: no-store",
			     .answer = "Cache-Control: max-age=3600" },
			   { .end = END_MISS }),
		CACHE_CASE("ccreq-oic", { .ask = "Cache-Control: only-if-cached",
					  .end = END_TIMEOUT,
					  .expect_status = 504 }),
		CACHE_CASE("only-if-cached of a fresh answer", { .answer = FRESH },
			   { .ask = "Cache-Control: only-if-cached", .end = END_CACHED }),
		CACHE_CASE("only-if-cached of a stale answer",
			   { .answer = "Cache-Control: max-age=1\nETag: \"a\"", .pause_s = 3 },
			   { .ask = "Cache-Control: only-if-cached", .end = END_TIMEOUT }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define NO_STORE_OLD(id, text)                                                                  \
	CACHE_CASE(id,                                                                          \
		   { .answer = "Cache-Control: max-age=10000\nExpires: @10000\nDate: @0\nA: 1", \
		     .pause_s = 3 },                                                            \
		   { .answer = text, .end = END_CACHED, .pause_s = 3 },                         \
		   { .end = END_CACHED, .expect = "A: 1" })

static void cc_response(void **state)
{
	static const struct cache_case cases[] = {
		NOW("cc-resp-private-shared", "Cache-Control: private, max-age=3600", END_MISS),
		NOW("cc-resp-no-store", "Cache-Control: no-store", END_MISS),
		NOW("cc-resp-no-store-case-insensitive", "Cache-Control: No-StOrE", END_MISS),
		NOW("cc-resp-no-store-fresh",
		    "Cache-Control: max-age=10000, no-store\nExpires: @10000\nDate: @0", END_MISS),
		NO_STORE_OLD("cc-resp-no-store-old-new", "Cache-Control: no-store\nDate: @0\nA: 2"),
		NO_STORE_OLD("cc-resp-no-store-old-max-age",
			     "Cache-Control: no-store, max-age=0\nDate: @0\nA: 2"),
		NOW("cc-resp-no-cache",
		    "Cache-Control: max-age=10000, no-cache\nExpires: @10000\nDate: @0", END_MISS),
		NOW("cc-resp-no-cache-case-insensitive",
		    "Cache-Control: max-age=10000, No-CaChE\nExpires: @10000\nDate: @0", END_MISS),
		NOW("cc-resp-no-cache-revalidate", "Cache-Control: no-cache\nETag: \"abcd\"",
		    END_ETAG_VALIDATED),
		NOW("cc-resp-no-cache-revalidate-fresh",
		    "Cache-Control: max-age=10000, no-cache\nExpires: @10000\nDate: @0\nETag: \"abcd\"",
		    END_ETAG_VALIDATED),
		CACHE_CASE("headers-omit-headers-listed-in-Cache-Control-no-cache-single",
			   { .answer = "Cache-Control: no-cache=\"a\"\na: 1\nb: 2\n"
				       "Cache-Control: max-age=3600\nDate: @0",
			     .pause_s = 3 },
			   { .end = END_CACHED, .expect = "b: 2", .expect_not = "a" }),
		CACHE_CASE("headers-omit-headers-listed-in-Cache-Control-no-cache",
			   { .answer = "Cache-Control: no-cache=\"a, b\"\na: 1\nb: 2\nc: 3\n"
				       "Cache-Control: max-age=3600\nDate: @0",
			     .pause_s = 3 },
			   { .end = END_CACHED, .expect = "c: 3", .expect_not = "a\nb" }),
		CACHE_CASE("a qualified private",
			   { .answer = "Cache-Control: private=\"a\", max-age=3600\na: 1\nb: 2" },
			   { .end = END_CACHED, .expect = "b: 2", .expect_not = "a" }),
		NOW("cc-resp-must-revalidate-fresh",
		    "Cache-Control: max-age=10000, must-revalidate\nETag: \"abcd\"", END_CACHED),
		CACHE_CASE("cc-resp-must-revalidate-stale",
			   { .answer = "Cache-Control: max-age=2, must-revalidate\nETag: \"abcd\"" },
			   { .end = END_CACHED, .pause_s = 3 }, { .end = END_ETAG_VALIDATED }),
		CACHE_CASE("cc-resp-immutable-fresh",
			   { .answer = "Cache-Control: max-age=10000, immutable\nETag: \"abcd\"",
			     .pause_s = 3 },
			   { .end = END_CACHED }),
		CACHE_CASE("cc-resp-immutable-stale",
			   { .answer = "Cache-Control: max-age=2, immutable\nETag: \"abcd\"",
			     .pause_s = 3 },
			   { .end = END_ETAG_VALIDATED }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* Pragma is of requests, and there only without Cache-Control. */
static void pragma(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("pragma-request-no-cache", { .answer = "Cache-Control: max-age=3600" },
			   { .ask = "Pragma: no-cache", .end = END_MISS }),
		CACHE_CASE("beside Cache-Control", { .answer = "Cache-Control: max-age=3600" },
			   { .ask = "Pragma: no-cache\nCache-Control: max-stale",
			     .end = END_CACHED }),
		CACHE_CASE("pragma-request-extension", { .answer = "Cache-Control: max-age=3600" },
			   { .ask = "Pragma: unrecognised-extension", .end = END_CACHED }),
		NOW("pragma-response-no-cache", "Cache-Control: max-age=3600\nPragma: no-cache",
		    END_CACHED),
		NOW("pragma-response-no-cache-heuristic",
		    "Last-Modified: @-10000\nPragma: no-cache", END_CACHED),
		NOW("pragma-response-extension",
		    "Cache-Control: max-age=3600\nPragma: unrecognised-extension", END_CACHED),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define AUTHORIZED(id, text, how)                                                     \
	CACHE_CASE(id, { .ask = "Authorization: FOO", .answer = text, .pause_s = 3 }, \
		   { .end = (how) })

static void auth(void **state)
{
	static const struct cache_case cases[] = {
		AUTHORIZED("other-authorization", "Cache-Control: max-age=3600\nETag: \"a\"",
			   END_MISS),
		AUTHORIZED("other-authorization-public",
			   "Cache-Control: max-age=3600, public\nDate: @0", END_CACHED),
		AUTHORIZED("other-authorization-must-revalidate",
			   "Cache-Control: max-age=3600, must-revalidate\nDate: @0", END_CACHED),
		AUTHORIZED("other-authorization-smaxage", "Cache-Control: s-maxage=3600\nDate: @0",
			   END_CACHED),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define STATUS(code)                                                                        \
	CACHE_CASE("status-" #code "-fresh", { .status = (code), .answer = FRESH },         \
		   { .end = END_CACHED, .expect_status = (code) }),                         \
		CACHE_CASE("status-" #code "-stale", { .status = (code), .answer = STALE }, \
			   { .end = (code) == 200 ? END_DATE_VALIDATED : END_ASKED })

static void status(void **state)
{
	static const struct cache_case cases[] = {
		STATUS(200),
		STATUS(203),
		STATUS(204),
		STATUS(299),
		STATUS(301),
		STATUS(302),
		STATUS(303),
		STATUS(307),
		STATUS(308),
		STATUS(400),
		STATUS(404),
		STATUS(410),
		STATUS(499),
		STATUS(500),
		STATUS(502),
		STATUS(503),
		STATUS(504),
		STATUS(599),
		CACHE_CASE("status-599-must-understand",
			   { .status = 599,
			     .answer = "Cache-Control: max-age=3600, no-store, must-understand" },
			   { .end = END_MISS }),
		CACHE_CASE("status-200-must-understand",
			   { .answer = "Cache-Control: max-age=3600, no-store, must-understand" },
			   { .end = END_CACHED }),
		CACHE_CASE("206 is not stored",
			   { .status = 206, .answer = FRESH "\nContent-Range: bytes 0-9/20" },
			   { .end = END_MISS }),
		CACHE_CASE("304 is not stored",
			   { .ask = "If-None-Match: \"x\"", .status = 304, .answer = FRESH },
			   { .end = END_MISS }),
		CACHE_CASE("interim-not-cached", { .status = 103, .answer = FRESH },
			   { .answer = "", .end = END_MISS }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void other(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("other-age-gen", { .answer = FRESH, .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Age: 3" }),
		CACHE_CASE("other-age-update-expires",
			   { .answer = "Expires: @2592000\nDate: @0\nAge: 30", .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Age: 33", .expect_not = "Age: 30" }),
		CACHE_CASE("other-age-update-max-age",
			   { .answer = FRESH "\nAge: 30", .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Age: 33" }),
		CACHE_CASE("other-date-update", { .answer = FRESH, .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Date: @-3" }),
		CACHE_CASE("other-date-update-expires",
			   { .answer = "Expires: @2592000\nDate: @0", .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Date: @-3\nExpires: @2591997" }),
		CACHE_CASE("a Date is added",
			   { .answer = "Cache-Control: max-age=9", .pause_s = 3 },
			   { .end = END_CACHED, .expect = "Date: @-3" }),
		CACHE_CASE("query-args-different", { .target = "/a?test=1", .answer = FRESH },
			   { .target = "/a?test=2", .end = END_MISS }),
		CACHE_CASE("query-args-same", { .target = "/a?test=1", .answer = FRESH },
			   { .target = "/a?test=1", .end = END_CACHED }),
		NOW("other-heuristic-content-disposition-attachment",
		    "Last-Modified: @-100000\nDate: @0\n"
		    "Content-Disposition: attachment; filename=example.txt",
		    END_CACHED),
		NOW("other-fresh-content-disposition-attachment",
		    FRESH "\nContent-Disposition: attachment; filename=example.txt", END_CACHED),
		CACHE_CASE("other-set-cookie", { .answer = FRESH "\nSet-Cookie: a=b" },
			   { .end = END_CACHED, .expect = "Set-Cookie: a=b" }),
		CACHE_CASE("other-cookie", { .answer = FRESH },
			   { .ask = "Cookie: a=b", .end = END_CACHED }),
		CACHE_CASE("interim-102", { .answer = "Cache-Control: max-age=100000\nDate: @0" },
			   { .end = END_CACHED }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define POSTED(location) "Expires: @2592000\nDate: @0\nContent-Location: " location

static void method(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("method-POST",
			   { .method = "POST", .answer = POSTED("http://origin.example/a/b") },
			   { .end = END_CACHED }),
		CACHE_CASE("a path", { .method = "POST", .answer = POSTED("/a/b") },
			   { .end = END_CACHED }),
		CACHE_CASE("another path", { .method = "POST", .answer = POSTED("/a/c") },
			   { .end = END_MISS }),
		CACHE_CASE("another origin",
			   { .method = "POST", .answer = POSTED("http://other.example/a/b") },
			   { .end = END_MISS }),
		CACHE_CASE("without freshness",
			   { .method = "POST",
			     .answer = "Last-Modified: @-9000\nDate: @0\nContent-Location: /a/b" },
			   { .end = END_MISS }),
		CACHE_CASE("another method", { .method = "PUT", .answer = POSTED("/a/b") },
			   { .end = END_MISS }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define CLOSED(id, directives)                                                            \
	CACHE_CASE(id, { .answer = "Cache-Control: max-age=2" directives, .pause_s = 3 }, \
		   { .disconnect = true, .end = END_TIMEOUT })
#define OUTLIVED(id, directives, step) \
	CACHE_CASE(id, { .answer = "Cache-Control: max-age=2" directives, .pause_s = 3 }, step)

static void stale(void **state)
{
	static const struct cache_step closed = { .disconnect = true, .end = END_CACHED };
	static const struct cache_step failed = {
		.status = 503, .answer = "", .end = END_CACHED, .expect_status = 200
	};
	struct cache_case cases[] = {
		OUTLIVED("stale-close", "", closed),
		OUTLIVED("stale-sie-close", ", stale-if-error=60", closed),
		OUTLIVED("stale-sie-503", ", stale-if-error=60", failed),
		CLOSED("stale-close-must-revalidate", ", must-revalidate"),
		CLOSED("stale-close-proxy-revalidate", ", proxy-revalidate"),
		CLOSED("stale-close-no-cache", ", no-cache"),
		CLOSED("stale-close-s-maxage=2", ", s-maxage=2"),
		CLOSED("must-revalidate is above stale-if-error",
		       ", must-revalidate, stale-if-error=60"),
		CACHE_CASE("stale-while-revalidate",
			   { .answer = "Cache-Control: max-age=1, stale-while-revalidate=3600\n"
				       "ETag: \"abc\"",
			     .pause_s = 3 },
			   { .end = END_CACHED }),
		CACHE_CASE("stale-while-revalidate-window",
			   { .answer = "Cache-Control: max-age=1, stale-while-revalidate=4\n"
				       "ETag: \"abc\"",
			     .pause_s = 3 },
			   { .end = END_CACHED, .pause_s = 3 }, { .end = END_ETAG_VALIDATED }),
		CACHE_CASE("stale-while-revalidate loses to must-revalidate",
			   { .answer = "Cache-Control: max-age=1, must-revalidate, "
				       "stale-while-revalidate=9",
			     .pause_s = 3 },
			   { .end = END_MISS }),
		CACHE_CASE("a reload while disconnected", { .answer = "Cache-Control: max-age=60" },
			   { .ask = "Cache-Control: no-cache",
			     .disconnect = true,
			     .end = END_TIMEOUT }),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		cases[i].offline_stale = true;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void stale_needs_a_permission(void **state)
{
	static const struct cache_case cases[] = {
		CLOSED("nothing allows it", ""),
		OUTLIVED("stale-503", "",
			 ((struct cache_step){ .status = 503, .answer = "", .end = END_MISS })),
		CACHE_CASE("past the window",
			   { .answer = "Cache-Control: max-age=2, stale-if-error=5", .pause_s = 8 },
			   { .disconnect = true, .end = END_TIMEOUT }),
		CACHE_CASE("the request allows it",
			   { .answer = "Cache-Control: max-age=2", .pause_s = 8 },
			   { .ask = "Cache-Control: stale-if-error=60",
			     .disconnect = true,
			     .end = END_CACHED }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cc_request),
		cmocka_unit_test(cc_response),
		cmocka_unit_test(pragma),
		cmocka_unit_test(auth),
		cmocka_unit_test(status),
		cmocka_unit_test(other),
		cmocka_unit_test(method),
		cmocka_unit_test(stale),
		cmocka_unit_test(stale_needs_a_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
