/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes that leave memory and store, and those that come back meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"

static void purge(struct qrig *r)
{
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 10000 };

	assert_int_equal(RIG_DO(&r->store, hf_store_purge, &p), 0);
}

static size_t stored_lanes(struct qrig *r)
{
	struct hf_store_lanes l;
	size_t n;

	assert_int_equal(RIG_DO(&r->store, hf_store_lanes, &l), 0);
	n = l.n;
	hf_store_lanes_finish(&l);
	return n;
}

static void leave_in_many(struct qrig *r, int n)
{
	char lane[16];

	for (int i = 0; i < n; i++) {
		snprintf(lane, sizeof(lane), "lane%d", i);
		assert_int_equal(qrig_leave_in(r, lane, "/x")->done, 0);
	}
	qrig_advance(r, 1000);
	assert_true(hf_sync_is_idle(r->sync));
	qrig_taken(r, 0);
}

static void tidy(struct qrig *r)
{
	hf_queue_tidy(r->queue);
	qrig_settle(r);
}

static void lanes_go_when_their_last_answer_is_gone(void **state)
{
	struct qrig *r = *state;
	const int n = 2 * HF_STORE_IDLE_MAX + 3;

	leave_in_many(r, n);
	tidy(r);
	assert_int_equal(stored_lanes(r), n); /* they have answers */
	assert_non_null(qrig_lane(r, "lane0"));
	purge(r);
	tidy(r);
	assert_int_equal(stored_lanes(r), 0);
	assert_null(qrig_lane(r, "lane0"));
	qrig_check(r);
}

static void lanes_of_an_earlier_run_go(void **state)
{
	struct qrig *r = *state;

	leave_in_many(r, 5);
	purge(r);
	qrig_restart(r);
	qrig_settle(r);
	assert_null(qrig_lane(r, "lane0"));
	assert_int_equal(stored_lanes(r), 5);
	tidy(r);
	assert_int_equal(stored_lanes(r), 0);
}

static void lanes_in_use_stay(void **state)
{
	struct qrig *r = *state;
	struct qreq *q;

	leave_in_many(r, 1);
	purge(r);
	q = qrig_request(r, "/live", "x");
	snprintf(q->policy.lane, sizeof(q->policy.lane), "lane0");
	qreq_take(q, false);
	tidy(r);
	assert_int_equal(stored_lanes(r), 1);
	assert_non_null(qrig_lane(r, "lane0"));
	qreq_give_back(q);
	tidy(r);
	assert_int_equal(stored_lanes(r), 0);
}

static void removed_lanes_public_ids_find_nothing(void **state)
{
	struct qrig *r = *state;
	struct hf_store_load l;
	char id[HF_ULID_LEN + 1];
	struct qreq *q = qrig_leave_in(r, "lane", "/x");

	memcpy(id, q->a.public_id, sizeof(id));
	qrig_settle(r);
	purge(r);
	tidy(r);
	assert_int_equal(qrig_leave_in(r, "lane", "/y")->done, 0);
	assert_int_equal(qrig_load(r, q->a.id, &l), HF_ENOENT);
	hf_store_load_finish(&l);
	assert_int_equal(qrig_retry(r, id, NULL), HF_ENOENT);
}

/* At any moment of its removal: none is refused, none is lost. */
static void lane_that_is_used_while_it_leaves(void **state)
{
	struct qrig *r = *state;

	for (int in_memory = 0; in_memory < 2; in_memory++) {
		for (int turns = 0; turns < 6; turns++) {
			struct qreq *q[2];

			leave_in_many(r, 1);
			purge(r);
			if (!in_memory) {
				qrig_restart(r);
				qrig_settle(r);
			}
			hf_queue_tidy(r->queue);
			for (int i = 0; i < turns; i++)
				fake_port_turn(&r->store.port);
			for (int i = 0; i < 2; i++) {
				q[i] = qrig_request(r, i ? "/second" : "/first", "x");
				snprintf(q[i]->policy.lane, sizeof(q[i]->policy.lane), "lane0");
				qreq_take(q[i], true);
				qreq_admit(q[i]);
			}
			qrig_settle(r);
			assert_int_equal(q[0]->done, 0);
			assert_int_equal(q[1]->done, 0);
			assert_string_equal(qrig_taken(r, 0), "/first /second");
			assert_int_equal(stored_lanes(r), 1);
			qrig_check(r);
		}
	}
}

static void change_done(struct hf_queue_change *c, int err)
{
	*(int *)c->user = err;
}

static void purge_done(struct hf_store_op *op, int err)
{
	*(int *)op->user = err;
}

/* Its last record is looked at, purged, and the lane removed, all in one commit. */
static void lane_that_came_back_in_vain_gets_a_new_number(void **state)
{
	struct qrig *r = *state;
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 10 };
	struct hf_queue_change c = { .done = change_done };
	int changed = 1, purged = 1;
	struct qreq *q, *other;

	r->lanes_max = 1;
	qrig_restart(r);
	r->origin[0].up = false;
	q = qrig_leave_in(r, "lane0", "/x");
	qrig_settle(r);
	assert_int_equal(qrig_cancel(r, q->a.public_id), 0);
	c.public_id = hf_span_str(q->a.public_id);
	c.user = &changed;
	p.op.done = purge_done;
	p.op.user = &purged;
	assert_int_equal(hf_queue_retry(r->queue, &c), 0);
	hf_store_purge(r->store.store, &p);
	other = qrig_request(r, "/other", "x");
	snprintf(other->policy.lane, sizeof(other->policy.lane), "other");
	qreq_take(other, true); /* lane0 makes room for it */
	assert_null(qrig_lane(r, "lane0"));
	qreq_admit(other);
	qrig_settle(r);
	assert_int_equal(purged, 0);
	assert_int_equal(changed, HF_ENOENT);
	assert_int_equal(other->done, 0);
	assert_non_null(qrig_lane(r, "lane0")); /* looked at when it was still there */
	assert_int_equal(qrig_leave_in(r, "lane0", "/y")->done, 0);
	qrig_check(r);
}

static void closing_down_while_lanes_leave(void **state)
{
	struct qrig *r = *state;

	for (int turns = 0; turns < 4; turns++) {
		leave_in_many(r, 3);
		purge(r);
		hf_queue_tidy(r->queue);
		for (int i = 0; i < turns; i++)
			fake_port_turn(&r->store.port);
		qrig_restart(r);
		qrig_settle(r);
		qrig_check(r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lanes_go_when_their_last_answer_is_gone),
		TEST(lanes_of_an_earlier_run_go),
		TEST(lanes_in_use_stay),
		TEST(removed_lanes_public_ids_find_nothing),
		TEST(lane_that_is_used_while_it_leaves),
		TEST(lane_that_came_back_in_vain_gets_a_new_number),
		TEST(closing_down_while_lanes_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
