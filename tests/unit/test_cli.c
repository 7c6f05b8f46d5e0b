/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `holdfast` command: what it asks, what it prints for people and for scripts, and
 * how it exits.
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
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cli_rig.h"

/* ---- status ---- */

static const char status_json[] =
	"{\"version\":\"0.1.0\",\"uptimeSeconds\":11520,\"connections\":4,"
	"\"connectivity\":{\"link\":\"up\",\"address\":\"assigned\",\"net\":\"portal\",\"clock\":\"synced\"},"
	"\"origins\":[{\"name\":\"shop\",\"url\":\"https://shop.example\",\"state\":\"up\","
	"\"sinceSeconds\":7200,\"lastSuccessSecondsAgo\":3,\"nextTrialInMs\":null,"
	"\"failure\":null,\"failureSeconds\":null},"
	"{\"name\":\"menu\",\"url\":\"http://a-rather-long-name-of-an-origin.kiosk.example:8080\","
	"\"state\":\"down\",\"sinceSeconds\":180,\"lastSuccessSecondsAgo\":null,"
	"\"nextTrialInMs\":19001,\"failure\":\"connect to 192.0.2.7:8080: connection refused\","
	"\"failureSeconds\":120}],"
	"\"lanes\":[{\"lane\":\"orders\",\"origin\":\"shop\",\"depth\":12,\"held\":1,"
	"\"oldestAgeSeconds\":185,\"nextAttemptInMs\":500,\"state\":\"waiting\","
	"\"reason\":\"backoff\",\"lastProgressSecondsAgo\":9}],"
	"\"health\":{\"state\":\"ok\",\"reasons\":[]},"
	"\"totals\":{\"accepted\":120,\"delivered\":107,\"waiting\":12,\"held\":1,\"dead\":0,"
	"\"cancelled\":0},"
	"\"store\":{\"bytes\":1240000,\"bytesMax\":1073741824,\"writtenToday\":340000,"
	"\"writtenTotal\":12000000,\"salvaged\":false,\"quarantined\":[],\"full\":false}}";

static void status_is_a_page_for_people(void **state)
{
	static char answer[4096];
	struct canned canned[] = { { "GET /.holdfast/status", answer, false },
				   { NULL, NULL, false } };

	(void)state;
	snprintf(answer, sizeof(answer), JSON("200 OK", "%s"), status_json);
	expect(canned, "status", 0,
	       "ok\n"
	       "holdfastd 0.1.0, up 3 h, 4 connections\n"
	       "link up, address assigned, clock synced, net portal\n"
	       "\n"
	       "ORIGIN  STATE  SINCE  LAST ANSWER  NEXT TRY  URL\n"
	       "shop    up       2 h      3 s ago         -  https://shop.example\n"
	       "menu    down   3 min            -      20 s  http://a-rather-long-name-of-an-o..\n"
	       "\n"
	       "menu: connect to 192.0.2.7:8080: connection refused (for 2 min)\n"
	       "\n"
	       "LANE    ORIGIN  WAIT  HELD  OLDEST  DONE  NEXT  STATE    REASON\n"
	       "orders  shop      11     1   3 min   9 s   1 s  waiting  backoff\n"
	       "\n"
	       "now          waiting 11, held 1\n"
	       "since start  accepted 120, delivered 107, dead 0, cancelled 0\n"
	       "store        1.2 MB of 1.1 GB, written 340 kB today, 12 MB since it was made\n");
	expect_fits();
	assert_string_equal(log_text, "GET /.holdfast/status HTTP/1.1\n");
}

static void one_connection_is_not_many(void **state)
{
	struct canned canned[] = { { "GET /.holdfast/status", JSON("200 OK", "{\"connections\":1}"),
				     false },
				   { NULL, NULL, false } };

	(void)state;
	assert_int_equal(run(canned, "status"), 0);
	assert_non_null(strstr(out_text, ", 1 connection\n"));
}

static void sensors_are_a_line_where_they_are_listened_for(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status",
		  JSON("200 OK", "{\"sensors\":{\"datagrams\":260,\"accepted\":240,\"repeated\":3,"
				 "\"refused\":2,\"unavailable\":1,\"unproven\":0,\"dropped\":4}}"),
		  false },
		{ NULL, NULL, false },
	};
	static const struct canned without[] = {
		{ "GET /.holdfast/status", JSON("200 OK", "{\"connections\":1}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "status"), 0);
	assert_non_null(strstr(out_text, "\nsensors      accepted 240, repeated 3, refused 2, "
					 "unavailable 1, dropped 4\n"));
	expect_fits();
	assert_int_equal(run(without, "status"), 0);
	assert_null(strstr(out_text, "sensors"));
}

static void json_is_passed_on_as_it_is(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status", JSON("200 OK", "{\"version\" : \"\xc2\x9b\"}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "--json status", 0, "{\"version\" : \"\xc2\x9b\"}\n");
	expect(canned, "status --json", 0, "{\"version\" : \"\xc2\x9b\"}\n");
}

static void status_tells_of_damage(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status",
		  JSON("200 OK", "{\"store\":{\"full\":true,\"salvaged\":true,\"rowsSaved\":7,"
				 "\"rowsLost\":0,\"vanished\":true,\"quarantined\":[\"q.db\"]}}"),
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(canned, "status"), 0);
	assert_non_null(strstr(out_text, "The queue is empty.\n"));
	assert_non_null(strstr(
		out_text, "THE STORE IS FULL: new requests are refused with 507.\n"
			  "A damaged database was replaced: 7 rows were saved from it, 0 lost.\n"
			  "The store was gone at start, and a new one was made.\n"
			  "Put aside: q.db\n"));
}

/* ---- sync, store, events, version ---- */

static void sync_now_tries_everything(void **state)
{
	static const struct canned canned[] = {
		{ "POST /.holdfast/sync-now", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
		  false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "sync now", 0, "Everything that waits is tried now.\n");
}

static void a_store_check_exits_by_what_it_found(void **state)
{
	static const struct canned sound[] = {
		{ "POST /.holdfast/store/check", JSON("200 OK", "{\"faults\":0,\"text\":\"\"}"),
		  false },
		{ NULL, NULL, false },
	};
	static const struct canned faulty[] = {
		{ "POST /.holdfast/store/check",
		  JSON("200 OK", "{\"faults\":2,\"text\":\"row 3\\npage 9\\n\"}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(sound, "store check", 0, "The store is sound.\n");
	expect(faulty, "store check", 1, "row 3\npage 9\nThe store has 2 faults.\n");
	expect(faulty, "--json store check", 1, "{\"faults\":2,\"text\":\"row 3\\npage 9\\n\"}\n");
}

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

static const struct canned stream[] = {
	{ "GET /.holdfast/events",
	  STREAM
	  ": hello\n\nevent: gap\ndata: {}\n\nid: 7\nevent: settled\ndata: {\"id\":\"x\",\"status\":201,\"a\":null}\n\n"
	  "event: note\r\ndata: plain\r\ndata: \x1b[2J\r\n\r\ndata: {\"cut\":",
	  true },
	{ NULL, NULL, false },
};

#define NO_TIME "****-**-** **:**:**  "

static void events_begin_with_local_time(void **state)
{
	static const struct canned told[] = {
		{ "GET /.holdfast/events",
		  STREAM
		  "event: gap\ndata: {\"at\":null}\n\n"
		  "event: connectivity\ndata: {\"at\":\"2026-11-21T22:45:00.123Z\",\"link\":\"up\","
		  "\"net\":\"unknown\",\"origins\":{\"shop\":\"down\",\"pay\":\"up\"}}\n\n"
		  "event: queued\ndata: {\"at\":\"2026-11-21T22:45:01.000Z\",\"id\":\"B\","
		  "\"state\":\"queued\",\"attempts\":0,\"replaces\":\"A\",\"method\":\"POST\","
		  "\"url\":\"/x\"}\n\n"
		  "event: held\ndata: {\"at\":\"2026-11-21T22:45:02.000Z\",\"id\":\"B\","
		  "\"attempts\":2,\"reason\":\"auth\",\"status\":401,\"method\":\"POST\","
		  "\"url\":\"/x\"}\n\n"
		  "event: gap\ndata: {}\n\nevent: later\ndata: {\"at\":null,\"n\":1,\"o\":2}\n\n",
		  true },
		{ NULL, NULL, false },
	};

	(void)state;
	setenv("TZ", "UTC-2", 1); /* east of Greenwich, for POSIX */
	expect(told, "events", 0,
	       "2026-11-22 00:45:00  connectivity link up, net unknown, shop down, pay up\n"
	       "2026-11-22 00:45:01  queued       B POST /x: again for A\n"
	       "2026-11-22 00:45:02  held         B POST /x: answer 401, auth, 2 attempts\n" NO_TIME
	       "gap          events were missed\n" NO_TIME "later        n=1 o=2\n");
	unsetenv("TZ");
}

static void events_are_one_line_each(void **state)
{
	(void)state;
	expect(stream, "events", 0,
	       NO_TIME "settled      x: answer 201\n" NO_TIME "note         plain\\x0a\\x1b[2J\n");
	assert_string_equal(log_text, "GET /.holdfast/events HTTP/1.1\nLast-Event-ID: 0\n");
	expect(stream, "events --json", 0,
	       "{\"event\":\"gap\",\"id\":\"\",\"data\":{}}\n"
	       "{\"event\":\"settled\",\"id\":\"7\",\"data\":{\"id\":\"x\",\"status\":201,\"a\":null}}\n"
	       "{\"event\":\"note\",\"id\":\"7\",\"data\":\"plain\\n\\u001b[2J\"}\n");
}

static void following_ends_with_the_daemon(void **state)
{
	static const struct canned ends[] = {
		{ "GET /.holdfast/events", STREAM "event: held\ndata: {}\n\n", false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(ends, "events -f", 3, NO_TIME "held         \n");
	assert_string_equal(err_text, "holdfast: the daemon ended the stream\n");
}

static void version_needs_no_daemon(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status", JSON("200 OK", "{\"version\":\"9.9\"}"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	assert_int_equal(run(NULL, "version"), 0);
	assert_int_equal(strncmp(out_text, "holdfast ", 9), 0);
	assert_string_equal(err_text, "");
	assert_int_equal(run(canned, "version"), 0);
	assert_non_null(strstr(out_text, "\nholdfastd 9.9\n"));
}

/* ---- what goes wrong ---- */

static void no_daemon_is_said_with_a_way_out(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char expected[320];
	int fd;

	(void)state;
	expect(NULL, "status", 3, "");
	snprintf(expected, sizeof(expected),
		 "holdfast: no daemon at %s: there is no such socket. Is holdfastd running? Is "
		 "this `control` of its holdfast.conf? --socket PATH names another\n",
		 socket_path);
	assert_string_equal(err_text, expected);
	fd = open(socket_path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	expect(NULL, "sync now", 3, "");
	assert_non_null(strstr(err_text, "that is not a socket"));
	unlink(socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	expect(NULL, "events -f", 3, "");
	assert_non_null(strstr(err_text, "nobody listens there"));
	unlink(socket_path);
}

static void a_strange_server_is_no_daemon(void **state)
{
	static const struct {
		const char *answer, *words;
	} cases[] = {
		{ "SSH-2.0-x\r\n", "does not speak Holdfast's protocol" },
		{ "", "without an answer" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", "cut short" },
		{ JSON("200 OK", "[1]"), "the answer is not a status" },
		{ JSON("200 OK", "{"), "the answer is not a status" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct canned canned[] = { { "GET /.holdfast/status", cases[i].answer, false },
					   { NULL, NULL, false } };

		assert_int_equal(run(canned, "status"), 3);
		if (!strstr(err_text, cases[i].words))
			fail_msg("%s is not in: %s", cases[i].words, err_text);
	}
}

static void what_a_page_wrote_cannot_reach_the_terminal(void **state)
{
	static const struct canned canned[] = {
		{ "GET /.holdfast/status",
		  PROBLEM("403 Forbidden", "\\u001b]0;x\\u0007 \\u202e \\u009b \xff"), false },
		{ NULL, NULL, false },
	};

	(void)state;
	expect(canned, "status", 1, "");
	assert_string_equal(err_text, "holdfast: \\x1b]0;x\\x07 \\u202e \\x9b \\xff\n");
}

static void wrong_usage_is_2(void **state)
{
	static const struct {
		const char *words, *said;
	} cases[] = {
		{ "", "a command is missing" },
		{ "stauts", "there is no command stauts" },
		{ "queue", "queue needs one of: list, show, retry, cancel, export" },
		{ "queue lst",
		  "there is no queue lst; there are: list, show, retry, cancel, export" },
		{ "sync", "sync needs one of: now, list, register, unregister" },
		{ "queue list --stat held", "--stat" },
		{ "queue list --state", "--state needs a value" },
		{ "queue list --state helt", "there is no state helt" },
		{ "queue show", "queue show takes one ID" },
		{ "queue cancel a b", "queue cancel takes one ID" },
		{ "queue retry", "queue retry takes one ID" },
		{ "queue retry 01J/../../status", "is not an id" },
		{ "sync register", "sync register takes one TAG" },
		{ "sync register a b", "sync register takes one TAG" },
		{ "sync list --worker", "--worker needs a value" },
		{ "periodic register a --min-interval 5x", "--min-interval is a time as " },
		{ "periodic register a --min-interval 367d", "--min-interval is a time as " },
		{ "sync register a --min-interval 5m",
		  "sync register has no option --min-interval; it has --worker" },
		{ "sync frob", "there is no sync frob; there are: now, list, register, " },
		{ "events -x", "events has no option -x; it has --follow" },
		{ "status now", "status takes nothing" },
		{ "events now", "events takes nothing but --follow" },
		{ "store frob", "there is no store frob; there are: check" },
		{ "queue list --state held --state dead", "--state stands twice" },
		{ "queue retry --held=1", "--held takes no value" },
		{ "queue retry --held --dead", "queue retry takes one ID" },
		{ "queue export --state some", "there is no state some" },
		{ "queue show 01J00", "is not an id" },
		{ "hold", "hold takes a LANE, or --origin" },
		{ "hold a --for soon", "--for is a time as " },
		{ "hold a --for 0s", "--for is a time as " },
		{ "release", "release takes a LANE or --origin, or --all" },
		{ "release a --all", "release takes a LANE or --origin, or --all" },
		{ "metrics --json", "metrics are no JSON" },
		{ "help frob", "there is no command frob" },
		{ "--socket", "--socket needs a PATH" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = run(NULL, cases[i].words);

		if (code != 2 || !strstr(err_text, cases[i].said))
			fail_msg("%s: exit %d, %s", cases[i].words, code, err_text);
		assert_non_null(strstr(err_text, "`holdfast help` lists the commands.\n"));
	}
	assert_int_equal(run(NULL, "help"), 0);
	expect_fits();
}

/* ---- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_a_page_for_people),
		cmocka_unit_test(one_connection_is_not_many),
		cmocka_unit_test(sensors_are_a_line_where_they_are_listened_for),
		cmocka_unit_test(json_is_passed_on_as_it_is),
		cmocka_unit_test(status_tells_of_damage),
		cmocka_unit_test(sync_now_tries_everything),
		cmocka_unit_test(a_store_check_exits_by_what_it_found),
		cmocka_unit_test(events_begin_with_local_time),
		cmocka_unit_test(events_are_one_line_each),
		cmocka_unit_test(following_ends_with_the_daemon),
		cmocka_unit_test(version_needs_no_daemon),
		cmocka_unit_test(no_daemon_is_said_with_a_way_out),
		cmocka_unit_test(a_strange_server_is_no_daemon),
		cmocka_unit_test(what_a_page_wrote_cannot_reach_the_terminal),
		cmocka_unit_test(wrong_usage_is_2),
	};

	return cmocka_run_group_tests(tests, cli_rig_make, cli_rig_remove);
}
