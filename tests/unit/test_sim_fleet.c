/* SPDX-License-Identifier: Apache-2.0 */
/* Many devices find their origin again: all is delivered, the same each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet.h"

static const struct sim_fleet_options fleet_of_50 = { .seed = 1,
						      .devices = 50,
						      .queued = 2,
						      .outage_us = 5 * SIM_US_PER_MIN };

static void assert_holds(const struct sim_fleet *f)
{
	struct sim_fleet_tick sum = sim_fleet_sum(f, 0, f->ticks_n);
	size_t i;

	assert_true(sim_fleet_holds(f));
	assert_int_equal(f->totals.accepted, 150);
	assert_int_equal(f->kept, 100);
	assert_int_equal(sum.taken + sum.refused, f->requests);
	assert_int_equal(sum.refused, f->refused);
	assert_true(sim_fleet_peak(f) <= f->requests);
	assert_int_equal(f->requests - f->refused, 100);
	for (i = 0; i < f->opt.devices; i++)
		assert_true(f->devices[i].first_us <= f->devices[i].last_us);
	assert_true(sim_fleet_returned(f, 0) <= sim_fleet_returned(f, 0.5));
	assert_true(sim_fleet_returned(f, 0.5) <= sim_fleet_returned(f, 1));
}

static void a_fleet_is_back_within_two_seconds(void **state)
{
	struct sim_fleet f;

	(void)state;
	sim_fleet_run(&f, &fleet_of_50);
	assert_holds(&f);
	assert_int_equal(f.refused, 0);
	assert_true(f.knocks > 50 * 5);
	assert_true(sim_fleet_returned(&f, 1) < 2 * SIM_US_PER_S);
	sim_fleet_finish(&f);
}

static void a_fleet_with_its_cables_is_back_at_once(void **state)
{
	struct sim_fleet_options opt = fleet_of_50;
	struct sim_fleet f;

	(void)state;
	opt.cables = true;
	sim_fleet_run(&f, &opt);
	assert_holds(&f);
	assert_int_equal(f.knocks, 0);
	assert_true(sim_fleet_returned(&f, 1) < SIM_US_PER_S);
	sim_fleet_finish(&f);
}

/* 100 orders at five a second are 20 seconds; who comes back with all others each
 * ten seconds takes ten times as long and is refused a dozen times. */
static void refused_devices_do_not_come_back_together(void **state)
{
	struct sim_fleet_options opt = fleet_of_50;
	struct sim_fleet f;

	(void)state;
	opt.capacity = 5;
	opt.retry_after_s = 10;
	sim_fleet_run(&f, &opt);
	assert_holds(&f);
	assert_in_range(f.end_us - f.back_us, 20 * SIM_US_PER_S, 80 * SIM_US_PER_S);
	assert_true(f.attempts_max <= 9);
	sim_fleet_finish(&f);
}

static void the_same_seed_is_the_same_fleet(void **state)
{
	struct sim_fleet_options opt = fleet_of_50;
	struct sim_fleet a, b, other;

	(void)state;
	opt.devices = 10;
	sim_fleet_run(&a, &opt);
	sim_fleet_run(&b, &opt);
	opt.seed = 2;
	sim_fleet_run(&other, &opt);
	assert_true(a.trace_hash == b.trace_hash);
	assert_true(a.trace_hash != other.trace_hash);
	sim_fleet_finish(&a);
	sim_fleet_finish(&b);
	sim_fleet_finish(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fleet_is_back_within_two_seconds),
		cmocka_unit_test(a_fleet_with_its_cables_is_back_at_once),
		cmocka_unit_test(refused_devices_do_not_come_back_together),
		cmocka_unit_test(the_same_seed_is_the_same_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
