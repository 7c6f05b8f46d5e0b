/* SPDX-License-Identifier: Apache-2.0 */
/* Reading entries: of one URL, of a cache, and which keys there are. */
#include <stdlib.h>

#include "store/shelf_digest.h"
#include "store/shelf_private.h"
#include "store/shelf_rows.h"

static struct hf_span copied(char **at, struct hf_span s)
{
	struct hf_span out = hf_span(*at, s.len);

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return out;
}

/* Texts of the entry in the row of @st, columns url, note, head from @column on. */
static int take_texts(sqlite3_stmt *st, int column, bool head, struct hf_shelf_entry *e,
		      void **memory)
{
	struct hf_span url = hf_column_span(st, column), note = hf_column_span(st, column + 1);
	struct hf_span rest = hf_column_span(st, column + 2);
	char *at;

	if (!head)
		rest = hf_span(NULL, 0);
	at = hf_shelf_memory(memory, url.len + note.len + rest.len);
	if (!at)
		return HF_ENOMEM;
	e->url = copied(&at, url);
	e->note = copied(&at, note);
	e->head = copied(&at, rest);
	return 0;
}

static int take_data(struct hf_shelf_db *db, struct hf_shelf_entry *e, struct hf_span data,
		     void **memory)
{
	char *at;

	if (data.len != e->body_len) {
		hf_shelf_bad(db, e->body);
		return HF_ECORRUPT;
	}
	at = hf_shelf_memory(memory, data.len);
	if (!at)
		return HF_ENOMEM;
	e->data = copied(&at, data);
	e->has_data = true;
	return 0;
}

/* The body of @e; HF_ENOENT, HF_ECORRUPT: it cannot be used. */
static int take_body(struct hf_shelf_db *db, struct hf_shelf_entry *e, uint32_t data_max,
		     void **memory)
{
	struct hf_shelf_body_row b;
	struct hf_span piece;
	int err;

	if (!e->body) {
		e->has_data = true;
		hf_shelf_digest_of_nothing(e->sha256);
		return 0;
	}
	err = hf_shelf_body_get(db, e->body, &b);
	if (err && !db->hard)
		hf_shelf_bad(db, e->body);
	if (err)
		return err;
	e->body_len = b.v.len;
	memcpy(e->sha256, b.v.sha256, sizeof(e->sha256));
	if (b.v.len > data_max || b.v.len > HF_SHELF_PIECE)
		return 0;
	if (b.has_data)
		return take_data(db, e, b.data, memory);
	err = hf_shelf_piece_get(db, e->body, 0, &piece);
	if (err && !db->hard)
		hf_shelf_bad(db, e->body);
	return err ? err : take_data(db, e, piece, memory);
}

/* The entry with the texts of its row already; HF_ENOENT: not to be used. */
static int complete(struct hf_shelf_db *db, struct hf_shelf_entry *e, uint32_t data_max,
		    void **memory)
{
	struct hf_shelf_use u;
	int err = hf_shelf_use_get(db, e->id, &u);

	if (err || hf_shelf_is_dead(db, u.number))
		return db->hard ? db->hard : HF_ENOENT;
	e->cache = hf_shelf_cache_of(e->id);
	e->state = u.state;
	e->state.trial = hf_shelf_is_proved(db, u.number) ? 0 : (uint32_t)u.number;
	e->body = u.body;
	e->order = u.seq;
	err = take_body(db, e, data_max, memory);
	if (err == HF_ENOMEM)
		return err;
	return err && !db->hard ? HF_ENOENT : err;
}

/* ---- of one URL ---- */

static int newest_first(const void *a, const void *b)
{
	const struct hf_shelf_entry *x = a, *y = b;

	return (x->order < y->order) - (x->order > y->order);
}

/* The one in the row of @st when it has the URL; HF_ENOENT: it has not, or is not to be
 * used. */
static int read_variant(struct hf_shelf_db *db, struct hf_shelf_find *f, sqlite3_stmt *st,
			struct hf_shelf_entry *e)
{
	struct hf_span url = hf_column_span(st, 2);
	int err;

	*e = (struct hf_shelf_entry){ .id = hf_column_u64(st, 0) };
	if (!hf_span_eq(url, f->url) ||
	    hf_column_u64(st, 1) !=
		    hf_shelf_entry_sum(e->id, url, hf_column_span(st, 3), hf_column_span(st, 4)))
		return HF_ENOENT;
	err = take_texts(st, 2, true, e, &f->memory);
	return err ? err : complete(db, e, f->data_max, &f->memory);
}

/* All that have the key and the URL. The statement stays at its row meanwhile, so that all
 * is read in one transaction, which costs as much as a seek. */
static int read_variants(struct hf_shelf_db *db, struct hf_shelf_find *f, struct hf_shelf_entry *v,
			 size_t *n)
{
	uint64_t first = hf_shelf_key_of(db->seed, f->cache, f->url) << HF_SHELF_NUMBER_BITS;
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_FROM);
	int err = 0;

	hf_bind_u64(st, 1, first - 1);
	hf_bind_u64(st, 2, first + HF_SHELF_NUMBERS - 1);
	while (!err && *n < HF_SHELF_VARIANTS_MAX && hf_shelf_step(db, st) > 0) {
		err = read_variant(db, f, st, &v[*n]);
		*n += !err;
		if (err == HF_ENOENT)
			err = 0;
	}
	hf_sql_reset(st);
	return err ? err : db->hard;
}

static int keep(struct hf_shelf_find *f, const struct hf_shelf_entry *v, size_t n)
{
	f->v = calloc(n + 1, sizeof(*f->v));
	if (!f->v)
		return HF_ENOMEM;
	memcpy(f->v, v, n * sizeof(*v));
	f->n = n;
	return 0;
}

static int find_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_find *f = hf_container_of(op, struct hf_shelf_find, op);
	struct hf_shelf_entry v[HF_SHELF_VARIANTS_MAX];
	struct hf_shelf_row *row;
	size_t n = 0;
	int err = hf_shelf_row_live(db, f->cache, &row);

	hf_shelf_find_finish(f);
	if (err)
		return err == HF_ENOENT ? 0 : err;
	err = read_variants(db, f, v, &n);
	if (err)
		return err;
	qsort(v, n, sizeof(*v), newest_first);
	return keep(f, v, n);
}

void hf_shelf_find(struct hf_shelf *s, struct hf_shelf_find *f)
{
	f->v = NULL;
	f->n = 0;
	f->memory = NULL;
	hf_shelf_submit(s, &f->op, find_run, false);
}

void hf_shelf_find_finish(struct hf_shelf_find *f)
{
	free(f->v);
	f->v = NULL;
	f->n = 0;
	hf_shelf_memory_free(&f->memory);
}

/* ---- of a cache ---- */

static int read_entry(struct hf_shelf_db *db, struct hf_shelf_list *l, struct hf_shelf_entry *e)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_GET);
	int got, err;

	hf_bind_u64(st, 1, e->id);
	got = hf_shelf_step(db, st);
	if (got <= 0)
		return got ? got : HF_ENOENT;
	err = hf_column_u64(st, 0) == hf_shelf_entry_sum(e->id, hf_column_span(st, 1),
							 hf_column_span(st, 2),
							 hf_column_span(st, 3)) ?
		      take_texts(st, 1, l->heads, e, &l->memory) :
		      HF_ENOENT;
	hf_sql_reset(st);
	return err ? err : complete(db, e, 0, &l->memory);
}

static size_t page_size(const struct hf_shelf_list *l)
{
	return l->max && l->max < HF_SHELF_LIST_MAX ? l->max : HF_SHELF_LIST_MAX;
}

static void bind_range(const struct hf_shelf_list *l, sqlite3_stmt *st, uint64_t rows)
{
	uint64_t first = hf_shelf_first_of(l->cache), last = hf_shelf_last_of(l->cache);
	uint64_t after = l->after < last ? l->after : last;

	hf_bind_u64(st, 1, after > first ? after : first);
	hf_bind_u64(st, 2, last);
	hf_bind_u64(st, 3, rows);
}

/* The ids of the page, and whether there are more. */
static int read_ids(struct hf_shelf_db *db, struct hf_shelf_list *l, size_t *n)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	size_t max = page_size(l);

	bind_range(l, st, max + 1);
	while (!l->more && hf_shelf_step(db, st) > 0) {
		l->more = *n == max;
		if (l->more)
			break;
		l->next = hf_column_u64(st, 0);
		l->v[(*n)++].id = l->next;
	}
	hf_sql_reset(st);
	return db->hard;
}

static bool is_of_path(struct hf_span url, struct hf_span path)
{
	return hf_span_starts(url, path) && (url.len == path.len || url.ptr[path.len] == '?');
}

/* The same of those of a path, among the next rows. */
static int read_ids_of_path(struct hf_shelf_db *db, struct hf_shelf_list *l, size_t *n)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_URLS);
	size_t max = page_size(l), rows = 0;

	bind_range(l, st, HF_SHELF_SCAN_MAX);
	while (*n < max && hf_shelf_step(db, st) > 0) {
		rows++;
		l->next = hf_column_u64(st, 0);
		if (is_of_path(hf_column_span(st, 1), l->path))
			l->v[(*n)++].id = l->next;
	}
	hf_sql_reset(st);
	l->more = *n == max || rows == HF_SHELF_SCAN_MAX;
	return db->hard;
}

static int list_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_list *l = hf_container_of(op, struct hf_shelf_list, op);
	struct hf_shelf_row *row;
	size_t ids = 0;
	int err = hf_shelf_row_live(db, l->cache, &row);

	hf_shelf_list_finish(l);
	l->more = false;
	l->next = l->after;
	if (err)
		return err == HF_ENOENT ? 0 : err;
	l->v = calloc(page_size(l), sizeof(*l->v));
	if (!l->v)
		return HF_ENOMEM;
	err = l->path.ptr ? read_ids_of_path(db, l, &ids) : read_ids(db, l, &ids);
	for (size_t i = 0; i < ids && !err; i++) {
		struct hf_shelf_entry e = { .id = l->v[i].id };

		err = read_entry(db, l, &e);
		if (!err)
			l->v[l->n++] = e;
		if (err == HF_ENOENT)
			err = 0;
	}
	return err;
}

void hf_shelf_list(struct hf_shelf *s, struct hf_shelf_list *l)
{
	l->v = NULL;
	l->n = 0;
	l->memory = NULL;
	l->next = l->after;
	hf_shelf_submit(s, &l->op, list_run, false);
}

void hf_shelf_list_finish(struct hf_shelf_list *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
	hf_shelf_memory_free(&l->memory);
}

/* ---- keys ---- */

static int keys_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_keys *k = hf_container_of(op, struct hf_shelf_keys, op);
	uint64_t last = k->after;
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	int got = 0;

	k->n = 0;
	hf_bind_u64(st, 1, (last + 1) << HF_SHELF_NUMBER_BITS);
	hf_bind_u64(st, 2, INT64_MAX);
	hf_bind_u64(st, 3, UINT32_MAX);
	if (last >> (63 - HF_SHELF_NUMBER_BITS) || last + 1 == 0)
		return 0;
	while (k->n < HF_SHELF_KEYS_MAX && (got = hf_shelf_step(db, st)) > 0) {
		uint64_t key = hf_column_u64(st, 0) >> HF_SHELF_NUMBER_BITS;

		if (key != last)
			k->v[k->n++] = key;
		last = key;
	}
	hf_sql_reset(st);
	return got < 0 ? got : 0;
}

void hf_shelf_keys(struct hf_shelf *s, struct hf_shelf_keys *k)
{
	hf_shelf_submit(s, &k->op, keys_run, false);
}
