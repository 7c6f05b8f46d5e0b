/* SPDX-License-Identifier: Apache-2.0 */
/* When an origin is asked again: back-off, Retry-After, and what ends a wait. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/schedule_case.h"

static void retry_after_beats_the_edge(void **state)
{
	struct qrig *r = *state;

	next_answer = (struct fake_answer_to){ .status = 503, .fields = "Retry-After: 120" };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	r->origin[0].answer = NULL;
	hf_connectivity_link(r->connectivity, HF_LINK_UP);
	hf_connectivity_link(r->connectivity, HF_LINK_DOWN);
	qrig_advance(r, 10000);
	hf_connectivity_link(r->connectivity, HF_LINK_UP);
	qrig_advance(r, 10000);
	hf_sync_now(r->sync, UINT_MAX);
	qrig_advance(r, 90000);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_advance(r, 20000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

/* Seconds until the next attempt. */
static unsigned until_next_attempt(struct qrig *r)
{
	unsigned n = r->origin[0].performed, waited = 0;

	for (; r->origin[0].performed == n && waited < 1000; waited++)
		qrig_advance(r, 100);
	return waited / 10;
}

/* Who was refused with all others does not come back with all others. */
static void retry_after_is_spread_out_the_more_the_oftener(void **state)
{
	struct qrig *r = *state;
	unsigned waited, longest = 0;

	next_answer = (struct fake_answer_to){ .status = 503, .fields = "Retry-After: 20" };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	qrig_settle(r);
	waited = until_next_attempt(r);
	assert_in_range(waited, 20, 22);
	for (int i = 0; i < 20; i++) {
		waited = until_next_attempt(r);
		assert_in_range(waited, 20, 31);
		if (waited > longest)
			longest = waited;
	}
	assert_in_range(longest, 26, 31);
}

static void sync_now_ends_a_back_off(void **state)
{
	struct qrig *r = *state;

	next_answer = (struct fake_answer_to){ .status = 503 };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	qrig_advance(r, 600000);
	r->origin[0].answer = NULL;
	qrig_taken(r, 0);
	hf_sync_now(r->sync, UINT_MAX);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void back_off_grows_and_ends_with_success(void **state)
{
	struct qrig *r = *state;
	unsigned n;

	next_answer = (struct fake_answer_to){ .status = 503 };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	leave_at(r, 0, "/b");
	qrig_advance(r, 3600000);
	n = r->origin[0].performed;
	assert_in_range(n, 10, 40);
	next_answer = (struct fake_answer_to){ .status = 201 };
	qrig_advance(r, CONFIG_HF_BACKOFF_CAP_MS);
	assert_int_equal(r->origin[0].performed, n + 2);
	assert_int_equal(qrig_lane(r, "lane")->failures, 0);
}

/* Every lane's back-off has grown long; one that gets through tells the others. */
static void success_of_one_lane_ends_the_back_off_of_the_others(void **state)
{
	struct qrig *r = *state;
	unsigned n;

	next_answer = (struct fake_answer_to){ .status = 503 };
	r->origin[0].answer = answer_next;
	leave_many(r, 200, 2);
	qrig_advance(r, 2 * 3600000);
	qrig_taken(r, 0);
	next_answer = (struct fake_answer_to){ .status = 201 };
	n = r->origin[0].performed;
	while (r->origin[0].performed == n)
		qrig_advance(r, 1000);
	qrig_advance(r, 30000);
	assert_int_equal(r->origin[0].running, 0);
	qrig_check(r);
	for (int i = 0; i < 200; i++) {
		char lane[16];

		snprintf(lane, sizeof(lane), "lane%d", i);
		assert_int_equal(qrig_lane(r, lane)->waiting, 0);
	}
}

/* The page's own request has had an answer. */
static void answer_to_the_page_ends_a_back_off(void **state)
{
	static const struct hf_exchange_result answered = { .end = HF_END_COMPLETE };
	struct qrig *r = *state;
	unsigned n;

	next_answer = (struct fake_answer_to){ .status = 503 };
	r->origin[0].answer = answer_next;
	qrig_leave_in(r, "lane", "/a");
	qrig_advance(r, 2 * 3600000);
	next_answer = (struct fake_answer_to){ .status = 201 };
	n = r->origin[0].performed;
	hf_connectivity_report(r->connectivity, 0, &answered, 503);
	hf_connectivity_report(r->connectivity, 0, &answered, 429);
	qrig_advance(r, 5000);
	assert_int_equal(r->origin[0].performed, n);
	hf_connectivity_report(r->connectivity, 0, &answered, 200);
	qrig_advance(r, 5000);
	assert_int_equal(r->origin[0].performed, n + 1);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 0);
}

static void answer_by_target(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	if (hf_span_eq_str(x->msg->target, "/named/0"))
		*out = (struct fake_answer_to){ .status = 429, .fields = "Retry-After: 3600" };
	else if (hf_span_eq_str(x->msg->target, "/sick/0"))
		*out = (struct fake_answer_to){ .status = 503 };
	else
		*out = (struct fake_answer_to){ .status = 201 };
}

/* 507: ten minutes or more, whatever else the origin does. */
static void origin_without_room_is_left_alone(void **state)
{
	struct qrig *r = *state;

	next_answer = (struct fake_answer_to){ .status = 507 };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	r->origin[0].answer = NULL;
	qrig_leave_in(r, "other", "/b");
	hf_sync_link(r->sync);
	qrig_advance(r, 590000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	qrig_advance(r, 20000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

/* A lane that fails while the others go well is not asked with each of them. */
static void success_of_others_is_no_reason_to_storm(void **state)
{
	struct qrig *r = *state;
	struct hf_span all;
	unsigned sick = 0, named = 0;

	r->origin[0].answer = answer_by_target;
	qrig_leave_in(r, "named", "/named/0");
	qrig_leave_in(r, "sick", "/sick/0");
	for (int i = 0; i < 1800; i++) {
		qrig_leave_in(r, "well", "/well");
		qrig_advance(r, 1000);
	}
	all = hf_buf_span(&r->origin[0].log);
	while (all.len > 0) {
		struct hf_span line = hf_span_cut(&all, '\n');

		sick += line.len > 5 && memcmp(line.ptr, "/sick", 5) == 0;
		named += line.len > 6 && memcmp(line.ptr, "/named", 6) == 0;
	}
	assert_int_equal(named, 1);
	assert_in_range(sick, 10, 45); /* its own back-off, and once a minute */
}

static void fresh_connection_once_and_then_back_off(void **state)
{
	struct qrig *r = *state;

	next_answer = (struct fake_answer_to){ .status = 421 };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	qrig_settle(r);
	assert_int_equal(r->origin[0].performed, 2);
	qrig_advance(r, 60000);
	assert_in_range(r->origin[0].performed, 6, 24);
}

/* Its own back-off is long; the link that comes up ends it. */
static void link_that_comes_up_ends_a_wait_for_the_network(void **state)
{
	struct qrig *r = *state;

	next_answer = (struct fake_answer_to){ .status = 0, .end = HF_END_TIMEOUT };
	r->origin[0].answer = answer_next;
	leave_at(r, 0, "/a");
	qrig_advance(r, 3600000);
	r->origin[0].answer = NULL;
	qrig_taken(r, 0);
	hf_connectivity_link(r->connectivity, HF_LINK_DOWN);
	qrig_advance(r, 1000);
	hf_sync_link(r->sync);
	hf_connectivity_link(r->connectivity, HF_LINK_UP);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void clock_that_is_set_ends_a_wait_for_it(void **state)
{
	struct qrig *r = *state;

	next_answer = (struct fake_answer_to){ .status = 0, .end = HF_END_TLS_TIME };
	r->origin[0].answer = answer_next;
	leave_many(r, 2, 1);
	qrig_advance(r, 3600000);
	assert_int_equal(reach(r), HF_REACH_DOWN);
	r->origin[0].answer = NULL;
	qrig_taken(r, 0);
	hf_sync_clock(r->sync);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/0/0 /1/0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(retry_after_beats_the_edge),
		TEST(retry_after_is_spread_out_the_more_the_oftener),
		TEST(sync_now_ends_a_back_off),
		TEST(back_off_grows_and_ends_with_success),
		TEST(success_of_one_lane_ends_the_back_off_of_the_others),
		TEST(origin_without_room_is_left_alone),
		TEST(answer_to_the_page_ends_a_back_off),
		TEST(success_of_others_is_no_reason_to_storm),
		TEST(fresh_connection_once_and_then_back_off),
		TEST(link_that_comes_up_ends_a_wait_for_the_network),
		TEST(clock_that_is_set_ends_a_wait_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
