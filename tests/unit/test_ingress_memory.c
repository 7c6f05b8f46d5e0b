/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out at every single allocation of a request's way: nothing
 * crashes, nothing leaks, nothing is sent twice, and what a panel hears is an
 * HTTP answer or the end of its connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "lib/panel_rig.h"

#define HOST  "Host: " PANEL_RIG_HOST "\r\n"
#define SEVEN "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\n"

static struct panel_rig rig;

static void check(const char *text)
{
	if (*text && strncmp(text, "HTTP/1.1 ", 9) != 0)
		fail_msg("no answer:\n%s", text);
}

enum stage {
	REQUEST,
	ANSWER
};

/* What waits for the device at @p comes now, with the @nth allocation failing.
 * True when there were not so many. */
static bool give(struct fake_peer *p, int nth)
{
	struct hf_span all = hf_buf_span(&p->give);
	char data[1024];
	bool through;

	assert_true(all.len <= sizeof(data));
	memcpy(data, all.ptr, all.len);
	hf_buf_clear(&p->give);
	alloc_countdown = nth;
	p->events->on_data(p->user, data, all.len);
	through = nth < 0 || alloc_countdown >= 0;
	alloc_countdown = -1;
	panel_rig_settle(&rig);
	return through;
}

static bool ask(const char *request, const char *answer, enum stage stage, int nth)
{
	static const char room[8192];
	struct fake_peer *panel, *origin;
	bool through, answered = true;

	panel_rig_init(&rig);
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, !answer);
	panel = panel_rig_connect(&rig);
	/* The panel's own buffer is not what runs out. */
	assert_int_equal(hf_buf_append(&panel->got, hf_span(room, sizeof(room))), 0);
	hf_buf_clear(&panel->got);
	fake_peer_send(panel, request);
	through = give(panel, stage == REQUEST ? nth : -1);
	origin = answer ? panel_rig_origin(&rig) : NULL;
	if (origin && origin->got.len > 0) {
		fake_peer_send(origin, answer);
		answered = give(origin, stage == ANSWER ? nth : -1);
	}
	fake_net_advance(&rig.net, 2);
	panel_rig_settle(&rig);
	check(fake_peer_take(panel));
	panel_rig_finish(&rig);
	return stage == REQUEST ? through : answered;
}

static void ask_all(const char *request, const char *answer)
{
	int nth = 0;

	while (!ask(request, answer, REQUEST, nth))
		nth++;
	assert_true(nth > 2);
	nth = 0;
	while (answer && !ask(request, answer, ANSWER, nth))
		nth++;
}

static void on_a_straight_route(void **state)
{
	(void)state;
	ask_all("GET /x HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b; Domain=x\r\n"
		"Location: http://shop.example/\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	ask_all("GET /x HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ask_all("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void on_a_queued_route(void **state)
{
	(void)state;
	ask_all("POST /api/x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", NULL);
	ask_all("POST /api/x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
		"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	ask_all("POST /api/x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
}

static void in_the_api(void **state)
{
	(void)state;
	ask_all("GET /.holdfast/requests HTTP/1.1\r\n" HOST "\r\n", NULL);
	ask_all("GET /.holdfast/status HTTP/1.1\r\n" HOST "\r\n", NULL);
	ask_all("GET /.holdfast/events HTTP/1.1\r\n" HOST "\r\n", NULL);
	ask_all("GET /.holdfast/nothing HTTP/1.1\r\n" HOST "\r\n", NULL);
}

/* The page's list with the @nth allocation of all that it takes failing: the
 * request is in it, whole, or there is no list. */
static bool list_without(struct fake_peer *panel, int nth)
{
	const char *got;
	bool through;

	fake_peer_send(panel, "GET /.holdfast/requests HTTP/1.1\r\n" HOST "\r\n");
	alloc_countdown = nth;
	panel_rig_settle(&rig);
	through = alloc_countdown >= 0;
	alloc_countdown = -1;
	panel_rig_settle(&rig);
	got = fake_peer_take(panel);
	check(got);
	if (strncmp(got, "HTTP/1.1 200 ", 13) == 0 && !strstr(got, "\"url\":\"/api/x\""))
		fail_msg("allocation %d: the list does not have it:\n%s", nth, got);
	return through;
}

static void a_list_is_whole_or_refused(void **state)
{
	static const char room[8192];
	struct fake_peer *panel;
	bool through = false;
	int nth;

	(void)state;
	panel_rig_init(&rig);
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /api/x HTTP/1.1\r\n" HOST SEVEN SEVEN SEVEN
		      "Content-Length: 3\r\n\r\nabc");
	for (nth = 0; !through; nth++) {
		panel = panel_rig_connect(&rig);
		assert_int_equal(hf_buf_append(&panel->got, hf_span(room, sizeof(room))), 0);
		hf_buf_clear(&panel->got);
		through = list_without(panel, nth);
		panel->give_eof = true;
		panel_rig_settle(&rig);
	}
	assert_true(nth > 10);
	panel_rig_finish(&rig);
}

static void on_a_refusal(void **state)
{
	(void)state;
	ask_all("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_straight_route), cmocka_unit_test(on_a_queued_route),
		cmocka_unit_test(in_the_api),	       cmocka_unit_test(a_list_is_whole_or_refused),
		cmocka_unit_test(on_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
