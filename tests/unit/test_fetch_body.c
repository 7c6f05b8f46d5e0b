/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of requests that a route queues: large, too large, or never whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/order_case.h"

static void a_slow_upload_does_not_stop_the_lane(void **state)
{
	struct fake_peer *slow, *quick;

	(void)state;
	panel_rig_start(&rig);
	slow = panel_rig_connect(&rig);
	quick = panel_rig_connect(&rig);
	panel_rig_ask(&rig, slow, HEAD "Content-Length: 10\r\n\r\nhalf");
	panel_rig_ask(&rig, quick, ORDER("quick", "5"));
	HAS(fake_peer_take(origin()), "quick");
}

static void forgets_half_a_body(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, HEAD "Content-Length: 10\r\n\r\nhalf");
	panel->give_error = HF_ECONNRESET;
	panel_rig_settle(&rig);
	assert_true(panel->closed);
	assert_null(panel_rig_origin(&rig));
	HAS(ask("GET /.holdfast/requests HTTP/1.1\r\nHost: localhost\r\n\r\n"), "\"requests\":[]");
}

static void sends_100_itself_and_takes_the_body(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	HAS(panel_rig_ask(&rig, panel, HEAD "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
	    "HTTP/1.1 100 Continue\r\n\r\n");
	HAS(panel_rig_ask(&rig, panel, "abc"), "HTTP/1.1 202 Accepted\r\n");
	assert_false(panel->closed);
}

static void refuses_a_body_that_is_too_large(void **state)
{
	struct fake_peer *panel;
	const char *text;
	char block[1024];
	unsigned i;

	(void)state;
	rig.fetch_opt.body_max = 10000;
	panel_rig_start(&rig);
	text = ask(HEAD "Content-Length: 10001\r\nExpect: 100-continue\r\n\r\n");
	HAS(text, "HTTP/1.1 413 ");
	HAS_NOT(text, "100 Continue");
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, HEAD "Transfer-Encoding: chunked\r\n\r\n");
	memset(block, 'x', sizeof(block));
	for (i = 0; i < 10; i++) {
		fake_peer_send(panel, "400\r\n");
		fake_peer_send_bytes(panel, block, sizeof(block));
		fake_peer_send(panel, "\r\n");
	}
	HAS(panel_rig_ask(&rig, panel, ""), "HTTP/1.1 413 ");
	assert_true(panel->fin);
	assert_null(panel_rig_origin(&rig));
}

static char *large_body(size_t len)
{
	char *body = malloc(len + 1);
	size_t i;

	assert_non_null(body);
	for (i = 0; i < len; i++)
		body[i] = (char)('a' + i * 7 % 26 + (i >> 16) % 3);
	body[len] = '\0';
	return body;
}

static const char *send_large(struct fake_peer *panel, const char *body)
{
	char head[256];

	snprintf(head, sizeof(head), HEAD "Content-Length: %zu\r\n\r\n", strlen(body));
	fake_peer_send(panel, head);
	return panel_rig_ask(&rig, panel, body);
}

static void sends_a_large_body_live_from_the_store(void **state)
{
	struct fake_peer *panel, *o;
	char *body = large_body(300000);

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	send_large(panel, body);
	o = origin();
	assert_non_null(strstr(fake_peer_take(o), body));
	panel_rig_answer(&rig, o, CREATED);
	HAS(fake_peer_take(panel), "201 Created");
	free(body);
}

static void sends_a_large_body_later_from_the_store(void **state)
{
	struct fake_peer *panel, *o;
	char *body = large_body(200000);

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	HAS(send_large(panel, body), "202 Accepted");
	panel_rig_origin_down(&rig, false);
	panel_rig_reboot(&rig);
	panel_rig_advance(&rig, 5000);
	o = origin();
	assert_non_null(strstr(fake_peer_take(o), body));
	free(body);
}

static void sends_a_large_body_again_on_421(void **state)
{
	struct fake_peer *panel, *o;
	char *body = large_body(200000);

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	send_large(panel, body);
	o = origin();
	assert_non_null(strstr(fake_peer_take(o), body));
	panel_rig_answer(&rig, o, "HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n");
	o = origin();
	assert_non_null(strstr(fake_peer_take(o), body));
	panel_rig_answer(&rig, o, CREATED);
	HAS(fake_peer_take(panel), "201 Created");
	free(body);
}

/* Half a body is in the store, whole chunks of it, when the store goes first. */
static void refuses_when_the_store_is_full(void **state)
{
	struct fake_peer *panel;
	char *body = large_body(900000);
	const char *text = "";
	unsigned i;

	(void)state;
	rig.store_bytes_max = 2 * 1024 * 1024;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	for (i = 0; i < 5 && !strstr(text, " 507 "); i++) {
		panel = panel_rig_connect(&rig);
		text = send_large(panel, body);
	}
	free(body);
	HAS(text, "HTTP/1.1 507 Insufficient Storage\r\n");
	assert_true(i > 1);
}

static void is_taken_down_with_half_a_body_in_the_store(void **state)
{
	struct fake_peer *panel;
	char *body = large_body(200000);

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, HEAD "Content-Length: 300000\r\n\r\n");
	panel_rig_ask(&rig, panel, body);
	send_large(panel_rig_connect(&rig), body); /* has its turn */
	panel_rig_ask(&rig, panel_rig_connect(&rig), ORDER("waits", "5"));
	panel_rig_reboot(&rig);
	HAS(ask("GET /.holdfast/requests HTTP/1.1\r\nHost: localhost\r\n\r\n"), "\"requests\":[]");
	free(body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slow_upload_does_not_stop_the_lane),
		TEST(forgets_half_a_body),
		TEST(sends_100_itself_and_takes_the_body),
		TEST(refuses_a_body_that_is_too_large),
		TEST(sends_a_large_body_live_from_the_store),
		TEST(sends_a_large_body_later_from_the_store),
		TEST(sends_a_large_body_again_on_421),
		TEST(refuses_when_the_store_is_full),
		TEST(is_taken_down_with_half_a_body_in_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
