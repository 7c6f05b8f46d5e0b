/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same small story with the n-th allocation failing, for every n: whatever
 * happens, each exchange ends once or does not begin, and nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "lib/http1_rig.h"

static bool start(struct shot *s, const struct hf_exchange_events *events)
{
	struct hf_transport_request req = { .msg = &s->msg };

	s->ended = false;
	s->body_at = 0;
	return s->w->t->perform(s->w->t, &req, events, s, &s->x) == 0;
}

/* Answers all that was asked, on whatever connections there are. */
static void serve(struct world *w, struct shot *s)
{
	unsigned rounds;
	size_t i;

	for (rounds = 0; rounds < 20 && !s->ended; rounds++) {
		fake_net_advance(&w->net, 200);
		for (i = 0; i < w->net.peers_n; i++) {
			struct fake_peer *p = fake_net_peer(&w->net, i);

			if (p->closed || p->got.len == 0)
				continue;
			hf_buf_clear(&p->got);
			if (p->give.len == 0)
				fake_peer_send(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
						  "chunked\r\nX-Long: "
						  "0123456789012345678901234567890123456789"
						  "\r\n\r\n2\r\nok\r\n0\r\n\r\n");
		}
	}
	fake_net_advance(&w->net, 120000);
	assert_true(s->ended);
}

static void story(struct world *w)
{
	static char body[40000];
	struct shot *s;

	memset(body, 'b', sizeof(body) - 1);
	s = shot(w, 0, "POST", HF_BODY_CHUNKED, body);
	s->go_at_once = true;
	if (start(s, &held_events))
		serve(w, s);
	s = get(w, 0);
	s->stop_on_body = true;
	if (start(s, &plain_events)) {
		unsigned i;

		for (i = 0; i < 10 && !s->ended; i++) {
			fake_net_advance(&w->net, 100);
			if (w->net.peers_n > 0)
				fake_peer_send(fake_net_peer(&w->net, w->net.peers_n - 1),
					       i ? "0123456789" :
						   "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n");
			if (!s->ended)
				w->t->receive(w->t, s->x, true);
			fake_net_settle(&w->net);
		}
		s->stop_on_body = false;
		if (!s->ended)
			w->t->receive(w->t, s->x, true);
		fake_net_advance(&w->net, 200000);
		assert_true(s->ended);
	}
}

static void any_allocation_may_fail(void **state)
{
	long n;

	(void)state;
	for (n = 0; n < 400; n++) {
		void *world;
		bool all;

		alloc_countdown = -1;
		http1_rig_set_up(&world);
		alloc_countdown = n;
		story(world);
		all = alloc_countdown >= 0;
		alloc_countdown = -1;
		http1_rig_tear_down(&world);
		if (all)
			break;
	}
	assert_in_range(n, 20, 399); /* the loop has seen the end of the story */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
