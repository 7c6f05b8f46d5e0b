/* SPDX-License-Identifier: Apache-2.0 */
/* What sensors send into routes that queue it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sensor_case.h"
#include "sensor/sensor_private.h"

static const struct sensor_ask reading = {
	.code = POST,
	.token = "tk",
	.path = "/api/readings",
	.payload = "21.5",
	.format = 1,
};

static void is_answered_after_the_commit(void **state)
{
	char id[27];

	(void)state;
	sensor_rig_start(&rig);
	rig.panel.hold_jobs = true;
	assert_false(sensor_rig_ask(&rig, &reading, &answer));
	rig.panel.hold_jobs = false;
	panel_rig_settle(&rig.panel);
	assert_true(sensor_rig_take(&rig, &answer));
	assert_int_equal(answer.head.code, CREATED);
	assert_int_equal(answer.type, HF_COAP_ACK);
	assert_int_equal(answer.mid, rig.mid);
	assert_memory_equal(answer.token, "tk", 2);
	location(id);
	assert_int_equal(sensor_rig_waiting(&rig), 1);
	assert_false(sensor_rig_take(&rig, &answer));
}

static void put_is_changed_and_non_is_answered_by_non(void **state)
{
	struct sensor_ask put = reading;

	(void)state;
	sensor_rig_start(&rig);
	put.code = PUT;
	expect(&put, CHANGED);
	put.type = HF_COAP_NON;
	expect(&put, CHANGED);
	assert_int_equal(answer.type, HF_COAP_NON);
	assert_int_equal(sensor_rig_waiting(&rig), 2);
}

static void a_slow_commit_is_acknowledged_first_and_answered_until_it_is_heard(void **state)
{
	char ack[4] = { 0x60, 0, 0, 0 };

	(void)state;
	sensor_rig_start(&rig);
	rig.panel.hold_jobs = true;
	assert_false(sensor_rig_ask(&rig, &reading, &answer));
	panel_rig_advance(&rig.panel, 1000);
	assert_true(sensor_rig_take(&rig, &answer));
	assert_int_equal(answer.type, HF_COAP_ACK);
	assert_int_equal(answer.head.code, 0);
	assert_int_equal(answer.mid, rig.mid);
	panel_rig_advance(&rig.panel, 5000);
	assert_false(sensor_rig_take(&rig, &answer));
	rig.panel.hold_jobs = false;
	panel_rig_settle(&rig.panel);
	for (int i = 0; i < 2; i++) {
		assert_true(sensor_rig_take(&rig, &answer));
		assert_int_equal(answer.type, HF_COAP_CON);
		assert_int_equal(answer.head.code, CREATED);
		assert_memory_equal(answer.token, "tk", 2);
		panel_rig_advance(&rig.panel, 3100);
	}
	ack[2] = (char)(answer.mid >> 8);
	ack[3] = (char)answer.mid;
	sensor_rig_send(&rig, 0, ack, sizeof(ack));
	panel_rig_advance(&rig.panel, 60000);
	assert_false(sensor_rig_take(&rig, &answer));
}

static void a_message_that_comes_again_has_one_effect(void **state)
{
	struct sensor_ask ask = reading;
	char first[27], again[27];

	(void)state;
	sensor_rig_start(&rig);
	ask.mid = 77;
	expect(&ask, CREATED);
	location(first);
	panel_rig_advance(&rig.panel, 200000);
	expect(&ask, CREATED);
	location(again);
	assert_string_equal(first, again);
	assert_int_equal(answer.mid, 77);
	assert_int_equal(sensor_rig_waiting(&rig), 1);
	/* from elsewhere, or of other content, it is another one */
	ask.port = 40001;
	expect(&ask, CREATED);
	ask.payload = "21.6";
	expect(&ask, CREATED);
	assert_int_equal(sensor_rig_waiting(&rig), 3);
	/* and so it is when nobody remembers it */
	panel_rig_advance(&rig.panel, 250000);
	expect(&ask, CREATED);
	assert_int_equal(sensor_rig_waiting(&rig), 4);
}

static void one_that_is_in_work_is_acknowledged(void **state)
{
	struct sensor_ask ask = reading;

	(void)state;
	sensor_rig_start(&rig);
	rig.panel.hold_jobs = true;
	ask.mid = 5;
	assert_false(sensor_rig_ask(&rig, &ask, &answer));
	assert_true(sensor_rig_ask(&rig, &ask, &answer));
	assert_int_equal(answer.head.code, 0);
	assert_int_equal(answer.type, HF_COAP_ACK);
	rig.panel.hold_jobs = false;
	panel_rig_settle(&rig.panel);
	assert_true(sensor_rig_take(&rig, &answer));
	assert_int_equal(answer.head.code, CREATED);
	assert_int_equal(sensor_rig_waiting(&rig), 1);
}

/* What the origin is sent when it is back, connection by connection. */
static const char *arrival(void)
{
	struct fake_peer *o;
	const char *text;

	for (int i = 0; i < 100; i++) {
		o = panel_rig_origin(&rig.panel);
		text = o ? fake_peer_take(o) : "";
		if (strstr(text, "\r\n\r\n")) {
			panel_rig_answer(&rig.panel, o,
					 "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"
					 "Connection: close\r\n\r\n");
			return text;
		}
		panel_rig_advance(&rig.panel, 1000);
	}
	return "";
}

static void key_in(const char *text, char out[37])
{
	const char *at = strstr(text, "Idempotency-Key: ");

	assert_non_null(at);
	memcpy(out, at + strlen("Idempotency-Key: "), 36);
	out[36] = '\0';
}

static void after_a_restart_it_goes_under_the_same_key(void **state)
{
	struct sensor_ask ask = reading;
	char first[37], second[37];
	const char *text;

	(void)state;
	sensor_rig_start(&rig);
	ask.mid = 9;
	expect(&ask, CREATED);
	sensor_rig_reboot(&rig);
	expect(&ask, CREATED);
	ask.mid = 10;
	expect(&ask, CREATED);
	panel_rig_origin_down(&rig.panel, false);
	text = arrival();
	assert_non_null(strstr(text, "POST /api/readings HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "Content-Type: text/plain;charset=utf-8\r\n"));
	assert_non_null(strstr(text, "Forwarded: for=192.0.2.9;proto=coap\r\n"));
	assert_non_null(strstr(text, "\r\n\r\n21.5"));
	key_in(text, first);
	key_in(arrival(), second);
	assert_string_equal(first, second);
	key_in(arrival(), second);
	assert_string_not_equal(first, second);
}

static void a_key_of_its_own_goes_before(void **state)
{
	struct sensor_ask ask = reading;
	const char *text;

	(void)state;
	sensor_rig_start(&rig);
	ask.query = "a=1&key=mine-17&b=2";
	expect(&ask, CREATED);
	ask.query = "key=";
	expect(&ask, HF_COAP_CODE(4, 0));
	panel_rig_origin_down(&rig.panel, false);
	text = arrival();
	assert_non_null(strstr(text, "POST /api/readings?a=1&b=2 HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "Idempotency-Key: mine-17\r\n"));
}

static void a_format_without_a_media_type_becomes_json(void **state)
{
	struct sensor_ask ask = reading;
	const char *text;

	(void)state;
	sensor_rig_start(&rig);
	ask.format = 65001 + 1;
	ask.payload = "\x01\x02\xff";
	expect(&ask, CREATED);
	panel_rig_origin_down(&rig.panel, false);
	text = arrival();
	assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(text, "\r\n\r\n{\"contentFormat\":65001,\"payload\":\"AQL/\"}"));
}

static void a_format_with_a_coding_keeps_it(void **state)
{
	struct sensor_ask ask = reading;
	const char *text;

	(void)state;
	sensor_rig_start(&rig);
	ask.format = 11050 + 1;
	expect(&ask, CREATED);
	panel_rig_origin_down(&rig.panel, false);
	text = arrival();
	assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(text, "Content-Encoding: deflate\r\n"));
}

/* What a CoAP origin is sent can name the format that came. */
static void a_coap_origin_gets_the_same_format(void **state)
{
	struct hf_coap_key nowhere = { 0 };
	struct hf_sensor_request r = { .has_format = true, .format = 65001 };
	struct hf_coap_head head;
	struct hf_arena arena;
	uint32_t format;

	(void)state;
	sensor_rig_start(&rig);
	hf_arena_init(&arena, 65536);
	hf_fields_init(&r.msg.fields, &arena);
	r.msg.method = HF_SPAN("POST");
	r.msg.target = HF_SPAN("/a");
	assert_int_equal(hf_sensor_request_finish(&r, true, HF_SPAN("\x01"), &arena), 0);
	assert_int_equal(hf_coap_request_map(&r.msg, NULL, &nowhere, &arena, &head), 0);
	assert_true(
		hf_coap_uint_parse(*hf_coap_option_get(&head, HF_COAP_CONTENT_FORMAT), &format));
	assert_int_equal(format, 65001);
	hf_arena_finish(&arena);
}

static void an_ipatch_is_a_patch(void **state)
{
	struct sensor_ask ask = reading;

	(void)state;
	sensor_rig_start(&rig);
	ask.code = HF_COAP_CODE(0, 7);
	expect(&ask, HF_COAP_CODE(2, 4));
	assert_int_equal(sensor_rig_waiting(&rig), 1);
}

static void what_is_not_allowed_is_said(void **state)
{
	struct sensor_ask ask = reading;

	(void)state;
	sensor_rig_start(&rig);
	ask.path = "/elsewhere";
	expect(&ask, HF_COAP_CODE(4, 4));
	assert_true(answer.payload.len > 16);
	ask.path = "/.holdfast/requests";
	expect(&ask, HF_COAP_CODE(4, 0));
	ask.path = "/api/a";
	ask.code = HF_COAP_CODE(0, 5);
	expect(&ask, HF_COAP_CODE(4, 5));
	ask.code = GET;
	expect(&ask, HF_COAP_CODE(4, 5));
	ask.code = POST;
	ask.more[0] = (struct hf_coap_option){ 2049, HF_SPAN("x") };
	expect(&ask, HF_COAP_CODE(4, 2));
	ask.more[0] = (struct hf_coap_option){ HF_COAP_PROXY_URI, HF_SPAN("coap://h/") };
	expect(&ask, HF_COAP_CODE(5, 5));
	ask.more[0] = (struct hf_coap_option){ HF_COAP_URI_PATH, HF_SPAN("..") };
	expect(&ask, HF_COAP_CODE(4, 0));
	assert_int_equal(sensor_rig_waiting(&rig), 0);
	/* a refusal is no effect: it is looked at anew */
	ask.more[0] = (struct hf_coap_option){ 0 };
	expect(&ask, CREATED);
}

static void a_full_lane_is_said_with_a_time(void **state)
{
	struct sensor_ask ask = reading;
	uint32_t age, again;

	(void)state;
	rig.panel.policy.max_entries = 1;
	sensor_rig_start(&rig);
	expect(&ask, CREATED);
	ask.mid = 700;
	expect(&ask, HF_COAP_CODE(5, 3));
	assert_non_null(hf_coap_option_get(&answer.head, HF_COAP_MAX_AGE));
	assert_true(hf_coap_uint_parse(*hf_coap_option_get(&answer.head, HF_COAP_MAX_AGE), &age));
	assert_true(age > 0);
	assert_int_equal(sensor_rig_waiting(&rig), 1);
	/* when there is room, the same message is what it was, and another one is taken */
	panel_rig_origin_down(&rig.panel, false);
	arrival();
	panel_rig_settle(&rig.panel);
	expect(&ask, HF_COAP_CODE(5, 3));
	assert_true(hf_coap_uint_parse(*hf_coap_option_get(&answer.head, HF_COAP_MAX_AGE), &again));
	assert_int_equal(again, age);
	assert_int_equal(sensor_rig_waiting(&rig), 0);
	ask.mid = 701;
	expect(&ask, CREATED);
}

static void a_full_store_is_said_with_a_time(void **state)
{
	static char body[1000];
	struct sensor_ask ask = reading;
	unsigned taken = 0;

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	rig.panel.policy.max_entries = 100000;
	rig.panel.store_bytes_max = 512 * 1024;
	sensor_rig_start(&rig);
	ask.payload = body;
	do {
		assert_true(sensor_rig_ask(&rig, &ask, &answer));
	} while (answer.head.code == CREATED && ++taken < 1000);
	assert_true(taken > 50);
	assert_int_equal(answer.head.code, HF_COAP_CODE(5, 3));
	assert_non_null(hf_coap_option_get(&answer.head, HF_COAP_MAX_AGE));
	assert_int_equal(sensor_rig_waiting(&rig), taken);
}

static void answers_that_are_not_wanted_are_not_sent(void **state)
{
	struct sensor_ask ask = reading;

	(void)state;
	sensor_rig_start(&rig);
	ask.type = HF_COAP_NON;
	ask.more[0] = (struct hf_coap_option){ HF_COAP_NO_RESPONSE, HF_SPAN("\x02") };
	assert_false(sensor_rig_ask(&rig, &ask, &answer));
	assert_int_equal(sensor_rig_waiting(&rig), 1);
	ask.path = "/elsewhere";
	expect(&ask, HF_COAP_CODE(4, 4));
}

static void what_is_no_request_is_reset_or_dropped(void **state)
{
	static const char ping[] = { 0x40, 0, 0x12, 0x34 };
	static const char long_token[] = { 0x4d, 2, 0x12, 0x35 };
	static const char version[] = { (char)0x80, 2, 0x12, 0x34 };
	static const char response[] = { 0x40, 0x45, 0x12, 0x36 };
	static const char non[] = { 0x50, 0x45, 0x12, 0x36 };

	(void)state;
	sensor_rig_start(&rig);
	sensor_rig_send(&rig, 0, ping, sizeof(ping));
	assert_true(sensor_rig_take(&rig, &answer));
	assert_int_equal(answer.type, HF_COAP_RST);
	assert_int_equal(answer.mid, 0x1234);
	sensor_rig_send(&rig, 0, long_token, sizeof(long_token));
	assert_true(sensor_rig_take(&rig, &answer));
	assert_int_equal(answer.type, HF_COAP_RST);
	sensor_rig_send(&rig, 0, response, sizeof(response));
	assert_true(sensor_rig_take(&rig, &answer));
	assert_int_equal(answer.type, HF_COAP_RST);
	sensor_rig_send(&rig, 0, version, sizeof(version));
	sensor_rig_send(&rig, 0, non, sizeof(non));
	sensor_rig_send(&rig, 0, "", 0);
	assert_false(sensor_rig_take(&rig, &answer));
}

static void the_file_says_what_senders_without_a_key_may(void **state)
{
	struct sensor_ask ask = reading;

	(void)state;
	rig.devices = "- - POST:/api/readings\n";
	sensor_rig_start(&rig);
	expect(&ask, CREATED);
	ask.path = "/api/other";
	expect(&ask, HF_COAP_CODE(4, 3));
	ask.path = "/api/readings";
	ask.code = PUT;
	expect(&ask, HF_COAP_CODE(4, 3));
	/* it is read again when it says something else */
	rig.devices = "- - PUT:/api/*\n";
	panel_rig_advance(&rig.panel, 1100);
	expect(&ask, CHANGED);
	rig.devices = "a fault\n";
	panel_rig_advance(&rig.panel, 1100);
	expect(&ask, CHANGED);
	rig.devices = "- - POST:/none\n";
	rig.exposed = true;
	panel_rig_advance(&rig.panel, 1100);
	expect(&ask, CHANGED);
	rig.exposed = false;
	panel_rig_advance(&rig.panel, 1100);
	expect(&ask, HF_COAP_CODE(4, 3));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(is_answered_after_the_commit),
		CASE(put_is_changed_and_non_is_answered_by_non),
		CASE(a_slow_commit_is_acknowledged_first_and_answered_until_it_is_heard),
		CASE(a_message_that_comes_again_has_one_effect),
		CASE(one_that_is_in_work_is_acknowledged),
		CASE(after_a_restart_it_goes_under_the_same_key),
		CASE(a_key_of_its_own_goes_before),
		CASE(a_format_without_a_media_type_becomes_json),
		CASE(a_format_with_a_coding_keeps_it),
		CASE(a_coap_origin_gets_the_same_format),
		CASE(an_ipatch_is_a_patch),
		CASE(what_is_not_allowed_is_said),
		CASE(a_full_lane_is_said_with_a_time),
		CASE(a_full_store_is_said_with_a_time),
		CASE(answers_that_are_not_wanted_are_not_sent),
		CASE(what_is_no_request_is_reset_or_dropped),
		CASE(the_file_says_what_senders_without_a_key_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
