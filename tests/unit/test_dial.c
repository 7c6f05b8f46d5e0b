/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fake_net.h"
#include "net/addr.h"
#include "net/dial.h"

struct world {
	struct fake_net net;
	struct hf_dialer dialer;
	struct hf_dial dial;
	unsigned done;
	int err;
	struct hf_channel *channel;
	char addr[HF_ADDR_TEXT_SIZE];
	char detail[256];
};

static void on_done(void *user, const struct hf_dial_result *result)
{
	struct world *w = user;

	w->done++;
	w->err = result->err;
	w->channel = result->channel;
	strncpy(w->detail, result->detail, sizeof(w->detail) - 1);
	if (result->channel)
		hf_addr_format(&result->addr, w->addr);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	fake_net_init(&w->net);
	hf_dialer_init(&w->dialer, &w->net.port, &w->net.timers, "shop.example", 80);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	hf_dial_cancel(&w->dial);
	hf_channel_close(w->channel, false);
	hf_dialer_finish(&w->dialer);
	fake_net_finish(&w->net);
	free(w);
	return 0;
}

static void start(struct world *w)
{
	hf_channel_close(w->channel, false);
	w->channel = NULL;
	w->done = 0;
	w->err = 0;
	w->detail[0] = '\0';
	hf_dial_start(&w->dial, &w->dialer, on_done, w);
	assert_int_equal(w->done, 0); /* never inside the call */
}

static void the_first_address_that_answers_wins(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "2001:db8::1", FAKE_ACCEPT, 20);
	fake_net_host(&w->net, "192.0.2.1", FAKE_ACCEPT, 0);
	start(w);
	fake_net_advance(&w->net, 19);
	assert_int_equal(w->done, 0);
	fake_net_advance(&w->net, 1);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->err, 0);
	assert_string_equal(w->addr, "[2001:db8::1]:80");
	assert_int_equal(w->net.peers_n, 1);
}

static void a_silent_family_costs_one_stagger(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "2001:db8::1", FAKE_SILENT, 0);
	fake_net_host(&w->net, "2001:db8::2", FAKE_SILENT, 0);
	fake_net_host(&w->net, "192.0.2.1", FAKE_ACCEPT, 10);
	start(w);
	fake_net_advance(&w->net, 249);
	assert_int_equal(w->net.peers_n, 1);
	fake_net_advance(&w->net, 11);
	assert_int_equal(w->done, 1);
	assert_string_equal(w->addr, "192.0.2.1:80");	/* the other family is second */
	assert_true(fake_net_peer(&w->net, 0)->closed); /* the loser */
	assert_int_equal(w->net.peers_n, 2);
}

static void a_refusal_starts_the_next_at_once(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "2001:db8::1", FAKE_REFUSE, 5);
	fake_net_host(&w->net, "192.0.2.1", FAKE_ACCEPT, 5);
	start(w);
	fake_net_advance(&w->net, 10);
	assert_int_equal(w->done, 1);
	assert_string_equal(w->addr, "192.0.2.1:80");
}

static void when_all_refuse_the_dial_fails_and_says_where(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "2001:db8::1", FAKE_UNREACH, 0);
	fake_net_host(&w->net, "192.0.2.1", FAKE_REFUSE, 3);
	start(w);
	fake_net_advance(&w->net, 10);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->err, HF_ECONNREFUSED);
	assert_string_equal(w->detail, "connect to 192.0.2.1:80: connection refused");
}

static void a_failed_look_up_is_told(void **state)
{
	struct world *w = *state;

	w->net.resolve_err = HF_EDNS;
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->err, HF_EDNS);
	assert_string_equal(w->detail, "look-up of shop.example: name resolution failed");
}

static void addresses_are_kept_for_half_a_minute(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "192.0.2.1", FAKE_ACCEPT, 0);
	start(w);
	fake_net_settle(&w->net);
	fake_net_advance(&w->net, 29000);
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.resolves, 1);
	fake_net_advance(&w->net, 2000);
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.resolves, 2);
	assert_int_equal(w->done, 1);
}

static void a_failed_dial_forgets_them(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "192.0.2.1", FAKE_REFUSE, 0);
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->err, HF_ECONNREFUSED);
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.resolves, 2);
}

static void the_last_good_address_serves_when_names_do_not(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "192.0.2.1", FAKE_ACCEPT, 0);
	start(w);
	fake_net_settle(&w->net);
	hf_dialer_network_changed(&w->dialer);
	w->net.resolve_err = HF_EDNS;
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->err, 0);
	assert_string_equal(w->addr, "192.0.2.1:80");

	hf_dialer_network_changed(&w->dialer);
	w->net.resolve_err = 0;
	w->net.resolve_delay_ms = 5000;
	start(w);
	fake_net_advance(&w->net, 999);
	assert_int_equal(w->done, 0);
	fake_net_advance(&w->net, 1);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->err, 0);
}

static void a_network_that_comes_back_is_noticed_within_a_second(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "192.0.2.1", FAKE_SILENT, 0);
	start(w);
	fake_net_advance(&w->net, 7300);
	assert_int_equal(w->done, 0);
	fake_net_answer(&w->net, "192.0.2.1", FAKE_ACCEPT);
	fake_net_advance(&w->net, 1000);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->err, 0);
}

static void open_attempts_are_bounded(void **state)
{
	struct world *w = *state;
	size_t i, open = 0;

	fake_net_host(&w->net, "192.0.2.1", FAKE_SILENT, 0);
	start(w);
	fake_net_advance(&w->net, 60000);
	for (i = 0; i < w->net.peers_n; i++)
		open += !fake_net_peer(&w->net, i)->closed;
	assert_int_equal(open, HF_DIAL_ATTEMPTS_MAX);
}

static void a_change_of_the_network_begins_anew(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "192.0.2.1", FAKE_SILENT, 0);
	start(w);
	fake_net_advance(&w->net, 100);
	fake_net_answer(&w->net, "192.0.2.1", FAKE_ACCEPT);
	hf_dialer_network_changed(&w->dialer);
	fake_net_settle(&w->net);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->net.resolves, 2);
	assert_true(fake_net_peer(&w->net, 0)->closed);
}

static void a_literal_needs_no_look_up(void **state)
{
	struct world *w = *state;

	hf_dialer_finish(&w->dialer);
	hf_dialer_init(&w->dialer, &w->net.port, &w->net.timers, "2001:db8::9", 8080);
	fake_net_host(&w->net, "2001:db8::9", FAKE_ACCEPT, 0);
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->net.resolves, 0);
	assert_string_equal(w->addr, "[2001:db8::9]:8080");
}

static void an_unreachable_literal_is_told_later(void **state)
{
	struct world *w = *state;

	hf_dialer_finish(&w->dialer);
	hf_dialer_init(&w->dialer, &w->net.port, &w->net.timers, "192.0.2.77", 80);
	start(w);
	fake_net_settle(&w->net);
	assert_int_equal(w->err, HF_EUNREACH);
}

static void a_cancelled_dial_leaves_nothing(void **state)
{
	struct world *w = *state;

	fake_net_host(&w->net, "192.0.2.1", FAKE_SILENT, 0);
	start(w);
	fake_net_advance(&w->net, 3000);
	hf_dial_cancel(&w->dial);
	fake_net_advance(&w->net, 3000);
	assert_int_equal(w->done, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_first_address_that_answers_wins),
		T(a_silent_family_costs_one_stagger),
		T(a_refusal_starts_the_next_at_once),
		T(when_all_refuse_the_dial_fails_and_says_where),
		T(a_failed_look_up_is_told),
		T(addresses_are_kept_for_half_a_minute),
		T(a_failed_dial_forgets_them),
		T(the_last_good_address_serves_when_names_do_not),
		T(a_network_that_comes_back_is_noticed_within_a_second),
		T(open_attempts_are_bounded),
		T(a_change_of_the_network_begins_anew),
		T(a_literal_needs_no_look_up),
		T(an_unreachable_literal_is_told_later),
		T(a_cancelled_dial_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
