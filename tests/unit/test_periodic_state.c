/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a periodic registration and the grid it is fired on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "sync/periodic_state.h"
#include "sync/tag_state.h"

#define MIN  INT64_C(60000)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)
#define T0   (1000 * HOUR)

static struct hf_periodic_facts at(int64_t dev_ms)
{
	return (struct hf_periodic_facts){ .now_dev_ms = dev_ms,
					   .now_wall_ms = 1800000000000 + dev_ms,
					   .synced_wall_ms = 1800000000000 + dev_ms,
					   .floor_ms = MIN,
					   .named_max_ms = DAY,
					   .retries = 3,
					   .crashes_max = 3,
					   .key = 77,
					   .min_interval_ms = HOUR,
					   .share = 0x8000,
					   .why = HF_TAG_WHY_ANSWER,
					   .answer = 500 };
}

static bool step(struct hf_periodic_state *s, enum hf_periodic_event event, int64_t dev_ms)
{
	struct hf_periodic_facts f = at(dev_ms);

	return hf_periodic_step(s, event, &f);
}

/* Registered at T0, an hour: due half a tenth later than that. */
#define PHASE (3 * MIN)

static struct hf_periodic_state fresh(void)
{
	struct hf_periodic_state s = { 0 };

	assert_true(step(&s, HF_PERIODIC_REGISTER, T0));
	return s;
}

static struct hf_periodic_state in(enum hf_periodic_status status)
{
	struct hf_periodic_state s = fresh();

	s.status = (uint8_t)status;
	return s;
}

/* Rows of the table as from, event, to; what is not here must change nothing. */
#define S(name) HF_PERIODIC_##name
static const uint8_t moves[][3] = {
	{ S(NONE), S(REGISTER), S(WAITING) },
	{ S(WAITING), S(REGISTER), S(WAITING) },
	{ S(PENDING), S(REGISTER), S(PENDING) },
	{ S(FIRING), S(REGISTER), S(REREGISTERED) },
	{ S(REREGISTERED), S(REGISTER), S(REREGISTERED) },
	{ S(RETRYING), S(REGISTER), S(RETRYING) },
	{ S(WAITING), S(DUE), S(PENDING) },
	{ S(RETRYING), S(DUE), S(PENDING) },
	{ S(PENDING), S(FIRE), S(FIRING) },
	{ S(FIRING), S(SUCCESS), S(WAITING) },
	{ S(FIRING), S(FAILURE), S(RETRYING) },
	{ S(FIRING), S(OFFLINE), S(PENDING) },
	{ S(FIRING), S(RESTART), S(PENDING) },
	{ S(REREGISTERED), S(SUCCESS), S(WAITING) },
	{ S(REREGISTERED), S(FAILURE), S(WAITING) },
	{ S(REREGISTERED), S(OFFLINE), S(PENDING) },
	{ S(REREGISTERED), S(RESTART), S(PENDING) },
	{ S(WAITING), S(UNREGISTER), S(NONE) },
	{ S(PENDING), S(UNREGISTER), S(NONE) },
	{ S(FIRING), S(UNREGISTER), S(NONE) },
	{ S(REREGISTERED), S(UNREGISTER), S(NONE) },
	{ S(RETRYING), S(UNREGISTER), S(NONE) },
};
#undef S

static int expected(uint8_t from, uint8_t event)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i][0] == from && moves[i][1] == event)
			return moves[i][2];
	return -1;
}

static void every_state_and_event(void **state)
{
	(void)state;
	for (uint8_t from = 0; from < HF_PERIODIC_STATUSES; from++) {
		for (uint8_t event = 0; event < HF_PERIODIC_EVENTS; event++) {
			struct hf_periodic_state s = in(from), before = s;
			bool moved = step(&s, event, T0 + MIN);
			int to = expected(from, event);

			if (moved != (to >= 0) || (moved && s.status != to))
				fail_msg("%s, event %u: %s", hf_periodic_status_name(from), event,
					 hf_periodic_status_name(s.status));
			if (!moved)
				assert_memory_equal(&s, &before, sizeof(s));
		}
	}
}

/* From the due time to the end of a run that begins @late and takes @takes. */
static void run_of(struct hf_periodic_state *s, int64_t late, int64_t takes, bool well)
{
	int64_t now = s->due_dev_ms + late;

	assert_true(step(s, HF_PERIODIC_DUE, now));
	assert_true(step(s, HF_PERIODIC_FIRE, now));
	assert_true(step(s, well ? HF_PERIODIC_SUCCESS : HF_PERIODIC_FAILURE, now + takes));
}

static void the_first_is_due_an_interval_after_the_registration(void **state)
{
	struct hf_periodic_state s = fresh();

	(void)state;
	assert_int_equal(s.due_dev_ms, T0 + HOUR + PHASE);
	assert_int_equal(s.due_wall_ms, 1800000000000 + s.due_dev_ms);
	assert_int_equal(s.created_dev_ms, T0);
	assert_int_equal(s.result, HF_PERIODIC_NO_RESULT);
}

static void shares_spread_over_a_tenth(void **state)
{
	struct hf_periodic_facts f = at(T0);

	(void)state;
	for (unsigned share = 0; share <= 0xffff; share += 0x1111) {
		struct hf_periodic_state s = { 0 };

		f.share = (uint16_t)share;
		hf_periodic_step(&s, HF_PERIODIC_REGISTER, &f);
		assert_in_range(s.due_dev_ms, T0 + HOUR, T0 + HOUR + 6 * MIN - 1);
	}
}

static void an_interval_below_the_floor_is_the_floor(void **state)
{
	struct hf_periodic_facts f = at(T0);
	struct hf_periodic_state s = { 0 };

	(void)state;
	f.min_interval_ms = 0;
	hf_periodic_step(&s, HF_PERIODIC_REGISTER, &f);
	assert_int_equal(s.min_interval_ms, 0);
	assert_int_equal(hf_periodic_interval_ms(&s, MIN), MIN);
	assert_int_equal(s.due_dev_ms, T0 + MIN + 3000);
}

static void late_and_long_runs_do_not_move_the_next(void **state)
{
	struct hf_periodic_state s = fresh();

	(void)state;
	for (int i = 1; i <= 1000; i++) {
		assert_int_equal(s.due_dev_ms, T0 + PHASE + i * HOUR);
		run_of(&s, 17 + i % 5 * MIN, 1234 + i, true);
	}
	assert_int_equal(s.runs, 1000);
	assert_int_equal(s.missed, 0);
}

static void missed_ones_are_one_run(void **state)
{
	struct hf_periodic_state s = fresh();

	(void)state;
	run_of(&s, 7 * HOUR + 2 * MIN, 1000, true);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.missed, 7);
	assert_int_equal(s.result, HF_PERIODIC_SUCCEEDED);
	assert_int_equal(s.due_dev_ms, T0 + PHASE + 9 * HOUR);
}

static void a_late_run_leads_back_to_the_grid_by_tenths(void **state)
{
	struct hf_periodic_state s = fresh();
	int64_t last;

	(void)state;
	run_of(&s, 30 * MIN, 0, true);
	for (int off = 24; off > 0; off -= 6) {
		last = s.began_dev_ms;
		assert_int_equal((s.due_dev_ms - T0 - PHASE) % HOUR, off * MIN);
		assert_int_equal(s.due_dev_ms - last, 54 * MIN);
		run_of(&s, 0, 0, true);
	}
	assert_int_equal((s.due_dev_ms - T0 - PHASE) % HOUR, 0);
	assert_int_equal(s.missed, 0);
}

static void a_run_that_takes_longer_than_its_interval_is_not_followed_at_once(void **state)
{
	struct hf_periodic_state s = fresh();

	(void)state;
	run_of(&s, 0, 3 * HOUR + MIN, true);
	assert_int_equal(s.due_dev_ms, T0 + PHASE + 5 * HOUR);
}

static void retries_fit_into_a_tenth(void **state)
{
	static const int64_t delays[] = { 45000, 90000, 180000 };
	struct hf_periodic_state s = fresh();
	int64_t began = s.due_dev_ms, now = began;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		run_of(&s, 0, 0, false);
		assert_int_equal(s.status, HF_PERIODIC_RETRYING);
		assert_int_equal(s.attempts, i + 1);
		assert_int_equal(s.due_dev_ms - now, delays[i]);
		assert_int_equal(s.began_dev_ms, began);
		now = s.due_dev_ms;
	}
	assert_true(now - began <= HOUR / 10);
	run_of(&s, 0, 0, false);
	assert_int_equal(s.status, HF_PERIODIC_WAITING);
	assert_int_equal(s.attempts, 0);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.result, HF_PERIODIC_FAILED);
	assert_int_equal(s.result_why, HF_TAG_WHY_ANSWER);
	assert_int_equal(s.last_status, 500);
	assert_int_equal(s.due_dev_ms, T0 + PHASE + 2 * HOUR);
}

static void a_slow_failure_has_no_time_left_for_retries(void **state)
{
	struct hf_periodic_state s = fresh();

	(void)state;
	run_of(&s, 0, 6 * MIN, false);
	assert_int_equal(s.status, HF_PERIODIC_WAITING);
	assert_int_equal(s.result, HF_PERIODIC_FAILED);
}

static void a_retry_after_is_obeyed(void **state)
{
	struct hf_periodic_facts f;
	struct hf_periodic_state s = in(HF_PERIODIC_FIRING);

	(void)state;
	s.began_dev_ms = s.due_dev_ms;
	f = at(s.due_dev_ms);
	f.delay_ms = 5 * MIN;
	assert_true(hf_periodic_step(&s, HF_PERIODIC_FAILURE, &f));
	assert_int_equal(s.status, HF_PERIODIC_RETRYING);
	assert_true(s.bound);
	assert_int_equal(s.due_dev_ms, f.now_dev_ms + 5 * MIN);
	s = in(HF_PERIODIC_FIRING);
	s.began_dev_ms = f.now_dev_ms;
	f.delay_ms = 4 * HOUR;
	assert_true(hf_periodic_step(&s, HF_PERIODIC_FAILURE, &f));
	assert_int_equal(s.status, HF_PERIODIC_WAITING);
	assert_true(s.bound);
	assert_int_equal(s.due_dev_ms, f.now_dev_ms + 4 * HOUR);
	run_of(&s, 0, 0, true);
	assert_false(s.bound);
	assert_int_equal((s.due_dev_ms - T0 - PHASE) % HOUR, 0);
}

static void another_interval_has_the_same_anchor_and_fires_nothing_at_once(void **state)
{
	struct hf_periodic_facts f = at(T0 + 40 * MIN);
	struct hf_periodic_state s = fresh();

	(void)state;
	f.min_interval_ms = 10 * MIN;
	assert_true(hf_periodic_step(&s, HF_PERIODIC_REGISTER, &f));
	assert_int_equal(s.due_dev_ms, T0 + 40 * MIN + MIN / 2);
	f.now_dev_ms = T0 + 41 * MIN;
	f.min_interval_ms = HOUR;
	assert_true(hf_periodic_step(&s, HF_PERIODIC_REGISTER, &f));
	assert_int_equal(s.due_dev_ms, T0 + HOUR + PHASE);
	assert_int_equal(s.missed, 0);
}

static void registered_again_while_firing_is_not_retried(void **state)
{
	struct hf_periodic_state s = in(HF_PERIODIC_FIRING);

	(void)state;
	s.began_dev_ms = s.due_dev_ms;
	assert_true(step(&s, HF_PERIODIC_REGISTER, s.due_dev_ms));
	assert_true(step(&s, HF_PERIODIC_FAILURE, s.due_dev_ms));
	assert_int_equal(s.status, HF_PERIODIC_WAITING);
	assert_int_equal(s.result, HF_PERIODIC_FAILED);
}

static void what_was_not_tried_does_not_count(void **state)
{
	struct hf_periodic_state s = in(HF_PERIODIC_FIRING);

	(void)state;
	s.attempts = 1;
	assert_true(step(&s, HF_PERIODIC_OFFLINE, T0 + HOUR + PHASE));
	assert_int_equal(s.status, HF_PERIODIC_PENDING);
	assert_int_equal(s.attempts, 1);
	assert_int_equal(s.runs, 0);
}

static void the_third_crash_in_a_row_ends_the_run(void **state)
{
	struct hf_periodic_state s = in(HF_PERIODIC_FIRING);
	int64_t now = s.due_dev_ms;

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		assert_true(step(&s, HF_PERIODIC_RESTART, now));
		assert_int_equal(s.status, HF_PERIODIC_PENDING);
		assert_int_equal(s.crashes, i);
		assert_true(step(&s, HF_PERIODIC_FIRE, now));
	}
	assert_true(step(&s, HF_PERIODIC_RESTART, now));
	assert_int_equal(s.status, HF_PERIODIC_WAITING);
	assert_int_equal(s.result, HF_PERIODIC_FAILED);
	assert_int_equal(s.crashes, 0);
	assert_int_equal(s.due_dev_ms, T0 + PHASE + 2 * HOUR);
}

/* ---- starts ---- */

static void a_start_knows_by_the_clock_how_long_the_device_was_off(void **state)
{
	struct hf_periodic_facts f = at(T0 + 5 * MIN);
	struct hf_periodic_state s = fresh();

	(void)state;
	f.synced_wall_ms += 5 * HOUR; /* off for five hours */
	hf_periodic_catch_up(&s, &f);
	assert_true(s.due_dev_ms <= f.now_dev_ms);
	assert_int_equal(s.due_dev_ms, T0 + HOUR + PHASE - 5 * HOUR);
	assert_true(step(&s, HF_PERIODIC_DUE, f.now_dev_ms));
	assert_true(step(&s, HF_PERIODIC_FIRE, f.now_dev_ms));
	assert_true(step(&s, HF_PERIODIC_SUCCESS, f.now_dev_ms));
	assert_int_equal(s.missed, 4);
	assert_int_equal(s.due_dev_ms, T0 + PHASE + HOUR); /* the sixth of the old grid */
}

static void a_clock_that_jumps_makes_no_storm_and_no_end(void **state)
{
	static const int64_t years[] = { 366 * DAY, -366 * DAY, 30 * 366 * DAY, -30 * 366 * DAY };

	(void)state;
	for (size_t i = 0; i < sizeof(years) / sizeof(years[0]); i++) {
		struct hf_periodic_facts f = at(T0 + 10 * MIN);
		struct hf_periodic_state s = fresh();
		int64_t left;

		f.synced_wall_ms += years[i];
		hf_periodic_catch_up(&s, &f);
		hf_periodic_bound(&s, &f);
		left = s.due_dev_ms - f.now_dev_ms;
		if (years[i] < 0) {
			assert_int_equal(left, 50 * MIN + PHASE);
			continue;
		}
		assert_true(left <= 0);
		assert_true(step(&s, HF_PERIODIC_DUE, f.now_dev_ms));
		assert_true(step(&s, HF_PERIODIC_FIRE, f.now_dev_ms));
		assert_true(step(&s, HF_PERIODIC_SUCCESS, f.now_dev_ms));
		left = s.due_dev_ms - f.now_dev_ms;
		assert_in_range(left, HOUR - HOUR / 10, HOUR + HOUR / 10);
	}
}

static void without_a_clock_the_time_off_does_not_count(void **state)
{
	struct hf_periodic_facts f = at(T0 + 10 * MIN);
	struct hf_periodic_state s = fresh(), before = s;

	(void)state;
	f.synced_wall_ms = 0;
	hf_periodic_catch_up(&s, &f);
	assert_memory_equal(&s, &before, sizeof(s));
	f = at(T0 + 10 * MIN);
	f.synced_wall_ms += DAY;
	s.due_wall_ms = 0;
	before = s;
	hf_periodic_catch_up(&s, &f);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void a_wait_is_bounded_when_device_time_was_lost(void **state)
{
	struct hf_periodic_facts f = at(100 * HOUR); /* T0 is a thousand */
	struct hf_periodic_state s = fresh();

	(void)state;
	hf_periodic_bound(&s, &f);
	assert_true(s.created_dev_ms <= f.now_dev_ms && s.began_dev_ms <= f.now_dev_ms);
	assert_in_range(s.due_dev_ms - f.now_dev_ms, 0, HOUR + HOUR / 10);
	run_of(&s, 0, 0, true);
	assert_in_range(s.due_dev_ms - s.began_dev_ms, HOUR - HOUR / 10, HOUR + HOUR / 10);
	s.bound = true;
	s.due_dev_ms = f.now_dev_ms + 300 * DAY;
	hf_periodic_bound(&s, &f);
	assert_int_equal(s.due_dev_ms, f.now_dev_ms + DAY);
}

/* ---- the medium ---- */

static void comes_back_from_the_medium(void **state)
{
	struct hf_periodic_state s = fresh(), back;
	uint8_t bytes[HF_PERIODIC_VALUE_SIZE], again[HF_PERIODIC_VALUE_SIZE],
		other[HF_TAG_VALUE_SIZE];
	struct hf_tag_state tag = { .status = HF_TAG_PENDING };

	(void)state;
	run_of(&s, 0, 7, false);
	s.declared = true;
	s.crashes = 2;
	s.created_dev_ms = -5 * DAY;
	hf_periodic_encode(&s, bytes);
	assert_int_equal(hf_periodic_decode(hf_span((char *)bytes, sizeof(bytes)), &back), 0);
	hf_periodic_encode(&back, bytes);
	hf_periodic_encode(&s, again);
	assert_memory_equal(again, bytes, sizeof(bytes));
	assert_int_equal(back.created_dev_ms, s.created_dev_ms);
	assert_int_equal(back.due_dev_ms, s.due_dev_ms);
	assert_true(back.declared);
	assert_int_equal(back.crashes, 2);
	assert_int_equal(hf_periodic_decode(hf_span((char *)bytes, sizeof(bytes) - 1), &back),
			 HF_ECORRUPT);
	bytes[2] = HF_PERIODIC_STATUSES;
	assert_int_equal(hf_periodic_decode(hf_span((char *)bytes, sizeof(bytes)), &back),
			 HF_ECORRUPT);
	hf_periodic_encode(&s, bytes);
	bytes[71] = 0x7f; /* due in a million years */
	assert_int_equal(hf_periodic_decode(hf_span((char *)bytes, sizeof(bytes)), &back),
			 HF_ECORRUPT);
	hf_tag_encode(&tag, other);
	assert_int_equal(hf_periodic_decode(hf_span((char *)other, sizeof(other)), &back),
			 HF_ECORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(the_first_is_due_an_interval_after_the_registration),
		cmocka_unit_test(shares_spread_over_a_tenth),
		cmocka_unit_test(an_interval_below_the_floor_is_the_floor),
		cmocka_unit_test(late_and_long_runs_do_not_move_the_next),
		cmocka_unit_test(missed_ones_are_one_run),
		cmocka_unit_test(a_late_run_leads_back_to_the_grid_by_tenths),
		cmocka_unit_test(a_run_that_takes_longer_than_its_interval_is_not_followed_at_once),
		cmocka_unit_test(retries_fit_into_a_tenth),
		cmocka_unit_test(a_slow_failure_has_no_time_left_for_retries),
		cmocka_unit_test(a_retry_after_is_obeyed),
		cmocka_unit_test(another_interval_has_the_same_anchor_and_fires_nothing_at_once),
		cmocka_unit_test(registered_again_while_firing_is_not_retried),
		cmocka_unit_test(what_was_not_tried_does_not_count),
		cmocka_unit_test(the_third_crash_in_a_row_ends_the_run),
		cmocka_unit_test(a_start_knows_by_the_clock_how_long_the_device_was_off),
		cmocka_unit_test(a_clock_that_jumps_makes_no_storm_and_no_end),
		cmocka_unit_test(without_a_clock_the_time_off_does_not_count),
		cmocka_unit_test(a_wait_is_bounded_when_device_time_was_lost),
		cmocka_unit_test(comes_back_from_the_medium),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
