/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open ladder. Each step down keeps what was there:
 *
 *   marker, database good          -> go on
 *   marker, database older         -> migrate
 *   marker, database newer         -> HF_ENOTSUP, nothing is touched
 *   marker, database or log damaged -> salvage into the next generation
 *   marker, database missing/empty -> vanished: counted, a new one is made
 *   no marker, a database          -> the highest finished generation
 *   no marker, no database         -> first start
 *
 * On a full medium a new database is in memory until there is room for one.
 *
 * What is checked is bounded: the header, the length of the file against it,
 * the schema, the root page of each table, and after an unclean end quick_check
 * of a database of at most CHECK_MAX bytes. A larger one is checked by use: any
 * page found damaged later leads to a salvage as well.
 */
#include <assert.h>
#include <stdio.h>

#include "store/rows.h"
#include "store/schema.h"
#include "store/store_private.h"
#include "store/wal.h"

#define CHECK_MAX  (2u << 20)
#define READ_TRIES 3
#define HEADS_MAX  128 /* lanes whose head is asked for its times */

#define META_RUN  "run"	 /* 8 bytes: starts u32, clean u8, zeros */
#define META_SEED "seed" /* 16 bytes */
#define META_TIME "device_ms"

/* ---- what stands in meta ---- */

int hf_open_store_run(struct hf_store *s, bool clean)
{
	uint8_t bytes[8] = { 0 };

	hf_put_le(bytes, s->boots, 4);
	bytes[4] = clean;
	return hf_meta_put(&s->db, META_RUN, hf_span(bytes, sizeof(bytes)));
}

static int read_run(struct hf_db *db, uint32_t *boots, bool *clean)
{
	uint8_t bytes[8];
	int err = hf_meta_get(db, META_RUN, bytes, sizeof(bytes));

	*boots = err ? 0 : (uint32_t)hf_get_le(bytes, 4);
	*clean = !err && bytes[4];
	return err == HF_ENOENT ? 0 : err;
}

static int read_seed(struct hf_store *s)
{
	int err = hf_meta_get(&s->db, META_SEED, s->report.seed, sizeof(s->report.seed));

	if (err != HF_ENOENT)
		return err;
	memcpy(s->report.seed, s->fresh_seed, sizeof(s->report.seed));
	return hf_meta_put(&s->db, META_SEED, hf_span(s->report.seed, sizeof(s->report.seed)));
}

static int read_ledger(struct hf_store *s)
{
	uint8_t bytes[24];
	int err;

	s->ledger.stored_day = -1; /* the next commit stores it */
	if (s->in_use)
		return 0; /* it counts on */
	err = hf_meta_get(&s->db, "ledger", bytes, sizeof(bytes));
	if (!err) {
		s->ledger.before = hf_get_le(bytes, 8);
		s->ledger.stored = s->ledger.before;
		s->ledger.day_start = hf_get_le(bytes + 8, 8);
		s->ledger.day = (int64_t)hf_get_le(bytes + 16, 8);
	}
	if (s->job_day >= 0 && s->ledger.day != s->job_day) {
		s->ledger.day = s->job_day;
		s->ledger.day_start = s->ledger.before;
	}
	return err == HF_ENOENT ? 0 : err;
}

/* ---- device time ---- */

static void later(uint64_t *ms, uint64_t other)
{
	if (other > *ms)
		*ms = other;
}

static void later_state(uint64_t *ms, const struct hf_record_state *state)
{
	later(ms, state->created_dev_ms);
	later(ms, state->first_sent_dev_ms);
	later(ms, state->settled_dev_ms);
}

/* The record of the newest row of request, outcome or dead. */
static int later_newest(struct hf_db *db, enum hf_statement which, uint64_t *ms)
{
	sqlite3_stmt *st = hf_db_stmt(db, which);
	int err = hf_db_step(db, st);
	struct hf_row row;
	uint64_t id;

	if (err <= 0)
		return err;
	id = hf_column_u64(st, 1);
	hf_db_reset(st);
	err = hf_row_get(db, id, &row);
	if (!err)
		later_state(ms, &row.state);
	return err == HF_ENOENT ? 0 : err;
}

static int later_heads(struct hf_db *db, uint64_t *ms)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_ALL);
	uint32_t ids[HEADS_MAX];
	unsigned n = 0;
	int got = 0;

	while (n < HEADS_MAX && (got = hf_db_step(db, st)) > 0)
		ids[n++] = (uint32_t)hf_column_u64(st, 0);
	hf_db_reset(st);
	for (unsigned i = 0; i < n && got >= 0; i++) {
		struct hf_lane_entry *e;
		struct hf_row row;

		got = hf_lane_get(db, ids[i], &e);
		if (!got)
			got = hf_lane_resolve(db, e, &row);
		if (!got && e->v.head <= e->v.tail)
			later_state(ms, &row.state);
	}
	return got < 0 ? got : 0;
}

static int read_device_time(struct hf_db *db, uint64_t *ms)
{
	uint8_t bytes[8];
	int err = hf_meta_get(db, META_TIME, bytes, sizeof(bytes));

	*ms = err ? 0 : hf_get_le(bytes, 8);
	if (err == HF_ENOENT)
		err = 0;
	if (!err)
		err = later_newest(db, HF_SQL_REQUEST_MAX, ms);
	if (!err)
		err = later_newest(db, HF_SQL_OUTCOME_MAX, ms);
	if (!err)
		err = later_newest(db, HF_SQL_DEAD_MAX, ms);
	return err ? err : later_heads(db, ms);
}

/* ---- a database that is good ---- */

static void set_limits(struct hf_store *s)
{
	struct hf_db *db = &s->db;
	char sql[64];

	db->pages_max = s->bytes_max / HF_PAGE_SIZE;
	db->pages_reserve = s->reserve_bytes / HF_PAGE_SIZE;
	/* SQLite's own ceiling stands behind ours */
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%llu",
		 (unsigned long long)db->pages_max + 64);
	hf_db_exec(db, sql);
	s->checkpoint_at = hf_reserve_log_step(s);
	hf_reserve_limit_log(s);
}

/* How much of the database is in its file. Asked of SQLite's own handle: to close
 * another one would give up the lock. */
static int read_backed(struct hf_store *s)
{
	sqlite3_file *f = NULL;
	uint64_t size;
	int err =
		hf_sql_map(sqlite3_file_control(s->db.sql, "main", SQLITE_FCNTL_FILE_POINTER, &f));

	if (!err)
		err = hf_file_size(f, &size);
	if (err)
		return err;
	s->db.backed = size / HF_PAGE_SIZE;
	s->grow_at = s->db.backed + hf_reserve_growth_step(s);
	return 0;
}

/* The first reads and the seed of a new one. */
static int begin_use(struct hf_store *s)
{
	struct hf_db *db = &s->db;
	uint32_t boots;
	bool clean;
	int err = read_run(db, &boots, &clean);

	if (!err)
		err = read_seed(s);
	if (!err)
		err = read_ledger(s);
	if (!err)
		err = read_device_time(db, &s->report.device_ms);
	if (!err)
		err = hf_blob_floor(db);
	if (err)
		return err;
	if (!s->in_use)
		s->boots = boots + 1;
	s->in_use = true;
	s->report.boots = s->boots;
	s->boot_due = true;
	db->uploads_gone = true;
	return 0;
}

static int open_file(struct hf_store *s)
{
	char path[HF_PATH_MAX];

	hf_path_database(s, s->marker.generation, path);
	hf_db_close(&s->db);
	return hf_db_open(&s->db, &s->vfs, path);
}

int hf_open_current(struct hf_store *s)
{
	int err = open_file(s);

	if (!err)
		err = hf_db_wal(&s->db);
	if (!err) {
		set_limits(s);
		err = read_backed(s);
	}
	if (!err)
		err = begin_use(s);
	if (err)
		hf_db_close(&s->db);
	return err;
}

/* ---- rungs ---- */

static int store_marker(struct hf_store *s)
{
	char path[HF_PATH_MAX];

	hf_path_marker(s, path);
	return hf_marker_write(&s->vfs, path, &s->marker);
}

/* Makes the schema in the current generation's file. */
static int create(struct hf_store *s)
{
	int err = open_file(s);

	if (!err)
		err = hf_schema_apply(&s->db);
	return err ? err : hf_open_current(s);
}

/* Of a page that could not be had the check says that it could not, for want of
 * memory too: that is no damage, and the next try may get it. */
static int verdict(const unsigned char *text)
{
	const char *words = (const char *)text;

	if (!words)
		return HF_ENOMEM;
	if (strcmp(words, "ok") == 0)
		return 0;
	if (strstr(words, "failed to get page") ||
	    (strstr(words, "unable to get the page") && !strstr(words, "error code=11")))
		return HF_EIO;
	return HF_ECORRUPT;
}

static int quick_check(struct hf_db *db)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, "PRAGMA quick_check(1)", -1, &st, NULL);
	int err;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	err = rc == SQLITE_ROW ? verdict(sqlite3_column_text(st, 0)) : hf_sql_map(rc);
	sqlite3_finalize(st);
	return err;
}

/* After an unclean end a small database is looked through. */
static int check(struct hf_db *db)
{
	uint64_t used, total;
	uint32_t boots;
	bool clean;
	int err = read_run(db, &boots, &clean);

	if (!err)
		err = hf_db_pages(db, &used, &total);
	if (err || clean || total * HF_PAGE_SIZE > CHECK_MAX)
		return err;
	return quick_check(db);
}

/* Opens the current generation and says what it is. */
static int inspect(struct hf_store *s, enum hf_schema_found *found)
{
	int err = open_file(s);

	if (!err)
		err = hf_schema_inspect(&s->db, found);
	if (!err && *found == HF_SCHEMA_OLD) {
		err = hf_schema_apply(&s->db);
		if (err == HF_EFULL && hf_reserve_release(s))
			err = hf_schema_apply(&s->db);
		*found = HF_SCHEMA_CURRENT;
	}
	if (!err && *found == HF_SCHEMA_CURRENT)
		err = check(&s->db);
	return err;
}

static int inspect_patiently(struct hf_store *s, enum hf_schema_found *found)
{
	int err = HF_EIO;

	for (int i = 0; i < READ_TRIES && err == HF_EIO; i++)
		err = inspect(s, found);
	return err;
}

/* There is a marker, or there are other files, but no database. */
static int start_anew(struct hf_store *s, bool leftover)
{
	s->report.vanished = true;
	s->marker.vanished++;
	if (leftover)
		s->marker.generation++; /* leaves the files where they are */
	return create(s);
}

/* No valid marker: looks for the highest generation there is. */
static int find_generation(struct hf_store *s, uint32_t below, uint32_t *out)
{
	char path[HF_PATH_MAX];
	bool there = false;
	int err = 0;

	for (*out = below - 1; *out > 0 && !err; *out -= 1) {
		hf_path_database(s, *out, path);
		err = hf_vfs_exists(&s->vfs, path, &there);
		if (!err && there)
			break;
	}
	return err;
}

/* What @err or @found of the current generation leads to. */
static int descend(struct hf_store *s, int err, enum hf_schema_found found)
{
	if (!err && found == HF_SCHEMA_CURRENT)
		err = hf_open_current(s);
	if (err == HF_ECORRUPT || err == HF_EIO)
		return hf_salvage_run(s, err == HF_EIO);
	if (err)
		return err;
	switch (found) {
	case HF_SCHEMA_CURRENT:
		return 0;
	case HF_SCHEMA_OLD:
		break; /* inspect() has migrated it */
	case HF_SCHEMA_NEWER:
		return HF_ENOTSUP;
	case HF_SCHEMA_EMPTY:
		if (s->marker.there)
			return start_anew(s, false);
		s->report.created = true;
		return create(s);
	case HF_SCHEMA_ALIEN:
		return hf_salvage_run(s, false);
	}
	assert(false);
	return HF_ESTATE;
}

/* Sizes of the current generation's files. */
static int sizes(struct hf_store *s, uint64_t *db, uint64_t *wal)
{
	char path[HF_PATH_MAX];
	int err;

	hf_path_database(s, s->marker.generation, path);
	err = hf_vfs_size(&s->vfs, path, db);
	if (err)
		return err;
	hf_path_wal(s, s->marker.generation, path);
	return hf_vfs_size(&s->vfs, path, wal);
}

/* SQLite takes a damaged log for one that a power cut has torn, and drops what
 * stands behind the damage. */
static int look_at_log(struct hf_store *s, bool *damaged)
{
	char path[HF_PATH_MAX];
	struct hf_wal w;
	int err;

	hf_path_wal(s, s->marker.generation, path);
	err = hf_wal_open(&w, &s->vfs, path);
	*damaged = !err && w.damaged;
	hf_wal_close(&w);
	return err;
}

static int open_generation(struct hf_store *s, enum hf_schema_found *found)
{
	uint64_t db, wal;
	bool damaged;
	int err = sizes(s, &db, &wal);

	if (err)
		return err;
	if (db == 0 && (wal > 0 || s->marker.there))
		return start_anew(s, wal > 0);
	err = look_at_log(s, &damaged);
	if (err || damaged)
		return err ? err : hf_salvage_run(s, false);
	err = inspect_patiently(s, found);
	if (err == HF_ECORRUPT || !err)
		return descend(s, err, *found);
	if (err == HF_EIO && db > 0)
		return descend(s, err, *found);
	return err;
}

/* Without a marker: an unfinished salvage is passed over. */
static int open_unmarked(struct hf_store *s)
{
	enum hf_schema_found found = HF_SCHEMA_EMPTY;
	uint32_t generation = HF_GENERATIONS_MAX + 1;
	bool damaged;
	int err;

	for (;;) {
		err = find_generation(s, generation, &generation);
		if (err)
			return err;
		s->marker.generation = generation ? generation : 1;
		if (generation <= 1)
			return open_generation(s, &found);
		err = look_at_log(s, &damaged);
		if (err || damaged)
			return err ? err : hf_salvage_run(s, false);
		err = inspect(s, &found);
		if (err != HF_ECORRUPT && !(err == 0 && found == HF_SCHEMA_ALIEN))
			return descend(s, err, found);
	}
}

/* ---- no room for a database ---- */

/* A store that was never finished, or is gone, on a medium that is full: an empty database in
 * memory, into which only privileged operations write. The reserve's tries look
 * for room (hf_reserve_make). */
static int open_nowhere(struct hf_store *s)
{
	int err;

	hf_db_close(&s->db);
	err = hf_db_open(&s->db, &s->vfs, ":memory:");
	if (!err)
		err = hf_schema_apply(&s->db);
	if (!err) {
		set_limits(s);
		err = begin_use(s);
	}
	s->in_use = false; /* the one to come counts its starts itself */
	if (err) {
		hf_db_close(&s->db);
		return err;
	}
	s->report.created = false;
	s->nowhere = true;
	s->db.backed = 0;
	s->grow_at = UINT64_MAX;
	hf_reserve_begin_low(s);
	return 0;
}

int hf_open_run(struct hf_store *s)
{
	enum hf_schema_found found = HF_SCHEMA_EMPTY;
	struct hf_marker before;
	char path[HF_PATH_MAX];
	int err;

	memset(&s->report, 0, sizeof(s->report));
	s->nowhere = false;
	hf_path_marker(s, path);
	err = hf_marker_read(&s->vfs, path, &s->marker);
	if (err)
		return err;
	before = s->marker;
	err = s->marker.valid ? open_generation(s, &found) : open_unmarked(s);
	if (!err &&
	    (!before.valid || before.generation != s->marker.generation ||
	     before.vanished != s->marker.vanished) &&
	    !s->report.salvaged)
		err = store_marker(s);
	if (err == HF_EFULL && (!before.valid || s->report.vanished))
		return open_nowhere(s);
	if (err) {
		hf_db_close(&s->db);
		return err;
	}
	hf_aside_look(s);
	s->report.vanished_total = s->marker.vanished;
	s->report.salvages_total = s->marker.salvages;
	s->reserve_due = true;
	s->db.low = false;
	return 0;
}

int hf_close_run(struct hf_store *s)
{
	struct hf_db *db = &s->db;
	int err;

	if (!db->sql)
		return HF_EIO;
	db->hard = 0;
	err = hf_db_exec(db, "BEGIN");
	if (!err)
		err = hf_open_store_run(s, true);
	if (!err)
		err = hf_ledger_store(s, 0);
	if (!err)
		err = hf_db_exec(db, "COMMIT");
	if (!err) {
		hf_ledger_stored(s);
		err = hf_checkpoint_run(s);
	}
	hf_db_close(db);
	return err;
}
