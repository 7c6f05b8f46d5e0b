/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage of the database file, found at the start or while in use. Whatever is
 * damaged: the store opens, the damaged file stays, what is readable is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/store_files.h"
#include "store/db.h"
#include "store/walk.h"

#define PAGE	512
#define RECORDS 120

static uint64_t ids[RECORDS];

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	r->opt.wal_pages = 1; /* every batch reaches the database file */
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

/* Two lanes; the first 20 settled, 3 dead. The WAL, which holds a second copy
 * of what was written last, is taken away. */
static void fill(struct rig *r, bool clean)
{
	char path[256];
	uint32_t a = rig_lane(r, "https://a", ""), b = rig_lane(r, "https://b", "");

	for (unsigned i = 0; i < RECORDS; i++)
		assert_int_equal(rig_insert(r, i % 2 ? a : b, i, 400, &ids[i]), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(rig_settle(r, ids[i], HF_RECORD_SETTLED, i), 0);
	for (unsigned i = 20; i < 23; i++)
		assert_int_equal(rig_settle(r, ids[i], HF_RECORD_DEAD, i), 0);
	if (clean)
		assert_int_equal(rig_close(r), 0);
	rig_kill(r);
	assert_int_equal(unlink(rig_path(r, "queue-1.db-wal", path)), 0);
}

static uint8_t status_of(unsigned i)
{
	if (i < 20)
		return HF_RECORD_SETTLED;
	return i < 23 ? HF_RECORD_DEAD : HF_RECORD_QUEUED;
}

static long pages(struct rig *r, const char *name)
{
	return rig_size(r, name) / PAGE;
}

static void damage(struct rig *r, const char *name, long page, uint8_t with)
{
	rig_fill(r, name, page * PAGE, with, PAGE);
}

struct census {
	unsigned whole;	  /* as they were acknowledged */
	unsigned buried;  /* DEAD, the request is lost */
	unsigned again;	  /* waiting though they were final */
	unsigned gone;	  /* no record at all */
	unsigned refused; /* there, and said to be damaged */
};

static void count(struct rig *r, struct census *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < RECORDS; i++) {
		int got = rig_status(r, ids[i], i, 400);

		if (got == status_of(i))
			c->whole++;
		else if (got == HF_RECORD_DEAD)
			c->buried++;
		else if (got == HF_ENOENT)
			c->gone++;
		else if (got == HF_RECORD_QUEUED)
			c->again++;
		else if (got == HF_ECORRUPT)
			c->refused++;
		else
			fail_msg("record %u: %d", i, got);
	}
}

struct costs {
	unsigned salvages, buried, gone, again;
};

/* One page destroyed; the start after that, or the first use, salvages. */
static void one_page(struct rig *r, long page, uint8_t with, bool clean, struct costs *costs)
{
	struct census c;
	long n;

	r->salvages = 0;
	n = pages(r, "queue-1.db");
	damage(r, "queue-1.db", page, with);
	assert_int_equal(rig_open(r), 0);
	count(r, &c);
	assert_int_equal(c.whole + c.buried + c.again + c.gone, RECORDS);
	if (r->report.salvaged) {
		assert_true(pages(r, "queue-1.db") == n);
		assert_string_equal(r->report.quarantine, "queue-1.db");
		assert_int_equal(r->report.salvages_total, 1);
		assert_true(c.buried + c.gone == 0 || r->report.rows_lost > 0);
		costs->salvages++;
	}
	costs->buried += c.buried;
	costs->again += c.again;
	costs->gone = c.gone > costs->gone ? c.gone : costs->gone;
	if (!clean || c.whole == RECORDS)
		rig_whole(r);
	rig_works(r, ids, RECORDS);
	rig_kill(r);
}

static void every_page(struct rig *r, bool clean, long step)
{
	struct costs costs = { .salvages = 0 };
	struct rig_files kept;
	long n;

	fill(r, clean);
	n = pages(r, "queue-1.db");
	assert_true(n > 100);
	rig_keep(r, &kept);
	for (long page = 0; page < n; page += step) {
		rig_restore(r, &kept);
		one_page(r, page, page % 2 ? 0xff : 0, clean, &costs);
	}
	rig_forget(&kept);
	print_message("%ld pages: %u salvages, %u requests lost, %u repeated, at most %u gone\n",
		      n / step, costs.salvages, costs.buried, costs.again, costs.gone);
	/* a page holds one request of this size */
	assert_true(costs.buried <= n / step);
	assert_int_equal(costs.gone, 0);
}

static void any_damaged_page_is_found_after_an_unclean_end(void **state)
{
	every_page(*state, false, 1);
}

static void any_damaged_page_is_survived_in_use(void **state)
{
	every_page(*state, true, 3);
}

/* Runs of random bytes in random places, up to a whole 4 KiB block: nothing is
 * promised but that the store opens, works, and tells no lies. */
static void random_damage_is_survived(void **state)
{
	struct rig *r = *state;
	struct rig_files kept;
	long n;

	fill(r, false);
	n = pages(r, "queue-1.db");
	rig_keep(r, &kept);
	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct hf_rand rand;
		struct census c;
		char path[256];
		FILE *f;

		rig_restore(r, &kept);
		hf_rand_init(&rand, seed);
		f = fopen(rig_path(r, "queue-1.db", path), "r+b");
		assert_non_null(f);
		for (uint64_t runs = 1 + hf_rand_below(&rand, 8); runs > 0; runs--) {
			uint64_t len = 1 + hf_rand_below(&rand, seed % 3 ? 40 : 4096);

			assert_int_equal(fseek(f, (long)hf_rand_below(&rand, (uint64_t)n * PAGE),
					       SEEK_SET),
					 0);
			while (len-- > 0)
				fputc((int)hf_rand_below(&rand, 256), f);
		}
		fclose(f);
		assert_int_equal(rig_open(r), 0);
		count(r, &c);
		rig_works(r, ids, RECORDS);
		rig_kill(r);
	}
	rig_forget(&kept);
}

/* Down to less than the schema, and to what was never a database. Where the
 * records are gone too, nothing is left that knows which numbers were given. */
static void a_database_cut_short_is_survived(void **state)
{
	static const char text[] = "not a database";
	static const size_t sizes[] = { 0, 511, 3000, 60000 };
	struct rig *r = *state;
	struct rig_files kept;
	char path[256];

	fill(r, false);
	rig_keep(r, &kept);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct census c;
		uint64_t id;

		rig_restore(r, &kept);
		rig_path(r, "queue-1.db", path);
		assert_int_equal(truncate(path, (off_t)sizes[i]), 0);
		if (sizes[i] == 0) {
			FILE *f = fopen(path, "wb");

			assert_non_null(f);
			fputs(text, f);
			fclose(f);
		}
		assert_int_equal(rig_open(r), 0);
		assert_true(r->report.salvaged);
		assert_string_equal(r->report.quarantine, "queue-1.db");
		count(r, &c);
		assert_int_equal(rig_insert(r, rig_lane(r, "https://a", ""), 500, 100, &id), 0);
		assert_int_equal(rig_reopen(r), 0);
		assert_false(r->report.salvaged);
		assert_int_equal(rig_status(r, id, 500, 100), HF_RECORD_QUEUED);
		rig_whole(r);
		rig_kill(r);
	}
	rig_forget(&kept);
}

/* One bit of the schema's text: a column has another name. That is not a medium
 * that reads nothing, also where there is no record to be read. */
static void a_bit_of_the_schema_is_survived(void **state)
{
	struct rig *r = *state;
	uint8_t head[16 * PAGE], *at;
	char path[256];
	size_t size;
	FILE *f;

	assert_int_equal(rig_close(r), 0);
	rig_remove(r, "queue-1.db-wal");
	f = fopen(rig_path(r, "queue-1.db", path), "rb");
	assert_non_null(f);
	size = fread(head, 1, sizeof(head), f);
	fclose(f);
	assert_non_null(memmem(head, size, "value BLOB", 10));
	while ((at = memmem(head, size, "value BLOB", 10))) /* an old copy, too */
		at[4] ^= 4;
	rig_overwrite(r, "queue-1.db", 0, head, size);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	rig_whole(r);
}

static int ignore_row(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	(void)w;
	(void)rowid;
	(void)st;
	return 0;
}

/* A table whose root is rubbish is not halved until the end of the numbers. */
static void a_table_that_leads_nowhere_is_left(void **state)
{
	struct rig *r = *state;
	struct hf_db *db = calloc(1, sizeof(*db));
	struct hf_walk w = { .from = db->sql, .table = "request", .columns = "id", .row = ignore_row };
	struct hf_vfs vfs;
	char path[256];
	int64_t root;

	fill(r, false);
	assert_int_equal(hf_vfs_init(&vfs, NULL), 0);
	assert_int_equal(hf_db_open(db, &vfs, rig_path(r, "queue-1.db", path)), 0);
	assert_int_equal(hf_db_number(db, "SELECT rootpage FROM sqlite_schema WHERE name='request'",
				      0, &root),
			 0);
	hf_db_close(db);
	damage(r, "queue-1.db", (long)root - 1, 0xff);
	assert_int_equal(hf_db_open(db, &vfs, path), 0);
	assert_int_equal(hf_walk_table(&w), 0);
	assert_in_range(w.faults, 1, 3000);
	hf_db_close(db);
	hf_vfs_finish(&vfs);
	free(db);
}

/* Random bytes, and zeros, as large as a store that was in use. */
static void a_database_of_rubbish_is_survived(void **state)
{
	enum {
		SIZE = 4 << 20
	};
	struct rig *r = *state;
	uint8_t *bytes = malloc(SIZE);
	struct hf_rand rand;

	assert_int_equal(rig_close(r), 0);
	hf_rand_init(&rand, 1);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)hf_rand_below(&rand, 256);
	rig_overwrite(r, "queue-1.db", 0, bytes, SIZE);
	free(bytes);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	rig_whole(r);
	rig_kill(r);
	rig_fill(r, "queue-2.db", 0, 0, SIZE);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	assert_int_equal(r->report.salvages_total, 2);
	rig_whole(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_damaged_page_is_found_after_an_unclean_end,
						setup, teardown),
		cmocka_unit_test_setup_teardown(any_damaged_page_is_survived_in_use, setup,
						teardown),
		cmocka_unit_test_setup_teardown(random_damage_is_survived, setup, teardown),
		cmocka_unit_test_setup_teardown(a_database_cut_short_is_survived, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bit_of_the_schema_is_survived, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_that_leads_nowhere_is_left, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_database_of_rubbish_is_survived, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
