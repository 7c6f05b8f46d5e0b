/* SPDX-License-Identifier: Apache-2.0 */
/* lanes, hold, release, health, store; help and completion. */
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

#define LANES                                                                                    \
	"{\"lanes\":[{\"lane\":\"orders\",\"origin\":\"shop\",\"depth\":12,\"held\":1,"          \
	"\"oldestAgeSeconds\":185,\"nextAttemptInMs\":500,\"state\":\"waiting\","                \
	"\"reason\":\"backoff\",\"lastProgressSecondsAgo\":9},"                                  \
	"{\"lane\":\"a lane with a name that is as long as a page could make it, if not more\"," \
	"\"origin\":\"another-origin-of-which-the-name-is-long\",\"depth\":100000,\"held\":0,"   \
	"\"oldestAgeSeconds\":864000,\"nextAttemptInMs\":null,\"state\":\"no-origin\","          \
	"\"reason\":\"unexpected-status\",\"lastProgressSecondsAgo\":null},"                     \
	"{\"lane\":\"\\u5e97\\u5e97\\u5e97\\u5e97\\u5e97\\u5e97\\u5e97\\u5e97\",\"depth\":1}],"  \
	"\"holds\":[{\"origin\":\"shop\",\"lane\":\"orders\",\"ageSeconds\":60,"                 \
	"\"endsInSeconds\":7140},{\"origin\":\"bank\",\"lane\":null,\"ageSeconds\":5,"           \
	"\"endsInSeconds\":null}]}"

static void lanes_fit_into_80_columns(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/lanes", JSON("200 OK", LANES), false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "lanes"), 0);
	assert_non_null(strstr(out_text, "LANE"));
	assert_non_null(strstr(out_text, "backoff"));
	assert_non_null(strstr(out_text, "On hold: lane orders of shop, for 60 s, ends in 119 min\n"
					 "On hold: bank, for 5 s\n"));
	expect_fits();
}

static void lanes_that_begin_alike_can_be_told(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/lanes",
		  JSON("200 OK",
		       "{\"lanes\":[{\"lane\":\"orders/of-the-table-in-the-garden-behind-the-house-1\","
		       "\"origin\":\"an-origin-with-a-long-name\",\"depth\":1,\"state\":\"waiting\"},"
		       "{\"lane\":\"orders/of-the-table-in-the-garden-behind-\\u5e97\\u5e97\\u5e97-22\","
		       "\"origin\":\"an-origin-with-a-long-name\",\"depth\":1,\"state\":\"waiting\"}]}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "lanes"), 0);
	assert_non_null(strstr(out_text, "\norders/"));
	assert_non_null(strstr(out_text, "-1  an-"));
	assert_non_null(strstr(out_text, "-22  an-"));
	expect_fits();
}

static void lanes_are_chosen(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/lanes?lane=a%2Fb&origin=shop&state=paused",
		  JSON("200 OK", "{\"lanes\":[],\"holds\":[]}"), false },
		{ "GET /.holdfast/lanes", JSON("200 OK", "{\"lanes\":[],\"holds\":[]}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "lanes --lane a/b --origin=shop --state paused", 0,
	       "No lane is like this.\n");
	expect(canned, "lanes", 0, "There is no lane: nothing has waited yet.\n");
	expect(canned, "lanes --json", 0, "{\"lanes\":[],\"holds\":[]}\n");
}

static void hold_and_release_say_what_they_did(void **state)
{
	static const struct canned canned[] = {
		{ "POST /.holdfast/holds?lane=orders&for=7200",
		  JSON("200 OK", "{\"origin\":\"shop\",\"lane\":\"orders\",\"endsInSeconds\":7200,"
				 "\"lanes\":1}"),
		  false },
		{ "POST /.holdfast/holds?origin=shop",
		  JSON("200 OK", "{\"origin\":\"shop\",\"lane\":null,\"endsInSeconds\":null,"
				 "\"lanes\":0}"),
		  false },
		{ "DELETE /.holdfast/holds?lane=orders",
		  JSON("200 OK", "{\"origin\":\"shop\",\"lane\":\"orders\"}"), false },
		{ "DELETE /.holdfast/holds", JSON("200 OK", "{\"origin\":null,\"lane\":null}"),
		  false },
		{ "DELETE /.holdfast/holds?lane=none", PROBLEM("404 Not Found", "no such hold"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "hold orders --for 2h", 0,
	       "Lane orders of shop is on hold, which ends in 2 h.\n");
	expect(canned, "hold --origin shop", 0,
	       "Origin shop is on hold.\nNothing is in such a lane now.\n");
	expect(canned, "release orders", 0, "Lane orders of shop is released.\n");
	expect(canned, "release --all", 0, "Everything is released.\n");
	expect(canned, "release none", 1, "");
	assert_string_equal(err_text, "holdfast: no such hold\n");
}

static void health_is_an_exit_code(void **state)
{
	static const struct {
		const char *answer, *out;
		int code;
	} cases[] = {
		{ JSON("200 OK", "{\"health\":{\"state\":\"ok\",\"reasons\":[]}}"), "ok\n", 0 },
		{ JSON("200 OK", "{\"health\":{\"state\":\"degraded\",\"reasons\":[\"a\"]}}"),
		  "degraded: a\n", 5 },
		{ JSON("200 OK",
		       "{\"health\":{\"state\":\"stuck\",\"reasons\":[\"a\",\"\\u001bb\"],"
		       "\"reasonsNotShown\":2}}"),
		  "stuck: a\n  \\x1bb\n  and 2 more\n", 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct canned canned[] = { { "GET /.holdfast/status", cases[i].answer, false },
					   { NULL, NULL, false } };

		expect(canned, "health", cases[i].code, cases[i].out);
		assert_int_equal(run(canned, "health --json"), cases[i].code);
		assert_non_null(strstr(out_text, "{\"state\":\""));
		assert_int_equal(run(canned, "status"), 0);
		assert_ptr_equal(strstr(out_text, cases[i].out), out_text);
	}
	assert_int_equal(run(NULL, "health"), 3);
}

static void the_store_in_figures(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status",
		  JSON("200 OK",
		       "{\"store\":{\"bytes\":1240000,\"fileBytes\":1500000,\"bytesMax\":1073741824,"
		       "\"pages\":2421,\"pageBytes\":512,\"room\":900000000,\"writtenToday\":340000,"
		       "\"writtenTotal\":12000000,\"logPages\":17,\"checkpoints\":3,"
		       "\"lastCheckpointSecondsAgo\":90,\"boots\":4,\"quarantined\":[\"q.db\"]}}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "store", 0,
	       "in use        1.2 MB in 2421 pages of 512 B; the file has 1.5 MB\n"
	       "may grow to   1.1 GB\n"
	       "free          900 MB for new requests\n"
	       "written       340 kB today, 12 MB since it was made\n"
	       "log           17 pages, copied back 3 times, last 90 s ago\n"
	       "starts        4\n"
	       "Put aside: q.db\n");
	assert_int_equal(run(canned, "store --json"), 0);
	assert_non_null(strstr(out_text, "{\"bytes\":1240000,"));
}

/* ---- help ---- */

static void every_command_has_help_that_fits(void **state)
{
	static const char *const names[] = {
		"status",
		"health",
		"lanes",
		"hold",
		"release",
		"queue list",
		"queue show",
		"queue retry",
		"queue cancel",
		"queue export",
		"sync now",
		"sync list",
		"sync register",
		"sync unregister",
		"periodic list",
		"periodic register",
		"periodic unregister",
		"cache list",
		"cache show",
		"cache purge",
		"cache install",
		"events",
		"metrics",
		"store",
		"store check",
		"version",
	};
	char words[64], begin[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(words, sizeof(words), "%s --help", names[i]);
		snprintf(begin, sizeof(begin), "holdfast %s", names[i]);
		assert_int_equal(run(NULL, words), 0);
		assert_ptr_equal(strstr(out_text, begin), out_text);
		expect_fits();
		snprintf(words, sizeof(words), "help %s", names[i]);
		assert_int_equal(run(NULL, words), 0);
		assert_ptr_equal(strstr(out_text, begin), out_text);
	}
}

/* ---- completion ---- */

/* Not through --socket: the words of a shell come behind "complete --". */
static void words_are_completed(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/lanes",
		  JSON("200 OK",
		       "{\"lanes\":[{\"lane\":\"orders\"},{\"lane\":\"orders\"},"
		       "{\"lane\":\"or der\"},{\"lane\":\"x\\ny\"},{\"lane\":\"menu\"}]}"),
		  false },
		{ "GET /.holdfast/requests?state=queued,held,dead&limit=64",
		  JSON("200 OK", "{\"requests\":[{\"id\":\"01AB\"},{\"id\":\"01AC\"}]}"), false },
		{ NULL, NULL, false },
	};
	char words[256];

	(void)state;
	expect(NULL, "-complete q", 0, "queue\n");
	expect(NULL, "-complete queue l", 0, "list\n");
	expect(NULL, "-complete st", 0, "status\nstore\n");
	expect(NULL, "-complete store ''", 0, "check\n");
	expect(NULL, "-complete queue list --s", 0, "--state\n--socket\n");
	expect(NULL, "-complete queue list --state h", 0, "held\n");
	expect(NULL, "-complete lanes --state p", 0, "paused\n");
	expect(NULL, "-complete help ho", 0, "hold\n");
	expect(NULL, "-complete hold o", 0, ""); /* no daemon: nothing, in silence */
	assert_string_equal(err_text, "");
	snprintf(words, sizeof(words), "-complete --socket %s hold o", socket_path);
	expect(canned, words, 0, "orders\nor der\n");
	snprintf(words, sizeof(words), "-complete --socket %s lanes --lane m", socket_path);
	expect(canned, words, 0, "menu\n");
	snprintf(words, sizeof(words), "-complete --socket %s queue show 01", socket_path);
	expect(canned, words, 0, "01AB\n01AC\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_fit_into_80_columns),
		cmocka_unit_test(lanes_that_begin_alike_can_be_told),
		cmocka_unit_test(lanes_are_chosen),
		cmocka_unit_test(hold_and_release_say_what_they_did),
		cmocka_unit_test(health_is_an_exit_code),
		cmocka_unit_test(the_store_in_figures),
		cmocka_unit_test(every_command_has_help_that_fits),
		cmocka_unit_test(words_are_completed),
	};

	return cmocka_run_group_tests(tests, cli_rig_make, cli_rig_remove);
}
