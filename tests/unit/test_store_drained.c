/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A medium that has run full, and whose queue has drained since: the space that
 * the database holds takes new requests, whatever filled it.
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

#define RECORDS_MAX 40000
#define PROMPT_MS   5000

struct world {
	struct rig rig;
	struct sim_disk *disk;
	struct sim_vfs *vfs;
	uint64_t ids[RECORDS_MAX];
	struct hf_store_insert at_once[RECORDS_MAX];
	unsigned n;
	uint32_t lane;
};

static struct world *world_create(uint64_t capacity)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	rig_init(&w->rig);
	w->disk = sim_disk_create(1, "disk");
	w->vfs = sim_vfs_create(w->disk, "drained-disk", 1, NULL, NULL);
	w->rig.port.vfs = sim_vfs_name(w->vfs);
	w->rig.opt.reserve_bytes = 1u << 20;
	sim_disk_capacity(w->disk, capacity);
	assert_int_equal(rig_open(&w->rig), 0);
	w->lane = rig_lane(&w->rig, "o", "k");
	return w;
}

static void world_destroy(struct world *w)
{
	rig_finish(&w->rig);
	sim_vfs_destroy(w->vfs);
	sim_disk_destroy(w->disk);
	free(w);
}

static uint64_t written(struct world *w)
{
	return sim_disk_stats(w->disk)->bytes;
}

/* ---- kinds of requests ---- */

static int add_small(struct world *w)
{
	return rig_insert(&w->rig, w->lane, w->n, 400, &w->ids[w->n]);
}

static int add_large(struct world *w)
{
	return rig_insert(&w->rig, w->lane, w->n, 20000, &w->ids[w->n]);
}

static int add_huge(struct world *w)
{
	static char data[60000];
	struct hf_store_insert i = { .lane = w->lane };
	struct hf_store_blob_append a = { .blob = 0 };
	int err = 0;

	rig_body(w->n, data, sizeof(data));
	for (a.n = 0; a.n < 2 && !err; a.n++) {
		a.data = hf_span(data, sizeof(data));
		err = RIG_DO(&w->rig, hf_store_blob_append, &a);
	}
	if (err) {
		struct hf_store_blob_delete d = { .blob = a.blob };

		if (a.blob)
			assert_int_equal(RIG_DO(&w->rig, hf_store_blob_delete, &d), 0);
		return err;
	}
	i.state = (struct hf_record_state){ .status = HF_RECORD_QUEUED, .tag = w->n };
	i.head = HF_SPAN("huge");
	i.blob = a.blob;
	i.body_len = 2 * sizeof(data);
	err = RIG_DO(&w->rig, hf_store_insert, &i);
	w->ids[w->n] = i.id;
	return err;
}

/* ---- filling and draining ---- */

typedef int add_fn(struct world *w);

static unsigned fill(struct world *w, add_fn *add)
{
	unsigned before = w->n;
	int err;

	while ((err = add(w)) == 0) {
		w->n++;
		assert_true(w->n < RECORDS_MAX);
	}
	assert_int_equal(err, HF_EFULL);
	return w->n - before;
}

static int settle(struct world *w, unsigned i, size_t answer)
{
	static char body[4096];
	struct hf_store_settle x = { .id = w->ids[i] };

	x.state = (struct hf_record_state){ .status = HF_RECORD_SETTLED,
					    .tag = i,
					    .settled_dev_ms = 1 + i };
	x.summary = HF_SPAN("summary");
	x.head = HF_SPAN("answer");
	x.body = hf_span(body, answer);
	return RIG_DO(&w->rig, hf_store_settle, &x);
}

static int drop_answers(struct world *w, unsigned n)
{
	struct hf_store_purge p;

	hf_store_purge_oldest(w->rig.store, &p, n, rig_done, &w->rig);
	fake_port_settle(&w->rig.port);
	assert_int_equal(p.op.err, 0);
	return (int)p.outcomes;
}

/* As the queue does it: without room for an answer the oldest ones go. */
static void drain(struct world *w, unsigned from, unsigned to, size_t answer)
{
	for (unsigned i = from; i < to; i++) {
		int err;

		assert_int_equal(rig_mark(&w->rig, w->ids[i], 1), 0);
		while ((err = settle(w, i, answer)) == HF_EFULL)
			assert_true(drop_answers(w, 4) > 0);
		assert_int_equal(err, 0);
	}
	fake_port_advance(&w->rig.port, PROMPT_MS);
	fake_port_settle(&w->rig.port);
}

static void restart(struct world *w, bool kill)
{
	if (!kill)
		assert_int_equal(rig_close(&w->rig), 0);
	assert_int_equal(kill ? rig_reopen(&w->rig) : rig_open(&w->rig), 0);
	fake_port_settle(&w->rig.port);
}

/* At least @least requests are taken, and every one of them can be settled. */
static void accepts(struct world *w, add_fn *add, unsigned least)
{
	unsigned from = w->n;
	unsigned got = fill(w, add);

	assert_true(got >= least);
	drain(w, from, w->n, 100);
}

/* ---- drained ---- */

static void drained_accepts_again(void **state)
{
	static add_fn *const kinds[] = { add_small, add_large, add_huge };

	(void)state;
	for (size_t kind = 0; kind < 3; kind++) {
		for (int how = 0; how < 3; how++) {
			struct world *w = world_create(4u << 20);
			unsigned n = fill(w, kinds[kind]);

			drain(w, 0, w->n, 100);
			if (how > 0)
				restart(w, how == 1);
			accepts(w, kinds[kind], n / 3);
			drop_answers(w, w->n);
			accepts(w, kinds[kind], n / 3);
			world_destroy(w);
		}
	}
}

static void half_drained_accepts_again(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct world *w = world_create(4u << 20);
		unsigned n = fill(w, add_large);

		drain(w, 0, n / 2, 100);
		if (how > 0)
			restart(w, how == 1);
		assert_true(fill(w, add_large) >= n / 10);
		drain(w, n / 2, w->n, 100);
		accepts(w, add_large, n / 3);
		world_destroy(w);
	}
}

/* Media of any size: a small database beside a large log, and the other way. */
static void drained_accepts_again_whatever_the_size(void **state)
{
	(void)state;
	for (uint64_t kib = 1200; kib < 8192; kib += kib < 3000 ? 90 : 700) {
		struct world *w = world_create(kib << 10);
		unsigned n = fill(w, add_large);

		drain(w, 0, w->n, 100);
		fake_port_advance(&w->rig.port, 60000); /* the reserve is tried anew */
		if (n > 0)
			accepts(w, add_large, 1);
		restart(w, true);
		accepts(w, add_small, 20);
		world_destroy(w);
	}
}

/* Many requests of one commit: the log holds more than the reserve. */
static void drained_accepts_again_after_large_commits(void **state)
{
	static char body[20000];
	struct world *w = world_create(8u << 20);
	int err = 0;

	(void)state;
	rig_body(1, body, sizeof(body));
	while (!err) {
		unsigned from = w->n;

		for (unsigned i = 0; i < 100; i++) {
			struct hf_store_insert *x = &w->at_once[w->n++];

			*x = (struct hf_store_insert){ .lane = w->lane,
						       .head = HF_SPAN("h"),
						       .body = hf_span(body, sizeof(body)) };
			x->state.status = HF_RECORD_QUEUED;
			x->op.done = rig_done;
			hf_store_insert(w->rig.store, x);
		}
		fake_port_settle(&w->rig.port);
		w->n = from;
		for (unsigned i = from; i < from + 100; i++) {
			err = w->at_once[i].op.err;
			if (!err)
				w->ids[w->n++] = w->at_once[i].id;
		}
	}
	assert_int_equal(err, HF_EFULL);
	assert_true(w->n > 100);
	drain(w, 0, w->n, 100);
	accepts(w, add_large, 50);
	world_destroy(w);
}

/* The database is full of answers: the oldest go, and it takes requests again. */
static void answers_make_room_for_requests(void **state)
{
	struct world *w = world_create(4u << 20);
	struct hf_store_usage u;

	(void)state;
	fill(w, add_small);
	drain(w, 0, w->n, 3000);
	for (int i = 0; i < 100 && add_small(w) != 0; i++)
		drop_answers(w, 16);
	hf_store_usage(w->rig.store, &u);
	assert_false(u.full);
	world_destroy(w);
}

/* ---- the first start ---- */

static bool is_there(struct world *w, const char *name)
{
	char path[256];

	return sim_disk_exists(w->disk, rig_path(&w->rig, name, path));
}

/* However little room there is: the store opens, refuses, and begins when there is
 * room. What was left of a database that had none is no hindrance. */
static void first_start_without_room(void **state)
{
	(void)state;
	for (uint64_t capacity = 0; capacity < 60000; capacity += 700) {
		struct world *w = world_create(capacity);
		uint32_t boots;
		uint64_t id;

		assert_int_equal(w->lane, 0);
		assert_int_equal(rig_insert(&w->rig, 1, 0, 100, &id), HF_EFULL);
		if (capacity % 1400 == 0)
			restart(w, capacity % 2800 == 0);
		assert_int_equal(rig_lane(&w->rig, "o", "k"), 0);
		sim_disk_capacity(w->disk, UINT64_MAX);
		fake_port_advance(&w->rig.port, 60000);
		w->lane = rig_lane(&w->rig, "o", "k");
		assert_int_not_equal(w->lane, 0);
		assert_int_equal(add_large(w), 0);
		assert_true(is_there(w, "queue.store"));
		assert_true(is_there(w, "queue.reserve"));
		boots = w->rig.report.boots;
		assert_in_range(boots, 1, 2);
		restart(w, true);
		assert_int_equal(rig_status(&w->rig, w->ids[0], 0, 20000), HF_RECORD_QUEUED);
		assert_int_equal(w->rig.report.boots, boots + 1);
		assert_false(w->rig.report.vanished);
		assert_false(w->rig.report.salvaged);
		world_destroy(w);
	}
}

/* ---- a medium that stays full ---- */

/* Refusals cost nothing that grows with their number. */
static void refusals_do_not_write(void **state)
{
	struct world *w = world_create(4u << 20);
	uint64_t before;

	(void)state;
	fill(w, add_large);
	for (int i = 0; i < 30; i++) { /* what is left of the reserve goes as well */
		fake_port_advance(&w->rig.port, 60000);
		fill(w, add_large);
	}
	before = written(w);
	for (int i = 0; i < 3600; i++) {
		fake_port_advance(&w->rig.port, 1000);
		assert_int_equal(add_large(w), HF_EFULL);
	}
	assert_true(written(w) - before < 62 * (1200u << 10));
	drain(w, 0, w->n, 100);
	accepts(w, add_large, 20);
	world_destroy(w);
}

/* It stays full although nothing waits: the reserve is not tried each minute. */
static void waiting_for_the_reserve_is_cheap(void **state)
{
	struct world *w = world_create(4u << 20);
	uint64_t before;

	(void)state;
	fill(w, add_large);
	drain(w, 0, w->n, 100);
	accepts(w, add_large, 20);
	sim_disk_capacity(w->disk, sim_disk_used(w->disk)); /* others take the rest */
	for (int i = 0; i < 10; i++) {
		fake_port_advance(&w->rig.port, 60000);
		assert_int_equal(add_small(w), 0);
		w->n++;
	}
	before = written(w);
	for (int i = 0; i < 600; i++) {
		fake_port_advance(&w->rig.port, 60000);
		assert_int_equal(add_small(w), 0);
		assert_int_equal(settle(w, w->n++, 100), 0);
	}
	assert_true(written(w) - before < 600 * 40000u);
	world_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drained_accepts_again),
		cmocka_unit_test(half_drained_accepts_again),
		cmocka_unit_test(drained_accepts_again_whatever_the_size),
		cmocka_unit_test(drained_accepts_again_after_large_commits),
		cmocka_unit_test(answers_make_room_for_requests),
		cmocka_unit_test(first_start_without_room),
		cmocka_unit_test(refusals_do_not_write),
		cmocka_unit_test(waiting_for_the_reserve_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
