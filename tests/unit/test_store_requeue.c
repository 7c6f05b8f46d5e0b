/* SPDX-License-Identifier: Apache-2.0 */
/* Records that go again at the end of their lane, and what becomes of the old. */
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

static unsigned waiting(struct rig *r, uint32_t lane)
{
	return (unsigned)rig_lane_row(r, lane).waiting;
}

static int requeue(struct rig *r, uint64_t *id)
{
	struct hf_store_requeue q = { .id = *id, .created_dev_ms = 99 };
	int err = RIG_DO(r, hf_store_requeue, &q);

	*id = q.id;
	return err;
}

/* What @id leads to, when it is replaced: 0 when that is gone. */
static uint64_t successor(struct rig *r, uint64_t id)
{
	struct hf_store_load l;
	uint64_t by;

	hf_store_load_init(&l);
	l.id = id;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_true(l.replaced);
	assert_false(l.has_record);
	by = l.replaced_by;
	hf_store_load_finish(&l);
	return by;
}

static unsigned listed(struct rig *r)
{
	static struct hf_store_list l;
	unsigned n;

	memset(&l, 0, sizeof(l));
	assert_int_equal(RIG_DO(r, hf_store_list, &l), 0);
	n = (unsigned)l.n;
	hf_store_list_finish(&l);
	return n;
}

static void a_replaced_record_leads_to_the_last_that_replaced_it(void **state)
{
	struct rig *r = *state;
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 10, .dead_max = 10 };
	uint32_t lane = rig_lane(r, "o", "k");
	uint64_t first, second, third;

	assert_int_equal(rig_insert(r, lane, 0, 600, &first), 0);
	assert_int_equal(rig_settle(r, first, HF_RECORD_DEAD, 0), 0);
	second = first;
	assert_int_equal(requeue(r, &second), 0);
	third = first;
	assert_int_equal(requeue(r, &third), HF_ESTATE);
	assert_int_equal(rig_settle(r, second, HF_RECORD_CANCELLED, 0), 0);
	third = second;
	assert_int_equal(requeue(r, &third), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(successor(r, first), third);
	assert_int_equal(successor(r, second), third);
	assert_int_equal(listed(r), 1);
	assert_int_equal(waiting(r, lane), 1);
	assert_int_equal(rig_lane_row(r, lane).head_id, third);
	assert_int_equal(rig_settle(r, third, HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0); /* every answer is old */
	assert_int_equal(successor(r, first), 0);
	assert_int_equal(rig_status(r, second, 0, 600), HF_ENOENT);
	p.dead_max = 0;
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	assert_int_equal(rig_status(r, first, 0, 600), HF_ENOENT);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 0);
}

static void requeued_record_stands_at_the_end(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	uint64_t id[4], again;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(rig_insert(r, lane, i, 600, &id[i]), 0);
	again = id[1];
	assert_int_equal(requeue(r, &again), HF_ESTATE); /* it is queued */
	again = id[0];
	assert_int_equal(rig_settle(r, id[0], HF_RECORD_DEAD, 0), 0);
	assert_int_equal(requeue(r, &again), 0);
	assert_int_equal(again, HF_RECORD_ID(lane, 5));
	assert_int_equal(successor(r, id[0]), again);
	assert_int_equal(rig_status(r, again, 0, 600), HF_RECORD_QUEUED);
	assert_int_equal(waiting(r, lane), 4);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 4);
	assert_int_equal(rig_lane_row(r, lane).head_id, id[1]);
	/* one that was killed behind the head */
	assert_int_equal(rig_settle(r, id[2], HF_RECORD_DEAD, 2), 0);
	assert_int_equal(requeue(r, &id[2]), 0);
	assert_int_equal(waiting(r, lane), 4);
	assert_int_equal(rig_settle(r, id[1], HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(rig_lane_row(r, lane).head_id, id[3]);
	assert_int_equal(waiting(r, lane), 3);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 3);
	id[0] = id[1];
	assert_int_equal(requeue(r, &id[0]), HF_ESTATE); /* settled */
	id[0] = HF_RECORD_ID(lane, 1000);
	assert_int_equal(requeue(r, &id[0]), HF_ENOENT);
}

static void held_head_can_be_requeued(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_mark m = { .state = { .status = HF_RECORD_HELD, .reason = 3 } };
	uint64_t id, next, moved;

	assert_int_equal(rig_insert(r, lane, 1, 100, &id), 0);
	assert_int_equal(rig_insert(r, lane, 2, 100, &next), 0);
	m.id = id;
	assert_int_equal(RIG_DO(r, hf_store_mark, &m), 0);
	moved = id;
	assert_int_equal(requeue(r, &moved), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 2);
	assert_int_equal(rig_lane_row(r, lane).head_id, next);
	assert_int_equal(rig_status(r, moved, 1, 100), HF_RECORD_QUEUED);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(requeued_record_stands_at_the_end),
		STORE_TEST(a_replaced_record_leads_to_the_last_that_replaced_it),
		STORE_TEST(held_head_can_be_requeued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
