/* SPDX-License-Identifier: Apache-2.0 */
/* What pages of one origin see of another's: nothing. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/panel_api.h"
#include "lib/panel_case.h"

#define CREATED "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade"

/* A call by a page of the other origin, till. */
static const char *till_on(struct fake_peer *peer, const char *method, const char *path,
			   const char *fields)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s %s HTTP/1.1\r\nHost: till.localhost:8480\r\n%sContent-Length: 0\r\n\r\n",
		 method, path, fields);
	return panel_rig_ask(&rig, peer, text);
}

static const char *till(const char *method, const char *path)
{
	return till_on(panel_rig_connect(&rig), method, path, "");
}

/* An order of a page of till; @path becomes its resource. */
static void till_order(char id[27], char path[64])
{
	const char *at = strstr(till("POST", "/api/orders"), "/requests/");

	assert_non_null(at);
	snprintf(id, 27, "%.26s", at + strlen("/requests/"));
	snprintf(path, 64, "requests/%s", id);
}

static void lists_are_of_the_pages_own_origin(void **state)
{
	char id[27], other[27], path[64];

	(void)state;
	start_offline();
	order("abc", id);
	till_order(other, path);
	HAS(page("GET", "requests"), id);
	HAS_NOT(page("GET", "requests"), other);
	HAS(till("GET", "/.holdfast/requests"), other);
	HAS_NOT(till("GET", "/.holdfast/requests"), id);
	HAS(operator("GET", "requests"), id);
	HAS(operator("GET", "requests"), other);
}

/* As many fields as a request may have: what is decoded of all of them together
 * is more than one call may use. */
static void many_large_till_orders(int n)
{
	struct fake_peer *peer = panel_rig_connect(&rig);
	char fields[1024] = "";

	for (int i = 0; i < 50; i++) {
		size_t at = strlen(fields);

		snprintf(fields + at, sizeof(fields) - at, "X-Field-%d: 1\r\n", i);
	}
	while (n-- > 0)
		HAS(till_on(peer, "POST", "/api/orders", fields), "/requests/");
}

static void a_list_finds_its_own_behind_many_others(void **state)
{
	char id[27];

	(void)state;
	rig.policy.max_entries = 1000;
	start_offline();
	many_large_till_orders(400);
	snprintf(rig.policy.lane, sizeof(rig.policy.lane), "last");
	order("abc", id);
	HAS(page("GET", "requests"), id);
	HAS(operator("GET", "requests?lane=last"), id);
	HAS(operator("GET", "requests?lane=last"), "\"next\":null");
}

static void by_id_another_origins_request_does_not_exist(void **state)
{
	char id[27], path[64], response[80], own[80];

	(void)state;
	start_offline();
	till_order(id, path);
	snprintf(response, sizeof(response), "%s/response", path);
	snprintf(own, sizeof(own), "/.holdfast/%s", path);
	HAS(page("GET", path), "HTTP/1.1 404 ");
	HAS(page("GET", path), "Holdfast-State: unknown\r\n");
	HAS_NOT(page("GET", path), "/api/orders");
	HAS(page("GET", response), "HTTP/1.1 404 ");
	HAS(page("DELETE", path), "HTTP/1.1 404 ");
	HAS(till("GET", own), "\"state\":\"queued\"");
	HAS(operator("GET", path), "\"state\":\"queued\"");
	HAS(till("DELETE", own), "\"state\":\"cancelled\"");
	HAS(page("DELETE", path), "HTTP/1.1 404 ");
}

static void an_answer_is_kept_for_its_own_origin(void **state)
{
	char id[27], path[64], response[80], own[96];

	(void)state;
	start_offline();
	till_order(id, path);
	panel_rig_origin_down(&rig, false);
	panel_rig_advance(&rig, 5000);
	panel_rig_answer(&rig, origin(), CREATED);
	snprintf(response, sizeof(response), "%s/response", path);
	snprintf(own, sizeof(own), "/.holdfast/%s", response);
	HAS(till("GET", own), "made");
	HAS(page("GET", response), "HTTP/1.1 404 ");
	HAS_NOT(page("GET", response), "made");
	/* also when its request is purged and only the summary of it is left */
	panel_rig_reboot(&rig);
	HAS(till("GET", own), "made");
	HAS(page("GET", response), "HTTP/1.1 404 ");
}

static void where_a_request_went_is_told_to_its_own_origin(void **state)
{
	char id[27], path[64], own[80], retry[80];

	(void)state;
	start_offline();
	till_order(id, path);
	snprintf(own, sizeof(own), "/.holdfast/%s", path);
	snprintf(retry, sizeof(retry), "%s/retry", path);
	HAS(till("DELETE", own), "cancelled");
	HAS(operator("POST", retry), "\"state\":\"queued\"");
	HAS(till("GET", own), "HTTP/1.1 308 ");
	HAS(page("GET", path), "HTTP/1.1 404 ");
	HAS_NOT(page("DELETE", path), "replacedBy");
}

static void a_stream_tells_of_its_own_origin(void **state)
{
	struct fake_peer *shop, *other, *control;
	char id[27], till_id[27], path[64];
	const char *got;

	(void)state;
	start_offline();
	shop = panel_rig_connect(&rig);
	other = panel_rig_connect(&rig);
	control = panel_rig_connect_control(&rig);
	call(shop, "GET", "events");
	till_on(other, "GET", "/.holdfast/events", "");
	call(control, "GET", "events");
	till_order(till_id, path);
	order("abc", id);
	got = fake_peer_take(shop);
	HAS(got, id);
	HAS_NOT(got, till_id);
	got = fake_peer_take(other);
	HAS(got, till_id);
	HAS_NOT(got, id);
	got = fake_peer_take(control);
	HAS(got, id);
	HAS(got, till_id);
}

static void a_stream_that_resumes_tells_of_its_own_origin(void **state)
{
	char id[27], till_id[27], path[64], last[96];
	struct fake_peer *events;
	const char *got, *at;

	(void)state;
	start_offline();
	events = panel_rig_connect(&rig);
	till_on(events, "GET", "/.holdfast/events", "");
	till_order(till_id, path);
	got = fake_peer_take(events);
	at = strstr(got, "id: ");
	assert_non_null(at);
	snprintf(last, sizeof(last), "Last-Event-ID: %.*s\r\n", (int)strcspn(at + 4, "\n"), at + 4);
	order("abc", id);
	till_order(till_id, path);
	got = till_on(panel_rig_connect(&rig), "GET", "/.holdfast/events", last);
	HAS(got, till_id);
	HAS_NOT(got, id);
	HAS_NOT(got, "event: gap");
}

static void events_may_be_for_some_alone(void **state)
{
	struct fake_peer *shop, *other, *control;

	(void)state;
	panel_rig_start(&rig);
	shop = panel_rig_connect(&rig);
	other = panel_rig_connect(&rig);
	control = panel_rig_connect_control(&rig);
	call(shop, "GET", "events");
	till_on(other, "GET", "/.holdfast/events", "");
	call(control, "GET", "events");
	hf_ingress_event(rig.ingress, 0 | HF_EVENT_PAGES, "connectivity", HF_SPAN("{\"n\":1}"));
	hf_ingress_event(rig.ingress, HF_EVENT_OPERATOR, "connectivity", HF_SPAN("{\"n\":2}"));
	panel_rig_settle(&rig);
	fake_net_advance(&rig.net, 2);
	panel_rig_settle(&rig);
	HAS(fake_peer_take(shop), "{\"n\":1}");
	assert_string_equal(fake_peer_take(other), "");
	HAS(fake_peer_take(control), "{\"n\":2}");
}

static void the_agent_is_asked_for_the_pages_own_origin(void **state)
{
	(void)state;
	panel_rig_start(&rig);
	HAS(till("GET", "/.holdfast/status"), "{\"version\":\"till\"}");
	HAS(operator("GET", "status"), "{\"version\":\"test\"}");
	till("POST", "/.holdfast/sync-now");
	assert_int_equal(rig.sync_now_origin, 1);
	operator("POST", "sync-now");
	assert_int_equal(rig.sync_now_origin, UINT_MAX);
}

static int set_up_two(void **state)
{
	set_up(state);
	rig.origins_n = 2;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_two, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_are_of_the_pages_own_origin),
		TEST(a_list_finds_its_own_behind_many_others),
		TEST(by_id_another_origins_request_does_not_exist),
		TEST(an_answer_is_kept_for_its_own_origin),
		TEST(where_a_request_went_is_told_to_its_own_origin),
		TEST(a_stream_tells_of_its_own_origin),
		TEST(a_stream_that_resumes_tells_of_its_own_origin),
		TEST(events_may_be_for_some_alone),
		TEST(the_agent_is_asked_for_the_pages_own_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
