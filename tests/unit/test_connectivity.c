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
#include "net/connectivity.h"

/* A transport that holds one exchange until the test answers it. */
struct fake_transport {
	struct hf_transport base;
	const struct hf_exchange_events *events;
	void *user;
	unsigned performed, cancelled;
	char method[8], target[64];
	bool running;
};

struct world {
	struct fake_net net;
	struct hf_rand rand;
	struct fake_transport probe, net_probe;
	struct hf_connectivity *c;
	unsigned trials;
	uint64_t last_trial_ms;
	unsigned changes;
	enum hf_reach seen[16];
	unsigned seen_n;
	unsigned lines[HF_LOG_DEBUG + 1];
};

static int t_perform(struct hf_transport *base, const struct hf_transport_request *req,
		     const struct hf_exchange_events *events, void *user, struct hf_exchange **out)
{
	struct fake_transport *t = hf_container_of(base, struct fake_transport, base);

	assert_false(t->running);
	t->events = events;
	t->user = user;
	t->performed++;
	t->running = true;
	snprintf(t->method, sizeof(t->method), "%.*s", HF_SPAN_ARG(req->msg->method));
	snprintf(t->target, sizeof(t->target), "%.*s", HF_SPAN_ARG(req->msg->target));
	assert_non_null(hf_fields_get(&req->msg->fields, "Host"));
	*out = (struct hf_exchange *)(void *)t;
	return 0;
}

static void t_cancel(struct hf_transport *base, struct hf_exchange *x)
{
	struct fake_transport *t = hf_container_of(base, struct fake_transport, base);

	(void)x;
	assert_true(t->running);
	t->running = false;
	t->cancelled++;
}

static void t_end(struct fake_transport *t, int status, enum hf_end end)
{
	struct hf_message head = { .status = status };
	struct hf_exchange_result result = { .end = end, .err = status ? 0 : HF_ECONNREFUSED };

	assert_true(t->running);
	t->running = false;
	if (status)
		t->events->on_head(t->user, &head);
	t->events->on_end(t->user, &result, NULL);
}

static void on_origin(void *user, unsigned origin, enum hf_reach reach)
{
	struct world *w = user;

	assert_int_equal(origin, 0);
	if (w->seen_n < 16)
		w->seen[w->seen_n++] = reach;
}

static void on_trial(void *user, unsigned origin)
{
	struct world *w = user;

	assert_int_equal(origin, 0);
	w->trials++;
	w->last_trial_ms = w->net.now_ms;
}

static void on_change(void *user)
{
	((struct world *)user)->changes++;
}

static void count_line(void *user, enum hf_log_level level, const char *line)
{
	(void)line;
	((struct world *)user)->lines[level]++;
}

static const struct hf_connectivity_events events = {
	.on_origin = on_origin,
	.on_trial = on_trial,
	.on_change = on_change,
};

static void make_at(struct world *w, bool net_probe, const char *host, const char *probe_target)
{
	struct hf_connectivity_options opt = {
		.port = &w->net.port,
		.timers = &w->net.timers,
		.log = &w->net.log,
		.rand = &w->rand,
		.events = &events,
		.user = w,
		.probe_min_ms = 1000,
		.probe_max_ms = 300000,
		.probe_transport = net_probe ? &w->net_probe.base : NULL,
		.probe_host = "probe.example",
		.probe_target = "/generate_204",
		.probe_status = 204,
	};

	hf_connectivity_destroy(w->c);
	assert_int_equal(hf_connectivity_create(&opt, &w->c), 0);
	assert_int_equal(hf_connectivity_add(w->c, "shop", &w->probe.base, host, probe_target), 0);
}

static void make(struct world *w, bool net_probe, const char *probe_target)
{
	make_at(w, net_probe, "shop.example", probe_target);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	fake_net_init(&w->net);
	hf_rand_init(&w->rand, 7);
	w->probe.base = (struct hf_transport){ .perform = t_perform, .cancel = t_cancel };
	w->net_probe.base = w->probe.base;
	make(w, false, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	hf_connectivity_destroy(w->c);
	fake_net_finish(&w->net);
	free(w);
	return 0;
}

static void report(struct world *w, enum hf_end end, int status)
{
	struct hf_exchange_result result = { .end = end };

	hf_connectivity_report(w->c, 0, &result, status);
}

static void fail_times(struct world *w, unsigned n)
{
	while (n-- > 0)
		report(w, HF_END_CONNECT, 0);
}

static enum hf_reach reach(struct world *w)
{
	return hf_connectivity_origin(w->c, 0);
}

static void down_comes_after_three_failures_in_a_row(void **state)
{
	struct world *w = *state;

	hf_connectivity_link(w->c, HF_LINK_UP);
	fail_times(w, 2);
	assert_int_equal(reach(w), HF_REACH_UNKNOWN);
	report(w, HF_END_COMPLETE, 200);
	assert_int_equal(reach(w), HF_REACH_UP);
	fail_times(w, 2);
	assert_int_equal(reach(w), HF_REACH_UP);
	fail_times(w, 1);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	assert_int_equal(w->seen_n, 2);
}

static void error_statuses_count_as_reachable(void **state)
{
	struct world *w = *state;
	static const int statuses[] = { 200, 404, 500, 502, 503, 504 };
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		fail_times(w, 3);
		assert_int_equal(reach(w), HF_REACH_DOWN);
		report(w, HF_END_COMPLETE, statuses[i]);
		assert_int_equal(reach(w), HF_REACH_UP);
	}
}

static void our_own_limits_say_nothing_about_the_origin(void **state)
{
	struct world *w = *state;
	unsigned i;

	for (i = 0; i < 10; i++)
		report(w, i % 2 ? HF_END_LIMIT : HF_END_INTERNAL, 0);
	assert_int_equal(reach(w), HF_REACH_UNKNOWN);
}

static void a_box_between_puts_the_origin_down(void **state)
{
	struct world *w = *state;

	report(w, HF_END_COMPLETE, 200);
	report(w, HF_END_COMPLETE, 511);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
	report(w, HF_END_COMPLETE, 200);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_UNKNOWN);
	report(w, HF_END_COMPLETE, 407);
	assert_int_equal(reach(w), HF_REACH_DOWN);
}

static void losing_the_link_puts_it_down_at_once(void **state)
{
	struct world *w = *state;

	hf_connectivity_link(w->c, HF_LINK_UP);
	report(w, HF_END_COMPLETE, 200);
	hf_connectivity_link(w->c, HF_LINK_DOWN);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	assert_int_equal(hf_connectivity_link_now(w->c), HF_LINK_DOWN);
}

static void starting_without_a_link_leaves_it_unknown(void **state)
{
	struct world *w = *state;

	hf_connectivity_link(w->c, HF_LINK_DOWN);
	assert_int_equal(reach(w), HF_REACH_UNKNOWN);
}

static void nothing_is_tried_while_nothing_waits(void **state)
{
	struct world *w = *state;

	fail_times(w, 3);
	fake_net_advance(&w->net, 3600000);
	assert_int_equal(w->trials, 0);
	assert_int_equal(w->net.timers.len, 0);
	assert_int_equal(hf_connectivity_next_trial(w->c, 0), 0);
	hf_connectivity_want(w->c, 0, true);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials, 1);
	report(w, HF_END_COMPLETE, 200);
	assert_int_equal(w->net.timers.len, 0); /* healthy: no timer either */
}

static void trials_are_dense_for_ten_minutes_then_rare(void **state)
{
	struct world *w = *state;
	uint64_t start = w->net.now_ms, before, gap, longest = 0;
	unsigned i;

	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	before = w->net.now_ms;
	while (w->net.now_ms - start < 600000) {
		fake_net_advance(&w->net, hf_connectivity_next_trial(w->c, 0) - w->net.now_ms);
		assert_int_equal(reach(w), HF_REACH_TRIAL);
		assert_in_range(w->net.now_ms - before, 750, 1000);
		before = w->net.now_ms;
		report(w, HF_END_CONNECT, 0);
	}
	assert_in_range(w->trials, 600, 800);
	for (i = 0; i < 20; i++) {
		fake_net_advance(&w->net, hf_connectivity_next_trial(w->c, 0) - w->net.now_ms);
		gap = w->net.now_ms - before;
		before = w->net.now_ms;
		longest = gap > longest ? gap : longest;
		report(w, HF_END_CONNECT, 0);
	}
	assert_in_range(longest, 225000, 300000);
}

static void the_link_coming_up_makes_a_trial_due_at_once(void **state)
{
	struct world *w = *state;
	unsigned before;

	hf_connectivity_link(w->c, HF_LINK_UP);
	hf_connectivity_want(w->c, 0, true);
	hf_connectivity_link(w->c, HF_LINK_DOWN);
	fake_net_advance(&w->net, 3000);
	report(w, HF_END_CONNECT, 0);
	before = w->trials;
	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_int_equal(hf_connectivity_next_trial(w->c, 0), w->net.now_ms);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials, before + 1);
}

static void nothing_is_tried_while_the_link_is_known_to_be_down(void **state)
{
	struct world *w = *state;
	unsigned i;

	make(w, true, NULL);
	hf_connectivity_link(w->c, HF_LINK_UP);
	t_end(&w->net_probe, 204, HF_END_COMPLETE);
	report(w, HF_END_COMPLETE, 200);
	hf_connectivity_want(w->c, 0, true);
	hf_connectivity_link(w->c, HF_LINK_DOWN);
	for (i = 0; i < 3; i++) {
		fake_net_advance(&w->net, 1200000);
		report(w, HF_END_CONNECT, 0); /* of an attempt that was under way */
		hf_connectivity_want(w->c, 0, false);
		hf_connectivity_want(w->c, 0, true);
	}
	assert_int_equal(w->trials, 0);
	assert_int_equal(w->net_probe.performed, 1);
	assert_int_equal(w->net.timers.len, 0);
	hf_connectivity_link(w->c, HF_LINK_UP);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials, 1);
	assert_int_equal(w->net_probe.performed, 2);
}

static void a_start_without_a_link_tries_until_the_origin_is_down(void **state)
{
	struct world *w = *state;

	hf_connectivity_link(w->c, HF_LINK_DOWN);
	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	fake_net_advance(&w->net, 3600000);
	assert_int_equal(w->trials, 0);
	hf_connectivity_poke(w->c, 0); /* a person wants it all the same */
	fake_net_settle(&w->net);
	assert_int_equal(w->trials, 1);
	report(w, HF_END_CONNECT, 0);
	fake_net_advance(&w->net, 3600000);
	assert_int_equal(w->trials, 1);
}

static void an_origin_on_the_device_needs_no_link(void **state)
{
	static const char *const hosts[] = { "127.0.0.1:8080", "[::1]:8080", "localhost",
					     "Shop.LocalHost.", "localhost:3000" };
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		make_at(w, false, hosts[i], NULL);
		w->trials = 0;
		hf_connectivity_link(w->c, HF_LINK_UP);
		report(w, HF_END_COMPLETE, 200);
		hf_connectivity_link(w->c, HF_LINK_DOWN);
		assert_int_equal(reach(w), HF_REACH_UP);
		hf_connectivity_want(w->c, 0, true);
		fail_times(w, 3);
		fake_net_advance(&w->net, 1000);
		assert_int_equal(w->trials, 1);
	}
}

static void trials_are_told_at_debug_and_changes_at_info(void **state)
{
	struct world *w = *state;
	unsigned info;

	w->net.log = (struct hf_log){ .level = HF_LOG_DEBUG, .write = count_line, .user = w };
	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	assert_int_equal(w->lines[HF_LOG_INFO], 1); /* down */
	info = w->lines[HF_LOG_INFO];
	for (unsigned i = 0; i < 10; i++) {
		fake_net_advance(&w->net, 1000);
		report(w, HF_END_CONNECT, 0);
	}
	assert_int_equal(w->lines[HF_LOG_INFO], info);
	assert_true(w->lines[HF_LOG_DEBUG] >= 20);
	fake_net_advance(&w->net, 1000);
	report(w, HF_END_COMPLETE, 200);
	assert_int_equal(w->lines[HF_LOG_INFO], info + 1); /* up */
}

static void a_trial_lets_one_attempt_through(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	fake_net_advance(&w->net, 60000);
	assert_int_equal(w->trials, 1);
	report(w, HF_END_COMPLETE, 201);
	assert_int_equal(reach(w), HF_REACH_UP);
	assert_int_equal(hf_connectivity_last_success(w->c, 0), w->net.now_ms);
}

static void an_unreported_trial_does_not_last_for_ever(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	fake_net_advance(&w->net, 310000);
	assert_int_equal(w->trials, 2);
}

static void a_trial_ends_when_nothing_waits_any_more(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	fake_net_advance(&w->net, 1000);
	assert_int_equal(reach(w), HF_REACH_TRIAL);
	hf_connectivity_want(w->c, 0, false);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	assert_int_equal(w->net.timers.len, 0);
}

static void a_configured_probe_is_the_trial(void **state)
{
	struct world *w = *state;

	make(w, false, "/healthz");
	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	fake_net_advance(&w->net, 1000);
	assert_int_equal(w->probe.performed, 1);
	assert_string_equal(w->probe.method, "HEAD");
	assert_string_equal(w->probe.target, "/healthz");
	assert_int_equal(w->trials, 0);
	t_end(&w->probe, 0, HF_END_CONNECT);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	fake_net_advance(&w->net, 1000);
	t_end(&w->probe, 503, HF_END_COMPLETE);
	assert_int_equal(reach(w), HF_REACH_UP);
}

static void a_probe_on_the_lost_link_is_given_up(void **state)
{
	struct world *w = *state;

	make(w, false, "/healthz");
	hf_connectivity_link(w->c, HF_LINK_UP);
	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	fake_net_advance(&w->net, 1000);
	hf_connectivity_link(w->c, HF_LINK_DOWN);
	assert_int_equal(w->probe.cancelled, 1);
	hf_connectivity_link(w->c, HF_LINK_UP);
	fake_net_settle(&w->net);
	assert_int_equal(w->probe.performed, 2);
	t_end(&w->probe, 200, HF_END_COMPLETE);
	assert_int_equal(reach(w), HF_REACH_UP);
}

static void poke_tries_now(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, 0, true);
	fail_times(w, 3);
	hf_connectivity_poke(w->c, 0);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials, 1);
}

static void the_net_probe_tells_a_portal_from_the_net(void **state)
{
	struct world *w = *state;

	make(w, true, NULL);
	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_int_equal(w->net_probe.performed, 1);
	t_end(&w->net_probe, 302, HF_END_COMPLETE);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
	hf_connectivity_want(w->c, 0, true);
	fake_net_advance(&w->net, 1000);
	t_end(&w->net_probe, 0, HF_END_TIMEOUT);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_OFFLINE);
	fake_net_advance(&w->net, 4000);
	t_end(&w->net_probe, 204, HF_END_COMPLETE);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_ONLINE);
	fake_net_advance(&w->net, 3600000);
	assert_int_equal(w->net_probe.performed, 3); /* online: no more */
}

static void behind_a_portal_a_plain_answer_is_not_the_origins(void **state)
{
	struct hf_exchange_result whole = { .end = HF_END_COMPLETE };
	struct world *w = *state;

	make(w, true, NULL);
	hf_connectivity_link(w->c, HF_LINK_UP);
	t_end(&w->net_probe, 200, HF_END_COMPLETE);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	hf_connectivity_heard(w->c, 0, &whole, 200);
	assert_int_equal(reach(w), HF_REACH_DOWN);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
	hf_connectivity_want(w->c, 0, true);
	for (int i = 0; i < 100; i++) {
		fake_net_advance(&w->net, 1000);
		if (w->net_probe.running)
			t_end(&w->net_probe, 200, HF_END_COMPLETE);
	}
	assert_int_equal(w->trials, 0);
	while (!w->net_probe.running)
		fake_net_advance(&w->net, 1000);
	t_end(&w->net_probe, 204, HF_END_COMPLETE);
	fake_net_advance(&w->net, 1);
	assert_int_equal(w->trials, 1); /* the portal has opened */
	hf_connectivity_heard(w->c, 0, &whole, 200);
	assert_int_equal(reach(w), HF_REACH_UP);
}

static void behind_a_portal_an_answer_over_tls_is_the_origins(void **state)
{
	struct hf_exchange_result whole = { .end = HF_END_COMPLETE };
	struct world *w = *state;

	make(w, true, NULL);
	hf_connectivity_authenticated(w->c, 0);
	hf_connectivity_link(w->c, HF_LINK_UP);
	t_end(&w->net_probe, 302, HF_END_COMPLETE);
	assert_int_equal(reach(w), HF_REACH_UNKNOWN);
	hf_connectivity_heard(w->c, 0, &whole, 200);
	assert_int_equal(reach(w), HF_REACH_UP);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
}

static void says_why_an_origin_is_not_reached(void **state)
{
	struct hf_exchange_result expired = { .end = HF_END_TLS_TIME, .detail = "it has expired" };
	struct world *w = *state;
	uint64_t since;

	assert_null(hf_connectivity_failure(w->c, 0, &since));
	assert_int_equal(hf_connectivity_since(w->c, 0), 0);
	hf_connectivity_report(w->c, 0, &expired, 0);
	assert_string_equal(hf_connectivity_failure(w->c, 0, &since), "it has expired");
	fail_times(w, 3);
	assert_string_equal(hf_connectivity_failure(w->c, 0, &since), "refused");
	assert_int_equal(since, w->net.now_ms);
	assert_int_equal(hf_connectivity_since(w->c, 0), w->net.now_ms);
	report(w, HF_END_COMPLETE, 200);
	assert_null(hf_connectivity_failure(w->c, 0, &since));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(down_comes_after_three_failures_in_a_row),
		T(error_statuses_count_as_reachable),
		T(our_own_limits_say_nothing_about_the_origin),
		T(a_box_between_puts_the_origin_down),
		T(losing_the_link_puts_it_down_at_once),
		T(starting_without_a_link_leaves_it_unknown),
		T(nothing_is_tried_while_nothing_waits),
		T(trials_are_dense_for_ten_minutes_then_rare),
		T(the_link_coming_up_makes_a_trial_due_at_once),
		T(nothing_is_tried_while_the_link_is_known_to_be_down),
		T(a_start_without_a_link_tries_until_the_origin_is_down),
		T(an_origin_on_the_device_needs_no_link),
		T(trials_are_told_at_debug_and_changes_at_info),
		T(a_trial_lets_one_attempt_through),
		T(an_unreported_trial_does_not_last_for_ever),
		T(a_trial_ends_when_nothing_waits_any_more),
		T(a_configured_probe_is_the_trial),
		T(a_probe_on_the_lost_link_is_given_up),
		T(poke_tries_now),
		T(the_net_probe_tells_a_portal_from_the_net),
		T(behind_a_portal_a_plain_answer_is_not_the_origins),
		T(behind_a_portal_an_answer_over_tls_is_the_origins),
		T(says_why_an_origin_is_not_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
