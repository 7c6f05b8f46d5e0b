/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of stored responses: what is written is read, and what is hostile is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/stored.h"
#include "failing_alloc.h"
#include "holdfast/err.h"

static struct hf_field lines[] = {
	{ HF_SPAN("Content-Type"), HF_SPAN("text/html") },
	{ HF_SPAN("Date"), HF_SPAN("Thu, 01 Jan 1970 00:00:00 GMT") },
	{ HF_SPAN("X-Empty"), HF_SPAN("") },
};
static const struct hf_fields fields = { .v = lines, .n = 3, .cap = 3 };

static void encode(struct hf_buf *head)
{
	hf_buf_init(head, 65536);
	assert_int_equal(hf_stored_head_encode(203, HF_SPAN("accept:x\n"), &fields, head), 0);
}

/* The head in memory of its own, so that a byte past its end is noticed. */
static int decode(struct hf_span head, struct hf_stored **out)
{
	struct hf_shelf_entry row = { .id = 9,
				      .cache = 2,
				      .url = HF_SPAN("/a"),
				      .note = HF_SPAN("r1"),
				      .data = HF_SPAN("body"),
				      .has_data = true,
				      .body_len = 4 };
	char *copy = malloc(head.len + 1);
	int err;

	assert_non_null(copy);
	memmove(copy + 1, head.ptr, head.len);
	row.head = hf_span(copy + 1, head.len);
	err = hf_stored_decode(&row, out);
	free(copy);
	return err;
}

static void what_is_written_is_read(void **state)
{
	struct hf_stored *s, *copy;
	struct hf_buf head;

	(void)state;
	encode(&head);
	assert_int_equal(decode(hf_buf_span(&head), &s), 0);
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(s->entry.status, 203);
		assert_true(hf_span_eq_str(s->entry.variant, "accept:x\n"));
		assert_true(hf_span_eq_str(s->url, "/a") && hf_span_eq_str(s->note, "r1"));
		assert_true(hf_span_eq_str(s->data, "body"));
		assert_int_equal(s->fields.n, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_true(hf_span_eq(s->fields.v[i].name, lines[i].name));
			assert_true(hf_span_eq(s->fields.v[i].value, lines[i].value));
		}
		assert_int_equal(hf_stored_copy(s, NULL, &s->state, &copy), 0);
		hf_stored_unref(s);
		s = copy;
	}
	hf_stored_unref(s);
	hf_buf_finish(&head);
}

static void every_short_head_is_refused(void **state)
{
	struct hf_stored *s;
	struct hf_buf head;

	(void)state;
	encode(&head);
	for (size_t len = 0; len < head.len; len++)
		assert_int_equal(decode(hf_span(hf_buf_span(&head).ptr, len), &s), HF_ECORRUPT);
	assert_int_equal(hf_buf_append_str(&head, "x"), 0);
	assert_int_equal(decode(hf_buf_span(&head), &s), HF_ECORRUPT);
	hf_buf_finish(&head);
}

static bool is_within(struct hf_span part, const struct hf_stored *s)
{
	const char *from = (const char *)s;

	return part.ptr >= from && part.ptr + part.len <= from + s->bytes;
}

static void every_changed_byte_is_refused_or_harmless(void **state)
{
	unsigned refused = 0, taken = 0;
	struct hf_stored *s;
	struct hf_buf head;
	char *at;

	(void)state;
	encode(&head);
	at = (char *)(uintptr_t)hf_buf_span(&head).ptr;
	for (size_t i = 0; i < head.len; i++) {
		for (unsigned value = 0; value < 256; value++) {
			char was = at[i];
			int err;

			at[i] = (char)value;
			err = decode(hf_buf_span(&head), &s);
			at[i] = was;
			if (err) {
				assert_int_equal(err, HF_ECORRUPT);
				refused++;
				continue;
			}
			taken++;
			assert_true(s->entry.status >= 200 && s->entry.status <= 999);
			for (size_t k = 0; k < s->fields.n; k++) {
				assert_true(is_within(s->fields.v[k].name, s));
				assert_true(is_within(s->fields.v[k].value, s));
			}
			hf_stored_unref(s);
		}
	}
	assert_true(refused > 1000 && taken > 1000);
	hf_buf_finish(&head);
}

static void too_many_fields_are_not_written(void **state)
{
	struct hf_field *many = calloc(1001, sizeof(*many));
	struct hf_fields all = { .v = many, .n = 1001, .cap = 1001 };
	struct hf_stored *s;
	struct hf_buf head;

	(void)state;
	assert_non_null(many);
	hf_buf_init(&head, 65536);
	assert_int_equal(hf_stored_head_encode(200, HF_SPAN(""), &all, &head), HF_ETOOBIG);
	hf_buf_clear(&head);
	all.n = 1000;
	assert_int_equal(hf_stored_head_encode(200, HF_SPAN(""), &all, &head), 0);
	assert_int_equal(decode(hf_buf_span(&head), &s), 0);
	assert_int_equal(s->fields.n, 1000);
	hf_stored_unref(s);
	hf_buf_finish(&head);
	free(many);
}

static void a_date_that_was_renewed_is_the_time_it_came(void **state)
{
	struct hf_shelf_entry row = { .id = 9,
				      .cache = 2,
				      .url = HF_SPAN("/a"),
				      .note = HF_SPAN(""),
				      .state = { .flags = HF_STORED_DATED | HF_STORED_INVALIDATED,
						 .response_wall_ms = INT64_C(784111777000) } };
	struct hf_stored *s;
	struct hf_buf head;

	(void)state;
	encode(&head);
	row.head = hf_buf_span(&head);
	assert_int_equal(hf_stored_decode(&row, &s), 0);
	assert_true(hf_span_eq_str(*hf_fields_get(&s->fields, "date"),
				   "Sun, 06 Nov 1994 08:49:37 GMT"));
	assert_true(s->entry.invalidated);
	hf_stored_unref(s);
	hf_buf_finish(&head);
}

static void without_memory_there_is_none(void **state)
{
	struct hf_stored *s, *copy;
	struct hf_shelf_entry row = {
		.id = 9, .cache = 2, .url = HF_SPAN("/a"), .note = HF_SPAN("")
	};
	struct hf_buf head;

	(void)state;
	encode(&head);
	row.head = hf_buf_span(&head);
	alloc_countdown = 0;
	assert_int_equal(hf_stored_decode(&row, &s), HF_ENOMEM);
	assert_int_equal(hf_stored_decode(&row, &s), 0);
	alloc_countdown = 0;
	assert_int_equal(hf_stored_copy(s, NULL, &s->state, &copy), HF_ENOMEM);
	alloc_countdown = -1;
	hf_stored_unref(s);
	hf_stored_unref(NULL);
	hf_buf_finish(&head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(every_short_head_is_refused),
		cmocka_unit_test(every_changed_byte_is_refused_or_harmless),
		cmocka_unit_test(too_many_fields_are_not_written),
		cmocka_unit_test(a_date_that_was_renewed_is_the_time_it_came),
		cmocka_unit_test(without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
