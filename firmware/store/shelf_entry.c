/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an entry: `entry` with its texts and `use` with all that changes. */
#include "store/shelf_rows.h"

int hf_shelf_use_get(struct hf_shelf_db *db, uint64_t id, struct hf_shelf_use *out)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_GET);
	int got, err = HF_ENOENT;

	hf_bind_u64(st, 1, id);
	got = hf_shelf_step(db, st);
	if (got > 0)
		err = hf_shelf_use_decode(id, hf_column_span(st, 0), out);
	hf_sql_reset(st);
	return got < 0 ? got : err;
}

static int use_write(struct hf_shelf_db *db, enum hf_shelf_statement which, uint64_t id,
		     const struct hf_shelf_use *u)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, which);
	uint8_t v[HF_SHELF_USE_SIZE];

	hf_shelf_use_encode(id, u, v);
	hf_bind_u64(st, 1, id);
	hf_bind_span(st, 2, hf_span(v, sizeof(v)));
	return hf_shelf_run(db, st);
}

int hf_shelf_use_set(struct hf_shelf_db *db, uint64_t id, const struct hf_shelf_use *u)
{
	return use_write(db, HF_SHELF_USE_SET, id, u);
}

int hf_shelf_entry_add(struct hf_shelf_db *db, uint64_t id, const struct hf_shelf_use *u,
		       struct hf_span url, struct hf_span note, struct hf_span head)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_ADD);
	int err;

	hf_bind_u64(st, 1, id);
	hf_bind_u64(st, 2, hf_shelf_entry_sum(id, url, note, head));
	hf_bind_span(st, 3, url);
	hf_bind_span(st, 4, note);
	hf_bind_span(st, 5, head);
	err = hf_shelf_run(db, st);
	if (!err)
		err = use_write(db, HF_SHELF_USE_ADD, id, u);
	if (!err)
		err = hf_shelf_row_count(db, hf_shelf_cache_of(id), true, u->bytes);
	return err;
}

/* What `use` says of the entry is damaged: its figures are not known. */
static int delete_blind(struct hf_shelf_db *db, uint64_t id)
{
	int err = hf_shelf_run_u64(db, HF_SHELF_USE_DEL, id);

	return err ? err : hf_shelf_row_count(db, hf_shelf_cache_of(id), false, 0);
}

int hf_shelf_entry_delete(struct hf_shelf_db *db, uint64_t id, uint64_t *removed)
{
	struct hf_shelf_use u;
	int err = hf_shelf_use_get(db, id, &u);

	if (err == HF_ENOENT)
		return hf_shelf_run_u64(db, HF_SHELF_ENTRY_DEL, id);
	if (db->hard)
		return db->hard;
	++*removed;
	if (err == HF_ECORRUPT) {
		err = delete_blind(db, id);
	} else {
		err = hf_shelf_run_u64(db, HF_SHELF_USE_DEL, id);
		if (!err)
			err = hf_shelf_row_count(db, hf_shelf_cache_of(id), false, u.bytes);
		if (!err)
			err = hf_shelf_body_unref(db, u.body);
	}
	return err ? err : hf_shelf_run_u64(db, HF_SHELF_ENTRY_DEL, id);
}

int hf_shelf_variants(struct hf_shelf_db *db, uint64_t key, struct hf_span url,
		      struct hf_shelf_variant *v, unsigned *n)
{
	uint64_t first = key << HF_SHELF_NUMBER_BITS;
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_FROM);
	int got, err = 0;

	*n = 0;
	hf_bind_u64(st, 1, first - 1);
	hf_bind_u64(st, 2, first + HF_SHELF_NUMBERS - 1);
	while ((got = hf_shelf_step(db, st)) > 0 && *n < HF_SHELF_NUMBERS) {
		struct hf_shelf_variant *w = &v[(*n)++];
		struct hf_span its = hf_column_span(st, 2);

		w->id = hf_column_u64(st, 0);
		w->same_url = hf_span_eq(its, url);
		w->broken = hf_column_u64(st, 1) != hf_shelf_entry_sum(w->id, its,
								       hf_column_span(st, 3),
								       hf_column_span(st, 4));
	}
	hf_sql_reset(st);
	if (got < 0)
		return got;
	for (unsigned i = 0; i < *n && !err; i++) {
		v[i].use = (struct hf_shelf_use){ .seq = 0 };
		if (hf_shelf_use_get(db, v[i].id, &v[i].use))
			v[i].broken = true;
		err = db->hard;
	}
	return err;
}

int hf_shelf_number_free(struct hf_shelf_db *db, uint64_t key, const struct hf_shelf_variant *v,
			 unsigned n, uint64_t *id)
{
	for (unsigned i = 0; i < HF_SHELF_NUMBERS; i++) {
		bool taken = false;

		*id = key << HF_SHELF_NUMBER_BITS | db->serial++;
		for (unsigned k = 0; k < n && !taken; k++)
			taken = v[k].id == *id;
		if (!taken)
			return 0;
	}
	return HF_ELIMIT;
}
