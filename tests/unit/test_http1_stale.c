/* SPDX-License-Identifier: Apache-2.0 */
/* A kept connection that the origin has closed: what is repeated on another one, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http1_rig.h"

static void a_stale_connection_costs_a_safe_request_nothing(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	s = get(w, 0);
	shoot(s);
	peer(w, 0)->give_eof = true; /* crosses the request */
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 2);
	assert_string_equal(fake_peer_take(peer(w, 1)), get_head);
	answer(w, 1, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
}

static void it_is_repeated_only_once(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	s = get(w, 0);
	shoot(s);
	peer(w, 0)->give_eof = true;
	fake_net_settle(&w->net);
	peer(w, 1)->give_eof = true;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "end:reset/all");
	assert_int_equal(w->net.peers_n, 2);
}

static void a_post_that_was_sent_is_not_repeated(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");
	shoot(s);
	fake_net_turn(&w->net);
	fake_net_settle(&w->net);
	assert_non_null(strstr(fake_peer_take(peer(w, 0)), "order"));
	peer(w, 0)->give_error = HF_ECONNRESET;
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "end:reset/all");
	assert_int_equal(w->net.peers_n, 1);
}

static void a_post_of_which_nothing_was_sent_is(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");
	peer(w, 0)->write_error = HF_ECONNRESET;
	shoot(s);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 2);
	assert_non_null(strstr(fake_peer_take(peer(w, 1)), "\r\n\r\norder"));
	answer(w, 1, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
}

/* A body that does not fit behind the head into one write. */
static void check_large_post(struct world *w, enum hf_body_kind kind)
{
	static char body[40001];
	struct shot *s;
	const char *text;
	size_t i, data = 0;

	for (i = 0; i < sizeof(body) - 1; i++)
		body[i] = (char)('a' + i % 23);
	warm_up(w);
	s = shot(w, 0, "POST", kind, body);
	peer(w, 0)->write_error = HF_ECONNRESET;
	shoot(s);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.peers_n, 2);
	text = fake_peer_take(peer(w, 1));
	assert_non_null(strstr(text, "\r\n\r\n"));
	text = strstr(text, "\r\n\r\n") + 4;
	if (kind == HF_BODY_LENGTH)
		assert_string_equal(text, body);
	while (kind == HF_BODY_CHUNKED && data < sizeof(body) - 1) {
		char *end;
		size_t n = strtoul(text, &end, 16);

		assert_true(n > 0);
		assert_memory_equal(end + 2, body + data, n);
		text = end + 2 + n + 2;
		data += n;
	}
	answer(w, 1, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
}

static void a_large_post_of_which_nothing_was_sent_is_whole(void **state)
{
	check_large_post(*state, HF_BODY_LENGTH);
}

static void a_chunked_post_of_which_nothing_was_sent_is_whole(void **state)
{
	check_large_post(*state, HF_BODY_CHUNKED);
}

static void what_a_stale_connection_took_counts_as_sent(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	s = get(w, 0);
	shoot(s);
	peer(w, 0)->give_eof = true;
	fake_net_answer(&w->net, "192.0.2.1", FAKE_REFUSE);
	fake_net_settle(&w->net);
	assert_string_equal(heard(s), "end:reset/all");
	assert_int_equal(s->result.request_bytes, strlen(get_head));
	assert_int_equal(s->result.err, HF_ECONNREFUSED);
}

static void a_long_idle_connection_is_looked_at_before_use(void **state)
{
	struct world *w = *state;
	struct shot *s;

	warm_up(w);
	fake_net_advance(&w->net, 5000);
	s = shot(w, 0, "POST", HF_BODY_LENGTH, "order");
	peer(w, 0)->give_eof = true;
	shoot(s);
	fake_net_advance(&w->net, 1);
	assert_string_equal(fake_peer_take(peer(w, 0)), "");
	answer(w, 1, ok);
	assert_string_equal(heard(s), "head:200 body:ok end:complete/all");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, http1_rig_set_up, http1_rig_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_stale_connection_costs_a_safe_request_nothing),
		T(it_is_repeated_only_once),
		T(a_post_that_was_sent_is_not_repeated),
		T(a_post_of_which_nothing_was_sent_is),
		T(a_large_post_of_which_nothing_was_sent_is_whole),
		T(a_chunked_post_of_which_nothing_was_sent_is_whole),
		T(what_a_stale_connection_took_counts_as_sent),
		T(a_long_idle_connection_is_looked_at_before_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
