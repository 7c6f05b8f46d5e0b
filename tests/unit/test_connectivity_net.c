/* SPDX-License-Identifier: Apache-2.0 */
/* Address and net probe of a device with more than one origin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/fake_net.h"
#include "lib/fake_transport.h"
#include "net/connectivity.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)

struct world {
	struct fake_net net;
	struct hf_rand rand;
	struct fake_transport origin, probe;
	struct hf_connectivity *c;
	unsigned trials[3];
	uint32_t asking; /* questions that have gone out */
	uint32_t in_order;
};

enum {
	SHOP,
	TILL,
	PRINTER, /* on the link itself */
};

static void on_trial(void *user, unsigned origin)
{
	((struct world *)user)->trials[origin]++;
}

static uint32_t on_asking(void *user)
{
	return ++((struct world *)user)->asking;
}

static void on_in_order(void *user, uint32_t number)
{
	struct world *w = user;

	w->in_order = number;
	hf_connectivity_want_proof(w->c, false);
}

static const struct hf_connectivity_events events = {
	.on_trial = on_trial,
	.on_asking = on_asking,
	.on_in_order = on_in_order,
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct hf_connectivity_options opt = {
		.port = &w->net.port,
		.timers = &w->net.timers,
		.log = &w->net.log,
		.rand = &w->rand,
		.events = &events,
		.user = w,
		.probe_min_ms = 1000,
		.probe_max_ms = 300000,
		.probe_transport = &w->probe.base,
		.probe_host = "probe.example",
		.probe_target = "/generate_204",
		.probe_status = 204,
	};

	fake_net_init(&w->net);
	hf_rand_init(&w->rand, 7);
	fake_transport_init(&w->origin);
	fake_transport_init(&w->probe);
	w->probe.manual = true;
	assert_int_equal(hf_connectivity_create(&opt, &w->c), 0);
	assert_int_equal(hf_connectivity_add(w->c, "shop", &w->origin.base, "shop.example", NULL),
			 0);
	assert_int_equal(hf_connectivity_add(w->c, "till", &w->origin.base, "till.example", NULL),
			 0);
	assert_int_equal(hf_connectivity_add(w->c, "printer", &w->origin.base, "printer.local:631",
					     NULL),
			 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	hf_connectivity_destroy(w->c);
	fake_transport_finish(&w->origin);
	fake_transport_finish(&w->probe);
	fake_net_finish(&w->net);
	free(w);
	return 0;
}

/* The probe under way, if there is one, is answered by the portal. */
static void portal_answers(struct world *w)
{
	static const struct fake_answer_to login = { .status = 302 };
	struct hf_exchange *x = fake_exchange(&w->probe, 0);

	if (x && fake_connect(x))
		fake_answer_whole(x, &login);
}

static void pass(struct world *w, uint64_t ms)
{
	uint64_t end = w->net.now_ms + ms;

	while (w->net.now_ms < end) {
		fake_net_advance(&w->net, SECOND);
		portal_answers(w);
	}
}

/* An hour and more behind a portal: probes are far from each other then. */
static void begin_behind_a_portal(struct world *w)
{
	hf_connectivity_link(w->c, HF_LINK_UP);
	portal_answers(w);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
	hf_connectivity_want(w->c, 0, true);
	pass(w, 90 * MINUTE);
}

static void an_origin_that_comes_and_goes_does_not_put_the_probe_off(void **state)
{
	struct world *w = *state;
	unsigned before;

	begin_behind_a_portal(w);
	before = w->probe.performed;
	for (int i = 0; i < 120; i++) {
		hf_connectivity_want(w->c, 1, true);
		pass(w, 30 * SECOND);
		hf_connectivity_want(w->c, 1, false);
		pass(w, 30 * SECOND);
	}
	/* one in 225 to 300 s, and the second in which it is answered */
	assert_in_range(w->probe.performed - before, 22, 33);
}

static void the_last_that_waited_takes_the_probe_along(void **state)
{
	struct world *w = *state;
	unsigned before;

	begin_behind_a_portal(w);
	hf_connectivity_want(w->c, 1, true);
	hf_connectivity_want(w->c, 0, false);
	assert_int_not_equal(w->net.timers.len, 0);
	hf_connectivity_want(w->c, 1, false);
	assert_int_equal(w->net.timers.len, 0);
	before = w->probe.performed;
	pass(w, 60 * MINUTE);
	assert_int_equal(w->probe.performed, before);
}

static void report(struct world *w, unsigned origin, int status)
{
	const struct hf_exchange_result refused = { .end = HF_END_CONNECT, .err = HF_ECONNREFUSED };
	const struct hf_exchange_result fine = { .end = HF_END_COMPLETE };

	hf_connectivity_report(w->c, origin, status ? &fine : &refused, status);
}

/* An answer of each, then requests wait and the link becomes @link. */
static void begin_and_lose(struct world *w, enum hf_link link)
{
	hf_connectivity_link(w->c, HF_LINK_UP);
	report(w, SHOP, 200);
	report(w, PRINTER, 200);
	hf_connectivity_want(w->c, SHOP, true);
	hf_connectivity_want(w->c, PRINTER, true);
	hf_connectivity_link(w->c, link);
}

static void without_an_address_nothing_beyond_the_link_is_tried(void **state)
{
	struct world *w = *state;
	uint64_t since;

	begin_and_lose(w, HF_LINK_BARE);
	assert_int_equal(hf_connectivity_origin(w->c, SHOP), HF_REACH_DOWN);
	assert_string_equal(hf_connectivity_failure(w->c, SHOP, &since),
			    "the network gives no address");
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_OFFLINE);
	assert_int_equal(hf_connectivity_link_now(w->c), HF_LINK_BARE);
	fake_net_advance(&w->net, 60 * MINUTE);
	assert_int_equal(w->trials[SHOP], 0);
}

static void an_address_is_tried_at_once(void **state)
{
	struct world *w = *state;
	unsigned asked;

	begin_and_lose(w, HF_LINK_DOWN);
	fake_net_advance(&w->net, 60 * MINUTE);
	hf_connectivity_link(w->c, HF_LINK_BARE);
	fake_net_advance(&w->net, 10 * MINUTE);
	assert_int_equal(w->trials[SHOP], 0);
	asked = w->probe.performed;
	hf_connectivity_link(w->c, HF_LINK_UP);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials[SHOP], 1);
	assert_int_equal(w->probe.performed, asked + 1);
}

static void an_origin_on_the_link_needs_carrier_only(void **state)
{
	struct world *w = *state;

	begin_and_lose(w, HF_LINK_BARE);
	assert_int_equal(hf_connectivity_origin(w->c, PRINTER), HF_REACH_UP);
	for (int i = 0; i < HF_CONNECTIVITY_FAILURES; i++)
		report(w, PRINTER, 0);
	fake_net_advance(&w->net, SECOND);
	assert_int_equal(w->trials[PRINTER], 1);
	report(w, PRINTER, 0);
	hf_connectivity_link(w->c, HF_LINK_DOWN);
	fake_net_advance(&w->net, 10 * MINUTE);
	assert_int_equal(w->trials[PRINTER], 1);
	hf_connectivity_link(w->c, HF_LINK_BARE);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials[PRINTER], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- what is to be proved ---- */

/* The probe under way is answered with @status; false: none is under way. */
static bool probe_answers(struct world *w, int status)
{
	struct fake_answer_to answer = { .status = status };
	struct hf_exchange *x = fake_exchange(&w->probe, 0);

	if (!x || !fake_connect(x))
		return false;
	fake_answer_whole(x, &answer);
	return true;
}

static void what_is_stored_is_proved_by_a_probe_of_its_own(void **state)
{
	struct world *w = *state;

	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_true(probe_answers(w, 204));
	assert_int_equal(w->in_order, 1);
	fake_net_advance(&w->net, 60 * MINUTE);
	assert_int_equal(w->probe.performed, 1);
	hf_connectivity_want_proof(w->c, true);
	fake_net_advance(&w->net, SECOND);
	assert_int_equal(w->asking, 2);
	assert_true(probe_answers(w, 204));
	assert_int_equal(w->in_order, 2);
	fake_net_advance(&w->net, 60 * MINUTE);
	assert_int_equal(w->probe.performed, 2); /* and nothing more */
	assert_int_equal(w->net.timers.len, 0);
}

static void a_portal_and_silence_prove_nothing(void **state)
{
	struct world *w = *state;

	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_true(probe_answers(w, 204));
	hf_connectivity_want_proof(w->c, true);
	fake_net_advance(&w->net, SECOND);
	assert_true(probe_answers(w, 302));
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
	for (int i = 0; i < 100; i++) {
		fake_net_advance(&w->net, SECOND);
		probe_answers(w, 302);
	}
	assert_int_equal(w->in_order, 1);
	hf_connectivity_link(w->c, HF_LINK_DOWN);
	hf_connectivity_link(w->c, HF_LINK_UP);
	fake_net_advance(&w->net, SECOND);
	assert_int_equal(w->in_order, 1);
	assert_true(probe_answers(w, 204)); /* that which went with the link */
	assert_int_equal(w->in_order, w->asking);
}

static void probes_of_what_is_stored_all_the_time_are_apart(void **state)
{
	struct world *w = *state;
	unsigned before;

	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_true(probe_answers(w, 204));
	before = w->probe.performed;
	for (int i = 0; i < 600; i++) {
		hf_connectivity_want_proof(w->c, true);
		fake_net_advance(&w->net, SECOND);
		probe_answers(w, 204);
	}
	assert_in_range(w->probe.performed - before, 50, 66);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_origin_that_comes_and_goes_does_not_put_the_probe_off),
		TEST(the_last_that_waited_takes_the_probe_along),
		TEST(without_an_address_nothing_beyond_the_link_is_tried),
		TEST(an_address_is_tried_at_once),
		TEST(an_origin_on_the_link_needs_carrier_only),
		cmocka_unit_test_setup_teardown(what_is_stored_is_proved_by_a_probe_of_its_own,
						set_up, tear_down),
		TEST(a_portal_and_silence_prove_nothing),
		cmocka_unit_test_setup_teardown(probes_of_what_is_stored_all_the_time_are_apart,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
