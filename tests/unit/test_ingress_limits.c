/* SPDX-License-Identifier: Apache-2.0 */
/* What a panel is not allowed: to be idle, to trickle, to be one too many or remote; and how its connections end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/connection_case.h"

static void closes_what_is_idle(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel, GET("/"));
	panel_rig_answer(&rig, origin(), OK_HI);
	panel_rig_advance(&rig, 59000);
	assert_false(panel->closed);
	panel_rig_advance(&rig, 2000);
	assert_true(panel->closed);
	assert_int_equal(hf_ingress_connections(rig.ingress), 0);
}

static void answers_408_to_a_head_that_trickles(void **state)
{
	struct fake_peer *panel;
	unsigned i;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	fake_peer_send(panel, "GET / HTTP/1.1\r\n");
	for (i = 0; i < 16 && !panel->fin; i++) {
		fake_peer_send(panel, "X: y\r\n");
		panel_rig_advance(&rig, 1000);
	}
	HAS(fake_peer_take(panel), "HTTP/1.1 408 Request Timeout\r\n");
	panel_rig_advance(&rig, 3000);
	assert_true(panel->closed);
}

static void answers_408_to_a_body_that_stops(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	panel = panel_rig_connect(&rig);
	panel_rig_ask(&rig, panel,
		      "POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
	panel_rig_advance(&rig, 61000);
	HAS(fake_peer_take(panel), "HTTP/1.1 408 ");
	panel_rig_advance(&rig, 3000);
	assert_true(panel->closed);
}

static void refuses_one_connection_too_many(void **state)
{
	struct fake_peer *panels[3], *control;
	unsigned i;

	(void)state;
	rig.ingress_opt.connections_max = 2;
	panel_rig_start(&rig);
	for (i = 0; i < 3; i++)
		panels[i] = panel_rig_connect(&rig);
	HAS(fake_peer_take(panels[2]), "HTTP/1.1 503 ");
	assert_true(panels[2]->fin);
	assert_false(panels[0]->fin);
	control = panel_rig_connect_control(&rig);
	HAS(panel_rig_ask(&rig, control, GET("/.holdfast/status")), "HTTP/1.1 200 OK\r\n");
	panel_rig_advance(&rig, 3000);
	assert_true(panels[2]->closed);
	panels[2] = panel_rig_connect(&rig);
	HAS(fake_peer_take(panels[2]), "HTTP/1.1 503 ");
	panels[0]->give_eof = true;
	panels[2]->give_eof = true;
	panel_rig_settle(&rig);
	panels[2] = panel_rig_connect(&rig);
	assert_string_equal(fake_peer_take(panels[2]), "");
}

static void refuses_remote_peers(void **state)
{
	struct fake_peer *panel;

	(void)state;
	panel_rig_start(&rig);
	rig.peer.addr.ip[0] = 10;
	panel = panel_rig_connect(&rig);
	HAS(fake_peer_take(panel), "HTTP/1.1 403 Forbidden\r\n");
	rig.peer.addr.ip[0] = 127;
	rig.peer.addr.ip[3] = 9;
	panel = panel_rig_connect(&rig);
	assert_string_equal(fake_peer_take(panel), "");
}

static void stopped(void *user)
{
	struct panel_rig *r = user;

	r->stopped = true;
}

static void stops_after_the_running_answer(void **state)
{
	struct fake_peer *idle, *busy, *events, *o;

	(void)state;
	panel_rig_start(&rig);
	idle = panel_rig_connect(&rig);
	busy = panel_rig_connect(&rig);
	events = panel_rig_connect(&rig);
	panel_rig_ask(&rig, events, GET("/.holdfast/events"));
	panel_rig_ask(&rig, busy, GET("/"));
	o = origin();
	hf_ingress_stop(rig.ingress, 2000, stopped, &rig);
	panel_rig_settle(&rig);
	assert_true(idle->closed);
	assert_true(events->closed);
	assert_false(busy->closed);
	assert_false(rig.stopped);
	panel_rig_answer(&rig, o, OK_HI);
	HAS(fake_peer_take(busy), "Connection: close\r\n");
	assert_true(busy->closed);
	assert_true(rig.stopped);
}

static void stops_when_the_grace_is_over(void **state)
{
	struct fake_peer *busy;

	(void)state;
	panel_rig_start(&rig);
	busy = panel_rig_connect(&rig);
	panel_rig_ask(&rig, busy, GET("/"));
	hf_ingress_stop(rig.ingress, 2000, stopped, &rig);
	panel_rig_advance(&rig, 2100);
	assert_true(busy->closed);
	assert_true(rig.stopped);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(closes_what_is_idle),
		TEST(answers_408_to_a_head_that_trickles),
		TEST(answers_408_to_a_body_that_stops),
		TEST(refuses_one_connection_too_many),
		TEST(refuses_remote_peers),
		TEST(stops_after_the_running_answer),
		TEST(stops_when_the_grace_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
