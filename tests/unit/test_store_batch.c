/* SPDX-License-Identifier: Apache-2.0 */
/* The batch writer: sharing a commit, failing alone, running full, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store_files.h"
#include "store/rows.h"

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static uint64_t batches(struct rig *r)
{
	struct hf_store_usage u;

	hf_store_usage(r->store, &u);
	return u.batches;
}

/* An operation that writes (or reads back) one value and then fails as told. */
struct probe {
	struct hf_store_op op;
	const char *key;
	bool read;
	int err;  /* to return */
	int hard; /* to fail with as SQLite would */
	unsigned runs;
	uint8_t value[4];
	int got;
	bool finished;
};

static int probe_run(struct hf_store_op *op, struct hf_db *db)
{
	struct probe *p = hf_container_of(op, struct probe, op);
	int err;

	p->runs++;
	if (p->read) {
		p->got = hf_meta_get(db, p->key, p->value, sizeof(p->value));
		return 0;
	}
	err = hf_meta_put(db, p->key, hf_span(p->value, sizeof(p->value)));
	if (!err && p->hard)
		db->hard = p->hard;
	return err ? err : p->err;
}

static void probe_done(struct hf_store_op *op, int err)
{
	struct probe *p = hf_container_of(op, struct probe, op);

	p->finished = true;
	p->op.err = err;
}

static void probe_submit(struct rig *r, struct probe *p)
{
	p->op.run = probe_run;
	p->op.done = probe_done;
	p->op.writes = !p->read;
	p->finished = false;
	p->runs = 0;
	hf_store_submit(r->store, &p->op);
}

static int stored(struct rig *r, const char *key)
{
	struct probe p = { .key = key, .read = true };

	probe_submit(r, &p);
	fake_port_settle(&r->port);
	return p.got;
}

static void operations_of_a_turn_share_a_commit(void **state)
{
	struct rig *r = *state;
	struct probe p[10];
	uint64_t before = batches(r);

	for (int i = 0; i < 10; i++) {
		p[i] = (struct probe){ .key = "k", .value = { (uint8_t)i } };
		probe_submit(r, &p[i]);
		assert_false(p[i].finished);
	}
	fake_port_settle(&r->port);
	for (int i = 0; i < 10; i++) {
		assert_true(p[i].finished);
		assert_int_equal(p[i].op.err, 0);
		assert_int_equal(p[i].runs, 1);
	}
	assert_int_equal(batches(r), before + 1);
}

static void later_operations_see_earlier_ones(void **state)
{
	struct rig *r = *state;
	struct probe put = { .key = "k", .value = { 5 } }, get = { .key = "k", .read = true };

	probe_submit(r, &put);
	probe_submit(r, &get);
	fake_port_settle(&r->port);
	assert_int_equal(get.got, 0);
	assert_int_equal(get.value[0], 5);
}

static void failing_operation_takes_nobody_along(void **state)
{
	struct rig *r = *state;
	struct probe a = { .key = "a" }, b = { .key = "b", .err = HF_ESTATE }, c = { .key = "c" };

	probe_submit(r, &a);
	probe_submit(r, &b);
	probe_submit(r, &c);
	fake_port_settle(&r->port);
	assert_int_equal(a.op.err, 0);
	assert_int_equal(b.op.err, HF_ESTATE);
	assert_int_equal(c.op.err, 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(stored(r, "a"), 0);
	assert_int_equal(stored(r, "b"), HF_ENOENT);
	assert_int_equal(stored(r, "c"), 0);
}

static void hard_failure_takes_nobody_along(void **state)
{
	static const int errors[] = { HF_ENOMEM, HF_EIO, HF_EFULL };
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct probe a = { .key = "a" }, b = { .key = "b", .hard = errors[i] },
			     c = { .key = "c", .op.privileged = true };

		a.op.privileged = true;
		b.op.privileged = true;
		probe_submit(r, &a);
		probe_submit(r, &b);
		probe_submit(r, &c);
		fake_port_settle(&r->port);
		assert_int_equal(a.op.err, 0);
		assert_int_equal(b.op.err, errors[i]);
		assert_int_equal(c.op.err, 0);
		assert_int_equal(stored(r, "c"), 0);
		assert_int_equal(stored(r, "b"), HF_ENOENT);
	}
}

static void caches_are_right_after_a_rollback(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_insert i[2];
	struct probe bad = { .key = "b", .err = HF_ESTATE };
	uint64_t id;

	for (int n = 0; n < 2; n++) {
		i[n] = (struct hf_store_insert){ .lane = lane, .head = HF_SPAN("h") };
		i[n].state.status = HF_RECORD_QUEUED;
		i[n].op.done = rig_done;
	}
	hf_store_insert(r->store, &i[0]);
	probe_submit(r, &bad);
	hf_store_insert(r->store, &i[1]);
	fake_port_settle(&r->port);
	assert_int_equal(i[0].id, HF_RECORD_ID(lane, 1));
	assert_int_equal(i[1].id, HF_RECORD_ID(lane, 2));
	assert_int_equal(rig_insert(r, lane, 1, 10, &id), 0);
	assert_int_equal(id, HF_RECORD_ID(lane, 3));
}

static void again(struct hf_store_op *op, int err)
{
	struct probe *p = hf_container_of(op, struct probe, op);

	assert_int_equal(err, 0);
	p->finished = true;
	if (p->value[0]++ < 3)
		hf_store_submit(op->user, op);
}

static void operation_can_be_submitted_again_in_done(void **state)
{
	struct rig *r = *state;
	struct probe p = { .key = "k" };

	p.op = (struct hf_store_op){ .run = probe_run, .done = again, .writes = true };
	p.op.user = r->store;
	hf_store_submit(r->store, &p.op);
	fake_port_settle(&r->port);
	assert_int_equal(p.runs, 4);
}

static void open_done(void *user, int err, const struct hf_store_report *report)
{
	(void)report;
	*(int *)user = err;
}

static void operations_wait_for_open(void **state)
{
	struct rig *r = *state;
	struct probe p = { .key = "k" };
	int opened = 1;

	rig_kill(r);
	assert_int_equal(hf_store_create(&r->opt, &r->store), 0);
	probe_submit(r, &p);
	fake_port_settle(&r->port);
	assert_false(p.finished);
	hf_store_open(r->store, open_done, &opened);
	fake_port_settle(&r->port);
	assert_int_equal(opened, 0);
	assert_true(p.finished);
	assert_int_equal(p.op.err, 0);
}

static void operations_of_a_store_that_cannot_open_fail(void **state)
{
	struct rig *r = *state;
	struct probe p = { .key = "k" };
	char dir[64];

	rig_kill(r);
	memcpy(dir, r->port.dir, sizeof(dir));
	snprintf(r->port.dir, sizeof(r->port.dir), "/nonexistent/place");
	assert_int_equal(rig_open(r), HF_EIO);
	probe_submit(r, &p);
	assert_false(p.finished);
	fake_port_settle(&r->port);
	assert_true(p.finished);
	assert_int_equal(p.op.err, HF_EIO);
	memcpy(r->port.dir, dir, sizeof(dir));
}

static void close_done(void *user, int err)
{
	*(int *)user = err;
}

static void close_runs_what_was_submitted_and_refuses_the_rest(void **state)
{
	struct rig *r = *state;
	struct probe a = { .key = "a" }, b = { .key = "b" };
	int closed = 1;

	probe_submit(r, &a);
	hf_store_close(r->store, close_done, &closed);
	fake_port_settle(&r->port);
	assert_int_equal(closed, 0);
	assert_int_equal(a.op.err, 0);
	probe_submit(r, &b);
	fake_port_settle(&r->port);
	assert_int_equal(b.op.err, HF_ECANCELED);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(stored(r, "a"), 0);
}

static void close_after_a_failed_open_calls_back(void **state)
{
	struct rig *r = *state;
	struct probe a = { .key = "a" }, b = { .key = "b" };
	int closed = 1;
	char dir[64];

	rig_kill(r);
	memcpy(dir, r->port.dir, sizeof(dir));
	snprintf(r->port.dir, sizeof(r->port.dir), "/nonexistent/place");
	assert_int_equal(rig_open(r), HF_EIO);
	memcpy(r->port.dir, dir, sizeof(dir));
	probe_submit(r, &a);
	hf_store_close(r->store, close_done, &closed);
	assert_int_equal(closed, 1);
	fake_port_settle(&r->port);
	assert_int_equal(closed, 0);
	assert_int_equal(a.op.err, HF_EIO);
	probe_submit(r, &b);
	fake_port_settle(&r->port);
	assert_int_equal(b.op.err, HF_ECANCELED);
}

/* Also when it is asked for while the open is under way. */
static void close_during_a_failing_open_calls_back(void **state)
{
	struct rig *r = *state;
	int opened = 1, closed = 1;
	char dir[64];

	rig_kill(r);
	memcpy(dir, r->port.dir, sizeof(dir));
	snprintf(r->port.dir, sizeof(r->port.dir), "/nonexistent/place");
	assert_int_equal(hf_store_create(&r->opt, &r->store), 0);
	memcpy(r->port.dir, dir, sizeof(dir));
	hf_store_open(r->store, open_done, &opened);
	hf_store_close(r->store, close_done, &closed);
	fake_port_settle(&r->port);
	assert_int_equal(opened, HF_EIO);
	assert_int_equal(closed, 0);
}

static void destroy_is_silent(void **state)
{
	struct rig *r = *state;
	struct probe p = { .key = "k" };

	probe_submit(r, &p);
	rig_kill(r);
	assert_false(p.finished);
}

/* ---- the ceiling of the file ---- */

static void full_store_refuses_settles_and_recovers(void **state)
{
	struct rig *r = *state;
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 1000, .dead_max = 0 };
	struct hf_store_usage u;
	uint64_t *ids = calloc(4000, sizeof(*ids));
	uint32_t lane;
	unsigned n = 0;
	int err;

	rig_kill(r);
	r->opt.bytes_max = 1u << 20;
	r->opt.reserve_bytes = 200u << 10;
	assert_int_equal(rig_open(r), 0);
	lane = rig_lane(r, "o", "k");
	while ((err = rig_insert(r, lane, n, 500, &ids[n])) == 0)
		n++;
	assert_int_equal(err, HF_EFULL);
	assert_true(n > 500);
	hf_store_usage(r->store, &u);
	assert_true(u.full);
	assert_true(u.bytes <= r->opt.bytes_max - r->opt.reserve_bytes);
	assert_int_equal(rig_lane(r, "o", "k"), lane);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(rig_mark(r, ids[i], 1), 0);
		assert_int_equal(rig_settle(r, ids[i], HF_RECORD_SETTLED, i), 0);
	}
	do {
		assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	} while (p.more);
	assert_int_equal(rig_insert(r, lane, 1, 500, &ids[0]), 0);
	hf_store_usage(r->store, &u);
	assert_false(u.full);
	assert_true(u.bytes < 200u << 10);
	assert_true(u.file_bytes <= r->opt.bytes_max);
	free(ids);
}

static void reserve_is_as_large_as_it_is_set(void **state)
{
	static const uint64_t sizes[] = { 65536, 3u << 20 };
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rig_kill(r);
		rig_remove(r, "queue.reserve");
		r->opt.reserve_bytes = sizes[i];
		assert_int_equal(rig_open(r), 0);
		assert_in_range(rig_size(r, "queue.reserve"), sizes[i], sizes[i] + 4096);
	}
}

/* ---- the ledger of bytes written ---- */

static void ledger_counts_days_and_starts(void **state)
{
	struct rig *r = *state;
	struct hf_store_usage a, b;
	uint32_t lane = rig_lane(r, "o", "k");
	uint64_t id;

	hf_store_usage(r->store, &a);
	assert_true(a.written_total > 0);
	assert_int_equal(a.written_today, a.written_total);
	fake_port_advance(&r->port, 61000);
	assert_int_equal(rig_insert(r, lane, 1, 500, &id), 0);
	hf_store_usage(r->store, &a);
	assert_int_equal(rig_reopen(r), 0);
	hf_store_usage(r->store, &b);
	/* the last commit before the kill may miss in the stored figure */
	assert_true(b.written_total + 20000 > a.written_total);
	assert_int_equal(b.written_today, b.written_total);
	fake_port_advance(&r->port, 86400000);
	assert_int_equal(rig_insert(r, lane, 2, 500, &id), 0);
	hf_store_usage(r->store, &b);
	assert_true(b.written_today < 10000);
}

static uint64_t written(struct rig *r, bool today)
{
	struct hf_store_usage u;

	hf_store_usage(r->store, &u);
	return today ? u.written_today : u.written_total;
}

/* What was told before a kill is not taken back after it, and little is added. */
static void ledger_never_falls(void **state)
{
	enum {
		KILLS = 30
	};
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	uint64_t total = 0, today = 0, true_total = 0;

	for (unsigned i = 0; i < KILLS; i++) {
		uint64_t first = written(r, false), id;

		for (unsigned j = 0; j < 3 * i; j++) {
			assert_int_equal(rig_insert(r, lane, j, 3000, &id), 0);
			assert_true(written(r, false) >= total);
			assert_true(written(r, true) >= today);
			total = written(r, false);
			today = written(r, true);
		}
		true_total += total > first ? total - first : 0;
		if (i % 5 == 4)
			assert_int_equal(rig_close(r), 0);
		assert_int_equal(rig_reopen(r), 0);
		assert_true(written(r, false) >= total);
		assert_true(written(r, true) >= today);
	}
	assert_true(total > 1u << 20);
	assert_true(total < true_total + KILLS * (600u << 10));
}

static void ledger_without_a_clock_counts_running_days(void **state)
{
	struct rig *r = *state;
	struct hf_store_usage u;
	uint32_t lane;
	uint64_t id;

	rig_close(r);
	r->port.trust = HF_CLOCK_UNSET;
	assert_int_equal(rig_open(r), 0);
	lane = rig_lane(r, "o", "k");
	hf_store_usage(r->store, &u);
	assert_int_equal(u.written_today, u.written_total);
	fake_port_advance(&r->port, 80000000);
	assert_int_equal(rig_insert(r, lane, 1, 500, &id), 0);
	hf_store_usage(r->store, &u);
	assert_int_equal(u.written_today, u.written_total);
	fake_port_advance(&r->port, 7000000);
	assert_int_equal(rig_insert(r, lane, 2, 500, &id), 0);
	hf_store_usage(r->store, &u);
	assert_true(u.written_today < u.written_total);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(operations_of_a_turn_share_a_commit),
		STORE_TEST(later_operations_see_earlier_ones),
		STORE_TEST(failing_operation_takes_nobody_along),
		STORE_TEST(hard_failure_takes_nobody_along),
		STORE_TEST(caches_are_right_after_a_rollback),
		STORE_TEST(operation_can_be_submitted_again_in_done),
		STORE_TEST(operations_wait_for_open),
		STORE_TEST(operations_of_a_store_that_cannot_open_fail),
		STORE_TEST(close_runs_what_was_submitted_and_refuses_the_rest),
		STORE_TEST(close_after_a_failed_open_calls_back),
		STORE_TEST(close_during_a_failing_open_calls_back),
		STORE_TEST(destroy_is_silent),
		STORE_TEST(full_store_refuses_settles_and_recovers),
		STORE_TEST(reserve_is_as_large_as_it_is_set),
		STORE_TEST(ledger_counts_days_and_starts),
		STORE_TEST(ledger_never_falls),
		STORE_TEST(ledger_without_a_clock_counts_running_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
