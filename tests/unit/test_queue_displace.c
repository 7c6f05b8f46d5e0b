/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes whose oldest requests make room for the newest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"

static struct qreq *begin(struct qrig *r, const char *target, uint32_t most)
{
	struct qreq *q = qrig_request(r, target, "x");

	q->policy.max_entries = most;
	q->policy.when_full = HF_WHEN_FULL_DROP_OLDEST;
	qreq_take(q, true);
	return q;
}

static struct qreq *leave(struct qrig *r, const char *target, uint32_t most)
{
	struct qreq *q = begin(r, target, most);

	qreq_admit(q);
	qrig_settle(r);
	assert_int_equal(q->done, 0);
	return q;
}

static void oldest_makes_room(void **state)
{
	struct qrig *r = *state;
	struct hf_record_state s;
	uint64_t first;

	r->origin[0].up = false;
	first = leave(r, "/1", 2)->a.id;
	leave(r, "/2", 2);
	qrig_events(r);
	leave(r, "/3", 2);
	assert_string_equal(qrig_events(r), "queued /3 \ncancelled /1 displaced\n");
	s = qrig_state(r, first);
	assert_int_equal(s.status, HF_RECORD_CANCELLED);
	assert_int_equal(s.reason, HF_REASON_DISPLACED);
	qrig_check(r);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/2 /3");
	qrig_check(r);
}

/* A gauge that is written every second of a long outage, and over a restart. */
static void latest_of_many_is_left(void **state)
{
	struct qrig *r = *state;
	char target[16];

	r->origin[0].up = false;
	for (int i = 0; i < 300; i++) {
		snprintf(target, sizeof(target), "/%d", i);
		leave(r, target, 1);
		assert_int_equal(qrig_lane(r, "lane")->waiting, 1);
		if (i % 100 == 50)
			qrig_restart(r);
	}
	qrig_check(r);
	qrig_taken(r, 0);
	r->origin[0].up = true;
	qrig_advance(r, 600000);
	assert_string_equal(qrig_taken(r, 0), "/299");
	qrig_check(r);
}

/* What the origin may be working on is not taken back. */
static void one_that_is_being_sent_stays(void **state)
{
	struct qrig *r = *state;

	r->origin[0].manual = true;
	leave(r, "/1", 1);
	fake_connect(fake_exchange(&r->origin[0], 0));
	qrig_settle(r);
	leave(r, "/2", 1);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 2);
	qrig_events(r);
	leave(r, "/3", 1);
	assert_string_equal(qrig_events(r), "queued /3 \ncancelled /2 displaced\n");
	fake_answer_whole(fake_exchange(&r->origin[0], 0),
			  &(struct fake_answer_to){ .status = 201 });
	r->origin[0].manual = false;
	qrig_advance(r, 10000);
	assert_non_null(strstr(qrig_taken(r, 0), "/3"));
	assert_int_equal(qrig_lane(r, "lane")->waiting, 0);
	qrig_check(r);
}

/* A lane that nobody looks after does not stand still for ever. */
static void held_one_makes_room(void **state)
{
	struct qrig *r = *state;
	struct qreq *q = begin(r, "/1", 1);

	q->a.hold = true;
	q->a.reason = HF_REASON_AUTH;
	qreq_admit(q);
	qrig_settle(r);
	leave(r, "/2", 1);
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/2");
	assert_int_equal(qrig_state(r, q->a.id).reason, HF_REASON_DISPLACED);
	qrig_check(r);
}

/* Many at once: none is refused, the last ones stay. */
static void burst_is_taken(void **state)
{
	struct qrig *r = *state;
	struct qreq *q[60];
	char target[16];

	r->origin[0].up = false;
	for (int i = 0; i < 60; i++) {
		snprintf(target, sizeof(target), "/%d", i);
		q[i] = begin(r, target, 3);
		qreq_admit(q[i]);
		assert_int_equal(q[i]->err, 0);
	}
	qrig_settle(r);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 3);
	leave(r, "/last", 3);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 3);
	for (int i = 0; i < 60; i++)
		assert_int_equal(q[i]->done, 0);
	qrig_taken(r, 0);
	r->origin[0].up = true;
	qrig_advance(r, 600000);
	assert_string_equal(qrig_taken(r, 0), "/58 /59 /last");
	qrig_check(r);
}

static void closing_down_in_the_middle_leaks_nothing(void **state)
{
	struct qrig *r = *state;

	r->origin[0].up = false;
	leave(r, "/1", 1);
	for (unsigned turns = 0; turns < 12; turns++) {
		struct qreq *q = begin(r, "/2", 1);

		qreq_admit(q);
		for (unsigned i = 0; i < turns; i++)
			qrig_turn(r);
		qrig_restart(r);
	}
	leave(r, "/3", 1);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 1);
	qrig_check(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(oldest_makes_room),
		TEST(latest_of_many_is_left),
		TEST(one_that_is_being_sent_stays),
		TEST(held_one_makes_room),
		TEST(burst_is_taken),
		TEST(closing_down_in_the_middle_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
