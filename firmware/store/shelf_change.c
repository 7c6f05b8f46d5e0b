/* SPDX-License-Identifier: Apache-2.0 */
/* Changing and removing entries. */
#include "store/shelf_private.h"
#include "store/shelf_rows.h"

/* ---- op: update ---- */

/* The texts of @id but for the head: their length, and the sum with @head. */
static int weigh(struct hf_shelf_db *db, uint64_t id, struct hf_span head, uint64_t *texts,
		 uint64_t *old_head, uint32_t *sum)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_ENTRY_GET);
	int got;

	hf_bind_u64(st, 1, id);
	got = hf_shelf_step(db, st);
	if (got > 0) {
		struct hf_span url = hf_column_span(st, 1), note = hf_column_span(st, 2);

		*texts = url.len + note.len;
		*old_head = hf_column_span(st, 3).len;
		*sum = hf_shelf_entry_sum(id, url, note, head);
	}
	hf_sql_reset(st);
	return got < 0 ? got : got ? 0 : HF_ENOENT;
}

static int set_head(struct hf_shelf_db *db, const struct hf_shelf_update *u,
		    struct hf_shelf_use *use)
{
	uint32_t cache = hf_shelf_cache_of(u->id), sum;
	uint64_t texts, old;
	sqlite3_stmt *st;
	int err = hf_shelf_room(db, u->head.len);

	if (!err)
		err = weigh(db, u->id, u->head, &texts, &old, &sum);
	if (err)
		return err;
	st = hf_shelf_stmt(db, HF_SHELF_ENTRY_HEAD);
	hf_bind_u64(st, 1, u->id);
	hf_bind_u64(st, 2, sum);
	hf_bind_span(st, 3, u->head);
	err = hf_shelf_run(db, st);
	if (err || old == u->head.len)
		return err;
	err = hf_shelf_row_recount(db, cache, use->bytes, use->bytes - old + u->head.len);
	use->bytes = use->bytes - old + u->head.len;
	return err;
}

static int update_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_update *u = hf_container_of(op, struct hf_shelf_update, op);
	struct hf_shelf_use use;
	struct hf_shelf_row *row;
	int err = hf_shelf_row_live(db, hf_shelf_cache_of(u->id), &row);

	if (!err)
		err = hf_shelf_use_get(db, u->id, &use);
	if (err)
		return err == HF_ECORRUPT && !db->hard ? HF_ENOENT : err;
	use.state = u->state;
	if (u->head.len > 0)
		err = set_head(db, u, &use);
	return err ? err : hf_shelf_use_set(db, u->id, &use);
}

void hf_shelf_update(struct hf_shelf *s, struct hf_shelf_update *u)
{
	hf_shelf_submit(s, &u->op, update_run, true);
}

/* ---- op: touch ---- */

static int touch_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_touch *t = hf_container_of(op, struct hf_shelf_touch, op);

	for (size_t i = 0; i < t->n; i++) {
		struct hf_shelf_use use;
		int err = hf_shelf_use_get(db, t->ids[i], &use);

		if (!err && use.state.used_dev_ms < t->used_dev_ms[i]) {
			use.state.used_dev_ms = t->used_dev_ms[i];
			hf_shelf_use_set(db, t->ids[i], &use);
		}
		if (db->hard)
			return db->hard;
	}
	return 0;
}

void hf_shelf_touch(struct hf_shelf *s, struct hf_shelf_touch *t)
{
	hf_shelf_submit(s, &t->op, touch_run, true);
}

/* ---- op: remove ---- */

static int remove_run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct hf_shelf_remove *r = hf_container_of(op, struct hf_shelf_remove, op);
	struct hf_shelf_variant v[HF_SHELF_NUMBERS];
	struct hf_shelf_row *row;
	unsigned n;
	int err;

	r->removed = 0;
	err = hf_shelf_row_live(db, r->id ? hf_shelf_cache_of(r->id) : r->cache, &row);
	if (err)
		return err == HF_ENOENT ? 0 : err;
	if (r->id)
		return hf_shelf_entry_delete(db, r->id, &r->removed);
	err = hf_shelf_variants(db, hf_shelf_key_of(db->seed, r->cache, r->url), r->url, v, &n);
	for (unsigned i = 0; i < n && !err; i++) {
		if (v[i].same_url)
			err = hf_shelf_entry_delete(db, v[i].id, &r->removed);
	}
	return err;
}

void hf_shelf_remove(struct hf_shelf *s, struct hf_shelf_remove *r)
{
	hf_shelf_submit(s, &r->op, remove_run, true);
}
