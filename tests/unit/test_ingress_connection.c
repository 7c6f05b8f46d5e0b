/* SPDX-License-Identifier: Apache-2.0 */
/* A panel's connection from end to end: what it says, what the origin gets and
 * answers, what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/connection_case.h"

static void passes_a_request_and_its_answer(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	text = panel_rig_ask(&rig, panel,
			     "GET /a?b=c HTTP/1.1\r\nHost: " PANEL_RIG_HOST
			     "\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n");
	assert_string_equal(text, "");
	o = origin();
	text = fake_peer_take(o);
	HAS(text, "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\n");
	HAS(text, "X-End: 2\r\n");
	HAS(text, "Via: 1.1 holdfast\r\n");
	HAS(text, "Forwarded: for=127.0.0.1;host=\"" PANEL_RIG_HOST "\";proto=http\r\n");
	HAS_NOT(text, "X-Hop");
	panel_rig_answer(&rig, o,
			 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x\r\nX: y\r\n"
			 "\r\nhi");
	text = fake_peer_take(panel);
	HAS(text, "HTTP/1.1 200 OK\r\n");
	HAS(text, "Via: 1.1 holdfast\r\n");
	HAS(text, "Date: ");
	HAS(text, "\r\n\r\nhi");
	HAS_NOT(text, "X: y");
	assert_false(panel->closed);
}

static void writes_head_and_small_body_at_once(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/"));
	panel_rig_answer(&rig, origin(), OK_HI);
	assert_int_equal(panel->writes, 1);
}

/* A head and a first piece that fit go together, whatever the panel takes at once. */
static void writes_head_and_first_piece_at_once(void **state)
{
	static const size_t windows[] = { 100000, 1, 100, 5000 };
	static char answer[64 + 16384];
	struct fake_peer *panel, *o = NULL;
	int head = snprintf(answer, 64, "HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n");
	struct hf_span got;

	(void)state;
	for (size_t i = 0; i < 16384; i++)
		answer[(size_t)head + i] = (char)('a' + i % 26);
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		panel->writes = 0;
		panel->window = windows[i];
		panel_rig_ask(&rig, panel, GET("/"));
		o = o ? o : origin();
		panel_rig_answer(&rig, o, answer);
		assert_int_equal(panel->writes, 1);
		fake_peer_open_window(panel, 100000);
		panel_rig_advance(&rig, 10);
		got = hf_buf_span(&panel->got);
		assert_true(got.len > 16384);
		assert_memory_equal(got.ptr + got.len - 16384, answer + head, 16384);
		assert_memory_equal(got.ptr + got.len - 16388, "\r\n\r\n", 4);
		fake_peer_take(panel);
	}
}

static void serves_pipelined_requests_one_after_another(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/1") GET("/2") GET("/3"));
	o = origin();
	text = fake_peer_take(o);
	HAS(text, "GET /1 ");
	HAS_NOT(text, "GET /2 ");
	panel_rig_answer(&rig, o, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
	HAS(fake_peer_take(o), "GET /2 ");
	panel_rig_answer(&rig, o, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
	HAS(fake_peer_take(o), "GET /3 ");
	panel_rig_answer(&rig, o, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthree");
	text = fake_peer_take(panel);
	assert_true(strstr(text, "one") < strstr(text, "two"));
	assert_true(strstr(text, "two") < strstr(text, "three"));
}

static void passes_a_head_that_comes_byte_by_byte(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	rig.net.data_max = 1;
	panel = panel_rig_connect(&rig);
	panel_rig_ask(
		&rig, panel,
		"POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc" GET("/g"));
	HAS(fake_peer_take(origin()), "\r\n\r\nabc");
}

static void answers_head_without_a_body(void **state)
{
	struct fake_peer *panel;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	panel_rig_answer(&rig, origin(), "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
	text = fake_peer_take(panel);
	HAS(text, "Content-Length: 1234\r\n");
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	assert_false(panel->closed);
	panel_rig_ask(&rig, panel, GET("/next"));
	assert_false(panel->closed);
}

static void passes_chunks_and_trailers(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "3\r\nabc\r\n0\r\nX-Up: 1\r\n\r\n");
	o = origin();
	text = fake_peer_take(o);
	HAS(text, "Transfer-Encoding: chunked\r\n");
	HAS(text, "3\r\nabc\r\n");
	HAS(text, "0\r\nX-Up: 1\r\n\r\n");
	panel_rig_answer(&rig, o,
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
	HAS(fake_peer_take(panel), "\r\n\r\n2\r\nhi\r\n");
	panel_rig_answer(&rig, o, "0\r\nX-Down: 2\r\n\r\n");
	HAS(fake_peer_take(panel), "0\r\nX-Down: 2\r\n\r\n");
}

static void frames_a_body_until_close_as_chunks(void **state)
{
	struct fake_peer *panel, *o;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/"));
	o = origin();
	panel_rig_answer(&rig, o, "HTTP/1.1 200 OK\r\n\r\nall");
	o->give_eof = true;
	panel_rig_settle(&rig);
	HAS(fake_peer_take(panel), "Transfer-Encoding: chunked\r\n\r\n3\r\nall\r\n0\r\n\r\n");
	assert_false(panel->closed);
}

static void gives_an_http10_panel_plain_bytes_and_the_end(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
	o = origin();
	text = fake_peer_take(o);
	HAS(text, "GET / HTTP/1.1\r\n");
	HAS(text, "Via: 1.0 holdfast\r\n");
	HAS_NOT(text, "Expect");
	panel_rig_answer(
		&rig, o,
		"HTTP/1.1 103 Early Hints\r\n\r\n"
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
	text = fake_peer_take(panel);
	HAS_NOT(text, "103");
	HAS_NOT(text, "Transfer-Encoding");
	HAS(text, "Connection: close\r\n\r\nhi");
	assert_true(panel->closed);
	assert_false(panel->aborted);
}

static void passes_interim_answers(void **state)
{
	struct fake_peer *panel, *o;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
		      "Expect: 100-continue\r\n\r\n");
	o = origin();
	HAS(fake_peer_take(o), "Expect: 100-continue\r\n");
	panel_rig_answer(&rig, o, "HTTP/1.1 100 Continue\r\n\r\n");
	HAS(fake_peer_take(panel), "HTTP/1.1 100 Continue\r\n\r\n");
	panel_rig_ask(&rig, panel, "ok");
	HAS(fake_peer_take(o), "ok");
	panel_rig_answer(&rig, o, OK_HI);
	HAS(fake_peer_take(panel), "HTTP/1.1 200 OK\r\n");
	assert_false(panel->closed);
}

static void ends_the_connection_when_the_body_was_not_wanted(void **state)
{
	struct fake_peer *panel;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
		      "Expect: 100-continue\r\n\r\n");
	panel_rig_answer(&rig, origin(), "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	text = fake_peer_take(panel);
	HAS(text, "HTTP/1.1 403 No\r\n");
	HAS(text, "Connection: close\r\n");
	assert_true(panel->fin);
	panel_rig_ask(&rig, panel, "xx");
	panel->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(panel->closed);
	assert_false(panel->aborted);
}

static void tunnels_after_an_upgrade(void **state)
{
	struct fake_peer *panel, *o;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
		      "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n");
	o = origin();
	text = fake_peer_take(o);
	HAS(text, "Upgrade: websocket\r\n");
	HAS(text, "Connection: upgrade\r\n");
	panel_rig_answer(&rig, o,
			 "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			 "Upgrade: websocket\r\n\r\nfrom origin");
	text = fake_peer_take(panel);
	HAS(text, "HTTP/1.1 101 Switching Protocols\r\n");
	HAS(text, "Upgrade: websocket\r\n");
	HAS(text, "from origin");
	panel_rig_ask(&rig, panel, "from panel");
	assert_string_equal(fake_peer_take(o), "from panel");
	panel->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(o->fin);
	o->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(panel->closed);
}

static void does_not_pass_an_upgrade_to_h2c(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
		      "Upgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n");
	HAS_NOT(fake_peer_take(origin()), "pgrade");
}

static void passes_events_at_once(void **state)
{
	struct fake_peer *panel, *o;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/sse"));
	o = origin();
	fake_peer_send(o, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
	fake_net_settle(&rig.net);
	HAS(fake_peer_take(panel), "data: 1\n\n");
	fake_peer_send(o, "data: 2\n\n");
	fake_net_settle(&rig.net);
	HAS(fake_peer_take(panel), "data: 2\n\n");
}

static void holds_the_origin_back_when_the_panel_is_slow(void **state)
{
	struct fake_peer *panel, *o;
	char *block = calloc(1, 65536);
	unsigned i;

	(void)state;
	assert_non_null(block);
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/"));
	o = origin();
	fake_peer_open_window(panel, 100000);
	fake_peer_send(o, "HTTP/1.1 200 OK\r\nContent-Length: 6553600\r\n\r\n");
	for (i = 0; i < 100; i++)
		fake_peer_send_bytes(o, block, 65536);
	panel_rig_settle(&rig);
	assert_int_equal(panel->got.len, 100000);
	assert_true(o->give.len > 6553600 - 400000);
	for (i = 0; i < 100; i++) {
		fake_peer_open_window(panel, 100000);
		panel_rig_settle(&rig);
	}
	assert_int_equal(o->give.len, 0);
	assert_true(panel->got.len > 6553600);
	free(block);
}

static void holds_the_panel_back_when_the_origin_is_slow(void **state)
{
	struct fake_peer *panel, *o;
	char *block = calloc(1, 65536);
	unsigned i;

	(void)state;
	assert_non_null(block);
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6553600\r\n\r\n");
	o = origin();
	fake_peer_open_window(o, 100000);
	for (i = 0; i < 100; i++)
		fake_peer_send_bytes(panel, block, 65536);
	panel_rig_settle(&rig);
	assert_true(panel->give.len > 6553600 - 600000);
	for (i = 0; i < 100; i++) {
		fake_peer_open_window(o, 100000);
		panel_rig_settle(&rig);
	}
	assert_int_equal(panel->give.len, 0);
	assert_true(o->got.len > 6553600);
	panel_rig_answer(&rig, o, OK_HI);
	HAS(fake_peer_take(panel), "\r\n\r\nhi");
	assert_false(panel->closed);
	free(block);
}

static void cancels_when_the_panel_leaves(void **state)
{
	struct fake_peer *panel, *o;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/slow"));
	o = origin();
	panel->give_eof = true;
	panel_rig_settle(&rig);
	assert_true(panel->closed);
	assert_true(o->closed);
}

static void answers_a_panel_that_said_it_would_send_no_more(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel->give_eof = true;
	panel_rig_ask(&rig, panel,
		      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	assert_false(panel->closed);
	panel_rig_answer(&rig, origin(), OK_HI);
	HAS(fake_peer_take(panel), "\r\n\r\nhi");
	assert_true(panel->closed);
}

static void says_which_origin_and_why(void **state)
{
	struct fake_peer *panel;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel_rig_origin_down(&rig, true);
	panel = panel_rig_connect(&rig);
	text = panel_rig_ask(&rig, panel, GET("/x"));
	HAS(text, "HTTP/1.1 502 Bad Gateway\r\n");
	HAS(text, "Content-Type: application/problem+json\r\n");
	HAS(text, "Proxy-Status: holdfast; error=connection_refused; details=\"");
	HAS(text, "Origin \\\"shop\\\" (shop.example) refuses connections");
	assert_false(panel->closed);
}

static void says_that_the_answer_did_not_come(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/x"));
	panel_rig_advance(&rig, 31000);
	HAS(fake_peer_take(panel), "error=http_response_timeout");
}

static void says_that_the_answer_is_no_http(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/x"));
	panel_rig_answer(&rig, origin(), "SSH-2.0-OpenSSH\r\n");
	HAS(fake_peer_take(panel), "error=http_protocol_error");
}

static void breaks_off_an_answer_that_broke_off(void **state)
{
	struct fake_peer *panel, *o;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/x"));
	o = origin();
	panel_rig_answer(&rig, o, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	o->give_eof = true;
	panel_rig_settle(&rig);
	HAS(fake_peer_take(panel), "\r\n\r\nhalf");
	assert_true(panel->closed);
}

static void names_its_own_host_in_redirects_and_cookies(void **state)
{
	struct fake_peer *panel;
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /x HTTP/1.1\r\nHost: " PANEL_RIG_HOST "\r\nContent-Length: 0\r\n"
		      "Origin: http://" PANEL_RIG_HOST "\r\n"
		      "Referer: http://" PANEL_RIG_HOST "/page\r\n\r\n");
	text = fake_peer_take(fake_net_peer(&rig.net, 1));
	HAS(text, "Origin: http://shop.example\r\n");
	HAS(text, "Referer: http://shop.example/page\r\n");
	panel_rig_answer(&rig, origin(),
			 "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
			 "Location: http://shop.example/there?a=b\r\n"
			 "Set-Cookie: s=1; Domain=.example; Path=/; Secure\r\n"
			 "Set-Cookie: t=2; domain=other.example\r\n\r\n");
	text = fake_peer_take(panel);
	HAS(text, "Location: http://" PANEL_RIG_HOST "/there?a=b\r\n");
	HAS(text, "Set-Cookie: s=1; Path=/; Secure\r\n");
	HAS(text, "Set-Cookie: t=2; domain=other.example\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passes_a_request_and_its_answer),
		TEST(writes_head_and_small_body_at_once),
		TEST(writes_head_and_first_piece_at_once),
		TEST(serves_pipelined_requests_one_after_another),
		TEST(passes_a_head_that_comes_byte_by_byte),
		TEST(answers_head_without_a_body),
		TEST(passes_chunks_and_trailers),
		TEST(frames_a_body_until_close_as_chunks),
		TEST(gives_an_http10_panel_plain_bytes_and_the_end),
		TEST(passes_interim_answers),
		TEST(ends_the_connection_when_the_body_was_not_wanted),
		TEST(tunnels_after_an_upgrade),
		TEST(does_not_pass_an_upgrade_to_h2c),
		TEST(passes_events_at_once),
		TEST(holds_the_origin_back_when_the_panel_is_slow),
		TEST(holds_the_panel_back_when_the_origin_is_slow),
		TEST(cancels_when_the_panel_leaves),
		TEST(answers_a_panel_that_said_it_would_send_no_more),
		TEST(says_which_origin_and_why),
		TEST(says_that_the_answer_did_not_come),
		TEST(says_that_the_answer_is_no_http),
		TEST(breaks_off_an_answer_that_broke_off),
		TEST(names_its_own_host_in_redirects_and_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
