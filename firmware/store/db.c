/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <assert.h>
#include <stdlib.h>

static const char *const sql_text[HF_SQL_COUNT] = {
#define HF_STATEMENT_TEXT(name, sql) [HF_SQL_##name] = sql,
	HF_STATEMENTS(HF_STATEMENT_TEXT)
#undef HF_STATEMENT_TEXT
};

int hf_db_map(int rc)
{
	if (rc == SQLITE_IOERR_NOMEM)
		return HF_ENOMEM;
	if (rc == SQLITE_IOERR_CORRUPTFS)
		return HF_ECORRUPT;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return HF_EFULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return HF_ECORRUPT;
	case SQLITE_NOMEM:
		return HF_ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return HF_EBUSY;
	case SQLITE_TOOBIG:
		return HF_ETOOBIG;
	case SQLITE_CONSTRAINT:
		return HF_ECORRUPT; /* our keys are unique: an index disagrees */
	default:
		return HF_EIO;
	}
}

static int failed(struct hf_db *db, int rc)
{
	int err = hf_db_map(rc);

	assert(err != 0);
	if (!db->hard)
		db->hard = err;
	return err;
}

static int count_frames(void *user, sqlite3 *sql, const char *schema, int frames)
{
	struct hf_db *db = user;

	(void)sql;
	(void)schema;
	db->wal_frames = (unsigned)frames;
	return SQLITE_OK;
}

#define CACHE_KIB "384"

/* EXCLUSIVE comes before the first read: it keeps SQLite away from shared
 * memory. EXTRA comes before the switch to WAL: the directory is synced when
 * a rollback journal goes, so that the journal cannot come back. */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
			       "PRAGMA page_size=512;"
			       "PRAGMA synchronous=EXTRA;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA cache_size=-" CACHE_KIB ";"
			       "PRAGMA journal_size_limit=-1;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA cell_size_check=ON;"
			       "PRAGMA trusted_schema=OFF;"
			       "PRAGMA foreign_keys=OFF;"
			       "PRAGMA user_version;";
_Static_assert(HF_PAGE_SIZE == 512, "the settings name the page size");

int hf_db_open(struct hf_db *db, struct hf_vfs *vfs, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE;
	int rc, err;

	assert(!db->sql);
	db->vfs = vfs;
	db->hard = 0;
	db->dead_count = -1;
	rc = sqlite3_open_v2(path, &db->sql, flags, vfs->name);
	if (rc != SQLITE_OK) {
		hf_db_close(db);
		return hf_db_map(rc);
	}
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_wal_autocheckpoint(db->sql, 0);
	err = hf_db_exec(db, settings);
	if (err)
		hf_db_close(db);
	return err;
}

static int text_is(void *wanted, int n, char **values, char **names)
{
	(void)names;
	if (n != 1 || !values[0] || strcmp(values[0], wanted) != 0)
		return 1;
	return 0;
}

int hf_db_wal(struct hf_db *db)
{
	char wal[] = "wal";
	int rc = sqlite3_exec(db->sql, "PRAGMA journal_mode=WAL", text_is, wal, NULL);

	if (rc == SQLITE_ABORT)
		return HF_EIO;
	if (rc != SQLITE_OK)
		return hf_db_map(rc);
	sqlite3_wal_hook(db->sql, count_frames, db);
	return hf_db_exec(db, "PRAGMA synchronous=FULL");
}

void hf_db_close(struct hf_db *db)
{
	for (int i = 0; i < HF_SQL_COUNT; i++) {
		sqlite3_finalize(db->st[i]);
		db->st[i] = NULL;
	}
	hf_db_forget(db);
	free(db->lanes);
	db->lanes = NULL;
	db->lanes_cap = 0;
	sqlite3_close(db->sql);
	db->sql = NULL;
	db->wal_frames = 0;
}

void hf_db_forget(struct hf_db *db)
{
	db->lanes_n = 0;
	db->request_next = 0;
	db->outcome_next = 0;
	db->dead_next = 0;
	db->blob_next = 0;
	db->dead_count = -1;
}

int hf_db_exec(struct hf_db *db, const char *sql)
{
	return hf_db_map(sqlite3_exec(db->sql, sql, NULL, NULL, NULL));
}

int hf_db_number(struct hf_db *db, const char *sql, int64_t otherwise, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);

	*out = otherwise;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	sqlite3_finalize(st);
	return hf_db_map(rc);
}

sqlite3_stmt *hf_db_stmt(struct hf_db *db, enum hf_statement which)
{
	sqlite3_stmt **st = &db->st[which];
	int rc;

	if (*st) {
		sqlite3_reset(*st);
		return *st;
	}
	rc = sqlite3_prepare_v3(db->sql, sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (rc == SQLITE_ERROR)
		rc = SQLITE_CORRUPT; /* the statement is right, so the schema is not */
	if (rc != SQLITE_OK)
		failed(db, rc);
	return *st;
}

int hf_db_step(struct hf_db *db, sqlite3_stmt *st)
{
	int rc;

	if (!st)
		return db->hard ? db->hard : HF_ENOMEM;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : failed(db, rc);
}

int hf_db_run(struct hf_db *db, sqlite3_stmt *st)
{
	int got;

	do {
		got = hf_db_step(db, st);
	} while (got > 0);
	return got;
}

void hf_db_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

void hf_bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
	assert(v <= INT64_MAX);
	sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

void hf_bind_span(sqlite3_stmt *st, int at, struct hf_span v)
{
	sqlite3_bind_blob64(st, at, v.len ? v.ptr : "", v.len, SQLITE_STATIC);
}

struct hf_span hf_column_span(sqlite3_stmt *st, int at)
{
	const void *p = sqlite3_column_blob(st, at);

	return hf_span(p, (size_t)sqlite3_column_bytes(st, at));
}

uint64_t hf_column_u64(sqlite3_stmt *st, int at)
{
	sqlite3_int64 v = sqlite3_column_int64(st, at);

	return v < 0 ? 0 : (uint64_t)v;
}

static int pragma_u64(struct hf_db *db, enum hf_statement which, uint64_t *out)
{
	sqlite3_stmt *st = hf_db_stmt(db, which);
	int got = hf_db_step(db, st);

	*out = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

int hf_db_pages(struct hf_db *db, uint64_t *used, uint64_t *total)
{
	uint64_t unused;
	int err = pragma_u64(db, HF_SQL_PAGES, total);

	if (!err)
		err = pragma_u64(db, HF_SQL_FREE_PAGES, &unused);
	if (!err)
		*used = *total > unused ? *total - unused : 0;
	return err;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Pages that operations that are not privileged may bring the database to. */
static uint64_t ordinary_limit(const struct hf_db *db, uint64_t total)
{
	uint64_t limit = less(db->pages_max, db->pages_reserve);
	uint64_t inside = less(db->backed < total ? db->backed : total, db->low_keep);

	return db->low && inside < limit ? inside : limit;
}

uint64_t hf_db_room_left(const struct hf_db *db, uint64_t used, uint64_t total)
{
	return less(ordinary_limit(db, total), used);
}

int hf_db_room(struct hf_db *db, uint64_t bytes, bool privileged)
{
	uint64_t used, total, limit;
	/* a row dirties a leaf and, now and then, new inner pages */
	uint64_t need = bytes / (HF_PAGE_SIZE - 4) + 4;
	int err = hf_db_pages(db, &used, &total);

	if (err)
		return err;
	limit = privileged ? db->pages_max : ordinary_limit(db, total);
	if (db->low && db->low_max == 0)
		db->low_max = total + db->low_extra;
	if (db->low && db->low_max < limit)
		limit = db->low_max;
	return used + need <= limit ? 0 : HF_EFULL;
}
