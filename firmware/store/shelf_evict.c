/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those used longest ago go. They are found by a scan of the small `use` table, which
 * keeps a few hundred candidates; the next ones are taken from these until they are
 * used up. One that was used since, or is gone, is passed over.
 */
#include <stdlib.h>

#include "store/shelf_rows.h"

#define SCAN_ROWS   4096 /* to a slice */
#define DELETE_ROWS 32

static bool younger(const struct hf_shelf_old *a, const struct hf_shelf_old *b)
{
	return a->used_dev_ms != b->used_dev_ms ? a->used_dev_ms > b->used_dev_ms : a->id > b->id;
}

static void swap(struct hf_shelf_old *a, struct hf_shelf_old *b)
{
	struct hf_shelf_old t = *a;

	*a = *b;
	*b = t;
}

/* The heap's top is the youngest. */
static void sink(struct hf_shelf_oldest *o)
{
	unsigned i = 0;

	for (;;) {
		unsigned top = i, left = 2 * i + 1;

		for (unsigned k = left; k < left + 2 && k < o->n; k++) {
			if (younger(&o->v[k], &o->v[top]))
				top = k;
		}
		if (top == i)
			return;
		swap(&o->v[i], &o->v[top]);
		i = top;
	}
}

static void take(struct hf_shelf_oldest *o, struct hf_shelf_old e)
{
	unsigned i;

	if (o->n == HF_SHELF_OLDEST) {
		if (!younger(&o->v[0], &e))
			return;
		o->v[0] = e;
		sink(o);
		return;
	}
	i = o->n++;
	o->v[i] = e;
	while (i > 0 && younger(&o->v[i], &o->v[(i - 1) / 2])) {
		swap(&o->v[i], &o->v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static int by_age(const void *a, const void *b)
{
	const struct hf_shelf_old *x = a, *y = b;

	return younger(x, y) ? 1 : younger(y, x) ? -1 : 0;
}

static void begin(struct hf_shelf_oldest *o, uint32_t cache)
{
	*o = (struct hf_shelf_oldest){ .cache = cache };
	o->after = cache ? hf_shelf_first_of(cache) : 0;
}

/* What is not proved goes first. */
static uint64_t used_ms(const struct hf_shelf_db *db, const struct hf_shelf_use *u)
{
	return hf_shelf_is_proved(db, u->number) ? u->state.used_dev_ms : 0;
}

static bool may_go(struct hf_shelf_db *db, const struct hf_shelf_oldest *o, uint64_t id)
{
	const struct hf_shelf_row *row;

	if (o->cache)
		return true;
	row = hf_shelf_row(db, hf_shelf_cache_of(id));
	return !row || row->v.kind != HF_SHELF_PRECACHE || row->v.state == HF_SHELF_PREVIOUS;
}

/* Looks at @rows more. */
static int scan(struct hf_shelf_db *db, struct hf_shelf_oldest *o, uint64_t rows)
{
	sqlite3_stmt *st;
	int got, err = hf_shelf_rows_load(db);

	if (err)
		return err;
	st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	hf_bind_u64(st, 1, o->after);
	hf_bind_u64(st, 2, o->cache ? hf_shelf_last_of(o->cache) : INT64_MAX);
	hf_bind_u64(st, 3, rows);
	while ((got = hf_shelf_step(db, st)) > 0) {
		struct hf_shelf_old e = { .id = hf_column_u64(st, 0) };
		struct hf_shelf_use u = { .seq = 0 };

		rows--;
		o->after = e.id;
		if (!may_go(db, o, e.id))
			continue;
		hf_shelf_use_decode(e.id, hf_column_span(st, 1), &u); /* a damaged one is old */
		e.used_dev_ms = used_ms(db, &u);
		take(o, e);
	}
	if (got == 0 && rows > 0) {
		qsort(o->v, o->n, sizeof(*o->v), by_age);
		o->done = true;
	}
	return got;
}

/* Deletes the next candidate; *any: there was one. */
static int delete_next(struct hf_shelf_db *db, struct hf_shelf_oldest *o, uint64_t but, bool *any)
{
	*any = false;
	while (o->at < o->n && !*any) {
		const struct hf_shelf_old *e = &o->v[o->at++];
		struct hf_shelf_use u = { .seq = 0 };
		uint64_t removed = 0;
		int err = hf_shelf_use_get(db, e->id, &u);

		if (db->hard)
			return db->hard;
		if (err == HF_ENOENT || e->id == but || used_ms(db, &u) != e->used_dev_ms)
			continue;
		err = hf_shelf_entry_delete(db, e->id, &removed);
		if (err)
			return err;
		db->evicted += removed;
		*any = true;
	}
	return 0;
}

static bool is_over(struct hf_shelf_db *db, uint32_t cache, uint64_t entries_max,
		    uint64_t bytes_max)
{
	const struct hf_shelf_row *row = hf_shelf_row(db, cache);

	return row && ((entries_max && row->v.entries > entries_max) ||
		       (bytes_max && row->v.bytes > bytes_max));
}

int hf_shelf_evict_cache(struct hf_shelf_db *db, uint32_t cache, uint64_t entries_max,
			 uint64_t bytes_max, uint64_t but)
{
	struct hf_shelf_oldest *o = &db->of_cache;
	bool fresh = false, any;
	int err = 0;

	while (!err && is_over(db, cache, entries_max, bytes_max)) {
		if (o->cache != cache || !o->done || o->at == o->n) {
			if (fresh && o->n <= 1)
				break; /* none is left but the one */
			begin(o, cache);
			err = scan(db, o, UINT32_MAX);
			fresh = true;
		}
		if (!err)
			err = delete_next(db, o, but, &any);
		if (!err && !any && fresh)
			break;
	}
	return err ? err : db->hard;
}

int hf_shelf_evict_slice(struct hf_shelf_db *db, uint64_t pages, bool *more)
{
	struct hf_shelf_oldest *o = &db->of_all;
	uint64_t used, total;
	bool any = true;
	int err = hf_shelf_pages(db, &used, &total);

	*more = false;
	if (err || used <= pages)
		return err;
	if (o->done && o->at == o->n)
		begin(o, 0);
	*more = true;
	if (!o->done) {
		err = scan(db, o, SCAN_ROWS);
		*more = !o->done || o->n > 0;
		return err;
	}
	for (int i = 0; i < DELETE_ROWS && !err && any; i++) {
		err = delete_next(db, o, 0, &any);
		if (!err)
			err = hf_shelf_pages(db, &used, &total);
		any = any && used > pages;
	}
	return err;
}
