/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out at every allocation of a reading's way, for that one or for good. A
 * sensor that hears 5.03 may rely on it: nothing was accepted, and nothing of that message
 * will be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sensor_case.h"
#include "wrap_alloc.h"

#define NTH_MAX	    2000
#define UNAVAILABLE HF_COAP_CODE(5, 3)
#define INTERNAL    HF_COAP_CODE(5, 0)

static const struct sensor_ask reading = {
	.code = POST,
	.token = "tk",
	.path = "/api/readings",
	.payload = "21.5",
	.format = 1,
	.mid = 77,
};

/* Allocations that still succeed, then one fails, or all; negative: all succeed. */
static int alloc_countdown = -1;
static bool for_good, failed;

static bool alloc_fails(void)
{
	if (alloc_countdown > 0)
		alloc_countdown--;
	else if (alloc_countdown == 0) {
		failed = true;
		alloc_countdown = for_good ? 0 : -1;
		return true;
	}
	return false;
}

enum stage {
	ARRIVAL, /* until the queue has it */
	COMMIT	 /* and from there to the answer */
};

/* As the socket hands it over: what the rig needs for it is not what runs out. */
static void arrive(const char *bytes, size_t len)
{
	const struct hf_addr from = { .family = HF_FAMILY_IPV4,
				      .ip = { 192, 0, 2, 9 },
				      .port = 40000 };

	rig.sockets[0].events->on_datagram(rig.sockets[0].user, &from, bytes, len);
}

/* The reading, with the @nth allocation of a stage failing. The answer's code, 0: none. */
static uint8_t ask(enum stage stage, int nth)
{
	char bytes[HF_COAP_DATAGRAM_MAX];
	size_t len = sensor_rig_format(&rig, &reading, bytes);

	failed = false;
	rig.panel.hold_jobs = true;
	alloc_countdown = stage == ARRIVAL ? nth : -1;
	arrive(bytes, len);
	alloc_countdown = -1;
	panel_rig_settle(&rig.panel);
	alloc_countdown = stage == COMMIT ? nth : -1;
	rig.panel.hold_jobs = false;
	panel_rig_settle(&rig.panel);
	alloc_countdown = -1;
	panel_rig_settle(&rig.panel);
	return sensor_rig_take(&rig, &answer) ? answer.head.code : 0;
}

static void judge(uint8_t code)
{
	uint64_t waiting = sensor_rig_waiting(&rig);

	if (code == CREATED)
		assert_int_equal(waiting, 1);
	else if (code == UNAVAILABLE)
		assert_int_equal(waiting, 0);
	else if (code != 0)
		assert_int_equal(code, INTERNAL);
}

/* Returns how many were answered with @which. */
static unsigned try_all(enum stage stage, uint8_t which)
{
	unsigned n = 0;
	uint8_t code;

	for (int nth = 0; nth < NTH_MAX; nth++) {
		set_up(NULL);
		sensor_rig_start(&rig);
		code = ask(stage, nth);
		judge(code);
		n += code == which;
		/* what comes again has no second effect, and hears the same */
		if (code == CREATED || code == UNAVAILABLE) {
			expect(&reading, code);
			judge(code);
		} else if (code == INTERNAL) {
			assert_true(sensor_rig_ask(&rig, &reading, &answer));
			assert_true(sensor_rig_waiting(&rig) <= 1);
		}
		tear_down(NULL);
		if (!failed)
			return n;
	}
	fail_msg("allocations without end");
	return 0;
}

static int memory_comes_back(void **state)
{
	(void)state;
	for_good = false;
	return 0;
}

static int memory_is_gone(void **state)
{
	(void)state;
	for_good = true;
	return 0;
}

static void before_the_commit_nothing_is_accepted(void **state)
{
	(void)state;
	assert_true(try_all(ARRIVAL, UNAVAILABLE) > 0);
}

static void after_the_commit_it_is_not_taken_back(void **state)
{
	(void)state;
	assert_true(try_all(COMMIT, INTERNAL) > 0);
	assert_true(try_all(COMMIT, CREATED) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(before_the_commit_nothing_is_accepted, memory_comes_back),
		cmocka_unit_test_setup(after_the_commit_it_is_not_taken_back, memory_comes_back),
		cmocka_unit_test_setup(before_the_commit_nothing_is_accepted, memory_is_gone),
		cmocka_unit_test_setup(after_the_commit_it_is_not_taken_back, memory_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
