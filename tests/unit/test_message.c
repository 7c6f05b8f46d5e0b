/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "holdfast/err.h"
#include "http/message.h"

static struct hf_arena arena;

static void begin(struct hf_fields *f)
{
	hf_arena_init(&arena, SIZE_MAX);
	hf_fields_init(f, &arena);
}

static void add(struct hf_fields *f, const char *name, const char *value)
{
	assert_int_equal(hf_fields_add(f, hf_span_str(name), hf_span_str(value)), 0);
}

static void assert_names(const struct hf_fields *f, const char *names)
{
	struct hf_span rest = hf_span_str(names);
	size_t i;

	for (i = 0; i < f->n; i++)
		assert_true(hf_span_eq(f->v[i].name, hf_span_cut(&rest, ' ')));
	assert_int_equal(rest.len, 0);
}

static void finds_fields_in_any_case(void **state)
{
	struct hf_fields f;

	(void)state;
	begin(&f);
	add(&f, "Accept", "a");
	add(&f, "X", "1");
	add(&f, "x", "2");
	assert_true(hf_span_eq_str(*hf_fields_get(&f, "X"), "1"));
	assert_int_equal(hf_fields_count(&f, "X"), 2);
	assert_null(hf_fields_get(&f, "Y"));
	assert_int_equal(hf_fields_count(&f, "Y"), 0);
	hf_arena_finish(&arena);
}

static void sets_one_in_place_of_all(void **state)
{
	struct hf_fields f;

	(void)state;
	begin(&f);
	add(&f, "X", "1");
	add(&f, "Y", "2");
	add(&f, "x", "3");
	assert_int_equal(hf_fields_set(&f, HF_SPAN("X"), HF_SPAN("4")), 0);
	assert_names(&f, "Y X");
	assert_int_equal(hf_fields_remove(&f, "y"), 1);
	assert_int_equal(hf_fields_remove(&f, "y"), 0);
	assert_names(&f, "X");
	hf_arena_finish(&arena);
}

static void grows_and_keeps_the_order(void **state)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyz";
	struct hf_fields f;
	size_t i;

	(void)state;
	begin(&f);
	for (i = 0; i < 26; i++)
		assert_int_equal(hf_fields_add(&f, hf_span(names + i, 1), HF_SPAN("")), 0);
	assert_int_equal(f.n, 26);
	for (i = 0; i < 26; i++)
		assert_int_equal(f.v[i].name.ptr[0], names[i]);
	hf_arena_finish(&arena);
}

static void copies_are_independent(void **state)
{
	char name[] = "X", value[] = "1";
	struct hf_fields f, copy;

	(void)state;
	begin(&f);
	add(&f, name, value);
	assert_int_equal(hf_fields_copy(&copy, &f, &arena), 0);
	name[0] = value[0] = '?';
	assert_names(&copy, "X");
	assert_true(hf_span_eq_str(copy.v[0].value, "1"));
	add(&copy, "Y", "2");
	assert_names(&copy, "X Y");
	hf_arena_finish(&arena);
}

static void reports_a_full_arena(void **state)
{
	struct hf_arena small;
	struct hf_fields f, copy;

	(void)state;
	begin(&f);
	add(&f, "X", "1");
	hf_arena_init(&small, 16);
	assert_int_equal(hf_fields_copy(&copy, &f, &small), HF_ENOMEM);
	hf_fields_init(&copy, &small);
	assert_int_equal(hf_fields_add(&copy, HF_SPAN("X"), HF_SPAN("1")), HF_ENOMEM);
	assert_int_equal(copy.n, 0);
	hf_arena_finish(&small);
	hf_arena_finish(&arena);
}

static void finds_tokens_over_all_lines_without_parameters(void **state)
{
	struct hf_fields f;

	(void)state;
	begin(&f);
	add(&f, "Connection", " ,keep-alive ,, Foo;q=1");
	add(&f, "connection", "CLOSE");
	add(&f, "X", "\"a, close\", b");
	assert_true(hf_fields_has_token(&f, "Connection", "keep-alive"));
	assert_true(hf_fields_has_token(&f, "Connection", "foo"));
	assert_true(hf_fields_has_token(&f, "Connection", "close"));
	assert_false(hf_fields_has_token(&f, "Connection", "keep"));
	assert_false(hf_fields_has_token(&f, "Connection", ""));
	assert_false(hf_fields_has_token(&f, "X", "close"));
	assert_true(hf_fields_has_token(&f, "X", "b"));
	hf_arena_finish(&arena);
}

static void cuts_lists_at_commas_outside_of_quotes(void **state)
{
	struct hf_span rest = HF_SPAN(" a , \"b,\\\",c\" ,,d"), member;

	(void)state;
	assert_true(hf_list_next(&rest, &member));
	assert_true(hf_span_eq_str(member, "a"));
	assert_true(hf_list_next(&rest, &member));
	assert_true(hf_span_eq_str(member, "\"b,\\\",c\""));
	assert_true(hf_list_next(&rest, &member));
	assert_true(hf_span_eq_str(member, "d"));
	assert_false(hf_list_next(&rest, &member));
	rest = HF_SPAN("\"open, \\");
	assert_true(hf_list_next(&rest, &member));
	assert_false(hf_list_next(&rest, &member));
}

static void strips_what_belongs_to_one_hop(void **state)
{
	struct hf_fields f;

	(void)state;
	begin(&f);
	add(&f, "Host", "a");
	add(&f, "Connection", "close, X-Hop");
	add(&f, "Keep-Alive", "1");
	add(&f, "X-HOP", "1");
	add(&f, "Proxy-Connection", "1");
	add(&f, "TE", "trailers");
	add(&f, "Trailer", "X");
	add(&f, "Transfer-Encoding", "chunked");
	add(&f, "Upgrade", "w");
	add(&f, "Proxy-Authorization", "1");
	add(&f, "x-hop", "2");
	add(&f, "Accept", "a");
	add(&f, "connection", "y");
	add(&f, "Y", "1");
	hf_fields_strip_hop(&f);
	assert_names(&f, "Host Trailer Accept");
	hf_arena_finish(&arena);
}

static void keeps_fields_that_connection_may_not_name(void **state)
{
	struct hf_fields f;

	(void)state;
	begin(&f);
	add(&f, "Connection",
	    "Host, Content-Length, Cache-Control, Authorization, Cookie, Idempotency-Key");
	add(&f, "Host", "a");
	add(&f, "Content-Length", "0");
	add(&f, "Cache-Control", "no-store");
	add(&f, "Authorization", "x");
	add(&f, "Cookie", "y");
	add(&f, "Idempotency-Key", "z");
	hf_fields_strip_hop(&f);
	assert_int_equal(f.n, 6);
	hf_arena_finish(&arena);
}

static void knows_safe_and_idempotent_methods(void **state)
{
	(void)state;
	assert_true(hf_method_is_safe(HF_SPAN("GET")));
	assert_true(hf_method_is_safe(HF_SPAN("REPORT")));
	assert_false(hf_method_is_safe(HF_SPAN("get")));
	assert_false(hf_method_is_safe(HF_SPAN("PUT")));
	assert_true(hf_method_is_idempotent(HF_SPAN("GET")));
	assert_true(hf_method_is_idempotent(HF_SPAN("PUT")));
	assert_true(hf_method_is_idempotent(HF_SPAN("DELETE")));
	assert_false(hf_method_is_idempotent(HF_SPAN("POST")));
	assert_false(hf_method_is_idempotent(HF_SPAN("PATCH")));
	assert_false(hf_method_is_idempotent(HF_SPAN("CONNECT")));
	assert_false(hf_method_is_idempotent(HF_SPAN("LOCK")));
	assert_false(hf_method_is_idempotent(HF_SPAN("FOO")));
}

static void knows_token_characters(void **state)
{
	static const char tchars[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		char byte = (char)c;
		bool expected = c && strchr(tchars, c);

		assert_int_equal(hf_is_token(hf_span(&byte, 1)), expected);
	}
	assert_false(hf_is_token(HF_SPAN("")));
}

static void knows_field_value_characters(void **state)
{
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		char byte = (char)c;
		bool expected = c == '\t' || (c >= ' ' && c != 0x7f);

		assert_int_equal(hf_is_field_value(hf_span(&byte, 1)), expected);
	}
	assert_true(hf_is_field_value(HF_SPAN("")));
}

static void knows_reason_phrases(void **state)
{
	(void)state;
	assert_string_equal(hf_status_reason(200), "OK");
	assert_string_equal(hf_status_reason(507), "Insufficient Storage");
	assert_string_equal(hf_status_reason(299), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_fields_in_any_case),
		cmocka_unit_test(sets_one_in_place_of_all),
		cmocka_unit_test(grows_and_keeps_the_order),
		cmocka_unit_test(copies_are_independent),
		cmocka_unit_test(reports_a_full_arena),
		cmocka_unit_test(finds_tokens_over_all_lines_without_parameters),
		cmocka_unit_test(cuts_lists_at_commas_outside_of_quotes),
		cmocka_unit_test(strips_what_belongs_to_one_hop),
		cmocka_unit_test(keeps_fields_that_connection_may_not_name),
		cmocka_unit_test(knows_safe_and_idempotent_methods),
		cmocka_unit_test(knows_token_characters),
		cmocka_unit_test(knows_field_value_characters),
		cmocka_unit_test(knows_reason_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
