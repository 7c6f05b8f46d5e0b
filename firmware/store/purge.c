/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Purging, always in batches: a page that loses one row or all its rows is
 * written once.
 *
 *  - Requests of settled and cancelled records go first: db->finished names
 *    them, and whenever HF_PURGE_AT of them wait the batch writer purges. The
 *    lanes concerned then write down where their head is, which bounds what
 *    hf_lane_resolve() walks over after a restart.
 *  - Answers go when they are old, from the front of `outcome`.
 *  - Dead records go when there are too many, from the front of `dead`.
 *  - One that others wait for, or may wait for again, goes behind the others
 *    instead, as if it had become final then.
 */
#include <stdlib.h>

#include "store/rows.h"

static int purge_request(struct hf_db *db, uint64_t id, unsigned *removed)
{
	struct hf_lane_entry *e;
	struct hf_row row;
	int err = hf_row_get(db, id, &row);

	if (err == HF_ENOENT || (!err && !hf_status_final(row.state.status)))
		return 0;
	if (!err && row.state.status != HF_RECORD_DEAD) {
		err = hf_request_remove(db, id, &row);
		*removed += 1;
	}
	if (!err)
		err = hf_lane_get(db, HF_RECORD_LANE(id), &e);
	if (!err)
		err = hf_lane_resolve(db, e, NULL);
	return err ? err : hf_lane_save(db, e);
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int hf_purge_requests(struct hf_db *db, unsigned budget, unsigned *removed)
{
	uint64_t ids[HF_FINISHED_MAX];
	unsigned n = budget < db->finished_n ? budget : db->finished_n;
	int err = 0;

	*removed = 0;
	memcpy(ids, db->finished, n * sizeof(*ids));
	db->finished_n -= n;
	memmove(db->finished, db->finished + n, db->finished_n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), by_id);
	for (unsigned i = 0; i < n && !err; i++) {
		if (i == 0 || ids[i] != ids[i - 1])
			err = purge_request(db, ids[i], removed);
	}
	return err;
}

/* Oldest row of outcome or dead; HF_ENOENT when the table is empty. */
static int oldest(struct hf_db *db, enum hf_statement which, uint64_t *seq, uint64_t *id,
		  uint64_t *blob)
{
	sqlite3_stmt *st = hf_db_stmt(db, which);
	int got = hf_db_step(db, st);

	if (got > 0) {
		*seq = hf_column_u64(st, 0);
		*id = hf_column_u64(st, 1);
		*blob = hf_column_u64(st, 2);
	}
	hf_db_reset(st);
	if (got < 0)
		return got;
	return got ? 0 : HF_ENOENT;
}

/* An answer whose record says nothing of it. */
static int drop_stray(struct hf_db *db, enum hf_statement which, uint64_t seq, uint64_t blob)
{
	sqlite3_stmt *st = hf_db_stmt(db, which);
	int err;

	hf_bind_u64(st, 1, seq);
	err = hf_db_run(db, st);
	return err ? err : hf_blob_abandon(db, blob);
}

static bool belongs(const struct hf_row *row, uint64_t seq, bool dead)
{
	return hf_status_final(row->state.status) && row->outcome == seq &&
	       (row->state.status == HF_RECORD_DEAD) == dead;
}

/* Of a final record with dependents. */
static int keep(struct hf_db *db, uint64_t id, struct hf_row *row, uint64_t before)
{
	int err;

	if (before != UINT64_MAX)
		row->state.settled_dev_ms = before;
	err = hf_outcome_renew(db, id, row);
	return err ? err : HF_EBUSY;
}

/* Removes the oldest of outcome or dead with its record. HF_EAGAIN: it is not
 * old enough; HF_EBUSY: it is kept. */
static int purge_oldest(struct hf_db *db, bool dead, uint64_t before)
{
	uint64_t seq, id = 0, blob;
	struct hf_row row;
	bool wanted;
	int err = oldest(db, dead ? HF_SQL_DEAD_OLDEST : HF_SQL_OUTCOME_OLDEST, &seq, &id, &blob);

	if (err)
		return err;
	err = hf_row_get(db, id, &row);
	if (err == HF_ENOENT || (!err && !belongs(&row, seq, dead)))
		return drop_stray(db, dead ? HF_SQL_DEAD_DEL : HF_SQL_OUTCOME_DEL, seq, blob);
	if (err)
		return err;
	if (row.state.settled_dev_ms >= before)
		return HF_EAGAIN;
	err = hf_dependent_any(db, id, &wanted);
	if (err)
		return err;
	return wanted ? keep(db, id, &row, before) : hf_row_remove(db, id, &row);
}

static int purge_outcomes(struct hf_db *db, struct hf_store_purge *p)
{
	int err;

	p->outcomes = 0;
	for (unsigned looks = 0; looks < p->budget; looks++) {
		err = purge_oldest(db, false, p->before_dev_ms);
		if (err && err != HF_EBUSY)
			return err == HF_ENOENT || err == HF_EAGAIN ? 0 : err;
		p->outcomes += !err;
	}
	p->more = p->outcomes > 0;
	return 0;
}

static int dead_count(struct hf_db *db)
{
	sqlite3_stmt *st;
	int got;

	if (db->dead_count >= 0)
		return 0;
	st = hf_db_stmt(db, HF_SQL_DEAD_COUNT);
	got = hf_db_step(db, st);
	if (got > 0)
		db->dead_count = sqlite3_column_int64(st, 0);
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

static int purge_dead(struct hf_db *db, struct hf_store_purge *p)
{
	unsigned looks = 0;
	int err = dead_count(db);

	p->dead = 0;
	while (!err && (uint64_t)db->dead_count > p->dead_max) {
		int64_t before = db->dead_count;

		if (looks++ == p->budget) {
			p->more |= p->dead > 0;
			return 0;
		}
		err = purge_oldest(db, true, UINT64_MAX);
		if (err == HF_EBUSY) {
			err = 0;
			continue;
		}
		if (db->dead_count == before)
			db->dead_count--; /* a stray one, or none left */
		p->dead++;
	}
	return err == HF_ENOENT ? 0 : err;
}

static int purge_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_purge *p = hf_container_of(op, struct hf_store_purge, op);
	int err;

	p->more = false;
	err = hf_purge_requests(db, p->budget, &p->rows);
	if (!err)
		err = purge_outcomes(db, p);
	if (!err)
		err = purge_dead(db, p);
	if (db->finished_n > 0)
		p->more = true;
	return err;
}

void hf_store_purge(struct hf_store *s, struct hf_store_purge *p)
{
	p->op.run = purge_run;
	p->op.writes = true;
	p->op.privileged = true;
	hf_store_submit(s, &p->op);
}

void hf_store_purge_oldest(struct hf_store *s, struct hf_store_purge *p, unsigned n,
			   void (*done)(struct hf_store_op *op, int err), void *user)
{
	*p = (struct hf_store_purge){
		.before_dev_ms = UINT64_MAX,
		.dead_max = UINT64_MAX,
		.budget = n,
		.op.done = done,
		.op.user = user,
	};
	hf_store_purge(s, p);
}
