/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP messages as CoAP ones and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coap/block.h"
#include "coap/map.h"
#include "holdfast/err.h"

static const struct hf_coap_key in_query = { .query = "key" };
static const struct hf_coap_key nowhere = { 0 };

static struct hf_arena arena;

static int set_up(void **state)
{
	(void)state;
	hf_arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	return 0;
}

/* "Name: value" lines. */
static struct hf_message request(const char *method, const char *target, const char *fields)
{
	struct hf_message m = { .method = hf_span_str(method), .target = hf_span_str(target) };
	struct hf_span rest = hf_span_str(fields);

	hf_fields_init(&m.fields, &arena);
	while (rest.len > 0) {
		struct hf_span value = hf_span_cut(&rest, '\n');
		struct hf_span name = hf_span_cut(&value, ':');

		assert_int_equal(hf_fields_add(&m.fields, name, hf_span_trim(value)), 0);
	}
	return m;
}

/* "11=a 15=b=c 12=0x32": text as it is, other bytes in hex. */
static const char *words(const struct hf_coap_head *head)
{
	static char out[1024];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < head->n; i++) {
		struct hf_span v = head->options[i].value;
		bool text = true;

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%u=", i ? " " : "",
				      head->options[i].number);
		for (size_t j = 0; j < v.len; j++)
			text = text && v.ptr[j] > ' ' && v.ptr[j] < 127;
		for (size_t j = 0; j < v.len; j++)
			n += (size_t)snprintf(out + n, sizeof(out) - n, text ? "%c" : "%02x",
					      (uint8_t)v.ptr[j]);
	}
	return out;
}

struct row {
	const char *method, *target, *fields;
	int refused;
	uint8_t code;
	const char *options;
};

static void check(const struct row *r, const struct hf_coap_key *key, bool body)
{
	struct hf_message m = request(r->method, r->target, r->fields);
	struct hf_coap_head head;

	m.body = body ? HF_BODY_LENGTH : HF_BODY_NONE;
	assert_int_equal(hf_coap_request_map(&m, NULL, key, &arena, &head), r->refused);
	if (r->refused)
		return;
	assert_int_equal(head.code, r->code);
	assert_string_equal(words(&head), r->options);
}

static void requests_without_a_body(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/", "", 0, 1, "" },
		{ "HEAD", "/a", "", 0, 1, "11=a 28=" },
		{ "DELETE", "/a/b", "", 0, 4, "11=a 11=b" },
		{ "GET", "/a/?x=1&y=%26z", "", 0, 1, "11=a 11= 15=x=1 15=y=&z" },
		{ "GET", "/a%2Fb/%zz?", "", 0, 1, "11=a/b 11=%zz 15=" },
		{ "GET", "/a", "Accept: application/json", 0, 1, "11=a 17=2" },
		{ "GET", "/a", "Accept: text/html, */*", 0, 1, "11=a" },
		{ "GET", "/a", "If-None-Match: \"1a2b\", W/\"41\", \"other\"", 0, 1,
		  "4=1a2b 4=A 11=a" },
		{ "GET", "/a", "If-None-Match: \"\"", 0, 1, "11=a" },
		{ "PUT", "/a", "If-None-Match: *", 0, 3, "5= 11=a" },
		{ "PUT", "/a", "If-None-Match: \"1a2b\"", 501, 0, NULL },
		{ "PUT", "/a", "If-Match: *", 0, 3, "1= 11=a" },
		{ "PUT", "/a", "If-Match: \"4142\"", 0, 3, "1=AB 11=a" },
		{ "PUT", "/a", "If-Match: \"none of it\"", 412, 0, NULL },
		{ "POST", "/a", "Idempotency-Key: \"k1\"", 0, 2, "11=a 15=key=k1" },
		{ "POST", "/a?b", "Idempotency-Key: k1", 0, 2, "11=a 15=b 15=key=k1" },
		{ "OPTIONS", "/a", "", 501, 0, NULL },
		{ "get", "/a", "", 501, 0, NULL },
		{ "GET", "a", "", 400, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], &in_query, false);
}

static void requests_with_a_body(void **state)
{
	static const struct row rows[] = {
		{ "POST", "/a", "Content-Type: application/json", 0, 2, "11=a 12=2" },
		{ "PATCH", "/a", "Content-Type: application/merge-patch+json; charset=UTF-8", 0, 6,
		  "11=a 12=4" },
		{ "QUERY", "/a", "Content-Type: application/json", 0, 5, "11=a 12=2" },
		{ "POST", "/a", "Content-Type: application/json\nContent-Encoding: deflate", 0, 2,
		  "11=a 12=+*" },
		{ "PUT", "/a", "Content-Type: text/plain", 0, 3, "11=a 12=" },
		{ "PUT", "/a", "", 0, 3, "11=a" },
		{ "POST", "/a", "Content-Type: application/x-www-form-urlencoded", 415, 0, NULL },
		{ "POST", "/a", "Content-Type: text/plain; charset=latin1", 415, 0, NULL },
		{ "POST", "/a", "Content-Encoding: gzip", 415, 0, NULL },
		{ "POST", "/a", "Idempotency-Key: k1", 0, 2, "11=a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], &nowhere, true);
}

static void a_key_in_an_option_and_the_origins_name(void **state)
{
	const struct hf_coap_key key = { .option = 65000 };
	struct hf_message m = request("POST", "/a", "Idempotency-Key: k1");
	struct hf_coap_head head;

	(void)state;
	assert_int_equal(hf_coap_request_map(&m, "shop.example", &key, &arena, &head), 0);
	assert_string_equal(words(&head), "3=shop.example 11=a 65000=k1");
}

static void what_is_too_long_is_refused(void **state)
{
	char target[HF_COAP_OPTIONS_MAX * 2 + 400];
	struct hf_coap_head head;
	struct hf_message m;

	(void)state;
	memset(target, 'a', sizeof(target));
	target[0] = '/';
	target[257] = '\0';
	m = request("GET", target, "");
	assert_int_equal(hf_coap_request_map(&m, NULL, &nowhere, &arena, &head), 414);
	target[256] = '\0'; /* 255 bytes */
	m = request("GET", target, "");
	assert_int_equal(hf_coap_request_map(&m, NULL, &nowhere, &arena, &head), 0);
	for (size_t i = 0; i <= HF_COAP_OPTIONS_MAX; i++)
		memcpy(target + 2 * i, "/a", 3);
	m = request("GET", target, "");
	assert_int_equal(hf_coap_request_map(&m, NULL, &nowhere, &arena, &head), 414);
}

/* ---- answers ---- */

static void statuses(void **state)
{
	static const struct {
		int class, detail;
		bool payload;
		int status;
	} rows[] = {
		{ 2, 1, true, 201 },   { 2, 1, false, 201 },  { 2, 2, true, 200 },
		{ 2, 2, false, 204 },  { 2, 3, false, 304 },  { 2, 4, true, 200 },
		{ 2, 4, false, 204 },  { 2, 5, false, 200 },  { 2, 5, true, 200 },
		{ 2, 31, false, 502 }, { 2, 9, true, 200 },   { 4, 0, true, 400 },
		{ 4, 1, false, 403 },  { 4, 2, false, 400 },  { 4, 3, false, 403 },
		{ 4, 4, false, 404 },  { 4, 5, false, 400 },  { 4, 6, false, 406 },
		{ 4, 8, false, 408 },  { 4, 9, false, 409 },  { 4, 12, false, 412 },
		{ 4, 13, false, 413 }, { 4, 15, false, 415 }, { 4, 22, false, 422 },
		{ 4, 29, false, 429 }, { 4, 30, false, 400 }, { 5, 0, false, 500 },
		{ 5, 1, false, 501 },  { 5, 2, false, 502 },  { 5, 3, false, 503 },
		{ 5, 4, false, 504 },  { 5, 5, false, 502 },  { 5, 8, false, 508 },
		{ 5, 30, false, 500 }, { 3, 1, false, 502 },  { 7, 1, false, 502 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(hf_coap_status(HF_COAP_CODE(rows[i].class, rows[i].detail),
						rows[i].payload),
				 rows[i].status);
}

static void has(const struct hf_message *m, const char *name, const char *value)
{
	const struct hf_span *found = hf_fields_get(&m->fields, name);

	if (!value) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	if (!hf_span_eq_str(*found, value))
		fail_msg("%s: %.*s, not %s", name, HF_SPAN_ARG(*found), value);
}

static struct hf_message answer(struct hf_coap_head *head, bool payload)
{
	struct hf_message m;

	assert_int_equal(hf_coap_answer_map(head, payload, &arena, &m), 0);
	return m;
}

static void what_a_representation_says(void **state)
{
	struct hf_coap_head head = { .code = HF_COAP_CODE(2, 5) };
	struct hf_message m = answer(&head, true);

	(void)state;
	has(&m, "Cache-Control", "max-age=60");
	has(&m, "Content-Type", "application/octet-stream");
	has(&m, "ETag", NULL);
	assert_int_equal(hf_coap_option_add(&head, HF_COAP_MAX_AGE, HF_SPAN("\x01\x02")), 0);
	assert_int_equal(hf_coap_option_add(&head, HF_COAP_CONTENT_FORMAT, HF_SPAN("\x32")), 0);
	assert_int_equal(hf_coap_option_add(&head, HF_COAP_ETAG, HF_SPAN("\x0a\xff")), 0);
	m = answer(&head, true);
	has(&m, "Cache-Control", "max-age=258");
	has(&m, "Content-Type", "application/json");
	has(&m, "ETag", "\"0aff\"");
	head.code = HF_COAP_CODE(2, 3);
	m = answer(&head, false);
	assert_int_equal(m.status, 304);
	has(&m, "Cache-Control", "max-age=258");
	has(&m, "Content-Type", NULL);
}

static void what_a_busy_origin_says(void **state)
{
	struct hf_coap_head head = { .code = HF_COAP_CODE(5, 3) };
	struct hf_message m = answer(&head, true);

	(void)state;
	has(&m, "Retry-After", "60");
	has(&m, "Content-Type", "text/plain;charset=utf-8");
	assert_int_equal(hf_coap_option_add(&head, HF_COAP_MAX_AGE, HF_SPAN("\x05")), 0);
	m = answer(&head, false);
	has(&m, "Retry-After", "5");
	has(&m, "Cache-Control", NULL);
	head.code = HF_COAP_CODE(4, 4);
	m = answer(&head, false);
	has(&m, "Retry-After", NULL);
	has(&m, "Cache-Control", "max-age=5");
}

static void where_it_was_made(void **state)
{
	struct hf_coap_head head = { .code = HF_COAP_CODE(2, 1) };
	struct hf_message m;

	(void)state;
	hf_coap_option_add(&head, HF_COAP_LOCATION_PATH, HF_SPAN("a b"));
	hf_coap_option_add(&head, HF_COAP_LOCATION_QUERY, HF_SPAN("x=1&2"));
	hf_coap_option_add(&head, HF_COAP_LOCATION_PATH, HF_SPAN("c/d"));
	hf_coap_option_add(&head, HF_COAP_LOCATION_QUERY, HF_SPAN("y"));
	m = answer(&head, false);
	has(&m, "Location", "/a%20b/c%2Fd?x=1%262&y");
	has(&m, "Cache-Control", NULL);
}

/* ---- values ---- */

static void formats_and_media_types(void **state)
{
	(void)state;
	assert_int_equal(hf_coap_format_of(HF_SPAN("Application/JSON"), HF_SPAN("")), 50);
	assert_int_equal(hf_coap_format_of(HF_SPAN("text/plain; charset=\"utf-8\""), HF_SPAN("")),
			 0);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/json;v=2"), HF_SPAN("")), -1);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/cose"), HF_SPAN("")), -1);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/json"), HF_SPAN("Deflate")), 11050);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/json"), HF_SPAN("br")), -1);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/cose; cose-type=\"cose-mac\""),
					   HF_SPAN("")),
			 97);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/coap-payload; cf=65001"),
					   HF_SPAN("")),
			 65001);
	assert_int_equal(
		hf_coap_format_of(HF_SPAN("application/coap-payload;cf=65536"), HF_SPAN("")), -1);
	assert_int_equal(hf_coap_format_of(HF_SPAN("application/coap-payload"), HF_SPAN("")), -1);
	assert_string_equal(hf_coap_media_type(60), "application/cbor");
	assert_string_equal(hf_coap_media_type(11060), "application/cbor");
	assert_string_equal(hf_coap_coding(11060), "deflate");
	assert_null(hf_coap_coding(60));
	assert_null(hf_coap_media_type(9999));
}

static void each_media_type_is_listed_once(void **state)
{
	struct hf_buf list;
	struct hf_span rest, one;
	size_t n = 0;

	(void)state;
	hf_buf_init(&list, 4096);
	assert_int_equal(hf_coap_formats_write(&list), 0);
	rest = hf_buf_span(&list);
	while (hf_list_next(&rest, &one)) {
		int format = hf_coap_format_of(one, HF_SPAN(""));

		assert_true(format >= 0);
		assert_true(hf_span_eq_str(one, hf_coap_media_type((uint32_t)format)));
		n++;
	}
	assert_true(n > 40);
	hf_buf_finish(&list);
	hf_buf_init(&list, 16);
	assert_int_equal(hf_coap_formats_write(&list), HF_ELIMIT);
	hf_buf_finish(&list);
}

static void blocks(void **state)
{
	static const struct hf_coap_block rows[] = {
		{ 0, false, 0 },   { 0, true, 6 },	 { 1, false, 2 },
		{ 1023, true, 6 }, { 1048575, true, 6 },
	};
	struct hf_coap_block back;
	char bytes[4];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(hf_coap_block_parse(hf_coap_block_format(&rows[i], bytes), &back));
		assert_int_equal(back.num, rows[i].num);
		assert_int_equal(back.more, rows[i].more);
		assert_int_equal(back.szx, rows[i].szx);
	}
	assert_false(hf_coap_block_parse(HF_SPAN("\x07"), &back));
	assert_false(hf_coap_block_parse(HF_SPAN("\x01\x00\x00\x00"), &back));
	assert_int_equal(hf_coap_block_fit(2000), 6);
	assert_int_equal(hf_coap_block_fit(1023), 5);
	assert_int_equal(hf_coap_block_fit(16), 0);
	assert_int_equal(hf_coap_block_fit(15), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_without_a_body),
		TEST(requests_with_a_body),
		TEST(a_key_in_an_option_and_the_origins_name),
		TEST(what_is_too_long_is_refused),
		TEST(statuses),
		TEST(what_a_representation_says),
		TEST(what_a_busy_origin_says),
		TEST(where_it_was_made),
		TEST(formats_and_media_types),
		TEST(each_media_type_is_listed_once),
		TEST(blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
