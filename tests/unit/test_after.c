/* SPDX-License-Identifier: Apache-2.0 */
/* Holdfast-After: the field, the values of an answer, and where they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "holdfast/err.h"
#include "queue/after.h"

#define ID "01M5P8ET75000040000000HQPZ"

static struct hf_arena arena;

static int setup(void **state)
{
	(void)state;
	hf_arena_init(&arena, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hf_arena_finish(&arena);
	return 0;
}

static int parse(const char *field, struct hf_after *out)
{
	const char *why = NULL;
	int err = hf_after_parse(hf_span_str(field), &arena, out, &why);

	if (err)
		assert_non_null(why);
	return err;
}

static void reads_the_field(void **state)
{
	struct hf_after a;

	(void)state;
	assert_int_equal(parse("\"" ID "\"", &a), 0);
	assert_true(hf_span_eq_str(a.id, ID));
	assert_int_equal(a.n, 0);
	assert_int_equal(parse(" \"" ID "\" ;order=\"/a\\\"b\";  place=Location; order=\"\" ", &a),
			 0);
	assert_int_equal(a.n, 2);
	assert_true(hf_span_eq_str(a.v[0].name, "order"));
	assert_true(hf_span_eq_str(a.v[0].from, ""));
	assert_false(a.v[0].is_field);
	assert_true(hf_span_eq_str(a.v[1].from, "Location"));
	assert_true(a.v[1].is_field);
}

static void refuses_other_fields(void **state)
{
	static const char *const bad[] = {
		"",
		"\"",
		"x",
		ID,
		"\"" ID,
		"\"x\"",
		"\"" ID "x\"",
		"\"" ID "\" x",
		"\"" ID "\";",
		"\"" ID "\";a",
		"\"" ID "\";a=",
		"\"" ID "\";a=1",
		"\"" ID "\";a=?1",
		"\"" ID "\";a=\"x\"",
		"\"" ID "\";a=\"/~\"",
		"\"" ID "\";a=\"/",
		"\"" ID "\";a=\"/\\n\"",
		"\"" ID "\";A=\"/\"",
		"\"" ID "\";1a=\"/\"",
		"\"" ID "\";*a=\"/\"",
		"\"" ID "\";a=\"/\x7f\"",
		"\"" ID "\";a=b c",
		"\"" ID "\";a=\"/\",\"" ID "\"",
		"(\"" ID "\")",
		"\"" ID "\";a=b\r",
	};
	struct hf_after a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], &a), HF_EINVAL);
}

static struct hf_after resolved(const char *field, const char *json)
{
	struct hf_answer_head answer = { .status = 201 };
	const char *why = NULL;
	struct hf_after a;

	assert_int_equal(parse(field, &a), 0);
	hf_fields_init(&answer.fields, &arena);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str(json), &arena, &why), 0);
	return a;
}

static void fills(const struct hf_after *a, enum hf_after_form form, const char *text,
		  const char *wanted)
{
	struct hf_buf out;

	hf_buf_init(&out, 1 << 16);
	assert_int_equal(hf_after_fill(a, form, hf_span_str(text), &out), 0);
	assert_string_equal(hf_buf_cstr(&out), wanted);
	hf_buf_finish(&out);
}

static void fills_in_as_the_place_asks(void **state)
{
	struct hf_after a = resolved("\"" ID "\";n=\"/n\";s=\"/s\"",
				     "{\"n\":4711,\"s\":\"a \\\"b\\\"/\\u00e9\"}");

	(void)state;
	fills(&a, HF_AFTER_URL, "/o/{holdfast:n}/l?x={holdfast:s}",
	      "/o/4711/l?x=a%20%22b%22%2F%C3%A9");
	fills(&a, HF_AFTER_URL, "/%7Bholdfast:n%7d/%7bholdfast%3As%7D",
	      "/4711/a%20%22b%22%2F%C3%A9");
	fills(&a, HF_AFTER_URL, "/{holdfast:x}/{holdfast:n/{{holdfast:n}}/%7Bholdfast",
	      "/{holdfast:x}/{holdfast:n/{4711}/%7Bholdfast");
	fills(&a, HF_AFTER_TEXT, "{holdfast:s} %7Bholdfast:n%7D",
	      "a \"b\"/\xc3\xa9 %7Bholdfast:n%7D");
	fills(&a, HF_AFTER_NONE, "{holdfast:s}", "{holdfast:s}");
	fills(&a, HF_AFTER_JSON, "{\"o\":\"{holdfast:n}\",\"t\":\"{holdfast:s}\"}",
	      "{\"o\":4711,\"t\":\"a \\\"b\\\"/\xc3\xa9\"}");
	fills(&a, HF_AFTER_JSON, "[\"{holdfast:n} \",\" {holdfast:n}\",\"\\\"{holdfast:n}\\\"\"]",
	      "[\"4711 \",\" 4711\",\"\\\"4711\\\"\"]");
	fills(&a, HF_AFTER_JSON, "{\"{holdfast:n}\" : \"{holdfast:n}\" }", "{\"4711\" : 4711 }");
	fills(&a, HF_AFTER_JSON, "{\"a\":{holdfast:n},\"b\":{holdfast:s}}",
	      "{\"a\":4711,\"b\":\"a \\\"b\\\"/\xc3\xa9\"}");
	fills(&a, HF_AFTER_JSON, "[\"\\{holdfast:n}\"]", "[\"\\{holdfast:n}\"]");
	fills(&a, HF_AFTER_JSON, "\"{holdfast:n}", "\"4711");
}

static void takes_fields_of_the_answer(void **state)
{
	static const struct {
		const char *location, *wanted; /* NULL: none */
	} table[] = {
		{ "/api/orders/4711", "4711" },
		{ "https://shop.example/api/orders/47%2F11/?x=/1#/2", "47%2F11" },
		{ "//shop.example/a/n%C2%BA", "n%C2%BA" },
		{ "4711", "4711" },
		{ "/a//b/", "b" },
		{ "https://shop.example", NULL },
		{ "/", NULL },
		{ "/a/..", NULL },
		{ "/a/%0d%0a", NULL },
		{ "/a/%ff", NULL },
	};
	struct hf_answer_head answer = { .status = 201 };
	const char *why;
	struct hf_after a;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		hf_fields_init(&answer.fields, &arena);
		hf_fields_add(&answer.fields, HF_SPAN("X-Number"), HF_SPAN("n/1"));
		hf_fields_add(&answer.fields, HF_SPAN("LOCATION"), hf_span_str(table[i].location));
		assert_int_equal(parse("\"" ID "\";p=location;x=x-number", &a), 0);
		assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str(""), &arena, &why),
				 table[i].wanted ? 0 : HF_ENOENT);
		if (!table[i].wanted)
			continue;
		fills(&a, HF_AFTER_URL, "{holdfast:p}", table[i].wanted);
		fills(&a, HF_AFTER_URL, "{holdfast:x}", "n%2F1");
	}
	assert_int_equal(parse("\"" ID "\";p=etag", &a), 0);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str(""), &arena, &why), HF_ENOENT);
}

static void refuses_other_values(void **state)
{
	static const char *const bad[] = {
		"",
		"<html>",
		"{}",
		"{\"id\":null}",
		"{\"id\":[]}",
		"{\"id\":{}}",
		"{\"id\":true}",
		"{\"id\":\"\"}",
		"{\"id\":\".\"}",
		"{\"id\":\"..\"}",
		"{\"id\":\"a\\u000d\\u000aX: y\"}",
		"{\"id\":\"\\u0000\"}",
		"{\"id\":\"\x7f\"}",
		"{\"id\":\"\xff\"}",
	};
	struct hf_answer_head answer = { .status = 201 };
	char large[600];
	const char *why;
	struct hf_after a;

	(void)state;
	hf_fields_init(&answer.fields, &arena);
	assert_int_equal(parse("\"" ID "\";a=\"/id\"", &a), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str(bad[i]), &arena, &why),
				 HF_ENOENT);
		assert_non_null(why);
	}
	snprintf(large, sizeof(large), "{\"id\":\"%0256d\"}", 7);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str(large), &arena, &why), 0);
	snprintf(large, sizeof(large), "{\"id\":\"%0257d\"}", 7);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str(large), &arena, &why),
			 HF_ENOENT);
}

/* What stands before the cut is right; a number at its edge may go on. */
static void of_a_cut_answer_only_what_is_whole_counts(void **state)
{
	struct hf_answer_head answer = { .status = 201, .truncated = true };
	const char *why;
	struct hf_after a;

	(void)state;
	hf_fields_init(&answer.fields, &arena);
	assert_int_equal(parse("\"" ID "\";a=\"/id\"", &a), 0);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str("{\"id\":4711,\"x\":\"y"),
					  &arena, &why),
			 0);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str("{\"id\":47"), &arena, &why),
			 HF_ENOENT);
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str("{\"id\":\"47"), &arena, &why),
			 HF_ENOENT);
	hf_fields_add(&answer.fields, HF_SPAN("Content-Encoding"), HF_SPAN("gzip"));
	assert_int_equal(hf_after_resolve(&a, &answer, hf_span_str("{\"id\":1}"), &arena, &why),
			 HF_ENOENT);
}

static void knows_bodies_of_text(void **state)
{
	static const struct {
		const char *type;
		enum hf_after_form form;
	} table[] = {
		{ "application/json", HF_AFTER_JSON },
		{ "Application/JSON; charset=utf-8", HF_AFTER_JSON },
		{ "application/vnd.shop+json", HF_AFTER_JSON },
		{ "application/x-www-form-urlencoded", HF_AFTER_URL },
		{ "text/plain", HF_AFTER_TEXT },
		{ "text/", HF_AFTER_NONE },
		{ "multipart/form-data; boundary=x", HF_AFTER_NONE },
		{ "image/png", HF_AFTER_NONE },
		{ "+json", HF_AFTER_NONE },
	};
	struct hf_fields fields;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		hf_fields_init(&fields, &arena);
		assert_int_equal(hf_after_form(&fields), HF_AFTER_NONE);
		hf_fields_add(&fields, HF_SPAN("content-type"), hf_span_str(table[i].type));
		assert_int_equal(hf_after_form(&fields), table[i].form);
		hf_fields_add(&fields, HF_SPAN("Content-Encoding"), HF_SPAN("gzip"));
		assert_int_equal(hf_after_form(&fields), HF_AFTER_NONE);
	}
}

static void each_name_needs_a_place(void **state)
{
	struct hf_span url = HF_SPAN("/o/%7Bholdfast%3Aa%7D"), body = HF_SPAN("\"{holdfast:b}\"");
	struct hf_after a;
	const char *why;

	(void)state;
	assert_int_equal(parse("\"" ID "\";a=\"\";b=\"\"", &a), 0);
	assert_int_equal(hf_after_check(&a, url, HF_AFTER_JSON, body, &why), 0);
	assert_int_equal(hf_after_check(&a, url, HF_AFTER_NONE, body, &why), HF_EINVAL);
	assert_int_equal(hf_after_check(&a, HF_SPAN("/o"), HF_AFTER_JSON, body, &why), HF_EINVAL);
}

static void a_head_keeps_the_field_and_the_depth(void **state)
{
	struct hf_record_head h = { .origin = HF_SPAN("o"),
				    .method = HF_SPAN("POST"),
				    .target = HF_SPAN("/"),
				    .after = HF_SPAN("\"" ID "\""),
				    .after_depth = 8 };
	struct hf_record_head out;
	struct hf_buf buf;

	(void)state;
	hf_fields_init(&h.fields, &arena);
	hf_buf_init(&buf, 1 << 16);
	assert_int_equal(hf_record_head_encode(&h, &buf), 0);
	assert_int_equal(hf_record_head_decode(hf_buf_span(&buf), &arena, &out), 0);
	assert_true(hf_span_eq(out.after, h.after));
	assert_int_equal(out.after_depth, 8);
	hf_buf_finish(&buf);
}

#define AFTER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AFTER_TEST(reads_the_field),
		AFTER_TEST(refuses_other_fields),
		AFTER_TEST(fills_in_as_the_place_asks),
		AFTER_TEST(takes_fields_of_the_answer),
		AFTER_TEST(refuses_other_values),
		AFTER_TEST(of_a_cut_answer_only_what_is_whole_counts),
		AFTER_TEST(knows_bodies_of_text),
		AFTER_TEST(each_name_needs_a_place),
		AFTER_TEST(a_head_keeps_the_field_and_the_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
