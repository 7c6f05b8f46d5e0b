/* SPDX-License-Identifier: Apache-2.0 */
/* What grows too old where no lease comes: behind a held head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"

/* @max_age_s 0: never too old. */
static struct qreq *leave(struct qrig *r, const char *target, uint32_t max_age_s, bool held)
{
	struct qreq *q = qrig_request(r, target, "x");

	q->policy.max_age_s = max_age_s;
	q->a.hold = held;
	q->a.reason = held ? HF_REASON_AUTH : HF_REASON_NONE;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	assert_int_equal(q->done, 0);
	return q;
}

static void one_behind_a_held_head_dies_when_it_is_too_old(void **state)
{
	struct qrig *r = *state;
	uint64_t b, c;

	leave(r, "/a", 0, true);
	b = leave(r, "/b", 60, false)->a.id;
	c = leave(r, "/c", 3600, false)->a.id;
	qrig_advance(r, 59000);
	qrig_events(r);
	qrig_advance(r, 12000);
	assert_string_equal(qrig_events(r), "dead /b expired\n");
	assert_int_equal(qrig_state(r, b).status, HF_RECORD_DEAD);
	assert_int_equal(qrig_state(r, c).status, HF_RECORD_QUEUED);
	qrig_check(r);
	/* also over a restart, and without anything new */
	qrig_restart(r);
	qrig_advance(r, 3600000);
	assert_int_equal(qrig_state(r, c).status, HF_RECORD_DEAD);
	assert_int_equal(qrig_state(r, c).reason, HF_REASON_EXPIRED);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_check(r);
}

/* Many pages of them, behind a head that stays. */
static void many_that_are_too_old_die_page_by_page(void **state)
{
	struct qrig *r = *state;
	char target[16];

	leave(r, "/held", 0, true);
	for (int i = 0; i < 500; i++) {
		snprintf(target, sizeof(target), "/%d", i);
		leave(r, target, i % 5 ? 60 : 7200, false);
	}
	qrig_advance(r, 60000);
	qrig_check(r);
	qrig_advance(r, 120000);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 1 + 100);
	qrig_check(r);
	qrig_advance(r, 7200000);
	assert_int_equal(qrig_lane(r, "lane")->waiting, 1);
	qrig_check(r);
}

static void one_that_is_retried_can_grow_too_old_again(void **state)
{
	struct qrig *r = *state;
	char id[HF_ULID_LEN + 1], new_id[HF_ULID_LEN + 1];
	uint64_t row;

	leave(r, "/a", 0, true);
	memcpy(id, leave(r, "/b", 60, false)->a.public_id, sizeof(id));
	qrig_advance(r, 75000);
	assert_int_equal(qrig_retry(r, id, new_id), 0);
	assert_int_equal(hf_record_id_parse(hf_span_str(new_id), &row), 0);
	qrig_advance(r, 55000);
	assert_int_equal(qrig_state(r, row).status, HF_RECORD_QUEUED);
	qrig_advance(r, 20000);
	assert_int_equal(qrig_state(r, row).status, HF_RECORD_DEAD);
	qrig_check(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_behind_a_held_head_dies_when_it_is_too_old),
		TEST(many_that_are_too_old_die_page_by_page),
		TEST(one_that_is_retried_can_grow_too_old_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
