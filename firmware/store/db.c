/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <assert.h>
#include <stdlib.h>

static const char *const sql_text[HF_SQL_COUNT] = {
#define HF_STATEMENT_TEXT(name, sql) [HF_SQL_##name] = sql,
	HF_STATEMENTS(HF_STATEMENT_TEXT)
#undef HF_STATEMENT_TEXT
};

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
	assert(!db->sql);
	db->vfs = vfs;
	db->hard = 0;
	db->dead_count = -1;
	return hf_sql_open(&db->sql, vfs, path, settings);
}

int hf_db_wal(struct hf_db *db)
{
	int err = hf_sql_wal(db->sql);

	if (err)
		return err;
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
	db->dependents = -1;
	db->size.known = false;
}

int hf_db_exec(struct hf_db *db, const char *sql)
{
	return hf_sql_exec(db->sql, sql);
}

int hf_db_number(struct hf_db *db, const char *sql, int64_t otherwise, int64_t *out)
{
	return hf_sql_number(db->sql, sql, otherwise, out);
}

sqlite3_stmt *hf_db_stmt(struct hf_db *db, enum hf_statement which)
{
	return hf_sql_stmt(db->sql, &db->st[which], sql_text[which], &db->hard);
}

int hf_db_step(struct hf_db *db, sqlite3_stmt *st)
{
	return hf_sql_step(st, &db->hard);
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
	db->size.known = !err;
	if (err)
		return err;
	*used = *total > unused ? *total - unused : 0;
	db->size = (struct hf_db_size){ .known = true, .used = *used, .total = *total };
	return 0;
}

bool hf_db_is_beyond(struct hf_db *db, uint64_t pages)
{
	const struct hf_db_size *s = &db->size;
	uint64_t used, total;

	if (s->known && !db->low && s->total + s->asked <= pages)
		return false;
	return !hf_db_pages(db, &used, &total) && total > pages;
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

/* Without counting: there is, whatever was asked for since. */
static bool has_plenty(const struct hf_db *db, uint64_t need, bool privileged)
{
	const struct hf_db_size *s = &db->size;
	uint64_t limit = privileged ? db->pages_max : ordinary_limit(db, s->total);

	return s->known && !db->low && s->used + s->asked + need <= limit;
}

int hf_db_room(struct hf_db *db, uint64_t bytes, bool privileged)
{
	uint64_t used, total, limit;
	/* a row dirties a leaf and, now and then, new inner pages */
	uint64_t need = bytes / (HF_PAGE_SIZE - 4) + 4;
	int err;

	if (has_plenty(db, need, privileged)) {
		db->size.asked += need;
		return 0;
	}
	err = hf_db_pages(db, &used, &total);
	if (err)
		return err;
	db->size.asked = need;
	limit = privileged ? db->pages_max : ordinary_limit(db, total);
	if (db->low && db->low_max == 0)
		db->low_max = total + db->low_extra;
	if (db->low && db->low_max < limit)
		limit = db->low_max;
	return used + need <= limit ? 0 : HF_EFULL;
}
