/* SPDX-License-Identifier: Apache-2.0 */
/* Looking ahead: what the mark of a successor says, and when it is taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_rig.h"

static int setup(void **state)
{
	static struct qrig r;

	qrig_init(&r);
	r.origin[0].up = false;
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	qrig_finish(*state);
	return 0;
}

static const struct fake_answer_to created = { .status = 201 };

/* Leaves /a and /b, has /a answered, and returns the exchange of /b, which has
 * no connection yet. */
static struct hf_exchange *answer_the_first(struct qrig *r, struct qreq **b,
					    enum hf_idempotency idempotency)
{
	struct hf_exchange *x;

	qrig_leave(r, "/a", "1");
	*b = qrig_request(r, "/b", "2");
	(*b)->policy.idempotency = idempotency;
	qreq_take(*b, true);
	qreq_admit(*b);
	qrig_settle(r);
	r->origin[0].manual = true;
	r->origin[0].up = true;
	qrig_advance(r, 5000);
	x = fake_exchange(&r->origin[0], 0);
	assert_non_null(x);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_false(qrig_state(r, (*b)->a.id).inflight);
	while (!x->body_done)
		assert_true(fake_writable(x));
	fake_answer_whole(x, &created);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_non_null(x);
	assert_true(hf_span_eq_str(x->msg->target, "/b"));
	return x;
}

static void successor_is_marked_with_its_predecessors_answer(void **state)
{
	struct qrig *r = *state;
	struct qreq *b;
	struct hf_exchange *x = answer_the_first(r, &b, HF_IDEMPOTENCY_KEYED);

	assert_true(qrig_state(r, b->a.id).inflight);
	assert_true(qrig_state(r, b->a.id).maybe_received);
	fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
	qrig_settle(r);
}

static void mark_is_taken_back_when_nothing_was_sent(void **state)
{
	struct qrig *r = *state;
	struct qreq *b;
	struct hf_exchange *x = answer_the_first(r, &b, HF_IDEMPOTENCY_KEYED);
	struct hf_record_state s;

	fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
	qrig_settle(r);
	s = qrig_state(r, b->a.id);
	assert_int_equal(s.status, HF_RECORD_QUEUED);
	assert_false(s.inflight);
	assert_false(s.maybe_received);
}

static void request_that_may_not_be_repeated_is_not_marked_ahead(void **state)
{
	struct qrig *r = *state;
	struct qreq *b;
	struct hf_exchange *x = answer_the_first(r, &b, HF_IDEMPOTENCY_NEVER);

	assert_false(qrig_state(r, b->a.id).inflight);
	fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
	qrig_settle(r);
}

static void cut_after_a_mark_ahead_sends_it_all_the_same(void **state)
{
	struct qrig *r = *state;
	struct qreq *b;

	answer_the_first(r, &b, HF_IDEMPOTENCY_KEYED);
	qrig_restart(r);
	r->origin[0].manual = false;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	qrig_check(r);
}

/* Ordinal of @target in the order of arrival. */
static long place(const char *taken, const char *target)
{
	const char *at = strstr(taken, target);

	assert_non_null(at);
	return at - taken;
}

static void long_lanes_leave_others_their_turn(void **state)
{
	struct qrig *r = *state;
	char lane[16], target[32];
	const char *taken;

	for (unsigned n = 0; n < 60; n++)
		for (unsigned i = 0; i < 9; i++) {
			snprintf(lane, sizeof(lane), "lane%u", i);
			snprintf(target, sizeof(target), "/%u/%03u", i, n);
			qrig_leave_in(r, lane, target);
		}
	r->origin[0].up = true;
	qrig_advance(r, 60000);
	taken = qrig_taken(r, 0);
	for (unsigned i = 0; i < 9; i++) {
		snprintf(target, sizeof(target), "/%u/000", i);
		assert_true(place(taken, target) < place(taken, "/0/040") ||
			    place(taken, target) < place(taken, "/1/040"));
	}
	qrig_check(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(successor_is_marked_with_its_predecessors_answer),
		TEST(mark_is_taken_back_when_nothing_was_sent),
		TEST(request_that_may_not_be_repeated_is_not_marked_ahead),
		TEST(cut_after_a_mark_ahead_sends_it_all_the_same),
		TEST(long_lanes_leave_others_their_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
