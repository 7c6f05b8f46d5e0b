/* SPDX-License-Identifier: Apache-2.0 */
/* Records that wait for another one: links, what keeps an answer, what is due. */
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

/* One more of @lane that waits for @parent. */
static int wait_for(struct rig *r, uint32_t lane, uint64_t parent, unsigned most, uint64_t *id)
{
	struct hf_store_insert i = {
		.lane = lane,
		.parent = parent,
		.dependents_max = most,
		.head = HF_SPAN("head-0"),
		.state = { .status = HF_RECORD_QUEUED, .tag = 1 },
	};
	int err = RIG_DO(r, hf_store_insert, &i);

	*id = i.id;
	return err;
}

static struct hf_store_dependents *page(struct rig *r, uint64_t parent, uint64_t after)
{
	static struct hf_store_dependents d;

	d = (struct hf_store_dependents){ .parent = parent, .after = after };
	assert_int_equal(RIG_DO(r, hf_store_dependents, &d), 0);
	return &d;
}

static uint64_t parent_of(struct rig *r, uint64_t id)
{
	struct hf_store_load l;
	uint64_t parent;

	hf_store_load_init(&l);
	l.id = id;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	parent = l.parent;
	hf_store_load_finish(&l);
	return parent;
}

static int purge(struct rig *r, uint64_t before, unsigned *outcomes)
{
	struct hf_store_purge p = { .before_dev_ms = before, .budget = 10, .dead_max = 1000 };
	int err = RIG_DO(r, hf_store_purge, &p);

	*outcomes = p.outcomes;
	return err;
}

static void a_link_ends_with_its_delivery(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k"), other = rig_lane(r, "o", "other");
	uint64_t parent, child;

	assert_int_equal(rig_insert(r, lane, 0, 100, &parent), 0);
	assert_int_equal(wait_for(r, other, parent, 4, &child), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(parent_of(r, child), parent);
	assert_int_equal(parent_of(r, parent), 0);
	assert_int_equal(page(r, parent, 0)->n, 1);
	assert_int_equal(page(r, child, 0)->n, 0);
	assert_int_equal(rig_settle(r, parent, HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(page(r, 0, 0)->v[0].parent_state.status, HF_RECORD_SETTLED);
	assert_int_equal(page(r, 0, 0)->due, 0);
	assert_int_equal(rig_settle(r, child, HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(page(r, 0, 0)->n, 0);
}

static void who_is_over_cannot_be_waited_for(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	uint64_t parent, child;

	assert_int_equal(rig_insert(r, lane, 0, 100, &parent), 0);
	assert_int_equal(wait_for(r, lane, HF_RECORD_ID(lane, 99), 4, &child), HF_ESTATE);
	assert_int_equal(wait_for(r, lane, parent, 1, &child), 0);
	assert_int_equal(wait_for(r, lane, parent, 1, &child), HF_EBUSY);
	assert_int_equal(rig_settle(r, parent, HF_RECORD_DEAD, 0), 0);
	assert_int_equal(wait_for(r, lane, parent, 4, &child), HF_ESTATE);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(page(r, 0, 0)->n, 1);
	assert_int_equal(rig_lane_row(r, lane).waiting, 1);
}

/* The answer that a dependent needs is kept, however old; nothing else is. */
static void an_answer_stays_for_those_that_need_it(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k"), other = rig_lane(r, "o", "other");
	uint64_t parent, child, plain;
	unsigned n;

	assert_int_equal(rig_insert(r, lane, 0, 100, &parent), 0);
	assert_int_equal(rig_insert(r, lane, 1, 100, &plain), 0);
	assert_int_equal(wait_for(r, other, parent, 4, &child), 0);
	assert_int_equal(rig_settle(r, parent, HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(rig_settle(r, plain, HF_RECORD_SETTLED, 1), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(purge(r, UINT64_MAX, &n), 0);
		assert_int_equal(n, i == 0);
		assert_int_equal(rig_reopen(r), 0);
		assert_int_equal(rig_status(r, parent, 0, 100), HF_RECORD_SETTLED);
	}
	assert_int_equal(purge(r, 1000000, &n), 0);
	assert_int_equal(rig_status(r, parent, 0, 100), HF_RECORD_SETTLED);
	assert_int_equal(rig_settle(r, child, HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(purge(r, 1000001, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(rig_status(r, parent, 0, 100), HF_ENOENT);
}

static void an_end_is_due_until_it_was_looked_at(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_requeue q = { .created_dev_ms = 99 };
	struct hf_store_dependents old = { 0 };
	uint64_t parent, child, due;

	assert_int_equal(rig_insert(r, lane, 0, 100, &parent), 0);
	assert_int_equal(wait_for(r, lane, parent, 4, &child), 0);
	assert_int_equal(rig_settle(r, parent, HF_RECORD_DEAD, 0), 0);
	assert_int_equal(rig_reopen(r), 0);
	due = page(r, parent, 0)->due;
	assert_true(due > 0);
	assert_int_equal(rig_settle(r, child, HF_RECORD_DEAD, 0), 0);
	q.id = parent;
	assert_int_equal(RIG_DO(r, hf_store_requeue, &q), 0);
	assert_true(q.has_dependents);
	assert_int_equal(parent_of(r, child), q.id);
	old.due = due; /* what was seen is not all any more */
	assert_int_equal(RIG_DO(r, hf_store_dependents_seen, &old), 0);
	old.due = page(r, q.id, 0)->due;
	assert_true(old.due > due);
	assert_int_equal(RIG_DO(r, hf_store_dependents_seen, &old), 0);
	assert_int_equal(page(r, q.id, 0)->due, 0);
	assert_int_equal(rig_settle(r, q.id, HF_RECORD_CANCELLED, 0), 0);
	assert_true(page(r, q.id, 0)->due > 0);
}

static void a_link_moves_with_both_ends(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_requeue q = { .created_dev_ms = 99 };
	uint64_t parent, child, again;

	assert_int_equal(rig_insert(r, lane, 0, 100, &parent), 0);
	assert_int_equal(wait_for(r, lane, parent, 4, &child), 0);
	assert_int_equal(rig_settle(r, parent, HF_RECORD_DEAD, 0), 0);
	assert_int_equal(rig_settle(r, child, HF_RECORD_DEAD, 0), 0);
	q.id = parent;
	assert_int_equal(RIG_DO(r, hf_store_requeue, &q), 0);
	again = q.id;
	q.id = child;
	assert_int_equal(RIG_DO(r, hf_store_requeue, &q), 0);
	assert_false(q.has_dependents);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(parent_of(r, q.id), again);
	assert_int_equal(parent_of(r, child), 0);
	assert_int_equal(page(r, 0, 0)->n, 1);
	/* one accepted under the old id waits for the new one */
	assert_int_equal(wait_for(r, lane, parent, 4, &child), 0);
	assert_int_equal(parent_of(r, child), again);
}

static void pages_come_in_order(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_dependents *d;
	uint64_t parent, child, after = 0;
	unsigned n = 0;

	assert_int_equal(rig_insert(r, lane, 0, 100, &parent), 0);
	for (unsigned i = 0; i < 2 * HF_STORE_DEPENDENTS_MAX + 5; i++)
		assert_int_equal(wait_for(r, lane, parent, 1000, &child), 0);
	do {
		d = page(r, parent, after);
		for (size_t i = 0; i < d->n; i++, n++)
			assert_int_equal(d->v[i].id, parent + 1 + n);
		after = d->next;
	} while (d->more);
	assert_int_equal(n, 2 * HF_STORE_DEPENDENTS_MAX + 5);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_link_ends_with_its_delivery),
		STORE_TEST(who_is_over_cannot_be_waited_for),
		STORE_TEST(an_answer_stays_for_those_that_need_it),
		STORE_TEST(an_end_is_due_until_it_was_looked_at),
		STORE_TEST(a_link_moves_with_both_ends),
		STORE_TEST(pages_come_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
