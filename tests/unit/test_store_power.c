/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store on a disk that loses power, refuses an operation or runs full, at
 * every operation of a day's work. A model follows what was acknowledged; after
 * each start the store must agree with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store_rig.h"
#include "sim/disk.h"
#include "sim/vfs.h"

#define RECORDS_MAX 512

struct known {
	uint64_t id;
	unsigned n;
	size_t size;
	uint8_t status; /* acknowledged; 0: the insert was not */
	uint8_t maybe;	/* asked for, not acknowledged; 0: nothing */
	bool purged;	/* may be gone altogether */
};

struct world {
	struct rig rig;
	struct sim_disk *disk;
	struct sim_vfs *vfs;
	struct known v[RECORDS_MAX];
	unsigned n;
	uint32_t lanes[3];
	uint64_t blob, blob_record;
	bool blob_whole; /* an acknowledged record refers to it */
};

static void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	rig_init(&w->rig);
	w->disk = sim_disk_create(seed, "disk");
	w->vfs = sim_vfs_create(w->disk, "test-disk", seed, NULL, NULL);
	w->rig.port.vfs = sim_vfs_name(w->vfs);
	w->rig.opt.wal_pages = 60; /* so that checkpoints fall among the operations */
	w->rig.opt.reserve_bytes = 64u << 10;
}

static void world_finish(struct world *w)
{
	rig_finish(&w->rig);
	sim_vfs_destroy(w->vfs);
	sim_disk_destroy(w->disk);
}

/* ---- a day's work; every step returns what the store said ---- */

static int add(struct world *w, unsigned lane, size_t size)
{
	struct known *k = &w->v[w->n];
	int err;

	assert_true(w->n < RECORDS_MAX);
	*k = (struct known){ .n = w->n, .size = size, .maybe = HF_RECORD_QUEUED };
	err = rig_insert(&w->rig, w->lanes[lane], k->n, size, &k->id);
	if (err == HF_EFULL)
		k->maybe = 0;
	if (!err) {
		k->status = HF_RECORD_QUEUED;
		k->maybe = 0;
	}
	w->n++;
	return err;
}

static int finish(struct world *w, unsigned i, uint8_t status)
{
	struct known *k = &w->v[i];
	int err;

	if (k->status != HF_RECORD_QUEUED)
		return 0;
	err = rig_mark(&w->rig, k->id, 1);
	if (err)
		return err;
	k->maybe = status;
	err = rig_settle(&w->rig, k->id, status, k->n);
	if (!err) {
		k->status = status;
		k->maybe = 0;
	}
	return err;
}

static int upload(struct world *w)
{
	struct hf_store_blob_append a = { .blob = 0 };
	struct hf_store_insert i = { .lane = w->lanes[0] };
	char data[3000];
	int err = 0;

	for (unsigned n = 0; n < 3 && !err; n++) {
		rig_body(n, data, sizeof(data));
		a.n = n;
		a.data = hf_span(data, sizeof(data));
		err = RIG_DO(&w->rig, hf_store_blob_append, &a);
	}
	if (err)
		return err;
	i.state = (struct hf_record_state){ .status = HF_RECORD_HELD, .tag = 1 };
	i.head = HF_SPAN("large");
	i.blob = a.blob;
	i.body_len = 3 * sizeof(data);
	err = RIG_DO(&w->rig, hf_store_insert, &i);
	if (!err) {
		w->blob = a.blob;
		w->blob_record = i.id;
		w->blob_whole = true;
	}
	return err;
}

static int purge(struct world *w, uint64_t before)
{
	struct hf_store_purge p = { .before_dev_ms = before, .dead_max = 1000, .budget = 20 };

	for (unsigned i = 0; i < w->n && before; i++) {
		if (w->v[i].status >= HF_RECORD_SETTLED || w->v[i].maybe >= HF_RECORD_SETTLED)
			w->v[i].purged = true;
	}
	return RIG_DO(&w->rig, hf_store_purge, &p);
}

/* Goes on past refusals: the disk may be well again at the next step. */
static void day(struct world *w, bool insist)
{
	int err = 0;

	for (unsigned i = 0; i < 3 && !err; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%u", i);
		w->lanes[i] = rig_lane(&w->rig, "https://o", key);
		if (!w->lanes[i])
			return;
	}
#define STEP(call)                                 \
	do {                                       \
		err = (call);                      \
		if (err && insist)                 \
			fail_msg("step: %d", err); \
	} while (0)
	for (unsigned i = 0; i < 8; i++)
		STEP(add(w, i % 3, 300 + 100 * i));
	STEP(upload(w));
	STEP(finish(w, 0, HF_RECORD_SETTLED));
	STEP(finish(w, 1, HF_RECORD_DEAD));
	STEP(finish(w, 5, HF_RECORD_CANCELLED));
	for (unsigned i = 0; i < 12; i++) {
		STEP(add(w, 2, 200));
		STEP(finish(w, 2 + 3 * (i % 2), HF_RECORD_SETTLED));
	}
	STEP(purge(w, 0));
	for (unsigned i = 8; i < 16; i++)
		STEP(finish(w, i, HF_RECORD_SETTLED));
	STEP(purge(w, 1005));
	STEP(add(w, 0, 5000));
#undef STEP
}

/* ---- what must be true ---- */

static void check_record(struct world *w, const struct known *k)
{
	int got;

	if (!k->id || (!k->status && !k->maybe))
		return;
	/* the number of an insert that failed is given again */
	if (!k->status && k->id == w->blob_record)
		return;
	for (unsigned i = 0; i < w->n && !k->status; i++) {
		if (&w->v[i] != k && w->v[i].id == k->id)
			return;
	}
	got = rig_status(&w->rig, k->id, k->n, k->size);
	if (got == HF_ENOENT && (k->purged || !k->status))
		return;
	if (got == k->status || (k->maybe && got == k->maybe))
		return;
	fail_msg("record %u: is %d, acknowledged %u, asked for %u", k->n, got, k->status, k->maybe);
}

static void check_blob(struct world *w)
{
	struct hf_store_blob_read b = { .blob = w->blob };
	char data[3000];

	if (!w->blob_whole)
		return;
	hf_buf_init(&b.data, 1u << 20);
	for (b.n = 0; b.n < 3; b.n++) {
		rig_body(b.n, data, sizeof(data));
		assert_int_equal(RIG_DO(&w->rig, hf_store_blob_read, &b), 0);
		assert_int_equal(hf_buf_span(&b.data).len, sizeof(data));
		assert_memory_equal(hf_buf_span(&b.data).ptr, data, sizeof(data));
	}
	hf_buf_finish(&b.data);
}

/* waiting, head and tail of each lane against a walk over its records. */
static void check_lanes(struct world *w)
{
	for (unsigned i = 0; i < 3; i++) {
		struct hf_lane_row row;
		uint64_t live = 0, first = 0;
		struct hf_store_list l = { .lane = w->lanes[i], .limit = 64 };

		if (!w->lanes[i])
			continue;
		row = rig_lane_row(&w->rig, w->lanes[i]);
		do {
			assert_int_equal(RIG_DO(&w->rig, hf_store_list, &l), 0);
			for (size_t j = 0; j < l.n; j++) {
				if (l.v[j].state.status > HF_RECORD_HELD)
					continue;
				live++;
				if (!first)
					first = l.v[j].id;
			}
			l.after = l.next;
			hf_store_list_finish(&l);
		} while (l.more);
		assert_int_equal(row.waiting, live);
		assert_int_equal(row.head_id, first);
	}
}

static void check_integrity(struct world *w)
{
	struct hf_store_check c;

	assert_int_equal(RIG_DO(&w->rig, hf_store_check, &c), 0);
	if (c.faults)
		fail_msg("integrity: %s", c.text);
}

static void check_all(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++)
		check_record(w, &w->v[i]);
	check_blob(w);
	check_lanes(w);
	check_integrity(w);
}

/* ---- the loops ---- */

static uint64_t operations_of_a_day(void)
{
	struct world *w = malloc(sizeof(*w));
	uint64_t n;

	world_init(w, 1);
	assert_int_equal(rig_open(&w->rig), 0);
	day(w, true);
	check_all(w);
	assert_int_equal(rig_close(&w->rig), 0);
	n = sim_disk_stats(w->disk)->ops;
	assert_int_equal(rig_open(&w->rig), 0);
	check_all(w);
	world_finish(w);
	free(w);
	return n;
}

static void restart(struct world *w)
{
	rig_kill(&w->rig);
	if (sim_disk_is_dead(w->disk))
		sim_disk_revive(w->disk);
	assert_int_equal(rig_open(&w->rig), 0);
	assert_false(w->rig.report.vanished);
	assert_false(w->rig.report.salvaged);
}

/* The power goes at operation @at, and again at operation @again of the start
 * that follows (0: not). */
static void cut(uint64_t seed, uint64_t at, uint64_t again)
{
	struct world *w = malloc(sizeof(*w));

	world_init(w, seed);
	sim_disk_cut_at(w->disk, at);
	if (rig_open(&w->rig) == 0)
		day(w, false);
	if (again) {
		rig_kill(&w->rig);
		if (!sim_disk_is_dead(w->disk))
			sim_disk_cut(w->disk);
		sim_disk_revive(w->disk);
		sim_disk_cut_at(w->disk, again);
		rig_open(&w->rig);
	}
	if (!sim_disk_is_dead(w->disk))
		sim_disk_cut(w->disk);
	restart(w);
	check_all(w);
	/* and it goes on */
	day(w, false);
	restart(w);
	check_all(w);
	world_finish(w);
	free(w);
}

static void power_cut_at_every_operation(void **state)
{
	uint64_t n = operations_of_a_day();

	(void)state;
	for (uint64_t at = 1; at <= n + 2; at++) {
		for (uint64_t seed = 1; seed <= 3; seed++)
			cut(seed * 1000 + at, at, 0);
	}
}

static void power_cut_during_the_start_after_a_cut(void **state)
{
	uint64_t n = operations_of_a_day();

	(void)state;
	for (uint64_t at = 3; at <= n; at += 7) {
		for (uint64_t again = 1; again <= 8; again++)
			cut(at * 77 + again, at, again);
	}
}

/* One operation fails, everything after it works. */
static void one_refused_operation_harms_nothing(void **state)
{
	uint64_t n = operations_of_a_day();

	(void)state;
	for (uint64_t at = 1; at <= n; at++) {
		struct world *w = malloc(sizeof(*w));

		world_init(w, at);
		sim_disk_fail_at(w->disk, at);
		if (rig_open(&w->rig)) {
			rig_kill(&w->rig);
			assert_int_equal(rig_open(&w->rig), 0);
		}
		day(w, false);
		check_all(w);
		restart(w);
		check_all(w);
		world_finish(w);
		free(w);
	}
}

/* The medium runs full at every possible size: nothing acknowledged is harmed,
 * what waits can still be settled, and with room again work goes on. */
static void full_medium_harms_nothing(void **state)
{
	(void)state;
	for (uint64_t capacity = 20000; capacity < 320000; capacity += 3000) {
		struct world *w = malloc(sizeof(*w));

		world_init(w, capacity);
		sim_disk_capacity(w->disk, capacity);
		if (rig_open(&w->rig) == 0) {
			day(w, false);
			check_all(w);
		}
		sim_disk_capacity(w->disk, 10u << 20);
		fake_port_advance(&w->rig.port, 60000);
		restart(w);
		check_all(w);
		day(w, true);
		check_all(w);
		world_finish(w);
		free(w);
	}
}

/* With the reserve made, a full medium refuses new requests and settles all
 * that wait. */
static void full_medium_still_settles(void **state)
{
	struct world *w = malloc(sizeof(*w));
	unsigned n;
	int err = 0;

	(void)state;
	world_init(w, 1);
	sim_disk_capacity(w->disk, 400000);
	assert_int_equal(rig_open(&w->rig), 0);
	w->lanes[0] = rig_lane(&w->rig, "o", "k");
	while (!err)
		err = add(w, 0, 600);
	assert_int_equal(err, HF_EFULL);
	n = w->n;
	for (unsigned i = 0; i < n; i++) {
		if (w->v[i].status)
			assert_int_equal(finish(w, i, HF_RECORD_SETTLED), 0);
	}
	check_all(w);
	restart(w);
	check_all(w);
	world_finish(w);
	free(w);
}

/* ---- salvage on a failing disk ---- */

/* A day's work in the database file alone, whose first page is then lost. */
static void damage(struct world *w)
{
	static const char zeros[512];
	char path[256];
	struct sim_file *f;

	assert_int_equal(rig_open(&w->rig), 0);
	day(w, true);
	assert_int_equal(rig_close(&w->rig), 0);
	assert_int_equal(sim_disk_remove(w->disk, rig_path(&w->rig, "queue-1.db-wal", path), true),
			 0);
	assert_int_equal(sim_disk_open(w->disk, rig_path(&w->rig, "queue-1.db", path), 0,
				       SIM_DISK_OTHER, &f),
			 0);
	assert_int_equal(sim_file_write(f, zeros, sizeof(zeros), 0), 0);
	assert_int_equal(sim_file_sync(f), 0);
	sim_file_close(f);
}

static uint64_t operations_of_a_salvage(void)
{
	struct world *w = malloc(sizeof(*w));
	uint64_t n;

	world_init(w, 1);
	damage(w);
	n = sim_disk_stats(w->disk)->ops;
	assert_int_equal(rig_open(&w->rig), 0);
	assert_true(w->rig.report.salvaged);
	assert_int_equal(w->rig.report.rows_lost, 0);
	n = sim_disk_stats(w->disk)->ops - n;
	check_all(w);
	world_finish(w);
	free(w);
	return n;
}

static void salvage_survives_trouble(void (*trouble)(struct sim_disk *d, uint64_t nth))
{
	uint64_t n = operations_of_a_salvage();

	for (uint64_t at = 1; at <= n + 1; at++) {
		struct world *w = malloc(sizeof(*w));

		world_init(w, at);
		damage(w);
		trouble(w->disk, at);
		rig_open(&w->rig);
		rig_kill(&w->rig);
		trouble(w->disk, 0);
		if (sim_disk_is_dead(w->disk))
			sim_disk_revive(w->disk);
		assert_int_equal(rig_open(&w->rig), 0);
		assert_false(w->rig.report.vanished);
		assert_int_equal(w->rig.report.rows_lost, 0);
		check_all(w);
		restart(w);
		check_all(w);
		world_finish(w);
		free(w);
	}
}

static void power_cut_at_every_operation_of_a_salvage(void **state)
{
	(void)state;
	salvage_survives_trouble(sim_disk_cut_at);
}

static void one_refused_operation_of_a_salvage_harms_nothing(void **state)
{
	(void)state;
	salvage_survives_trouble(sim_disk_fail_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_cut_at_every_operation),
		cmocka_unit_test(power_cut_during_the_start_after_a_cut),
		cmocka_unit_test(one_refused_operation_harms_nothing),
		cmocka_unit_test(full_medium_harms_nothing),
		cmocka_unit_test(full_medium_still_settles),
		cmocka_unit_test(power_cut_at_every_operation_of_a_salvage),
		cmocka_unit_test(one_refused_operation_of_a_salvage_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
