/* SPDX-License-Identifier: Apache-2.0 */
/* The periodic sync manager: when events are fired, and what survives. */
#include <setjmp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast_config.h"
#include "lib/reg_rig.h"
#include "lib/store_files.h"

#define MIN  UINT64_C(60000)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)
#define YEAR (366 * DAY)

static struct regrig rig;
static struct fake_answer_to next = { .status = 200 };

static void answer(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	(void)x;
	*out = next;
}

static int setup(void **state)
{
	(void)state;
	regrig_init(&rig);
	rig.q.origin[0].answer = answer;
	rig.q.origin[0].up = true;
	next = (struct fake_answer_to){ .status = 200 };
	return rig.err;
}

static int teardown(void **state)
{
	(void)state;
	regrig_finish(&rig);
	return 0;
}

static void pass(uint64_t ms)
{
	qrig_advance(&rig.q, ms);
}

static void pass_until(const char *tag, const char *state)
{
	for (int i = 0; i < 10000; i++, pass(1000))
		if (strcmp(regrig_figures(&rig, tag).state, state) == 0)
			return;
	fail_msg("%s is never %s", tag, state);
}

static void cut(void)
{
	regrig_restart(&rig);
	assert_int_equal(rig.err, 0);
	rig.q.origin[0].answer = answer;
}

/* ---- time ---- */

static void is_fired_once_in_each_interval_without_drift(void **state)
{
	struct hf_periodic_figures f;

	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	f = regrig_figures(&rig, "menu");
	assert_string_equal(f.state, "waiting");
	assert_in_range(f.next_ms, HOUR, HOUR + HOUR / 10);
	pass(f.next_ms - 1);
	assert_int_equal(regrig_hits(&rig), 0);
	pass(HOUR / 20 + 2);
	assert_int_equal(regrig_hits(&rig), 1);
	pass(1000 * HOUR);
	assert_int_equal(regrig_hits(&rig), 1001);
	f = regrig_figures(&rig, "menu");
	assert_int_equal(f.runs, 1001);
	assert_int_equal(f.missed, 0);
	assert_string_equal(f.result, "success");
	assert_int_equal(f.result_status, 200);
}

static void those_that_are_due_near_each_other_share_a_wake_up(void **state)
{
	char tag[8];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(tag, sizeof(tag), "p%d", i);
		assert_int_equal(regrig_periodic(&rig, tag, 12 * MIN), 0);
	}
	for (int i = 0; i < 60; i++) {
		pass(12 * MIN);
		/* pages say that it went well */
		while (rig.event[0] &&
		       !hf_periodic_settle(rig.periodic, 0, hf_span_str(rig.event), true))
			pass(1);
	}
	assert_true(rig.fired >= 20 * 10);
	/* twenty phases within 72 s, each of which may be 36 s late */
	assert_true(rig.wakeups * 5 < rig.fired);
}

static void an_idle_device_hardly_wakes(void **state)
{
	unsigned before;
	char tag[8];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		assert_int_equal(regrig_periodic(&rig, tag, 6 * HOUR), 0);
	}
	before = rig.q.wakes;
	pass(DAY);
	assert_in_range(regrig_hits(&rig), 60, 80);
	/* a wake-up here is one look at the timers; a busy minute has some */
	assert_true(rig.q.wakes - before < DAY / 10000);
}

static void an_outage_of_days_is_made_up_for_by_one_event(void **state)
{
	struct hf_periodic_figures f;

	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	pass(2 * HOUR);
	rig.q.origin[0].up = false;
	pass(3 * DAY);
	f = regrig_figures(&rig, "menu");
	assert_string_equal(f.state, "pending");
	assert_string_equal(f.waits_for, "network");
	assert_int_equal(f.attempts, 0);
	rig.q.origin[0].up = true;
	(void)regrig_told(&rig);
	pass(10 * MIN);
	assert_non_null(strstr(regrig_told(&rig), "menu succeeded\n"));
	f = regrig_figures(&rig, "menu");
	assert_string_equal(f.state, "waiting");
	assert_in_range(f.missed, 68, 73);
	assert_in_range(f.next_ms, HOUR - HOUR / 10 - 10 * MIN, HOUR + HOUR / 10);
}

static void a_failure_is_retried_within_a_tenth(void **state)
{
	struct hf_periodic_figures f;

	(void)state;
	next.status = 500;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	pass(HOUR + HOUR / 4);
	assert_int_equal(regrig_hits(&rig), 1 + CONFIG_HF_PERIODIC_RETRIES);
	f = regrig_figures(&rig, "menu");
	assert_string_equal(f.result, "failure");
	assert_string_equal(f.result_why, "answer");
	assert_int_equal(f.result_status, 500);
	assert_int_equal(f.runs, 1);
	assert_string_equal(f.state, "waiting");
	next.status = 200;
	pass(HOUR);
	f = regrig_figures(&rig, "menu");
	assert_string_equal(f.result, "success");
	assert_int_equal(f.runs, 2);
}

/* ---- conditions ---- */

static void a_metered_link_is_waited_for(void **state)
{
	(void)state;
	rig.what.unmetered = true;
	rig.q.store.port.metered = true;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	pass(5 * HOUR);
	assert_int_equal(regrig_hits(&rig), 0);
	assert_string_equal(regrig_figures(&rig, "menu").waits_for, "metered");
	rig.q.store.port.metered = false;
	hf_periodic_look(rig.periodic);
	pass(MIN);
	assert_int_equal(regrig_hits(&rig), 1);
}

static void a_window_of_the_local_day_is_kept(void **state)
{
	struct fake_port *port = &rig.q.store.port;
	unsigned hits = 0;

	(void)state;
	rig.what.has_window = true; /* the port's day begins at 0:00 UTC */
	rig.what.from_min = 23 * 60;
	rig.what.to_min = 60;
	port->utc_offset_s = 7200;
	assert_int_equal(regrig_periodic(&rig, "menu", 10 * MIN), 0);
	for (int i = 0; i < 48; i++) {
		int64_t before = port->wall_ms, minute;

		pass(HOUR / 2);
		minute = (before / 60000 + 120) % 1440;
		if (regrig_hits(&rig) > hits && minute >= 60 && minute < 22 * 60 + 30)
			fail_msg("fired in the half hour from minute %d of the day", (int)minute);
		hits = regrig_hits(&rig);
	}
	assert_in_range(hits, 8, 13);
	port->trust = HF_CLOCK_UNSET;
	pass(DAY);
	assert_string_equal(regrig_figures(&rig, "menu").waits_for, "clock");
	port->trust = HF_CLOCK_SYNCED;
	hf_periodic_clock(rig.periodic);
	pass(DAY);
	assert_true(regrig_hits(&rig) > hits);
}

/* ---- clocks and starts ---- */

static void a_clock_that_jumps_while_it_runs_changes_nothing(void **state)
{
	static const int64_t jumps[] = { YEAR, -(int64_t)YEAR, -(int64_t)YEAR, YEAR, YEAR };

	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		pass(10 * HOUR);
		rig.q.store.port.wall_ms += jumps[i];
		hf_periodic_clock(rig.periodic);
	}
	pass(10 * HOUR);
	assert_in_range(regrig_hits(&rig), 58, 60);
}

static void a_clock_that_jumps_over_starts_makes_no_storm_and_no_end(void **state)
{
	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	for (int i = 0; i < 10; i++) {
		pass(10 * HOUR);
		rig.q.store.port.wall_ms += i % 2 ? (int64_t)YEAR : -(int64_t)YEAR;
		cut();
	}
	pass(10 * HOUR);
	/* each start with a clock that is ahead may fire once at once */
	assert_in_range(regrig_hits(&rig), 100, 116);
}

static void time_off_counts_when_the_clock_is_known(void **state)
{
	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", DAY), 0);
	pass(HOUR);
	rig.q.store.port.wall_ms += 3 * DAY;
	cut();
	pass(10 * MIN);
	assert_int_equal(regrig_hits(&rig), 1);
	assert_in_range(regrig_figures(&rig, "menu").missed, 1, 2);
}

static void a_clock_that_comes_later_says_it_then(void **state)
{
	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", DAY), 0);
	pass(HOUR);
	rig.q.store.port.trust = HF_CLOCK_UNSET;
	rig.q.store.port.wall_ms += 3 * DAY;
	cut();
	pass(10 * MIN);
	assert_int_equal(regrig_hits(&rig), 0);
	rig.q.store.port.trust = HF_CLOCK_SYNCED;
	hf_periodic_clock(rig.periodic);
	pass(10 * MIN);
	assert_int_equal(regrig_hits(&rig), 1);
	hf_periodic_clock(rig.periodic);
	pass(10 * MIN);
	assert_int_equal(regrig_hits(&rig), 1);
}

static void without_a_clock_ages_accumulate_over_cuts(void **state)
{
	(void)state;
	rig.q.store.port.trust = HF_CLOCK_UNSET;
	rig.q.store.port.wall_ms = 0;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	for (int i = 0; i < 100; i++) {
		pass(25 * MIN);
		cut();
	}
	/* 41 hours; a cut takes at most the quarter of an hour since the last save */
	assert_in_range(regrig_hits(&rig), 14, 42);
	assert_true(rig.saved > 50);
}

static void an_event_that_a_cut_ends_is_fired_again(void **state)
{
	(void)state;
	rig.q.origin[0].manual = true;
	assert_int_equal(regrig_periodic(&rig, "q", HOUR), 0);
	pass(HOUR + HOUR / 5);
	assert_string_equal(regrig_figures(&rig, "q").state, "firing");
	cut();
	rig.q.origin[0].manual = false;
	pass(MIN);
	assert_int_equal(regrig_figures(&rig, "q").runs, 1);
	assert_string_equal(regrig_figures(&rig, "q").result, "success");
}

/* ---- registrations ---- */

static void is_on_the_medium_before_it_is_answered(void **state)
{
	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", 2 * HOUR), 0);
	cut();
	assert_int_equal(regrig_figures(&rig, "menu").min_interval_ms, 2 * HOUR);
	assert_int_equal(regrig_periodic(&rig, "menu", 3 * HOUR), 0);
	cut();
	assert_int_equal(regrig_figures(&rig, "menu").min_interval_ms, 3 * HOUR);
	assert_int_equal(regrig_leave(&rig, "menu"), 0);
	cut();
	assert_null(regrig_figures(&rig, "menu").state);
	assert_int_equal(regrig_leave(&rig, "menu"), HF_ENOENT);
}

static void a_full_store_refuses_new_ones_and_goes_on_with_the_others(void **state)
{
	(void)state;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	rig.q.origin[0].up = false;
	assert_int_equal(regrig_sync(&rig, "a"), 0);
	rig.q.store.opt.bytes_max = 1 << 20;
	rig.q.store.opt.reserve_bytes = 1 << 20;
	cut();
	assert_int_equal(regrig_periodic(&rig, "more", HOUR), HF_EFULL);
	assert_null(regrig_figures(&rig, "more").state);
	assert_int_equal(regrig_sync(&rig, "more"), HF_EFULL);
	assert_null(regrig_tag(&rig, "more").state);
	rig.q.origin[0].up = true;
	pass(5 * HOUR);
	assert_int_equal(regrig_figures(&rig, "menu").runs, 4);
	assert_null(regrig_tag(&rig, "a").state);
	assert_int_equal(regrig_periodic(&rig, "menu", 2 * HOUR), 0);
	assert_int_equal(regrig_leave(&rig, "menu"), 0);
}

static void a_damaged_row_is_left_out_and_the_others_stay(void **state)
{
	static const char *const tags[] = { "a", "b", "c" };
	struct hf_periodic_totals t;
	struct hf_tags_totals s;

	(void)state;
	rig.q.origin[0].up = false;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(regrig_periodic(&rig, tags[i], HOUR), 0);
		assert_int_equal(regrig_sync(&rig, tags[i]), 0);
	}
	assert_int_equal(rig_close(&rig.q.store), 0);
	qrig_kill(&rig.q);
	rig_sql(&rig.q.store, "UPDATE registration SET sum=sum+1 WHERE tag=x'62'");
	assert_int_equal(rig_open(&rig.q.store), 0);
	qrig_begin(&rig.q);
	qrig_start(&rig.q);
	assert_int_equal(rig.err, 0);
	hf_periodic_totals(rig.periodic, UINT_MAX, &t);
	hf_tags_totals(rig.tags, UINT_MAX, &s);
	assert_int_equal(t.damaged, 1);
	assert_int_equal(s.damaged, 1);
	assert_non_null(regrig_figures(&rig, "a").state);
	assert_null(regrig_figures(&rig, "b").state);
	assert_non_null(regrig_figures(&rig, "c").state);
	assert_null(regrig_tag(&rig, "b").state);
	assert_non_null(regrig_tag(&rig, "c").state);
	/* what comes next does not take the place of what is there */
	assert_int_equal(regrig_periodic(&rig, "d", HOUR), 0);
	cut();
	assert_non_null(regrig_figures(&rig, "c").state);
	assert_non_null(regrig_figures(&rig, "d").state);
}

static void one_word_may_be_registered_as_both(void **state)
{
	(void)state;
	rig.q.origin[0].up = false;
	assert_int_equal(regrig_sync(&rig, "a"), 0);
	assert_int_equal(regrig_periodic(&rig, "a", HOUR), 0);
	cut();
	assert_string_equal(regrig_tag(&rig, "a").state, "pending");
	assert_string_equal(regrig_figures(&rig, "a").state, "waiting");
	assert_int_equal(regrig_leave(&rig, "a"), 0);
	cut();
	assert_string_equal(regrig_tag(&rig, "a").state, "pending");
	assert_null(regrig_figures(&rig, "a").state);
}

static void there_is_a_limit(void **state)
{
	char tag[16];

	(void)state;
	for (int i = 0; i < CONFIG_HF_PERIODIC_TAGS_MAX; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		assert_int_equal(regrig_periodic(&rig, tag, DAY), 0);
	}
	assert_int_equal(regrig_periodic(&rig, "more", DAY), HF_ELIMIT);
	assert_int_equal(regrig_leave(&rig, "t7"), 0);
	pass(1);
	assert_int_equal(regrig_periodic(&rig, "more", DAY), 0);
	assert_int_equal(regrig_periodic(&rig, "\xff", DAY), HF_EINVAL);
}

static void the_manifest_registers_and_lets_go(void **state)
{
	static char menu[] = "menu";

	(void)state;
	rig.declared[0] = rig.what;
	rig.declared[0].action.tag = menu;
	rig.declared[0].declared = true;
	rig.declared[0].min_interval_ms = HOUR;
	rig.declared_n = 1;
	cut();
	pass(1);
	assert_int_equal(regrig_figures(&rig, "menu").min_interval_ms, HOUR);
	rig.declared[0].min_interval_ms = 2 * HOUR;
	cut();
	pass(1);
	assert_int_equal(regrig_figures(&rig, "menu").min_interval_ms, 2 * HOUR);
	rig.declared_n = 0;
	cut();
	pass(1);
	assert_null(regrig_figures(&rig, "menu").state);
	rig.declared_n = 1;
	cut();
	assert_int_equal(regrig_periodic(&rig, "menu", 5 * HOUR), 0);
	cut();
	assert_int_equal(regrig_figures(&rig, "menu").min_interval_ms, 5 * HOUR);
	rig.declared_n = 0;
	cut();
	assert_int_equal(regrig_figures(&rig, "menu").min_interval_ms, 5 * HOUR);
}

static void a_page_has_a_time_limit(void **state)
{
	(void)state;
	assert_int_equal(regrig_periodic(&rig, "p", HOUR), 0);
	pass_until("p", "firing");
	assert_int_equal(hf_periodic_settle(rig.periodic, 1, hf_span_str(rig.event), true),
			 HF_ENOENT);
	pass(3 * MIN);
	assert_string_equal(regrig_figures(&rig, "p").state, "retrying");
	pass_until("p", "firing");
	assert_int_equal(hf_periodic_settle(rig.periodic, 0, hf_span_str(rig.event), true), 0);
	pass(1);
	assert_string_equal(regrig_figures(&rig, "p").result, "success");
}

/* One-off registrations go by the same time. */
static void a_clock_jump_is_nothing_to_a_one_off_registration(void **state)
{
	(void)state;
	next = (struct fake_answer_to){ .status = 503, .fields = "Retry-After: 600" };
	for (int i = 0; i < 4; i++) {
		unsigned hits = regrig_hits(&rig);

		assert_int_equal(regrig_sync(&rig, "a"), 0);
		pass(1000);
		assert_int_equal(regrig_hits(&rig), hits + 1);
		rig.q.store.port.wall_ms += i % 2 ? (int64_t)YEAR : -(int64_t)YEAR;
		regrig_save_time(&rig);
		if (i > 1)
			cut();
		pass(590000);
		assert_int_equal(regrig_hits(&rig), hits + 1);
		assert_string_equal(regrig_tag(&rig, "a").state, "waiting");
		next = (struct fake_answer_to){ .status = 200 };
		pass(HOUR);
		assert_int_equal(regrig_hits(&rig), hits + 2);
		assert_null(regrig_tag(&rig, "a").state);
		next = (struct fake_answer_to){ .status = 503, .fields = "Retry-After: 600" };
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_fired_once_in_each_interval_without_drift),
		TEST(those_that_are_due_near_each_other_share_a_wake_up),
		TEST(an_idle_device_hardly_wakes),
		TEST(an_outage_of_days_is_made_up_for_by_one_event),
		TEST(a_failure_is_retried_within_a_tenth),
		TEST(a_metered_link_is_waited_for),
		TEST(a_window_of_the_local_day_is_kept),
		TEST(a_clock_that_jumps_while_it_runs_changes_nothing),
		TEST(a_clock_that_jumps_over_starts_makes_no_storm_and_no_end),
		TEST(time_off_counts_when_the_clock_is_known),
		TEST(a_clock_that_comes_later_says_it_then),
		TEST(without_a_clock_ages_accumulate_over_cuts),
		TEST(an_event_that_a_cut_ends_is_fired_again),
		TEST(is_on_the_medium_before_it_is_answered),
		TEST(a_full_store_refuses_new_ones_and_goes_on_with_the_others),
		TEST(a_damaged_row_is_left_out_and_the_others_stay),
		TEST(one_word_may_be_registered_as_both),
		TEST(there_is_a_limit),
		TEST(the_manifest_registers_and_lets_go),
		TEST(a_page_has_a_time_limit),
		TEST(a_clock_jump_is_nothing_to_a_one_off_registration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
