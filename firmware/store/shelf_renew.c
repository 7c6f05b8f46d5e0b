/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged database is renewed: what can be read and is what was stored goes into
 * the other file, ids and all, the pinned caches first. That ends after a while and
 * when the medium is full; what is left behind can be fetched again, so the damaged
 * file is deleted. The active precache stays active without a file that it has lost.
 */
#include <stdlib.h>

#include "store/shelf_private.h"
#include "store/shelf_rows.h"
#include "store/walk.h"

#define TIME_US	   3000000
#define COMMIT_AT  64	/* entries */
#define FRAMES_MAX 1024 /* of the log, then it is copied back */

struct renewal {
	struct hf_shelf *s;
	struct hf_shelf_db *from, *to;
	bool pinned; /* the pass that copies the pinned caches */
	bool keeps_ids;
	uint64_t until_us;
	uint64_t kept;
	unsigned uncommitted;
	uint32_t boot; /* the highest that was seen */
};

static int statement(struct hf_shelf_db *db, enum hf_shelf_statement which)
{
	return hf_shelf_run(db, hf_shelf_stmt(db, which));
}

static int commit(struct renewal *r)
{
	int err;

	hf_shelf_db_settle(r->to);
	err = statement(r->to, HF_SHELF_COMMIT);
	r->uncommitted = 0;
	if (!err && r->to->wal_frames > FRAMES_MAX)
		err = hf_shelf_db_checkpoint(r->to, false);
	return err ? err : statement(r->to, HF_SHELF_BEGIN);
}

/* ---- caches ---- */

static int copy_cache(struct hf_walk *w, uint64_t id, sqlite3_stmt *st)
{
	struct renewal *r = w->user;
	struct hf_shelf_row row = { .owner = hf_column_span(st, 2), .name = hf_column_span(st, 3) };
	uint32_t given;

	if (id >> HF_SHELF_CACHE_BITS ||
	    hf_shelf_cache_decode((uint32_t)id, hf_column_span(st, 1), row.owner, row.name,
				  &row.v) ||
	    row.v.state == HF_SHELF_DROPPED || hf_shelf_row(r->to, (uint32_t)id))
		return 0;
	row.id = (uint32_t)id;
	row.v.entries = 0;
	row.v.bytes = 0;
	return hf_shelf_row_add(r->to, &row, &given);
}

/* ---- bodies ---- */

/* 0 and *whole. */
static int copy_pieces(struct renewal *r, uint64_t body, uint64_t len, bool *whole)
{
	uint64_t done = 0;
	int err = hf_shelf_loose(r->to, body, true);

	for (uint32_t n = 0; done < len && !err; n++) {
		struct hf_span data;

		r->from->hard = 0;
		if (hf_shelf_piece_get(r->from, body, n, &data))
			return 0;
		err = hf_shelf_piece_add(r->to, body, n, data);
		done += data.len;
	}
	if (!err && done == len)
		err = hf_shelf_loose_end(r->to, body);
	*whole = !err && done == len;
	return err;
}

static int copy_body(struct renewal *r, uint64_t body, bool *whole)
{
	struct hf_shelf_body_row b;
	uint64_t there = 0;
	int err = body ? hf_shelf_body_get(r->to, body, &b) : 0;

	*whole = true;
	if (!body)
		return 0;
	if (!err)
		return hf_shelf_body_ref(r->to, body);
	if (r->to->hard)
		return r->to->hard;
	r->from->hard = 0;
	*whole = false;
	err = hf_shelf_number(r->to, HF_SHELF_LOOSE_THERE, body, &there);
	if (err || there || hf_shelf_body_get(r->from, body, &b))
		return err;
	*whole = b.has_data && b.data.len == b.v.len;
	if (!b.has_data)
		err = copy_pieces(r, body, b.v.len, whole);
	return err || !*whole ? err :
				hf_shelf_body_add(r->to, body, &b.v, b.has_data ? &b.data : NULL);
}

/* ---- entries ---- */

/* Its seed is lost: the key is another one. */
static uint64_t new_id(struct renewal *r, uint64_t id, struct hf_span url)
{
	uint64_t key = hf_shelf_key_of(r->to->seed, hf_shelf_cache_of(id), url);

	return key << HF_SHELF_NUMBER_BITS | id % HF_SHELF_NUMBERS;
}

static int copy_texts(struct renewal *r, uint64_t id, const struct hf_shelf_use *u)
{
	sqlite3_stmt *st = hf_shelf_stmt(r->from, HF_SHELF_ENTRY_GET);
	struct hf_span url, note, head;
	bool whole = false;
	int err = 0;

	hf_bind_u64(st, 1, id);
	if (hf_shelf_step(r->from, st) <= 0)
		return 0;
	url = hf_column_span(st, 1);
	note = hf_column_span(st, 2);
	head = hf_column_span(st, 3);
	if (hf_column_u64(st, 0) == hf_shelf_entry_sum(id, url, note, head))
		err = copy_body(r, u->body, &whole);
	if (!err && whole) {
		if (!r->keeps_ids)
			id = new_id(r, id, url);
		err = hf_shelf_entry_add(r->to, id, u, url, note, head);
		r->kept++;
		r->uncommitted++;
	}
	hf_sql_reset(st);
	return err;
}

/* @number has the start that it is of in its upper half. */
static void note_start(struct renewal *r, uint64_t number)
{
	if (number >> 32 > r->boot)
		r->boot = (uint32_t)(number >> 32);
}

static int copy_entry(struct hf_walk *w, uint64_t id, sqlite3_stmt *st)
{
	struct renewal *r = w->user;
	struct hf_shelf_row *row = hf_shelf_row(r->to, hf_shelf_cache_of(id));
	struct hf_shelf_use u, twice;
	int err;

	if (r->s->port->boottime_us(r->s->port) > r->until_us)
		return HF_ETIMEDOUT;
	if (!row || (row->v.kind == HF_SHELF_PRECACHE) != r->pinned ||
	    hf_shelf_use_decode(id, hf_column_span(st, 1), &u))
		return r->to->hard;
	note_start(r, u.number);
	note_start(r, u.seq);
	r->from->hard = 0;
	if (r->keeps_ids && !hf_shelf_use_get(r->to, id, &twice))
		return 0;
	err = copy_texts(r, id, &u);
	return !err && r->uncommitted >= COMMIT_AT ? commit(r) : err;
}

static int walk(struct renewal *r, const char *table, const char *columns,
		int (*row)(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st))
{
	struct hf_walk w = {
		.from = r->from->sql, .table = table, .columns = columns, .row = row, .user = r
	};

	return hf_walk_table(&w);
}

/* What the old file says of its caches against what came along. */
static int compare(struct hf_walk *w, uint64_t id, sqlite3_stmt *st)
{
	struct renewal *r = w->user;
	struct hf_span owner = hf_column_span(st, 2), name = hf_column_span(st, 3);
	struct hf_shelf_row *row = id >> HF_SHELF_CACHE_BITS ? NULL :
							       hf_shelf_row(r->to, (uint32_t)id);
	struct hf_shelf_cache_v v;

	if (!row || hf_shelf_cache_decode(row->id, hf_column_span(st, 1), owner, name, &v))
		return r->to->hard;
	if (v.entries <= row->v.entries)
		return 0;
	r->s->report.lost += v.entries - row->v.entries;
	if (row->v.kind != HF_SHELF_PRECACHE || row->v.state == HF_SHELF_ACTIVE)
		return 0;
	row->v.state = HF_SHELF_INACTIVE;
	return hf_shelf_row_store(r->to, row);
}

static int copy_all(struct renewal *r)
{
	int err = statement(r->to, HF_SHELF_BEGIN);

	if (!err)
		err = walk(r, "cache", "v,owner,name", copy_cache);
	r->pinned = true;
	if (!err)
		err = walk(r, "use", "v", copy_entry);
	r->pinned = false;
	if (!err)
		err = walk(r, "use", "v", copy_entry);
	if (err == HF_ETIMEDOUT)
		err = 0;
	if (!err)
		err = walk(r, "cache", "v,owner,name", compare);
	hf_shelf_db_settle(r->to);
	return err ? err : statement(r->to, HF_SHELF_COMMIT);
}

/* ---- the whole ---- */

static void take_meta(struct renewal *r)
{
	uint8_t run[5];

	r->from->hard = 0;
	if (!hf_shelf_meta_get(r->from, "run", run, sizeof(run)))
		r->boot = (uint32_t)hf_get_le(run, 4);
	r->from->hard = 0;
	if (!r->to->proof_known && hf_shelf_proof_load(r->from, &r->to->proof))
		r->from->hard = 0;
	r->keeps_ids =
		!hf_shelf_meta_get(r->from, "seed", (uint8_t *)r->to->seed, sizeof(r->to->seed));
}

/* The new file, not yet sealed, with all that could be had. */
static int fill(struct renewal *r, uint32_t generation)
{
	char path[HF_SHELF_PATH_MAX];
	int err;

	hf_shelf_path(r->s, generation, path);
	err = hf_shelf_db_open(r->to, &r->s->vfs, path, true);
	if (err)
		return err;
	take_meta(r);
	if (!r->keeps_ids)
		memcpy(r->to->seed, r->s->fresh_seed, sizeof(r->to->seed));
	err = hf_shelf_meta_put(r->to, "seed", hf_span(r->to->seed, sizeof(r->to->seed)));
	if (!err)
		err = hf_shelf_proof_store(r->to);
	return err ? err : copy_all(r);
}

static int copy(struct renewal *r, uint32_t generation)
{
	struct hf_shelf *s = r->s;
	char path[HF_SHELF_PATH_MAX];
	int err = hf_shelf_generation_delete(s, generation);

	hf_shelf_path(s, s->generation, path);
	if (!err)
		err = hf_shelf_db_open(r->from, &s->vfs, path, false);
	if (!err)
		err = fill(r, generation);
	if (!err) {
		uint8_t run[5] = { 0 };

		hf_put_le(run, r->boot, 4);
		err = hf_shelf_meta_put(r->to, "run", hf_span(run, sizeof(run)));
	}
	if (!err)
		err = hf_shelf_db_seal(r->to, generation);
	hf_shelf_db_close(r->from);
	if (err) {
		hf_shelf_db_roll_back(r->to);
		hf_shelf_db_close(r->to);
	}
	return err;
}

/* Nothing could be copied: the damaged file makes room for an empty one. */
static int begin_anew(struct hf_shelf *s, uint32_t generation, uint32_t boot)
{
	uint8_t run[5] = { 0 };
	int err = hf_shelf_generation_delete(s, generation);

	if (!err)
		err = hf_shelf_generation_delete(s, s->generation);
	if (!err)
		err = hf_shelf_create_file(s, &s->db, generation);
	if (err)
		return err;
	hf_put_le(run, boot, 4);
	s->report.lost++;
	return hf_shelf_meta_put(&s->db, "run", hf_span(run, sizeof(run)));
}

int hf_shelf_renew_run(struct hf_shelf *s)
{
	struct hf_shelf_db *from = calloc(1, sizeof(*from));
	struct renewal r = { .s = s, .from = from, .to = &s->db };
	uint32_t generation = s->generation + 1;
	int err = from ? 0 : HF_ENOMEM;

	r.until_us = s->port->boottime_us(s->port) + TIME_US;
	r.boot = s->report.boot;
	hf_shelf_db_close(&s->db);
	s->db.hard = 0;
	s->db.bad_n = 0;
	s->report.renewed = true;
	s->report.lost = 0;
	if (!err)
		err = copy(&r, generation);
	free(from);
	if (err == HF_EIO || err == HF_ENOMEM)
		return err; /* the damaged file stays: it may be read later */
	if (err)
		err = begin_anew(s, generation, r.boot);
	else
		hf_shelf_generation_delete(s, s->generation);
	s->generation = generation;
	if (!err)
		err = hf_shelf_adopt_file(s);
	s->boot_due = true;
	s->renewed = true;
	return err == HF_EFULL ? hf_shelf_nowhere(s) : err;
}
