/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait for another one. A link costs nothing of those that have
 * none: the row's flag says whether there is one, and while the table is empty
 * nobody looks into it.
 *
 * What a record's end means for its dependents is worked out above, one by one,
 * so a loss of power may come in between: "dependents_due" in meta grows in the
 * transaction of the end, and is taken away when all were looked at.
 */
#include "store/rows.h"

#define DUE "dependents_due"

/* ---- links ---- */

static int count(struct hf_db *db, uint64_t parent, unsigned most, uint64_t *n)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_DEPENDENT_COUNT);
	int got;

	hf_bind_u64(st, 1, parent);
	hf_bind_u64(st, 2, most);
	got = hf_db_step(db, st);
	*n = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

/* The record that stands for @id now, and its row. */
static int successor(struct hf_db *db, uint64_t *id, struct hf_row *row)
{
	int err = hf_row_get(db, *id, row);

	while (!err && row->replaced && row->request > hf_ordinal(*id)) {
		*id = HF_RECORD_ID(HF_RECORD_LANE(*id), row->request);
		err = hf_row_get(db, *id, row);
	}
	return err;
}

static int may_wait_for(struct hf_db *db, uint64_t parent, const struct hf_row *row, unsigned most)
{
	uint64_t n;
	int err;

	if (row->replaced || row->state.status == HF_RECORD_DEAD ||
	    row->state.status == HF_RECORD_CANCELLED)
		return HF_ESTATE;
	err = count(db, parent, most, &n);
	if (err)
		return err;
	return n < most ? 0 : HF_EBUSY;
}

int hf_dependent_add(struct hf_db *db, uint64_t child, uint64_t parent, unsigned most)
{
	struct hf_row row;
	sqlite3_stmt *st;
	int err = successor(db, &parent, &row);

	if (err == HF_ENOENT)
		err = most ? HF_ESTATE : 0;
	else if (!err && most)
		err = may_wait_for(db, parent, &row, most);
	if (err)
		return err;
	st = hf_db_stmt(db, HF_SQL_DEPENDENT_ADD);
	hf_bind_u64(st, 1, child);
	hf_bind_u64(st, 2, parent);
	err = hf_db_run(db, st);
	db->dependents = 1;
	return err;
}

int hf_dependent_get(struct hf_db *db, uint64_t child, uint64_t *parent)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_DEPENDENT_GET);
	int got;

	hf_bind_u64(st, 1, child);
	got = hf_db_step(db, st);
	*parent = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

int hf_dependent_remove(struct hf_db *db, uint64_t child)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_DEPENDENT_DEL);

	hf_bind_u64(st, 1, child);
	db->dependents = -1;
	return hf_db_run(db, st);
}

/* Whether the table holds anything. */
static int look(struct hf_db *db)
{
	sqlite3_stmt *st;
	int got;

	if (db->dependents >= 0)
		return 0;
	st = hf_db_stmt(db, HF_SQL_DEPENDENT_ANY);
	got = hf_db_step(db, st);
	hf_db_reset(st);
	if (got < 0)
		return got;
	db->dependents = (int8_t)got;
	return 0;
}

int hf_dependent_any(struct hf_db *db, uint64_t parent, bool *any)
{
	uint64_t n = 0;
	int err = look(db);

	if (!err && db->dependents)
		err = count(db, parent, 1, &n);
	*any = n > 0;
	return err;
}

int hf_dependent_move(struct hf_db *db, uint64_t from, uint64_t to, bool *any)
{
	sqlite3_stmt *st;
	int err = hf_dependent_any(db, from, any);

	if (err || !*any)
		return err;
	st = hf_db_stmt(db, HF_SQL_DEPENDENT_MOVE);
	hf_bind_u64(st, 1, from);
	hf_bind_u64(st, 2, to);
	return hf_db_run(db, st);
}

/* ---- what is due ---- */

static int due_get(struct hf_db *db, uint64_t *due)
{
	uint8_t bytes[8];
	int err = hf_meta_get(db, DUE, bytes, sizeof(bytes));

	*due = err ? 0 : hf_get_le(bytes, 8);
	return err == HF_ENOENT ? 0 : err;
}

static int due_put(struct hf_db *db, uint64_t due)
{
	uint8_t bytes[8];

	hf_put_le(bytes, due, sizeof(bytes));
	return hf_meta_put(db, DUE, hf_span(bytes, sizeof(bytes)));
}

int hf_dependent_due(struct hf_db *db)
{
	uint64_t due;
	int err = due_get(db, &due);

	return err ? err : due_put(db, due + 1);
}

/* ---- op: a page ---- */

static int fill(struct hf_db *db, struct hf_dependent *d)
{
	struct hf_row row;
	int err = successor(db, &d->parent, &row);

	d->parent_gone = err == HF_ENOENT;
	if (err && !d->parent_gone)
		return err;
	d->parent_state = row.state;
	err = hf_row_get(db, d->id, &row);
	d->state = row.state;
	return err;
}

static int links(struct hf_db *db, struct hf_store_dependents *d)
{
	sqlite3_stmt *st = hf_db_stmt(db, d->parent ? HF_SQL_DEPENDENT_OF : HF_SQL_DEPENDENT_FROM);
	int got = 0;

	if (d->parent)
		hf_bind_u64(st, 1, d->parent);
	hf_bind_u64(st, 2, d->after);
	while (d->n < HF_STORE_DEPENDENTS_MAX && (got = hf_db_step(db, st)) > 0)
		d->v[d->n++] = (struct hf_dependent){ .id = hf_column_u64(st, 0),
						      .parent = hf_column_u64(st, 1) };
	d->more = got > 0;
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

static int page_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_dependents *d = hf_container_of(op, struct hf_store_dependents, op);
	size_t kept = 0;
	int err;

	d->n = 0;
	d->more = false;
	d->next = d->after;
	err = due_get(db, &d->due);
	if (!err)
		err = look(db);
	if (!err && db->dependents)
		err = links(db, d);
	for (size_t i = 0; i < d->n && !err; i++) {
		d->next = d->v[i].id;
		err = fill(db, &d->v[i]);
		if (err == HF_ENOENT) /* a link whose record was lost by damage */
			err = 0;
		else
			d->v[kept++] = d->v[i];
	}
	d->n = kept;
	return err;
}

void hf_store_dependents(struct hf_store *s, struct hf_store_dependents *d)
{
	d->op.run = page_run;
	d->op.writes = false;
	d->op.privileged = true;
	hf_store_submit(s, &d->op);
}

/* ---- op: all seen ---- */

static int seen_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_dependents *d = hf_container_of(op, struct hf_store_dependents, op);
	uint64_t due;
	int err = due_get(db, &due);

	return err || due != d->due ? err : due_put(db, 0);
}

void hf_store_dependents_seen(struct hf_store *s, struct hf_store_dependents *d)
{
	d->op.run = seen_run;
	d->op.writes = true;
	d->op.privileged = true;
	hf_store_submit(s, &d->op);
}
