/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies, stored once under their SHA-256, and their pieces.
 *
 * `loose` names bodies that no entry refers to: those on their way in (gone 0) and
 * those to be deleted (gone 1). The transaction that refers to a body takes it off,
 * so what a crash left behind is found without looking at an entry.
 */
#include <assert.h>

#include "store/shelf_rows.h"

static uint64_t hash_of(const uint8_t sha256[32])
{
	return hf_get_le(sha256, 8) >> 1;
}

void hf_shelf_bad(struct hf_shelf_db *db, uint64_t body)
{
	if (body && !hf_shelf_is_bad(db, body) && db->bad_n < HF_SHELF_BAD_MAX)
		db->bad[db->bad_n++] = body;
	db->sweep_due = true;
}

bool hf_shelf_is_bad(const struct hf_shelf_db *db, uint64_t body)
{
	for (unsigned i = 0; i < db->bad_n; i++) {
		if (db->bad[i] == body)
			return true;
	}
	return false;
}

int hf_shelf_body_get(struct hf_shelf_db *db, uint64_t body, struct hf_shelf_body_row *out)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_BODY_GET);
	int got;

	hf_bind_u64(st, 1, body);
	got = hf_shelf_step(db, st);
	if (got <= 0)
		return got ? got : HF_ENOENT;
	out->refs = hf_column_u64(st, 1);
	out->has_data = sqlite3_column_type(st, 2) != SQLITE_NULL;
	out->data = hf_column_span(st, 2);
	if (hf_shelf_is_bad(db, body))
		return HF_ECORRUPT;
	return hf_shelf_body_decode(body, hf_column_span(st, 0), out->data, &out->v);
}

int hf_shelf_body_find(struct hf_shelf_db *db, const uint8_t sha256[32], uint64_t len,
		       uint64_t *out)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_BODY_FIND);
	int got;

	*out = 0;
	hf_bind_u64(st, 1, hash_of(sha256));
	while ((got = hf_shelf_step(db, st)) > 0) {
		uint64_t id = hf_column_u64(st, 0);
		struct hf_shelf_body_v v;

		if (hf_shelf_is_bad(db, id) ||
		    hf_shelf_body_decode(id, hf_column_span(st, 1), hf_column_span(st, 2), &v) ||
		    v.len != len || memcmp(v.sha256, sha256, sizeof(v.sha256)) != 0)
			continue;
		*out = id;
		break;
	}
	hf_sql_reset(st);
	return got < 0 ? got : 0;
}

/* Above every body, piece and loose one. */
int hf_shelf_body_next(struct hf_shelf_db *db, uint64_t *out)
{
	uint64_t body = 0, piece = 0, loose = 0;
	int err;

	if (!db->body_next) {
		err = hf_shelf_number(db, HF_SHELF_BODY_MAX, 0, &body);
		if (!err)
			err = hf_shelf_number(db, HF_SHELF_PIECE_MAX, 0, &piece);
		if (!err)
			err = hf_shelf_number(db, HF_SHELF_LOOSE_MAX, 0, &loose);
		if (err)
			return err;
		piece >>= HF_SHELF_PIECE_BITS;
		db->body_next = (body > piece ? body : piece) + 1;
		if (loose >= db->body_next)
			db->body_next = loose + 1;
		if (db->body_next < db->body_floor)
			db->body_next = db->body_floor;
	}
	*out = db->body_next++;
	if (db->body_next > db->body_floor)
		db->body_floor = db->body_next;
	return *out >> (63 - HF_SHELF_PIECE_BITS) ? HF_ELIMIT : 0;
}

int hf_shelf_body_add(struct hf_shelf_db *db, uint64_t body, const struct hf_shelf_body_v *v,
		      const struct hf_span *data)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_BODY_ADD);
	uint8_t bytes[HF_SHELF_BODY_SIZE];

	hf_shelf_body_encode(body, v, data ? *data : hf_span(NULL, 0), bytes);
	hf_bind_u64(st, 1, body);
	hf_bind_u64(st, 2, hash_of(v->sha256));
	hf_bind_u64(st, 3, 1);
	hf_bind_span(st, 4, hf_span(bytes, sizeof(bytes)));
	if (data)
		hf_bind_span(st, 5, *data);
	else
		sqlite3_bind_null(st, 5);
	return hf_shelf_run(db, st);
}

static int set_refs(struct hf_shelf_db *db, uint64_t body, uint64_t refs)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_BODY_REFS);

	hf_bind_u64(st, 1, body);
	hf_bind_u64(st, 2, refs);
	return hf_shelf_run(db, st);
}

int hf_shelf_body_ref(struct hf_shelf_db *db, uint64_t body)
{
	struct hf_shelf_body_row b;
	int err = hf_shelf_body_get(db, body, &b);

	return err ? err : set_refs(db, body, b.refs + 1);
}

int hf_shelf_body_drop(struct hf_shelf_db *db, uint64_t body)
{
	int err = hf_shelf_run_u64(db, HF_SHELF_BODY_DEL, body);

	return err ? err : hf_shelf_loose(db, body, true);
}

int hf_shelf_body_unref(struct hf_shelf_db *db, uint64_t body)
{
	struct hf_shelf_body_row b;
	int err;

	if (!body)
		return 0;
	err = hf_shelf_body_get(db, body, &b);
	if (err && err == db->hard)
		return err;
	if (err == HF_ENOENT)
		return 0;
	if (b.refs > 1)
		return set_refs(db, body, b.refs - 1);
	if (!b.has_data)
		return hf_shelf_body_drop(db, body);
	return hf_shelf_run_u64(db, HF_SHELF_BODY_DEL, body);
}

int hf_shelf_piece_add(struct hf_shelf_db *db, uint64_t body, uint32_t n, struct hf_span data)
{
	uint64_t id = HF_SHELF_PIECE_ID(body, n);
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_PIECE_ADD);

	hf_bind_u64(st, 1, id);
	hf_bind_u64(st, 2, hf_shelf_sum(id, data));
	hf_bind_span(st, 3, data);
	return hf_shelf_run(db, st);
}

int hf_shelf_piece_get(struct hf_shelf_db *db, uint64_t body, uint32_t n, struct hf_span *data)
{
	uint64_t id = HF_SHELF_PIECE_ID(body, n);
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_PIECE_GET);
	int got;

	hf_bind_u64(st, 1, id);
	got = hf_shelf_step(db, st);
	if (got <= 0)
		return got ? got : HF_ENOENT;
	*data = hf_column_span(st, 1);
	return hf_column_u64(st, 0) == hf_shelf_sum(id, *data) ? 0 : HF_ECORRUPT;
}

int hf_shelf_pieces_whole(struct hf_shelf_db *db, uint64_t body, uint64_t len)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_PIECE_LEN);
	uint64_t there;
	int got;

	hf_bind_u64(st, 1, HF_SHELF_PIECE_ID(body, 0));
	hf_bind_u64(st, 2, HF_SHELF_PIECE_ID(body, HF_SHELF_PIECE_LAST));
	got = hf_shelf_step(db, st);
	there = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_sql_reset(st);
	if (got < 0)
		return got;
	return there == len ? 0 : HF_ECORRUPT;
}

/* ---- loose ones ---- */

int hf_shelf_loose(struct hf_shelf_db *db, uint64_t body, bool gone)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_LOOSE_PUT);

	if (gone)
		db->sweep_due = true;
	hf_bind_u64(st, 1, body);
	hf_bind_u64(st, 2, gone);
	return hf_shelf_run(db, st);
}

int hf_shelf_loose_end(struct hf_shelf_db *db, uint64_t body)
{
	return hf_shelf_run_u64(db, HF_SHELF_LOOSE_DEL, body);
}

int hf_shelf_loose_begin(struct hf_shelf_db *db)
{
	int err = hf_shelf_body_next(db, &db->loose_floor);

	db->body_next = 0;
	db->body_floor = db->loose_floor;
	db->sweep_due = true;
	return err;
}

static bool is_held(const struct hf_shelf_db *db, uint64_t body)
{
	for (size_t i = 0; i < db->held_n; i++) {
		if (db->held[i] == body)
			return true;
	}
	return false;
}

/* The first one that is gone and not being read; 0: none. */
static int next_gone(struct hf_shelf_db *db, uint64_t *out)
{
	sqlite3_stmt *st;
	uint64_t after = 0;
	int got;

	do {
		st = hf_shelf_stmt(db, HF_SHELF_LOOSE_FROM);
		hf_bind_u64(st, 1, after);
		hf_bind_u64(st, 2, db->loose_floor);
		got = hf_shelf_step(db, st);
		after = got > 0 ? hf_column_u64(st, 0) : 0;
		hf_sql_reset(st);
	} while (got > 0 && is_held(db, after));
	*out = after;
	return got < 0 ? got : 0;
}

/* The first piece of @body, 0: none. */
static int first_piece(struct hf_shelf_db *db, uint64_t body, uint64_t *out)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_PIECE_FROM);
	int got;

	hf_bind_u64(st, 1, HF_SHELF_PIECE_ID(body, 0));
	hf_bind_u64(st, 2, HF_SHELF_PIECE_ID(body, HF_SHELF_PIECE_LAST));
	got = hf_shelf_step(db, st);
	*out = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_sql_reset(st);
	return got < 0 ? got : 0;
}

int hf_shelf_loose_sweep(struct hf_shelf_db *db, unsigned budget, bool *more)
{
	uint64_t body, piece;
	int err = next_gone(db, &body);

	*more = body != 0;
	while (!err && body && budget > 0) {
		budget--;
		err = first_piece(db, body, &piece);
		if (!err && piece)
			err = hf_shelf_run_u64(db, HF_SHELF_PIECE_DEL, piece);
		else if (!err)
			err = hf_shelf_loose_end(db, body);
		if (!err && !piece)
			err = next_gone(db, &body);
		*more = body != 0;
	}
	return err;
}
