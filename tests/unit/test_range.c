/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/range.h"
#include "lib/cache_rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *value;
	uint64_t length;
	enum hf_range_answer answer;
	size_t n;
	struct hf_range v[3];
};

static void each(const struct row *row)
{
	struct hf_ranges got;
	size_t i;

	if (hf_range_parse(hf_span_str(row->value), row->length, &got) != row->answer ||
	    got.n != row->n)
		fail_msg("%s", row->value);
	for (i = 0; i < row->n; i++)
		if (got.v[i].first != row->v[i].first || got.v[i].last != row->v[i].last)
			fail_msg("%s: range %zu", row->value, i);
}

static void reads_ranges(void **state)
{
	static const struct row rows[] = {
		{ "bytes=0-1", 10, HF_RANGE_PARTIAL, 1, { { 0, 1 } } },
		{ "Bytes=0-0", 10, HF_RANGE_PARTIAL, 1, { { 0, 0 } } },
		{ "bytes=3-", 10, HF_RANGE_PARTIAL, 1, { { 3, 9 } } },
		{ "bytes=9-99", 10, HF_RANGE_PARTIAL, 1, { { 9, 9 } } },
		{ "bytes=-3", 10, HF_RANGE_PARTIAL, 1, { { 7, 9 } } },
		{ "bytes=-99", 10, HF_RANGE_PARTIAL, 1, { { 0, 9 } } },
		{ "bytes=2-99999999999999999999999", 10, HF_RANGE_PARTIAL, 1, { { 2, 9 } } },
		{ "bytes=-99999999999999999999999", 10, HF_RANGE_PARTIAL, 1, { { 0, 9 } } },
		{ "bytes=5-6, 0-1 ,,-1", 10, HF_RANGE_PARTIAL, 3, { { 5, 6 }, { 0, 1 }, { 9, 9 } } },
		{ "bytes=0-1,20-30", 10, HF_RANGE_PARTIAL, 1, { { 0, 1 } } },
		{ "bytes=0-", UINT64_MAX, HF_RANGE_PARTIAL, 1, { { 0, UINT64_MAX - 1 } } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		each(&rows[i]);
}

static void tells_what_cannot_be_satisfied(void **state)
{
	static const struct row rows[] = {
		{ .value = "bytes=10-", .length = 10, .answer = HF_RANGE_UNSATISFIABLE },
		{ .value = "bytes=-0", .length = 10, .answer = HF_RANGE_UNSATISFIABLE },
		{ .value = "bytes=99999999999999999999-",
		  .length = 10,
		  .answer = HF_RANGE_UNSATISFIABLE },
		{ .value = "bytes=10-11, 20-", .length = 10, .answer = HF_RANGE_UNSATISFIABLE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		each(&rows[i]);
}

static void ignores_what_it_does_not_take(void **state)
{
	static const char *const values[] = {
		"",
		"bytes",
		"bytes=",
		"bytes=,",
		"items=0-1",
		"bytes=1",
		"bytes=a-b",
		"bytes=2-1",
		"bytes=-",
		"bytes=0-1;",
		"bytes=+1-2",
		"bytes=1--2",
		"bytes= 0-x",
		"bytes=0-1 2",
		"bytes=0-1,x",
		"bytes =0-1",
		"bytes=0-9,0-0", /* more than there is */
		"bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(values); i++)
		each(&(struct row){ .value = values[i],
				    .length = i + 1 == COUNT(values) ? 99 : 10 });
	each(&(struct row){ .value = "bytes=0-1", .length = 0 });
	each(&(struct row){ .value = "bytes=-1", .length = 0 });
}

static void decides(const char *ask, const char *answer, enum hf_range_answer expected)
{
	struct hf_fields request, response;
	struct hf_ranges ranges;
	struct hf_arena arena;

	hf_arena_init(&arena, 1 << 16);
	cache_rig_fields(&arena, ask, 1700000000, &request);
	cache_rig_fields(&arena, answer, 1700000000, &response);
	if (hf_range_decide(&request, &response, 10, &ranges) != expected)
		fail_msg("%s", ask);
	hf_arena_finish(&arena);
}

#define RANGE "Range: bytes=0-1\n"

static void if_range_must_hold(void **state)
{
	const char *dated = "Last-Modified: @-60\nDate: @0\nETag: \"a\"";

	(void)state;
	decides("X: 1", dated, HF_RANGE_WHOLE);
	decides(RANGE, dated, HF_RANGE_PARTIAL);
	decides(RANGE RANGE, dated, HF_RANGE_WHOLE);
	decides("Range: bytes=99-", dated, HF_RANGE_UNSATISFIABLE);
	decides(RANGE "If-Range: \"a\"", dated, HF_RANGE_PARTIAL);
	decides(RANGE "If-Range: \"b\"", dated, HF_RANGE_WHOLE);
	decides(RANGE "If-Range: W/\"a\"", "ETag: W/\"a\"", HF_RANGE_WHOLE);
	decides(RANGE "If-Range: \"a\", \"b\"", dated, HF_RANGE_WHOLE);
	decides(RANGE "If-Range: \"a\"\nIf-Range: \"a\"", dated, HF_RANGE_WHOLE);
	decides(RANGE "If-Range: @-60", dated, HF_RANGE_PARTIAL);
	decides(RANGE "If-Range: @-59", dated, HF_RANGE_WHOLE);
	decides(RANGE "If-Range: @-60", "Last-Modified: @-60", HF_RANGE_WHOLE);
	decides(RANGE "If-Range: @0", "Last-Modified: @0\nDate: @0", HF_RANGE_WHOLE);
	decides(RANGE "If-Range:", dated, HF_RANGE_WHOLE);
}

static void writes_content_range(void **state)
{
	char text[HF_CONTENT_RANGE_MAX];
	struct hf_range most = { UINT64_MAX - 1, UINT64_MAX };

	(void)state;
	assert_int_equal(hf_content_range_format(&(struct hf_range){ 0, 9 }, 100, text), 13);
	assert_string_equal(text, "bytes 0-9/100");
	assert_int_equal(hf_content_range_format(NULL, 100, text), 11);
	assert_string_equal(text, "bytes */100");
	assert_int_equal(hf_content_range_format(&most, UINT64_MAX, text), 68);
	assert_string_equal(text,
			    "bytes 18446744073709551614-18446744073709551615/18446744073709551615");
}

static void writes_parts(void **state)
{
	struct hf_range range = { 2, 3 };
	struct hf_arena arena;

	(void)state;
	hf_arena_init(&arena, 1 << 12);
	assert_string_equal(
		hf_byteranges_head(&arena, "b1", HF_SPAN("text/html"), &range, 10).ptr,
		"\r\n--b1\r\nContent-Type: text/html\r\nContent-Range: bytes 2-3/10\r\n\r\n");
	assert_string_equal(hf_byteranges_head(&arena, "b1", hf_span(NULL, 0), &range, 10).ptr,
			    "\r\n--b1\r\nContent-Range: bytes 2-3/10\r\n\r\n");
	assert_string_equal(hf_byteranges_end(&arena, "b1").ptr, "\r\n--b1--\r\n");
	assert_string_equal(hf_byteranges_type(&arena, "b1").ptr,
			    "multipart/byteranges; boundary=b1");
	hf_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ranges),
		cmocka_unit_test(tells_what_cannot_be_satisfied),
		cmocka_unit_test(ignores_what_it_does_not_take),
		cmocka_unit_test(if_range_must_hold),
		cmocka_unit_test(writes_content_range),
		cmocka_unit_test(writes_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
