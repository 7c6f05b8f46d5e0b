/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.1 reader itself: what it leaves, where it pauses, what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "fuzz/h1_transcript.h"
#include "holdfast/err.h"
#include "http/h1_reader.h"

#define HEAD_MAX   4096
#define FIELDS_MAX 50
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

static const struct hf_h1_limits limits = { HEAD_MAX, FIELDS_MAX };

struct fixture {
	struct hf_arena arena;
	struct hf_h1_reader *reader;
	unsigned heads, bodies, completes;
	bool pause;
	int fail;
};

static int count_head(void *user, struct hf_message *msg)
{
	struct fixture *f = user;

	(void)msg;
	f->heads++;
	if (f->pause)
		hf_h1_reader_pause(f->reader);
	return f->fail;
}

static int count_body(void *user, struct hf_span data)
{
	struct fixture *f = user;

	(void)data;
	f->bodies++;
	if (f->pause)
		hf_h1_reader_pause(f->reader);
	return 0;
}

static int count_complete(void *user, const struct hf_fields *trailers)
{
	struct fixture *f = user;

	(void)trailers;
	f->completes++;
	return 0;
}

static const struct hf_h1_events counting = {
	.on_head = count_head,
	.on_body = count_body,
	.on_complete = count_complete,
};

static void begin(struct fixture *f, enum hf_h1_kind kind)
{
	*f = (struct fixture){ .heads = 0 };
	hf_arena_init(&f->arena, SIZE_MAX);
	assert_int_equal(hf_h1_reader_create(kind, &limits, &counting, f, &f->reader), 0);
	hf_h1_reader_next(f->reader, &f->arena);
}

static void end(struct fixture *f)
{
	hf_h1_reader_destroy(f->reader);
	hf_arena_finish(&f->arena);
}

static ptrdiff_t feed(struct fixture *f, const char *bytes)
{
	return hf_h1_reader_feed(f->reader, hf_span_str(bytes));
}

static void leaves_the_bytes_behind_an_upgrade(void **state)
{
	static const char head[] = "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n";
	struct fixture f;
	char bytes[128];

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	snprintf(bytes, sizeof(bytes), "%sother", head);
	assert_int_equal(feed(&f, bytes), sizeof(head) - 1);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void uses_no_bytes_after_the_message(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"), 27);
	assert_int_equal(feed(&f, "GET"), 0);
	hf_h1_reader_next(f.reader, &f.arena);
	assert_int_equal(feed(&f, "GET"), 3);
	end(&f);
}

static void pauses_behind_the_head_to_the_byte(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
	struct fixture f;
	char bytes[128];

	(void)state;
	begin(&f, HF_H1_REQUEST);
	f.pause = true;
	snprintf(bytes, sizeof(bytes), "%sabc", head);
	assert_int_equal(feed(&f, bytes), sizeof(head) - 1);
	assert_int_equal(f.bodies, 0);
	assert_int_equal(feed(&f, "ab"), 2);
	assert_int_equal(f.bodies, 1);
	assert_int_equal(feed(&f, "c"), 1);
	assert_int_equal(f.completes, 0);
	assert_int_equal(feed(&f, ""), 0);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void pauses_behind_each_chunk(void **state)
{
	static const char head[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, head), sizeof(head) - 1);
	f.pause = true;
	assert_int_equal(feed(&f, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), 4);
	assert_int_equal(feed(&f, "\r\n1\r\nb\r\n0\r\n\r\n"), 6);
	assert_int_equal(feed(&f, "\r\n0\r\n\r\n"), 7);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void ends_a_paused_message_at_the_end_of_the_stream(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	f.pause = true;
	assert_int_equal(feed(&f, "HTTP/1.1 204 N\r\n\r\n"), 18);
	assert_int_equal(f.completes, 0);
	assert_int_equal(hf_h1_reader_eof(f.reader), 0);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void stops_with_the_error_of_an_event(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	f.fail = HF_EPERM;
	assert_int_equal(feed(&f, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HF_EPERM);
	assert_int_equal(feed(&f, "GET"), HF_EPERM);
	assert_int_equal(f.heads, 1);
	end(&f);
}

static void is_idle_until_the_first_byte_of_a_message(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_true(hf_h1_reader_idle(f.reader));
	assert_int_equal(feed(&f, "\r\n"), 2);
	assert_true(hf_h1_reader_idle(f.reader));
	assert_int_equal(feed(&f, "G"), 1);
	assert_false(hf_h1_reader_idle(f.reader));
	end(&f);
}

static void tells_a_clean_end_from_a_cut_message(void **state)
{
	static const char *const cut[] = {
		"\r",
		"G",
		"GET / HTTP/1.1\r\nHost: a\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	};
	struct fixture f;
	size_t i;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(hf_h1_reader_eof(f.reader), 0);
	end(&f);
	for (i = 0; i < COUNT(cut); i++) {
		begin(&f, HF_H1_REQUEST);
		assert_int_equal(feed(&f, cut[i]), strlen(cut[i]));
		assert_int_equal(hf_h1_reader_eof(f.reader), HF_EEOF);
		end(&f);
	}
}

static ptrdiff_t feed_head_of(struct fixture *f, size_t bytes, size_t fields)
{
	struct hf_buf head;
	ptrdiff_t n;
	size_t i;

	hf_buf_init(&head, SIZE_MAX);
	hf_buf_append_str(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (i = 2; i < fields; i++)
		hf_buf_append_str(&head, "X:\r\n");
	hf_buf_append_str(&head, "Y:");
	while (head.len < bytes - 4)
		hf_buf_append_str(&head, "y");
	hf_buf_append_str(&head, "\r\n\r\n");
	n = hf_h1_reader_feed(f->reader, hf_buf_span(&head));
	hf_buf_finish(&head);
	return n;
}

static void takes_a_head_of_exactly_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, HEAD_MAX, 2), HEAD_MAX);
	end(&f);
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, HEAD_MAX + 1, 2), HF_ETOOBIG);
	assert_int_equal(hf_h1_reader_error_status(f.reader), 431);
	end(&f);
}

static void takes_exactly_as_many_fields_as_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, 1000, FIELDS_MAX), 1000);
	end(&f);
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed_head_of(&f, 1000, FIELDS_MAX + 1), HF_ETOOBIG);
	assert_string_equal(hf_h1_reader_error(f.reader), "too many fields");
	end(&f);
}

static void takes_a_chunk_of_the_largest_size(void **state)
{
	static const char bytes[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"7fffffffffffffff\r\nabc";
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, bytes), sizeof(bytes) - 1);
	assert_int_equal(f.bodies, 1);
	end(&f);
}

static void reports_a_full_arena_at_any_size(void **state)
{
	static const char bytes[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\nX: y\r\n\r\n";
	struct h1_transcript t;
	size_t max, failures = 0;
	int err = HF_ENOMEM;

	(void)state;
	for (max = 1; err; max++) {
		t = (struct h1_transcript){ .limits = limits, .arena_max = max };
		h1_transcript_run(&t, HF_SPAN(bytes));
		err = t.err;
		assert_true(err == 0 || err == HF_ENOMEM);
		failures += err != 0;
		h1_transcript_finish(&t);
	}
	assert_true(failures > 100);
}

/* The arena, the reader and what it keeps of a head that comes in pieces. */
static int read_with_failing_allocation(int n)
{
	static const char bytes[] =
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"1\r\na\r\n0\r\nX: y\r\n\r\n";
	struct fixture f = { .heads = 0 };
	size_t i;
	int err;

	hf_arena_init(&f.arena, SIZE_MAX);
	alloc_countdown = n;
	err = hf_h1_reader_create(HF_H1_REQUEST, &limits, &counting, &f, &f.reader);
	if (!err)
		hf_h1_reader_next(f.reader, &f.arena);
	for (i = 0; i < sizeof(bytes) - 1 && err >= 0; i++)
		err = (int)hf_h1_reader_feed(f.reader, hf_span(bytes + i, 1));
	alloc_countdown = -1;
	if (err >= 0)
		assert_int_equal(f.completes, 1);
	end(&f);
	return err;
}

static void reports_any_failing_allocation(void **state)
{
	int n, err = HF_ENOMEM;

	(void)state;
	for (n = 0; err < 0; n++) {
		err = read_with_failing_allocation(n);
		assert_true(err >= 0 || err == HF_ENOMEM);
	}
	assert_true(n >= 4);
}

static void stays_ended_after_a_complete_message(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	assert_int_equal(feed(&f, "HTTP/1.1 204 N\r\n\r\n"), 18);
	assert_int_equal(hf_h1_reader_eof(f.reader), 0);
	assert_int_equal(f.completes, 1);
	end(&f);
}

static void stays_failed_at_the_end_of_the_stream(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_RESPONSE);
	assert_int_equal(feed(&f, "X"), HF_EPROTO);
	assert_int_equal(hf_h1_reader_eof(f.reader), HF_EPROTO);
	end(&f);
}

static void takes_one_allocation_for_a_head(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, HF_H1_REQUEST);
	assert_int_equal(feed(&f, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"), 33);
	/* 6 fields of 32 bytes on 64 bit and the 33 bytes, padded */
	assert_true(f.arena.used <= 6 * sizeof(struct hf_field) + 33 + 15);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_the_bytes_behind_an_upgrade),
		cmocka_unit_test(uses_no_bytes_after_the_message),
		cmocka_unit_test(pauses_behind_the_head_to_the_byte),
		cmocka_unit_test(pauses_behind_each_chunk),
		cmocka_unit_test(ends_a_paused_message_at_the_end_of_the_stream),
		cmocka_unit_test(stops_with_the_error_of_an_event),
		cmocka_unit_test(is_idle_until_the_first_byte_of_a_message),
		cmocka_unit_test(tells_a_clean_end_from_a_cut_message),
		cmocka_unit_test(takes_a_head_of_exactly_the_limit),
		cmocka_unit_test(takes_exactly_as_many_fields_as_the_limit),
		cmocka_unit_test(takes_a_chunk_of_the_largest_size),
		cmocka_unit_test(reports_a_full_arena_at_any_size),
		cmocka_unit_test(reports_any_failing_allocation),
		cmocka_unit_test(stays_ended_after_a_complete_message),
		cmocka_unit_test(stays_failed_at_the_end_of_the_stream),
		cmocka_unit_test(takes_one_allocation_for_a_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
