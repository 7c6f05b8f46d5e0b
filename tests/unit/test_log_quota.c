/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log_quota.h"

struct fixture {
	struct hf_log log;
	struct hf_timerq timers;
	struct hf_log_quota quota;
	unsigned lines;
	char last[HF_LOG_LINE_MAX];
};

static void write_line(void *user, enum hf_log_level level, const char *line)
{
	struct fixture *f = user;

	assert_int_equal(level, HF_LOG_WARNING);
	f->lines++;
	snprintf(f->last, sizeof(f->last), "%s", line);
}

static int set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .log = { HF_LOG_INFO, write_line, &f } };
	hf_timerq_init(&f.timers, NULL, NULL);
	hf_log_quota_init(&f.quota, &f.log, HF_LOG_WARNING, "queue.refused", &f.timers);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	hf_log_quota_finish(&f->quota);
	hf_timerq_finish(&f->timers);
	return 0;
}

static unsigned taken(struct fixture *f, unsigned times, uint64_t now_ms)
{
	unsigned n = 0;

	while (times-- > 0)
		n += hf_log_quota_take(&f->quota, now_ms);
	return n;
}

static void a_flood_is_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(taken(f, 1000, 1000), HF_LOG_QUOTA_LINES);
	hf_timerq_run(&f->timers, 60999);
	assert_int_equal(f->lines, 0);
	hf_timerq_run(&f->timers, 61000);
	assert_int_equal(f->lines, 1);
	assert_string_equal(f->last, "queue.refused held_back=995 seconds=60");
	assert_int_equal(taken(f, 10, 61000), HF_LOG_QUOTA_LINES);
}

static void a_few_are_not(void **state)
{
	struct fixture *f = *state;

	for (uint64_t s = 1; s <= 600; s += 15) {
		assert_int_equal(taken(f, 1, s * 1000), 1);
		hf_timerq_run(&f->timers, s * 1000 + 14000);
	}
	hf_timerq_run(&f->timers, 700000);
	assert_int_equal(f->lines, 0);
}

static void the_end_tells_what_is_held_back(void **state)
{
	struct fixture *f = *state;

	taken(f, 7, 1000);
	hf_log_quota_finish(&f->quota);
	assert_string_equal(f->last, "queue.refused held_back=2 seconds=60");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flood_is_counted),
		TEST(a_few_are_not),
		TEST(the_end_tells_what_is_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
