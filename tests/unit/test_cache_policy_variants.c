/* SPDX-License-Identifier: Apache-2.0 */
/* Variants, validation and updates; names of rows are those of the public
 * suite's cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cache_rig.h"

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define VARIED(names) "Cache-Control: max-age=5000\nLast-Modified: @-3000\nDate: @0\nVary: " names

/* ---- Vary ---- */

#define VARY(id, names, first, second, how)                         \
	CACHE_CASE(id, { .ask = (first), .answer = VARIED(names) }, \
		   { .ask = (second), .end = (how) })
#define LANGUAGE(id, second)                                                               \
	VARY(id, "Accept-Language", "Accept-Language: en, de", "Accept-Language: " second, \
	     END_CACHED)

static void vary(void **state)
{
	static const struct cache_case cases[] = {
		VARY("vary-match", "Foo", "Foo: 1", "Foo: 1", END_CACHED),
		VARY("vary-no-match", "Foo", "Foo: 1", "Foo: 2", END_MISS),
		VARY("vary-omit-stored", "Foo", "", "Foo: 1", END_MISS),
		VARY("vary-omit", "Foo", "Foo: 1", "", END_MISS),
		CACHE_CASE("vary-invalidate",
			   { .ask = "Foo: 1", .answer = VARIED("Foo"), .body = "foo_1" },
			   { .ask = "Foo: 2",
			     .answer = VARIED("Foo"),
			     .body = "foo_2",
			     .end = END_MISS },
			   { .ask = "Foo: 1", .end = END_CACHED, .expect_body = "foo_1" },
			   { .ask = "Foo: 2", .end = END_CACHED, .expect_body = "foo_2" }),
		VARY("vary-cache-key", "Foo", "Foo: 1\nOther: 2", "Foo: 1\nOther: 3", END_CACHED),
		VARY("vary-2-match", "Foo, Bar", "Foo: 1\nBar: abc", "Foo: 1\nBar: abc",
		     END_CACHED),
		VARY("vary-2-no-match", "Foo, Bar", "Foo: 1\nBar: abc", "Foo: 2\nBar: abc",
		     END_MISS),
		VARY("vary-2-match-omit", "Foo, Bar", "Foo: 1\nBar: abc", "", END_MISS),
		VARY("vary-3-match", "Foo, Bar, Baz", "Foo: 1\nBar: abc\nBaz: 789",
		     "Foo: 1\nBar: abc\nBaz: 789", END_CACHED),
		VARY("vary-3-no-match", "Foo, Bar, Baz", "Foo: 1\nBar: abc\nBaz: 789",
		     "Foo: 2\nBar: abc\nBaz: 789", END_MISS),
		VARY("vary-3-order", "Foo, Bar, Baz", "Foo: 1\nBar: abc\nBaz: 789",
		     "Foo: 1\nBaz: 789\nBar: abcde", END_MISS),
		VARY("vary-3-omit", "Foo, Bar, Baz", "Foo: 1\nBaz: 789", "Foo: 1\nBaz: 789",
		     END_CACHED),
		VARY("vary-star", "*", "Foo: 1\nBaz: 789", "Foo: 1\nBaz: 789", END_MISS),
		VARY("vary-normalise-combine", "Foo", "Foo: 1, 2", "Foo: 1\nFoo: 2", END_CACHED),
		LANGUAGE("vary-normalise-lang-order", "de, en"),
		LANGUAGE("vary-normalise-lang-case", "eN, De"),
		LANGUAGE("vary-normalise-lang-space", " en ,   de"),
		VARY("vary-normalise-lang-select", "Accept-Language\nContent-Language: de",
		     "Accept-Language: en, de", "Accept-Language: fr;q=0.5, de;q=1.0", END_CACHED),
		VARY("vary-normalise-space", "Foo", "Foo: 1,2", "Foo:  1, 2 ", END_CACHED),
		VARY("the language is not the best", "Accept-Language\nContent-Language: de",
		     "Accept-Language: en, de", "Accept-Language: fr, de", END_MISS),
		VARY("other weights", "Accept-Language", "Accept-Language: en, de;q=0.5",
		     "Accept-Language: en;q=0.5, de", END_MISS),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define STARS(id, names) VARY(id, names, "Foo: 1\nBaz: 789", "Foo: 1\nBaz: 789", END_MISS)

static void vary_parse(void **state)
{
	static const struct cache_case cases[] = {
		STARS("vary-syntax-star", "*"),
		STARS("vary-syntax-star-star", "*, *"),
		STARS("vary-syntax-star-star-lines", "*\nVary: *"),
		STARS("vary-syntax-empty-star", ", *"),
		STARS("vary-syntax-empty-star-lines", "\nVary: *"),
		STARS("vary-syntax-star-foo", "*, Foo"),
		STARS("vary-syntax-foo-star", "Foo, *"),
		STARS("no name", "Foo Bar"),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void the_newest_date_wins(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("the later answer is older",
			   { .ask = "Foo: 1",
			     .body = "new",
			     .answer = "Cache-Control: max-age=900\nDate: @0\nVary: Foo" },
			   { .ask = "Foo: 1\nBar: 1\nCache-Control: no-cache",
			     .body = "old",
			     .answer = "Cache-Control: max-age=900\nDate: @-60\nVary: Bar" },
			   { .ask = "Foo: 1\nBar: 1", .end = END_CACHED, .expect_body = "new" }),
		CACHE_CASE("of the same second the last that came",
			   { .ask = "Foo: 1",
			     .body = "first",
			     .answer = "Cache-Control: max-age=900\nDate: @0\nVary: Foo",
			     .pause_s = 1 },
			   { .ask = "Foo: 1\nBar: 1\nCache-Control: no-cache",
			     .body = "last",
			     .answer = "Cache-Control: max-age=900\nDate: @-1\nVary: Bar" },
			   { .ask = "Foo: 1\nBar: 1", .end = END_CACHED, .expect_body = "last" }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* ---- conditions of clients ---- */

#define TAGGED(tag) "Cache-Control: max-age=100000\nDate: @0\nETag: " tag
#define ASKS(id, tag, list)                                     \
	CACHE_CASE(id, { .answer = TAGGED(tag), .pause_s = 3 }, \
		   { .ask = "If-None-Match: " list, .end = END_CACHED, .expect_status = 304 })

static void conditional_etag_answers(void **state)
{
	static const struct cache_case cases[] = {
		ASKS("conditional-etag-strong-respond", "\"abcdef\"", "\"abcdef\""),
		CACHE_CASE("conditional-304-etag",
			   { .answer = TAGGED("\"abcdef\"") "\nContent-Type: text/html" },
			   { .ask = "If-None-Match: \"abcdef\"",
			     .expect_status = 304,
			     .expect = "ETag: \"abcdef\"",
			     .expect_not = "Content-Type",
			     .end = END_CACHED }),
		CACHE_CASE("conditional-etag-precedence",
			   { .answer = TAGGED("\"abcdef\"") "\nLast-Modified: @-5000" },
			   { .ask = "If-None-Match: \"abcdef\"\nIf-Modified-Since: @-9000",
			     .end = END_CACHED,
			     .expect_status = 304 }),
		CACHE_CASE("the tag differs, the date would do",
			   { .answer = TAGGED("\"abcdef\"") "\nLast-Modified: @-5000" },
			   { .ask = "If-None-Match: \"x\"\nIf-Modified-Since: @-1",
			     .end = END_CACHED,
			     .expect_status = 200 }),
		ASKS("conditional-etag-strong-respond-obs-text", "\"abcdef\xfc\"",
		     "\"abcdef\xfc\""),
		ASKS("conditional-etag-quoted-respond-unquoted", "\"abcdef\"", "abcdef"),
		ASKS("conditional-etag-unquoted-respond-unquoted", "abcdef", "abcdef"),
		ASKS("conditional-etag-unquoted-respond-quoted", "abcdef", "\"abcdef\""),
		ASKS("conditional-etag-weak-respond", "W/\"abcdef\"", "W/\"abcdef\""),
		ASKS("conditional-etag-weak-respond-lowercase", "w/\"abcdef\"", "w/\"abcdef\""),
		ASKS("conditional-etag-weak-respond-backslash", "W\\\"abcdef\"", "W\\\"abcdef\""),
		ASKS("conditional-etag-weak-respond-omit-slash", "W\"abcdef\"", "W\"abcdef\""),
		ASKS("conditional-etag-strong-respond-multiple-first", "\"abcdef\"",
		     "\"abcdef\", \"1234\", \"5678\""),
		ASKS("conditional-etag-strong-respond-multiple-second", "\"abcdef\"",
		     "\"1234\", \"abcdef\", \"5678\""),
		ASKS("conditional-etag-strong-respond-multiple-last", "\"abcdef\"",
		     "\"1234\", \"5678\", \"abcdef\""),
		ASKS("several lines", "\"abcdef\"", "\"1234\"\nIf-None-Match: \"abcdef\""),
		ASKS("a strong tag, asked for as weak", "\"abcdef\"", "W/\"abcdef\""),
		ASKS("any", "\"abcdef\"", "*"),
		ASKS("a comma and a backslash inside", "\"a,b\\\"", "\"x\", \"a,b\\\", \"y\""),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

static void conditional_etag_asks(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("conditional-etag-vary-headers",
			   { .ask = "Abc: 123",
			     .pause_s = 3,
			     .answer = "Expires: @1\nETag: \"abcdef\"\nDate: @0\nVary: Abc" },
			   { .ask = "Abc: 123",
			     .end = END_ETAG_VALIDATED,
			     .expect_sent = "Abc: 123" }),
		CACHE_CASE("conditional-etag-vary-headers-mismatch",
			   { .ask = "Abc: 123",
			     .pause_s = 3,
			     .answer = "Expires: @10000\nETag: \"abcdef\"\nDate: @0\nVary: Abc" },
			   { .ask = "Abc: 456",
			     .end = END_ETAG_VALIDATED,
			     .expect_sent = "If-None-Match: \"abcdef\"" }),
		CACHE_CASE("conditional-etag-strong-generate",
			   { .answer = "Cache-Control: max-age=2\nETag: \"abcdef\"", .pause_s = 3 },
			   { .end = END_ETAG_VALIDATED,
			     .expect_sent = "If-None-Match: \"abcdef\"" }),
		CACHE_CASE("conditional-etag-weak-generate-weak",
			   { .answer = "Cache-Control: max-age=2\nETag: W/\"abcdef\"",
			     .pause_s = 3 },
			   { .end = END_ETAG_VALIDATED,
			     .expect_sent = "If-None-Match: W/\"abcdef\"" }),
		CACHE_CASE("conditional-etag-strong-generate-unquoted",
			   { .answer = "Cache-Control: max-age=2\nETag: abcdef", .pause_s = 3 },
			   { .end = END_ETAG_VALIDATED, .expect_sent = "If-None-Match: abcdef" }),
		CACHE_CASE("conditional-etag-forward",
			   { .ask = "If-None-Match: \"abcdef\"",
			     .end = END_MISS,
			     .expect_sent = "If-None-Match: \"abcdef\"" }),
		CACHE_CASE("conditional-etag-forward-unquoted",
			   { .ask = "If-None-Match: abcdef",
			     .end = END_MISS,
			     .expect_sent = "If-None-Match: abcdef" }),
		CACHE_CASE("the client's own conditions and range stay here",
			   { .answer = "Cache-Control: max-age=2\nETag: \"a\"\nLast-Modified: @-9",
			     .pause_s = 3 },
			   { .ask = "If-None-Match: \"b\"\nRange: bytes=0-1\nIf-Range: \"a\"\nX: 1",
			     .end = END_ETAG_VALIDATED,
			     .expect_status = 206,
			     .expect_sent = "If-None-Match: \"a\"\nIf-Modified-Since: @-12\nX: 1",
			     .expect_unsent = "If-None-Match: \"b\"\nRange\nIf-Range" }),
		CACHE_CASE("a 304 with another strong tag is of nothing stored",
			   { .answer = "Cache-Control: max-age=2\nETag: \"a\"", .pause_s = 3 },
			   { .status = 304, .answer = "ETag: \"b\"", .end = END_MISS }),
		CACHE_CASE("a 304 without a validator is of the one that was asked for",
			   { .answer = "Cache-Control: max-age=2\nETag: \"a\"", .pause_s = 3 },
			   { .status = 304,
			     .answer = "A: 2",
			     .end = END_ETAG_VALIDATED,
			     .expect = "A: 2" }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define MODIFIED "Cache-Control: max-age=100000\nDate: @0\nLast-Modified: @-3000"

static void conditional_lm(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("conditional-lm-fresh", { .answer = MODIFIED },
			   { .ask = "If-Modified-Since: @-3000",
			     .end = END_CACHED,
			     .expect_status = 304 }),
		CACHE_CASE("conditional-lm-fresh-earlier", { .answer = MODIFIED },
			   { .ask = "If-Modified-Since: @-2000",
			     .end = END_CACHED,
			     .expect_status = 304 }),
		CACHE_CASE("changed since", { .answer = MODIFIED },
			   { .ask = "If-Modified-Since: @-4000",
			     .end = END_CACHED,
			     .expect_status = 200 }),
		CACHE_CASE("another status than 200", { .status = 404, .answer = MODIFIED },
			   { .ask = "If-Modified-Since: @-3000",
			     .end = END_CACHED,
			     .expect_status = 404 }),
		CACHE_CASE("no date", { .answer = MODIFIED },
			   { .ask = "If-Modified-Since: yesterday",
			     .end = END_CACHED,
			     .expect_status = 200 }),
		CACHE_CASE("conditional-lm-stale",
			   { .answer = "Cache-Control: max-age=2\nLast-Modified: @-3000",
			     .pause_s = 3 },
			   { .ask = "If-Modified-Since: @-3003",
			     .end = END_DATE_VALIDATED,
			     .expect_status = 304 }),
		CACHE_CASE("without Last-Modified, Date counts",
			   { .answer = "Cache-Control: max-age=900\nDate: @-60" },
			   { .ask = "If-Modified-Since: @-60",
			     .end = END_CACHED,
			     .expect_status = 304 }),
		CACHE_CASE("conditional-lm-fresh-no-lm: older than the answer is 200",
			   { .answer = "Cache-Control: max-age=900\nDate: @0" },
			   { .ask = "If-Modified-Since: @-3000",
			     .end = END_CACHED,
			     .expect_status = 200 }),
		CACHE_CASE("conditional-lm-fresh-rfc850",
			   { .answer = "Cache-Control: max-age=10000\n"
				       "Last-Modified: Tue, 14 Nov 2023 21:23:20 GMT" },
			   { .ask = "If-Modified-Since: Tuesday, 14-Nov-23 21:23:20 GMT",
			     .end = END_CACHED,
			     .expect_status = 304 }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

/* ---- updates ---- */

#define UPDATED(name, a, b, after)                                                              \
	CACHE_CASE("304-etag-update-response-" name,                                            \
		   { .answer = "Date: @0\nCache-Control: max-age=2\nETag: \"e\"\n" name ": " a, \
		     .pause_s = 3 },                                                            \
		   { .answer = "Date: @0\nCache-Control: max-age=2\nETag: \"e\"\n" name ": " b, \
		     .end = END_ETAG_VALIDATED,                                                 \
		     .expect = name ": " after },                                               \
		   { .end = END_CACHED, .expect = name ": " after })
#define REPLACED(name) UPDATED(name, "one", "two", "two")

static void update304(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("304-lm-use-stored-Test-Header",
			   { .answer = "Cache-Control: max-age=2\nTest-Header: A\nDate: @0\n"
				       "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT",
			     .pause_s = 3 },
			   { .answer = "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT\nDate: @0",
			     .end = END_DATE_VALIDATED,
			     .expect = "Test-Header: A" }),
		REPLACED("Test-Header"),
		REPLACED("X-Test-Header"),
		REPLACED("Content-Foo"),
		REPLACED("X-Content-Foo"),
		CACHE_CASE("304-etag-update-response-Cache-Control",
			   { .answer = "Date: @0\nETag: \"e\"\nCache-Control: max-age=1",
			     .pause_s = 3 },
			   { .answer = "Date: @0\nETag: \"e\"\nCache-Control: max-age=3600",
			     .end = END_ETAG_VALIDATED,
			     .pause_s = 9 },
			   { .end = END_CACHED, .expect = "Cache-Control: max-age=3600" }),
		UPDATED("Content-Length", "10", "5", "10"),
		UPDATED("Content-Encoding", "one", "two", "one"),
		UPDATED("Content-Range", "one", "two", "one"),
		UPDATED("Content-Location", "/foo", "/bar", "/bar"),
		UPDATED("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g==",
			"N7UdGUp1E+RbVvZSTy1R8g=="),
		UPDATED("Content-Security-Policy", "default-src 'self'", "default-src",
			"default-src"),
		UPDATED("Content-Type", "text/plain", "text/plain;charset=utf-8",
			"text/plain;charset=utf-8"),
		UPDATED("Clear-Site-Data", "cache", "cookies", "cookies"),
		UPDATED("Expires", "Fri, 01 Jan 2038 01:01:01 GMT", "Mon, 11 Jan 2038 11:11:11 GMT",
			"Mon, 11 Jan 2038 11:11:11 GMT"),
		REPLACED("Public-Key-Pins"),
		UPDATED("Set-Cookie", "a=b", "a=c", "a=c"),
		UPDATED("Set-Cookie2", "a=b", "a=c", "a=c"),
		UPDATED("X-Frame-Options", "deny", "sameorigin", "sameorigin"),
		UPDATED("X-XSS-Protection", "1", "1; mode=block", "1; mode=block"),
		CACHE_CASE(
			"304-etag-update-response-ETag",
			{ .answer = "Date: @0\nCache-Control: max-age=2\nETag: \"abcdef\"",
			  .pause_s = 3 },
			{ .status = 304, .answer = "Date: @0\nETag: \"ghijkl\"", .end = END_MISS }),
		CACHE_CASE(
			"the Age of the first answer is not the second's",
			{ .answer = "Cache-Control: max-age=9\nETag: \"e\"\nAge: 20" },
			{ .answer = "ETag: \"e\"", .end = END_ETAG_VALIDATED, .expect = "Age: 0" },
			{ .end = END_CACHED }),
		CACHE_CASE("a 304's own qualified no-cache and Connection",
			   { .answer = "Cache-Control: max-age=2\nETag: \"e\"\nA: 1\nB: 1",
			     .pause_s = 3 },
			   { .answer =
				     "Cache-Control: max-age=2, no-cache=\"a\"\nETag: \"e\"\nA: 2\n"
				     "B: 2\nConnection: b",
			     .end = END_ETAG_VALIDATED,
			     .expect = "A: 1\nB: 1" }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

#define SHORT "Cache-Control: max-age=2\nTemplate-A: 1"

static void update_head(void **state)
{
	static const struct cache_case cases[] = {
		CACHE_CASE("head-writethrough", { .answer = SHORT, .pause_s = 3 },
			   { .method = "HEAD", .answer = "", .end = END_MISS }),
		CACHE_CASE("head-200-retain", { .answer = SHORT, .pause_s = 3 },
			   { .method = "HEAD", .answer = "", .expect = "Template-A: 1" }),
		CACHE_CASE("head-200-freshness-update", { .answer = SHORT, .pause_s = 3 },
			   { .method = "HEAD", .answer = "Cache-Control: max-age=1000" },
			   { .end = END_CACHED }),
		CACHE_CASE("head-200-update", { .answer = SHORT, .pause_s = 3 },
			   { .method = "HEAD",
			     .answer = "Template-A: 2\nCache-Control: max-age=1000" },
			   { .end = END_CACHED, .expect = "Template-A: 2" }),
		CACHE_CASE("head-410-update", { .answer = SHORT, .pause_s = 1 },
			   { .ask = "Cache-Control: no-cache",
			     .method = "HEAD",
			     .status = 410,
			     .answer = "Cache-Control: max-age=1000" },
			   { .answer = SHORT, .end = END_MISS }),
		CACHE_CASE("another length", { .answer = SHORT, .pause_s = 3 },
			   { .method = "HEAD",
			     .answer = "Content-Length: 11\nCache-Control: max-age=1000" },
			   { .answer = SHORT, .end = END_MISS }),
		CACHE_CASE("another tag", { .answer = SHORT "\nETag: \"a\"", .pause_s = 3 },
			   { .method = "HEAD", .answer = "ETag: \"b\"\nCache-Control: max-age=9" },
			   { .status = 200, .answer = "ETag: \"b\"", .end = END_ASKED }),
		CACHE_CASE("a HEAD of a fresh answer", { .answer = SHORT },
			   { .method = "HEAD", .end = END_CACHED }),
	};

	(void)state;
	assert_int_equal(cache_rig_run(cases, COUNT(cases)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vary),
		cmocka_unit_test(vary_parse),
		cmocka_unit_test(the_newest_date_wins),
		cmocka_unit_test(conditional_etag_answers),
		cmocka_unit_test(conditional_etag_asks),
		cmocka_unit_test(conditional_lm),
		cmocka_unit_test(update304),
		cmocka_unit_test(update_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
