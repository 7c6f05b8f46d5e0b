/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A day of registrations in which the n-th allocation fails, for every n: what
 * was answered is there, what was refused was refused with an error, and each
 * registration that stands is fired when there is memory again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/reg_rig.h"
#include "wrap_alloc.h"

#define HOUR UINT64_C(3600000)

static unsigned long counted, fails_from, fails_to;
static bool counting;

static bool alloc_fails(void)
{
	if (!counting)
		return false;
	counted++;
	return counted >= fails_from && counted < fails_to;
}

static struct regrig rig;

static void answer(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	static unsigned n;

	(void)user;
	(void)x;
	*out = (struct fake_answer_to){ .status = ++n % 3 ? 200 : 500 };
}

struct outcome {
	int sync[2], periodic[3], leave;
};

static void play(struct outcome *o)
{
	o->periodic[0] = regrig_periodic(&rig, "menu", HOUR);
	o->periodic[1] = regrig_periodic(&rig, "q", HOUR);
	o->periodic[2] = regrig_periodic(&rig, "page", HOUR);
	o->sync[0] = regrig_sync(&rig, "orders");
	qrig_advance(&rig.q, 3 * HOUR);
	rig.q.origin[0].up = false;
	o->sync[1] = regrig_sync(&rig, "later");
	qrig_advance(&rig.q, 2 * HOUR);
	o->leave = regrig_leave(&rig, "q");
	rig.q.origin[0].up = true;
	qrig_advance(&rig.q, 2 * HOUR);
}

static void check_runs(const char *tag, int err)
{
	struct hf_periodic_figures f = regrig_figures(&rig, tag);
	uint32_t runs = f.runs;

	if (err) /* refused, or in doubt: the medium decides */
		return;
	if (!f.state)
		fail_msg("allocation %lu: %s is gone", fails_from, tag);
	qrig_advance(&rig.q, 3 * HOUR);
	f = regrig_figures(&rig, tag);
	if (f.runs <= runs)
		fail_msg("allocation %lu: %s is %s and not fired any more", fails_from, tag,
			 f.state);
}

static void check(const struct outcome *o)
{
	counting = false;
	qrig_advance(&rig.q, 12 * HOUR);
	check_runs("menu", o->periodic[0]);
	check_runs("page", o->periodic[2]);
	if (!o->periodic[1] && !o->leave)
		assert_null(regrig_figures(&rig, "q").state);
	assert_null(regrig_tag(&rig, "orders").state);
	if (!o->sync[1])
		assert_null(regrig_tag(&rig, "later").state);
	regrig_restart(&rig);
	assert_int_equal(rig.err, 0);
	check_runs("menu", o->periodic[0]);
}

static void run(unsigned long from, unsigned long n)
{
	struct outcome o;

	counting = false;
	regrig_init(&rig);
	rig.q.origin[0].answer = answer;
	rig.q.origin[0].up = true;
	counted = 0;
	fails_from = from;
	fails_to = from + n;
	counting = true;
	play(&o);
	check(&o);
	regrig_finish(&rig);
}

static void any_single_allocation_may_fail(void **state)
{
	unsigned long n = 1;

	(void)state;
	do {
		run(n, 1);
		n += n < 400 ? 1 : 7;
	} while (counted >= n);
	assert_true(n > 400);
}

static void memory_may_be_short_for_a_while(void **state)
{
	unsigned long n, all;

	(void)state;
	run(1, 0);
	all = counted;
	for (n = 1; n < all; n += 29)
		run(n, 50);
}

static void arm(void)
{
	counted = 0;
	counting = true;
}

static void disarm(void)
{
	counting = false;
}

/* The load itself may fail; then the next start finds everything. */
static void a_start_without_memory_loses_nothing(void **state)
{
	(void)state;
	counting = false;
	regrig_init(&rig);
	rig.q.origin[0].answer = answer;
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
	assert_int_equal(regrig_sync(&rig, "later"), 0);
	for (unsigned long n = 1; n < 20; n++) {
		rig.before_start = arm;
		rig.after_start = disarm;
		fails_from = n;
		fails_to = n + 1;
		regrig_restart(&rig);
		rig.before_start = rig.after_start = NULL;
		regrig_restart(&rig);
		assert_int_equal(rig.err, 0);
		assert_non_null(regrig_figures(&rig, "menu").state);
		assert_string_equal(regrig_tag(&rig, "later").state, "pending");
	}
	regrig_finish(&rig);
}

/* An event for pages is due while there is no memory at all: it is not tried over
 * and over, and comes when there is some. */
static void an_event_without_memory_waits(void **state)
{
	(void)state;
	counting = false;
	regrig_init(&rig);
	rig.q.origin[0].up = true;
	assert_int_equal(regrig_periodic(&rig, "page", HOUR), 0);
	fails_from = 1;
	fails_to = 100000;
	arm();
	qrig_advance(&rig.q, 2 * HOUR);
	disarm();
	assert_in_range(counted, 1, 20000);
	assert_int_equal(rig.fired, 0);
	qrig_advance(&rig.q, HOUR / 60);
	assert_int_equal(rig.fired, 1);
	regrig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_single_allocation_may_fail),
		cmocka_unit_test(memory_may_be_short_for_a_while),
		cmocka_unit_test(a_start_without_memory_loses_nothing),
		cmocka_unit_test(an_event_without_memory_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
