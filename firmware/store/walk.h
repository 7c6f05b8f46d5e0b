/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a damaged table: every row that a seek or a step can reach, in
 * ranges of row ids. A range is read forwards to the damage and backwards from
 * its end to the damage; what lies between is halved and tried again, until many
 * reads have failed one after another: then the table is left as it is.
 */
#ifndef HF_STORE_WALK_H
#define HF_STORE_WALK_H

#include "store/sql.h"

struct hf_walk {
	sqlite3 *from;
	const char *table;
	const char *columns; /* after the row id */
	/* Column 0 of @st is the row id. An error ends the walk. */
	int (*row)(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st);
	void *user;

	unsigned faults; /* reads that failed */
	bool io;	 /* at least one of them as a read error of the medium */

	/* private */
	unsigned barren; /* faults since the last row */
	sqlite3_stmt *up, *down;
};

/* 0 also for a table that cannot be read at all (faults > 0). HF_ENOMEM, or
 * what row returned. */
int hf_walk_table(struct hf_walk *w);

#endif
