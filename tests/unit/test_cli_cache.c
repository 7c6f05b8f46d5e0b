/* SPDX-License-Identifier: Apache-2.0 */
/* cache list, show, purge and install; the caches in the status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cli_rig.h"

#define CACHES                                                                            \
	"{\"caches\":[{\"name\":\"shop\",\"kind\":\"http\",\"owner\":\"shop\","           \
	"\"active\":true,\"entries\":12,\"bytes\":345678},"                               \
	"{\"name\":\"0123456789abcdef0123456789abcdef\",\"kind\":\"precache\","           \
	"\"owner\":\"a-worker-with-a-name-that-goes-on-and-on-and-on\",\"active\":false," \
	"\"entries\":100000,\"bytes\":1}],\"estimate\":{\"usage\":345679,\"quota\":1000000}}"

static void caches_fit_into_80_columns(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/caches", JSON("200 OK", CACHES), false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "cache list"), 0);
	assert_non_null(strstr(out_text, "346 kB"));
	assert_non_null(strstr(out_text, "incomplete"));
	assert_non_null(strstr(out_text, "\n346 kB of 1.0 MB in use\n"));
	expect_fits();
	expect(canned, "cache list --json", 0, CACHES "\n");
}

static void entries_come_in_pages(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/caches/a%2Fb/entries?worker=kiosk",
		  JSON("200 OK",
		       "{\"entries\":[{\"url\":\"/a-path-that-is-long-enough-to-be-cut-in-its-middle-"
		       "by-the-table/and-ends-1\",\"status\":200,\"bytes\":4321,\"ageSeconds\":61,"
		       "\"freshSeconds\":539,\"flags\":[]}],\"next\":\"77\"}"),
		  false },
		{ "GET /.holdfast/caches/a%2Fb/entries?worker=kiosk&after=77",
		  JSON("200 OK",
		       "{\"entries\":[{\"url\":\"/\\u001b[2J\",\"status\":404,\"bytes\":0,"
		       "\"ageSeconds\":null,\"freshSeconds\":-5,"
		       "\"flags\":[\"stale\",\"pending-write\"]}],\"next\":null}"),
		  false },
		{ "GET /.holdfast/caches/empty/entries",
		  JSON("200 OK", "{\"entries\":[],\"next\":null}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "cache show a/b --worker kiosk"), 0);
	assert_non_null(strstr(out_text, "and-ends-1"));
	assert_non_null(strstr(out_text, "/\\x1b[2J"));
	assert_non_null(strstr(out_text, "stale, pending-write"));
	expect_fits();
	expect(canned, "cache show empty", 0, "The cache is empty.\n");
	assert_int_equal(run(canned, "cache show"), 2);
}

static void purge_takes_a_cache_or_one_url(void **state)
{
	static const struct canned canned[] = {
		{ "DELETE /.holdfast/caches/shop",
		  JSON("200 OK", "{\"name\":\"shop\",\"kind\":\"http\",\"entries\":12}"), false },
		{ "DELETE /.holdfast/caches/kiosk",
		  JSON("200 OK", "{\"name\":\"01\",\"kind\":\"precache\",\"entries\":1}"), false },
		{ "DELETE /.holdfast/caches/shop/entries?url=%2Fa%3Fb%3D1&ignoreVary=true",
		  JSON("200 OK", "{\"deleted\":1}"), false },
		{ "DELETE /.holdfast/caches/shop/entries?url=%2Fa&ignoreVary=true&ignoreSearch=true",
		  JSON("200 OK", "{\"deleted\":7}"), false },
		{ "DELETE /.holdfast/caches/none", PROBLEM("404 Not Found", "no such cache"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "cache purge shop", 0, "shop: 12 entries were taken out.\n");
	expect(canned, "cache purge kiosk", 0,
	       "kiosk: 1 entry was taken out.\nWhat the worker lists is fetched anew.\n");
	expect(canned, "cache purge shop /a?b=1", 0, "shop: 1 entry was taken out.\n");
	expect(canned, "cache purge shop /a --ignore-search", 0,
	       "shop: 7 entries were taken out.\n");
	expect(canned, "cache purge none", 1, "");
	assert_string_equal(err_text, "holdfast: no such cache\n");
	assert_int_equal(run(canned, "cache purge shop https://a/"), 2);
	assert_int_equal(run(canned, "cache purge shop --ignore-search"), 2);
	assert_int_equal(run(canned, "cache purge shop /a /b"), 2);
	assert_int_equal(run(canned, "cache list shop"), 2);
}

static void one_url_is_shown_with_all_of_its_variants(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/caches/shop/entries?url=%2Fa%3Fb%3D1&ignoreVary=true&all=true",
		  JSON("200 OK",
		       "{\"entries\":[{\"id\":\"77\",\"url\":\"/a?b=1\",\"status\":200,\"bytes\":1,"
		       "\"ageSeconds\":1,\"freshSeconds\":2,\"flags\":[]}],\"next\":null}"),
		  false },
		{ "GET /.holdfast/caches/shop/entries?url=%2Fn&ignoreVary=true&ignoreSearch=true&all=true",
		  JSON("200 OK", "{\"entries\":[],\"next\":null}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "cache show shop /a?b=1"), 0);
	assert_non_null(strstr(out_text, "/a?b=1"));
	expect(canned, "cache show shop /n --ignore-search", 0, "Nothing is stored for it.\n");
	assert_int_equal(run(canned, "cache show shop https://a/"), 2);
	assert_int_equal(run(canned, "cache show shop --ignore-search"), 2);
}

static void install_names_a_worker_or_none(void **state)
{
	static const struct canned canned[] = {
		{ "POST /.holdfast/install?worker=kiosk",
		  JSON("202 Accepted", "{\"state\":\"started\"}"), false },
		{ "POST /.holdfast/install", JSON("202 Accepted", "{\"state\":\"started\"}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "cache install kiosk"), 0);
	assert_int_equal(run(canned, "cache install"), 0);
	expect(canned, "cache install --json", 0, "{\"state\":\"started\"}\n");
}

static void the_status_has_the_caches(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status",
		  JSON("200 OK",
		       "{\"caches\":{\"usage\":1200,\"quota\":1000000,\"entries\":3,\"stored\":4,"
		       "\"evicted\":1,\"full\":false,\"requests\":{\"http\":{\"hits\":1,"
		       "\"validated\":2,\"fallbacks\":3,\"misses\":4},\"named\":{\"hits\":10}},"
		       "\"precache\":[{\"worker\":\"kiosk\",\"state\":\"waiting\",\"files\":5,"
		       "\"done\":4,\"failedUrl\":\"/a\",\"failure\":\"status 404\","
		       "\"nextTryInMs\":5000}]}}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "status"), 0);
	assert_non_null(strstr(
		out_text, "caches       1.2 kB of 1.0 MB in 3 entries\n"
			  "             hits 11, validated 2, fallbacks 3, misses 4, stored 4, "
			  "evicted 1\n"
			  "precache     kiosk waiting, 4 of 5 files\n"
			  "             /a was not to be had: status 404; next try in 5 s\n"));
	expect_fits();
}

static void caches_are_completed(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/caches", JSON("200 OK", CACHES), false },
		{ "GET /.holdfast/status",
		  JSON("200 OK", "{\"caches\":{\"precache\":[{\"worker\":\"kiosk\"}]}}"), false },
		{ NULL, NULL, false },
	};
	char words[256];

	(void)state;
	expect(NULL, "-complete cache p", 0, "purge\n");
	snprintf(words, sizeof(words), "-complete --socket %s cache purge s", socket_path);
	expect(canned, words, 0, "shop\n");
	snprintf(words, sizeof(words), "-complete --socket %s cache install k", socket_path);
	expect(canned, words, 0, "kiosk\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caches_fit_into_80_columns),
		cmocka_unit_test(entries_come_in_pages),
		cmocka_unit_test(purge_takes_a_cache_or_one_url),
		cmocka_unit_test(one_url_is_shown_with_all_of_its_variants),
		cmocka_unit_test(install_names_a_worker_or_none),
		cmocka_unit_test(the_status_has_the_caches),
		cmocka_unit_test(caches_are_completed),
	};

	return cmocka_run_group_tests(tests, cli_rig_make, cli_rig_remove);
}
