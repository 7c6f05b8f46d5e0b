/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose route queues them: live when it can be, else accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/order_case.h"

static void passes_the_origins_answer_when_it_is_there(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, ORDER("abc", "3"));
	o = origin();
	text = fake_peer_take(o);
	HAS(text, "POST /api/orders HTTP/1.1\r\n");
	HAS(text, "Host: shop.example\r\n");
	HAS(text, " HTTP/1.1\r\nHost: shop.example\r\n"); /* first, for those who route by it */
	HAS(text, "Idempotency-Key: ");
	HAS(text, "Content-Length: 3\r\n\r\nabc");
	panel_rig_answer(&rig, o, CREATED);
	text = fake_peer_take(panel);
	HAS(text, "HTTP/1.1 201 Created\r\n");
	HAS(text, "X-Order: 7\r\n");
	HAS(text, "\r\n\r\nmade");
	assert_false(panel->closed);
	panel_rig_ask(&rig, panel, ORDER("def", "3"));
	HAS(fake_peer_take(o), "def");
}

static void accepts_when_the_origin_refuses_connections(void **state)
{
	const char *text;
	char id[27];

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	text = ask(HEAD "Idempotency-Key: \"my-key\"\r\nContent-Length: 3\r\n\r\nabc");
	HAS(text, "HTTP/1.1 202 Accepted\r\n");
	HAS(text, "Cache-Control: no-store\r\n");
	HAS(text, "Content-Type: application/json\r\n");
	HAS(text, "Holdfast-State: queued\r\n");
	HAS(text, "\"state\":\"queued\",\"tag\":\"orders\",\"idempotencyKey\":\"my-key\"}");
	id_of(text, id);
	text = get(id, "");
	HAS(text, "\"state\":\"queued\"");
	HAS(text, "\"reason\":\"network\"");
	HAS(text, "\"url\":\"/api/orders\"");
	text = get(id, "/response");
	HAS(text, "HTTP/1.1 202 Accepted\r\n");
	HAS(text, "Retry-After: ");
	HAS(text, "Holdfast-State: queued\r\n");
}

static void answers_202_only_after_the_commit(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	rig.hold_jobs = true;
	panel = panel_rig_connect(&rig);
	assert_string_equal(panel_rig_ask(&rig, panel, ORDER("abc", "3")), "");
	rig.hold_jobs = false;
	panel_rig_settle(&rig);
	HAS(panel_rig_ask(&rig, panel, ""), "HTTP/1.1 202 Accepted\r\n");
}

static void keeps_the_answer_over_a_reboot(void **state)
{
	struct fake_peer *o;
	const char *text;
	char id[27];

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	id_of(ask(ORDER("abc", "3")), id);
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	o = origin();
	HAS(fake_peer_take(o), "\r\n\r\nabc");
	panel_rig_answer(&rig, o,
			 "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n"
			 "Location: http://shop.example/orders/7\r\n\r\nmade");
	panel_rig_reboot(&rig);
	text = get(id, "/response");
	HAS(text, "HTTP/1.1 201 Created\r\n");
	HAS(text, "Location: http://localhost/orders/7\r\n");
	HAS(text, "\r\n\r\nmade");
	HAS(get(id, ""), "\"response\":{\"status\":201,\"truncated\":false}");
}

static void accepts_what_the_origin_answers_with_503(void **state)
{
	struct fake_peer *panel;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, ORDER("abc", "3"));
	panel_rig_answer(&rig, origin(), UNAVAILABLE);
	text = panel_rig_ask(&rig, panel, "");
	HAS(text, "HTTP/1.1 202 Accepted\r\n");
	HAS_NOT(text, "busy");
}

static void a_portals_answer_does_not_make_the_origin_up(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsign in",
		"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (i > 0) {
			panel_rig_finish(&rig);
			panel_rig_init(&rig);
		}
		rig.policy.expect[0] = 201;
		rig.policy.expect_n = 1;
		panel_rig_start(&rig);
		ask(ORDER("abc", "3"));
		panel_rig_answer(&rig, origin(), answers[i]);
		assert_int_equal(hf_connectivity_origin(rig.connectivity, 0), HF_REACH_TRIAL);
		assert_int_equal(hf_connectivity_net(rig.connectivity), HF_NET_CAPTIVE);
		assert_int_equal(hf_connectivity_last_success(rig.connectivity, 0), 0);
	}
}

static void passes_a_refusal_that_is_final(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, ORDER("abc", "3"));
	panel_rig_answer(&rig, origin(),
			 "HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 3\r\n\r\nbad");
	HAS(fake_peer_take(panel), "HTTP/1.1 422 ");
	HAS(ask("GET /.holdfast/requests HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	    "{\"requests\":[],\"next\":null}");
}

static void queues_behind_a_backlog(void **state)
{
	struct fake_peer *o;
	unsigned i;
	char body[8], text[256];

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	for (i = 0; i < 5; i++) {
		snprintf(body, sizeof(body), "no-%u", i);
		snprintf(text, sizeof(text), HEAD "Content-Length: 4\r\n\r\n%s", body);
		HAS(ask(text), "HTTP/1.1 202 Accepted\r\n");
	}
	panel_rig_origin_down(&rig, false);
	HAS(ask(ORDER("last", "4")), "HTTP/1.1 202 Accepted\r\n");
	panel_rig_advance(&rig, 5000);
	o = origin();
	for (i = 0; i < 5; i++) {
		snprintf(body, sizeof(body), "no-%u", i);
		HAS(fake_peer_take(o), body);
		panel_rig_answer(&rig, o, CREATED);
	}
	HAS(fake_peer_take(o), "last");
}

static void waits_for_the_live_one_of_its_lane(void **state)
{
	struct fake_peer *first, *second, *o;

	(void)state;
	panel_rig_start(&rig);
	first = panel_rig_connect(&rig);
	second = panel_rig_connect(&rig);
	panel_rig_ask(&rig, first, ORDER("one", "3"));
	panel_rig_ask(&rig, second, ORDER("two", "3"));
	o = origin();
	HAS(fake_peer_take(o), "one");
	assert_null(panel_rig_origin(&rig));
	panel_rig_answer(&rig, o, CREATED);
	HAS(fake_peer_take(first), "201 Created");
	HAS(fake_peer_take(o), "two");
	panel_rig_answer(&rig, o, UNAVAILABLE);
	HAS(panel_rig_ask(&rig, second, ""), "202 Accepted");
}

static void keeps_order_when_the_live_one_fails(void **state)
{
	struct fake_peer *first, *second, *o;

	(void)state;
	panel_rig_start(&rig);
	first = panel_rig_connect(&rig);
	second = panel_rig_connect(&rig);
	panel_rig_ask(&rig, first, ORDER("one", "3"));
	panel_rig_ask(&rig, second, ORDER("two", "3"));
	o = origin();
	HAS(fake_peer_take(o), "one");
	panel_rig_answer(&rig, o, UNAVAILABLE);
	HAS(panel_rig_ask(&rig, first, ""), "202 Accepted");
	HAS(panel_rig_ask(&rig, second, ""), "202 Accepted");
	panel_rig_advance(&rig, 10000);
	o = origin();
	HAS(fake_peer_take(o), "one");
	panel_rig_answer(&rig, o, CREATED);
	HAS(fake_peer_take(o), "two");
}

static void sends_the_same_key_live_and_later(void **state)
{
	struct fake_peer *o;
	char key[64];
	const char *at;

	(void)state;
	panel_rig_start(&rig);
	fake_peer_send(panel_rig_connect(&rig), ORDER("abc", "3"));
	panel_rig_settle(&rig);
	o = origin();
	at = strstr(fake_peer_take(o), "Idempotency-Key: ");
	assert_non_null(at);
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(at, "\r"), at);
	panel_rig_answer(&rig, o, UNAVAILABLE);
	panel_rig_advance(&rig, 10000);
	HAS(fake_peer_take(origin()), key);
}

static void goes_on_when_the_panel_leaves(void **state)
{
	struct fake_peer *panel, *o;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, ORDER("abc", "3"));
	o = origin();
	panel->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(panel->closed);
	assert_false(o->closed);
	panel_rig_answer(&rig, o, UNAVAILABLE);
	panel_rig_settle(&rig);
	HAS(ask("GET /.holdfast/requests HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	    "\"state\":\"queued\"");
}

static void holds_what_may_not_be_repeated(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	rig.policy.idempotency = HF_IDEMPOTENCY_NEVER;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, ORDER("abc", "3"));
	o = origin();
	o->give_error = HF_ECONNRESET;
	panel_rig_settle(&rig);
	text = panel_rig_ask(&rig, panel, "");
	HAS(text, "202 Accepted");
	HAS(text, "\"state\":\"held\"");
}

static void refuses_past_the_lanes_limit(void **state)
{
	const char *text;

	(void)state;
	rig.policy.max_entries = 2;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	HAS(ask(ORDER("abc", "3")), "202 Accepted");
	HAS(ask(ORDER("abc", "3")), "202 Accepted");
	text = ask(ORDER("abc", "3"));
	HAS(text, "HTTP/1.1 503 ");
	HAS(text, "Retry-After: ");
}

static void respond_async_does_not_try(void **state)
{
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	text = ask(HEAD "Prefer: return=minimal, respond-async\r\nContent-Length: 3\r\n\r\nabc");
	HAS(text, "202 Accepted");
	HAS(text, "Preference-Applied: respond-async\r\n");
	text = fake_peer_take(origin());
	HAS(text, "Prefer: return=minimal\r\n");
	HAS(text, "abc");
}

static void prefer_wait_gives_the_origins_answer(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	text = panel_rig_ask(&rig, panel, HEAD "Prefer: wait=20\r\nContent-Length: 3\r\n\r\nabc");
	assert_string_equal(text, "");
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	o = origin();
	panel_rig_answer(&rig, o, CREATED);
	text = panel_rig_ask(&rig, panel, "");
	HAS(text, "HTTP/1.1 201 Created\r\n");
	HAS(text, "Preference-Applied: wait=20\r\n");
	HAS(text, "X-Order: 7\r\n");
	HAS(text, "\r\n\r\nmade");
}

static void prefer_wait_ends_with_a_202(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, HEAD "Prefer: wait=3\r\nContent-Length: 3\r\n\r\nabc");
	panel_rig_advance(&rig, 2500);
	assert_string_equal(fake_peer_take(panel), "");
	panel_rig_advance(&rig, 600);
	HAS(fake_peer_take(panel), "202 Accepted");
}

static void prefer_wait_may_be_left(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, HEAD "Prefer: wait=300\r\nContent-Length: 3\r\n\r\nabc");
	panel->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(panel->closed);
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	HAS(fake_peer_take(origin()), "abc");
}

static void takes_requests_without_a_body(void **state)
{
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	text = ask("DELETE /api/orders/7 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	HAS(text, "202 Accepted");
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	HAS(fake_peer_take(origin()), "DELETE /api/orders/7 HTTP/1.1\r\n");
}

static void is_taken_down_in_the_middle(void **state)
{
	(void)state;
	panel_rig_start(&rig);
	panel_rig_ask(&rig, panel_rig_connect(&rig), ORDER("live", "4"));
	panel_rig_ask(&rig, panel_rig_connect(&rig), ORDER("waits", "5"));
	panel_rig_ask(&rig, panel_rig_connect(&rig), HEAD "Content-Length: 10\r\n\r\nhalf");
	rig.hold_jobs = true;
	panel_rig_answer(&rig, origin(), UNAVAILABLE);
	panel_rig_ask(&rig, panel_rig_connect(&rig),
		      "GET /.holdfast/requests HTTP/1.1\r\nHost: localhost\r\n\r\n");
	rig.hold_jobs = false;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passes_the_origins_answer_when_it_is_there),
		TEST(accepts_when_the_origin_refuses_connections),
		TEST(answers_202_only_after_the_commit),
		TEST(keeps_the_answer_over_a_reboot),
		TEST(accepts_what_the_origin_answers_with_503),
		TEST(passes_a_refusal_that_is_final),
		TEST(a_portals_answer_does_not_make_the_origin_up),
		TEST(queues_behind_a_backlog),
		TEST(waits_for_the_live_one_of_its_lane),
		TEST(keeps_order_when_the_live_one_fails),
		TEST(sends_the_same_key_live_and_later),
		TEST(goes_on_when_the_panel_leaves),
		TEST(holds_what_may_not_be_repeated),
		TEST(refuses_past_the_lanes_limit),
		TEST(respond_async_does_not_try),
		TEST(prefer_wait_gives_the_origins_answer),
		TEST(prefer_wait_ends_with_a_202),
		TEST(prefer_wait_may_be_left),
		TEST(takes_requests_without_a_body),
		TEST(is_taken_down_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
