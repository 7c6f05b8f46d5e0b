/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "http/h1_writer.h"

static struct hf_arena arena;
static struct hf_buf out;

static int setup(void **state)
{
	(void)state;
	hf_arena_init(&arena, SIZE_MAX);
	hf_buf_init(&out, SIZE_MAX);
	hf_buf_append_str(&out, "|");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	hf_buf_finish(&out);
	return 0;
}

static struct hf_message request(const char *method, const char *target)
{
	struct hf_message msg = {
		.method = hf_span_str(method),
		.target = hf_span_str(target),
		.minor = 1,
		.keep_alive = true,
	};

	hf_fields_init(&msg.fields, &arena);
	return msg;
}

static struct hf_message response(int status, enum hf_body_kind body, uint64_t len)
{
	struct hf_message msg = {
		.status = status,
		.reason = HF_SPAN("R"),
		.minor = 1,
		.keep_alive = true,
		.body = body,
		.body_len = len,
	};

	hf_fields_init(&msg.fields, &arena);
	return msg;
}

static void add(struct hf_message *msg, const char *name, const char *value)
{
	assert_int_equal(hf_fields_add(&msg->fields, hf_span_str(name), hf_span_str(value)), 0);
}

static void assert_request(const struct hf_message *msg, const char *text)
{
	assert_int_equal(hf_h1_write_request(&out, msg), 0);
	assert_string_equal(hf_buf_cstr(&out) + 1, text);
}

static void assert_response(const struct hf_message *msg, bool has_body_fields, const char *text)
{
	assert_int_equal(hf_h1_write_response(&out, msg, has_body_fields), 0);
	assert_string_equal(hf_buf_cstr(&out) + 1, text);
	hf_buf_truncate(&out, 1);
}

static void writes_a_request_with_its_fields(void **state)
{
	struct hf_message msg = request("GET", "/a?b");

	(void)state;
	add(&msg, "Host", "a");
	add(&msg, "X", "");
	assert_request(&msg, "GET /a?b HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n");
}

static void writes_framing_from_the_message_not_from_fields(void **state)
{
	struct hf_message msg = request("PUT", "/");

	(void)state;
	add(&msg, "content-length", "99");
	add(&msg, "Transfer-Encoding", "chunked");
	add(&msg, "CONNECTION", "x");
	add(&msg, "Host", "a");
	msg.body = HF_BODY_LENGTH;
	msg.body_len = UINT64_C(12345678901);
	msg.keep_alive = false;
	assert_request(&msg, "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
			     "Content-Length: 12345678901\r\n\r\n");
}

static void writes_a_chunked_request(void **state)
{
	struct hf_message msg = request("POST", "/");

	(void)state;
	msg.body = HF_BODY_CHUNKED;
	assert_request(&msg, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void says_that_a_post_is_empty(void **state)
{
	struct hf_message msg = request("POST", "/");

	(void)state;
	assert_request(&msg, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
}

static void writes_an_upgrade(void **state)
{
	struct hf_message msg = request("GET", "/");

	(void)state;
	add(&msg, "Upgrade", "websocket");
	add(&msg, "Connection", "Upgrade, X");
	msg.upgrade = true;
	assert_request(&msg, "GET / HTTP/1.1\r\nUpgrade: websocket\r\n"
			     "Connection: upgrade\r\n\r\n");
}

static void refuses_what_would_break_framing_and_appends_nothing(void **state)
{
	static const struct {
		struct hf_span method, target, name, value;
	} bad[] = {
		{ HF_SPAN("G T"), HF_SPAN("/"), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN(""), HF_SPAN("/"), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN("GET\r\n"), HF_SPAN("/"), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN(""), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/ HTTP/1.1\r\nX: y"), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/\0"), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/\xff"), HF_SPAN("X"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/"), HF_SPAN(""), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/"), HF_SPAN("X:"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/"), HF_SPAN("X\r\nY"), HF_SPAN("") },
		{ HF_SPAN("GET"), HF_SPAN("/"), HF_SPAN("X"), HF_SPAN("a\r\nY: b") },
		{ HF_SPAN("GET"), HF_SPAN("/"), HF_SPAN("X"), HF_SPAN("a\n") },
		{ HF_SPAN("GET"), HF_SPAN("/"), HF_SPAN("X"), HF_SPAN("a\0") },
	};
	struct hf_message msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		msg = request("", "");
		msg.method = bad[i].method;
		msg.target = bad[i].target;
		hf_fields_add(&msg.fields, bad[i].name, bad[i].value);
		assert_int_equal(hf_h1_write_request(&out, &msg), HF_EINVAL);
		assert_string_equal(hf_buf_cstr(&out), "|");
	}
	msg = response(200, HF_BODY_NONE, 0);
	msg.reason = HF_SPAN("a\r\nX: y");
	assert_int_equal(hf_h1_write_response(&out, &msg, true), HF_EINVAL);
	assert_string_equal(hf_buf_cstr(&out), "|");
}

static void refuses_a_request_until_the_stream_ends(void **state)
{
	struct hf_message msg = request("POST", "/");

	(void)state;
	msg.body = HF_BODY_CLOSE;
	assert_int_equal(hf_h1_write_request(&out, &msg), HF_EINVAL);
}

static void writes_each_kind_of_response_body(void **state)
{
	struct hf_message msg = response(200, HF_BODY_NONE, 0);

	(void)state;
	assert_response(&msg, true, "HTTP/1.1 200 R\r\nContent-Length: 0\r\n\r\n");
	msg = response(200, HF_BODY_LENGTH, 7);
	assert_response(&msg, true, "HTTP/1.1 200 R\r\nContent-Length: 7\r\n\r\n");
	msg = response(200, HF_BODY_CHUNKED, HF_LEN_UNKNOWN);
	assert_response(&msg, true, "HTTP/1.1 200 R\r\nTransfer-Encoding: chunked\r\n\r\n");
	msg = response(200, HF_BODY_CLOSE, HF_LEN_UNKNOWN);
	assert_response(&msg, true, "HTTP/1.1 200 R\r\nConnection: close\r\n\r\n");
}

static void writes_no_length_where_none_may_stand(void **state)
{
	struct hf_message msg = response(204, HF_BODY_NONE, 0);

	(void)state;
	assert_response(&msg, true, "HTTP/1.1 204 R\r\n\r\n");
	msg = response(304, HF_BODY_NONE, 0);
	assert_response(&msg, true, "HTTP/1.1 304 R\r\n\r\n");
	msg = response(103, HF_BODY_NONE, 0);
	msg.keep_alive = false;
	assert_response(&msg, true, "HTTP/1.1 103 R\r\n\r\n");
	msg = response(204, HF_BODY_LENGTH, 1);
	assert_int_equal(hf_h1_write_response(&out, &msg, true), HF_EINVAL);
}

static void passes_the_length_of_what_head_asked_for(void **state)
{
	struct hf_message msg = response(200, HF_BODY_NONE, 0);

	(void)state;
	add(&msg, "Content-Length", "17");
	add(&msg, "Transfer-Encoding", "chunked");
	assert_response(&msg, false, "HTTP/1.1 200 R\r\nContent-Length: 17\r\n\r\n");
}

static void writes_switching_protocols(void **state)
{
	struct hf_message msg = response(101, HF_BODY_NONE, 0);

	(void)state;
	add(&msg, "Upgrade", "w");
	msg.upgrade = true;
	assert_response(&msg, true, "HTTP/1.1 101 R\r\nUpgrade: w\r\nConnection: upgrade\r\n\r\n");
}

static void appends_nothing_at_any_ceiling(void **state)
{
	struct hf_message msg = request("POST", "/a");
	size_t max;
	int err = HF_ELIMIT;

	(void)state;
	add(&msg, "Host", "a");
	for (max = 1; err; max++) {
		out.max = max;
		err = hf_h1_write_request(&out, &msg);
		assert_true(err == 0 || (err == HF_ELIMIT && out.len == 1));
	}
	assert_true(max > 40);
}

static void writes_chunk_prefixes(void **state)
{
	char prefix[20];

	(void)state;
	assert_int_equal(hf_h1_chunk_prefix(1, prefix), 3);
	assert_memory_equal(prefix, "1\r\n", 3);
	assert_int_equal(hf_h1_chunk_prefix(0x1a0, prefix), 5);
	assert_memory_equal(prefix, "1a0\r\n", 5);
	assert_int_equal(hf_h1_chunk_prefix(UINT32_MAX, prefix), 10);
	assert_memory_equal(prefix, "ffffffff\r\n", 10);
}

static void ends_chunks_with_trailers_but_no_framing(void **state)
{
	struct hf_message msg = request("", "");

	(void)state;
	add(&msg, "X-Sum", "1");
	add(&msg, "Content-Length", "1");
	assert_int_equal(hf_h1_write_last_chunk(&out, NULL), 0);
	assert_int_equal(hf_h1_write_last_chunk(&out, &msg.fields), 0);
	assert_string_equal(hf_buf_cstr(&out), "|0\r\n\r\n0\r\nX-Sum: 1\r\n\r\n");
	add(&msg, "X", "\n");
	assert_int_equal(hf_h1_write_last_chunk(&out, &msg.fields), HF_EINVAL);
	assert_string_equal(hf_buf_cstr(&out), "|0\r\n\r\n0\r\nX-Sum: 1\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_a_request_with_its_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_framing_from_the_message_not_from_fields,
						setup, teardown),
		cmocka_unit_test_setup_teardown(writes_a_chunked_request, setup, teardown),
		cmocka_unit_test_setup_teardown(says_that_a_post_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_an_upgrade, setup, teardown),
		cmocka_unit_test_setup_teardown(
			refuses_what_would_break_framing_and_appends_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_request_until_the_stream_ends, setup,
						teardown),
		cmocka_unit_test_setup_teardown(writes_each_kind_of_response_body, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_no_length_where_none_may_stand, setup,
						teardown),
		cmocka_unit_test_setup_teardown(passes_the_length_of_what_head_asked_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(writes_switching_protocols, setup, teardown),
		cmocka_unit_test_setup_teardown(appends_nothing_at_any_ceiling, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_chunk_prefixes, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_chunks_with_trailers_but_no_framing, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
