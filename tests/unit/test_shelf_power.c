/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shelf on a disk that loses power, refuses an operation or runs full, at every
 * operation of a day's work. After each start an entry is whole or absent, an active
 * precache is complete, figures are right, and nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/shelf_audit.h"
#include "sim/disk.h"
#include "sim/vfs.h"

#define FILES 4

struct world {
	struct shelf_rig rig;
	struct sim_disk *disk;
	struct sim_vfs *vfs;
	uint32_t http, precache[2];
	bool activated[2]; /* acknowledged */
	bool damaged;	   /* files may be lost */
	bool lived_on;	   /* the active version without one */
	bool restarted;
};

static void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	shelf_rig_init(&w->rig);
	w->disk = sim_disk_create(seed, "disk");
	w->vfs = sim_vfs_create(w->disk, "test-disk", seed, NULL, NULL);
	w->rig.port.vfs = sim_vfs_name(w->vfs);
	w->rig.opt.bytes_max = 230u << 10;
}

static void world_finish(struct world *w)
{
	shelf_rig_finish(&w->rig);
	sim_vfs_destroy(w->vfs);
	sim_disk_destroy(w->disk);
}

/* ---- a day's work ---- */

/* Each file changes its size with its version, but for the first. */
static size_t size_of(unsigned file, unsigned version)
{
	static const size_t sizes[FILES] = { 33000, 1000, 0, 4000 };

	return file ? sizes[file] + 100 * version : sizes[0];
}

static int install(struct world *w, unsigned version)
{
	static const char *const names[] = { "one", "two" };
	struct hf_shelf_activate a = { .op = { .sync = true } };
	char url[16];
	int err = 0;

	w->precache[version] = shelf_rig_cache(&w->rig, HF_SHELF_PRECACHE, names[version]);
	for (unsigned i = 0; i < FILES && !err; i++) {
		struct hf_shelf_adopt ad = { .from = w->precache[0],
					     .to = w->precache[1],
					     .note = HF_SPAN("note") };

		snprintf(url, sizeof(url), "file-%u", i);
		ad.url = hf_span_str(url);
		if (version == 1 && i == 0)
			err = SHELF_DO(&w->rig, hf_shelf_adopt, &ad);
		else
			err = shelf_rig_put(&w->rig, w->precache[version], url, 10 * version + i,
					    size_of(i, version));
	}
	a.cache = w->precache[version];
	if (!err)
		err = SHELF_DO(&w->rig, hf_shelf_activate, &a);
	if (!err)
		w->activated[version] = true;
	if (!err && version == 1)
		w->activated[0] = false;
	return err;
}

static int abandon(struct world *w)
{
	static char data[HF_SHELF_PIECE];
	struct hf_shelf_intake in = { .body = 0 };
	struct hf_shelf_append a = { .intake = &in, .data = hf_span(data, sizeof(data)) };
	int err = SHELF_DO(&w->rig, hf_shelf_append, &a);
	struct hf_shelf_discard d = { .body = in.body };

	if (!err)
		err = SHELF_DO(&w->rig, hf_shelf_discard, &d);
	if (!err)
		err = SHELF_DO(&w->rig, hf_shelf_append, &a);
	hf_shelf_intake_finish(&in);
	return err == HF_ENOENT ? 0 : err;
}

static int drop_named(struct world *w)
{
	uint32_t id = shelf_rig_cache(&w->rig, HF_SHELF_NAMED, "temporary");
	struct hf_shelf_cache_drop d = { .cache = id };
	int err = 0;

	for (unsigned i = 0; i < 5 && !err; i++) {
		char url[16];

		snprintf(url, sizeof(url), "temp-%u", i);
		err = shelf_rig_put(&w->rig, id, url, i, 5000 * i);
	}
	return err ? err : SHELF_DO(&w->rig, hf_shelf_cache_drop, &d);
}

static int judge(struct world *w, uint32_t trial, bool proved)
{
	struct hf_shelf_judge j = {
		.first = trial, .last = trial, .proved = proved, .open_from = trial + 1
	};

	j.op.sync = !proved;
	return SHELF_DO(&w->rig, hf_shelf_judge, &j);
}

/* Pages of three trials: somebody shows himself, all is in order, nobody knows. */
static int doubt(struct world *w)
{
	int err = 0;

	for (unsigned i = 0; i < 9 && !err; i++) {
		char url[16];

		snprintf(url, sizeof(url), "doubted-%u", i % 3);
		w->rig.trial = 1 + i / 3;
		err = shelf_rig_put(&w->rig, w->http, url, i, 300 * i);
		if (!err && i % 3 == 2 && i < 6)
			err = judge(w, w->rig.trial, i == 5);
	}
	w->rig.trial = 0;
	return err;
}

/* Goes on past refusals. */
static void day(struct world *w, bool insist)
{
	int err;

#define STEP(call)                                 \
	do {                                       \
		err = (call);                      \
		if (err && insist)                 \
			fail_msg("step: %d", err); \
	} while (0)
	w->restarted = false;
	w->http = shelf_rig_cache(&w->rig, HF_SHELF_HTTP, "web");
	STEP(install(w, 0));
	for (unsigned i = 0; i < 20; i++) {
		char url[16];

		snprintf(url, sizeof(url), "page-%u", i % 12);
		STEP(shelf_rig_put(&w->rig, w->http, url, i, i % 3 ? 300 * i : 2200 * i));
	}
	STEP(abandon(w));
	STEP(doubt(w));
	STEP(drop_named(w));
	STEP(install(w, 1));
#undef STEP
}

/* ---- what must be true ---- */

static void check_pages(struct world *w)
{
	char url[16];

	for (unsigned i = 0; i < 12; i++) {
		int got;

		snprintf(url, sizeof(url), "page-%u", i);
		got = shelf_rig_get(&w->rig, w->http, url);
		if (got != -1 && got != (int)i && got != (int)i + 12)
			fail_msg("%s is %d", url, got);
	}
}

/* Of a start before this one nothing is told that was not proved. */
static void check_doubted(struct world *w)
{
	char url[16];

	for (unsigned i = 0; i < 3 && w->restarted; i++) {
		int got;

		snprintf(url, sizeof(url), "doubted-%u", i);
		got = shelf_rig_get(&w->rig, w->http, url);
		if (got != -1 && got != (int)i + 3)
			fail_msg("%s is %d", url, got);
	}
}

static void check_precache(struct world *w, unsigned version, bool active)
{
	char url[16];

	for (unsigned i = 0; i < FILES; i++) {
		int got, want = version == 1 && i == 0 ? 0 : (int)(10 * version + i);

		snprintf(url, sizeof(url), "file-%u", i);
		got = shelf_rig_get(&w->rig, w->precache[version], url);
		if (got != want && ((active && !w->damaged) || got != -1))
			fail_msg("version %u, %s is %d", version, url, got);
	}
}

/* Which caches there are. */
static void learn(struct world *w, bool active[2])
{
	struct hf_shelf_caches c = { .n = 0 };

	assert_int_equal(SHELF_DO(&w->rig, hf_shelf_caches, &c), 0);
	w->http = 0;
	w->precache[0] = w->precache[1] = 0;
	for (size_t i = 0; i < c.n; i++) {
		unsigned version = hf_span_eq_str(c.v[i].name, "two");

		if (c.v[i].kind == HF_SHELF_HTTP)
			w->http = c.v[i].id;
		if (c.v[i].kind != HF_SHELF_PRECACHE)
			continue;
		w->precache[version] = c.v[i].id;
		active[version] = c.v[i].active;
	}
	hf_shelf_caches_finish(&c);
}

/* @swept: nothing has failed since the start, so nothing waits to be deleted. */
static void check_all(struct world *w, bool swept)
{
	bool active[2] = { false, false };
	const char *fault;

	learn(w, active);
	check_pages(w);
	check_doubted(w);
	for (unsigned v = 0; v < 2; v++)
		check_precache(w, v, active[v]);
	assert_false(active[0] && active[1]);
	if (w->activated[1])
		assert_true(active[1]);
	if (w->activated[0])
		assert_true(active[0] || active[1]);
	fault = shelf_audit(&w->rig, swept);
	if (fault)
		fail_msg("%s", fault);
}

/* ---- the loops ---- */

static uint64_t operations_of_a_day(void)
{
	struct world *w = malloc(sizeof(*w));
	struct hf_shelf_usage u;
	uint64_t n;

	world_init(w, 1);
	assert_int_equal(shelf_rig_open(&w->rig), 0);
	day(w, true);
	check_all(w, true);
	hf_shelf_usage(w->rig.shelf, &u);
	assert_true(u.evicted > 0);
	assert_int_equal(shelf_rig_close(&w->rig), 0);
	n = sim_disk_stats(w->disk)->ops;
	assert_int_equal(shelf_rig_open(&w->rig), 0);
	check_all(w, true);
	world_finish(w);
	free(w);
	return n;
}

static void restart(struct world *w)
{
	shelf_rig_kill(&w->rig);
	w->restarted = true;
	if (sim_disk_is_dead(w->disk))
		sim_disk_revive(w->disk);
	assert_int_equal(shelf_rig_open(&w->rig), 0);
	assert_false(w->rig.report.renewed);
}

/* The power goes at operation @at, and again at operation @again of the start that
 * follows (0: not). */
static void cut(uint64_t seed, uint64_t at, uint64_t again)
{
	struct world *w = malloc(sizeof(*w));

	world_init(w, seed);
	sim_disk_cut_at(w->disk, at);
	if (shelf_rig_open(&w->rig) == 0)
		day(w, false);
	if (again) {
		shelf_rig_kill(&w->rig);
		if (!sim_disk_is_dead(w->disk))
			sim_disk_cut(w->disk);
		sim_disk_revive(w->disk);
		sim_disk_cut_at(w->disk, again);
		shelf_rig_open(&w->rig);
		fake_port_settle(&w->rig.port);
	}
	if (!sim_disk_is_dead(w->disk))
		sim_disk_cut(w->disk);
	restart(w);
	check_all(w, true);
	world_finish(w);
	free(w);
}

static void power_cut_at_every_operation(void **state)
{
	const char *more = getenv("HF_CUT_SEEDS");
	uint64_t n = operations_of_a_day(), seeds = more ? strtoull(more, NULL, 10) : 3;

	(void)state;
	for (uint64_t at = 1; at <= n + 2; at++) {
		for (uint64_t seed = 1; seed <= seeds; seed++)
			cut(seed * 100000 + at, at, 0);
	}
	print_message("%llu cuts\n", (unsigned long long)((n + 2) * seeds));
}

static void power_cut_during_the_start_after_a_cut(void **state)
{
	uint64_t n = operations_of_a_day();

	(void)state;
	for (uint64_t at = 3; at <= n; at += 4) {
		for (uint64_t again = 1; again <= 8; again++)
			cut(at * 77 + again, at, again);
	}
	print_message("%llu pairs of cuts\n", (unsigned long long)((n - 3) / 4 + 1) * 8);
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
		if (shelf_rig_open(&w->rig) == 0) {
			day(w, false);
			check_all(w, false);
		}
		restart(w);
		check_all(w, true);
		world_finish(w);
		free(w);
	}
}

/* The medium is full at so many bytes, then it is not. */
static void full_medium_harms_nothing(void **state)
{
	(void)state;
	for (uint64_t capacity = 0; capacity < (700u << 10); capacity += 4000) {
		struct world *w = malloc(sizeof(*w));

		world_init(w, capacity + 1);
		sim_disk_capacity(w->disk, capacity);
		assert_int_equal(shelf_rig_open(&w->rig), 0);
		day(w, false);
		restart(w);
		sim_disk_capacity(w->disk, UINT64_MAX);
		fake_port_advance(&w->rig.port, 60000);
		assert_true(shelf_rig_cache(&w->rig, HF_SHELF_HTTP, "web") > 0);
		check_all(w, false);
		w->activated[0] = w->activated[1] = false;
		day(w, false);
		check_all(w, false);
		restart(w);
		check_all(w, true);
		world_finish(w);
		free(w);
	}
}

/* ---- renewal ---- */

/* A page in the middle of a table: what is on it is lost. */
static void damage(struct world *w, uint64_t page)
{
	static const char zeros[4096];
	char path[256];
	struct sim_file *f;

	assert_int_equal(shelf_rig_open(&w->rig), 0);
	day(w, true);
	assert_int_equal(shelf_rig_close(&w->rig), 0);
	assert_int_equal(sim_disk_open(w->disk, shelf_rig_path(&w->rig, "cache-1.db", path), 0,
				       SIM_DISK_OTHER, &f),
			 0);
	assert_int_equal(sim_file_write(f, zeros, sizeof(zeros), (page - 1) * sizeof(zeros)), 0);
	assert_int_equal(sim_file_sync(f), 0);
	sim_file_close(f);
	memset(w->activated, 0, sizeof(w->activated));
	w->damaged = true;
}

/* The second version is the active one, and a file of it is lost. */
static bool lives_on(struct world *w)
{
	bool active[2] = { false, false }, lost = false;
	char url[16];

	learn(w, active);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(url, sizeof(url), "file-%u", i);
		lost |= shelf_rig_get(&w->rig, w->precache[1], url) == -1;
	}
	return active[1] && lost;
}

/* Uses it until damage has shown. */
static void use_all(struct world *w)
{
	bool active[2];
	char url[16];

	learn(w, active);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(url, sizeof(url), "page-%u", i);
		shelf_rig_get(&w->rig, w->http, url);
	}
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(url, sizeof(url), "file-%u", i);
		shelf_rig_get(&w->rig, w->precache[1], url);
	}
	w->lived_on = lives_on(w);
	day(w, false);
}

static uint64_t pages_of_a_day(void)
{
	struct world *w = malloc(sizeof(*w));
	struct hf_shelf_usage u;

	world_init(w, 1);
	damage(w, 1000);
	shelf_rig_open(&w->rig);
	hf_shelf_usage(w->rig.shelf, &u);
	world_finish(w);
	free(w);
	return u.file_bytes / 4096;
}

static void any_page_may_be_destroyed(void **state)
{
	uint64_t n = pages_of_a_day();
	unsigned lived_on = 0;

	(void)state;
	for (uint64_t page = 1; page <= n; page++) {
		struct world *w = malloc(sizeof(*w));

		world_init(w, page);
		damage(w, page);
		assert_int_equal(shelf_rig_open(&w->rig), 0);
		use_all(w);
		check_all(w, false);
		restart(w);
		check_all(w, true);
		lived_on += w->lived_on;
		world_finish(w);
		free(w);
	}
	assert_true(lived_on > 0);
}

static void trouble_during_a_renewal(void (*trouble)(struct sim_disk *d, uint64_t nth))
{
	for (uint64_t at = 1; at <= 60; at++) {
		struct world *w = malloc(sizeof(*w));

		world_init(w, at);
		damage(w, 3 + at % 12);
		trouble(w->disk, at);
		if (shelf_rig_open(&w->rig) == 0)
			use_all(w);
		shelf_rig_kill(&w->rig);
		trouble(w->disk, 0);
		if (sim_disk_is_dead(w->disk))
			sim_disk_revive(w->disk);
		assert_int_equal(shelf_rig_open(&w->rig), 0);
		memset(w->activated, 0, sizeof(w->activated));
		use_all(w);
		check_all(w, false);
		restart(w);
		check_all(w, true);
		world_finish(w);
		free(w);
	}
}

static void power_cut_during_a_renewal(void **state)
{
	(void)state;
	trouble_during_a_renewal(sim_disk_cut_at);
}

static void one_refused_operation_of_a_renewal_harms_nothing(void **state)
{
	(void)state;
	trouble_during_a_renewal(sim_disk_fail_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_cut_at_every_operation),
		cmocka_unit_test(power_cut_during_the_start_after_a_cut),
		cmocka_unit_test(one_refused_operation_harms_nothing),
		cmocka_unit_test(full_medium_harms_nothing),
		cmocka_unit_test(any_page_may_be_destroyed),
		cmocka_unit_test(power_cut_during_a_renewal),
		cmocka_unit_test(one_refused_operation_of_a_renewal_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
