/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store_rig.h"

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static void first_start_creates(void **state)
{
	struct rig *r = *state;

	assert_true(r->report.created);
	assert_false(r->report.vanished);
	assert_int_equal(r->report.boots, 1);
	assert_int_equal(rig_close(r), 0);
	assert_int_equal(rig_open(r), 0);
	assert_false(r->report.created);
	assert_int_equal(r->report.boots, 2);
}

static void seed_stays(void **state)
{
	struct rig *r = *state;
	uint8_t seed[16];

	memcpy(seed, r->report.seed, sizeof(seed));
	assert_int_equal(rig_reopen(r), 0);
	assert_memory_equal(seed, r->report.seed, sizeof(seed));
}

static void lane_keeps_its_id(void **state)
{
	struct rig *r = *state;
	uint32_t a = rig_lane(r, "https://a", ""), b = rig_lane(r, "https://a", "k");

	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(rig_lane(r, "https://a", ""), a);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_lane(r, "https://a", "k"), b);
}

static void record_survives_a_kill(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_lane_row row;
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 7, 512, &id), 0);
	assert_int_equal(id, HF_RECORD_ID(lane, 1));
	assert_int_equal(rig_mark(r, id, 3), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_status(r, id, 7, 512), HF_RECORD_QUEUED);
	row = rig_lane_row(r, lane);
	assert_int_equal(row.head_id, id);
	assert_int_equal(row.tail_id, id);
	assert_int_equal(row.waiting, 1);
	assert_int_equal(row.head_state.attempts, 3);
	assert_true(row.head_state.inflight);
}

static void settling_stores_the_answer(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_lane_row row;
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 1, 100, &id), 0);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), HF_ESTATE);
	assert_int_equal(rig_mark(r, id, 1), HF_ESTATE);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_status(r, id, 1, 100), HF_RECORD_SETTLED);
	row = rig_lane_row(r, lane);
	assert_int_equal(row.head_id, 0);
	assert_int_equal(row.waiting, 0);
	assert_int_equal(row.tail_id, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_start_creates, setup, teardown),
		cmocka_unit_test_setup_teardown(seed_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(lane_keeps_its_id, setup, teardown),
		cmocka_unit_test_setup_teardown(record_survives_a_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(settling_stores_the_answer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
