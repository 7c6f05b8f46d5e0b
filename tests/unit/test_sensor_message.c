/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as bytes, what was seen, and the file of devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "sensor/datagram.h"
#include "sensor/device.h"
#include "sensor/seen.h"

static struct hf_coap_message m;

static int parse(const char *bytes, size_t len)
{
	return hf_coap_message_parse(hf_span(bytes, len), &m);
}

static void a_message_is_read(void **state)
{
	/* RFC 7252 appendix A, figure 16: a GET of /temperature, mid 0x7d34 */
	static const char get[] = "\x40\x01\x7d\x34\xbbtemperature";
	static const char content[] = "\x61\x45\x7d\x34\x20\xff"
				      "22.3 C";

	(void)state;
	assert_int_equal(parse(get, sizeof(get) - 1), 0);
	assert_int_equal(m.type, HF_COAP_CON);
	assert_int_equal(m.mid, 0x7d34);
	assert_int_equal(m.head.n, 1);
	assert_int_equal(m.head.options[0].number, HF_COAP_URI_PATH);
	assert_true(hf_span_eq_str(m.head.options[0].value, "temperature"));
	assert_int_equal(parse(content, sizeof(content) - 1), 0);
	assert_int_equal(m.type, HF_COAP_ACK);
	assert_int_equal(m.token_len, 1);
	assert_true(hf_span_eq_str(m.payload, "22.3 C"));
}

static void what_is_malformed_is_told_from_what_is_not_coap(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int err;
	} cases[] = {
		{ "\x40\x01\x00", 3, HF_EINVAL },
		{ "\x80\x01\x00\x01", 4, HF_EINVAL },
		{ "\x49\x01\x00\x01"
		  "123456789",
		  13, HF_EPROTO },			      /* a token of 9 */
		{ "\x42\x01\x00\x01z", 5, HF_EPROTO },	      /* cut in the token */
		{ "\x40\x01\x00\x01\xff", 5, HF_EPROTO },     /* a marker alone */
		{ "\x40\x01\x00\x01\xb5path", 9, HF_EPROTO }, /* cut in a value */
		{ "\x40\x01\x00\x01\xd0", 5, HF_EPROTO },     /* cut in a delta */
		{ "\x40\x01\x00\x01\xe0\x01", 6, HF_EPROTO },
		{ "\x40\x01\x00\x01\xf0\x01", 6, HF_EPROTO }, /* 15 is reserved */
		{ "\x40\x01\x00\x01\x0f\x01", 6, HF_EPROTO },
		{ "\x40\x01\x00\x01\xe0\xff\xff", 7, HF_EPROTO }, /* past 65535 */
		{ "\x41\x00\x00\x01t", 5, HF_EPROTO },		  /* empty, and a token */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *copy = malloc(cases[i].len);
		int err;

		assert_non_null(copy);
		memcpy(copy, cases[i].bytes, cases[i].len);
		err = parse(copy, cases[i].len);
		free(copy);
		if (err != cases[i].err)
			fail_msg("case %zu: %d", i, err);
	}
}

static void a_message_is_written_as_it_is_read(void **state)
{
	static char value[300];
	struct hf_coap_message in = { .type = HF_COAP_NON,
				      .mid = 513,
				      .token_len = 8,
				      .head = { .code = HF_COAP_CODE(2, 5) } };
	char bytes[512];
	size_t len;

	(void)state;
	memcpy(in.token, "12345678", 8);
	memset(value, 'v', sizeof(value));
	assert_int_equal(hf_coap_option_add(&in.head, 12, hf_span(value, 13)), 0);
	assert_int_equal(hf_coap_option_add(&in.head, 25, hf_span(value, 269)), 0);
	assert_int_equal(hf_coap_option_add(&in.head, 65000, hf_span(value, 0)), 0);
	in.payload = HF_SPAN("payload");
	len = hf_coap_message_format(&in, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(parse(bytes, len), 0);
	assert_int_equal(m.head.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(m.head.options[i].number, in.head.options[i].number);
		assert_true(hf_span_eq(m.head.options[i].value, in.head.options[i].value));
	}
	assert_true(hf_span_eq(m.payload, in.payload));
	for (size_t size = 0; size < len; size++)
		assert_int_equal(hf_coap_message_format(&in, bytes, size), 0);
}

/* ---- what was seen ---- */

static void what_was_seen_is_known_for_its_time(void **state)
{
	struct hf_seen_entry *e;
	struct hf_seen s;

	(void)state;
	hf_seen_init(&s, 100000);
	assert_null(hf_seen_find(&s, 1, 0));
	for (uint64_t i = 0; i < 5000; i++) {
		e = hf_seen_add(&s, i * i + 7, 1000 * (i / 50));
		assert_non_null(e);
		e->code = i & 255;
	}
	for (uint64_t i = 0; i < 5000; i++) {
		e = hf_seen_find(&s, i * i + 7, 100000);
		assert_non_null(e);
		assert_int_equal(e->code, i & 255);
	}
	hf_seen_forget(&s, 4 * 4 + 7, 100000);
	assert_null(hf_seen_find(&s, 4 * 4 + 7, 100000));
	/* the first fifty are 247 s old */
	assert_non_null(hf_seen_find(&s, 7, 247000));
	assert_null(hf_seen_find(&s, 7, 248000));
	assert_non_null(hf_seen_find(&s, 50 * 50 + 7, 248000));
	assert_null(hf_seen_find(&s, 4999 * 4999 + 7, 1000000));
	assert_null(s.chunks); /* the memory is given back */
	hf_seen_finish(&s);
}

static void past_the_ceiling_the_oldest_gives_way(void **state)
{
	struct hf_seen s;

	(void)state;
	hf_seen_init(&s, 100);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_non_null(hf_seen_add(&s, i, 5));
		assert_true(s.n <= 100);
		if (i >= 100)
			assert_null(hf_seen_find(&s, i - 100, 5));
		assert_non_null(hf_seen_find(&s, i > 98 ? i - 99 : 0, 5));
	}
	hf_seen_finish(&s);
}

/* The ring goes round, and holds no more than what is in use. */
static void memory_follows_use(void **state)
{
	struct hf_seen s;
	unsigned chunks;

	(void)state;
	hf_seen_init(&s, 10000);
	for (uint64_t i = 0; i < 100000; i++) {
		assert_non_null(hf_seen_add(&s, i * 3, i * 100)); /* ten a second */
		if (i >= 2000)
			assert_non_null(hf_seen_find(&s, (i - 2000) * 3, i * 100));
		if (i >= 2600)
			assert_null(hf_seen_find(&s, (i - 2600) * 3, i * 100));
	}
	chunks = 0;
	for (unsigned i = 0; i < 10; i++)
		chunks += s.chunks[i] != NULL;
	assert_true(chunks <= 4);
	hf_seen_finish(&s);
}

/* The clock counts further than an entry's field does. */
static void the_time_wraps(void **state)
{
	uint64_t at = (UINT64_C(1) << 23) * 1000 - 1000;
	struct hf_seen s;

	(void)state;
	hf_seen_init(&s, 100);
	hf_seen_add(&s, 1, at);
	assert_non_null(hf_seen_find(&s, 1, at + 200000));
	assert_null(hf_seen_find(&s, 1, at + 300000));
	hf_seen_finish(&s);
}

/* ---- devices ---- */

static struct hf_arena arena;
static struct hf_devices devices;
static char faults[256];

static int read_devices(const char *text)
{
	hf_arena_finish(&arena);
	hf_arena_init(&arena, 1 << 20);
	return hf_devices_parse(hf_span_str(text), &arena, &devices.v, &devices.n, faults);
}

static bool may(const char *name, const char *method, const char *path)
{
	return hf_devices_may(&devices, hf_span_str(name), hf_span_str(method), hf_span_str(path));
}

static void devices_have_keys_and_rules(void **state)
{
	const struct hf_device *d;

	(void)state;
	assert_int_equal(read_devices("# a line\n\n"
				      "pump-3 hex:00ff10 POST:/readings PUT:/state/*/x\r\n"
				      "lamp\tword"),
			 0);
	assert_int_equal(devices.n, 2);
	d = hf_devices_find(&devices, HF_SPAN("pump-3"));
	assert_non_null(d);
	assert_int_equal(d->key_len, 3);
	assert_memory_equal(d->key, "\x00\xff\x10", 3);
	assert_true(may("pump-3", "POST", "/readings"));
	assert_false(may("pump-3", "PUT", "/readings"));
	assert_false(may("pump-3", "POST", "/readings/1"));
	assert_true(may("pump-3", "PUT", "/state/a/b/x"));
	assert_false(may("pump-3", "PUT", "/state/a/b/y"));
	assert_true(may("lamp", "DELETE", "/anything"));
	assert_false(may("other", "POST", "/readings"));
	assert_true(may("", "POST", "/readings")); /* no line is about those without a key */
	assert_int_equal(read_devices("- - /a*"), 0);
	assert_true(may("", "POST", "/abc"));
	assert_false(may("", "POST", "/b"));
	assert_null(hf_devices_find(&devices, HF_SPAN("")));
}

static void faults_are_told_with_their_line(void **state)
{
	static const char *const bad[] = {
		"\n\nname",
		"\n\nna/me key",
		"\n\nname hex:0",
		"\n\nname hex:zz",
		"\n\nname hex:",
		"a b\na c\n",
		"\n\n- key",
		"\n\nname key readings",
		"\n\nname key GET:/a",
		"\n\nname key POST:a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_devices(bad[i]) != HF_ECONFIG || (faults[0] != '3' && faults[0] != '2'))
			fail_msg("%s: \"%s\"", bad[i], faults);
	}
}

static int tear_down(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_read),
		cmocka_unit_test(what_is_malformed_is_told_from_what_is_not_coap),
		cmocka_unit_test(a_message_is_written_as_it_is_read),
		cmocka_unit_test(what_was_seen_is_known_for_its_time),
		cmocka_unit_test(past_the_ceiling_the_oldest_gives_way),
		cmocka_unit_test(memory_follows_use),
		cmocka_unit_test(the_time_wraps),
		cmocka_unit_test(devices_have_keys_and_rules),
		cmocka_unit_test(faults_are_told_with_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
