/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of `holdfast queue`.
 */
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

/* ---- queue ---- */

#define ID_A "01J0000000000000000000000A"
#define ID_B "01J0000000000000000000000B"
#define ID_C "01J0000000000000000000000C"

#define LIST "GET /.holdfast/requests?limit=500&state=queued,inflight,held,dead"

static const struct canned two_pages[] = {
	{ LIST,
	  JSON("200 OK",
	       "{\"requests\":[{\"id\":\"" ID_A "\",\"state\":\"queued\",\"lane\":\"orders\","
	       "\"method\":\"POST\",\"url\":\"/api/orders\",\"ageSeconds\":59,"
	       "\"nextAttemptInMs\":19500}],\"next\":\"" ID_A "\"}"),
	  false },
	{ LIST "&after=" ID_A,
	  JSON("200 OK",
	       "{\"requests\":[{\"id\":\"" ID_B
	       "\",\"state\":\"held\",\"lane\":\"a lane with a very "
	       "long name\",\"method\":\"POST\",\"url\":\"/a/long/\\u001b[31m/path/of/an/order\","
	       "\"ageSeconds\":7300,\"nextAttemptInMs\":null}],\"next\":null}"),
	  false },
	{ NULL, NULL, false },
};

static void a_list_follows_its_pages(void **state)
{
	(void)state;
	expect(two_pages, "queue list", 0,
	       "ID                          STATE   LANE        AGE  NEXT  REQUEST\n"
	       "01J0000000000000000000000A  queued  orders     59 s  20 s  POST /api/orders\n"
	       "01J0000000000000000000000B  held    a lane ..   2 h     -  POST /a/long/\\x1b[3..\n");
	expect_fits();
	assert_int_equal(run(two_pages, "queue list --json"), 0);
	assert_non_null(strstr(out_text, "\\u001b[31m"));
	assert_string_equal(log_text, LIST " HTTP/1.1\n" LIST "&after=" ID_A " HTTP/1.1\n");
}

static void an_empty_queue_says_so(void **state)
{
	static const struct canned canned[] = {
		{ LIST, JSON("200 OK", "{\"requests\":[],\"next\":null}"), false },
		{ "GET /.holdfast/requests?limit=500&state=held&lane=a%26b%2F%C3%A9",
		  JSON("200 OK", "{\"requests\":[],\"next\":null}"), false },
		{ "GET /.holdfast/requests?limit=500",
		  JSON("200 OK", "{\"requests\":[],\"next\":null}"), false },
		{ LIST "&lane=x", JSON("200 OK", "{\"requests\":[],\"next\":null}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "queue list", 0, "The queue is empty.\n");
	expect(canned, "queue list --lane a&b/\xc3\xa9 --state held", 0,
	       "No request is held in lane a&b/\xc3\xa9.\n");
	expect(canned, "queue list --state all", 0, "No request is known.\n");
	expect(canned, "queue list --lane x", 0, "The queue holds nothing in lane x.\n");
}

static void show_tells_all_about_one(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/requests/" ID_A,
		  JSON("200 OK",
		       "{\"id\":\"" ID_A
		       "\",\"tag\":\"orders\",\"lane\":\"till\",\"origin\":\"shop\","
		       "\"method\":\"POST\",\"url\":\"/api/orders\",\"state\":\"held\","
		       "\"reason\":\"auth\",\"attempts\":3,\"createdAt\":\"2026-11-21T02:45:00Z\","
		       "\"ageSeconds\":185,\"nextAttemptInMs\":null,\"idempotencyKey\":\"k-1\","
		       "\"response\":{\"status\":401}}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "queue show " ID_A, 0,
	       "id            " ID_A "\n"
	       "state         held: auth\n"
	       "method        POST\n"
	       "url           /api/orders\n"
	       "origin        shop\n"
	       "lane          till\n"
	       "tag           orders\n"
	       "key           k-1\n"
	       "accepted      2026-11-21T02:45:00Z, 3 min ago\n"
	       "attempts      3\n"
	       "answer        401\n");
	assert_int_equal(run(canned, "queue show " ID_B), 1);
	assert_string_equal(err_text, "holdfast: the test has no answer\n");
	assert_int_equal(run(canned, "queue show 17"), 2);
}

static void cancel_and_retry_change_one(void **state)
{
	static const struct canned canned[] = {
		{ "DELETE /.holdfast/requests/" ID_A, "HTTP/1.1 204 No Content\r\n\r\n", false },
		{ "DELETE /.holdfast/requests/" ID_B, PROBLEM("409 Conflict", "it is in flight"),
		  false },
		{ "POST /.holdfast/requests/" ID_A "/retry",
		  JSON("200 OK", "{\"id\":\"" ID_A "\"}"), false },
		{ "POST /.holdfast/requests/" ID_B "/retry",
		  JSON("200 OK", "{\"id\":\"" ID_C "\",\"state\":\"queued\"}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "queue cancel " ID_A, 0, ID_A " is cancelled.\n");
	expect(canned, "queue cancel " ID_B, 1, "");
	assert_string_equal(err_text, "holdfast: it is in flight\n");
	expect(canned, "--json queue cancel " ID_B, 1,
	       "{\"title\":\"No\",\"detail\":\"it is in "
	       "flight\"}\n");
	expect(canned, "queue retry " ID_A, 0, ID_A " is queued again.\n");
	expect(canned, "queue retry " ID_B, 0, ID_B " is queued again as " ID_C ".\n");
}

#define DEAD "GET /.holdfast/requests?limit=500&state=dead"

static void all_of_a_state_are_retried(void **state)
{
	static const struct canned canned[] = {
		{ DEAD,
		  JSON("200 OK", "{\"requests\":[{\"id\":\"" ID_A "\"},{\"id\":\"" ID_B "\"},"
				 "{\"id\":\"../x\"}],\"next\":null}"),
		  false },
		{ "POST /.holdfast/requests/" ID_A "/retry",
		  PROBLEM("507 Insufficient Storage", "full"), false },
		{ "POST /.holdfast/requests/" ID_B "/retry",
		  JSON("200 OK", "{\"id\":\"" ID_C "\"}"), false },
		{ NULL, NULL, false },
	};
	static const struct canned none[] = {
		{ DEAD, JSON("200 OK", "{\"requests\":[],\"next\":null}"), false },
		{ NULL, NULL, false },
	};
	static const struct canned held[] = {
		{ "GET /.holdfast/requests?limit=500&state=held",
		  JSON("200 OK", "{\"requests\":[{\"id\":\"" ID_A "\"}],\"next\":null}"), false },
		{ "POST /.holdfast/requests/" ID_A "/retry",
		  JSON("200 OK", "{\"id\":\"" ID_A "\"}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(held, "queue retry --held", 0, ID_A " is queued again.\n");
	expect(canned, "queue retry --dead", 1, ID_B " is queued again as " ID_C ".\n");
	assert_string_equal(err_text, "holdfast: full\n");
	expect(none, "queue retry --dead", 0, "No request is dead.\n");
}

static void an_export_is_whole_or_fails(void **state)
{
	static const struct canned whole[] = {
		{ "GET /.holdfast/export",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "8\r\n{\"a\":1}\n\r\n8\r\n{\"a\":2}\n\r\n0\r\n\r\n",
		  false },
		{ NULL, NULL, false },
	};
	static const struct canned cut[] = {
		{ "GET /.holdfast/export",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n8\r\n{",
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(whole, "queue export", 0, "{\"a\":1}\n{\"a\":2}\n");
	expect(cut, "queue export", 3, "{\"a\":1}\n{");
	assert_string_equal(err_text, "holdfast: the answer was cut short\n");
}

static void an_id_may_be_shortened(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/requests?limit=500",
		  JSON("200 OK", "{\"requests\":[{\"id\":\"" ID_A "\"},{\"id\":\"" ID_B
				 "\"},{\"id\":\"01K0000000000000000000000D\"}],\"next\":null}"),
		  false },
		{ "DELETE /.holdfast/requests/01K0000000000000000000000D", JSON("200 OK", "{}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "queue cancel 01k000", 0, "01K0000000000000000000000D is cancelled.\n");
	expect(canned, "queue show 01J000", 1, "");
	assert_string_equal(err_text, "holdfast: 01J000 is the beginning of 2 ids: " ID_A ", " ID_B
				      ". Give more of it\n");
	expect(canned, "queue show 01Z000", 1, "");
	assert_non_null(strstr(err_text, "no request has an id that begins with 01Z000"));
}

static void an_archive_is_one_document(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status",
		  JSON("200 OK",
		       "{\"origins\":[{\"name\":\"shop\",\"url\":\"https://shop.example/\"}]}"),
		  false },
		{ "GET /.holdfast/export?state=dead",
		  JSON("200 OK",
		       "{\"id\":\"" ID_A
		       "\",\"state\":\"dead\",\"origin\":\"shop\",\"method\":\"POST\","
		       "\"url\":\"/api/x?y=1\",\"createdAt\":\"2026-11-21T02:45:00Z\","
		       "\"fields\":[[\"Content-Type\",\"text/plain\"]],\"body\":\"aGVsbG8=\"}\n"
		       "{\"id\":\"" ID_B
		       "\",\"origin\":\"gone\",\"fields\":[],\"body\":\"//4=\"}\n"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "queue export --har --state dead"), 0);
	assert_non_null(strstr(out_text, "{\"log\":{\"version\":\"1.2\",\"creator\":"));
	assert_non_null(strstr(out_text, "\"url\":\"https://shop.example/api/x?y=1\""));
	assert_non_null(
		strstr(out_text, "\"postData\":{\"mimeType\":\"text/plain\",\"text\":\"hello\"}"));
	assert_non_null(strstr(out_text, "\"text\":\"//4=\",\"_encoding\":\"base64\""));
	assert_non_null(strstr(out_text, "\"_holdfast\":{\"id\":\"" ID_A "\",\"state\":\"dead\""));
	assert_non_null(strstr(out_text, "\n]}}\n"));
}

/* ---- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_follows_its_pages),
		cmocka_unit_test(an_empty_queue_says_so),
		cmocka_unit_test(show_tells_all_about_one),
		cmocka_unit_test(cancel_and_retry_change_one),
		cmocka_unit_test(all_of_a_state_are_retried),
		cmocka_unit_test(an_export_is_whole_or_fails),
		cmocka_unit_test(an_id_may_be_shortened),
		cmocka_unit_test(an_archive_is_one_document),
	};

	return cmocka_run_group_tests(tests, cli_rig_make, cli_rig_remove);
}
