/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caches: few rows, all of them in memory while the database is open. Numbers
 * are given in ascending order; when the last one has been, those that are free are
 * given again.
 */
#include <stdlib.h>

#include "store/shelf_private.h"
#include "store/shelf_rows.h"

#define ID_MAX ((1u << HF_SHELF_CACHE_BITS) - 1)

static void take_texts(struct hf_shelf_row *row, char *texts, struct hf_span owner,
		       struct hf_span name)
{
	if (owner.len)
		memcpy(texts, owner.ptr, owner.len);
	if (name.len)
		memcpy(texts + owner.len, name.ptr, name.len);
	row->texts = texts;
	row->owner = hf_span(texts, owner.len);
	row->name = hf_span(texts + owner.len, name.len);
}

/* To the end of the rows in memory. */
static int append(struct hf_shelf_db *db, uint32_t id, const struct hf_shelf_cache_v *v,
		  struct hf_span owner, struct hf_span name)
{
	struct hf_shelf_row *row;
	char *texts = malloc(owner.len + name.len + 1);

	if (db->rows_n == db->rows_cap) {
		size_t cap = db->rows_cap ? 2 * db->rows_cap : 8;
		struct hf_shelf_row *rows = realloc(db->rows, cap * sizeof(*rows));

		if (rows) {
			db->rows = rows;
			db->rows_cap = cap;
		}
	}
	if (!texts || db->rows_n == db->rows_cap) {
		free(texts);
		return HF_ENOMEM;
	}
	row = &db->rows[db->rows_n++];
	*row = (struct hf_shelf_row){ .id = id, .v = *v };
	take_texts(row, texts, owner, name);
	return 0;
}

int hf_shelf_rows_load(struct hf_shelf_db *db)
{
	sqlite3_stmt *st;
	int got, err = 0;

	if (db->rows_known)
		return 0;
	st = hf_shelf_stmt(db, HF_SHELF_CACHE_ALL);
	while (!err && (got = hf_shelf_step(db, st)) > 0) {
		uint32_t id = (uint32_t)hf_column_u64(st, 0);
		struct hf_span owner = hf_column_span(st, 2), name = hf_column_span(st, 3);
		struct hf_shelf_cache_v v;

		err = id > ID_MAX ?
			      HF_ECORRUPT :
			      hf_shelf_cache_decode(id, hf_column_span(st, 1), owner, name, &v);
		if (!err)
			err = append(db, id, &v, owner, name);
	}
	hf_sql_reset(st);
	if (!err && got < 0)
		err = got;
	else if (err && !db->hard)
		db->hard = err; /* nothing can be told from the rest */
	db->rows_known = !err;
	if (err)
		hf_shelf_db_forget(db);
	return err;
}

struct hf_shelf_row *hf_shelf_row(struct hf_shelf_db *db, uint32_t cache)
{
	if (hf_shelf_rows_load(db))
		return NULL;
	for (size_t i = 0; i < db->rows_n; i++) {
		if (db->rows[i].id == cache)
			return &db->rows[i];
	}
	return NULL;
}

int hf_shelf_row_live(struct hf_shelf_db *db, uint32_t cache, struct hf_shelf_row **out)
{
	*out = hf_shelf_row(db, cache);
	if (db->hard)
		return db->hard;
	return *out && (*out)->v.state != HF_SHELF_DROPPED ? 0 : HF_ENOENT;
}

int hf_shelf_row_store(struct hf_shelf_db *db, struct hf_shelf_row *row)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_CACHE_SET);
	uint8_t v[HF_SHELF_CACHE_SIZE];

	hf_shelf_cache_encode(row->id, &row->v, row->owner, row->name, v);
	hf_bind_u64(st, 1, row->id);
	hf_bind_span(st, 2, hf_span(v, sizeof(v)));
	return hf_shelf_run(db, st);
}

static uint32_t free_id(struct hf_shelf_db *db)
{
	uint32_t id = db->rows_n ? db->rows[db->rows_n - 1].id + 1 : 1;

	if (id < db->cache_next)
		id = db->cache_next;
	for (uint32_t i = 1; id > ID_MAX && i <= ID_MAX; i++) {
		if (!hf_shelf_row(db, i))
			id = i;
	}
	return id > ID_MAX ? 0 : id;
}

static int by_id(const void *a, const void *b)
{
	const struct hf_shelf_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int hf_shelf_row_add(struct hf_shelf_db *db, const struct hf_shelf_row *row, uint32_t *id)
{
	uint8_t v[HF_SHELF_CACHE_SIZE];
	sqlite3_stmt *st;
	int err = hf_shelf_rows_load(db);

	if (err)
		return err;
	*id = row->id ? row->id : free_id(db);
	if (*id == 0)
		return HF_ELIMIT;
	hf_shelf_cache_encode(*id, &row->v, row->owner, row->name, v);
	st = hf_shelf_stmt(db, HF_SHELF_CACHE_ADD);
	hf_bind_u64(st, 1, *id);
	hf_bind_span(st, 2, hf_span(v, sizeof(v)));
	hf_bind_span(st, 3, row->owner);
	hf_bind_span(st, 4, row->name);
	err = hf_shelf_run(db, st);
	if (!err)
		err = append(db, *id, &row->v, row->owner, row->name);
	if (!err)
		qsort(db->rows, db->rows_n, sizeof(*db->rows), by_id);
	if (!err && *id >= db->cache_next)
		db->cache_next = *id + 1;
	return err;
}

int hf_shelf_row_delete(struct hf_shelf_db *db, uint32_t cache)
{
	struct hf_shelf_row *row = hf_shelf_row(db, cache);

	if (!row)
		return db->hard;
	free(row->texts);
	memmove(row, row + 1, (size_t)(db->rows + db->rows_n - (row + 1)) * sizeof(*row));
	db->rows_n--;
	return hf_shelf_run_u64(db, HF_SHELF_CACHE_DEL, cache);
}

int hf_shelf_row_count(struct hf_shelf_db *db, uint32_t cache, bool more, uint64_t bytes)
{
	struct hf_shelf_row *row = hf_shelf_row(db, cache);

	if (!row)
		return db->hard;
	if (more) {
		row->v.entries++;
		row->v.bytes += bytes;
	} else {
		row->v.entries -= row->v.entries > 0;
		row->v.bytes -= row->v.bytes < bytes ? row->v.bytes : bytes;
	}
	return hf_shelf_row_store(db, row);
}

int hf_shelf_row_recount(struct hf_shelf_db *db, uint32_t cache, uint64_t before, uint64_t after)
{
	struct hf_shelf_row *row = hf_shelf_row(db, cache);

	if (!row)
		return db->hard;
	row->v.bytes -= row->v.bytes < before ? row->v.bytes : before;
	row->v.bytes += after;
	return hf_shelf_row_store(db, row);
}

uint64_t hf_shelf_entries(struct hf_shelf_db *db)
{
	uint64_t n = 0;

	if (hf_shelf_rows_load(db))
		return 0;
	for (size_t i = 0; i < db->rows_n; i++)
		n += db->rows[i].v.state == HF_SHELF_DROPPED ? 0 : db->rows[i].v.entries;
	return n;
}

/* ---- operations ---- */

static void tell(const struct hf_shelf_row *row, struct hf_shelf_cache *out)
{
	out->id = row->id;
	out->kind = (enum hf_shelf_kind)row->v.kind;
	out->active = row->v.state == HF_SHELF_ACTIVE;
	out->previous = row->v.state == HF_SHELF_PREVIOUS;
	out->entries = row->v.entries;
	out->bytes = row->v.bytes;
}

static int open_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_cache_open *o = hf_container_of(op, struct hf_shelf_cache_open, op);
	struct hf_shelf_cache *c = &o->cache;
	struct hf_shelf_row fresh = {
		.v = { .kind = (uint8_t)c->kind,
		       .state = c->kind == HF_SHELF_PRECACHE ? HF_SHELF_INACTIVE :
							       HF_SHELF_ACTIVE },
		.owner = c->owner,
		.name = c->name,
	};
	uint32_t id;
	int err = hf_shelf_rows_load(db);

	if (err)
		return err;
	if (c->owner.len > HF_SHELF_NAME_MAX || c->name.len > HF_SHELF_NAME_MAX)
		return HF_ETOOBIG;
	for (size_t i = 0; i < db->rows_n; i++) {
		const struct hf_shelf_row *row = &db->rows[i];

		if (row->v.kind == c->kind && row->v.state != HF_SHELF_DROPPED &&
		    hf_span_eq(row->owner, c->owner) && hf_span_eq(row->name, c->name)) {
			tell(row, c);
			return 0;
		}
	}
	err = hf_shelf_row_add(db, &fresh, &id);
	if (err)
		return err;
	fresh.id = id;
	tell(&fresh, c);
	return 0;
}

void hf_shelf_cache_open(struct hf_shelf *s, struct hf_shelf_cache_open *o)
{
	hf_shelf_submit(s, &o->op, open_run, true);
}

static int list_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_caches *c = hf_container_of(op, struct hf_shelf_caches, op);
	int err = hf_shelf_rows_load(db);

	hf_shelf_caches_finish(c);
	if (err)
		return err;
	c->v = calloc(db->rows_n + 1, sizeof(*c->v));
	if (!c->v)
		return HF_ENOMEM;
	for (size_t i = 0; i < db->rows_n; i++) {
		const struct hf_shelf_row *row = &db->rows[i];
		struct hf_shelf_row copy;
		char *texts;

		if (row->v.state == HF_SHELF_DROPPED)
			continue;
		texts = hf_shelf_memory(&c->memory, row->owner.len + row->name.len);
		if (!texts)
			return HF_ENOMEM;
		take_texts(&copy, texts, row->owner, row->name);
		c->v[c->n] = (struct hf_shelf_cache){ .owner = copy.owner, .name = copy.name };
		tell(row, &c->v[c->n++]);
	}
	return 0;
}

void hf_shelf_caches(struct hf_shelf *s, struct hf_shelf_caches *c)
{
	c->v = NULL;
	c->n = 0;
	c->memory = NULL;
	hf_shelf_submit(s, &c->op, list_run, false);
}

void hf_shelf_caches_finish(struct hf_shelf_caches *c)
{
	free(c->v);
	c->v = NULL;
	c->n = 0;
	hf_shelf_memory_free(&c->memory);
}

static int drop(struct hf_shelf_db *db, struct hf_shelf_row *row)
{
	row->v.state = HF_SHELF_DROPPED;
	db->sweep_due = true;
	return hf_shelf_row_store(db, row);
}

static int drop_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_cache_drop *d = hf_container_of(op, struct hf_shelf_cache_drop, op);
	struct hf_shelf_row *row;
	int err = hf_shelf_row_live(db, d->cache, &row);

	return err ? err : drop(db, row);
}

void hf_shelf_cache_drop(struct hf_shelf *s, struct hf_shelf_cache_drop *d)
{
	hf_shelf_submit(s, &d->op, drop_run, true);
}

/* What becomes of a precache when another one of its owner is activated. */
static int give_way(struct hf_shelf_db *db, struct hf_shelf_row *row)
{
	if (row->v.state != HF_SHELF_ACTIVE)
		return drop(db, row);
	row->v.state = HF_SHELF_PREVIOUS;
	return hf_shelf_row_store(db, row);
}

static int activate_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_activate *a = hf_container_of(op, struct hf_shelf_activate, op);
	struct hf_shelf_row *row;
	bool proved = true;
	int err = hf_shelf_row_live(db, a->cache, &row);

	if (!err && row->v.kind != HF_SHELF_PRECACHE)
		err = HF_ENOENT;
	if (err || row->v.state == HF_SHELF_ACTIVE)
		return err;
	err = hf_shelf_cache_proved(db, a->cache, &proved);
	if (err || !proved)
		return err ? err : HF_EAGAIN;
	row->v.state = HF_SHELF_ACTIVE;
	err = hf_shelf_row_store(db, row);
	for (size_t i = 0; i < db->rows_n && !err; i++) {
		struct hf_shelf_row *other = &db->rows[i];

		if (other != row && other->v.kind == HF_SHELF_PRECACHE &&
		    other->v.state != HF_SHELF_DROPPED && hf_span_eq(other->owner, row->owner))
			err = give_way(db, other);
	}
	return err;
}

void hf_shelf_activate(struct hf_shelf *s, struct hf_shelf_activate *a)
{
	a->op.sync = true;
	hf_shelf_submit(s, &a->op, activate_run, true);
}
