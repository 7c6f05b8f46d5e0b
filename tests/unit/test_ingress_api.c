/* SPDX-License-Identifier: Apache-2.0 */
/* /.holdfast/ as pages and the operator's command see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/panel_api.h"
#include "lib/panel_case.h"

#define CREATED "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade"

static void lists_page_by_page(void **state)
{
	char id[27], path[64];
	const char *text, *at;
	unsigned i, n = 0;

	(void)state;
	start_offline();
	for (i = 0; i < 7; i++)
		order("abc", id);
	text = page("GET", "requests?state=queued,held&limit=3");
	while ((at = strstr(text, "\"next\":\""))) {
		n++;
		snprintf(path, sizeof(path), "requests?limit=3&after=%.26s",
			 at + strlen("\"next\":\""));
		text = page("GET", path);
	}
	assert_int_equal(n, 2);
	HAS(text, id);
	HAS(text, "\"next\":null");
	HAS(page("GET", "requests?lane=orders"), id);
	HAS(page("GET", "requests?lane=others"), "{\"requests\":[],\"next\":null}");
	HAS(page("GET", "requests?state=settled"), "{\"requests\":[],\"next\":null}");
	HAS(page("GET", "requests?limit=0"), "HTTP/1.1 400 ");
	HAS(page("GET", "requests?after=xyz"), "HTTP/1.1 400 ");
}

static void shows_one_request(void **state)
{
	char id[27], path[64], wrong[64];
	const char *text;

	(void)state;
	start_offline();
	order("abc", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	text = page("GET", path);
	HAS(text, "HTTP/1.1 200 OK\r\n");
	HAS(text, "Cache-Control: no-store\r\n");
	HAS(text, id);
	HAS(text, "\"lane\":\"orders\"");
	HAS(text, "\"origin\":\"shop\"");
	HAS(text, "\"method\":\"POST\"");
	HAS(text, "\"createdAt\":\"2027-01-15T08:00:");
	HAS(text, "\"ageSeconds\":0");
	HAS(text, "\"response\":null");
	panel_rig_advance(&rig, 3000);
	HAS(page("GET", path), "\"ageSeconds\":3");
	/* A stale or guessed id finds nothing. */
	snprintf(wrong, sizeof(wrong), "%s", path);
	wrong[strlen(wrong) - 1] = wrong[strlen(wrong) - 1] == 'A' ? 'B' : 'A';
	HAS(page("GET", wrong), "HTTP/1.1 404 ");
	HAS(page("GET", "requests/nonsense"), "HTTP/1.1 404 ");
	HAS(page("GET", "requests/nonsense/response"), "HTTP/1.1 404 ");
	HAS(page("DELETE", "requests/nonsense"), "HTTP/1.1 404 ");
}

static void cancels_what_waits(void **state)
{
	char id[27], path[64];

	(void)state;
	start_offline();
	order("abc", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("DELETE", path), "\"state\":\"cancelled\"");
	HAS(page("DELETE", path), "HTTP/1.1 409 ");
	HAS(page("GET", path), "\"state\":\"cancelled\"");
	snprintf(path, sizeof(path), "requests/%s/response", id);
	HAS(page("GET", path), "HTTP/1.1 410 Gone\r\n");
}

static void does_not_cancel_what_is_under_way(void **state)
{
	struct fake_peer *o;
	char id[27], path[64];

	(void)state;
	start_offline();
	order("abc", id);
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	o = panel_rig_origin(&rig);
	assert_non_null(o);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("GET", path), "\"state\":\"inflight\"");
	HAS(page("DELETE", path), "HTTP/1.1 409 ");
	panel_rig_answer(&rig, o, CREATED);
	HAS(page("GET", path), "\"state\":\"settled\"");
}

static void lets_only_the_operator_retry(void **state)
{
	char id[27], path[64];

	(void)state;
	start_offline();
	order("abc", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("DELETE", path), "200 OK");
	snprintf(path, sizeof(path), "requests/%s/retry", id);
	HAS(page("POST", path), "HTTP/1.1 403 ");
	HAS(operator("POST", path), "\"state\":\"queued\"");
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	HAS(fake_peer_take(panel_rig_origin(&rig)), "\r\n\r\nabc");
}

static void check_replaced(const char *id, const char *new_id)
{
	char path[64], text[128];

	snprintf(text, sizeof(text), "{\"id\":\"%s\",\"replacedBy\":\"%s\"}", id, new_id);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("GET", path), "HTTP/1.1 308 Permanent Redirect\r\n");
	HAS(page("GET", path), text);
	HAS(page("GET", path), "Cache-Control: no-store\r\n");
	HAS(page("DELETE", path), text);
	snprintf(text, sizeof(text), "Location: /.holdfast/requests/%s\r\n", new_id);
	HAS(page("GET", path), text);
	snprintf(path, sizeof(path), "requests/%s/response", id);
	snprintf(text, sizeof(text), "Location: /.holdfast/requests/%s/response\r\n", new_id);
	HAS(page("GET", path), text);
	snprintf(path, sizeof(path), "requests/%s/retry", id);
	snprintf(text, sizeof(text), "Location: /.holdfast/requests/%s/retry\r\n", new_id);
	HAS(operator("POST", path), text);
}

static void an_id_that_was_replaced_leads_to_the_new_one(void **state)
{
	char id[27], new_id[27], path[64];
	const char *at;

	(void)state;
	start_offline();
	order("abc", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	HAS(page("DELETE", path), "200 OK");
	snprintf(path, sizeof(path), "requests/%s/retry", id);
	at = strstr(operator("POST", path), "{\"id\":\"");
	assert_non_null(at);
	snprintf(new_id, sizeof(new_id), "%.26s", at + strlen("{\"id\":\""));
	assert_string_not_equal(id, new_id);
	check_replaced(id, new_id);
	HAS_NOT(page("GET", "requests"), id);
	panel_rig_reboot(&rig);
	check_replaced(id, new_id);
}

static void exports_complete_requests(void **state)
{
	char id[27];
	const char *text, *at;
	unsigned i, lines = 0;

	(void)state;
	rig.ingress_opt.connections_max = 100;
	start_offline();
	for (i = 0; i < 70; i++)
		order(i == 3 ? "abcd" : "ab", id);
	text = operator("GET", "export");
	HAS(text, "Content-Type: application/x-ndjson\r\n");
	HAS(text, "[\"X-Page\",\"1\"]");
	HAS(text, "\"body\":\"YWI=\"}\n");
	HAS(text, "\"body\":\"YWJjZA==\"}\n");
	for (at = text; (at = strstr(at, "\"body\":\"")); at++)
		lines++;
	assert_int_equal(lines, 70);
	HAS(text, "\r\n0\r\n\r\n");
	HAS(page("GET", "export"), "HTTP/1.1 403 ");
	HAS(operator("GET", "export?state=settled"), "\r\n\r\n0\r\n\r\n");
}

/* The base64 text of a chunked answer, without the framing. */
static size_t unchunk(const char *from, char *to)
{
	const char *at = strstr(from, "\r\n\r\n") + 4;
	size_t n = 0, len;

	while ((len = strtoul(at, NULL, 16)) > 0) {
		at = strstr(at, "\r\n") + 2;
		memcpy(to + n, at, len);
		n += len;
		at += len + 2;
	}
	to[n] = '\0';
	return n;
}

static void exports_a_large_body_with_back_pressure(void **state)
{
	struct fake_peer *panel, *control;
	size_t len = 200000, i, got;
	char *body = malloc(len + 1), head[128], *plain, *at;

	(void)state;
	assert_non_null(body);
	for (i = 0; i < len; i++)
		body[i] = "abc"[i % 3];
	body[len] = '\0';
	start_offline();
	panel = panel_rig_connect(&rig);
	snprintf(head, sizeof(head),
		 "POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", len);
	fake_peer_send(panel, head);
	HAS(panel_rig_ask(&rig, panel, body), "202 Accepted");
	control = panel_rig_connect_control(&rig);
	fake_peer_open_window(control, 1000);
	fake_peer_send(control, "GET /.holdfast/export HTTP/1.1\r\nHost: x\r\n\r\n");
	for (i = 0; i < 600; i++) {
		fake_peer_open_window(control, 1000);
		fake_net_advance(&rig.net, 2);
		panel_rig_settle(&rig);
	}
	got = control->got.len;
	plain = malloc(got + 1);
	assert_non_null(plain);
	unchunk(fake_peer_take(control), plain);
	at = strstr(plain, "\"body\":\"");
	assert_non_null(at);
	at += strlen("\"body\":\"");
	for (i = 0; i + 4 <= len / 3 * 4; i += 4)
		assert_memory_equal(at + i, "YWJj", 4);
	free(plain);
	free(body);
}

static void streams_events_and_resumes(void **state)
{
	struct fake_peer *events;
	char id[27], last[64], text[256];
	const char *at, *got;

	(void)state;
	start_offline();
	events = panel_rig_connect(&rig);
	got = call(events, "GET", "events");
	HAS(got, "Content-Type: text/event-stream\r\n");
	order("abc", id);
	got = fake_peer_take(events);
	HAS(got, "event: queued\n");
	HAS(got, id);
	at = strstr(got, "id: ");
	assert_non_null(at);
	snprintf(last, sizeof(last), "%.*s", (int)strcspn(at + 4, "\n"), at + 4);
	events->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(events->closed);
	order("def", id);
	snprintf(text, sizeof(text),
		 "GET /.holdfast/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n",
		 last);
	got = panel_rig_ask(&rig, panel_rig_connect(&rig), text);
	HAS(got, id);
	HAS_NOT(got, "event: gap");
	assert_ptr_equal(strstr(strstr(got, "event: queued") + 1, "event: queued"), NULL);
	got = panel_rig_ask(&rig, panel_rig_connect(&rig),
			    "GET /.holdfast/events HTTP/1.1\r\nHost: localhost\r\n"
			    "Last-Event-ID: 00000000-1\r\n\r\n");
	HAS(got, "event: gap\n");
	HAS(got, id);
}

static void tells_a_slow_reader_of_the_gap(void **state)
{
	struct fake_peer *events;
	unsigned i;
	const char *got;
	char json[32];

	(void)state;
	panel_rig_start(&rig);
	events = panel_rig_connect(&rig);
	call(events, "GET", "events");
	fake_peer_open_window(events, 0);
	for (i = 0; i < 100; i++) {
		int n = snprintf(json, sizeof(json), "{\"n\":%u}", i);

		hf_ingress_event(rig.ingress, 0, "sync", hf_span(json, (size_t)n));
		panel_rig_settle(&rig);
	}
	fake_peer_open_window(events, SIZE_MAX);
	panel_rig_settle(&rig);
	got = fake_peer_take(events);
	HAS(got, "event: gap\n");
	HAS(got, "{\"n\":99}");
	HAS_NOT(got, "{\"n\":50}");
}

static void keeps_event_streams_alive_and_limits_them(void **state)
{
	struct fake_peer *events[5];
	unsigned i;

	(void)state;
	panel_rig_start(&rig);
	for (i = 0; i < 4; i++) {
		events[i] = panel_rig_connect(&rig);
		HAS(call(events[i], "GET", "events"), "200 OK");
	}
	HAS(page("GET", "events"), "HTTP/1.1 503 ");
	panel_rig_advance(&rig, 26000);
	HAS(fake_peer_take(events[0]), ": alive\n\n");
	events[0]->give_eof = true;
	panel_rig_settle(&rig);
	HAS(page("GET", "events"), "200 OK");
}

static void answers_for_the_agent(void **state)
{
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	HAS(page("GET", "status"), "{\"version\":\"test\"}");
	HAS(operator("GET", "status"), "{\"version\":\"test\"}");
	HAS(page("POST", "sync-now"), "HTTP/1.1 202 ");
	HAS(operator("POST", "sync-now"), "HTTP/1.1 202 ");
	assert_int_equal(rig.sync_now_calls, 2);
	HAS(page("POST", "store/check"), "HTTP/1.1 403 ");
	HAS(operator("POST", "store/check"), "{\"faults\":0");
	HAS(page("POST", "periodicsync/a?minInterval=1h"), "HTTP/1.1 400 ");
	HAS(page("POST", "periodicsync/a?minInterval=31622400001"), "HTTP/1.1 400 ");
	HAS(page("PUT", "periodicsync/a"), "Allow: GET, HEAD, POST, DELETE\r\n");
	text = page("POST", "status");
	HAS(text, "HTTP/1.1 405 ");
	HAS(text, "Allow: GET, HEAD\r\n");
	HAS(operator("GET", "../x"), "HTTP/1.1 404 ");
}

static void a_call_may_be_left_in_the_middle(void **state)
{
	struct fake_peer *panel;
	char id[27], path[64];

	(void)state;
	start_offline();
	order("abc", id);
	snprintf(path, sizeof(path), "requests/%s", id);
	rig.hold_jobs = true;
	panel = panel_rig_connect(&rig);
	call(panel, "GET", path);
	panel->give_eof = true;
	panel = panel_rig_connect(&rig);
	call(panel, "DELETE", path);
	panel->give_eof = true;
	panel = panel_rig_connect_control(&rig);
	call(panel, "GET", "export");
	panel->give_eof = true;
	panel_rig_settle(&rig);
	assert_int_equal(hf_ingress_connections(rig.ingress), 1);
	rig.hold_jobs = false;
	panel_rig_settle(&rig);
	HAS(page("GET", path), "\"state\":\"cancelled\"");
	/* and at the end of everything */
	rig.hold_jobs = true;
	call(panel_rig_connect(&rig), "GET", path);
	call(panel_rig_connect(&rig), "GET", "requests");
	call(panel_rig_connect(&rig), "DELETE", path);
	call(panel_rig_connect_control(&rig), "GET", "export");
	call(panel_rig_connect_control(&rig), "POST", "store/check");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_page_by_page),
		TEST(shows_one_request),
		TEST(cancels_what_waits),
		TEST(does_not_cancel_what_is_under_way),
		TEST(lets_only_the_operator_retry),
		TEST(an_id_that_was_replaced_leads_to_the_new_one),
		TEST(exports_complete_requests),
		TEST(exports_a_large_body_with_back_pressure),
		TEST(streams_events_and_resumes),
		TEST(tells_a_slow_reader_of_the_gap),
		TEST(keeps_event_streams_alive_and_limits_them),
		TEST(answers_for_the_agent),
		TEST(a_call_may_be_left_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
