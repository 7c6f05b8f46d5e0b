/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "store/codec.h"

static void row_comes_back_as_it_was(void **state)
{
	struct hf_row row = {
		.state = { .status = HF_RECORD_HELD,
			   .reason = 200,
			   .inflight = true,
			   .maybe_received = true,
			   .same_500 = 3,
			   .conflicts = 4,
			   .last_status = 503,
			   .last_end = 9,
			   .attempts = 0xfedcba98,
			   .tag = 0x89abcdef,
			   .created_dev_ms = UINT64_C(0x0102030405060708),
			   .created_wall_ms = -5,
			   .first_sent_dev_ms = UINT64_MAX,
			   .not_before_dev_s = 77,
			   .not_before_wall_s = UINT32_MAX,
			   .body_hash = 0xdeadbeef },
		.request = (UINT64_C(1) << 48) - 1,
		.outcome = UINT64_C(0x123456789abc),
		.hole = true,
	};
	struct hf_row back;
	uint8_t bytes[HF_ROW_SIZE];

	(void)state;
	hf_row_encode(&row, bytes);
	assert_int_equal(hf_row_decode(hf_span(bytes, sizeof(bytes)), &back), 0);
	assert_int_equal(back.state.status, row.state.status);
	assert_int_equal(back.state.reason, row.state.reason);
	assert_true(back.state.inflight && back.state.maybe_received && back.hole);
	assert_int_equal(back.state.same_500, 3);
	assert_int_equal(back.state.conflicts, 4);
	assert_int_equal(back.state.last_status, 503);
	assert_int_equal(back.state.last_end, 9);
	assert_int_equal(back.state.attempts, row.state.attempts);
	assert_int_equal(back.state.tag, row.state.tag);
	assert_true(back.state.created_dev_ms == row.state.created_dev_ms);
	assert_true(back.state.created_wall_ms == -5);
	assert_true(back.state.first_sent_dev_ms == UINT64_MAX);
	assert_true(back.state.not_before_dev_s == 77 && back.state.settled_dev_ms == 0);
	assert_true(back.state.not_before_wall_s == UINT32_MAX);
	row.state.status = HF_RECORD_SETTLED;
	row.state.settled_dev_ms = UINT64_MAX;
	hf_row_encode(&row, bytes);
	assert_int_equal(hf_row_decode(hf_span(bytes, sizeof(bytes)), &back), 0);
	assert_true(back.state.settled_dev_ms == UINT64_MAX && back.state.not_before_dev_s == 0);
	assert_int_equal(back.state.body_hash, row.state.body_hash);
	assert_true(back.request == row.request && back.outcome == row.outcome);
}

static void row_of_another_size_or_status_is_damage(void **state)
{
	uint8_t bytes[HF_ROW_SIZE] = { HF_RECORD_QUEUED };
	struct hf_row row;

	(void)state;
	assert_int_equal(hf_row_decode(hf_span(bytes, 63), &row), HF_ECORRUPT);
	assert_int_equal(hf_row_decode(hf_span(bytes, 0), &row), HF_ECORRUPT);
	bytes[0] = 0;
	assert_int_equal(hf_row_decode(hf_span(bytes, 64), &row), HF_ECORRUPT);
	bytes[0] = HF_RECORD_CANCELLED + 1;
	assert_int_equal(hf_row_decode(hf_span(bytes, 64), &row), HF_ECORRUPT);
}

static void any_bytes_that_decode_encode_to_the_same(void **state)
{
	struct hf_rand rand;

	(void)state;
	hf_rand_init(&rand, 1);
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[HF_ROW_SIZE], again[HF_ROW_SIZE];
		struct hf_row row;

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)hf_rand_u64(&rand);
		bytes[0] = (uint8_t)(bytes[0] % 8);
		bytes[2] &= 7;
		if (hf_row_decode(hf_span(bytes, sizeof(bytes)), &row))
			continue;
		hf_row_encode(&row, again);
		assert_memory_equal(bytes, again, sizeof(bytes));
	}
}

static void lane_and_born_come_back(void **state)
{
	const struct hf_lane_v lane = { .head = 7, .tail = 1000, .holes = 3 };
	struct hf_lane_v lane_back;
	struct hf_record_state born = { .tag = 5, .created_dev_ms = 6, .created_wall_ms = 7 };
	struct hf_record_state born_back = { .tag = 0 };
	uint8_t bytes[HF_LANE_SIZE];

	(void)state;
	hf_lane_encode(&lane, bytes);
	assert_int_equal(hf_lane_decode(hf_span(bytes, HF_LANE_SIZE), &lane_back), 0);
	assert_memory_equal(&lane, &lane_back, sizeof(lane));
	assert_int_equal(hf_lane_decode(hf_span(bytes, 23), &lane_back), HF_ECORRUPT);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(hf_lane_decode(hf_span(bytes, HF_LANE_SIZE), &lane_back), HF_ECORRUPT);
	hf_born_encode(&born, bytes);
	assert_int_equal(hf_born_decode(hf_span(bytes, HF_BORN_SIZE), &born_back), 0);
	assert_int_equal(born_back.tag, 5);
	assert_true(born_back.created_dev_ms == 6 && born_back.created_wall_ms == 7);
}

/* As the standard has it, a bit at a time. */
static uint32_t slow_crc(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	while (n-- > 0) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
	}
	return ~crc;
}

static void crc_is_the_same_of_all_lengths_and_places(void **state)
{
	uint8_t bytes[512 + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + (i >> 8) * 31 + 5);
	for (size_t at = 0; at < 8; at++) {
		for (size_t n = 0; n <= 512; n++) {
			uint32_t crc = slow_crc(bytes + at, n);

			assert_int_equal(hf_crc32(0, hf_span(bytes + at, n)), crc);
			assert_int_equal(hf_crc32(hf_crc32(0, hf_span(bytes + at, n / 3)),
						  hf_span(bytes + at + n / 3, n - n / 3)),
					 crc);
		}
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		uint8_t one[9] = { (uint8_t)byte };

		for (size_t n = 1; n <= sizeof(one); n++)
			assert_int_equal(hf_crc32(0, hf_span(one, n)), slow_crc(one, n));
	}
}

static void crc_is_the_usual_one(void **state)
{
	(void)state;
	assert_int_equal(hf_crc32(0, HF_SPAN("123456789")), 0xcbf43926);
	assert_int_equal(hf_crc32(hf_crc32(0, HF_SPAN("1234")), HF_SPAN("56789")), 0xcbf43926);
	assert_int_equal(hf_crc32(0, HF_SPAN("")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_comes_back_as_it_was),
		cmocka_unit_test(row_of_another_size_or_status_is_damage),
		cmocka_unit_test(any_bytes_that_decode_encode_to_the_same),
		cmocka_unit_test(lane_and_born_come_back),
		cmocka_unit_test(crc_is_the_usual_one),
		cmocka_unit_test(crc_is_the_same_of_all_lengths_and_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
