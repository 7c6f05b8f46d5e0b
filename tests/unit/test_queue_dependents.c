/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for another one: lanes, ends, returns, and a loss of power
 * between the other's end and theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"
#include "queue/queue_private.h"

/* One of lane @lane that waits for @parent. */
static struct qreq *leave_after(struct qrig *r, const char *lane, const char *target,
				const struct qreq *parent)
{
	struct qreq *q = qrig_request(r, target, "{holdfast:n}");

	snprintf(q->policy.lane, sizeof(q->policy.lane), "%s", lane);
	q->a.after = hf_arena_printf(&q->arena, "\"%s\"; n=\"/n\"", parent->a.public_id);
	q->a.parent = parent->a.id;
	q->a.after_depth = 1;
	q->a.reason = HF_REASON_AFTER;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	return q;
}

static void answer_with_a_number(struct qrig *r)
{
	next_answer = (struct fake_answer_to){ .status = 201, .body = "{\"n\":17}" };
	r->origin[0].answer = answer_next;
}

static void come_up(struct qrig *r)
{
	r->origin[0].up = true;
	qrig_advance(r, 20000);
}

/* The power goes; @then is what the store has got before, and the queue not. */
static void cut(struct qrig *r, void (*then)(struct qrig *r, uint64_t id), uint64_t id)
{
	qrig_kill(r);
	assert_int_equal(rig_open(&r->store), 0);
	then(r, id);
	rig_kill(&r->store);
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	qrig_start(r);
}

static void only_its_own_lane_waits(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b;

	answer_with_a_number(r);
	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	b = leave_after(r, "other", "/b/{holdfast:n}", a);
	qrig_leave_in(r, "other", "/behind");
	qrig_leave_in(r, "third", "/third");
	assert_string_equal(qrig_events(r), "queued /a \nqueued /b/{holdfast:n} after\n"
					    "queued /behind \nqueued /third \n");
	r->origin[0].manual = true;
	come_up(r);
	for (unsigned i = 0; i < r->origin[0].running; i++)
		assert_false(hf_span_starts(fake_exchange(&r->origin[0], i)->msg->target,
					    HF_SPAN("/b")));
	r->origin[0].manual = false;
	qrig_advance(r, 60000);
	assert_int_equal(qrig_state(r, b->a.id).status, HF_RECORD_SETTLED);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "/b/17"));
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "17\n"));
	qrig_check(r);
}

static void a_lane_says_that_it_waits_for_another(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;

	answer_with_a_number(r);
	a = qrig_request(r, "/a", "x");
	a->a.hold = true;
	a->a.reason = HF_REASON_AUTH;
	qreq_take(a, true);
	qreq_admit(a);
	fake_port_settle(&r->store.port);
	leave_after(r, "other", "/b/{holdfast:n}", a);
	qrig_advance(r, 20000);
	assert_int_equal(qrig_lane(r, "other")->state, HF_LANE_HELD);
	assert_true(qrig_lane(r, "other")->blocked);
	assert_int_equal(qrig_lane(r, "other")->wait_reason, HF_REASON_AFTER);
	assert_int_equal(qrig_lane(r, "other")->held, 0);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_int_equal(qrig_retry(r, a->a.public_id, NULL), 0);
	qrig_advance(r, 30000);
	assert_string_equal(qrig_taken(r, 0), "/a /b/17");
	assert_int_equal(qrig_lane(r, "other")->waiting, 0);
	qrig_check(r);
}

static int give_up(struct qrig *r, uint64_t id)
{
	return rig_settle(&r->store, id, HF_RECORD_DEAD, 0);
}

static void end_in_store(struct qrig *r, uint64_t id)
{
	assert_int_equal(give_up(r, id), 0);
}

static void a_cut_before_they_end_with_it(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b, *c;
	uint64_t id[3];

	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	b = leave_after(r, "lane", "/b/{holdfast:n}", a);
	c = leave_after(r, "other", "/c/{holdfast:n}", b);
	id[0] = a->a.id;
	id[1] = b->a.id;
	id[2] = c->a.id;
	cut(r, end_in_store, id[0]);
	qrig_advance(r, 1000);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(qrig_state(r, id[i]).status, HF_RECORD_DEAD);
		assert_int_equal(qrig_state(r, id[i]).reason, HF_REASON_AFTER_FAILED);
	}
	qrig_check(r);
}

/* It goes again, behind the one that waits for it in the same lane. */
static void come_back_in_store(struct qrig *r, uint64_t id)
{
	struct hf_store_requeue q = { .id = id, .created_dev_ms = UINT64_C(1) << 40 };

	assert_int_equal(give_up(r, id), 0);
	assert_int_equal(RIG_DO(&r->store, hf_store_requeue, &q), 0);
}

static void a_lane_does_not_wait_for_what_stands_behind_it(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;

	answer_with_a_number(r);
	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	leave_after(r, "lane", "/b/{holdfast:n}", a);
	cut(r, come_back_in_store, a->a.id);
	qrig_taken(r, 0);
	come_up(r);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/a /b/17");
	assert_int_equal(qrig_lane(r, "lane")->waiting, 0);
	qrig_check(r);
}

static void revive_in_store(struct qrig *r, uint64_t id)
{
	struct hf_store_requeue q = { .id = id, .created_dev_ms = 2 };

	assert_int_equal(RIG_DO(&r->store, hf_store_requeue, &q), 0);
}

static void a_cut_before_they_come_back_with_it(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b;
	uint64_t id;

	answer_with_a_number(r);
	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	b = leave_after(r, "lane", "/b/{holdfast:n}", a);
	leave_after(r, "other", "/c/{holdfast:n}", b);
	qrig_advance(r, 20000);
	assert_int_equal(qrig_cancel(r, a->a.public_id), 0);
	qrig_advance(r, 1000);
	assert_int_equal(qrig_state(r, b->a.id).status, HF_RECORD_DEAD);
	id = a->a.id;
	cut(r, revive_in_store, id);
	qrig_taken(r, 0);
	come_up(r);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/a /b/17 /c/17");
	qrig_check(r);
}

/* More parents at once than are remembered one by one. */
static void none_is_forgotten(void **state)
{
	struct qrig *r = *state;
	struct qreq *parents[HF_DEPENDENTS_PARENTS + 8], *children[HF_DEPENDENTS_PARENTS + 8];
	char target[32];

	r->origin[0].up = false;
	for (unsigned i = 0; i < HF_DEPENDENTS_PARENTS + 8; i++) {
		snprintf(target, sizeof(target), "/a%u", i);
		parents[i] = qrig_leave(r, target, "x");
		children[i] = leave_after(r, "other", "/b/{holdfast:n}", parents[i]);
	}
	qrig_advance(r, 20000);
	for (unsigned i = 0; i < HF_DEPENDENTS_PARENTS + 8; i++)
		assert_int_equal(qrig_cancel(r, parents[i]->a.public_id), 0);
	qrig_advance(r, 30000);
	for (unsigned i = 0; i < HF_DEPENDENTS_PARENTS + 8; i++)
		assert_int_equal(qrig_state(r, children[i]->a.id).reason, HF_REASON_AFTER_FAILED);
	qrig_check(r);
}

static void one_that_was_given_up_cannot_be_waited_for(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b;

	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	qrig_advance(r, 20000);
	assert_int_equal(qrig_cancel(r, a->a.public_id), 0);
	b = leave_after(r, "other", "/b/{holdfast:n}", a);
	assert_int_equal(b->done, HF_ESTATE);
	qrig_check(r);
}

static void too_old_ones_end_and_take_others_with_them(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b;

	r->origin[0].up = false;
	a = qrig_request(r, "/a", "x");
	a->policy.max_age_s = 60;
	qreq_take(a, true);
	qreq_admit(a);
	fake_port_settle(&r->store.port);
	b = leave_after(r, "other", "/b/{holdfast:n}", a);
	qrig_advance(r, 120000);
	assert_int_equal(qrig_state(r, a->a.id).reason, HF_REASON_EXPIRED);
	assert_int_equal(qrig_state(r, b->a.id).reason, HF_REASON_AFTER_FAILED);
	qrig_check(r);
}

#define DEPENDENTS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEPENDENTS_TEST(only_its_own_lane_waits),
		DEPENDENTS_TEST(a_lane_says_that_it_waits_for_another),
		DEPENDENTS_TEST(a_cut_before_they_end_with_it),
		DEPENDENTS_TEST(a_lane_does_not_wait_for_what_stands_behind_it),
		DEPENDENTS_TEST(a_cut_before_they_come_back_with_it),
		DEPENDENTS_TEST(none_is_forgotten),
		DEPENDENTS_TEST(one_that_was_given_up_cannot_be_waited_for),
		DEPENDENTS_TEST(too_old_ones_end_and_take_others_with_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
