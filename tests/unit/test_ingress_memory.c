/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out at every single allocation of a request's way: nothing
 * crashes, nothing leaks, nothing is sent twice, and what a panel hears is an
 * HTTP answer or the end of its connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "lib/panel_rig.h"

#define HOST  "Host: " PANEL_RIG_HOST "\r\n"
#define SEVEN "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\n"

/* More than an arena begins with. */
#define MANY SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN

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

static struct fake_peer *connect_with_room(void)
{
	static const char room[8192];
	struct fake_peer *panel = panel_rig_connect(&rig);

	assert_int_equal(hf_buf_append(&panel->got, hf_span(room, sizeof(room))), 0);
	hf_buf_clear(&panel->got);
	return panel;
}

/* What is answered with the @nth allocation of all that the request takes failing;
 * *@through: there were not so many. */
static const char *ask_without(const char *request, int nth, bool *through)
{
	struct fake_peer *panel = connect_with_room();
	const char *got;

	fake_peer_send(panel, request);
	alloc_countdown = nth;
	panel_rig_settle(&rig);
	*through = alloc_countdown >= 0;
	alloc_countdown = -1;
	panel_rig_settle(&rig);
	got = fake_peer_take(panel);
	check(got);
	panel->give_eof = true;
	panel_rig_settle(&rig);
	return got;
}

/* The request is in the page's list, whole, or there is no list. */
static bool list_without(int nth)
{
	bool through;
	const char *got =
		ask_without("GET /.holdfast/requests HTTP/1.1\r\n" HOST "\r\n", nth, &through);

	if (strncmp(got, "HTTP/1.1 200 ", 13) == 0 && !strstr(got, "\"url\":\"/api/x\""))
		fail_msg("allocation %d: the list does not have it:\n%s", nth, got);
	return through;
}

static void a_list_is_whole_or_refused(void **state)
{
	int nth = 0;

	(void)state;
	panel_rig_init(&rig);
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel_rig_ask(&rig, panel_rig_connect(&rig),
		      "POST /api/x HTTP/1.1\r\n" HOST SEVEN SEVEN SEVEN
		      "Content-Length: 3\r\n\r\nabc");
	while (!list_without(nth))
		nth++;
	assert_true(nth > 10);
	panel_rig_finish(&rig);
}

static void leave_answered(char id[27])
{
	struct fake_peer *panel = panel_rig_connect(&rig), *origin;
	const char *at;

	panel_rig_origin_down(&rig, true);
	at = strstr(panel_rig_ask(&rig, panel,
				  "POST /api/x HTTP/1.1\r\n" HOST MANY
				  "Content-Length: 3\r\n\r\nabc"),
		    "/requests/");
	assert_non_null(at);
	snprintf(id, 27, "%s", at + strlen("/requests/"));
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	origin = panel_rig_origin(&rig);
	while (origin && origin->got.len == 0)
		origin = panel_rig_origin(&rig);
	assert_non_null(origin);
	panel_rig_answer(&rig, origin,
			 "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n"
			 "Location: http://shop.example/orders/7\r\n\r\nmade");
}

static bool answer_without(const char *id, int nth)
{
	char request[160];
	const char *got;
	bool through;

	snprintf(request, sizeof(request),
		 "GET /.holdfast/requests/%s/response HTTP/1.1\r\n" HOST "\r\n", id);
	got = ask_without(request, nth, &through);
	if (strncmp(got, "HTTP/1.1 201 ", 13) == 0 &&
	    !strstr(got, "Location: http://" PANEL_RIG_HOST "/orders/7"))
		fail_msg("allocation %d: it does not lead to the panel's side:\n%s", nth, got);
	return through;
}

static void a_stored_answer_leads_to_the_panels_side_or_is_refused(void **state)
{
	char id[27];
	int nth = 0;

	(void)state;
	panel_rig_init(&rig);
	panel_rig_start(&rig);
	leave_answered(id);
	while (!answer_without(id, nth))
		nth++;
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
		cmocka_unit_test(on_a_straight_route),
		cmocka_unit_test(on_a_queued_route),
		cmocka_unit_test(in_the_api),
		cmocka_unit_test(a_list_is_whole_or_refused),
		cmocka_unit_test(a_stored_answer_leads_to_the_panels_side_or_is_refused),
		cmocka_unit_test(on_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
