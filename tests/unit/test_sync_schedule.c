/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: order, side by side, outages, trials. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/schedule_case.h"

/* ---- order and room ---- */

static void a_lane_goes_in_order(void **state)
{
	struct qrig *r = *state;

	r->origin[0].up = false;
	leave_many(r, 1, 20);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/0/0 /0/1 /0/2 /0/3 /0/4 /0/5 /0/6 /0/7 /0/8 /0/9 "
					      "/0/10 /0/11 /0/12 /0/13 /0/14 /0/15 /0/16 /0/17 "
					      "/0/18 /0/19");
	assert_int_equal(r->origin[0].running_max, 1);
	qrig_check(r);
}

static void lanes_go_side_by_side_up_to_the_limit(void **state)
{
	struct qrig *r = *state;

	go_down(r);
	leave_many(r, 4 * CONFIG_HF_REPLAY_CONCURRENCY, 2);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	assert_in_range(r->origin[0].running_max, CONFIG_HF_REPLAY_CONCURRENCY / 2 + 1,
			CONFIG_HF_REPLAY_CONCURRENCY);
	qrig_check(r);
	assert_int_equal(hf_connectivity_origin(r->connectivity, 0), HF_REACH_UP);
	assert_null(strstr(qrig_events(r), "dead"));
	assert_true(hf_sync_is_idle(r->sync));
}

/* One, two, four... as they are answered; half as many when it is pushed back. */
static void lanes_begin_slowly_after_an_outage(void **state)
{
	struct qrig *r = *state;
	unsigned most = CONFIG_HF_REPLAY_CONCURRENCY;

	r->origin[0].manual = true;
	go_down(r);
	leave_many(r, 4 * most, 1);
	r->origin[0].up = true;
	qrig_advance(r, 2000);
	for (unsigned n = 1; n < most; n *= 2) {
		assert_int_equal(r->origin[0].running, n);
		answer_all(r, 201);
	}
	assert_int_equal(r->origin[0].running, most);
	answer_all(r, 503);
	assert_int_equal(r->origin[0].running, most / 2);
	r->origin[0].manual = false;
}

static void urgent_lanes_go_first(void **state)
{
	static const uint8_t urgency[] = { 3, 7, 0, 3, 1 };
	struct qrig *r = *state;
	char lane[16], target[16];

	go_down(r);
	for (unsigned i = 0; i < 5; i++) {
		struct qreq *q;

		snprintf(target, sizeof(target), "/%u", i);
		snprintf(lane, sizeof(lane), "lane%u", i);
		q = qrig_request(r, target, "x");
		memcpy(q->policy.lane, lane, sizeof(lane));
		q->policy.urgency = urgency[i];
		qreq_take(q, true);
		qreq_admit(q);
		fake_port_settle(&r->store.port);
	}
	qrig_taken(r, 0);
	r->origin[0].up = true;
	qrig_restart(r); /* it is on the medium, too */
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/2 /4 /0 /3 /1");
}

/* A bucket of three, one more each second. */
static void bucket_bounds_the_rate(void **state)
{
	struct qrig *r = *state;
	unsigned n;

	r->origins[0].interval_ms = 1000;
	r->origins[0].burst = 3;
	qrig_restart(r);
	go_down(r);
	leave_many(r, 20, 2);
	qrig_advance(r, 60000);
	r->origin[0].up = true;
	hf_sync_now(r->sync, UINT_MAX);
	n = r->origin[0].performed;
	for (unsigned second = 0; second < 30; second++) {
		assert_true(r->origin[0].performed - n <= 3 + second);
		qrig_advance(r, 1000);
	}
	assert_true(r->origin[0].performed - n >= 28);
	qrig_advance(r, 30000);
	assert_int_equal(r->origin[0].performed - n, 40);
	qrig_check(r);
}

static void dead_origin_stops_nobody_else(void **state)
{
	struct qrig *r = *state;

	r->origin[0].up = false;
	leave_many(r, 20, 1);
	leave_at(r, 1, "/bank");
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 1), "/bank");
}

/* ---- outages ---- */

static void trial_lets_one_through_and_up_lets_all(void **state)
{
	struct qrig *r = *state;
	unsigned performed;

	go_down(r);
	leave_many(r, 5, 1);
	performed = r->origin[0].performed;
	qrig_advance(r, 5000);
	assert_int_equal(r->origin[0].running_max, 1);
	assert_in_range(r->origin[0].performed - performed, 3, 8);
	r->origin[0].up = true;
	qrig_advance(r, 2000);
	assert_int_equal(reach(r), HF_REACH_UP);
	qrig_check(r);
	assert_true(strlen(qrig_taken(r, 0)) >= 5 * 4);
}

static bool poison(const struct hf_exchange *x)
{
	return hf_span_eq_str(x->msg->target, "/0/0");
}

static void answer_but_poison(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	if (poison(x))
		*out = (struct fake_answer_to){ .status = 0, .end = HF_END_MALFORMED };
}

/* The origin dies of one request: the others find their way past it. */
static void request_that_kills_its_origin_stops_only_its_lane(void **state)
{
	struct qrig *r = *state;

	go_down(r);
	leave_many(r, 3, 2);
	r->origin[0].answer = answer_but_poison;
	r->origin[0].up = true;
	qrig_advance(r, 30000);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "/1/0"));
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "/2/1"));
}

/* The record that a trial takes turns out too old to be sent. */
static void trial_is_not_lost_on_one_that_is_not_sent(void **state)
{
	struct qrig *r = *state;

	go_down(r);
	for (int i = 0; i < 5; i++) {
		struct qreq *q = qrig_request(r, "/old", "x");

		q->policy.max_age_s = 60;
		qreq_take(q, true);
		qreq_admit(q);
	}
	qrig_settle(r);
	leave_at(r, 0, "/a");
	qrig_advance(r, 20 * 60000);
	leave_at(r, 0, "/b");
	qrig_events(r);
	r->origin[0].up = true;
	qrig_advance(r, 300000);
	assert_string_equal(qrig_taken(r, 0), "/a /b");
	qrig_check(r);
}

static void trial_goes_on_when_its_only_lane_is_cancelled(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;

	go_down(r);
	a = leave_at(r, 0, "/a");
	qrig_settle(r);
	assert_int_equal(qrig_cancel(r, a->a.public_id), 0);
	qrig_advance(r, 60000);
	assert_int_equal(reach(r), HF_REACH_DOWN);
	leave_at(r, 0, "/b");
	r->origin[0].up = true;
	qrig_advance(r, 2000);
	assert_string_equal(qrig_taken(r, 0), "/b");
}

/* ---- portals ---- */

static void portal_is_not_stormed(void **state)
{
	struct qrig *r = *state;
	unsigned before;

	next_answer = (struct fake_answer_to){ .status = 302,
					       .fields = "Location: http://portal.example/" };
	r->origin[0].answer = answer_next;
	go_down(r);
	leave_many(r, 30, 1);
	before = r->origin[0].performed;
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	assert_in_range(r->origin[0].performed - before, 5, 20);
	assert_int_equal(reach(r), HF_REACH_DOWN);
	next_answer = (struct fake_answer_to){ .status = 201 };
	qrig_advance(r, 10000);
	qrig_check(r);
	assert_true(hf_sync_is_idle(r->sync));
}

/* Some requests are answered, the others die: no attempt without a delay. */
static unsigned count;

static void answer_every_fourth(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	(void)x;
	*out = (struct fake_answer_to){ .status = ++count % 4 ? 0 : 503, .end = HF_END_COMPLETE };
}

static void origin_that_comes_and_goes_is_not_stormed(void **state)
{
	struct qrig *r = *state;

	count = 0;
	r->origin[0].answer = answer_every_fourth;
	leave_many(r, 30, 1);
	qrig_advance(r, 60000);
	/* 30 lanes for a minute, at most one attempt a second each at the worst */
	assert_in_range(r->origin[0].performed, 30, 30 * 60);
}

/* ---- life ---- */

static void nothing_is_sent_before_the_start_and_after_the_stop(void **state)
{
	struct qrig *r = *state;

	qrig_kill(r);
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	leave_at(r, 0, "/a");
	qrig_advance(r, 10000);
	assert_int_equal(r->origin[0].performed, 0);
	hf_sync_start(r->sync);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	hf_sync_stop(r->sync);
	leave_at(r, 0, "/b");
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "");
}

static void transport_without_room_is_asked_again_later(void **state)
{
	struct qrig *r = *state;

	r->origin[0].perform_err = HF_ELIMIT;
	leave_many(r, 10, 1);
	qrig_advance(r, 10000);
	r->origin[0].perform_err = 0;
	qrig_advance(r, 2000);
	assert_int_equal(r->origin[0].performed, 10);
	qrig_check(r);
}

static void trial_without_room_is_asked_again_later(void **state)
{
	struct qrig *r = *state;

	go_down(r);
	leave_many(r, 3, 1);
	r->origin[0].perform_err = HF_ENOMEM;
	qrig_advance(r, 10000);
	r->origin[0].perform_err = 0;
	r->origin[0].up = true;
	qrig_advance(r, 5000);
	assert_true(hf_sync_is_idle(r->sync));
	assert_true(strlen(qrig_taken(r, 0)) >= 3 * 4);
}

static void thousands_of_lanes_come_back_from_an_outage(void **state)
{
	struct qrig *r = *state;

	go_down(r);
	leave_many(r, 2000, 1);
	qrig_advance(r, 600000);
	assert_true(r->origin[0].performed < 1000);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	qrig_check(r);
	assert_int_equal(hf_connectivity_origin(r->connectivity, 0), HF_REACH_UP);
	assert_true(hf_sync_is_idle(r->sync));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lane_goes_in_order),
		TEST(lanes_go_side_by_side_up_to_the_limit),
		TEST(lanes_begin_slowly_after_an_outage),
		TEST(urgent_lanes_go_first),
		TEST(bucket_bounds_the_rate),
		TEST(dead_origin_stops_nobody_else),
		TEST(trial_lets_one_through_and_up_lets_all),
		TEST(request_that_kills_its_origin_stops_only_its_lane),
		TEST(trial_is_not_lost_on_one_that_is_not_sent),
		TEST(trial_goes_on_when_its_only_lane_is_cancelled),
		TEST(portal_is_not_stormed),
		TEST(origin_that_comes_and_goes_is_not_stormed),
		TEST(nothing_is_sent_before_the_start_and_after_the_stop),
		TEST(transport_without_room_is_asked_again_later),
		TEST(trial_without_room_is_asked_again_later),
		TEST(thousands_of_lanes_come_back_from_an_outage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
