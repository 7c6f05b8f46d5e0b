/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: who may go live, who waits, who goes behind the backlog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"

static struct qreq *take(struct qrig *r, const char *target)
{
	struct qreq *q = qrig_request(r, target, "x");

	qreq_take(q, false);
	return q;
}

static struct qreq *take_skip(struct qrig *r, const char *target)
{
	struct qreq *q = qrig_request(r, target, "x");

	q->policy.order = HF_ORDER_SKIP;
	qreq_take(q, false);
	return q;
}

static void first_one_goes_live_and_the_next_one_waits(void **state)
{
	struct qreq *a = take(*state, "/a"), *b = take(*state, "/b");

	assert_int_equal(a->grant, HF_GRANT_LIVE);
	assert_int_equal(b->grant, HF_GRANT_WAIT);
	qreq_give_back(a);
	assert_int_equal(b->grants, 1);
	assert_int_equal(b->grant, HF_GRANT_LIVE);
	qreq_give_back(b);
	qreq_give_back(b); /* once more does nothing */
}

static void lane_of_nobody_is_forgotten(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = take(r, "/a");

	assert_non_null(qrig_lane(r, "lane"));
	qreq_give_back(a);
	assert_null(qrig_lane(r, "lane"));
}

static void skip_lane_stays_while_anyone_has_a_turn(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = take_skip(r, "/a"), *b = take_skip(r, "/b");

	assert_int_equal(a->grant, HF_GRANT_LIVE);
	assert_int_equal(b->grant, HF_GRANT_LIVE);
	qreq_give_back(a);
	assert_non_null(qrig_lane(r, "lane"));
	qreq_admit(b); /* uses its lane */
	qrig_settle(r);
	assert_int_equal(b->done, 0);
	assert_string_equal(qrig_taken(r, 0), "/b");
}

static void behind_a_backlog_everyone_queues(void **state)
{
	struct qrig *r = *state;
	struct qreq *b;

	r->origin[0].up = false;
	qrig_leave(r, "/a", "x");
	b = take(r, "/b");
	assert_int_equal(b->grant, HF_GRANT_QUEUE);
	qreq_give_back(b);
}

static void origin_that_is_down_gets_nothing_live(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/a", "x");

	qreq_take(a, true);
	assert_int_equal(a->grant, HF_GRANT_QUEUE);
	qreq_give_back(a);
	assert_null(qrig_lane(r, "lane"));
}

/* A fails live and is being stored, B waits for A's end, C comes: behind B. */
static void nobody_passes_one_that_waits(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = take(r, "/a"), *b = take(r, "/b"), *c;

	b->admit_when_granted = true;
	r->origin[0].up = false;
	qreq_admit(a);
	c = qrig_request(r, "/c", "x");
	c->admit_when_granted = true;
	qreq_take(c, true);
	if (c->grant == HF_GRANT_QUEUE)
		qreq_admit(c);
	qrig_settle(r);
	assert_int_equal(a->done + b->done + c->done, 0);
	assert_true(a->a.id < b->a.id);
	assert_true(b->a.id < c->a.id);
	r->origin[0].up = true;
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/a /b /c");
}

/* An operator brings a dead record back while A is under way. */
static void backlog_that_comes_up_does_not_let_anyone_pass_the_live_one(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = take(r, "/a"), *other, *b;

	other = qrig_request(r, "/other", "x");
	other->policy.order = HF_ORDER_SKIP;
	r->origin[0].up = false;
	qreq_take(other, true);
	qreq_admit(other);
	qrig_settle(r);
	assert_int_equal(other->done, 0);
	b = take(r, "/b");
	assert_int_equal(b->grant, HF_GRANT_WAIT);
	qreq_give_back(a);
	assert_int_equal(b->grant, HF_GRANT_QUEUE);
}

/* The origin takes its time with each: who waited too long gets its 202. */
static void who_waits_long_is_queued_in_order(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = take(r, "/a"), *b = take(r, "/b"), *c = take(r, "/c"), *d;

	b->admit_when_granted = true;
	c->admit_when_granted = true;
	qrig_advance(r, CONFIG_HF_TURN_WAIT_MS - 1);
	d = take(r, "/d"); /* behind the others, who are a backlog then */
	d->admit_when_granted = true;
	qrig_advance(r, 2);
	assert_int_equal(b->grant, HF_GRANT_WAIT);
	qreq_give_back(a);
	assert_int_equal(b->grant, HF_GRANT_QUEUE);
	qrig_advance(r, 1000);
	assert_int_equal(b->done + c->done + d->done, 0);
	assert_string_equal(qrig_taken(r, 0), "/b /c /d");
}

static void held_record_of_a_skip_lane_is_no_backlog(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/a", "x"), *b;

	a->policy.order = HF_ORDER_SKIP;
	a->a.hold = true;
	a->a.reason = HF_REASON_AUTH;
	qreq_take(a, true);
	qreq_admit(a);
	qrig_settle(r);
	b = take_skip(r, "/b");
	assert_int_equal(b->grant, HF_GRANT_LIVE);
}

static void give_all_back(struct qreq *q)
{
	qreq_give_back(q);
}

static void thousands_that_wait_are_granted_without_a_deep_stack(void **state)
{
	struct qrig *r = *state;
	struct qreq *first = take(r, "/first"), *last = NULL;

	for (int i = 0; i < 20000; i++) {
		last = take(r, "/waits");
		last->on_grant = give_all_back;
	}
	qreq_give_back(first);
	assert_int_equal(last->grants, 1);
	assert_null(qrig_lane(r, "lane"));
}

static void nothing_is_granted_at_closing_down(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = take(r, "/a"), *b = take(r, "/b");

	rig_kill(&r->store);
	hf_queue_abandon(r->queue);
	qreq_give_back(a);
	assert_int_equal(b->grants, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_one_goes_live_and_the_next_one_waits),
		TEST(lane_of_nobody_is_forgotten),
		TEST(behind_a_backlog_everyone_queues),
		TEST(origin_that_is_down_gets_nothing_live),
		TEST(nobody_passes_one_that_waits),
		TEST(backlog_that_comes_up_does_not_let_anyone_pass_the_live_one),
		TEST(who_waits_long_is_queued_in_order),
		TEST(held_record_of_a_skip_lane_is_no_backlog),
		TEST(thousands_that_wait_are_granted_without_a_deep_stack),
		TEST(nothing_is_granted_at_closing_down),
		TEST(skip_lane_stays_while_anyone_has_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
