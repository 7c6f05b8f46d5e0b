/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: from a request to a committed record; keys, limits, refusals. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast_config.h"
#include "lib/queue_case.h"

static struct qreq *admit(struct qrig *r, const char *lane, const char *target)
{
	struct qreq *q = qrig_request(r, target, "x");

	snprintf(q->policy.lane, sizeof(q->policy.lane), "%s", lane);
	qreq_take(q, true);
	if (!q->err)
		qreq_admit(q);
	return q;
}

/* ---- order ---- */

static void first_ones_of_a_new_lane_keep_their_order(void **state)
{
	struct qrig *r = *state;
	struct qreq *q[5];

	for (int i = 0; i < 5; i++) {
		q[i] = admit(r, "lane", "/x");
		assert_int_equal(q[i]->done, 1); /* nothing completes inside its call */
	}
	qrig_settle(r);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(q[i]->done, 0);
		assert_true(i == 0 || q[i]->a.id == q[i - 1]->a.id + 1);
	}
	qrig_check(r);
}

static void records_say_what_was_accepted(void **state)
{
	struct qrig *r = *state;
	struct qreq *q = qrig_request(r, "/a", "x");
	struct hf_record_state s;

	r->store.port.trust = HF_CLOCK_SYNCED;
	q->a.maybe_received = true;
	q->a.last_status = 503;
	q->a.reason = HF_REASON_BACKOFF;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	s = qrig_state(r, q->a.id);
	assert_int_equal(s.status, HF_RECORD_QUEUED);
	assert_int_equal(s.reason, HF_REASON_BACKOFF);
	assert_int_equal(s.attempts, 1);
	assert_int_equal(s.last_status, 503);
	assert_true(s.maybe_received);
	assert_int_equal(s.first_sent_dev_ms, s.created_dev_ms);
	assert_int_equal(s.created_wall_ms, r->store.port.wall_ms);
	assert_string_equal(qrig_events(r), "queued /a backoff\n");
}

static void live_attempts_retry_after_holds_the_lane(void **state)
{
	struct qrig *r = *state;
	struct qreq *q = qrig_request(r, "/a", "x");

	q->a.maybe_received = true;
	q->a.reason = HF_REASON_RETRY_AFTER;
	q->a.not_before_delay_ms = 60000;
	qreq_take(q, false);
	qreq_admit(q);
	qrig_advance(r, 59000);
	admit(r, "lane", "/b");
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "");
	hf_sync_now(r->sync, UINT_MAX);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "");
	qrig_advance(r, 2000);
	assert_string_equal(qrig_taken(r, 0), "/a /b");
}

/* ---- limits ---- */

static void full_lane_refuses(void **state)
{
	struct qrig *r = *state;
	struct qreq *q;

	r->origin[0].up = false;
	for (int i = 0; i < 3; i++)
		admit(r, "lane", "/x");
	q = qrig_request(r, "/late", "x");
	q->policy.max_entries = 3;
	qreq_take(q, true);
	qreq_admit(q); /* three are under way, none is stored */
	assert_int_equal(q->err, HF_ELIMIT);
	qrig_settle(r);
	qreq_take(q, true);
	qreq_admit(q);
	assert_int_equal(q->err, HF_ELIMIT);
	qrig_check(r);
}

static void full_store_refuses_and_keeps_what_it_has(void **state)
{
	struct qrig *r = *state;
	char *body = calloc(1, 100001);
	int refused = 0, accepted = 0;
	struct hf_store_purge p = { .budget = 100 };

	memset(body, 'b', 100000);
	qrig_kill(r);
	r->store.opt.bytes_max = 2 << 20;
	assert_int_equal(rig_open(&r->store), 0);
	r->origin[0].up = false;
	qrig_begin(r);
	qrig_start(r);
	for (int i = 0; i < 40; i++) {
		struct qreq *q = qrig_leave(r, "/x", body);

		if (q->done == HF_EFULL)
			refused++;
		else if (q->done == 0)
			accepted++;
	}
	assert_int_equal(accepted + refused, 40);
	assert_in_range(refused, 10, 35);
	qrig_check(r);
	r->origin[0].up = true;
	qrig_advance(r, 60000);
	qrig_check(r);
	assert_true(hf_sync_is_idle(r->sync));
	assert_int_equal(RIG_DO(&r->store, hf_store_purge, &p), 0);
	assert_int_equal(qrig_leave(r, "/again", body)->done, 0);
	free(body);
}

static void closed(void *user, int err)
{
	*(int *)user = err;
}

static void store_that_is_closed_refuses(void **state)
{
	struct qrig *r = *state;
	struct qreq *old, *fresh[3];
	int result = 1;

	admit(r, "old", "/x");
	qrig_settle(r);
	hf_store_close(r->store.store, closed, &result);
	fake_port_settle(&r->store.port);
	assert_int_equal(result, 0);
	old = admit(r, "old", "/y");
	for (int i = 0; i < 3; i++)
		fresh[i] = admit(r, "new", "/z");
	fake_port_settle(&r->store.port);
	assert_int_equal(old->done, HF_ECANCELED);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fresh[i]->done, HF_ECANCELED);
	assert_null(qrig_lane(r, "new"));
}

/* ---- lanes ---- */

static void restart_with(struct qrig *r, unsigned lanes_max)
{
	qrig_kill(r);
	r->lanes_max = lanes_max;
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	qrig_start(r);
}

static void idle_lanes_make_room_for_new_ones(void **state)
{
	struct qrig *r = *state;
	char lane[16];

	restart_with(r, 4);
	for (int i = 0; i < 50; i++) {
		struct qreq *q;

		snprintf(lane, sizeof(lane), "lane%d", i);
		q = admit(r, lane, "/x");
		assert_int_equal(q->err, 0);
		qrig_settle(r);
		assert_int_equal(q->done, 0);
	}
	qrig_taken(r, 0);
	admit(r, "lane0", "/back"); /* forgotten, and found in the store */
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/back");
	qrig_check(r);
}

static void lanes_in_use_are_not_forgotten(void **state)
{
	struct qrig *r = *state;
	struct qreq *q;

	r->origin[0].up = false;
	restart_with(r, 2);
	admit(r, "one", "/x");
	admit(r, "two", "/x");
	assert_int_equal(admit(r, "three", "/x")->err, HF_ELIMIT);
	qrig_settle(r);
	assert_int_equal(admit(r, "three", "/x")->err, HF_ELIMIT);
	r->origin[0].up = true;
	qrig_advance(r, 10000);
	q = admit(r, "three", "/y");
	assert_int_equal(q->err, 0);
	qrig_settle(r);
	assert_int_equal(q->done, 0);
	qrig_check(r);
}

/* What is empty leaves the store, too. */
static void lane_that_is_forgotten_leaves_the_store(void **state)
{
	struct qrig *r = *state;
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 100 };
	struct hf_store_lanes l;

	admit(r, "one", "/x");
	qrig_settle(r);
	assert_int_equal(RIG_DO(&r->store, hf_store_purge, &p), 0);
	r->lanes_max = 1;
	qrig_kill(r);
	assert_int_equal(rig_open(&r->store), 0);
	qrig_begin(r);
	qrig_start(r);
	admit(r, "two", "/x");
	qrig_settle(r);
	assert_int_equal(RIG_DO(&r->store, hf_store_purge, &p), 0);
	admit(r, "three", "/x");
	qrig_settle(r);
	assert_int_equal(RIG_DO(&r->store, hf_store_lanes, &l), 0);
	for (size_t i = 0; i < l.n; i++)
		assert_false(hf_span_eq_str(l.rows[i].key, "two"));
	hf_store_lanes_finish(&l);
}

/* A salvage has lost records: the figures follow, and the lane goes on. */
static void reloading_finds_what_is_left(void **state)
{
	struct qrig *r = *state;
	struct qreq *q[4];

	r->origin[0].up = false;
	for (int i = 0; i < 4; i++) {
		q[i] = admit(r, "lane", i == 3 ? "/last" : "/x");
		qrig_settle(r);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(rig_settle(&r->store, q[i]->a.id, HF_RECORD_CANCELLED, 1), 0);
	hf_queue_reload(r->queue);
	hf_queue_reload(r->queue);
	qrig_settle(r);
	qrig_check(r);
	r->origin[0].up = true;
	qrig_advance(r, 60000);
	assert_string_equal(qrig_taken(r, 0), "/last");
	qrig_check(r);
}

/* A salvage has lost the lane itself. */
static void lane_that_is_gone_is_made_again(void **state)
{
	struct qrig *r = *state;
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 100 };
	struct hf_store_lane gone = { .remove = true };
	struct qreq *q;

	admit(r, "lane", "/x");
	qrig_settle(r);
	assert_int_equal(RIG_DO(&r->store, hf_store_purge, &p), 0);
	gone.id = qrig_lane(r, "lane")->id;
	assert_int_equal(RIG_DO(&r->store, hf_store_lane, &gone), 0);
	q = admit(r, "lane", "/y");
	qrig_settle(r);
	assert_int_equal(q->done, HF_ENOENT);
	q = admit(r, "lane", "/z");
	qrig_settle(r);
	assert_int_equal(q->done, 0);
	assert_string_equal(qrig_taken(r, 0), "/x /z");
	qrig_check(r);
}

static void origin_that_is_gone_keeps_its_records(void **state)
{
	struct qrig *r = *state;
	struct qreq *q;
	char id[HF_ULID_LEN + 1];

	r->origin[1].up = false;
	q = qrig_request(r, "/bank", "x");
	q->a.origin = 1;
	qreq_take(q, true);
	qreq_admit(q);
	qrig_settle(r);
	memcpy(id, q->a.public_id, sizeof(id));
	r->origins_n = 1;
	qrig_restart(r);
	r->origin[1].up = true;
	qrig_advance(r, 60000);
	qrig_check(r);
	assert_int_equal(r->origin[1].running, 0);
	assert_int_equal(qrig_retry(r, id, NULL), 0);
	qrig_settle(r);
	r->origins_n = 2;
	qrig_restart(r);
	qrig_advance(r, 1000);
	assert_string_equal(qrig_taken(r, 1), "/bank");
}

/* ---- keys ---- */

static int key_of(struct qrig *r, const char *a, const char *b, bool quoted, char out[64],
		  bool *minted)
{
	struct hf_policy policy = { .key_header = "Idempotency-Key", .key_quoted = quoted };
	struct hf_fields fields;
	struct hf_arena arena;
	struct hf_span key;
	int err;

	hf_arena_init(&arena, 65536);
	hf_fields_init(&fields, &arena);
	if (a)
		hf_fields_add(&fields, HF_SPAN("idempotency-key"), hf_span_str(a));
	if (b)
		hf_fields_add(&fields, HF_SPAN("Idempotency-Key"), hf_span_str(b));
	err = hf_queue_key(r->queue, &policy, &fields, &arena, &key, minted);
	if (!err)
		snprintf(out, 64, "%.*s", HF_SPAN_ARG(key));
	hf_arena_finish(&arena);
	return err;
}

static void key_is_the_requests_own_or_minted(void **state)
{
	char key[64], other[64];
	bool minted;

	assert_int_equal(key_of(*state, "mine", NULL, false, key, &minted), 0);
	assert_string_equal(key, "mine");
	assert_false(minted);
	assert_int_equal(key_of(*state, "a", "b", false, key, &minted), HF_EINVAL);
	assert_int_equal(key_of(*state, NULL, NULL, false, key, &minted), 0);
	assert_true(minted);
	assert_int_equal(strlen(key), HF_UUID_LEN);
	assert_int_equal(key[14], '7');
	assert_int_equal(key_of(*state, NULL, NULL, true, other, &minted), 0);
	assert_int_equal(strlen(other), HF_UUID_LEN + 2);
	assert_int_equal(other[0], '"');
	assert_string_not_equal(key, other + 1);
}

static void a_minted_key_has_the_time_of_a_clock_that_nobody_trusts(void **state)
{
	struct qrig *r = *state;
	struct fake_port *port = &r->store.port;
	char key[64];

	port->trust = HF_CLOCK_UNSET;
	port->wall_ms = INT64_C(0x019b76da3400);
	assert_int_equal(key_of(r, NULL, NULL, false, key, NULL), 0);
	assert_memory_equal(key, "019b76da-3400-7", 15);
	port->wall_ms = 86400000; /* a day after it began to count */
	assert_int_equal(key_of(r, NULL, NULL, false, key, NULL), 0);
	assert_memory_equal(key, "00000000-0000-7", 15);
}

static void closing_down_in_an_admission_leaves_nothing_behind(void **state)
{
	struct qrig *r = *state;

	for (int turns = 0; turns < 4; turns++) {
		char lane[16];

		snprintf(lane, sizeof(lane), "lane%d", turns);
		for (int i = 0; i < 3; i++)
			admit(r, lane, "/x");
		for (int i = 0; i < turns; i++)
			fake_port_turn(&r->store.port);
		qrig_restart(r);
		qrig_settle(r);
		qrig_check(r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Whatever is said of it: a clock before 2025 was never set. */
static void a_year_that_cannot_be_is_not_remembered(void **state)
{
	struct qrig *r = *state;
	struct fake_port *port = &r->store.port;
	struct qreq *q;

	port->trust = HF_CLOCK_RTC;
	port->wall_ms = HF_WALL_MIN_MS - 1000;
	q = qrig_leave(r, "/a", "x");
	assert_int_equal(qrig_state(r, q->a.id).created_wall_ms, 0);
	port->wall_ms = HF_WALL_MIN_MS + 1000;
	q = qrig_leave(r, "/b", "x");
	assert_true(qrig_state(r, q->a.id).created_wall_ms >= HF_WALL_MIN_MS + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_ones_of_a_new_lane_keep_their_order),
		TEST(records_say_what_was_accepted),
		TEST(a_year_that_cannot_be_is_not_remembered),
		TEST(live_attempts_retry_after_holds_the_lane),
		TEST(full_lane_refuses),
		TEST(full_store_refuses_and_keeps_what_it_has),
		TEST(store_that_is_closed_refuses),
		TEST(idle_lanes_make_room_for_new_ones),
		TEST(lanes_in_use_are_not_forgotten),
		TEST(lane_that_is_forgotten_leaves_the_store),
		TEST(reloading_finds_what_is_left),
		TEST(lane_that_is_gone_is_made_again),
		TEST(origin_that_is_gone_keeps_its_records),
		TEST(key_is_the_requests_own_or_minted),
		TEST(a_minted_key_has_the_time_of_a_clock_that_nobody_trusts),
		TEST(closing_down_in_an_admission_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
