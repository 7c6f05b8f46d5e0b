/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/timerq.h"
#include "failing_alloc.h"
#include "holdfast/err.h"
#include "base/rand.h"

static int fired[64], fired_n;
static uint64_t wake_ms;
static unsigned wakes;

struct named {
	struct hf_timer timer;
	int name;
	struct hf_timerq *q;
	struct hf_timer *also; /* set for @also_ms when this one fires */
	uint64_t also_ms;
};

static void on_fire(void *user)
{
	struct named *t = user;

	assert_false(hf_timer_is_set(&t->timer));
	fired[fired_n++] = t->name;
	if (t->also)
		assert_int_equal(hf_timerq_set(t->q, t->also, t->also_ms), 0);
}

static void on_wake(void *user, uint64_t due_ms)
{
	(void)user;
	wake_ms = due_ms;
	wakes++;
}

static int begin(void **state)
{
	(void)state;
	fired_n = 0;
	wakes = 0;
	wake_ms = 0;
	return 0;
}

static void init(struct named *t, int n, struct hf_timerq *q)
{
	int i;

	hf_timerq_init(q, on_wake, NULL);
	for (i = 0; i < n; i++) {
		t[i] = (struct named){ .name = i, .q = q };
		hf_timer_init(&t[i].timer, on_fire, &t[i]);
	}
}

static void assert_fired(int n, ...)
{
	va_list args;
	int i;

	va_start(args, n);
	assert_int_equal(fired_n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(fired[i], va_arg(args, int));
	va_end(args);
}

static void fires_by_due_time_then_in_the_order_of_setting(void **state)
{
	struct hf_timerq q;
	struct named t[4];

	(void)state;
	begin(state);
	init(t, 4, &q);
	hf_timerq_set(&q, &t[3].timer, 20);
	hf_timerq_set(&q, &t[1].timer, 10);
	hf_timerq_set(&q, &t[2].timer, 10);
	hf_timerq_set(&q, &t[0].timer, 30);
	assert_int_equal(hf_timerq_next(&q), 10);
	hf_timerq_run(&q, 20);
	assert_fired(3, 1, 2, 3);
	assert_true(hf_timer_is_set(&t[0].timer));
	hf_timerq_finish(&q);
	assert_false(hf_timer_is_set(&t[0].timer));
}

static void moves_and_clears_timers(void **state)
{
	struct hf_timerq q;
	struct named t[3];

	(void)state;
	begin(state);
	init(t, 3, &q);
	hf_timerq_set(&q, &t[0].timer, 10);
	hf_timerq_set(&q, &t[1].timer, 20);
	hf_timerq_set(&q, &t[2].timer, 30);
	hf_timerq_set(&q, &t[0].timer, 40);
	hf_timerq_clear(&q, &t[1].timer);
	hf_timerq_clear(&q, &t[1].timer);
	hf_timerq_run(&q, 100);
	assert_fired(2, 2, 0);
	assert_true(hf_timerq_next(&q) == HF_TIMER_NEVER);
	hf_timerq_finish(&q);
}

static void leaves_what_is_set_in_a_run_for_the_next_one(void **state)
{
	struct hf_timerq q;
	struct named t[3];

	(void)state;
	begin(state);
	init(t, 3, &q);
	t[0].also = &t[2].timer;
	t[0].also_ms = 1; /* in the past, and before t[1] */
	hf_timerq_set(&q, &t[0].timer, 5);
	hf_timerq_set(&q, &t[1].timer, 10);
	hf_timerq_run(&q, 20);
	assert_fired(2, 0, 1);
	assert_true(hf_timerq_next(&q) <= 20);
	assert_true(wake_ms <= 20);
	hf_timerq_run(&q, 20);
	assert_fired(3, 0, 1, 2);
	hf_timerq_finish(&q);
}

static void can_set_itself_again_when_it_fires(void **state)
{
	struct hf_timerq q;
	struct named t[1];

	(void)state;
	begin(state);
	init(t, 1, &q);
	t[0].also = &t[0].timer;
	t[0].also_ms = 0;
	hf_timerq_set(&q, &t[0].timer, 0);
	hf_timerq_run(&q, 0);
	assert_fired(1, 0);
	hf_timerq_run(&q, 0);
	assert_fired(2, 0, 0);
	hf_timerq_finish(&q);
}

static void asks_for_a_wake_up_only_when_it_must_be_earlier(void **state)
{
	struct hf_timerq q;
	struct named t[2];

	(void)state;
	begin(state);
	init(t, 2, &q);
	hf_timerq_set(&q, &t[0].timer, 50);
	assert_int_equal(wake_ms, 50);
	hf_timerq_set(&q, &t[1].timer, 60);
	hf_timerq_set(&q, &t[0].timer, 70);
	hf_timerq_clear(&q, &t[1].timer);
	assert_int_equal(wakes, 1);
	hf_timerq_set(&q, &t[1].timer, 40);
	assert_int_equal(wakes, 2);
	assert_int_equal(wake_ms, 40);
	hf_timerq_run(&q, 45);
	assert_int_equal(wakes, 3);
	assert_int_equal(wake_ms, 70);
	hf_timerq_run(&q, 80);
	assert_true(wake_ms == HF_TIMER_NEVER);
	hf_timerq_finish(&q);
}

/* Against a plain array. */
static void agrees_with_a_simple_model(void **state)
{
	struct hf_timerq q;
	struct named t[32];
	uint64_t due[32];
	struct hf_rand r;
	int step, i;

	(void)state;
	begin(state);
	init(t, 32, &q);
	hf_rand_init(&r, 5);
	for (i = 0; i < 32; i++)
		due[i] = HF_TIMER_NEVER;
	for (step = 0; step < 20000; step++) {
		uint64_t least = HF_TIMER_NEVER;

		i = (int)hf_rand_below(&r, 32);
		if (hf_rand_below(&r, 3) == 0) {
			hf_timerq_clear(&q, &t[i].timer);
			due[i] = HF_TIMER_NEVER;
		} else {
			due[i] = hf_rand_below(&r, 1000);
			assert_int_equal(hf_timerq_set(&q, &t[i].timer, due[i]), 0);
		}
		for (i = 0; i < 32; i++)
			if (due[i] < least)
				least = due[i];
		assert_true(hf_timerq_next(&q) == least);
	}
	hf_timerq_finish(&q);
}

static void leaves_a_timer_as_it_was_without_memory(void **state)
{
	struct hf_timerq q;
	struct named t[17];
	int i;

	(void)state;
	begin(state);
	init(t, 17, &q);
	alloc_countdown = 0;
	assert_int_equal(hf_timerq_set(&q, &t[0].timer, 1), HF_ENOMEM);
	assert_false(hf_timer_is_set(&t[0].timer));
	alloc_countdown = -1;
	for (i = 0; i < 16; i++)
		assert_int_equal(hf_timerq_set(&q, &t[i].timer, 5), 0);
	alloc_countdown = 0;
	assert_int_equal(hf_timerq_set(&q, &t[0].timer, 7), 0);
	assert_int_equal(hf_timerq_set(&q, &t[16].timer, 1), HF_ENOMEM);
	alloc_countdown = -1;
	assert_false(hf_timer_is_set(&t[16].timer));
	assert_int_equal(hf_timerq_next(&q), 5);
	hf_timerq_finish(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_by_due_time_then_in_the_order_of_setting),
		cmocka_unit_test(moves_and_clears_timers),
		cmocka_unit_test(leaves_what_is_set_in_a_run_for_the_next_one),
		cmocka_unit_test(can_set_itself_again_when_it_fires),
		cmocka_unit_test(asks_for_a_wake_up_only_when_it_must_be_earlier),
		cmocka_unit_test(agrees_with_a_simple_model),
		cmocka_unit_test(leaves_a_timer_as_it_was_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
