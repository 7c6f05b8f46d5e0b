/* SPDX-License-Identifier: Apache-2.0 */
/* What is deleted in the background, a little at a time. */
#include "store/shelf_rows.h"

#define PIECES	16
#define ENTRIES 32
#define ROWS	4096 /* looked at for the entries of a damaged body */

/* Entries of the first cache that was dropped; its row is the last to go. */
static int sweep_cache(struct hf_shelf_db *db, bool *more)
{
	uint64_t ids[ENTRIES], removed = 0;
	sqlite3_stmt *st;
	size_t i, n = 0;
	int got, err = hf_shelf_rows_load(db);
	uint32_t cache;

	*more = false;
	for (i = 0; i < db->rows_n && db->rows[i].v.state != HF_SHELF_DROPPED; i++)
		;
	if (err || i == db->rows_n)
		return err;
	*more = true;
	cache = db->rows[i].id;
	st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	hf_bind_u64(st, 1, hf_shelf_first_of(cache));
	hf_bind_u64(st, 2, hf_shelf_last_of(cache));
	hf_bind_u64(st, 3, ENTRIES);
	while ((got = hf_shelf_step(db, st)) > 0)
		ids[n++] = hf_column_u64(st, 0);
	err = got;
	for (i = 0; i < n && !err; i++)
		err = hf_shelf_entry_delete(db, ids[i], &removed);
	return !err && n == 0 ? hf_shelf_row_delete(db, cache) : err;
}

/* Some entries of the first damaged body; then the body. */
static int sweep_bad(struct hf_shelf_db *db)
{
	uint64_t body = db->bad[0], ids[ENTRIES], removed = 0;
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	unsigned n = 0, rows = 0;
	int got, err;

	hf_bind_u64(st, 1, db->bad_after);
	hf_bind_u64(st, 2, INT64_MAX);
	hf_bind_u64(st, 3, ROWS);
	while (n < ENTRIES && (got = hf_shelf_step(db, st)) > 0) {
		struct hf_shelf_use u;
		uint64_t id = hf_column_u64(st, 0);

		rows++;
		db->bad_after = id;
		if (!hf_shelf_use_decode(id, hf_column_span(st, 1), &u) && u.body == body)
			ids[n++] = id;
	}
	hf_sql_reset(st);
	err = db->hard;
	for (unsigned i = 0; i < n && !err; i++)
		err = hf_shelf_entry_delete(db, ids[i], &removed);
	if (err || rows == ROWS || n == ENTRIES)
		return err;
	err = hf_shelf_body_drop(db, body);
	if (!err) {
		db->bad[0] = db->bad[--db->bad_n];
		db->bad_after = 0;
	}
	return err;
}

int hf_shelf_sweep_slice(struct hf_shelf_db *db)
{
	bool more = true;
	int err;

	if (db->bad_n > 0)
		return sweep_bad(db);
	err = sweep_cache(db, &more);
	if (!err && !more)
		err = hf_shelf_loose_sweep(db, PIECES, &more);
	if (!err && !more)
		db->sweep_due = false;
	if (!err && !more && db->purge_due)
		err = hf_shelf_purge_slice(db, &more);
	return err;
}
