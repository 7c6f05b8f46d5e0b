/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shelf_proof.h"

#include <string.h>

#include "store/shelf_private.h"
#include "store/shelf_rows.h"

#define KEY    "proof"
#define FIXED  12 /* below, and the number of spans */
#define SPAN   16
#define SUM    4
#define ROWS   4096
#define DELETE 32

/* ---- the set ---- */

bool hf_shelf_proof_has(const struct hf_shelf_proof *p, uint64_t number)
{
	bool in = number == 0 || number < p->below;

	for (unsigned i = 0; i < p->n && !in; i++)
		in = number >= p->v[i].first && number <= p->v[i].last;
	return in;
}

static void remove_at(struct hf_shelf_proof *p, unsigned i)
{
	p->n--;
	memmove(&p->v[i], &p->v[i + 1], (p->n - i) * sizeof(p->v[0]));
}

int hf_shelf_proof_add(struct hf_shelf_proof *p, uint64_t first, uint64_t last)
{
	struct hf_shelf_span s = { first, last };
	unsigned i = 0;

	/* Those that it touches become part of it. */
	while (i < p->n && p->v[i].last < s.first - 1)
		i++;
	while (i < p->n && p->v[i].first <= s.last + 1) {
		s.first = p->v[i].first < s.first ? p->v[i].first : s.first;
		s.last = p->v[i].last > s.last ? p->v[i].last : s.last;
		remove_at(p, i);
	}
	if (p->n == HF_SHELF_SPANS_MAX)
		return HF_ELIMIT;
	memmove(&p->v[i + 1], &p->v[i], (p->n - i) * sizeof(p->v[0]));
	p->v[i] = s;
	p->n++;
	return 0;
}

bool hf_shelf_proof_take(struct hf_shelf_proof *p, uint64_t first, uint64_t last)
{
	bool any = false;
	unsigned i = 0;

	while (i < p->n) {
		struct hf_shelf_span s = p->v[i];

		if (s.last < first || s.first > last) {
			i++;
			continue;
		}
		any = true;
		remove_at(p, i);
		if (s.first < first)
			(void)hf_shelf_proof_add(p, s.first, first - 1);
		if (s.last > last)
			(void)hf_shelf_proof_add(p, last + 1, s.last);
	}
	return any;
}

void hf_shelf_proof_raise(struct hf_shelf_proof *p, uint64_t below)
{
	if (below <= p->below)
		return;
	p->below = below;
	while (p->n > 0 && p->v[0].last < below)
		remove_at(p, 0);
	if (p->n > 0 && p->v[0].first < below)
		p->v[0].first = below;
}

/* ---- its row ---- */

static bool read_row(struct hf_span row, struct hf_shelf_proof *out)
{
	const uint8_t *in = (const uint8_t *)row.ptr;
	uint64_t n;

	*out = (struct hf_shelf_proof){ .n = 0 };
	if (row.len < FIXED + SUM)
		return false;
	n = hf_get_le(in + 8, 4);
	if (n > HF_SHELF_SPANS_MAX || row.len != FIXED + n * SPAN + SUM ||
	    hf_get_le(in + row.len - SUM, SUM) != hf_crc32(0, hf_span(in, row.len - SUM)))
		return false;
	out->below = hf_get_le(in, 8);
	for (; out->n < n; out->n++) {
		const uint8_t *at = in + FIXED + (size_t)out->n * SPAN;

		out->v[out->n] = (struct hf_shelf_span){ hf_get_le(at, 8), hf_get_le(at + 8, 8) };
	}
	return true;
}

int hf_shelf_proof_load(struct hf_shelf_db *db, struct hf_shelf_proof *out)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_META_GET);
	int got;

	*out = (struct hf_shelf_proof){ .n = 0 };
	sqlite3_bind_text(st, 1, KEY, -1, SQLITE_STATIC);
	got = hf_shelf_step(db, st);
	if (got > 0)
		(void)read_row(hf_column_span(st, 0), out);
	hf_sql_reset(st);
	return got < 0 ? got : 0;
}

int hf_shelf_proof_store(struct hf_shelf_db *db)
{
	const struct hf_shelf_proof *p = &db->proof;
	uint8_t row[FIXED + HF_SHELF_SPANS_MAX * SPAN + SUM];
	size_t len = FIXED;

	hf_put_le(row, p->below, 8);
	hf_put_le(row + 8, p->n, 4);
	for (unsigned i = 0; i < p->n; i++, len += SPAN) {
		hf_put_le(row + len, p->v[i].first, 8);
		hf_put_le(row + len + 8, p->v[i].last, 8);
	}
	hf_put_le(row + len, hf_crc32(0, hf_span(row, len)), SUM);
	return hf_shelf_meta_put(db, KEY, hf_span(row, len + SUM));
}

/* ---- entries ---- */

uint64_t hf_shelf_number_of(const struct hf_shelf_db *db, uint32_t trial)
{
	return trial ? (uint64_t)db->boot << 32 | trial : 0;
}

bool hf_shelf_is_proved(const struct hf_shelf_db *db, uint64_t number)
{
	return hf_shelf_proof_has(&db->proof, number);
}

static uint64_t first_open(const struct hf_shelf_db *db)
{
	return (uint64_t)db->boot << 32 | db->open_from;
}

bool hf_shelf_is_dead(const struct hf_shelf_db *db, uint64_t number)
{
	return number < first_open(db) && !hf_shelf_is_proved(db, number);
}

int hf_shelf_cache_proved(struct hf_shelf_db *db, uint32_t cache, bool *all)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	int got = 0;

	*all = true;
	hf_bind_u64(st, 1, hf_shelf_first_of(cache));
	hf_bind_u64(st, 2, hf_shelf_last_of(cache));
	hf_bind_u64(st, 3, UINT32_MAX);
	while (*all && (got = hf_shelf_step(db, st)) > 0) {
		struct hf_shelf_use u;

		*all = hf_shelf_use_decode(hf_column_u64(st, 0), hf_column_span(st, 1), &u) ||
		       hf_shelf_is_proved(db, u.number);
	}
	hf_sql_reset(st);
	return got < 0 ? got : 0;
}

/* ---- judging ---- */

static struct hf_shelf_row *row_of(struct hf_shelf_db *db, const struct hf_shelf_row *of,
				   uint8_t state)
{
	for (size_t i = 0; i < db->rows_n; i++) {
		struct hf_shelf_row *row = &db->rows[i];

		if (row->v.kind == HF_SHELF_PRECACHE && row->v.state == state &&
		    hf_span_eq(row->owner, of->owner))
			return row;
	}
	return NULL;
}

/* A precache that was active, and is doubted now, is none any more; the one before it
 * takes its place. */
static int demote(struct hf_shelf_db *db, struct hf_shelf_row *row)
{
	struct hf_shelf_row *before = row_of(db, row, HF_SHELF_PREVIOUS);
	bool whole = false;
	int err = 0;

	row->v.state = HF_SHELF_INACTIVE;
	if (before)
		err = hf_shelf_cache_proved(db, before->id, &whole);
	if (!err)
		err = hf_shelf_row_store(db, row);
	if (err || !before || !whole)
		return err;
	before->v.state = HF_SHELF_ACTIVE;
	return hf_shelf_row_store(db, before);
}

static int demote_doubted(struct hf_shelf_db *db, bool *any)
{
	int err = hf_shelf_rows_load(db);

	for (size_t i = 0; i < db->rows_n && !err; i++) {
		struct hf_shelf_row *row = &db->rows[i];
		bool whole = true;

		if (row->v.kind != HF_SHELF_PRECACHE || row->v.state != HF_SHELF_ACTIVE)
			continue;
		err = hf_shelf_cache_proved(db, row->id, &whole);
		if (!err && !whole)
			err = demote(db, row);
		*any |= !whole;
	}
	return err;
}

static int judge_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_judge *j = hf_container_of(op, struct hf_shelf_judge, op);
	uint64_t first = hf_shelf_number_of(db, j->first), last = hf_shelf_number_of(db, j->last);
	int err = 0;

	j->demoted = false;
	if (j->open_from > db->open_from)
		db->open_from = j->open_from;
	db->proof_due = true;
	if (j->proved) {
		err = hf_shelf_proof_add(&db->proof, first, last);
		db->purge_due |= db->proof.n >= HF_SHELF_SPANS_MAX / 2;
	} else {
		db->purge_due = true;
		db->purge_after = 0;
		if (hf_shelf_proof_take(&db->proof, first, last))
			err = demote_doubted(db, &j->demoted);
	}
	if (!err)
		err = hf_shelf_proof_store(db);
	for (size_t i = 0; i < j->trims_n && !err; i++)
		err = hf_shelf_evict_cache(db, j->trims[i].cache, j->trims[i].entries_max,
					   j->trims[i].bytes_max, 0);
	return err;
}

void hf_shelf_judge(struct hf_shelf *s, struct hf_shelf_judge *j)
{
	hf_shelf_submit(s, &j->op, judge_run, true);
}

/* ---- what is dead goes ---- */

/* Some of those from db->purge_after on. */
static int find_dead(struct hf_shelf_db *db, uint64_t ids[DELETE], unsigned *n, bool *through)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	unsigned rows = 0;
	int got = 0;

	hf_bind_u64(st, 1, db->purge_after);
	hf_bind_u64(st, 2, INT64_MAX);
	hf_bind_u64(st, 3, ROWS);
	while (*n < DELETE && (got = hf_shelf_step(db, st)) > 0) {
		uint64_t id = hf_column_u64(st, 0);
		struct hf_shelf_use u;

		rows++;
		db->purge_after = id;
		if (!hf_shelf_use_decode(id, hf_column_span(st, 1), &u) &&
		    hf_shelf_is_dead(db, u.number))
			ids[(*n)++] = id;
	}
	hf_sql_reset(st);
	*through = got == 0 && rows < ROWS && *n == 0;
	return got < 0 ? got : 0;
}

/* When a look from the first to the last entry is through, with all that it has found
 * deleted in transactions before this one, whatever is left below is proved. */
int hf_shelf_purge_slice(struct hf_shelf_db *db, bool *more)
{
	uint64_t ids[DELETE], removed = 0;
	unsigned n = 0;
	bool through;
	int err;

	if (db->purge_after == 0)
		db->purge_below = first_open(db);
	err = find_dead(db, ids, &n, &through);
	for (unsigned i = 0; i < n && !err; i++)
		err = hf_shelf_entry_delete(db, ids[i], &removed);
	*more = !through;
	if (err || !through)
		return err;
	hf_shelf_proof_raise(&db->proof, db->purge_below);
	db->purge_due = false;
	db->purge_after = 0;
	return hf_shelf_proof_store(db);
}
