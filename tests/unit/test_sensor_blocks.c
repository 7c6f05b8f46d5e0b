/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in blocks, and how much an address gets that is not proven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coap/block.h"
#include "lib/sensor_case.h"

static char body[CONFIG_HF_SENSOR_BODY_BYTES_MAX + 1024];

/* Block @num of the body of @len bytes, of 1024 each. */
static struct sensor_ask block_ask(unsigned num, size_t len, char option[4])
{
	struct hf_coap_block b = { .num = num, .szx = 6, .more = (size_t)(num + 1) * 1024 < len };
	struct sensor_ask ask = {
		.code = PUT,
		.path = "/api/state",
		.payload = body + (size_t)num * 1024,
		.payload_len = b.more ? 1024 : len - (size_t)num * 1024,
	};

	ask.more[0] = (struct hf_coap_option){ HF_COAP_BLOCK1, hf_coap_block_format(&b, option) };
	return ask;
}

static void put_block(unsigned num, size_t len, uint8_t code)
{
	char option[4];
	struct sensor_ask ask = block_ask(num, len, option);

	expect(&ask, code);
}

static void fill(void)
{
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)('a' + i / 1024 % 26);
}

static void a_body_in_blocks_becomes_one_request(void **state)
{
	const char *text;
	struct fake_peer *o = NULL;
	char option[4], first[27], again[27];
	struct sensor_ask last;

	(void)state;
	fill();
	sensor_rig_start(&rig);
	put_block(0, 2500, HF_COAP_CONTINUE);
	assert_non_null(hf_coap_option_get(&answer.head, HF_COAP_BLOCK1));
	put_block(1, 2500, HF_COAP_CONTINUE);
	put_block(1, 2500, HF_COAP_CONTINUE); /* again */
	last = block_ask(2, 2500, option);
	last.mid = 4000;
	expect(&last, CHANGED);
	location(first);
	expect(&last, CHANGED);
	location(again);
	assert_string_equal(first, again);
	assert_int_equal(sensor_rig_waiting(&rig), 1);
	panel_rig_origin_down(&rig.panel, false);
	for (int i = 0; i < 60 && !o; i++) {
		panel_rig_advance(&rig.panel, 1000);
		o = panel_rig_origin(&rig.panel);
	}
	assert_non_null(o);
	text = fake_peer_take(o);
	assert_non_null(strstr(text, "Content-Length: 2500\r\n"));
	text = strstr(text, "\r\n\r\n");
	assert_non_null(text);
	assert_memory_equal(text + 4, body, 2500);
}

static void blocks_out_of_order_are_refused(void **state)
{
	(void)state;
	fill();
	sensor_rig_start(&rig);
	put_block(1, 2500, HF_COAP_INCOMPLETE);
	put_block(0, 2500, HF_COAP_CONTINUE);
	put_block(2, 2500, HF_COAP_INCOMPLETE);
	/* and from the beginning */
	put_block(0, 2500, HF_COAP_CONTINUE);
	put_block(1, 2500, HF_COAP_CONTINUE);
	put_block(2, 2500, CHANGED);
	assert_int_equal(sensor_rig_waiting(&rig), 1);
}

static void a_block_has_the_size_that_it_says(void **state)
{
	char option[4];
	struct sensor_ask ask = block_ask(0, 2500, option);

	(void)state;
	fill();
	sensor_rig_start(&rig);
	ask.payload_len = 1000;
	expect(&ask, HF_COAP_CODE(4, 0));
	ask.more[0].value = HF_SPAN("\x0f"); /* the reserved size */
	expect(&ask, HF_COAP_CODE(4, 0));
}

static void what_is_too_long_is_refused_early_and_late(void **state)
{
	size_t most = CONFIG_HF_SENSOR_BODY_BYTES_MAX, len = most + 1;
	char option[4], size[4];
	struct sensor_ask ask = block_ask(0, len, option);
	uint32_t allowed;

	(void)state;
	fill();
	sensor_rig_start(&rig);
	ask.more[1] = (struct hf_coap_option){ HF_COAP_SIZE1, hf_coap_uint((uint32_t)len, size) };
	expect(&ask, HF_COAP_TOO_LARGE);
	assert_true(hf_coap_uint_parse(*hf_coap_option_get(&answer.head, HF_COAP_SIZE1), &allowed));
	assert_int_equal(allowed, most);
	for (unsigned i = 0; i < most / 1024; i++)
		put_block(i, len, HF_COAP_CONTINUE);
	put_block((unsigned)(most / 1024), len, HF_COAP_TOO_LARGE);
	/* exactly as much goes */
	for (unsigned i = 0; i + 1 < most / 1024; i++)
		put_block(i, most, HF_COAP_CONTINUE);
	put_block((unsigned)(most / 1024) - 1, most, CHANGED);
}

static void senders_have_bodies_of_their_own_and_only_so_many(void **state)
{
	char option[4];
	struct sensor_ask ask = block_ask(0, 2500, option);
	unsigned n = CONFIG_HF_SENSOR_UPLOADS_MAX;

	(void)state;
	fill();
	sensor_rig_start(&rig);
	for (unsigned i = 0; i < n; i++) {
		ask.port = (uint16_t)(1000 + i);
		expect(&ask, HF_COAP_CONTINUE);
	}
	ask.port = 2000;
	expect(&ask, HF_COAP_CODE(5, 3));
	/* one that does not move gives way */
	panel_rig_advance(&rig.panel, 6000);
	expect(&ask, HF_COAP_CONTINUE);
	ask = block_ask(1, 2500, option);
	ask.port = 1000;
	expect(&ask, HF_COAP_INCOMPLETE);
	ask.port = 1001;
	expect(&ask, HF_COAP_CONTINUE);
}

/* ---- addresses ---- */

static struct sensor_ask core = { .code = GET, .path = "/.well-known/core" };

static void a_long_answer_wants_a_proof(void **state)
{
	struct sensor_ask ask = core;
	struct hf_span echo;
	char copy[64];

	(void)state;
	sensor_rig_start(&rig);
	expect(&ask, HF_COAP_CODE(4, 1));
	assert_true(rig.bytes[40000].out <= 3 * rig.bytes[40000].in);
	assert_non_null(hf_coap_option_get(&answer.head, HF_COAP_ECHO));
	echo = *hf_coap_option_get(&answer.head, HF_COAP_ECHO);
	memcpy(copy, echo.ptr, echo.len);
	ask.more[0] = (struct hf_coap_option){ HF_COAP_ECHO, hf_span(copy, echo.len) };
	/* it is another's */
	ask.port = 41000;
	expect(&ask, HF_COAP_CODE(4, 1));
	ask.port = 0;
	expect(&ask, CONTENT);
	assert_true(
		hf_span_starts(answer.payload, HF_SPAN("</api/readings>;rt=\"holdfast.queue\"")));
	/* and from then on it goes without */
	ask.more[0] = (struct hf_coap_option){ 0 };
	expect(&ask, CONTENT);
	panel_rig_advance(&rig.panel, 16 * 60 * 1000);
	expect(&ask, HF_COAP_CODE(4, 1));
	/* too old a one is none */
	ask.more[0] = (struct hf_coap_option){ HF_COAP_ECHO, hf_span(copy, echo.len) };
	expect(&ask, HF_COAP_CODE(4, 1));
}

/* Whatever comes, of any length: an address that did not prove itself gets three times
 * its bytes. */
static void nobody_gets_more_than_three_times_what_it_sent(void **state)
{
	static const uint8_t codes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 30, 31 };
	static const char *const paths[] = { "/", "/api/a", "/.well-known/core", "/x",
					     "/.holdfast/requests/00000000000000000000000000" };
	uint64_t random = 1;

	(void)state;
	rig.panel.policy.max_entries = 5000;
	sensor_rig_start(&rig);
	for (unsigned i = 0; i < 2000; i++) {
		struct sensor_ask ask = { .code = codes[i % 10],
					  .path = paths[i / 10 % 5],
					  .type = i / 50 % 2,
					  .token = i % 3 ? "12345678" : NULL,
					  .payload = i % 7 == 0 ? "x" : NULL,
					  .port = (uint16_t)(1000 + i) };
		char bytes[HF_COAP_DATAGRAM_MAX];
		size_t len = sensor_rig_format(&rig, &ask, bytes);

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		if (i % 4 == 3)
			len = 1 + (size_t)(random >> 33) % len;
		if (i % 5 == 4)
			bytes[(random >> 40) % len] ^= (char)(random >> 20);
		rig.panel.hold_jobs = i % 3 == 0;
		sensor_rig_send(&rig, ask.port, bytes, len);
		if (i % 100 == 0)
			panel_rig_advance(&rig.panel, 1000);
		rig.taken = rig.sent_n;
	}
	rig.panel.hold_jobs = false;
	for (unsigned i = 0; i < 100; i++) {
		panel_rig_advance(&rig.panel, 1000);
		rig.taken = rig.sent_n;
	}
	for (unsigned port = 0; port < 1 << 16; port++)
		assert_true(rig.bytes[port].out <= 3 * rig.bytes[port].in);
}

static void links_are_filtered(void **state)
{
	struct sensor_ask ask = core;
	char echo[12];

	(void)state;
	sensor_rig_start(&rig);
	expect(&ask, HF_COAP_CODE(4, 1));
	memcpy(echo, hf_coap_option_get(&answer.head, HF_COAP_ECHO)->ptr, 12);
	ask.more[0] = (struct hf_coap_option){ HF_COAP_ECHO, hf_span(echo, 12) };
	expect(&ask, CONTENT);
	ask.query = "href=/api/st*";
	expect(&ask, CONTENT);
	assert_true(hf_span_eq_str(answer.payload, "</api/state>;rt=\"holdfast.queue\""));
	ask.query = "rt=none";
	expect(&ask, CONTENT);
	assert_int_equal(answer.payload.len, 0);
	ask.query = NULL;
	ask.more[0] = (struct hf_coap_option){ HF_COAP_BLOCK2, HF_SPAN("\x12") }; /* 1, 64 bytes */
	expect(&ask, CONTENT);
	assert_true(answer.payload.len < 64);
	ask.more[0].value = HF_SPAN("\x10"); /* 1, 16 bytes */
	expect(&ask, CONTENT);
	assert_int_equal(answer.payload.len, 16);
	ask.more[0].value = HF_SPAN("\x7f\xf0"); /* far behind the end */
	expect(&ask, HF_COAP_CODE(4, 0));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_body_in_blocks_becomes_one_request),
		CASE(blocks_out_of_order_are_refused),
		CASE(a_block_has_the_size_that_it_says),
		CASE(what_is_too_long_is_refused_early_and_late),
		CASE(senders_have_bodies_of_their_own_and_only_so_many),
		CASE(a_long_answer_wants_a_proof),
		CASE(nobody_gets_more_than_three_times_what_it_sent),
		CASE(links_are_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
