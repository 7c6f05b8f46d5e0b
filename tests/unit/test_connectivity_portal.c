/* SPDX-License-Identifier: Apache-2.0 */
/* The API of a captive portal: its answers, when it is asked, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "lib/fake_net.h"
#include "lib/fake_transport.h"
#include "net/capport.h"
#include "net/connectivity.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)

/* ---- answers ---- */

static int read_text(const char *text, struct hf_capport_answer *out)
{
	return hf_capport_answer_read(hf_span_str(text), out);
}

static void answers_are_read(void **state)
{
	struct hf_capport_answer a;

	(void)state;
	assert_int_equal(
		read_text("{\"captive\":true,\"user-portal-url\":\"https://p.example/login?a=1\","
			  "\"venue-info-url\":\"https://v.example/\",\"can-extend-session\":true}",
			  &a),
		0);
	assert_true(a.captive);
	assert_false(a.ends);
	assert_string_equal(a.url, "https://p.example/login?a=1");
	assert_int_equal(read_text(" {\"captive\":false,\"seconds-remaining\":326.5}\r\n ", &a), 0);
	assert_false(a.captive);
	assert_true(a.ends);
	assert_int_equal(a.seconds, 326);
	assert_string_equal(a.url, "");
	assert_int_equal(read_text("{\"captive\":false,\"seconds-remaining\":1e300}", &a), 0);
	assert_int_equal(a.seconds, UINT32_MAX);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"null",
		"true",
		"[]",
		"{}",
		"{\"captive\":1}",
		"{\"captive\":\"true\"}",
		"{\"Captive\":true}",
		"{\"captive\":true",
		"{\"captive\":true}x",
		"{captive:true}",
		"[{\"captive\":true}]",
		"{\"captive\":null}",
		"<html>",
	};
	char deep[HF_CAPPORT_BYTES_MAX + 2];
	struct hf_capport_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_text(bad[i], &a) != HF_EINVAL)
			fail_msg("taken: %s", bad[i]);
	memset(deep, '[', sizeof(deep));
	assert_int_equal(hf_capport_answer_read(hf_span(deep, HF_CAPPORT_BYTES_MAX), &a),
			 HF_EINVAL);
	assert_int_equal(hf_capport_answer_read(hf_span(deep, sizeof(deep)), &a), HF_EINVAL);
	memcpy(deep, "{\"captive\":true}", 17); /* its NUL is within */
	assert_int_equal(hf_capport_answer_read(hf_span(deep, 40), &a), HF_EINVAL);
}

/* What follows is shown to people and may be opened by them. */
static void only_plain_https_urls_are_told(void **state)
{
	static const char *const bad[] = {
		"http://p.example/",
		"javascript:alert(1)",
		"https://",
		"https://p.example/\\u001b[2J",
		"https://user@p.example/",
		"https://p.example/\\u00fc",
		"https://p.example/a b",
		"//p.example/",
	};
	char text[3000], url[2000];
	struct hf_capport_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"captive\":true,\"user-portal-url\":\"%s\"}",
			 bad[i]);
		assert_int_equal(read_text(text, &a), 0);
		if (a.url[0])
			fail_msg("told: %s", a.url);
	}
	memset(url, 'x', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "{\"captive\":true,\"user-portal-url\":\"https://p.example/%s\"}", url);
	assert_int_equal(read_text(text, &a), 0);
	assert_string_equal(a.url, "");
	assert_int_equal(read_text("{\"captive\":true,\"user-portal-url\":[1]}", &a), 0);
	assert_string_equal(a.url, "");
}

/* ---- asking ---- */

enum {
	SHOP, /* http */
	BANK, /* https */
};

struct world {
	struct fake_net net;
	struct hf_rand rand;
	struct fake_transport origin, api;
	struct hf_connectivity *c;
	unsigned trials[2], changes;
};

static void on_trial(void *user, unsigned origin)
{
	((struct world *)user)->trials[origin]++;
}

static void on_change(void *user)
{
	((struct world *)user)->changes++;
}

static const struct hf_connectivity_events events = {
	.on_trial = on_trial,
	.on_change = on_change,
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
	};

	fake_net_init(&w->net);
	hf_rand_init(&w->rand, 7);
	fake_transport_init(&w->origin);
	fake_transport_init(&w->api);
	w->api.manual = true;
	assert_int_equal(hf_connectivity_create(&opt, &w->c), 0);
	assert_int_equal(hf_connectivity_add(w->c, "shop", &w->origin.base, "shop.example", NULL),
			 0);
	assert_int_equal(hf_connectivity_add(w->c, "bank", &w->origin.base, "bank.example", NULL),
			 0);
	hf_connectivity_authenticated(w->c, BANK);
	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_int_equal(hf_connectivity_portal_api(w->c, &w->api.base, "p.example", "/api"), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	hf_connectivity_destroy(w->c);
	fake_transport_finish(&w->origin);
	fake_transport_finish(&w->api);
	fake_net_finish(&w->net);
	free(w);
	return 0;
}

#define TYPE "Content-Type: application/captive+json; charset=utf-8\n"

/* The question under way is answered so. */
static void answer(struct world *w, int status, const char *fields, const char *body)
{
	const struct fake_answer_to a = { .status = status, .fields = fields, .body = body };
	struct hf_exchange *x = fake_exchange(&w->api, 0);

	assert_non_null(x);
	assert_true(hf_span_eq_str(x->msg->target, "/api"));
	assert_true(hf_span_eq_str(fake_field(x, "Accept"), "application/captive+json"));
	if (fake_connect(x))
		fake_answer_whole(x, &a);
}

static void says(struct world *w, const char *body)
{
	answer(w, 200, TYPE, body);
}

static enum hf_portal_state portal(const struct world *w)
{
	struct hf_portal_view v;

	hf_connectivity_portal(w->c, &v);
	return v.state;
}

#define CAPTIVE "{\"captive\":true,\"user-portal-url\":\"https://p.example/\"}"
#define OPEN	"{\"captive\":false}"

static void report(struct world *w, unsigned origin, int status)
{
	const struct hf_exchange_result fine = { .end = HF_END_COMPLETE };

	hf_connectivity_report(w->c, origin, &fine, status);
}

static void a_portal_shuts_off_what_it_can_answer_for(void **state)
{
	struct world *w = *state;
	struct hf_portal_view v;

	report(w, SHOP, 200);
	report(w, BANK, 200);
	hf_connectivity_want(w->c, SHOP, true);
	says(w, CAPTIVE);
	hf_connectivity_portal(w->c, &v);
	assert_int_equal(v.state, HF_PORTAL_CAPTIVE);
	assert_string_equal(v.url, "https://p.example/");
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_CAPTIVE);
	assert_int_equal(hf_connectivity_origin(w->c, SHOP), HF_REACH_DOWN);
	assert_int_equal(hf_connectivity_origin(w->c, BANK), HF_REACH_UP);
	assert_true(w->changes > 0);
	fake_net_advance(&w->net, SECOND);
	says(w, CAPTIVE);
	assert_int_equal(w->trials[SHOP], 0);
	fake_net_advance(&w->net, SECOND);
	says(w, OPEN);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials[SHOP], 1);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_UNKNOWN);
	assert_int_equal(portal(w), HF_PORTAL_OPEN);
}

static void it_is_asked_again_while_something_waits_only(void **state)
{
	struct world *w = *state;

	says(w, CAPTIVE);
	fake_net_advance(&w->net, 60 * MINUTE);
	assert_int_equal(w->api.performed, 1);
	hf_connectivity_want(w->c, SHOP, true);
	fake_net_advance(&w->net, SECOND);
	assert_int_equal(w->api.performed, 2);
	says(w, CAPTIVE);
	hf_connectivity_want(w->c, SHOP, false);
	fake_net_advance(&w->net, 60 * MINUTE);
	assert_int_equal(w->api.performed, 2);
	assert_int_equal(w->net.timers.len, 0);
}

static void it_is_asked_before_the_session_ends(void **state)
{
	struct world *w = *state;

	says(w, "{\"captive\":false,\"seconds-remaining\":600}");
	fake_net_advance(&w->net, 569 * SECOND);
	assert_int_equal(w->api.performed, 1);
	fake_net_advance(&w->net, 2 * SECOND);
	assert_int_equal(w->api.performed, 2);
	says(w, "{\"captive\":false,\"seconds-remaining\":0}");
	for (int i = 0; i < 60; i++) {
		fake_net_advance(&w->net, MINUTE);
		if (fake_exchange(&w->api, 0))
			says(w, "{\"captive\":false,\"seconds-remaining\":1}");
	}
	assert_in_range(w->api.performed, 10, 62);
}

static void a_511_makes_it_asked_at_most_once_a_second(void **state)
{
	struct world *w = *state;

	says(w, OPEN);
	fake_net_advance(&w->net, 10 * MINUTE);
	report(w, BANK, 511);
	assert_int_equal(w->api.performed, 2);
	says(w, OPEN);
	for (int i = 0; i < 100; i++)
		report(w, BANK, 511);
	assert_int_equal(w->api.performed, 2);
	fake_net_advance(&w->net, SECOND);
	assert_int_equal(w->api.performed, 3);
	says(w, OPEN);
}

static void what_is_no_answer_of_an_api_says_nothing(void **state)
{
	struct world *w = *state;
	char large[HF_CAPPORT_BYTES_MAX + 100];
	struct hf_portal_view v;

	memset(large, ' ', sizeof(large));
	memcpy(large + sizeof(large) - 18, CAPTIVE, 17);
	large[sizeof(large) - 1] = '\0';
	hf_connectivity_want(w->c, SHOP, true);
	answer(w, 200, "Content-Type: text/html\n", CAPTIVE);
	fake_net_advance(&w->net, SECOND);
	answer(w, 200, "", CAPTIVE);
	fake_net_advance(&w->net, SECOND);
	answer(w, 302, TYPE, CAPTIVE);
	fake_net_advance(&w->net, SECOND);
	answer(w, 200, TYPE, large);
	fake_net_advance(&w->net, SECOND);
	answer(w, 200, TYPE, "{\"captive\":\"yes\"}");
	hf_connectivity_portal(w->c, &v);
	assert_int_equal(v.state, HF_PORTAL_UNKNOWN);
	assert_string_equal(v.failure, "its answer cannot be read");
	fake_net_advance(&w->net, SECOND);
	says(w, OPEN);
	hf_connectivity_portal(w->c, &v);
	assert_null(v.failure);
}

/* The device may be in another network by now. */
static void a_portal_that_is_not_heard_any_more_shuts_nothing_off(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, SHOP, true);
	report(w, SHOP, 200);
	says(w, CAPTIVE);
	for (int i = 0; i < HF_CONNECTIVITY_FAILURES; i++) {
		assert_int_equal(portal(w), HF_PORTAL_CAPTIVE);
		fake_net_advance(&w->net, SECOND);
		answer(w, 404, "", "");
	}
	assert_int_equal(portal(w), HF_PORTAL_UNKNOWN);
	fake_net_settle(&w->net);
	assert_int_equal(w->trials[SHOP], 1);
}

static void an_answer_that_drips_is_given_up(void **state)
{
	struct world *w = *state;
	struct hf_exchange *x = fake_exchange(&w->api, 0);

	hf_connectivity_want(w->c, SHOP, true);
	assert_true(fake_connect(x));
	assert_true(fake_head(x, 200, TYPE));
	for (int i = 0; i < 29; i++) {
		fake_net_advance(&w->net, SECOND);
		assert_true(fake_body(x, HF_SPAN(" ")));
	}
	fake_net_advance(&w->net, 2 * SECOND);
	assert_int_equal(w->api.performed, 2);
	says(w, OPEN);
}

static void without_an_address_nothing_is_known_of_it(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, SHOP, true);
	says(w, CAPTIVE);
	hf_connectivity_link(w->c, HF_LINK_BARE);
	assert_int_equal(portal(w), HF_PORTAL_UNKNOWN);
	fake_net_advance(&w->net, 10 * MINUTE);
	assert_int_equal(w->api.performed, 1);
	hf_connectivity_link(w->c, HF_LINK_UP);
	assert_int_equal(w->api.performed, 2);
	says(w, OPEN);
}

static void another_api_is_another_portal(void **state)
{
	struct world *w = *state;

	hf_connectivity_want(w->c, SHOP, true);
	says(w, CAPTIVE);
	assert_int_equal(hf_connectivity_portal_api(w->c, NULL, NULL, NULL), 0);
	assert_int_equal(portal(w), HF_PORTAL_NONE);
	assert_int_equal(hf_connectivity_net(w->c), HF_NET_UNKNOWN);
	fake_net_advance(&w->net, 10 * MINUTE);
	assert_int_equal(w->api.performed, 1);
	assert_int_equal(hf_connectivity_portal_api(w->c, &w->api.base, "q.example", "/api"), 0);
	says(w, OPEN);
	assert_int_equal(portal(w), HF_PORTAL_OPEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(only_plain_https_urls_are_told),
		TEST(a_portal_shuts_off_what_it_can_answer_for),
		TEST(it_is_asked_again_while_something_waits_only),
		TEST(it_is_asked_before_the_session_ends),
		TEST(a_511_makes_it_asked_at_most_once_a_second),
		TEST(what_is_no_answer_of_an_api_says_nothing),
		TEST(a_portal_that_is_not_heard_any_more_shuts_nothing_off),
		TEST(an_answer_that_drips_is_given_up),
		TEST(without_an_address_nothing_is_known_of_it),
		TEST(another_api_is_another_portal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
