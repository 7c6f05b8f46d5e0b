/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes: a record becomes final in the transaction that stores its answer.
 *
 * Answers are numbered in the order of settling, so the oldest are at the
 * front and ageing them out reads nothing else. Those of DEAD records, which
 * stay until there are too many, stand in a table of the same shape.
 */
#include <assert.h>

#include "store/rows.h"

enum hf_statement hf_outcome_statement(uint8_t status, enum hf_outcome_sql which)
{
	bool dead = status == HF_RECORD_DEAD;

	switch (which) {
	case HF_OUTCOME_ADD:
		return dead ? HF_SQL_DEAD_ADD : HF_SQL_OUTCOME_ADD;
	case HF_OUTCOME_GET:
		return dead ? HF_SQL_DEAD_GET : HF_SQL_OUTCOME_GET;
	case HF_OUTCOME_HEAD:
		return dead ? HF_SQL_DEAD_HEAD : HF_SQL_OUTCOME_HEAD;
	case HF_OUTCOME_LINK:
		return dead ? HF_SQL_DEAD_LINK : HF_SQL_OUTCOME_LINK;
	case HF_OUTCOME_DEL:
		return dead ? HF_SQL_DEAD_DEL : HF_SQL_OUTCOME_DEL;
	}
	assert(false);
	return HF_SQL_COUNT;
}

/* HF_ENOENT when the row has none. */
static int outcome_link(struct hf_db *db, uint64_t id, const struct hf_row *row, uint64_t *blob)
{
	sqlite3_stmt *st;
	int got;

	if (!row->outcome)
		return HF_ENOENT;
	st = hf_db_stmt(db, hf_outcome_statement(row->state.status, HF_OUTCOME_LINK));
	hf_bind_u64(st, 1, row->outcome);
	got = hf_db_step(db, st);
	if (got < 0)
		return got;
	if (got > 0 && hf_column_u64(st, 0) != id)
		got = 0;
	*blob = got > 0 ? hf_column_u64(st, 1) : 0;
	hf_db_reset(st);
	return got ? 0 : HF_ENOENT;
}

int hf_outcome_remove(struct hf_db *db, uint64_t id, const struct hf_row *row)
{
	sqlite3_stmt *st;
	uint64_t blob;
	int err = outcome_link(db, id, row, &blob);

	if (err)
		return err == HF_ENOENT ? 0 : err;
	st = hf_db_stmt(db, hf_outcome_statement(row->state.status, HF_OUTCOME_DEL));
	hf_bind_u64(st, 1, row->outcome);
	err = hf_db_run(db, st);
	if (!err && row->state.status == HF_RECORD_DEAD && db->dead_count > 0)
		db->dead_count--;
	return err ? err : hf_blob_abandon(db, blob);
}

int hf_outcome_renew(struct hf_db *db, uint64_t id, struct hf_row *row)
{
	bool dead = row->state.status == HF_RECORD_DEAD;
	sqlite3_stmt *st;
	uint64_t seq;
	int err = hf_seq_next(db, dead ? &db->dead_next : &db->outcome_next,
			      dead ? HF_SQL_DEAD_MAX : HF_SQL_OUTCOME_MAX, &seq);

	if (err)
		return err;
	st = hf_db_stmt(db, dead ? HF_SQL_DEAD_RENEW : HF_SQL_OUTCOME_RENEW);
	hf_bind_u64(st, 1, row->outcome);
	hf_bind_u64(st, 2, seq);
	err = hf_db_run(db, st);
	row->outcome = seq;
	return err ? err : hf_row_set(db, id, row);
}

/* ---- reading ---- */

static int outcome_copy(sqlite3_stmt *st, struct hf_store_load *l)
{
	struct hf_span body;
	uint32_t sum = (uint32_t)hf_column_u64(st, 1);
	int err;

	l->has_outcome = true;
	l->outcome_blob = hf_column_u64(st, 2);
	l->outcome_body_len = hf_column_u64(st, 3);
	err = hf_buf_set(&l->summary, hf_column_span(st, 4));
	if (!err)
		err = hf_buf_set(&l->outcome_head, hf_column_span(st, 5));
	if (err || l->head_only)
		return err;
	body = hf_column_span(st, 6);
	err = hf_buf_set(&l->outcome_body, body);
	if (!l->outcome_blob)
		l->outcome_body_len = body.len;
	if (!err && sum != hf_content_sum(hf_buf_span(&l->outcome_head), body, l->outcome_blob,
					  l->outcome_body_len))
		err = HF_ECORRUPT;
	return err;
}

int hf_outcome_load(struct hf_db *db, const struct hf_row *row, struct hf_store_load *l)
{
	sqlite3_stmt *st;
	int got;

	hf_buf_clear(&l->outcome_head);
	hf_buf_clear(&l->outcome_body);
	hf_buf_clear(&l->summary);
	l->outcome_blob = 0;
	l->outcome_body_len = 0;
	l->has_outcome = false;
	if (!row->outcome)
		return 0;
	st = hf_db_stmt(db, hf_outcome_statement(row->state.status,
						 l->head_only ? HF_OUTCOME_HEAD : HF_OUTCOME_GET));
	hf_bind_u64(st, 1, row->outcome);
	got = hf_db_step(db, st);
	if (got > 0)
		got = hf_column_u64(st, 0) == l->id ? outcome_copy(st, l) : 0;
	hf_db_reset(st);
	return got;
}

/* ---- op: settle ---- */

static int outcome_add(struct hf_db *db, const struct hf_store_settle *x, uint64_t seq)
{
	struct hf_span body = x->blob ? hf_span(NULL, 0) : x->body;
	uint64_t body_len = x->blob ? x->body_len : x->body.len;
	sqlite3_stmt *st = hf_db_stmt(db, hf_outcome_statement(x->state.status, HF_OUTCOME_ADD));
	int err;

	hf_bind_u64(st, 1, seq);
	hf_bind_u64(st, 2, x->id);
	hf_bind_u64(st, 3, hf_content_sum(x->head, body, x->blob, body_len));
	hf_bind_body(st, 4, 5, 8, body, x->blob, body_len);
	hf_bind_span(st, 6, x->summary);
	hf_bind_span(st, 7, x->head);
	err = hf_db_run(db, st);
	if (!err && x->blob)
		err = hf_blob_adopt(db, x->blob);
	return err;
}

static int outcome_seq(struct hf_db *db, uint8_t status, uint64_t *seq)
{
	if (status != HF_RECORD_DEAD)
		return hf_seq_next(db, &db->outcome_next, HF_SQL_OUTCOME_MAX, seq);
	if (db->dead_count >= 0)
		db->dead_count++;
	return hf_seq_next(db, &db->dead_next, HF_SQL_DEAD_MAX, seq);
}

/* What is worth the reserve is that the record is final; a large body is not. */
#define SMALL_BODY 4096

static int settle_room(struct hf_db *db, const struct hf_store_settle *x, bool privileged)
{
	return hf_db_room(db, x->summary.len + x->head.len + x->body.len,
			  privileged && x->body.len <= SMALL_BODY);
}

/* Who waits for it has to hear; it waits for nobody when it is delivered. */
static int settle_links(struct hf_db *db, struct hf_store_settle *x, struct hf_row *row)
{
	bool settled = x->state.status == HF_RECORD_SETTLED;
	int err = 0;

	if (settled && row->dependent) {
		err = hf_dependent_remove(db, x->id);
		row->dependent = false;
	}
	if (!err)
		err = hf_dependent_any(db, x->id, &x->has_dependents);
	return !err && x->has_dependents && !settled ? hf_dependent_due(db) : err;
}

static int settle_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_settle *x = hf_container_of(op, struct hf_store_settle, op);
	struct hf_row row;
	bool hole;
	int err = hf_row_get(db, x->id, &row);

	assert(hf_status_final(x->state.status));
	if (err)
		return err;
	if (hf_status_final(row.state.status))
		return HF_ESTATE;
	err = settle_room(db, x, op->privileged);
	if (!err)
		err = hf_lane_leave(db, x->id, &hole);
	if (!err)
		err = outcome_seq(db, x->state.status, &row.outcome);
	if (err)
		return err;
	row.state = x->state;
	row.hole = hole;
	err = outcome_add(db, x, row.outcome);
	if (!err)
		err = settle_links(db, x, &row);
	if (!err)
		err = hf_row_set(db, x->id, &row);
	if (!err)
		hf_row_finished(db, x->id);
	return err;
}

void hf_store_settle(struct hf_store *s, struct hf_store_settle *x)
{
	x->op.run = settle_run;
	x->op.writes = true;
	x->op.privileged = true;
	hf_store_submit(s, &x->op);
}
