/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shelf_db.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const sql_text[HF_SHELF_STATEMENT_COUNT] = {
#define HF_SHELF_STATEMENT_TEXT(name, sql) [HF_SHELF_##name] = sql,
	HF_SHELF_STATEMENTS(HF_SHELF_STATEMENT_TEXT)
#undef HF_SHELF_STATEMENT_TEXT
};

/* EXTRA until the switch to WAL, as for the queue (db.c). The last one reads. */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
			       "PRAGMA page_size=4096;"
			       "PRAGMA auto_vacuum=INCREMENTAL;"
			       "PRAGMA synchronous=EXTRA;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA cache_size=-768;"
			       "PRAGMA journal_size_limit=4194304;"
			       "PRAGMA mmap_size=0;"
			       "PRAGMA cell_size_check=ON;"
			       "PRAGMA trusted_schema=OFF;"
			       "PRAGMA foreign_keys=OFF;"
			       "PRAGMA user_version;";

static const char schema[] =
	"BEGIN;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL);"
	"CREATE TABLE cache(id INTEGER PRIMARY KEY, v BLOB NOT NULL,"
	" owner BLOB NOT NULL, name BLOB NOT NULL);"
	"CREATE TABLE entry(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL,"
	" url BLOB NOT NULL, note BLOB NOT NULL, head BLOB NOT NULL);"
	"CREATE TABLE use(id INTEGER PRIMARY KEY, v BLOB NOT NULL);"
	"CREATE TABLE body(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL,"
	" refs INTEGER NOT NULL, v BLOB NOT NULL, data BLOB);"
	"CREATE INDEX body_hash ON body(hash);"
	"CREATE TABLE piece(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE loose(body INTEGER PRIMARY KEY, gone INTEGER NOT NULL);"
	"COMMIT;";

static int count_frames(void *user, sqlite3 *sql, const char *name, int frames)
{
	struct hf_shelf_db *db = user;

	(void)sql;
	(void)name;
	db->wal_frames = (unsigned)frames;
	return SQLITE_OK;
}

static int open_wal(struct hf_shelf_db *db)
{
	int err = db->nowhere ? 0 : hf_sql_wal(db->sql);

	if (err)
		return err;
	sqlite3_wal_hook(db->sql, count_frames, db);
	return hf_sql_exec(db->sql, "PRAGMA synchronous=NORMAL");
}

int hf_shelf_db_open(struct hf_shelf_db *db, struct hf_vfs *vfs, const char *path, bool fresh)
{
	int err;

	assert(!db->sql);
	db->vfs = vfs;
	db->hard = 0;
	db->nowhere = strcmp(path, ":memory:") == 0;
	err = hf_sql_open(&db->sql, vfs, path, settings);
	if (!err && fresh)
		err = hf_sql_exec(db->sql, schema);
	if (!err)
		err = open_wal(db);
	if (err)
		hf_shelf_db_close(db);
	return err;
}

int hf_shelf_db_seal(struct hf_shelf_db *db, uint32_t generation)
{
	char text[96];
	int err;

	snprintf(text, sizeof(text), "BEGIN;PRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT",
		 HF_SHELF_APPLICATION_ID, (int)(generation << 8 | HF_SHELF_VERSION));
	err = hf_sql_exec(db->sql, text);
	if (!err && !db->nowhere)
		err = hf_shelf_db_checkpoint(db, true);
	return err;
}

void hf_shelf_db_close(struct hf_shelf_db *db)
{
	for (int i = 0; i < HF_SHELF_STATEMENT_COUNT; i++) {
		sqlite3_finalize(db->st[i]);
		db->st[i] = NULL;
	}
	hf_shelf_db_forget(db);
	free(db->rows);
	db->rows = NULL;
	db->rows_cap = 0;
	sqlite3_close(db->sql);
	db->sql = NULL;
	db->wal_frames = 0;
}

void hf_shelf_db_forget(struct hf_shelf_db *db)
{
	for (size_t i = 0; i < db->rows_n; i++)
		free(db->rows[i].texts);
	db->rows_n = 0;
	db->rows_known = false;
	db->body_next = 0;
	db->purge_after = 0;
	db->of_cache.n = 0;
	db->of_cache.done = false;
}

void hf_shelf_db_settle(struct hf_shelf_db *db)
{
	for (int i = 0; i < HF_SHELF_STATEMENT_COUNT; i++)
		sqlite3_reset(db->st[i]);
}

void hf_shelf_db_roll_back(struct hf_shelf_db *db)
{
	hf_shelf_db_settle(db);
	if (db->sql && !sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	hf_shelf_db_forget(db);
}

int hf_shelf_db_sync(struct hf_shelf_db *db)
{
	sqlite3_file *wal = NULL;
	int rc = sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);

	if (rc == SQLITE_OK && wal && wal->pMethods)
		rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
	return hf_sql_map(rc);
}

int hf_shelf_db_checkpoint(struct hf_shelf_db *db, bool truncate)
{
	int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int log = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(db->sql, NULL, mode, &log, &done);

	if (rc == SQLITE_OK && log == done)
		db->wal_frames = 0;
	return hf_sql_map(rc);
}

sqlite3_stmt *hf_shelf_stmt(struct hf_shelf_db *db, enum hf_shelf_statement which)
{
	return hf_sql_stmt(db->sql, &db->st[which], sql_text[which], &db->hard);
}

int hf_shelf_step(struct hf_shelf_db *db, sqlite3_stmt *st)
{
	return hf_sql_step(st, &db->hard);
}

int hf_shelf_run(struct hf_shelf_db *db, sqlite3_stmt *st)
{
	int got;

	do {
		got = hf_shelf_step(db, st);
	} while (got > 0);
	return got;
}

int hf_shelf_run_u64(struct hf_shelf_db *db, enum hf_shelf_statement which, uint64_t a)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, which);

	hf_bind_u64(st, 1, a);
	return hf_shelf_run(db, st);
}

int hf_shelf_number(struct hf_shelf_db *db, enum hf_shelf_statement which, uint64_t a,
		    uint64_t *out)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, which);
	int got;

	if (st && sqlite3_bind_parameter_count(st) > 0)
		hf_bind_u64(st, 1, a);
	got = hf_shelf_step(db, st);
	*out = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_sql_reset(st);
	return got < 0 ? got : 0;
}

int hf_shelf_meta_put(struct hf_shelf_db *db, const char *key, struct hf_span value)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_META_PUT);

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	hf_bind_span(st, 2, value);
	return hf_shelf_run(db, st);
}

int hf_shelf_meta_get(struct hf_shelf_db *db, const char *key, uint8_t *out, size_t len)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_META_GET);
	int got, err = HF_ENOENT;

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	got = hf_shelf_step(db, st);
	if (got > 0) {
		struct hf_span value = hf_column_span(st, 0);

		if (value.len == len) {
			memcpy(out, value.ptr, len);
			err = 0;
		}
	}
	hf_sql_reset(st);
	return got < 0 ? got : err;
}

int hf_shelf_pages(struct hf_shelf_db *db, uint64_t *used, uint64_t *total)
{
	uint64_t unused;
	int err = hf_shelf_number(db, HF_SHELF_PAGES, 0, total);

	if (!err)
		err = hf_shelf_number(db, HF_SHELF_FREE_PAGES, 0, &unused);
	if (!err)
		*used = *total > unused ? *total - unused : 0;
	return err;
}

int hf_shelf_room(struct hf_shelf_db *db, uint64_t bytes)
{
	uint64_t used, total;
	int err = hf_shelf_pages(db, &used, &total);

	if (err)
		return err;
	return used + bytes / (HF_SHELF_PAGE_SIZE - 4) + 4 <= db->pages_max ? 0 : HF_EFULL;
}

struct chunk {
	struct chunk *next;
	char bytes[];
};

char *hf_shelf_memory(void **chain, size_t size)
{
	struct chunk *c = malloc(sizeof(*c) + size + 1);

	if (!c)
		return NULL;
	c->next = *chain;
	*chain = c;
	return c->bytes;
}

void hf_shelf_memory_free(void **chain)
{
	struct chunk *c = *chain;

	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
	*chain = NULL;
}
