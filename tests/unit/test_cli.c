/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `holdfast` command against a server of canned answers: what it asks, what
 * it prints for people and for scripts, and how it exits.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLDFAST HF_BINARY_DIR "/bin/holdfast"
#define TEXT_MAX (256 * 1024)
#define ARGS_MAX 12

/* What the server answers to a request line; the connection stays open after it
 * when @hold is set. */
struct canned {
	const char *request; /* "GET /.holdfast/status" */
	const char *answer;
	bool hold;
};

#define JSON(status, body) \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define PROBLEM(status, detail)                                                                  \
	"HTTP/1.1 " status "\r\nContent-Type: application/problem+json\r\nConnection: close\r\n" \
	"\r\n{\"title\":\"No\",\"detail\":\"" detail "\"}"

static char folder[] = "/tmp/holdfast-cli-XXXXXX";
static char socket_path[64], out_path[64], err_path[64], log_path[64];

/* ---- the server: a child process ---- */

static void answer_one(int fd, const struct canned *c, FILE *log)
{
	char head[8192];
	size_t n = 0, line;

	while (n < sizeof(head) - 1) {
		ssize_t got = read(fd, head + n, sizeof(head) - 1 - n);

		if (got <= 0)
			return;
		n += (size_t)got;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n"))
			break;
	}
	line = strcspn(head, "\r");
	fprintf(log, "%.*s\n", (int)line, head);
	if (strstr(head, "Last-Event-ID: "))
		fprintf(log, "Last-Event-ID%.*s\n", 3, strstr(head, "Last-Event-ID: ") + 13);
	fflush(log);
	for (; c->request; c++) {
		size_t len = strlen(c->request);

		if (strncmp(head, c->request, len) != 0 || head[len] != ' ')
			continue;
		if (write(fd, c->answer, strlen(c->answer)) < 0)
			return;
		while (c->hold && read(fd, head, sizeof(head)) > 0)
			;
		return;
	}
	dprintf(fd, PROBLEM("404 Not Found", "the test has no answer"));
}

static void serve(int listener, const struct canned *canned)
{
	FILE *log = fopen(log_path, "w");

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		answer_one(fd, canned, log);
		close(fd);
	}
}

static pid_t start_server(const struct canned *canned)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	unlink(socket_path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		serve(fd, canned);
	close(fd);
	return pid;
}

/* ---- the command ---- */

static char out_text[TEXT_MAX], err_text[TEXT_MAX], log_text[TEXT_MAX];

static void slurp(const char *path, char *text)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, TEXT_MAX - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
}

static void redirect(const char *path, int fd)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || dup2(file, fd) < 0)
		_exit(126);
}

/* Runs `holdfast --socket ... @words` ("queue list --json", split at spaces)
 * against @canned (NULL: no server). Returns its exit code. */
static int run(const struct canned *canned, const char *words)
{
	char copy[512], *args[ARGS_MAX] = { (char *)HOLDFAST, (char *)"--socket", socket_path };
	pid_t server = canned ? start_server(canned) : 0, pid;
	size_t n = 3;
	int status;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok(copy, " "); w && n < ARGS_MAX - 1; w = strtok(NULL, " "))
		args[n++] = w;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		redirect(out_path, STDOUT_FILENO);
		redirect(err_path, STDERR_FILENO);
		execv(args[0], args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (server) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		unlink(socket_path);
	}
	slurp(out_path, out_text);
	slurp(err_path, err_text);
	slurp(log_path, log_text);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const struct canned *canned, const char *words, int code, const char *out)
{
	int got = run(canned, words);

	if (got != code)
		fail_msg("%s: exit %d, not %d; it said: %s", words, got, code, err_text);
	assert_string_equal(out_text, out);
}

static void expect_fits(void)
{
	const char *line = out_text;

	while (*line) {
		size_t n = strcspn(line, "\n");

		if (n > 80)
			fail_msg("wider than 80 columns: %.*s", (int)n, line);
		line += n + (line[n] != '\0');
	}
}

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
	"\"oldestAgeSeconds\":185,\"nextAttemptInMs\":500,\"state\":\"waiting\"}],"
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
	       "holdfastd 0.1.0, up 3 h, 4 connections\n"
	       "link up, address assigned, clock synced, net portal\n"
	       "\n"
	       "ORIGIN  STATE  SINCE  LAST ANSWER  NEXT TRY  URL\n"
	       "shop    up       2 h      3 s ago         -  https://shop.example\n"
	       "menu    down   3 min            -      20 s  http://a-rather-long-name-of-an-o..\n"
	       "\n"
	       "menu: connect to 192.0.2.7:8080: connection refused (for 2 min)\n"
	       "\n"
	       "LANE    ORIGIN  WAITING  HELD  OLDEST  NEXT TRY  STATE\n"
	       "orders  shop         11     1   3 min       1 s  waiting\n"
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
	assert_int_equal(run(canned, "queue show 17"), 64);
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
	expect(cut, "queue export", 69, "{\"a\":1}\n{");
	assert_string_equal(err_text, "holdfast: the answer was cut short\n");
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
	expect(ends, "events -f", 69, NO_TIME "held         \n");
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
	expect(NULL, "status", 69, "");
	snprintf(expected, sizeof(expected),
		 "holdfast: no daemon at %s: there is no such socket. Is holdfastd running? Is "
		 "this `control` of its holdfast.conf? --socket PATH names another\n",
		 socket_path);
	assert_string_equal(err_text, expected);
	fd = open(socket_path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	expect(NULL, "sync now", 69, "");
	assert_non_null(strstr(err_text, "that is not a socket"));
	unlink(socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	expect(NULL, "events -f", 69, "");
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

		assert_int_equal(run(canned, "status"), 69);
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

static void wrong_usage_is_64(void **state)
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
		{ "sync register", "a tag is missing" },
		{ "sync register a b", "b is not understood here" },
		{ "sync list --worker", "--worker needs a value" },
		{ "periodic register a --min-interval 5x", "--min-interval is a time as " },
		{ "periodic register a --min-interval 367d", "--min-interval is a time as " },
		{ "sync register a --min-interval 5m", "--min-interval is not understood here" },
		{ "sync frob", "there is no sync frob; there are: now, list, register, " },
		{ "events -x", "events takes nothing but -f" },
		{ "status now", "status takes nothing" },
		{ "--socket", "--socket needs a PATH" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = run(NULL, cases[i].words);

		if (code != 64 || !strstr(err_text, cases[i].said))
			fail_msg("%s: exit %d, %s", cases[i].words, code, err_text);
		assert_non_null(strstr(err_text, "`holdfast help` lists the commands.\n"));
	}
	assert_int_equal(run(NULL, "help"), 0);
	expect_fits();
}

/* ---- */

static int make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
	snprintf(out_path, sizeof(out_path), "%s/out", folder);
	snprintf(err_path, sizeof(err_path), "%s/err", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(socket_path);
	unlink(out_path);
	unlink(err_path);
	unlink(log_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_a_page_for_people),
		cmocka_unit_test(one_connection_is_not_many),
		cmocka_unit_test(json_is_passed_on_as_it_is),
		cmocka_unit_test(status_tells_of_damage),
		cmocka_unit_test(a_list_follows_its_pages),
		cmocka_unit_test(an_empty_queue_says_so),
		cmocka_unit_test(show_tells_all_about_one),
		cmocka_unit_test(cancel_and_retry_change_one),
		cmocka_unit_test(all_of_a_state_are_retried),
		cmocka_unit_test(an_export_is_whole_or_fails),
		cmocka_unit_test(sync_now_tries_everything),
		cmocka_unit_test(a_store_check_exits_by_what_it_found),
		cmocka_unit_test(events_begin_with_local_time),
		cmocka_unit_test(events_are_one_line_each),
		cmocka_unit_test(following_ends_with_the_daemon),
		cmocka_unit_test(version_needs_no_daemon),
		cmocka_unit_test(no_daemon_is_said_with_a_way_out),
		cmocka_unit_test(a_strange_server_is_no_daemon),
		cmocka_unit_test(what_a_page_wrote_cannot_reach_the_terminal),
		cmocka_unit_test(wrong_usage_is_64),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
