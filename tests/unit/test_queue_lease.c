/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: what stands on the medium before, during and after an attempt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "holdfast_config.h"
#include "lib/queue_case.h"

/* A record in the queue while its origin is not reachable. */
static struct qreq *leave(struct qrig *r, const char *target, enum hf_idempotency idempotency)
{
	struct qreq *q = qrig_request(r, target, "body");

	q->policy.idempotency = idempotency;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	assert_int_equal(q->done, 0);
	return q;
}

/* ---- before the first byte ---- */

static void mark_is_on_the_medium_before_the_first_byte(void **state)
{
	struct qrig *r = *state;
	struct hf_record_state s;
	struct hf_exchange *x;
	struct qreq *a;

	r->origin[0].manual = true;
	a = leave(r, "/a", HF_IDEMPOTENCY_KEYED);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_non_null(x);
	assert_false(qrig_state(r, a->a.id).maybe_received);
	qrig_advance(r, 5000);
	assert_true(fake_connect(x));
	assert_false(x->gone);
	qrig_settle(r);
	assert_true(x->gone);
	s = qrig_state(r, a->a.id);
	assert_true(s.maybe_received);
	assert_true(s.inflight);
	assert_int_equal(s.first_sent_dev_ms, s.created_dev_ms + 5000);
	assert_int_equal(s.attempts, 0);
}

static void failed_mark_sends_nothing(void **state)
{
	struct qrig *r = *state;
	struct hf_exchange *x;
	struct qreq *a;

	r->origin[0].manual = true;
	a = leave(r, "/a", HF_IDEMPOTENCY_KEYED);
	leave(r, "/b", HF_IDEMPOTENCY_KEYED);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	/* it becomes final behind the lease's back */
	assert_int_equal(rig_settle(&r->store, a->a.id, HF_RECORD_CANCELLED, 1), 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_int_equal(r->origin[0].running, 0);
	r->origin[0].manual = false;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "/b");
}

static void connection_that_dies_while_marking_has_sent_nothing(void **state)
{
	struct qrig *r = *state;
	struct hf_record_state s;
	struct hf_exchange *x;
	struct qreq *a;

	r->origin[0].manual = true;
	a = leave(r, "/a", HF_IDEMPOTENCY_KEYED);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
	qrig_settle(r);
	s = qrig_state(r, a->a.id);
	assert_int_equal(s.status, HF_RECORD_QUEUED);
	assert_false(s.inflight);
	assert_false(s.maybe_received);
	/* so its key does not grow old */
	qrig_advance(r, UINT64_C(2) * 86400 * 1000);
	r->origin[0].manual = false;
	if (fake_exchange(&r->origin[0], 0))
		fake_end(fake_exchange(&r->origin[0], 0), HF_END_CONNECT, HF_SENT_NONE);
	qrig_advance(r, 600000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

static void connection_that_dies_after_the_mark_has_sent_nothing(void **state)
{
	struct qrig *r = *state;
	struct hf_record_state s;
	struct hf_exchange *x;
	struct qreq *a;

	r->origin[0].manual = true;
	a = leave(r, "/a", HF_IDEMPOTENCY_NEVER);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(x->gone);
	fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
	qrig_settle(r);
	s = qrig_state(r, a->a.id);
	assert_int_equal(s.status, HF_RECORD_QUEUED);
	assert_false(s.inflight);
	assert_false(s.maybe_received);
}

/* ---- verdicts on the medium ---- */

struct verdict_row {
	int status;
	enum hf_end end; /* without a status */
	const char *fields;
	uint8_t record, reason;
	uint32_t attempts;
	bool maybe_received; /* with its effect */
};

static void check_verdict(struct qrig *r, const struct verdict_row *v)
{
	struct hf_record_state s;
	struct qreq *a = qrig_request(r, "/a", "body");

	next_answer = (struct fake_answer_to){
		.status = v->status, .end = v->end, .fields = v->fields, .body = "said"
	};
	snprintf(a->policy.lane, sizeof(a->policy.lane), "v%d-%d", v->status, (int)v->end);
	a->a.origin = 1;
	qreq_take(a, true);
	qreq_admit(a);
	qrig_settle(r);
	s = qrig_state(r, a->a.id);
	if (s.status != v->record || s.reason != v->reason || s.attempts != v->attempts ||
	    s.inflight || s.maybe_received != v->maybe_received || s.last_status != v->status)
		fail_msg("status %d end %d: record %d reason %s attempts %u inflight %d", v->status,
			 (int)v->end, s.status, hf_reason_name(s.reason), s.attempts, s.inflight);
	qrig_check(r);
}

static void every_verdict_leaves_its_state_on_the_medium(void **state)
{
	static const struct verdict_row rows[] = {
		{ 201, 0, "", HF_RECORD_SETTLED, HF_REASON_NONE, 1, true },
		{ 303, 0, "", HF_RECORD_SETTLED, HF_REASON_NONE, 1, true },
		{ 400, 0, "", HF_RECORD_DEAD, HF_REASON_REJECTED, 1, false },
		{ 401, 0, "", HF_RECORD_HELD, HF_REASON_AUTH, 1, false },
		{ 302, 0, "", HF_RECORD_HELD, HF_REASON_REDIRECT, 1, false },
		{ 429, 0, "Retry-After: 30", HF_RECORD_QUEUED, HF_REASON_RETRY_AFTER, 1, true },
		{ 503, 0, "", HF_RECORD_QUEUED, HF_REASON_BACKOFF, 1, true },
		{ 500, 0, "", HF_RECORD_QUEUED, HF_REASON_BACKOFF, 1, true },
		{ 0, HF_END_RESET, "", HF_RECORD_QUEUED, HF_REASON_NETWORK, 1, true },
		{ 421, 0, "", HF_RECORD_QUEUED, HF_REASON_BACKOFF, 2, true },
		{ 511, 0, "", HF_RECORD_QUEUED, HF_REASON_CAPTIVE, 0, true },
	};
	struct qrig *r = *state;

	r->origin[1].answer = answer_next;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_verdict(r, &rows[i]);
}

static void refused_connection_writes_nothing(void **state)
{
	struct qrig *r = *state;
	struct hf_record_state s;
	struct hf_store_usage before, after;
	struct qreq *a;

	r->origin[0].up = false;
	a = leave(r, "/a", HF_IDEMPOTENCY_KEYED);
	hf_store_usage(r->store.store, &before);
	qrig_advance(r, 30000);
	hf_store_usage(r->store.store, &after);
	assert_true(r->origin[0].performed > 10);
	s = qrig_state(r, a->a.id);
	assert_int_equal(s.attempts, 0);
	assert_false(s.maybe_received);
	assert_true(after.written_total - before.written_total < 4096);
}

/* A portal answers every trial: the same state is not written again. */
static void portal_wears_no_medium_out(void **state)
{
	struct qrig *r = *state;
	struct hf_store_usage before, after;

	next_answer = (struct fake_answer_to){ .status = 302,
					       .fields = "Location: http://portal.example/" };
	r->origin[0].answer = answer_next;
	leave(r, "/a", HF_IDEMPOTENCY_KEYED);
	qrig_advance(r, 10000);
	hf_store_usage(r->store.store, &before);
	qrig_advance(r, 120000);
	hf_store_usage(r->store.store, &after);
	assert_true(r->origin[0].performed > 60);
	assert_true(after.written_total - before.written_total < 4096);
}

/* A target as long as a head may be: with tag, lane and key the summary is longer
 * than a head. */
static void longest_target_is_settled(void **state)
{
	struct qrig *r = *state;
	size_t len = CONFIG_HF_HEAD_BYTES_MAX - 200;
	struct qreq *q = qrig_request(r, "/", "x");
	char *target = hf_arena_alloc(&q->arena, len);

	assert_non_null(target);
	memset(target, 'a', len);
	target[0] = '/';
	q->msg.target = hf_span(target, len);
	memset(q->policy.tag, 't', HF_POLICY_NAME_MAX);
	memset(q->policy.lane, 'l', HF_POLICY_NAME_MAX);
	qreq_take(q, true);
	qreq_admit(q);
	qrig_advance(r, 1000);
	assert_int_equal(q->done, 0);
	assert_int_equal(qrig_state(r, q->a.id).status, HF_RECORD_SETTLED);
	assert_int_equal(r->origin[0].performed, 1);
}

/* ---- redirects ---- */

/* 307 says that nothing was done; then the connection is refused. */
static void redirect_that_leads_nowhere_is_not_ambiguous(void **state)
{
	struct qrig *r = *state;
	struct hf_record_state s;
	struct hf_exchange *x;
	struct qreq *a;

	r->origin[0].manual = true;
	a = leave(r, "/a", HF_IDEMPOTENCY_NEVER);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(fake_head(x, 307, "Location: /b"));
	fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
	x = fake_exchange(&r->origin[0], 0);
	assert_non_null(x);
	assert_true(hf_span_eq_str(x->msg->target, "/b"));
	fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
	qrig_settle(r);
	s = qrig_state(r, a->a.id);
	assert_false(s.inflight);
	qrig_restart(r);
	r->origin[0].manual = false;
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/a");
}

/* ---- after a power cut ---- */

static void cut_in_an_attempt(struct qrig *r, enum hf_idempotency idempotency, uint64_t *id)
{
	struct hf_exchange *x;

	r->origin[0].manual = true;
	*id = leave(r, "/a", idempotency)->a.id;
	leave(r, "/b", idempotency);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(x->gone);
	qrig_restart(r);
	r->origin[0].manual = false;
	qrig_advance(r, 60000);
}

static void attempt_that_a_power_cut_ended_is_repeated_with_its_key(void **state)
{
	struct qrig *r = *state;
	uint64_t id;

	cut_in_an_attempt(r, HF_IDEMPOTENCY_KEYED, &id);
	assert_int_equal(qrig_state(r, id).status, HF_RECORD_SETTLED);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "/a key=k/a body\n/b key=k/b"));
}

static void unrepeatable_attempt_that_a_power_cut_ended_is_held(void **state)
{
	struct qrig *r = *state;
	uint64_t id;

	cut_in_an_attempt(r, HF_IDEMPOTENCY_NEVER, &id);
	assert_int_equal(qrig_state(r, id).status, HF_RECORD_HELD);
	assert_int_equal(qrig_state(r, id).reason, HF_REASON_AMBIGUOUS);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_int_equal(qrig_lane(r, "lane")->state, HF_LANE_HELD);
	qrig_check(r);
}

/* ---- ages ---- */

static void too_old_ones_die_and_the_next_one_goes(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/a", "x");

	r->origin[0].up = false;
	a->policy.max_age_s = 60;
	qreq_take(a, true);
	qreq_admit(a);
	qrig_settle(r);
	leave(r, "/b", HF_IDEMPOTENCY_KEYED);
	qrig_events(r);
	qrig_advance(r, 61000);
	r->origin[0].up = true;
	qrig_advance(r, 5000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_DEAD);
	assert_string_equal(qrig_events(r), "dead /a expired\nsettled /b \n");
	qrig_check(r);
}

static void old_key_of_one_that_may_have_arrived_is_not_used(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/a", "x");

	r->origin[0].up = false;
	a->policy.key_validity_s = 60;
	a->a.maybe_received = true;
	qreq_take(a, true);
	qreq_admit(a);
	qrig_advance(r, 61000);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_HELD);
	assert_int_equal(qrig_state(r, a->a.id).reason, HF_REASON_KEY_EXPIRED);
}

/* ---- held heads ---- */

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

static void held_head_blocks_its_lane(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = leave_held(r, "/a", HF_ORDER_BLOCK);

	leave(r, "/b", HF_IDEMPOTENCY_KEYED);
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "");
	assert_int_equal(qrig_cancel(r, a->a.public_id), 0);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	qrig_check(r);
}

static void held_head_is_passed_over_where_order_is_skip(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = leave_held(r, "/a", HF_ORDER_SKIP);
	char id[HF_ULID_LEN + 1];

	memcpy(id, a->a.public_id, sizeof(id));
	leave(r, "/b", HF_IDEMPOTENCY_KEYED);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	/* the lane has nothing but the held one: a new one still goes */
	leave(r, "/c", HF_IDEMPOTENCY_KEYED);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/c");
	qrig_check(r);
	qrig_restart(r);
	qrig_advance(r, 1000);
	qrig_check(r);
	leave(r, "/d", HF_IDEMPOTENCY_KEYED);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/d");
	assert_int_equal(qrig_retry(r, id, NULL), 0);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 0), "/a");
	qrig_check(r);
}

static void held_head_that_grows_too_old_dies_and_frees_its_lane(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/a", "x");

	a->policy.max_age_s = 3600;
	a->a.hold = true;
	a->a.reason = HF_REASON_AUTH;
	qreq_take(a, true);
	qreq_admit(a);
	qrig_settle(r);
	leave(r, "/b", HF_IDEMPOTENCY_KEYED);
	qrig_advance(r, 3599000);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_advance(r, 5000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_DEAD);
	qrig_check(r);
}

/* The successor is read and marked, then the lane is not to go on: the power
 * goes at every turn of that. */
static void closing_down_while_a_mark_is_taken_back_leaves_nothing_behind(void **state)
{
	struct qrig *r = *state;

	for (int turns = 0; turns < 6; turns++) {
		struct hf_exchange *x;

		r->origin[0].manual = true;
		leave(r, "/a", HF_IDEMPOTENCY_KEYED);
		leave(r, "/b", HF_IDEMPOTENCY_KEYED);
		qrig_settle(r);
		x = fake_exchange(&r->origin[0], 0);
		assert_true(fake_connect(x));
		qrig_settle(r);
		assert_true(fake_head(x, 201, NULL));
		fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
		hf_sync_stop(r->sync);
		for (int i = 0; i < turns; i++)
			fake_port_turn(&r->store.port);
		qrig_restart(r);
		r->origin[0].manual = false;
		qrig_advance(r, 10000);
		qrig_check(r);
	}
}

/* ---- damage ---- */

static void change_in_database(struct qrig *r, const char *sql)
{
	char path[256];
	sqlite3 *db;

	rig_path(&r->store, "queue-1.db", path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
}

static void check_damage(struct qrig *r, const char *sql)
{
	uint64_t id;

	r->origin[0].up = false;
	id = leave(r, "/a", HF_IDEMPOTENCY_KEYED)->a.id;
	leave(r, "/b", HF_IDEMPOTENCY_KEYED);
	qrig_kill(r);
	change_in_database(r, sql);
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	qrig_start(r);
	r->origin[0].up = true;
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/b");
	assert_int_equal(qrig_state(r, id).status, HF_RECORD_DEAD);
	assert_int_equal(qrig_state(r, id).reason, HF_REASON_DAMAGED);
	qrig_check(r);
}

static void damaged_body_stops_nobody_behind_it(void **state)
{
	check_damage(*state, "UPDATE request SET body = 'else' WHERE seq = 1");
}

static void damaged_head_stops_nobody_behind_it(void **state)
{
	check_damage(*state, "UPDATE request SET head = x'5101ff' WHERE seq = 1");
}

static void request_that_is_gone_stops_nobody_behind_it(void **state)
{
	check_damage(*state, "DELETE FROM request WHERE seq = 1");
}

static void reasons_of_the_store_have_a_name(void **state)
{
	(void)state;
	assert_string_equal(hf_reason_name(HF_RECORD_REASON_DAMAGED), "damaged");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mark_is_on_the_medium_before_the_first_byte),
		TEST(failed_mark_sends_nothing),
		TEST(connection_that_dies_while_marking_has_sent_nothing),
		TEST(connection_that_dies_after_the_mark_has_sent_nothing),
		TEST(every_verdict_leaves_its_state_on_the_medium),
		TEST(refused_connection_writes_nothing),
		TEST(portal_wears_no_medium_out),
		TEST(longest_target_is_settled),
		TEST(redirect_that_leads_nowhere_is_not_ambiguous),
		TEST(attempt_that_a_power_cut_ended_is_repeated_with_its_key),
		TEST(unrepeatable_attempt_that_a_power_cut_ended_is_held),
		TEST(too_old_ones_die_and_the_next_one_goes),
		TEST(old_key_of_one_that_may_have_arrived_is_not_used),
		TEST(held_head_blocks_its_lane),
		TEST(held_head_is_passed_over_where_order_is_skip),
		TEST(held_head_that_grows_too_old_dies_and_frees_its_lane),
		TEST(closing_down_while_a_mark_is_taken_back_leaves_nothing_behind),
		TEST(damaged_body_stops_nobody_behind_it),
		TEST(damaged_head_stops_nobody_behind_it),
		TEST(request_that_is_gone_stops_nobody_behind_it),
		TEST(reasons_of_the_store_have_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
