/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rows.h"

#define META_MAX (1u << 20)

static int meta_row(struct hf_db *db, const char *key, sqlite3_stmt **st)
{
	*st = hf_db_stmt(db, HF_SQL_META_GET);
	sqlite3_bind_text(*st, 1, key, -1, SQLITE_STATIC);
	return hf_db_step(db, *st);
}

int hf_meta_get(struct hf_db *db, const char *key, void *value, size_t size)
{
	sqlite3_stmt *st;
	struct hf_span v;
	int got = meta_row(db, key, &st);

	if (got <= 0)
		return got ? got : HF_ENOENT;
	v = hf_column_span(st, 0);
	if (v.len == size)
		memcpy(value, v.ptr, size);
	hf_db_reset(st);
	return v.len == size ? 0 : HF_ENOENT;
}

int hf_meta_put(struct hf_db *db, const char *key, struct hf_span value)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_META_PUT);

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	hf_bind_span(st, 2, value);
	return hf_db_run(db, st);
}

static int meta_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_meta *m = hf_container_of(op, struct hf_store_meta, op);
	sqlite3_stmt *st;
	int got;

	if (m->put) {
		struct hf_span value = hf_buf_span(&m->value);

		got = value.len > META_MAX ? HF_ETOOBIG : hf_db_room(db, value.len, true);
		return got ? got : hf_meta_put(db, m->key, value);
	}
	hf_buf_clear(&m->value);
	got = meta_row(db, m->key, &st);
	if (got > 0)
		got = hf_buf_append(&m->value, hf_column_span(st, 0));
	hf_db_reset(st);
	return got;
}

void hf_store_meta(struct hf_store *s, struct hf_store_meta *m)
{
	m->op.run = meta_run;
	m->op.writes = m->put;
	m->op.privileged = true;
	hf_store_submit(s, &m->op);
}
