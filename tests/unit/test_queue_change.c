/* SPDX-License-Identifier: Apache-2.0 */
/* Cancel and retry, by id, whatever the record is doing; figures that hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"

static struct qreq *leave_held(struct qrig *r, const char *target, enum hf_order order)
{
	struct qreq *q = qrig_request(r, target, "x");

	q->policy.order = order;
	q->a.hold = true;
	q->a.reason = HF_REASON_AUTH;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	return q;
}

static struct qreq *leave_skip(struct qrig *r, const char *target)
{
	struct qreq *q = qrig_request(r, target, "x");

	q->policy.order = HF_ORDER_SKIP;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	return q;
}

static void queued_one_is_cancelled(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b;

	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	b = qrig_leave(r, "/b", "x");
	qrig_advance(r, 20000);
	qrig_events(r);
	assert_int_equal(qrig_cancel(r, a->a.public_id), 0);
	assert_string_equal(qrig_events(r), "cancelled /a operator\n");
	assert_int_equal(qrig_cancel(r, a->a.public_id), HF_ESTATE);
	qrig_check(r);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	assert_int_equal(qrig_cancel(r, b->a.public_id), HF_ESTATE);
	assert_int_equal(qrig_retry(r, b->a.public_id, NULL), HF_ESTATE);
	qrig_check(r);
}

static void one_that_is_being_sent_is_not_touched(void **state)
{
	struct qrig *r = *state;
	struct qreq *a, *b;

	r->origin[0].manual = true;
	a = qrig_leave(r, "/a", "x");
	b = qrig_leave(r, "/b", "x");
	qrig_settle(r);
	assert_int_equal(r->origin[0].running, 1);
	assert_int_equal(qrig_cancel(r, a->a.public_id), HF_EBUSY);
	assert_int_equal(qrig_retry(r, a->a.public_id, NULL), HF_EBUSY);
	assert_int_equal(qrig_cancel(r, b->a.public_id), 0);
	r->origin[0].manual = false;
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
	qrig_check(r);
}

static void unknown_ids_are_unknown(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;
	char id[HF_ULID_LEN + 1];

	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	assert_int_equal(qrig_cancel(r, "nonsense"), HF_EINVAL);
	memcpy(id, a->a.public_id, sizeof(id));
	id[HF_ULID_LEN - 1] = id[HF_ULID_LEN - 1] == '0' ? '1' : '0'; /* another tag */
	assert_int_equal(qrig_cancel(r, id), HF_ENOENT);
	assert_int_equal(qrig_retry(r, id, NULL), HF_ENOENT);
}

static void held_one_goes_again_in_its_place(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = leave_held(r, "/a", HF_ORDER_BLOCK);

	qrig_leave(r, "/b", "x");
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_events(r);
	assert_int_equal(qrig_retry(r, a->a.public_id, NULL), 0);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a /b");
	assert_string_equal(qrig_events(r), "released /a \nsettled /a \nsettled /b \n");
	qrig_check(r);
}

/* The lane is at /b when /a, which it has passed over, is let go. */
static void one_released_behind_the_lease_is_not_forgotten(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = leave_held(r, "/a", HF_ORDER_SKIP);

	r->origin[0].manual = true;
	leave_skip(r, "/b");
	qrig_settle(r);
	assert_int_equal(r->origin[0].running, 1);
	assert_int_equal(qrig_retry(r, a->a.public_id, NULL), 0);
	r->origin[0].manual = false;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/b /a");
	qrig_check(r);
}

static void changed(struct hf_queue_change *c, int err)
{
	*(int *)c->user = err;
}

/* Two at once: one is done, the other is told; nothing is counted twice. */
static void check_two(struct qrig *r, struct qreq *q, bool first_retry, bool second_retry)
{
	int result[2] = { 1, 1 };
	struct hf_queue_change c[2] = {
		{ .public_id = hf_span_str(q->a.public_id), .done = changed, .user = &result[0] },
		{ .public_id = hf_span_str(q->a.public_id), .done = changed, .user = &result[1] },
	};
	bool retry[2] = { first_retry, second_retry };

	for (int i = 0; i < 2; i++)
		assert_int_equal(retry[i] ? hf_queue_retry(r->queue, &c[i]) :
					    hf_queue_cancel(r->queue, &c[i]),
				 0);
	fake_port_settle(&r->store.port);
	assert_int_equal(result[0], 0);
	assert_int_equal(result[1], HF_EBUSY);
	qrig_check(r);
	qrig_advance(r, 1000);
	qrig_check(r);
}

static void two_changes_at_once_are_counted_once(void **state)
{
	struct qrig *r = *state;

	leave_held(r, "/other", HF_ORDER_SKIP);
	check_two(r, leave_held(r, "/a", HF_ORDER_SKIP), true, true);
	check_two(r, leave_held(r, "/b", HF_ORDER_SKIP), true, false);
	check_two(r, leave_held(r, "/c", HF_ORDER_SKIP), false, true);
	check_two(r, leave_held(r, "/d", HF_ORDER_SKIP), false, false);
	assert_string_equal(qrig_taken(r, 0), "/a /b");
}

/* /a is answered and /b read ahead while its cancelling is looked up. */
static void one_that_is_cancelled_while_it_is_read_ahead_is_not_sent(void **state)
{
	struct fake_answer_to created = { .status = 201 };
	struct qrig *r = *state;
	int result = 1;
	struct hf_queue_change c = { .done = changed, .user = &result };
	struct hf_exchange *x;
	struct qreq *b;

	r->origin[0].manual = true;
	qrig_leave(r, "/a", "x");
	b = qrig_leave(r, "/b", "x");
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	while (!x->body_done)
		assert_true(fake_writable(x));
	c.public_id = hf_span_str(b->a.public_id);
	assert_int_equal(hf_queue_cancel(r->queue, &c), 0);
	fake_answer_whole(x, &created);
	r->origin[0].manual = false;
	qrig_advance(r, 60000);
	assert_int_not_equal(result, 1);
	assert_string_equal(qrig_taken(r, 0), result == 0 ? "" : "/b");
	qrig_check(r);
}

static void dead_one_goes_again_at_the_end_with_its_key(void **state)
{
	struct qrig *r = *state;
	char new_id[HF_ULID_LEN + 1], again[HF_ULID_LEN + 1];
	struct qreq *a;

	next_answer = (struct fake_answer_to){ .status = 400 };
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "body");
	qrig_settle(r);
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_DEAD);
	r->origin[0].answer = NULL;
	qrig_taken(r, 0);
	assert_int_equal(qrig_retry(r, a->a.public_id, new_id), 0);
	assert_string_not_equal(new_id, "");
	assert_string_not_equal(new_id, a->a.public_id);
	qrig_settle(r);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "/a key=k/a body"));
	assert_int_equal(qrig_retry(r, a->a.public_id, again), HF_ESTATE);
	assert_string_equal(again, new_id);
	assert_int_equal(qrig_cancel(r, new_id), HF_ESTATE);
	qrig_check(r);
}

/* The origin's answers, one after another; status 0: the connection dies. */
static const int *script;

static void answer_by_script(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	(void)x;
	*out = (struct fake_answer_to){ .status = *script, .end = HF_END_RESET };
	script += *script != 201;
}

/* @script up to the record's end, a retry, and on to the end of the retry. */
static struct hf_record_state retry_after(struct qrig *r, const int *answers, uint8_t ends)
{
	struct hf_record_state first;
	char id[HF_ULID_LEN + 1], new_id[HF_ULID_LEN + 1];
	uint64_t row;
	struct qreq *a;

	script = answers;
	r->origin[0].answer = answer_by_script;
	a = qrig_leave(r, "/a", "x");
	memcpy(id, a->a.public_id, sizeof(id));
	qrig_advance(r, 60000);
	first = qrig_state(r, a->a.id);
	assert_int_equal(first.status, ends);
	assert_int_equal(qrig_retry(r, id, new_id), 0);
	row = a->a.id;
	if (new_id[0])
		assert_int_equal(hf_record_id_parse(hf_span_str(new_id), &row), 0);
	qrig_settle(r);
	return qrig_state(r, row);
}

/* 409 is passing only when an earlier attempt may have arrived. */
static void conflict_after_a_refusal_that_was_retried_is_final(void **state)
{
	static const int dead[] = { 400, 409, 201 }, held[] = { 401, 409, 201 };
	struct qrig *r = *state;

	assert_int_equal(retry_after(r, dead, HF_RECORD_DEAD).status, HF_RECORD_DEAD);
	assert_int_equal(retry_after(r, held, HF_RECORD_HELD).status, HF_RECORD_DEAD);
}

static void conflict_after_an_attempt_that_may_have_arrived_passes(void **state)
{
	static const int dead[] = { 0, 400, 409, 201 }, held[] = { 0, 401, 409, 201 };
	struct qrig *r = *state;

	assert_int_equal(retry_after(r, dead, HF_RECORD_DEAD).status, HF_RECORD_QUEUED);
	qrig_advance(r, 60000);
	assert_int_equal(retry_after(r, held, HF_RECORD_HELD).status, HF_RECORD_QUEUED);
	qrig_advance(r, 60000);
	qrig_check(r);
}

/* A person has decided: a key that was too old to be repeated is used again. */
static void retry_begins_the_age_of_a_key_anew(void **state)
{
	struct qrig *r = *state;
	char id[HF_ULID_LEN + 1], new_id[HF_ULID_LEN + 1];
	struct qreq *a = qrig_request(r, "/a", "x");

	r->origin[0].up = false;
	a->policy.key_validity_s = 60;
	a->policy.max_age_s = 3600;
	a->a.maybe_received = true;
	qreq_take(a, true);
	qreq_admit(a);
	qrig_settle(r);
	memcpy(id, a->a.public_id, sizeof(id));
	qrig_advance(r, 300000);
	assert_int_equal(qrig_cancel(r, id), 0);
	r->origin[0].up = true;
	assert_int_equal(qrig_retry(r, id, new_id), 0);
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

/* After a start only lanes in which something waits are in memory. */
static void dead_one_of_a_forgotten_lane_goes_again(void **state)
{
	struct qrig *r = *state;
	char id[HF_ULID_LEN + 1];

	next_answer = (struct fake_answer_to){ .status = 400 };
	r->origin[0].answer = answer_next;
	memcpy(id, qrig_leave(r, "/a", "body")->a.public_id, sizeof(id));
	qrig_settle(r);
	r->origin[0].answer = NULL;
	qrig_restart(r);
	assert_null(qrig_lane(r, "lane"));
	qrig_taken(r, 0);
	assert_int_equal(qrig_retry(r, id, NULL), 0);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
	qrig_check(r);
}

static void retry_ends_a_back_off(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;

	next_answer = (struct fake_answer_to){ .status = 503, .fields = "Retry-After: 3600" };
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "body");
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	r->origin[0].answer = NULL;
	assert_int_equal(qrig_retry(r, a->a.public_id, NULL), 0);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void held_ones_are_counted_after_a_start(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;
	char id[HF_ULID_LEN + 1];

	r->origin[0].up = false;
	qrig_leave(r, "/first", "x");
	for (int i = 0; i < 150; i++)
		leave_held(r, "/held", HF_ORDER_BLOCK);
	a = leave_held(r, "/a", HF_ORDER_BLOCK);
	memcpy(id, a->a.public_id, sizeof(id));
	qrig_check(r);
	qrig_restart(r);
	qrig_settle(r);
	qrig_check(r);
	/* changes while the count is under way */
	qrig_kill(r);
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	qrig_start(r);
	assert_int_equal(qrig_cancel(r, id), 0);
	leave_held(r, "/late", HF_ORDER_BLOCK);
	qrig_settle(r);
	qrig_check(r);
}

struct told {
	struct hf_watch w, *other;
	unsigned n;
};

static void on_change(struct hf_watch *w, const struct hf_queue_event *event)
{
	struct told *t = w->user;

	(void)event;
	t->n++;
	hf_queue_unwatch(w);
	hf_queue_unwatch(t->other);
}

static void watch_may_end_itself_and_others(void **state)
{
	struct qrig *r = *state;
	struct told one = { .n = 0 }, two = { .n = 0 };
	struct qreq *a;

	r->origin[0].up = false;
	a = qrig_leave(r, "/a", "x");
	qrig_settle(r);
	one.w = (struct hf_watch){ .id = a->a.id, .changed = on_change, .user = &one };
	two.w = (struct hf_watch){ .id = a->a.id, .changed = on_change, .user = &two };
	one.other = &two.w;
	two.other = &one.w;
	hf_queue_watch(r->queue, &one.w);
	hf_queue_watch(r->queue, &two.w);
	assert_int_equal(qrig_cancel(r, a->a.public_id), 0);
	assert_int_equal(one.n + two.n, 1);
}

static void closing_down_in_a_change_leaves_nothing_behind(void **state)
{
	struct qrig *r = *state;

	for (int turns = 0; turns < 4; turns++) {
		int result = 1;
		struct qreq *a = leave_held(r, "/a", HF_ORDER_BLOCK);
		struct hf_queue_change c = { .done = changed, .user = &result };
		char id[HF_ULID_LEN + 1];

		memcpy(id, a->a.public_id, sizeof(id));
		c.public_id = hf_span_str(id);
		assert_int_equal(hf_queue_cancel(r->queue, &c), 0);
		for (int i = 0; i < turns; i++)
			fake_port_turn(&r->store.port);
		qrig_restart(r);
		qrig_settle(r);
		qrig_check(r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queued_one_is_cancelled),
		TEST(one_that_is_being_sent_is_not_touched),
		TEST(unknown_ids_are_unknown),
		TEST(held_one_goes_again_in_its_place),
		TEST(one_released_behind_the_lease_is_not_forgotten),
		TEST(two_changes_at_once_are_counted_once),
		TEST(one_that_is_cancelled_while_it_is_read_ahead_is_not_sent),
		TEST(dead_one_goes_again_at_the_end_with_its_key),
		TEST(conflict_after_a_refusal_that_was_retried_is_final),
		TEST(conflict_after_an_attempt_that_may_have_arrived_passes),
		TEST(retry_begins_the_age_of_a_key_anew),
		TEST(dead_one_of_a_forgotten_lane_goes_again),
		TEST(retry_ends_a_back_off),
		TEST(held_ones_are_counted_after_a_start),
		TEST(watch_may_end_itself_and_others),
		TEST(closing_down_in_a_change_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
