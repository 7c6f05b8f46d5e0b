/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: names, and where each one's queue begins.
 *
 * The lane's row holds head, tail and holes, and is written rarely: when a
 * record behind the head becomes final, and when requests are purged. Between
 * these writes head may lag behind; hf_lane_resolve() moves it on. It passes
 * only records that became final since, fewer than are purged together.
 *
 * waiting = tail - head + 1 - holes. A hole is an ordinal from head on that is
 * not waiting: its record is final and carries the hole flag, or is missing.
 * Records that became final at the head are never counted as holes, and the
 * flag tells the two apart when the head passes them.
 */
#include <assert.h>
#include <stdlib.h>

#include "store/rows.h"

/* ---- the cache, sorted by id ---- */

static size_t lane_slot(const struct hf_db *db, uint32_t id)
{
	size_t lo = 0, hi = db->lanes_n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (db->lanes[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int cache_add(struct hf_db *db, const struct hf_lane_entry *e, struct hf_lane_entry **out)
{
	size_t at = lane_slot(db, e->id);

	if (db->lanes_n == db->lanes_cap) {
		size_t cap = db->lanes_cap ? db->lanes_cap * 2 : 16;
		struct hf_lane_entry *grown = realloc(db->lanes, cap * sizeof(*grown));

		if (!grown)
			return HF_ENOMEM;
		db->lanes = grown;
		db->lanes_cap = cap;
	}
	memmove(db->lanes + at + 1, db->lanes + at, (db->lanes_n - at) * sizeof(*db->lanes));
	db->lanes[at] = *e;
	db->lanes_n++;
	*out = db->lanes + at;
	return 0;
}

static void cache_remove(struct hf_db *db, uint32_t id)
{
	size_t at = lane_slot(db, id);

	if (at == db->lanes_n || db->lanes[at].id != id)
		return;
	db->lanes_n--;
	memmove(db->lanes + at, db->lanes + at + 1, (db->lanes_n - at) * sizeof(*db->lanes));
}

int hf_lane_last(struct hf_db *db, uint32_t id, uint64_t *out)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_RECORD_LAST);
	int got;

	hf_bind_u64(st, 1, HF_RECORD_ID(id, 0));
	hf_bind_u64(st, 2, HF_RECORD_ID(id, HF_ORDINAL_MASK));
	got = hf_db_step(db, st);
	*out = got > 0 ? hf_ordinal(hf_column_u64(st, 0)) : 0;
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

static int cache_load(struct hf_db *db, uint32_t id, struct hf_span bytes,
		      struct hf_lane_entry **out)
{
	struct hf_lane_entry e = { .id = id };
	uint64_t last;
	int err = hf_lane_decode(bytes, &e.v);

	if (err) {
		db->hard = err;
		return err;
	}
	e.stored = e.v;
	err = hf_lane_last(db, id, &last);
	if (err)
		return err;
	if (last > e.v.tail)
		e.v.tail = last;
	return cache_add(db, &e, out);
}

static struct hf_lane_entry *cache_find(struct hf_db *db, uint32_t id)
{
	size_t at = lane_slot(db, id);

	return at < db->lanes_n && db->lanes[at].id == id ? db->lanes + at : NULL;
}

int hf_lane_get(struct hf_db *db, uint32_t id, struct hf_lane_entry **out)
{
	sqlite3_stmt *st;
	int got;

	*out = cache_find(db, id);
	if (*out)
		return 0;
	st = hf_db_stmt(db, HF_SQL_LANE_GET);
	hf_bind_u64(st, 1, id);
	got = hf_db_step(db, st);
	if (got > 0)
		got = cache_load(db, id, hf_column_span(st, 0), out);
	else if (got == 0)
		got = HF_ENOENT;
	hf_db_reset(st);
	return got;
}

/* ---- head, tail and holes ---- */

static void fill_holes(struct hf_lane_entry *e, uint64_t n)
{
	/* fewer than expected: the row is from a salvage that could not know */
	e->v.holes = e->v.holes > n ? e->v.holes - n : 0;
}

/* One row at or behind the head; true when it is the head. */
static bool resolve_row(struct hf_db *db, struct hf_lane_entry *e, uint64_t id,
			const struct hf_row *row)
{
	uint64_t ordinal = hf_ordinal(id);

	fill_holes(e, ordinal - e->v.head); /* missing ones */
	e->v.head = ordinal;
	if (!hf_status_final(row->state.status))
		return true;
	if (row->hole)
		fill_holes(e, 1);
	hf_row_finished(db, id);
	e->v.head++;
	return false;
}

int hf_lane_resolve(struct hf_db *db, struct hf_lane_entry *e, struct hf_row *head)
{
	struct hf_row row;
	sqlite3_stmt *st;
	bool found = false;
	int got;

	if (e->exact && !head)
		return 0;
	st = hf_db_stmt(db, HF_SQL_RECORD_FROM);
	hf_bind_u64(st, 1, HF_RECORD_ID(e->id, e->v.head));
	hf_bind_u64(st, 2, HF_RECORD_ID(e->id, HF_ORDINAL_MASK));
	while (!found && (got = hf_db_step(db, st)) > 0) {
		if (hf_row_decode(hf_column_span(st, 1), &row)) {
			db->hard = HF_ECORRUPT;
			got = HF_ECORRUPT;
			break;
		}
		found = resolve_row(db, e, hf_column_u64(st, 0), &row);
	}
	hf_db_reset(st);
	if (!found && got < 0)
		return got;
	if (!found) {
		e->v.head = e->v.tail + 1;
		e->v.holes = 0;
	}
	e->exact = true;
	if (head && found)
		*head = row;
	return 0;
}

int hf_lane_save(struct hf_db *db, struct hf_lane_entry *e)
{
	uint8_t bytes[HF_LANE_SIZE];
	sqlite3_stmt *st;
	int err;

	if (e->v.head == e->stored.head && e->v.tail == e->stored.tail &&
	    e->v.holes == e->stored.holes)
		return 0;
	hf_lane_encode(&e->v, bytes);
	st = hf_db_stmt(db, HF_SQL_LANE_SET);
	hf_bind_u64(st, 1, e->id);
	hf_bind_span(st, 2, hf_span(bytes, sizeof(bytes)));
	err = hf_db_run(db, st);
	if (!err)
		e->stored = e->v;
	return err;
}

int hf_lane_leave(struct hf_db *db, uint64_t id, bool *hole)
{
	struct hf_lane_entry *e;
	uint64_t ordinal = hf_ordinal(id);
	int err = hf_lane_get(db, HF_RECORD_LANE(id), &e);

	if (err)
		return err;
	if (ordinal != e->v.head) {
		err = hf_lane_resolve(db, e, NULL);
		if (err)
			return err;
	}
	*hole = ordinal != e->v.head;
	if (*hole) {
		e->v.holes++;
		return hf_lane_save(db, e);
	}
	e->v.head++;
	e->exact = false;
	return 0;
}

int hf_lane_drop(struct hf_db *db, uint64_t id)
{
	struct hf_lane_entry *e;
	int err = hf_lane_get(db, HF_RECORD_LANE(id), &e);

	if (err)
		return err;
	if (hf_ordinal(id) < e->stored.head && hf_ordinal(id) <= e->stored.tail)
		return 0;
	err = hf_lane_resolve(db, e, NULL);
	return err ? err : hf_lane_save(db, e);
}

/* ---- op: all lanes ---- */

static struct hf_span keep(char **at, struct hf_span v)
{
	struct hf_span out = hf_span(*at, v.len);

	if (v.len)
		memcpy(*at, v.ptr, v.len);
	*at += v.len;
	return out;
}

static int lane_row_fill(struct hf_db *db, struct hf_lane_row *row, sqlite3_stmt *st)
{
	struct hf_lane_entry *e = cache_find(db, row->id);
	struct hf_row head;
	int err = 0;

	if (!e)
		err = cache_load(db, row->id, hf_column_span(st, 1), &e);
	if (!err)
		err = hf_lane_resolve(db, e, &head);
	if (err)
		return err;
	row->tail_id = e->v.tail ? HF_RECORD_ID(row->id, e->v.tail) : 0;
	if (e->v.head > e->v.tail)
		return 0;
	row->head_id = HF_RECORD_ID(row->id, e->v.head);
	row->head_state = head.state;
	row->waiting = e->v.tail - e->v.head + 1 - e->v.holes;
	return 0;
}

static int lanes_count(struct hf_db *db, size_t *n, size_t *bytes)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_ALL);
	int got;

	*n = 0;
	*bytes = 0;
	while ((got = hf_db_step(db, st)) > 0) {
		*n += 1;
		*bytes += hf_column_span(st, 2).len + hf_column_span(st, 3).len;
	}
	return got;
}

static int lanes_read(struct hf_db *db, struct hf_store_lanes *l, char *text)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_ALL);
	int got, err = 0;

	while (!err && (got = hf_db_step(db, st)) > 0) {
		struct hf_lane_row *row = l->rows + l->n;

		*row = (struct hf_lane_row){ .id = (uint32_t)hf_column_u64(st, 0) };
		row->origin = keep(&text, hf_column_span(st, 2));
		row->key = keep(&text, hf_column_span(st, 3));
		err = lane_row_fill(db, row, st);
		l->n++;
	}
	hf_db_reset(st);
	return err ? err : got;
}

static int lanes_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_lanes *l = hf_container_of(op, struct hf_store_lanes, op);
	size_t n, bytes;
	int err = lanes_count(db, &n, &bytes);

	if (err)
		return err;
	hf_store_lanes_finish(l);
	if (n == 0)
		return 0;
	l->memory = malloc(n * sizeof(*l->rows) + bytes);
	if (!l->memory)
		return HF_ENOMEM;
	l->rows = l->memory;
	return lanes_read(db, l, (char *)(l->rows + n));
}

void hf_store_lanes_finish(struct hf_store_lanes *l)
{
	free(l->memory);
	l->memory = NULL;
	l->rows = NULL;
	l->n = 0;
}

void hf_store_lanes(struct hf_store *s, struct hf_store_lanes *l)
{
	l->op.run = lanes_run;
	l->op.writes = false;
	l->op.privileged = true;
	l->rows = NULL;
	l->n = 0;
	l->memory = NULL;
	hf_store_submit(s, &l->op);
}

/* ---- op: one lane ---- */

#define LANE_FLOOR "lane_floor" /* the largest lane id ever removed */

/* The largest id that was ever given. */
static int lane_top(struct hf_db *db, uint64_t *out)
{
	uint8_t bytes[8];
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_MAX);
	uint64_t floor = 0;
	int got = hf_db_step(db, st);

	*out = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	if (got < 0)
		return got;
	got = hf_meta_get(db, LANE_FLOOR, bytes, sizeof(bytes));
	if (got == 0)
		floor = hf_get_le(bytes, 8);
	else if (got != HF_ENOENT)
		return got;
	if (floor > *out)
		*out = floor;
	return 0;
}

static int first_free(struct hf_db *db, uint64_t from, uint64_t *out)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_FROM);
	int got;

	*out = from;
	hf_bind_u64(st, 1, from);
	while ((got = hf_db_step(db, st)) > 0 && hf_column_u64(st, 0) == *out)
		*out += 1;
	hf_db_reset(st);
	if (got < 0)
		return got;
	return *out >> HF_LANE_BITS ? HF_ELIMIT : 0;
}

/* When all have been given, those that were removed are given again, in turn, so
 * that one is used anew as late as can be. */
static int lane_next(struct hf_db *db, uint64_t *out)
{
	int err = lane_top(db, out);

	if (err)
		return err;
	*out += 1;
	if (*out >> HF_LANE_BITS == 0)
		return 0;
	err = first_free(db, db->lane_again + 1, out);
	if (err == HF_ELIMIT)
		err = first_free(db, 1, out);
	if (!err)
		db->lane_again = *out;
	return err;
}

static int lane_add(struct hf_db *db, struct hf_store_lane *l)
{
	struct hf_lane_v v = { .head = 1 };
	uint8_t bytes[HF_LANE_SIZE];
	sqlite3_stmt *st;
	uint64_t id;
	int err = lane_next(db, &id);

	if (!err)
		err = hf_db_room(db, l->origin.len + l->key.len, false);
	if (err)
		return err;
	hf_lane_encode(&v, bytes);
	st = hf_db_stmt(db, HF_SQL_LANE_ADD);
	hf_bind_u64(st, 1, id);
	hf_bind_span(st, 2, hf_span(bytes, sizeof(bytes)));
	hf_bind_span(st, 3, l->origin);
	hf_bind_span(st, 4, l->key);
	l->id = (uint32_t)id;
	return hf_db_run(db, st);
}

static int lane_find(struct hf_db *db, struct hf_store_lane *l)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_LANE_FIND);
	int got;

	hf_bind_span(st, 1, l->origin);
	hf_bind_span(st, 2, l->key);
	got = hf_db_step(db, st);
	if (got > 0)
		l->id = (uint32_t)hf_column_u64(st, 0);
	hf_db_reset(st);
	if (got < 0)
		return got;
	return got ? 0 : HF_ENOENT;
}

static int lane_remove(struct hf_db *db, uint32_t id)
{
	struct hf_lane_entry *e;
	uint8_t bytes[8];
	sqlite3_stmt *st;
	uint64_t last, top;
	int err = hf_lane_get(db, id, &e);

	if (!err)
		err = hf_lane_last(db, id, &last);
	if (err)
		return err;
	if (last)
		return HF_EBUSY;
	err = lane_top(db, &top);
	if (!err && top == id) {
		hf_put_le(bytes, id, sizeof(bytes));
		err = hf_meta_put(db, LANE_FLOOR, hf_span(bytes, sizeof(bytes)));
	}
	if (err)
		return err;
	st = hf_db_stmt(db, HF_SQL_LANE_DEL);
	hf_bind_u64(st, 1, id);
	err = hf_db_run(db, st);
	cache_remove(db, id);
	return err;
}

static int lane_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_lane *l = hf_container_of(op, struct hf_store_lane, op);
	int err;

	if (l->remove)
		return lane_remove(db, l->id);
	err = lane_find(db, l);
	return err == HF_ENOENT ? lane_add(db, l) : err;
}

void hf_store_lane(struct hf_store *s, struct hf_store_lane *l)
{
	l->op.run = lane_run;
	l->op.writes = true;
	l->op.privileged = true; /* finding one must work; adding asks for room */
	hf_store_submit(s, &l->op);
}
