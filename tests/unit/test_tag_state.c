/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a sync registration: each row of the table, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "sync/tag_state.h"

static struct hf_tag_facts facts(void)
{
	return (struct hf_tag_facts){ .now_dev_ms = 1000000,
				      .now_wall_ms = 5,
				      .key = 77,
				      .delay_ms = 4000,
				      .why = HF_TAG_WHY_ANSWER,
				      .answer = 500,
				      .crashes_max = 3 };
}

/* With two failed attempts, registered twice. */
static struct hf_tag_state in(enum hf_tag_status status)
{
	return (struct hf_tag_state){ .status = (uint8_t)status,
				      .attempts = 2,
				      .generation = 2,
				      .key = 11,
				      .created_dev_ms = 1000,
				      .created_wall_ms = 1 };
}

/* Rows of the table as from, event, to; what is not here must change nothing. */
static const uint8_t moves[][3] = {
	{ HF_TAG_NONE, HF_TAG_REGISTER, HF_TAG_PENDING },
	{ HF_TAG_PENDING, HF_TAG_REGISTER, HF_TAG_PENDING },
	{ HF_TAG_WAITING, HF_TAG_REGISTER, HF_TAG_PENDING },
	{ HF_TAG_FIRING, HF_TAG_REGISTER, HF_TAG_REREGISTERED },
	{ HF_TAG_REREGISTERED, HF_TAG_REGISTER, HF_TAG_REREGISTERED },
	{ HF_TAG_PENDING, HF_TAG_FIRE, HF_TAG_FIRING },
	{ HF_TAG_WAITING, HF_TAG_DUE, HF_TAG_PENDING },
	{ HF_TAG_WAITING, HF_TAG_EDGE, HF_TAG_PENDING },
	{ HF_TAG_WAITING, HF_TAG_NOW, HF_TAG_PENDING },
	{ HF_TAG_FIRING, HF_TAG_SUCCESS, HF_TAG_NONE },
	{ HF_TAG_FIRING, HF_TAG_FAILURE, HF_TAG_WAITING },
	{ HF_TAG_FIRING, HF_TAG_OFFLINE, HF_TAG_PENDING },
	{ HF_TAG_FIRING, HF_TAG_RESTART, HF_TAG_PENDING },
	{ HF_TAG_REREGISTERED, HF_TAG_SUCCESS, HF_TAG_PENDING },
	{ HF_TAG_REREGISTERED, HF_TAG_FAILURE, HF_TAG_PENDING },
	{ HF_TAG_REREGISTERED, HF_TAG_OFFLINE, HF_TAG_PENDING },
	{ HF_TAG_REREGISTERED, HF_TAG_RESTART, HF_TAG_PENDING },
	{ HF_TAG_PENDING, HF_TAG_UNREGISTER, HF_TAG_NONE },
	{ HF_TAG_WAITING, HF_TAG_UNREGISTER, HF_TAG_NONE },
	{ HF_TAG_FIRING, HF_TAG_UNREGISTER, HF_TAG_NONE },
	{ HF_TAG_REREGISTERED, HF_TAG_UNREGISTER, HF_TAG_NONE },
	{ HF_TAG_EXHAUSTED, HF_TAG_UNREGISTER, HF_TAG_NONE },
};

static int expected(uint8_t from, uint8_t event)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i][0] == from && moves[i][1] == event)
			return moves[i][2];
	return -1;
}

static void every_state_and_event(void **state)
{
	struct hf_tag_facts f = facts();

	(void)state;
	for (uint8_t from = 0; from < HF_TAG_STATUSES; from++) {
		for (uint8_t event = 0; event <= HF_TAG_RESTART; event++) {
			struct hf_tag_state s = in(from), before = s;
			bool moved = hf_tag_step(&s, event, &f);
			int to = expected(from, event);

			if (moved != (to >= 0) || (moved && s.status != to))
				fail_msg("%s, event %u: %s", hf_tag_status_name(from), event,
					 hf_tag_status_name(s.status));
			if (!moved)
				assert_memory_equal(&s, &before, sizeof(s));
		}
	}
}

static void a_registration_counts_and_begins_its_time_anew(void **state)
{
	struct hf_tag_facts f = facts();

	(void)state;
	for (uint8_t from = HF_TAG_NONE; from < HF_TAG_EXHAUSTED; from++) {
		struct hf_tag_state s = in(from);

		assert_true(hf_tag_step(&s, HF_TAG_REGISTER, &f));
		assert_int_equal(s.generation, 3);
		assert_int_equal(s.key, 77);
		assert_int_equal(s.created_dev_ms, 1000000);
		assert_int_equal(s.attempts, from == HF_TAG_NONE ? 0 : 2);
	}
}

static void a_failure_waits_and_counts(void **state)
{
	struct hf_tag_facts f = facts();
	struct hf_tag_state s = in(HF_TAG_FIRING);

	(void)state;
	s.crashes = 2;
	assert_true(hf_tag_step(&s, HF_TAG_FAILURE, &f));
	assert_int_equal(s.status, HF_TAG_WAITING);
	assert_int_equal(s.attempts, 3);
	assert_int_equal(s.due_dev_ms, 1004000);
	assert_int_equal(s.why, HF_TAG_WHY_ANSWER);
	assert_int_equal(s.last_status, 500);
	assert_int_equal(s.crashes, 0);
	assert_false(s.bound);
}

static void registered_while_firing_begins_anew_whatever_the_end(void **state)
{
	static const enum hf_tag_event ends[] = { HF_TAG_SUCCESS, HF_TAG_FAILURE, HF_TAG_OFFLINE };
	struct hf_tag_facts f = facts();

	(void)state;
	f.last_chance = true;
	for (size_t i = 0; i < 3; i++) {
		struct hf_tag_state s = in(HF_TAG_REREGISTERED);

		assert_true(hf_tag_step(&s, ends[i], &f));
		assert_int_equal(s.status, HF_TAG_PENDING);
		assert_int_equal(s.attempts, 0);
		assert_int_equal(s.due_dev_ms, 0);
	}
}

static void the_last_chance_exhausts(void **state)
{
	struct hf_tag_facts f = facts();
	struct hf_tag_state s = in(HF_TAG_FIRING);

	(void)state;
	f.last_chance = true;
	assert_true(hf_tag_step(&s, HF_TAG_FAILURE, &f));
	assert_int_equal(s.status, HF_TAG_EXHAUSTED);
	assert_int_equal(s.attempts, 3);
	assert_int_equal(s.due_dev_ms, 1000000);
	s = in(HF_TAG_FIRING);
	assert_true(hf_tag_step(&s, HF_TAG_SUCCESS, &f));
	assert_int_equal(s.status, HF_TAG_NONE);
}

static void what_was_not_tried_does_not_count(void **state)
{
	struct hf_tag_facts f = facts();
	struct hf_tag_state s = in(HF_TAG_FIRING);

	(void)state;
	f.last_chance = true;
	assert_true(hf_tag_step(&s, HF_TAG_OFFLINE, &f));
	assert_int_equal(s.status, HF_TAG_PENDING);
	assert_int_equal(s.attempts, 2);
}

static void a_time_that_the_origin_named_ends_by_itself_or_by_registration(void **state)
{
	struct hf_tag_facts f = facts();
	struct hf_tag_state s = in(HF_TAG_FIRING);

	(void)state;
	f.bound = true;
	assert_true(hf_tag_step(&s, HF_TAG_FAILURE, &f));
	assert_true(s.bound);
	assert_false(hf_tag_step(&s, HF_TAG_EDGE, &f));
	assert_false(hf_tag_step(&s, HF_TAG_NOW, &f));
	assert_int_equal(s.status, HF_TAG_WAITING);
	assert_true(hf_tag_step(&s, HF_TAG_DUE, &f));
	assert_false(s.bound);
}

static void crashes_are_counted_as_attempts_from_the_third_on(void **state)
{
	struct hf_tag_facts f = facts();
	struct hf_tag_state s = in(HF_TAG_FIRING);

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		assert_true(hf_tag_step(&s, HF_TAG_RESTART, &f));
		assert_int_equal(s.status, HF_TAG_PENDING);
		assert_int_equal(s.crashes, i);
		assert_int_equal(s.attempts, 2);
		assert_true(hf_tag_step(&s, HF_TAG_FIRE, &f));
	}
	assert_true(hf_tag_step(&s, HF_TAG_RESTART, &f));
	assert_int_equal(s.status, HF_TAG_WAITING);
	assert_int_equal(s.attempts, 3);
	assert_int_equal(s.crashes, 0);
	s = in(HF_TAG_FIRING);
	s.crashes = 2;
	f.last_chance = true;
	assert_true(hf_tag_step(&s, HF_TAG_RESTART, &f));
	assert_int_equal(s.status, HF_TAG_EXHAUSTED);
}

static void the_last_chance_is_the_last_attempt_or_the_last_in_time(void **state)
{
	struct hf_tag_state s = in(HF_TAG_PENDING);
	struct hf_tag_terms none = { 0, 10000 }, three = { 3, 10000 }, four = { 4, 10000 };

	(void)state;
	assert_true(hf_tag_last_chance(&s, &three, 2000, 1000));
	assert_false(hf_tag_last_chance(&s, &four, 2000, 1000));
	assert_false(hf_tag_last_chance(&s, &none, 2000, 9000));
	assert_true(hf_tag_last_chance(&s, &none, 2000, 9001));
}

static void comes_back_from_the_medium(void **state)
{
	struct hf_tag_state s = in(HF_TAG_WAITING), back;
	uint8_t bytes[HF_TAG_VALUE_SIZE];

	(void)state;
	s.why = HF_TAG_WHY_CRASH;
	s.crashes = 2;
	s.bound = true;
	s.last_status = 503;
	s.due_dev_ms = UINT64_C(0x123456789a);
	hf_tag_encode(&s, bytes);
	assert_int_equal(hf_tag_decode(hf_span(bytes, sizeof(bytes)), &back), 0);
	assert_memory_equal(&s, &back, sizeof(s));
	assert_int_equal(hf_tag_decode(hf_span(bytes, sizeof(bytes) - 1), &back), HF_ECORRUPT);
	bytes[2] = HF_TAG_STATUSES;
	assert_int_equal(hf_tag_decode(hf_span(bytes, sizeof(bytes)), &back), HF_ECORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(a_registration_counts_and_begins_its_time_anew),
		cmocka_unit_test(a_failure_waits_and_counts),
		cmocka_unit_test(registered_while_firing_begins_anew_whatever_the_end),
		cmocka_unit_test(the_last_chance_exhausts),
		cmocka_unit_test(what_was_not_tried_does_not_count),
		cmocka_unit_test(a_time_that_the_origin_named_ends_by_itself_or_by_registration),
		cmocka_unit_test(crashes_are_counted_as_attempts_from_the_third_on),
		cmocka_unit_test(the_last_chance_is_the_last_attempt_or_the_last_in_time),
		cmocka_unit_test(comes_back_from_the_medium),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
