/* SPDX-License-Identifier: Apache-2.0 */
/* Retry-After and back-off over restarts, with clocks that are trusted or not. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast_config.h"
#include "lib/queue_case.h"

#define SECOND	 UINT64_C(1000)
#define NAMED_S	 3600
#define NAMED_MS (NAMED_S * SECOND)

static void set_trust(struct qrig *r, enum hf_clock_trust trust)
{
	r->store.port.trust = trust;
}

/* The origin has said 503 to /a, with or without a time, and is well again. */
static struct qreq *refuse(struct qrig *r, const char *fields)
{
	struct qreq *a;

	next_answer = (struct fake_answer_to){ .status = 503, .fields = fields };
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "x");
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
	next_answer = (struct fake_answer_to){ .status = 201 };
	return a;
}

static struct qreq *name_a_time(struct qrig *r)
{
	return refuse(r, "Retry-After: 3600");
}

/* Off for @ms: neither boot time nor device time counts them. */
static void restart_after(struct qrig *r, uint64_t ms)
{
	qrig_kill(r);
	fake_port_advance(&r->store.port, ms);
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	qrig_start(r);
}

static void check_asked_within(struct qrig *r, uint64_t quiet_ms, uint64_t then_ms)
{
	qrig_advance(r, quiet_ms);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_advance(r, then_ms);
	assert_string_equal(qrig_taken(r, 0), "/a");
	qrig_check(r);
}

static void named_time_outlives_restarts(void **state)
{
	struct qrig *r = *state;

	set_trust(r, HF_CLOCK_SYNCED);
	name_a_time(r);
	for (int i = 0; i < 5; i++) {
		qrig_advance(r, 60 * SECOND);
		restart_after(r, 30 * SECOND);
	}
	assert_string_equal(qrig_taken(r, 0), "");
	check_asked_within(r, NAMED_MS - 5 * 90 * SECOND - 5 * SECOND, 15 * SECOND);
}

static void time_off_counts_by_a_trusted_clock(void **state)
{
	struct qrig *r = *state;

	set_trust(r, HF_CLOCK_SYNCED);
	name_a_time(r);
	restart_after(r, NAMED_MS);
	qrig_advance(r, 2 * SECOND);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void wait_without_a_clock_is_bounded(void **state)
{
	static const enum hf_clock_trust trusts[] = { HF_CLOCK_UNSET, HF_CLOCK_RTC };
	struct qrig *r = *state;

	for (int i = 0; i < 2; i++) {
		set_trust(r, trusts[i]);
		name_a_time(r);
		restart_after(r, 10 * SECOND);
		check_asked_within(r, CONFIG_HF_BACKOFF_CAP_MS - SECOND, 2 * SECOND);
	}
}

/* The clock comes to be trusted a while after the start, as it does with NTP. */
static void clock_that_is_set_says_what_is_left(void **state)
{
	struct qrig *r = *state;

	set_trust(r, HF_CLOCK_SYNCED);
	name_a_time(r);
	set_trust(r, HF_CLOCK_UNSET);
	restart_after(r, 60 * SECOND);
	qrig_advance(r, 30 * SECOND);
	set_trust(r, HF_CLOCK_SYNCED);
	hf_sync_clock(r->sync);
	check_asked_within(r, NAMED_MS - 95 * SECOND, 10 * SECOND);
}

static void clock_that_is_set_ends_a_wait_that_is_over(void **state)
{
	struct qrig *r = *state;

	set_trust(r, HF_CLOCK_SYNCED);
	name_a_time(r);
	set_trust(r, HF_CLOCK_UNSET);
	restart_after(r, NAMED_MS);
	qrig_advance(r, 30 * SECOND);
	assert_string_equal(qrig_taken(r, 0), "");
	set_trust(r, HF_CLOCK_SYNCED);
	hf_sync_clock(r->sync);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void back_off_goes_on_after_a_restart(void **state)
{
	struct qrig *r = *state;
	struct hf_lane *lane;

	next_answer = (struct fake_answer_to){ .status = 503 };
	r->origin[0].answer = answer_next;
	qrig_leave(r, "/a", "x");
	qrig_advance(r, 3600 * SECOND);
	lane = qrig_lane(r, "lane");
	assert_true(lane->not_before_ms > 0);
	qrig_taken(r, 0);
	for (int i = 0; i < 20; i++) {
		restart_after(r, 0);
		qrig_settle(r);
	}
	/* at most the one whose time has come just then */
	assert_true(strlen(qrig_taken(r, 0)) <= 2);
	assert_true(qrig_lane(r, "lane")->failures >= 5);
	next_answer = (struct fake_answer_to){ .status = 201 };
	hf_sync_now(r->sync, UINT_MAX);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void person_ends_a_time_of_an_earlier_run(void **state)
{
	struct qrig *r = *state;
	char id[HF_ULID_LEN + 1];

	set_trust(r, HF_CLOCK_SYNCED);
	memcpy(id, name_a_time(r)->a.public_id, sizeof(id));
	restart_after(r, SECOND);
	qrig_settle(r);
	assert_int_equal(qrig_retry(r, id, NULL), 0);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void named_time_of_the_live_answer_outlives_a_restart(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/a", "x");

	set_trust(r, HF_CLOCK_SYNCED);
	a->a.reason = HF_REASON_RETRY_AFTER;
	a->a.not_before_delay_ms = NAMED_MS;
	qreq_take(a, false);
	qreq_admit(a);
	qrig_settle(r);
	restart_after(r, SECOND);
	check_asked_within(r, NAMED_MS - 5 * SECOND, 10 * SECOND);
}

static void others_of_the_origin_do_not_wait_for_it(void **state)
{
	struct qrig *r = *state;

	set_trust(r, HF_CLOCK_SYNCED);
	name_a_time(r);
	restart_after(r, SECOND);
	qrig_leave_in(r, "other", "/b");
	qrig_advance(r, SECOND);
	assert_string_equal(qrig_taken(r, 0), "/b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(named_time_outlives_restarts),
		TEST(time_off_counts_by_a_trusted_clock),
		TEST(wait_without_a_clock_is_bounded),
		TEST(clock_that_is_set_says_what_is_left),
		TEST(clock_that_is_set_ends_a_wait_that_is_over),
		TEST(back_off_goes_on_after_a_restart),
		TEST(person_ends_a_time_of_an_earlier_run),
		TEST(named_time_of_the_live_answer_outlives_a_restart),
		TEST(others_of_the_origin_do_not_wait_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
