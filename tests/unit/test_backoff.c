/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/backoff.h"

static void stays_between_half_the_base_and_the_cap(void **state)
{
	struct hf_rand rand;
	unsigned failures, i;

	(void)state;
	hf_rand_init(&rand, 1);
	for (failures = 0; failures < 70; failures++) {
		uint64_t high = failures < 10 ? 1000u << failures : 600000;

		if (high > 600000)
			high = 600000;
		for (i = 0; i < 200; i++) {
			uint64_t ms = hf_backoff_ms(&rand, 1000, 600000, failures);

			assert_in_range(ms, 500, high);
		}
	}
}

static void spreads_over_the_whole_range(void **state)
{
	struct hf_rand rand;
	uint64_t low = UINT64_MAX, high = 0;
	unsigned i;

	(void)state;
	hf_rand_init(&rand, 2);
	for (i = 0; i < 2000; i++) {
		uint64_t ms = hf_backoff_ms(&rand, 1000, 600000, 3);

		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	assert_in_range(low, 500, 600);
	assert_in_range(high, 7900, 8000);
}

static void a_cap_below_the_base_wins(void **state)
{
	struct hf_rand rand;
	unsigned i;

	(void)state;
	hf_rand_init(&rand, 3);
	for (i = 0; i < 50; i++)
		assert_in_range(hf_backoff_ms(&rand, 1000, 300, i), 300, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_between_half_the_base_and_the_cap),
		cmocka_unit_test(spreads_over_the_whole_range),
		cmocka_unit_test(a_cap_below_the_base_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
