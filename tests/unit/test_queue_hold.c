/* SPDX-License-Identifier: Apache-2.0 */
/* Holds of the operator: nothing of a lane is sent, over restarts, until their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"
#include "queue/hold.h"

struct outcome {
	struct hf_hold_change c;
	int err; /* 1: not done */
};

static void done(struct hf_hold_change *c, int err)
{
	hf_container_of(c, struct outcome, c)->err = err;
}

static struct hf_span name_of(const char *lane)
{
	return lane ? hf_span_str(lane) : hf_span(NULL, 0);
}

/* Stores it; the result. */
static int hold(struct qrig *r, unsigned origin, const char *lane, uint64_t for_ms)
{
	struct outcome o = {
		.c = { .origin = origin, .lane = name_of(lane), .for_ms = for_ms, .done = done },
		.err = 1
	};
	int err = hf_queue_hold(r->queue, &o.c);

	qrig_settle(r);
	return err ? err : o.err;
}

static int release(struct qrig *r, unsigned origin, const char *lane)
{
	struct outcome o = {
		.c = { .release = true, .origin = origin, .lane = name_of(lane), .done = done },
		.err = 1
	};
	int err = hf_queue_hold(r->queue, &o.c);

	qrig_settle(r);
	return err ? err : o.err;
}

static int release_all(struct qrig *r)
{
	struct outcome o = { .c = { .release = true, .all = true, .done = done }, .err = 1 };
	int err = hf_queue_hold(r->queue, &o.c);

	qrig_settle(r);
	return err ? err : o.err;
}

struct seen {
	const char *lane;
	char state[16];
	uint64_t next_ms;
};

static int look(void *user, const struct hf_lane_figures *f)
{
	struct seen *s = user;

	if (hf_span_eq_str(f->key, s->lane)) {
		snprintf(s->state, sizeof(s->state), "%s", f->state);
		s->next_ms = f->next_attempt_ms;
	}
	return 0;
}

static const char *state_of(struct qrig *r, const char *lane)
{
	static struct seen s;

	s = (struct seen){ .lane = lane };
	hf_queue_each_lane(r->queue, look, &s);
	return s.state;
}

static int count_one(void *user, const struct hf_hold *h)
{
	(void)h;
	++*(unsigned *)user;
	return 0;
}

static unsigned holds_of(struct qrig *r)
{
	unsigned n = 0;

	hf_queue_each_hold(r->queue, count_one, &n);
	return n;
}

static void nothing_of_a_lane_on_hold_is_sent(void **state)
{
	struct qrig *r = *state;
	struct qreq *live;

	assert_int_equal(hold(r, 0, "lane", 0), 0);
	live = qrig_request(r, "/a", "x");
	qreq_take(live, false);
	assert_int_equal(live->grant, HF_GRANT_QUEUE);
	qreq_admit(live);
	qrig_leave_in(r, "other", "/b");
	qrig_advance(r, 3600 * 1000);
	hf_sync_now(r->sync, 0);
	hf_sync_link(r->sync);
	qrig_advance(r, 3600 * 1000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	assert_string_equal(state_of(r, "lane"), "paused");
	assert_int_equal(release(r, 0, "lane"), 0);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	qrig_check(r);
}

static void it_is_over_restarts(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(hold(r, 0, "lane", 0), 0);
	qrig_leave(r, "/a", "x");
	qrig_restart(r);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_string_equal(state_of(r, "lane"), "paused");
	assert_int_equal(release(r, 0, "lane"), 0);
	qrig_restart(r);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void an_end_goes_by_device_time_over_restarts(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(hold(r, 0, "lane", 100000), 0);
	qrig_leave(r, "/a", "x");
	qrig_advance(r, 60000);
	qrig_restart(r);
	assert_int_equal(holds_of(r), 1);
	qrig_advance(r, 30000);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_advance(r, 80000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	assert_int_equal(holds_of(r), 0);
	qrig_restart(r);
	assert_int_equal(holds_of(r), 0);
}

static void lanes_below_it_are_meant_too(void **state)
{
	struct qrig *r = *state;

	assert_int_equal(hold(r, 0, "lane", 0), 0);
	qrig_leave_in(r, "lane/7", "/a");
	qrig_leave_in(r, "lane@ada", "/b");
	qrig_leave_in(r, "lanes", "/c");
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/c");
	assert_int_equal(hf_queue_held_lanes(r->queue, 0, HF_SPAN("lane")), 2);
}

static void an_origin_has_all_its_lanes_on_hold(void **state)
{
	struct qrig *r = *state;
	struct qreq *bank;

	assert_int_equal(hold(r, 0, NULL, 0), 0);
	qrig_leave_in(r, "x", "/a");
	qrig_leave_in(r, "y", "/b");
	bank = qrig_request(r, "/c", "x");
	bank->a.origin = 1;
	qreq_take(bank, false);
	assert_int_equal(bank->grant, HF_GRANT_LIVE);
	qreq_give_back(bank);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_int_equal(hold(r, 0, "x", 0), 0);
	assert_int_equal(release(r, 0, NULL), 0);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	assert_int_equal(release_all(r), 0);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

/* A lane that was offline, backing off, or about to be tried. */
static void it_comes_at_any_moment(void **state)
{
	struct qrig *r = *state;

	r->origin[0].up = false;
	qrig_leave(r, "/a", "x");
	qrig_advance(r, 20000);
	assert_int_equal(hold(r, 0, "lane", 0), 0);
	assert_false(hf_sync_wants(r->sync, 0));
	r->origin[0].up = true;
	qrig_advance(r, 3600 * 1000);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_int_equal(release(r, 0, "lane"), 0);
	qrig_advance(r, 700 * 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void a_retry_after_stands_when_it_is_released(void **state)
{
	struct qrig *r = *state;

	r->origin[0].answer = answer_next;
	next_answer = (struct fake_answer_to){ .status = 503, .fields = "Retry-After: 600" };
	qrig_leave(r, "/a", "x");
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	assert_int_equal(hold(r, 0, "lane", 0), 0);
	assert_string_equal(state_of(r, "lane"), "paused");
	qrig_advance(r, 60000);
	assert_int_equal(release(r, 0, "lane"), 0);
	qrig_advance(r, 500000);
	assert_string_equal(qrig_taken(r, 0), "");
	r->origin[0].answer = NULL;
	qrig_advance(r, 400000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void what_grows_too_old_on_hold_is_dead(void **state)
{
	struct qrig *r = *state;
	struct qreq *q;

	assert_int_equal(hold(r, 0, "lane", 0), 0);
	q = qrig_request(r, "/a", "x");
	q->policy.max_age_s = 60;
	qreq_take(q, false);
	qreq_admit(q);
	qrig_settle(r);
	qrig_events(r);
	qrig_advance(r, 400 * 1000);
	assert_string_equal(qrig_events(r), "dead /a expired\n");
	assert_string_equal(state_of(r, "lane"), "paused");
	qrig_check(r);
}

static void what_is_wrong_is_refused(void **state)
{
	struct qrig *r = *state;
	struct outcome first = { .c = { .lane = HF_SPAN("lane"), .done = done }, .err = 1 }, second;
	char name[16];

	assert_int_equal(release(r, 0, "lane"), HF_ENOENT);
	assert_int_equal(release_all(r), HF_ENOENT);
	second = first;
	assert_int_equal(hf_queue_hold(r->queue, &first.c), 0);
	assert_int_equal(hf_queue_hold(r->queue, &second.c), HF_EBUSY);
	qrig_settle(r);
	assert_int_equal(first.err, 0);
	assert_int_equal(hold(r, 0, "lane", 5000), 0); /* its new end */
	assert_int_equal(holds_of(r), 1);
	for (unsigned i = 1; i < HF_HOLDS_MAX; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		assert_int_equal(hold(r, 0, name, 0), 0);
	}
	assert_int_equal(hold(r, 0, "one more", 0), HF_ELIMIT);
	qrig_restart(r);
	assert_int_equal(holds_of(r), HF_HOLDS_MAX);
}

/* It counts from the moment when it is on the medium. */
static void a_hold_is_said_after_its_commit(void **state)
{
	struct qrig *r = *state;
	struct outcome o = { .c = { .lane = HF_SPAN("lane"), .done = done }, .err = 1 };

	assert_int_equal(hf_queue_hold(r->queue, &o.c), 0);
	assert_int_equal(o.err, 1);
	assert_int_equal(holds_of(r), 0);
	qrig_restart(r); /* a power cut meanwhile */
	assert_int_equal(o.err, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_of_a_lane_on_hold_is_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_over_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_goes_by_device_time_over_restarts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lanes_below_it_are_meant_too, setup, teardown),
		cmocka_unit_test_setup_teardown(an_origin_has_all_its_lanes_on_hold, setup,
						teardown),
		cmocka_unit_test_setup_teardown(it_comes_at_any_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(a_retry_after_stands_when_it_is_released, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_grows_too_old_on_hold_is_dead, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hold_is_said_after_its_commit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
