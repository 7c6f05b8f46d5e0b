/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies too large for a row, in chunks: blob << 24 | n. Each has a sum of its
 * own, so an altered one is found when it is read, before it goes anywhere.
 *
 * `upload` names the blobs nobody refers to: those being written (gone 0) and
 * those to be deleted (gone 1). The transaction that refers to a blob takes it
 * off the list. So what a crash left behind is found without looking at a
 * record, and a blob is deleted a few chunks at a time in the background.
 */
#include <assert.h>

#include "store/rows.h"

#define CHUNK_BITS	  24
#define CHUNK_MAX	  (1u << 20)
#define CHUNK_ID(blob, n) ((blob) << CHUNK_BITS | (n))
#define CHUNK_LAST	  ((1u << CHUNK_BITS) - 1)

static int upload_set(struct hf_db *db, uint64_t blob, bool gone)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_UPLOAD_ADD);

	hf_bind_u64(st, 1, blob);
	hf_bind_u64(st, 2, gone);
	return hf_db_run(db, st);
}

static int upload_remove(struct hf_db *db, uint64_t blob)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_UPLOAD_DEL);

	hf_bind_u64(st, 1, blob);
	return hf_db_run(db, st);
}

int hf_blob_adopt(struct hf_db *db, uint64_t blob)
{
	return upload_remove(db, blob);
}

int hf_blob_abandon(struct hf_db *db, uint64_t blob)
{
	if (!blob)
		return 0;
	db->uploads_gone = true;
	return upload_set(db, blob, true);
}

static int max_of(struct hf_db *db, enum hf_statement which, uint64_t *out)
{
	sqlite3_stmt *st = hf_db_stmt(db, which);
	int got = hf_db_step(db, st);

	*out = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

/* Above every blob with chunks, on the list, or ever given (meta "blob_floor",
 * which a salvage writes). */
static int blob_next(struct hf_db *db, uint64_t *out)
{
	uint8_t bytes[8];
	uint64_t chunk, upload, next;
	int err;

	if (db->blob_next) {
		*out = db->blob_next++;
		return 0;
	}
	err = max_of(db, HF_SQL_BLOB_MAX, &chunk);
	if (!err)
		err = max_of(db, HF_SQL_UPLOAD_MAX, &upload);
	if (err)
		return err;
	next = chunk >> CHUNK_BITS;
	if (upload > next)
		next = upload;
	err = hf_meta_get(db, "blob_floor", bytes, sizeof(bytes));
	if (err && err != HF_ENOENT)
		return err;
	if (!err && hf_get_le(bytes, 8) > next)
		next = hf_get_le(bytes, 8);
	/* A number below the floor is of an earlier run to the sweep, also when that
	 * run's blobs are deleted by now. */
	if (next + 1 < db->upload_floor)
		next = db->upload_floor - 1;
	*out = next + 1;
	db->blob_next = next + 2;
	return 0;
}

int hf_blob_floor(struct hf_db *db)
{
	int err = blob_next(db, &db->upload_floor);

	db->blob_next = 0;
	return err;
}

uint32_t hf_blob_sum(uint64_t chunk, struct hf_span data)
{
	return hf_content_sum(hf_span(NULL, 0), data, chunk, data.len);
}

int hf_blob_whole(struct hf_db *db, uint64_t blob, uint64_t len)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_BLOB_LEN);
	uint64_t there;
	int got;

	hf_bind_u64(st, 1, CHUNK_ID(blob, 0));
	hf_bind_u64(st, 2, CHUNK_ID(blob, CHUNK_LAST));
	got = hf_db_step(db, st);
	there = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	if (got < 0)
		return got;
	return there == len ? 0 : HF_ECORRUPT;
}

/* ---- op: append ---- */

static int append_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_blob_append *a = hf_container_of(op, struct hf_store_blob_append, op);
	sqlite3_stmt *st;
	uint64_t id;
	int err;

	if (a->data.len > CHUNK_MAX || a->n > CHUNK_LAST)
		return HF_ETOOBIG;
	err = hf_db_room(db, a->data.len, op->privileged);
	if (err)
		return err;
	if (a->fresh) {
		err = blob_next(db, &a->blob);
		if (!err)
			err = upload_set(db, a->blob, false);
		if (err)
			return err;
	}
	st = hf_db_stmt(db, HF_SQL_BLOB_ADD);
	id = CHUNK_ID(a->blob, a->n);
	hf_bind_u64(st, 1, id);
	hf_bind_u64(st, 2, hf_blob_sum(id, a->data));
	hf_bind_span(st, 3, a->data);
	return hf_db_run(db, st);
}

void hf_store_blob_append(struct hf_store *s, struct hf_store_blob_append *a)
{
	a->op.run = append_run;
	a->op.writes = true;
	a->op.privileged = false;
	a->fresh = a->blob == 0;
	hf_store_submit(s, &a->op);
}

/* ---- op: read ---- */

/* An altered one is this blob's damage; the others are judged by their own sum. */
static int chunk_copy(sqlite3_stmt *st, uint64_t id, struct hf_buf *out)
{
	struct hf_span data = hf_column_span(st, 1);

	if (hf_column_u64(st, 0) != hf_blob_sum(id, data))
		return HF_ECORRUPT;
	return hf_buf_append(out, data);
}

static int read_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_blob_read *r = hf_container_of(op, struct hf_store_blob_read, op);
	uint64_t id = CHUNK_ID(r->blob, r->n);
	sqlite3_stmt *st;
	int got;

	hf_buf_clear(&r->data);
	if (r->n > CHUNK_LAST)
		return HF_ENOENT;
	st = hf_db_stmt(db, HF_SQL_BLOB_GET);
	hf_bind_u64(st, 1, id);
	got = hf_db_step(db, st);
	if (got == 0)
		return HF_ENOENT;
	if (got > 0)
		got = chunk_copy(st, id, &r->data);
	hf_db_reset(st);
	return got;
}

void hf_store_blob_read(struct hf_store *s, struct hf_store_blob_read *r)
{
	r->op.run = read_run;
	r->op.writes = false;
	r->op.privileged = true;
	hf_store_submit(s, &r->op);
}

/* ---- op: delete ---- */

static int delete_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_blob_delete *d = hf_container_of(op, struct hf_store_blob_delete, op);

	return hf_blob_abandon(db, d->blob);
}

void hf_store_blob_delete(struct hf_store *s, struct hf_store_blob_delete *d)
{
	d->op.run = delete_run;
	d->op.writes = true;
	d->op.privileged = true;
	hf_store_submit(s, &d->op);
}

/* ---- background ---- */

/* Deletes one chunk; HF_ENOENT when none is left. */
static int chunk_delete(struct hf_db *db, uint64_t blob)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_BLOB_FROM);
	uint64_t id;
	int got;

	hf_bind_u64(st, 1, CHUNK_ID(blob, 0));
	hf_bind_u64(st, 2, CHUNK_ID(blob, CHUNK_LAST));
	got = hf_db_step(db, st);
	id = got > 0 ? hf_column_u64(st, 0) : 0;
	hf_db_reset(st);
	if (got <= 0)
		return got ? got : HF_ENOENT;
	st = hf_db_stmt(db, HF_SQL_BLOB_DEL);
	hf_bind_u64(st, 1, id);
	return hf_db_run(db, st);
}

int hf_blob_sweep(struct hf_db *db, unsigned chunks)
{
	while (chunks > 0) {
		sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_UPLOAD_GONE);
		uint64_t blob;
		int got;

		hf_bind_u64(st, 1, db->upload_floor);
		got = hf_db_step(db, st);
		blob = got > 0 ? hf_column_u64(st, 0) : 0;
		hf_db_reset(st);
		if (got <= 0) {
			db->uploads_gone = got < 0;
			return got;
		}
		while (chunks > 0 && (got = chunk_delete(db, blob)) == 0)
			chunks--;
		if (got == HF_ENOENT)
			got = upload_remove(db, blob);
		if (got)
			return got;
	}
	return 0;
}
