/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "queue/record.h"

static void sample(struct hf_record_head *h, struct hf_arena *arena)
{
	memset(h, 0, sizeof(*h));
	h->origin = HF_SPAN("shop");
	h->method = HF_SPAN("POST");
	h->target = HF_SPAN("/api/orders?x=1");
	h->key = HF_SPAN("0190-key");
	hf_fields_init(&h->fields, arena);
	hf_fields_add(&h->fields, HF_SPAN("Content-Type"), HF_SPAN("application/json"));
	hf_fields_add(&h->fields, HF_SPAN("X-Empty"), HF_SPAN(""));
	strcpy(h->policy.tag, "orders");
	strcpy(h->policy.lane, "till-7");
	strcpy(h->policy.key_header, "Idempotency-Key");
	h->policy.idempotency = HF_IDEMPOTENCY_NEVER;
	h->policy.order = HF_ORDER_SKIP;
	h->policy.key_quoted = true;
	h->policy.key_validity_s = 86400;
	h->policy.max_age_s = 604800;
	h->policy.max_entries = 17;
	h->policy.when_full = HF_WHEN_FULL_DROP_OLDEST;
	h->policy.urgency = 6;
	h->policy.expect[0] = 200;
	h->policy.expect[1] = 201;
	h->policy.expect_n = 2;
}

static void a_request_survives_encoding(void **state)
{
	struct hf_arena arena;
	struct hf_buf buf;
	struct hf_record_head in, out;

	(void)state;
	hf_arena_init(&arena, 65536);
	hf_buf_init(&buf, 65536);
	sample(&in, &arena);
	assert_int_equal(hf_record_head_encode(&in, &buf), 0);
	assert_int_equal(hf_record_head_decode(hf_buf_span(&buf), &arena, &out), 0);
	assert_true(hf_span_eq(out.origin, in.origin));
	assert_true(hf_span_eq(out.method, in.method));
	assert_true(hf_span_eq(out.target, in.target));
	assert_true(hf_span_eq(out.key, in.key));
	assert_int_equal(out.fields.n, 2);
	assert_true(hf_span_eq_str(out.fields.v[0].value, "application/json"));
	assert_int_equal(out.fields.v[1].value.len, 0);
	assert_memory_equal(&out.policy, &in.policy, sizeof(in.policy));
	hf_buf_finish(&buf);
	hf_arena_finish(&arena);
}

static void every_shortened_record_is_refused_or_whole(void **state)
{
	struct hf_arena arena;
	struct hf_buf buf;
	struct hf_record_head h, out;

	(void)state;
	hf_arena_init(&arena, 1 << 20);
	hf_buf_init(&buf, 65536);
	sample(&h, &arena);
	assert_int_equal(hf_record_head_encode(&h, &buf), 0);
	for (size_t n = 0; n < buf.len; n++) {
		int err = hf_record_head_decode(hf_span(hf_buf_span(&buf).ptr, n), &arena, &out);

		assert_true(err == 0 || err == HF_ECORRUPT);
	}
	hf_buf_finish(&buf);
	hf_arena_finish(&arena);
}

static void no_flipped_byte_reads_outside(void **state)
{
	struct hf_arena arena;
	struct hf_buf buf;
	struct hf_record_head h, out;

	(void)state;
	hf_buf_init(&buf, 65536);
	hf_arena_init(&arena, 1 << 20);
	sample(&h, &arena);
	assert_int_equal(hf_record_head_encode(&h, &buf), 0);
	for (size_t i = 0; i < buf.len; i++) {
		char saved = buf.data[buf.start + i];
		struct hf_arena scratch;

		for (int v = 0; v < 256; v += 15) {
			hf_arena_init(&scratch, 65536);
			buf.data[buf.start + i] = (char)v;
			(void)hf_record_head_decode(hf_buf_span(&buf), &scratch, &out);
			hf_arena_finish(&scratch);
		}
		buf.data[buf.start + i] = saved;
	}
	hf_buf_finish(&buf);
	hf_arena_finish(&arena);
}

static void an_answer_survives_encoding(void **state)
{
	struct hf_arena arena;
	struct hf_buf buf;
	struct hf_answer_head in = { .status = 201, .truncated = true }, out;

	(void)state;
	hf_arena_init(&arena, 65536);
	hf_buf_init(&buf, 65536);
	hf_fields_init(&in.fields, &arena);
	hf_fields_add(&in.fields, HF_SPAN("Location"), HF_SPAN("/orders/1"));
	assert_int_equal(hf_answer_head_encode(&in, &buf), 0);
	assert_int_equal(hf_answer_head_decode(hf_buf_span(&buf), &arena, &out), 0);
	assert_int_equal(out.status, 201);
	assert_true(out.truncated);
	assert_int_equal(out.fields.n, 1);
	hf_buf_finish(&buf);
	hf_arena_finish(&arena);
}

static void a_summary_decodes_as_a_head_without_fields(void **state)
{
	struct hf_arena arena;
	struct hf_buf buf;
	struct hf_record_head h, out;

	(void)state;
	hf_arena_init(&arena, 65536);
	hf_buf_init(&buf, 65536);
	sample(&h, &arena);
	assert_int_equal(hf_record_summary_encode(&h, &buf), 0);
	assert_int_equal(hf_record_head_decode(hf_buf_span(&buf), &arena, &out), 0);
	assert_string_equal(out.policy.tag, "orders");
	assert_int_equal(out.fields.n, 0);
	hf_buf_finish(&buf);
	hf_arena_finish(&arena);
}

static void a_public_id_leads_back_to_its_row(void **state)
{
	const uint64_t ids[] = { 1, HF_RECORD_ID(1, 1),
				 HF_RECORD_ID(8388607, UINT64_C(0xffffffffff)),
				 HF_RECORD_ID(77, UINT64_C(123456789012)) };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct hf_record_state s = { .tag = 0xdeadbeef + (uint32_t)i,
					     .created_wall_ms = INT64_C(1795228800000) };
		char text[HF_ULID_LEN + 1];
		uint64_t id;

		hf_record_id_format(ids[i], &s, text);
		assert_int_equal(hf_record_id_parse(hf_span_str(text), &id), 0);
		assert_true(id == ids[i]);
	}
}

static void a_public_id_that_is_none_is_refused(void **state)
{
	const char *const bad[] = { "",
				    "1",
				    "00000000000000000000000000",
				    "ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
				    "01J-INVALID-CHARACTERS-HERE",
				    "01JABCDEFGHJKMNPQRSTVWXYZ00" };
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hf_record_id_parse(hf_span_str(bad[i]), &id), HF_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_survives_encoding),
		cmocka_unit_test(every_shortened_record_is_refused_or_whole),
		cmocka_unit_test(no_flipped_byte_reads_outside),
		cmocka_unit_test(an_answer_survives_encoding),
		cmocka_unit_test(a_summary_decodes_as_a_head_without_fields),
		cmocka_unit_test(a_public_id_leads_back_to_its_row),
		cmocka_unit_test(a_public_id_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
