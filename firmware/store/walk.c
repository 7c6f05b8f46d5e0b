/* SPDX-License-Identifier: Apache-2.0 */
#include "store/walk.h"

#include <stdio.h>

#define FAULTS_MAX 200000
#define BARREN_MAX 2000 /* faults in a row: what is left leads nowhere */
#define TRIES	   3	/* of a read that the medium refused */

static int prepare(struct hf_walk *w, const char *order, sqlite3_stmt **out)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT rowid%s%s FROM %s WHERE rowid>?1 AND rowid<?2 ORDER BY rowid %s",
		 w->columns[0] ? "," : "", w->columns, w->table, order);
	return sqlite3_prepare_v2(w->from, sql, -1, out, NULL);
}

static int note(struct hf_walk *w, int rc)
{
	if ((rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
		return HF_ENOMEM;
	w->faults++;
	w->barren++;
	if ((rc & 0xff) == SQLITE_IOERR)
		w->io = true;
	return 0;
}

/* Reads (lo, hi) in the direction of @st and narrows the range by what it read.
 * *whole: there is nothing left in it. */
static int sweep(struct hf_walk *w, sqlite3_stmt *st, bool up, uint64_t *lo, uint64_t *hi,
		 bool *whole)
{
	int rc = SQLITE_ERROR, err = 0;

	for (int i = 0; i < TRIES && !err; i++) {
		sqlite3_reset(st);
		hf_bind_u64(st, 1, *lo);
		hf_bind_u64(st, 2, *hi);
		while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
			uint64_t rowid = hf_column_u64(st, 0);

			err = w->row(w, rowid, st);
			w->barren = 0;
			/* pages that do not fit together give rows out of order */
			if (up && rowid > *lo)
				*lo = rowid;
			else if (!up && rowid < *hi)
				*hi = rowid;
		}
		if ((rc & 0xff) != SQLITE_IOERR)
			break;
	}
	sqlite3_reset(st);
	*whole = rc == SQLITE_DONE;
	if (!err && !*whole)
		err = note(w, rc);
	return err;
}

static int range(struct hf_walk *w, uint64_t lo, uint64_t hi)
{
	bool whole;
	uint64_t mid;
	int err = sweep(w, w->up, true, &lo, &hi, &whole);

	if (!err && !whole)
		err = sweep(w, w->down, false, &lo, &hi, &whole);
	if (err || whole || hi <= lo || hi - lo < 3 || w->faults > FAULTS_MAX ||
	    w->barren > BARREN_MAX)
		return err;
	mid = lo + (hi - lo) / 2;
	err = range(w, lo, mid + 1);
	return err ? err : range(w, mid, hi);
}

int hf_walk_table(struct hf_walk *w)
{
	int rc = prepare(w, "ASC", &w->up);
	int err = 0;

	w->down = NULL;
	if (rc == SQLITE_OK)
		rc = prepare(w, "DESC", &w->down);
	if (rc == SQLITE_OK)
		err = range(w, 0, INT64_MAX);
	else
		err = note(w, rc);
	sqlite3_finalize(w->up);
	sqlite3_finalize(w->down);
	return err;
}
