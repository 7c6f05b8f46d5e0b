/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of connections: which one is used, how long it may take, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http1_rig.h"

/* ---- the pool ---- */

static void connections_are_used_again_latest_first(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	shoot(get(w, 1));
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 2);
	answer(w, 1, ok);
	answer(w, 0, ok);
	fake_peer_take(peer(w, 0));
	fake_peer_take(peer(w, 1));
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	assert_string_equal(fake_peer_take(peer(w, 0)), get_head);
	assert_string_equal(fake_peer_take(peer(w, 1)), "");
	assert_int_equal(figures(w).opened, 2);
	assert_int_equal(figures(w).reused, 1);
}

static void a_request_made_in_on_end_has_the_same_connection(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	s->next = get(w, 1);
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	assert_int_equal(w->net.peers_n, 1);
	answer(w, 0, ok);
	assert_true(w->shots[1].ended);
}

static void a_connection_that_may_not_be_kept_is_closed(void **state)
{
	struct world *w = *state;
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		shoot(get(w, 0));
		fake_net_settle(&w->net);
		answer(w, i, answers[i]);
		assert_string_equal(heard(&w->shots[0]), "head:200 body:ok end:complete/all");
		assert_int_equal(figures(w).connections, 0);
	}
}

static void an_idle_connection_that_speaks_or_closes_is_dropped(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	answer(w, 0, "HTTP/1.1 408 Request Timeout\r\n\r\n");
	assert_int_equal(figures(w).connections, 0);
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 1, ok);
	peer(w, 1)->give_eof = true;
	fake_net_settle(&w->net);
	assert_int_equal(figures(w).connections, 0);
}

static void idle_connections_go_after_their_time(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	fake_net_advance(&w->net, 14999);
	assert_int_equal(figures(w).idle, 1);
	fake_net_advance(&w->net, 1);
	assert_int_equal(figures(w).idle, 0);
	assert_int_equal(w->net.timers.len, 0);
}

static void more_exchanges_than_connections_wait_their_turn(void **state)
{
	struct world *w = *state;

	http1_rig_make(w, 1);
	shoot(get(w, 0));
	shoot(get(w, 1));
	shoot(get(w, 2));
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 1);
	assert_int_equal(figures(w).waiting, 2);
	answer(w, 0, ok);
	assert_true(w->shots[0].ended);
	answer(w, 0, ok);
	assert_true(w->shots[1].ended);
	fake_net_advance(&w->net, 5000);
	assert_false(w->shots[2].ended);
	answer(w, 0, ok);
	assert_true(w->shots[2].ended);
	assert_int_equal(w->net.peers_n, 1);
}

static void waiting_in_line_has_a_limit(void **state)
{
	struct world *w = *state;

	http1_rig_make(w, 1);
	shoot(get(w, 0));
	shoot(get(w, 1));
	fake_net_advance(&w->net, 10001);
	assert_string_equal(heard(&w->shots[1]), "end:limit/none");
	assert_false(w->shots[0].ended);
}

static void a_cancelled_exchange_makes_way(void **state)
{
	struct world *w = *state;

	http1_rig_make(w, 1);
	shoot(get(w, 0));
	shoot(get(w, 1));
	fake_net_settle(&w->net);
	w->t->cancel(w->t, w->shots[0].x);
	fake_net_settle(&w->net);
	assert_true(peer(w, 0)->closed);
	answer(w, 1, ok);
	assert_string_equal(heard(&w->shots[1]), "head:200 body:ok end:complete/all");
}

static void a_fresh_connection_can_be_asked_for(void **state)
{
	struct world *w = *state;

	http1_rig_make(w, 1);
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	shoot_as(get(w, 0), &plain_events, true);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 2);
	assert_true(peer(w, 0)->closed); /* it made room */
	answer(w, 1, ok);
	assert_true(w->shots[0].ended);
}

/* ---- time ---- */

static void refused_and_unknown_names_are_told_apart(void **state)
{
	struct world *w = *state;

	fake_net_answer(&w->net, "192.0.2.1", FAKE_REFUSE);
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	assert_string_equal(heard(&w->shots[0]), "end:refused/none");
	assert_string_equal(w->shots[0].detail, "connect to 192.0.2.1:80: connection refused");
	hf_http1_network_changed(w->t, true);
	w->net.resolve_err = HF_EDNS;
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	assert_string_equal(heard(&w->shots[0]), "end:dns/none");
}

static void connecting_takes_its_time_and_no_more(void **state)
{
	struct world *w = *state;

	fake_net_answer(&w->net, "192.0.2.1", FAKE_SILENT);
	shoot(get(w, 0));
	fake_net_advance(&w->net, 9999);
	assert_false(w->shots[0].ended);
	fake_net_advance(&w->net, 1);
	assert_string_equal(heard(&w->shots[0]), "end:refused/none");
	assert_int_equal(w->shots[0].result.err, HF_ETIMEDOUT);
	assert_string_equal(w->shots[0].detail,
			    "connect to 192.0.2.1:80: no answer within 10000 ms");
	assert_int_equal(figures(w).connections, 0);
}

static void a_hanging_look_up_is_a_name_failure(void **state)
{
	struct world *w = *state;

	w->net.resolve_delay_ms = 100000;
	shoot(get(w, 0));
	fake_net_advance(&w->net, 10000);
	assert_string_equal(heard(&w->shots[0]), "end:dns/none");
}

static void the_first_byte_has_its_own_time(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);
	struct hf_transport_request req = { .msg = &s->msg, .first_byte_timeout_ms = 700 };

	shoot(get(w, 1));
	assert_int_equal(w->t->perform(w->t, &req, &plain_events, s, &s->x), 0);
	fake_net_advance(&w->net, 699);
	assert_false(s->ended);
	fake_net_advance(&w->net, 1);
	assert_string_equal(heard(s), "end:timeout/all");
	fake_net_advance(&w->net, 29299);
	assert_false(w->shots[1].ended);
	fake_net_advance(&w->net, 1);
	assert_string_equal(heard(&w->shots[1]), "end:timeout/all");
	assert_true(peer(w, 0)->closed && peer(w, 1)->closed);
}

static void a_body_that_moves_is_never_idle(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);
	unsigned i;

	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
	for (i = 0; i < 10; i++) {
		fake_net_advance(&w->net, 59000);
		answer(w, 0, "x");
	}
	assert_false(s->ended);
	fake_net_advance(&w->net, 59999);
	assert_false(s->ended);
	fake_net_advance(&w->net, 1);
	assert_true(s->ended);
	assert_int_equal(s->result.end, HF_END_TIMEOUT);
}

static void an_event_stream_may_be_silent(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0,
	       "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
	       "data: 1\n\n");
	fake_net_advance(&w->net, 86400000);
	assert_false(s->ended);
	answer(w, 0, "data: 2\n\n");
	assert_string_equal(heard(s), "head:200 body:data: 1\n\n body:data: 2\n\n");
	w->t->cancel(w->t, s->x);
}

static void a_stuck_upload_is_idle(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");
	fake_peer_open_window(peer(w, 0), 20);
	shoot(s);
	fake_net_advance(&w->net, 60000);
	assert_string_equal(heard(s), "end:timeout/part");
	assert_int_equal(s->result.request_bytes, 20);
}

/* ---- the network changes ---- */

static void a_lost_link_ends_what_has_not_begun_to_receive(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	shoot(get(w, 1));
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	hf_http1_network_changed(w->t, false);
	assert_false(w->shots[1].ended); /* not inside the call */
	fake_net_settle(&w->net);
	assert_string_equal(heard(&w->shots[1]), "end:reset/all");
	assert_false(w->shots[0].ended);
	answer(w, 0, "cd");
	assert_string_equal(heard(&w->shots[0]), "head:200 body:ab body:cd end:complete/all");
}

static void after_a_change_names_and_sockets_are_fresh(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	hf_http1_network_changed(w->t, true);
	assert_true(peer(w, 0)->closed);
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	assert_int_equal(w->net.resolves, 2);
	assert_int_equal(w->net.peers_n, 2);
	answer(w, 1, ok);
	assert_true(w->shots[0].ended);
}

/* One that is idle and one that is being answered; the latter is heard out. */
static void connections_to_a_stranger_are_not_used_again(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	shoot(get(w, 1));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	hf_http1_distrust(w->t);
	assert_true(peer(w, 0)->closed);
	answer(w, 1, ok);
	assert_string_equal(heard(&w->shots[1]), "head:200 body:ok end:complete/all");
	assert_true(peer(w, 1)->closed);
	assert_int_equal(figures(w).connections, 0);
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	assert_int_equal(w->net.resolves, 2);
	answer(w, 2, ok);
	assert_int_equal(figures(w).idle, 1);
}

static void a_hanging_dial_begins_anew(void **state)
{
	struct world *w = *state;

	fake_net_answer(&w->net, "192.0.2.1", FAKE_SILENT);
	shoot(get(w, 0));
	fake_net_advance(&w->net, 50);
	fake_net_answer(&w->net, "192.0.2.1", FAKE_ACCEPT);
	hf_http1_network_changed(w->t, true);
	fake_net_settle(&w->net);
	answer(w, 1, ok);
	assert_string_equal(heard(&w->shots[0]), "head:200 body:ok end:complete/all");
}

static void a_held_exchange_outlives_a_lost_link(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	shoot_as(s, &held_events, false);
	fake_net_settle(&w->net);
	hf_http1_network_changed(w->t, false);
	hf_http1_network_changed(w->t, true);
	fake_net_settle(&w->net);
	w->t->go(w->t, s->x);
	fake_net_settle(&w->net);
	answer(w, 1, ok);
	assert_string_equal(heard(s), "send? head:200 body:ok end:complete/all");
}

static void an_origin_on_the_device_itself_knows_no_links(void **state)
{
	struct world *w = *state;

	w->net.hosts_n = 0;
	w->net.addrs_n = 0;
	fake_net_host(&w->net, "127.0.0.1", FAKE_ACCEPT, 0);
	shoot(get(w, 0));
	shoot(get(w, 1));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	hf_http1_network_changed(w->t, false);
	fake_net_settle(&w->net);
	assert_int_equal(figures(w).idle, 1);
	answer(w, 1, ok);
	assert_true(w->shots[1].ended);
}

/* ---- cancelling and destroying ---- */

static void cancel_inside_events_is_safe(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	s->cancel_on_head = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "head:200");
	assert_true(peer(w, 0)->closed);
	s->cancel_on_head = false;
	s->cancel_on_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 1,
	       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
	assert_string_equal(heard(s), "head:200 body:a");
	assert_int_equal(figures(w).connections, 0);
}

static void destroying_in_every_state_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	s->hold_body = true;
	shoot(s);				  /* active, body outstanding */
	shoot_as(get(w, 1), &held_events, false); /* held */
	fake_net_settle(&w->net);
	fake_net_answer(&w->net, "192.0.2.1", FAKE_SILENT);
	shoot(get(w, 2)); /* dialling */
	fake_net_advance(&w->net, 10);
	hf_http1_destroy(w->t);
	w->t = NULL;
	assert_false(w->shots[0].ended || w->shots[1].ended || w->shots[2].ended);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, http1_rig_set_up, http1_rig_tear_down)
	const struct CMUnitTest tests[] = {
		T(connections_are_used_again_latest_first),
		T(a_request_made_in_on_end_has_the_same_connection),
		T(a_connection_that_may_not_be_kept_is_closed),
		T(an_idle_connection_that_speaks_or_closes_is_dropped),
		T(idle_connections_go_after_their_time),
		T(more_exchanges_than_connections_wait_their_turn),
		T(waiting_in_line_has_a_limit),
		T(a_cancelled_exchange_makes_way),
		T(a_fresh_connection_can_be_asked_for),
		T(refused_and_unknown_names_are_told_apart),
		T(connecting_takes_its_time_and_no_more),
		T(a_hanging_look_up_is_a_name_failure),
		T(the_first_byte_has_its_own_time),
		T(a_body_that_moves_is_never_idle),
		T(an_event_stream_may_be_silent),
		T(a_stuck_upload_is_idle),
		T(a_lost_link_ends_what_has_not_begun_to_receive),
		T(after_a_change_names_and_sockets_are_fresh),
		T(connections_to_a_stranger_are_not_used_again),
		T(a_hanging_dial_begins_anew),
		T(a_held_exchange_outlives_a_lost_link),
		T(an_origin_on_the_device_itself_knows_no_links),
		T(cancel_inside_events_is_safe),
		T(destroying_in_every_state_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
