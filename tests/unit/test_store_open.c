/* SPDX-License-Identifier: Apache-2.0 */
/* The open ladder, rung by rung, and what the files look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "lib/store_files.h"
#include "store/schema.h"

static uint32_t lane;
static uint64_t id;

/* A store with one record, closed. */
static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	if (rig_open(r))
		return -1;
	lane = rig_lane(r, "o", "k");
	if (rig_insert(r, lane, 1, 700, &id))
		return -1;
	return rig_close(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static void sql(struct rig *r, const char *name, const char *text)
{
	char path[256];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig_path(r, name, path), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void record_is_there(struct rig *r)
{
	assert_int_equal(rig_status(r, id, 1, 700), HF_RECORD_QUEUED);
}

static void file_has_small_pages_and_a_log_and_no_shared_memory(void **state)
{
	struct rig *r = *state;
	uint8_t header[100];
	char path[256];
	FILE *f = fopen(rig_path(r, "queue-1.db", path), "rb");

	assert_non_null(f);
	assert_int_equal(fread(header, 1, sizeof(header), f), sizeof(header));
	fclose(f);
	assert_int_equal(header[16] << 8 | header[17], 512);
	assert_int_equal(header[18], 2);
	assert_int_equal(header[19], 2);
	assert_int_equal(rig_open(r), 0);
	record_is_there(r);
	assert_int_equal(rig_size(r, "queue-1.db-shm"), -1);
	assert_int_equal(rig_size(r, "queue-1.db-journal"), -1);
	assert_true(rig_size(r, "queue-1.db-wal") > 0);
	assert_true(rig_size(r, "queue.reserve") >= 65536);
}

static void log_is_used_again_and_not_shrunk(void **state)
{
	struct rig *r = *state;
	long size = 0;
	uint64_t other;

	r->opt.wal_pages = 100;
	assert_int_equal(rig_open(r), 0);
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(rig_insert(r, lane, i, 500, &other), 0);
		if (i == 100)
			size = rig_size(r, "queue-1.db-wal");
	}
	assert_int_equal(rig_size(r, "queue-1.db-wal"), size);
	assert_int_equal(rig_close(r), 0);
	assert_int_equal(rig_size(r, "queue-1.db-wal"), size);
}

static void missing_database_is_noticed(void **state)
{
	struct rig *r = *state;

	rig_remove(r, "queue-1.db");
	rig_remove(r, "queue-1.db-wal");
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.vanished);
	assert_false(r->report.created);
	assert_int_equal(r->report.vanished_total, 1);
	assert_int_equal(rig_reopen(r), 0);
	assert_false(r->report.vanished);
	assert_int_equal(r->report.vanished_total, 1);
}

static void emptied_database_is_noticed_and_its_log_kept(void **state)
{
	struct rig *r = *state;
	char path[256];
	long wal = rig_size(r, "queue-1.db-wal");

	assert_true(wal > 0);
	assert_int_equal(truncate(rig_path(r, "queue-1.db", path), 0), 0);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.vanished);
	assert_int_equal(rig_size(r, "queue-1.db-wal"), wal);
	assert_true(rig_size(r, "queue-2.db") > 0);
}

static void newer_database_is_not_touched(void **state)
{
	struct rig *r = *state;
	long size;

	sql(r, "queue-1.db", "PRAGMA user_version=99");
	size = rig_size(r, "queue-1.db");
	assert_int_equal(rig_open(r), HF_ENOTSUP);
	rig_kill(r);
	assert_int_equal(rig_size(r, "queue-1.db"), size);
	assert_int_equal(rig_size(r, "queue-2.db"), -1);
	sql(r, "queue-1.db", "PRAGMA user_version=1");
	assert_int_equal(rig_open(r), 0);
	record_is_there(r);
}

static void truncated_database_is_salvaged(void **state)
{
	struct rig *r = *state;
	char path[256];

	rig_remove(r, "queue-1.db-wal");
	assert_int_equal(truncate(rig_path(r, "queue-1.db", path), rig_size(r, "queue-1.db") - 512),
			 0);
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	assert_int_equal(rig_lane(r, "o", "k"), lane);
}

static void file_that_is_no_database_is_put_aside(void **state)
{
	struct rig *r = *state;
	char junk[4096];
	uint64_t other;

	memset(junk, 'j', sizeof(junk));
	rig_remove(r, "queue-1.db-wal");
	rig_overwrite(r, "queue-1.db", 0, junk, sizeof(junk));
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	assert_true(rig_size(r, "queue-1.db") > 0);
	lane = rig_lane(r, "o", "k");
	assert_int_equal(rig_insert(r, lane, 2, 10, &other), 0);
}

/* One letter of the schema has changed on the medium. */
static void renamed_columns_are_salvaged(void **state)
{
	static const char *const changes[] = { "'value', 'valuf'", "'state', 'stave'",
					       "'born', 'corn'", "'gone', 'gong'" };
	struct rig *r = *state;
	struct rig_files kept;
	char text[256];

	rig_keep(r, &kept);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		rig_kill(r);
		rig_restore(r, &kept);
		snprintf(text, sizeof(text),
			 "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql=replace(sql, %s)",
			 changes[i]);
		sql(r, "queue-1.db", text);
		assert_int_equal(rig_open(r), 0);
		assert_true(r->report.salvaged);
		assert_int_equal(r->report.rows_lost, 0);
		record_is_there(r);
	}
	rig_forget(&kept);
}

static void unfinished_salvage_is_done_again(void **state)
{
	struct rig *r = *state;
	char junk[512];

	/* a leftover, and the damage that led to it */
	sql(r, "queue-2.db", "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	rig_remove(r, "queue-1.db-wal");
	memset(junk, 0, sizeof(junk));
	rig_overwrite(r, "queue-1.db", 0, junk, sizeof(junk));
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.salvaged);
	record_is_there(r);
	assert_int_equal(rig_reopen(r), 0);
	assert_false(r->report.salvaged);
	record_is_there(r);
}

static void marker_survives_one_torn_slot(void **state)
{
	struct rig *r = *state;
	char junk[64];

	memset(junk, 0xff, sizeof(junk));
	/* the first write went to the second slot; this tears the other */
	rig_overwrite(r, "queue.store", 0, junk, sizeof(junk));
	assert_int_equal(rig_open(r), 0);
	assert_false(r->report.vanished);
	record_is_there(r);
}

static void lost_marker_is_made_again(void **state)
{
	struct rig *r = *state;
	char junk[512];

	/* let generation 2 be the current one */
	rig_remove(r, "queue-1.db-wal");
	memset(junk, 0, sizeof(junk));
	rig_overwrite(r, "queue-1.db", 0, junk, sizeof(junk));
	assert_int_equal(rig_open(r), 0);
	assert_int_equal(rig_close(r), 0);
	rig_remove(r, "queue.store");
	assert_int_equal(rig_open(r), 0);
	assert_false(r->report.created);
	assert_false(r->report.vanished);
	record_is_there(r);
	rig_kill(r);
	assert_true(rig_size(r, "queue.store") > 0);
}

/* Both slots are damaged: known to have existed, found by looking. */
static void damaged_marker_is_looked_past(void **state)
{
	struct rig *r = *state;
	char junk[8192];

	memset(junk, 0xff, sizeof(junk));
	rig_overwrite(r, "queue.store", 0, junk, sizeof(junk));
	assert_int_equal(rig_open(r), 0);
	assert_false(r->report.vanished);
	record_is_there(r);
	rig_kill(r);
	rig_overwrite(r, "queue.store", 0, junk, sizeof(junk));
	rig_remove(r, "queue-1.db");
	rig_remove(r, "queue-1.db-wal");
	assert_int_equal(rig_open(r), 0);
	assert_true(r->report.vanished);
}

static void second_store_on_the_same_files_is_refused(void **state)
{
	struct rig *r = *state;
	struct rig other = *r;

	assert_int_equal(rig_open(r), 0);
	other.port.first = NULL;
	other.port.end = &other.port.first;
	other.opt.port = &other.port.port;
	other.opt.log = &other.port.log;
	other.port.log.user = &other.port;
	assert_int_equal(rig_open(&other), HF_EBUSY);
	rig_kill(&other);
	record_is_there(r);
}

static void failed_migration_leaves_the_old_version(void **state)
{
	enum {
		NOW = HF_SCHEMA_VERSION
	};
	static const char *const steps[] = { [NOW] = "CREATE TABLE extra(x)",
					     "INSERT INTO extra VALUES(1); nonsense",
					     "INSERT INTO extra VALUES(2)" };
	struct rig *r = *state;
	struct hf_vfs vfs;
	struct hf_db *db = calloc(1, sizeof(*db));
	char path[256];
	int64_t n;

	assert_int_equal(hf_vfs_init(&vfs, NULL), 0);
	assert_int_equal(hf_db_open(db, &vfs, rig_path(r, "queue-1.db", path)), 0);
	assert_int_not_equal(hf_schema_migrate(db, steps, NOW, NOW + 2), 0);
	assert_int_equal(hf_db_number(db, "PRAGMA user_version", 0, &n), 0);
	assert_int_equal(n, NOW);
	assert_int_not_equal(hf_db_number(db, "SELECT count(*) FROM extra", 0, &n), 0);
	assert_int_equal(hf_schema_migrate(db, steps, NOW, NOW + 1), 0);
	assert_int_equal(hf_schema_migrate(db, steps, NOW + 2, NOW + 3), 0);
	assert_int_equal(hf_db_number(db, "PRAGMA user_version", 0, &n), 0);
	assert_int_equal(n, NOW + 3);
	assert_int_equal(hf_db_number(db, "SELECT x FROM extra", 0, &n), 0);
	assert_int_equal(n, 2);
	hf_db_close(db);
	hf_vfs_finish(&vfs);
	free(db);
}

/* A body that changed on the medium is not delivered as if it were whole. */
static void changed_body_is_refused(void **state)
{
	struct rig *r = *state;

	sql(r, "queue-1.db", "UPDATE request SET body=zeroblob(700)");
	assert_int_equal(rig_open(r), 0);
	assert_int_equal(rig_status(r, id, 1, 700), HF_ECORRUPT);
	assert_int_equal(r->salvages, 0);
}

/* A service manager's watchdog hears of it. */
static void a_check_of_the_whole_store_gets_on(void **state)
{
	struct rig *r = *state;
	struct hf_store_check c;
	struct hf_job *job;
	unsigned before;

	assert_int_equal(rig_reopen(r), 0);
	c.op.done = rig_done;
	c.op.user = r;
	hf_store_check(r->store, &c);
	job = r->port.first;
	assert_non_null(job);
	assert_non_null(job->moved);
	before = atomic_load(job->moved);
	fake_port_settle(&r->port);
	assert_int_equal(c.op.err, 0);
	assert_true(atomic_load(job->moved) > before);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_check_of_the_whole_store_gets_on),
		STORE_TEST(file_has_small_pages_and_a_log_and_no_shared_memory),
		STORE_TEST(log_is_used_again_and_not_shrunk),
		STORE_TEST(missing_database_is_noticed),
		STORE_TEST(emptied_database_is_noticed_and_its_log_kept),
		STORE_TEST(newer_database_is_not_touched),
		STORE_TEST(truncated_database_is_salvaged),
		STORE_TEST(file_that_is_no_database_is_put_aside),
		STORE_TEST(renamed_columns_are_salvaged),
		STORE_TEST(unfinished_salvage_is_done_again),
		STORE_TEST(marker_survives_one_torn_slot),
		STORE_TEST(lost_marker_is_made_again),
		STORE_TEST(damaged_marker_is_looked_past),
		STORE_TEST(second_store_on_the_same_files_is_refused),
		STORE_TEST(failed_migration_leaves_the_old_version),
		STORE_TEST(changed_body_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
