/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http1_rig.h"

/* ---- one exchange ---- */

static void a_request_goes_out_and_its_answer_comes_back(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	shoot(s);
	fake_net_settle(&w->net);
	assert_string_equal(fake_peer_take(peer(w, 0)), get_head);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
	assert_int_equal(s->result.request_bytes, strlen(get_head));
	assert_int_equal(figures(w).idle, 1);
}

static void every_cut_of_the_answer_means_the_same(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);
	static const char *const answers[] = {
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
		"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: yes\r\n\r\n",
	};
	size_t cut;

	for (cut = 1; cut < strlen(answers[0]); cut++) {
		shoot(s);
		fake_net_settle(&w->net);
		fake_peer_send_bytes(peer(w, 0), answers[0], cut);
		fake_net_settle(&w->net);
		fake_peer_send(peer(w, 0), answers[0] + cut);
		fake_net_settle(&w->net);
		assert_true(s->ended);
		assert_non_null(strstr(heard(s), "interim:103 head:200 body:"));
		assert_non_null(strstr(heard(s), "trailer:yes end:complete/all"));
	}
	assert_int_equal(w->net.peers_n, 1);
}

static void head_and_small_body_leave_in_one_write(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	shoot(s);
	fake_net_settle(&w->net);
	assert_string_equal(fake_peer_take(peer(w, 0)), "POST /x HTTP/1.1\r\nHost: shop.example\r\n"
							"Content-Length: 5\r\n\r\norder");
	assert_int_equal(peer(w, 0)->writes, 1);
	answer(w, 0, ok);
	assert_true(s->ended);

	s = shot(w, 0, "POST", HF_BODY_CHUNKED, "order");
	shoot(s);
	fake_net_settle(&w->net);
	assert_string_equal(fake_peer_take(peer(w, 0)),
			    "POST /x HTTP/1.1\r\nHost: shop.example\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n5\r\norder\r\n0\r\n\r\n");
	assert_int_equal(peer(w, 0)->writes, 2);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
}

static void an_empty_body_is_complete_with_the_head(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "");

	s->hold_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "writable head:200 body:ok end:complete/all");
	assert_int_equal(figures(w).idle, 1);
}

/* A body through a narrow window, whole again at the other side. */
static void check_narrow_window(struct world *w, enum hf_body_kind kind)
{
	static char body[100001];
	struct shot *s;
	struct hf_buf all;
	const char *text;
	size_t i, data = 0;

	for (i = 0; i < sizeof(body) - 1; i++)
		body[i] = (char)('a' + i % 23);
	s = shot(w, 0, "PUT", kind, body);
	hf_buf_init(&all, 1 << 24);
	shoot(s);
	fake_net_settle(&w->net);
	while (s->body_at < sizeof(body) - 1 || peer(w, 0)->want_writable) {
		hf_buf_append_str(&all, fake_peer_take(peer(w, 0)));
		fake_peer_open_window(peer(w, 0), 777);
		fake_net_settle(&w->net);
	}
	hf_buf_append_str(&all, fake_peer_take(peer(w, 0)));
	text = strstr(hf_buf_cstr(&all), "\r\n\r\n") + 4;
	if (kind == HF_BODY_LENGTH) {
		assert_string_equal(text, body);
	} else {
		while (true) {
			char *end;
			size_t n = strtoul(text, &end, 16);

			text = end + 2;
			if (n == 0)
				break;
			assert_memory_equal(text, body + data, n);
			data += n;
			text += n + 2;
		}
		assert_int_equal(data, sizeof(body) - 1);
	}
	hf_buf_finish(&all);
	fake_peer_open_window(peer(w, 0), SIZE_MAX);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
}

static void back_pressure_holds_a_body_of_known_length(void **state)
{
	struct world *w = *state;

	w->net.data_max = 100;
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	fake_peer_take(peer(w, 0));
	fake_peer_open_window(peer(w, 0), 10);
	check_narrow_window(w, HF_BODY_LENGTH);
}

static void back_pressure_holds_a_chunked_body(void **state)
{
	struct world *w = *state;

	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	fake_peer_take(peer(w, 0));
	fake_peer_open_window(peer(w, 0), 10);
	check_narrow_window(w, HF_BODY_CHUNKED);
}

static void head_has_no_body_whatever_its_length_says(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "HEAD", HF_BODY_NONE, NULL);

	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
	assert_string_equal(heard(s), "head:200 end:complete/all");
	assert_int_equal(figures(w).idle, 1);
}

static void continue_is_passed_on_and_the_sender_decides(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	s->hold_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_string_equal(heard(s), "writable interim:100");
	pump_body(s);
	fake_net_settle(&w->net);
	assert_non_null(strstr(fake_peer_take(peer(w, 0)), "\r\n\r\norder"));
	answer(w, 0, ok);
	assert_string_equal(heard(s), "writable interim:100 head:200 body:ok end:complete/all");
}

static void an_early_answer_is_delivered_and_the_connection_closed(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "0123456789");

	s->hold_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	w->t->send(w->t, s->x, HF_SPAN("0123"));
	answer(w, 0, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
	assert_string_equal(heard(s), "writable head:413 body:no end:complete/part");
	assert_true(peer(w, 0)->closed);
	assert_int_equal(figures(w).connections, 0);
}

static void an_answer_is_read_although_the_upload_was_cut(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "0123456789");

	s->hold_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	peer(w, 0)->write_error = HF_ECONNRESET;
	assert_int_equal(w->t->send(w->t, s->x, HF_SPAN("01234")), 5); /* swallowed */
	answer(w, 0, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
	assert_string_equal(heard(s), "writable head:413 body:no end:complete/part");
}

static void a_cut_upload_without_an_answer_ends_soon(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "0123456789");

	s->hold_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	peer(w, 0)->write_error = HF_ECONNRESET;
	w->t->send(w->t, s->x, HF_SPAN("01234"));
	fake_net_advance(&w->net, 1000);
	assert_string_equal(heard(s), "writable end:reset/part");
}

static void an_answer_may_last_until_the_close(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 200 OK\r\n\r\nuntil");
	assert_false(s->ended);
	peer(w, 0)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:200 body:until end:complete/all");
	assert_true(peer(w, 0)->closed);
}

static void a_cut_body_is_truncated(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
	peer(w, 0)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:200 body:short end:truncated/all");

	s = get(w, 1);
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
	peer(w, 1)->give_error = HF_ECONNRESET;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:200 body:short end:truncated/all");
}

static void a_close_without_an_answer_is_a_reset(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	shoot(s);
	fake_net_settle(&w->net);
	peer(w, 0)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "end:reset/all");

	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 1, "HTTP/1.1 2");
	peer(w, 1)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "end:reset/all");
}

static void what_is_not_http_is_malformed(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {
		"SSH-2.0-OpenSSH\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct shot *s = get(w, 0);

		shoot(s);
		fake_net_settle(&w->net);
		answer(w, i, bad[i]);
		assert_string_equal(heard(s), "end:malformed/all");
		assert_non_null(strstr(s->detail, "response: "));
		assert_true(peer(w, i)->closed);
	}
}

static void endless_interim_answers_are_malformed(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);
	unsigned i;

	shoot(s);
	fake_net_settle(&w->net);
	for (i = 0; i < 40; i++)
		fake_peer_send(peer(w, 0), "HTTP/1.1 103 Early Hints\r\n\r\n");
	fake_net_settle(&w->net);
	assert_true(s->ended);
	assert_int_equal(s->result.end, HF_END_MALFORMED);
}

/* ---- the upgrade ---- */

static struct shot *upgraded(struct world *w)
{
	struct shot *s = get(w, 0);

	s->msg.upgrade = true;
	hf_fields_add(&s->msg.fields, HF_SPAN("Upgrade"), HF_SPAN("websocket"));
	shoot(s);
	fake_net_settle(&w->net);
	assert_non_null(strstr(fake_peer_take(peer(w, 0)), "Upgrade: websocket\r\n"));
	answer(w, 0,
	       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	       "Connection: upgrade\r\n\r\nhello");
	assert_string_equal(heard(s), "head:101 body:hello");
	return s;
}

static void an_upgrade_becomes_a_tunnel(void **state)
{
	struct world *w = *state;
	struct shot *s = upgraded(w);

	assert_int_equal(w->t->send(w->t, s->x, HF_SPAN("ping")), 4);
	assert_string_equal(fake_peer_take(peer(w, 0)), "ping");
	answer(w, 0, "pong");
	fake_net_advance(&w->net, 3600000); /* no timeout of ours */
	assert_string_equal(heard(s), "head:101 body:hello body:pong");
	w->t->send_end(w->t, s->x, NULL);
	assert_true(peer(w, 0)->fin);
	answer(w, 0, "rest");
	peer(w, 0)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:101 body:hello body:pong body:rest end:upgraded/all");
}

static void a_tunnel_has_back_pressure(void **state)
{
	struct world *w = *state;
	struct shot *s = upgraded(w);

	fake_peer_open_window(peer(w, 0), 3);
	assert_int_equal(w->t->send(w->t, s->x, HF_SPAN("12345")), 3);
	fake_peer_open_window(peer(w, 0), 100);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:101 body:hello writable");
	w->t->receive(w->t, s->x, false);
	answer(w, 0, "later");
	assert_string_equal(heard(s), "head:101 body:hello writable");
	w->t->receive(w->t, s->x, true);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:101 body:hello writable body:later");
	peer(w, 0)->give_error = HF_ECONNRESET;
	fake_net_settle(&w->net);
	assert_true(s->ended);
	assert_int_equal(s->result.end, HF_END_UPGRADED);
}

static void a_refused_upgrade_is_an_answer(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	s->msg.upgrade = true;
	hf_fields_add(&s->msg.fields, HF_SPAN("Upgrade"), HF_SPAN("websocket"));
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	assert_string_equal(heard(s), "head:403 end:complete/all");
}

/* ---- receiving stops and goes on ---- */

static void nothing_comes_while_receiving_is_off(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	s->stop_on_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0,
	       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
	assert_string_equal(heard(s), "head:200 body:a");
	fake_net_advance(&w->net, 3600000);
	assert_string_equal(heard(s), "head:200 body:a");
	w->t->receive(w->t, s->x, true);
	assert_string_equal(heard(s), "head:200 body:a"); /* not inside the call */
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:200 body:a body:bc");
	s->stop_on_body = false;
	w->t->receive(w->t, s->x, true);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:200 body:a body:bc end:complete/all");
}

static void the_end_waits_for_receiving_too(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	s->stop_on_head = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_string_equal(heard(s), "head:204");
	assert_int_equal(figures(w).idle, 1); /* the connection is free all the same */
	w->t->receive(w->t, s->x, true);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "head:204 end:complete/all");
}

static void a_long_pause_of_the_receiver_is_no_timeout(void **state)
{
	struct world *w = *state;
	struct shot *s = get(w, 0);

	s->stop_on_body = true;
	shoot(s);
	fake_net_settle(&w->net);
	answer(w, 0, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	fake_net_advance(&w->net, 600000);
	assert_false(s->ended);
	s->stop_on_body = false;
	w->t->receive(w->t, s->x, true);
	answer(w, 0, "cd");
	assert_string_equal(heard(s), "head:200 body:ab body:cd end:complete/all");
}

/* ---- go ---- */

static void nothing_is_written_before_go(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	shoot_as(s, &held_events, false);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "send?");
	fake_net_advance(&w->net, 5000);
	assert_string_equal(fake_peer_take(peer(w, 0)), "");
	w->t->go(w->t, s->x);
	fake_net_settle(&w->net);
	assert_non_null(strstr(fake_peer_take(peer(w, 0)), "\r\n\r\norder"));
	assert_int_equal(peer(w, 0)->writes, 1);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "send? head:200 body:ok end:complete/all");
}

static void go_may_come_inside_on_send(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	s->go_at_once = true;
	shoot_as(s, &held_events, false);
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "send? head:200 body:ok end:complete/all");
	shoot_as(s, &held_events, false); /* on the pooled connection */
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	assert_string_equal(heard(s), "send? head:200 body:ok end:complete/all");
	assert_int_equal(figures(w).reused, 1);
}

static void a_connection_that_dies_before_go_is_replaced(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	shoot_as(s, &held_events, false);
	fake_net_settle(&w->net);
	peer(w, 0)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "send?");
	w->t->go(w->t, s->x);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 2);
	answer(w, 1, ok);
	assert_string_equal(heard(s), "send? head:200 body:ok end:complete/all");
}

static void no_connection_after_go_means_nothing_was_sent(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	shoot_as(s, &held_events, false);
	fake_net_settle(&w->net);
	peer(w, 0)->give_error = HF_ECONNRESET;
	fake_net_answer(&w->net, "192.0.2.1", FAKE_REFUSE);
	fake_net_settle(&w->net);
	w->t->go(w->t, s->x);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "send? end:refused/none");
	assert_int_equal(s->result.request_bytes, 0);
}

static void cancelling_before_go_keeps_the_connection(void **state)
{
	struct world *w = *state;
	struct shot *s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");

	shoot_as(s, &held_events, false);
	fake_net_settle(&w->net);
	w->t->cancel(w->t, s->x);
	fake_net_settle(&w->net);
	assert_int_equal(figures(w).idle, 1);
	assert_string_equal(heard(s), "send?");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, http1_rig_set_up, http1_rig_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_request_goes_out_and_its_answer_comes_back),
		T(every_cut_of_the_answer_means_the_same),
		T(head_and_small_body_leave_in_one_write),
		T(an_empty_body_is_complete_with_the_head),
		T(back_pressure_holds_a_body_of_known_length),
		T(back_pressure_holds_a_chunked_body),
		T(head_has_no_body_whatever_its_length_says),
		T(continue_is_passed_on_and_the_sender_decides),
		T(an_early_answer_is_delivered_and_the_connection_closed),
		T(an_answer_is_read_although_the_upload_was_cut),
		T(a_cut_upload_without_an_answer_ends_soon),
		T(an_answer_may_last_until_the_close),
		T(a_cut_body_is_truncated),
		T(a_close_without_an_answer_is_a_reset),
		T(what_is_not_http_is_malformed),
		T(endless_interim_answers_are_malformed),
		T(an_upgrade_becomes_a_tunnel),
		T(a_tunnel_has_back_pressure),
		T(a_refused_upgrade_is_an_answer),
		T(nothing_comes_while_receiving_is_off),
		T(the_end_waits_for_receiving_too),
		T(a_long_pause_of_the_receiver_is_no_timeout),
		T(nothing_is_written_before_go),
		T(go_may_come_inside_on_send),
		T(a_connection_that_dies_before_go_is_replaced),
		T(no_connection_after_go_means_nothing_was_sent),
		T(cancelling_before_go_keeps_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
