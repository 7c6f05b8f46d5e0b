/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a request, and who observes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sensor_case.h"

static char path[64], id[27];

/* A request that waits, and an address that is proven. */
static void begin(void)
{
	struct sensor_ask ask = { .code = POST, .path = "/api/readings", .payload = "21.5" };
	char echo[64];
	struct hf_span value;

	sensor_rig_start(&rig);
	expect(&ask, CREATED);
	location(id);
	snprintf(path, sizeof(path), "/.holdfast/requests/%s", id);
	ask = (struct sensor_ask){ .code = GET, .path = path };
	expect(&ask, HF_COAP_CODE(4, 1));
	value = *hf_coap_option_get(&answer.head, HF_COAP_ECHO);
	memcpy(echo, value.ptr, value.len);
	ask.more[0] = (struct hf_coap_option){ HF_COAP_ECHO, hf_span(echo, value.len) };
	expect(&ask, CONTENT);
}

static void observe(const char *token)
{
	struct sensor_ask ask = { .code = GET, .path = path, .token = token };

	ask.more[0] = (struct hf_coap_option){ HF_COAP_OBSERVE, hf_span("", 0) };
	expect(&ask, CONTENT);
}

static bool is_notification(void)
{
	return hf_coap_option_get(&answer.head, HF_COAP_OBSERVE) != NULL;
}

static void say(uint8_t first)
{
	char bytes[4] = { (char)first, 0, (char)(answer.mid >> 8), (char)answer.mid };

	sensor_rig_send(&rig, 0, bytes, sizeof(bytes));
}

static bool has(const char *text)
{
	char copy[1200];

	assert_true(answer.payload.len < sizeof(copy));
	memcpy(copy, answer.payload.ptr, answer.payload.len);
	copy[answer.payload.len] = '\0';
	return strstr(copy, text) != NULL;
}

static void deliver(void)
{
	struct fake_peer *o = NULL;

	panel_rig_origin_down(&rig.panel, false);
	for (int i = 0; i < 60 && !o; i++) {
		panel_rig_advance(&rig.panel, 1000);
		o = panel_rig_origin(&rig.panel);
	}
	assert_non_null(o);
	panel_rig_answer(&rig.panel, o, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
}

static void the_state_is_shown(void **state)
{
	struct sensor_ask ask = { .code = GET, .path = path };

	(void)state;
	begin();
	expect(&ask, CONTENT);
	assert_true(has("\"state\":\"queued\""));
	assert_false(is_notification());
	ask.path = "/.holdfast/requests/00000000000000000000000000";
	expect(&ask, HF_COAP_CODE(4, 4));
	ask.path = "/.holdfast/requests/nonsense";
	expect(&ask, HF_COAP_CODE(4, 4));
}

static void an_observer_hears_the_outcome_until_it_says_so(void **state)
{
	(void)state;
	begin();
	observe("obs1");
	assert_true(is_notification());
	deliver();
	for (int i = 0; i < 3; i++) {
		assert_true(sensor_rig_take(&rig, &answer));
		assert_true(is_notification());
		assert_int_equal(answer.type, HF_COAP_CON);
		assert_memory_equal(answer.token, "obs1", 4);
		assert_true(has("\"state\":\"settled\""));
		assert_true(has("\"status\":201"));
		panel_rig_advance(&rig.panel, i == 0 ? 3100 : 6100);
	}
	say(0x60);
	panel_rig_advance(&rig.panel, 100000);
	assert_false(sensor_rig_take(&rig, &answer));
}

static void one_that_ends_it_hears_nothing(void **state)
{
	struct sensor_ask ask = { .code = GET, .path = path, .token = "obs2" };

	(void)state;
	begin();
	observe("obs1");
	observe("obs2");
	ask.more[0] = (struct hf_coap_option){ HF_COAP_OBSERVE, HF_SPAN("\x01") };
	expect(&ask, CONTENT);
	assert_false(is_notification());
	deliver();
	assert_true(sensor_rig_take(&rig, &answer));
	assert_memory_equal(answer.token, "obs1", 4);
	say(0x70); /* a reset */
	panel_rig_advance(&rig.panel, 100000);
	assert_false(sensor_rig_take(&rig, &answer));
}

static void a_final_one_is_not_observed(void **state)
{
	(void)state;
	begin();
	deliver();
	observe("late");
	assert_false(is_notification());
	assert_true(has("\"state\":\"settled\""));
}

static void there_are_only_so_many(void **state)
{
	struct hf_sensor_figures f;
	char token[9];

	(void)state;
	begin();
	for (int i = 0; i < CONFIG_HF_SENSOR_OBSERVERS_MAX; i++) {
		snprintf(token, sizeof(token), "t%d", i);
		observe(token);
		assert_true(is_notification());
	}
	observe("t0"); /* instead of its own */
	assert_true(is_notification());
	observe("more");
	assert_false(is_notification());
	hf_sensors_figures(rig.sensors, &f);
	assert_int_equal(f.observers, CONFIG_HF_SENSOR_OBSERVERS_MAX);
}

static void an_end_while_the_store_works_is_clean(void **state)
{
	struct sensor_ask ask = { .code = GET, .path = path, .token = "x" };

	(void)state;
	begin();
	observe("obs1");
	rig.panel.hold_jobs = true;
	ask.more[0] = (struct hf_coap_option){ HF_COAP_OBSERVE, hf_span("", 0) };
	assert_false(sensor_rig_ask(&rig, &ask, &answer));
	ask = (struct sensor_ask){ .code = POST, .path = "/api/b", .payload = "2" };
	assert_false(sensor_rig_ask(&rig, &ask, &answer));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(the_state_is_shown),
		CASE(an_observer_hears_the_outcome_until_it_says_so),
		CASE(one_that_ends_it_hears_nothing),
		CASE(a_final_one_is_not_observed),
		CASE(there_are_only_so_many),
		CASE(an_end_while_the_store_works_is_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
