/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

static void follows_from_the_seed_alone(void **state)
{
	struct hf_rand a, b;
	int i;

	(void)state;
	hf_rand_init(&a, 42);
	hf_rand_init(&b, 42);
	for (i = 0; i < 100; i++)
		assert_true(hf_rand_u64(&a) == hf_rand_u64(&b));
	hf_rand_init(&b, 43);
	assert_true(hf_rand_u64(&a) != hf_rand_u64(&b));
}

/* The reference code with the state 1, 2, 3, 4. */
static void is_xoshiro256_starstar(void **state)
{
	struct hf_rand r = { { 1, 2, 3, 4 } };

	(void)state;
	assert_true(hf_rand_u64(&r) == UINT64_C(11520));
	assert_true(hf_rand_u64(&r) == UINT64_C(0));
	assert_true(hf_rand_u64(&r) == UINT64_C(1509978240));
	assert_true(hf_rand_u64(&r) == UINT64_C(1215971899390074240));
}

static void stays_below_the_bound_and_reaches_all(void **state)
{
	unsigned counts[6] = { 0 };
	struct hf_rand r;
	int i;

	(void)state;
	hf_rand_init(&r, 1);
	for (i = 0; i < 6000; i++)
		counts[hf_rand_below(&r, 6)]++;
	for (i = 0; i < 6; i++)
		assert_in_range(counts[i], 850, 1150);
	assert_int_equal(hf_rand_below(&r, 1), 0);
	assert_true(hf_rand_below(&r, UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_from_the_seed_alone),
		cmocka_unit_test(is_xoshiro256_starstar),
		cmocka_unit_test(stays_below_the_bound_and_reaches_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
