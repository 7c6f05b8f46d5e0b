/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Salvage: what can be read of a damaged database goes into a new one beside
 * it, the next generation.
 *
 *   1. queue-<n+1>.db is made anew (a leftover of a salvage that was cut off
 *      is deleted first: the marker does not name it)
 *   2. rows are copied without a journal; user_version stays 0
 *   3. one transaction with a journal sets user_version: the file is finished
 *      and synced
 *   4. the marker names it
 *
 * The damaged files are only read. A power cut before 4 leaves the marker on
 * the damaged generation, and the next start salvages again; after 4 the new
 * one is opened like any other. The damaged files stay where they are.
 *
 * record and request hold enough of each other that losing a page of one
 * loses no request: a request whose record is unreadable gets a new record
 * (taken as maybe received). A waiting record whose request is gone for good
 * becomes DEAD with HF_RECORD_REASON_DAMAGED.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/rows.h"
#include "store/schema.h"
#include "store/sieve.h"
#include "store/store_private.h"
#include "store/template.h"
#include "store/walk.h"

/* Ordinals left out behind the last readable record of a lane, so that none is
 * given twice. */
#define ORDINALS_SKIPPED 1000

struct salvage {
	struct hf_store *store;
	struct hf_db from, to;
	uint32_t generation; /* of to */
	unsigned faults;
	bool io;
	bool records_hurt;   /* reads of record or lane failed */
	bool requests_hurt;  /* reads of request failed */
	uint64_t blob_floor; /* the largest blob that is referred to */
	uint64_t saved, lost;
	sqlite3_stmt *add; /* of the table being copied */
	struct hf_template template;
};

/* ---- files ---- */

static int delete_generation(struct hf_store *s, uint32_t generation)
{
	static const char *const suffix[] = { "-journal", "-wal", "" };
	char path[HF_PATH_MAX], name[HF_PATH_MAX];
	int err = 0;

	hf_path_database(s, generation, path);
	for (size_t i = 0; i < 3 && !err; i++) {
		snprintf(name, sizeof(name), "%.*s%s", HF_PATH_MAX - 16, path, suffix[i]);
		err = hf_vfs_delete(&s->vfs, name);
	}
	return err;
}

/* The next generation, or without a marker the first number that is free. */
static int choose_generation(struct salvage *v)
{
	struct hf_store *s = v->store;
	char path[HF_PATH_MAX];
	bool there = true;
	int err = 0;

	v->generation = s->marker.generation + 1;
	if (s->marker.valid)
		return delete_generation(s, v->generation);
	while (there && !err) {
		hf_path_database(s, v->generation, path);
		err = hf_vfs_exists(&s->vfs, path, &there);
		if (there)
			v->generation++;
	}
	return err;
}

static int make_target(struct salvage *v)
{
	char path[HF_PATH_MAX];
	int err;

	hf_path_database(v->store, v->generation, path);
	err = hf_db_open(&v->to, &v->store->vfs, path);
	if (!err)
		err = hf_db_exec(&v->to, "BEGIN IMMEDIATE");
	if (!err)
		err = hf_schema_tables(&v->to);
	if (!err)
		err = hf_db_exec(&v->to, "COMMIT");
	/* from here on the file is worth nothing until it is sealed */
	if (!err)
		err = hf_db_exec(&v->to, "PRAGMA journal_mode=OFF; BEGIN");
	return err;
}

static int seal_target(struct salvage *v)
{
	int err = hf_db_exec(&v->to, "COMMIT; PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;"
				     "BEGIN IMMEDIATE");

	if (!err)
		err = hf_schema_seal(&v->to);
	return err ? err : hf_db_exec(&v->to, "COMMIT");
}

/* ---- copying tables ---- */

static int add_copy(struct salvage *v, sqlite3_stmt *st)
{
	int n = sqlite3_column_count(st);

	sqlite3_reset(v->add);
	for (int i = 0; i < n; i++)
		sqlite3_bind_value(v->add, i + 1, sqlite3_column_value(st, i));
	v->to.hard = 0;
	return hf_db_run(&v->to, v->add);
}

static int copy_row(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	(void)rowid;
	return add_copy(w->user, st);
}

static int copy_table(struct salvage *v, const char *table, const char *columns, const char *add,
		      int (*row)(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st))
{
	struct hf_walk w = {
		.from = &v->from, .table = table, .columns = columns, .row = row, .user = v
	};
	int rc = sqlite3_prepare_v2(v->to.sql, add, -1, &v->add, NULL);
	int err = hf_db_map(rc);

	if (!err)
		err = hf_walk_table(&w);
	sqlite3_finalize(v->add);
	v->add = NULL;
	v->faults += w.faults;
	v->io |= w.io;
	if (w.faults && (strcmp(table, "record") == 0 || strcmp(table, "lane") == 0))
		v->records_hurt = true;
	if (w.faults && strcmp(table, "request") == 0)
		v->requests_hurt = true;
	return err;
}

static int copy_record(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	struct salvage *v = w->user;
	struct hf_row row;

	if (HF_RECORD_LANE(rowid) == 0 || hf_row_decode(hf_column_span(st, 1), &row)) {
		v->records_hurt = true;
		return 0;
	}
	return add_copy(v, st);
}

static int copy_lane(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	struct hf_lane_v lane;

	if (rowid == 0 || rowid >> HF_LANE_BITS || hf_lane_decode(hf_column_span(st, 1), &lane)) {
		((struct salvage *)w->user)->records_hurt = true;
		return 0;
	}
	return add_copy(w->user, st);
}

static void see_blob(struct salvage *v, uint64_t blob)
{
	if (blob > v->blob_floor)
		v->blob_floor = blob;
}

/* A final record for an answer whose record is unreadable. */
static int rebuild_final(struct salvage *v, uint64_t id, uint64_t seq, uint8_t status)
{
	struct hf_row row = { .outcome = seq,
			      .state = { .status = status,
					 .settled_dev_ms = v->store->report.device_ms } };

	return hf_row_add(&v->to, id, &row);
}

/* Rows of outcome or dead: rowid, id, sum, blob, len, summary, head, body. */
static int copy_answer(struct salvage *v, uint64_t seq, sqlite3_stmt *st, uint8_t status)
{
	uint64_t id = hf_column_u64(st, 1);
	struct hf_row row;
	int err = hf_row_get(&v->to, id, &row);

	if (HF_RECORD_LANE(id) == 0)
		return 0;
	if (!err && (row.outcome != seq || !hf_status_final(row.state.status)))
		return 0; /* of a record that was brought back */
	if (err == HF_ENOENT)
		err = rebuild_final(v, id, seq, status);
	see_blob(v, hf_column_u64(st, 3));
	return err ? err : add_copy(v, st);
}

static int copy_outcome(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	return copy_answer(w->user, rowid, st, HF_RECORD_SETTLED);
}

static int copy_dead(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	return copy_answer(w->user, rowid, st, HF_RECORD_DEAD);
}

/* A waiting record for a request whose record is unreadable. */
static int rebuild_waiting(struct salvage *v, uint64_t id, uint64_t seq, struct hf_span born)
{
	struct hf_row row = { .request = seq };

	if (hf_born_decode(born, &row.state))
		return HF_ENOENT;
	row.state.status = HF_RECORD_QUEUED;
	row.state.inflight = true;
	row.state.maybe_received = true;
	row.state.first_sent_dev_ms = row.state.created_dev_ms;
	return hf_row_add(&v->to, id, &row);
}

/* The record says of this request that it is final and lost its link. */
static int relink(struct salvage *v, uint64_t id, uint64_t seq, struct hf_span born,
		  struct hf_row *row)
{
	struct hf_record_state state;

	if (row->request != 0 || hf_born_decode(born, &state))
		return 0;
	row->request = seq;
	row->state.tag = state.tag;
	row->state.created_dev_ms = state.created_dev_ms;
	row->state.created_wall_ms = state.created_wall_ms;
	return hf_row_set(&v->to, id, row);
}

/* Rows of request: rowid, id, sum, blob, len, born, head, body. */
static int copy_request(struct hf_walk *w, uint64_t seq, sqlite3_stmt *st)
{
	struct salvage *v = w->user;
	uint64_t id = hf_column_u64(st, 1), blob = hf_column_u64(st, 3);
	struct hf_span body = hf_column_span(st, 7);
	uint64_t len = blob ? hf_column_u64(st, 4) : body.len;
	struct hf_row row;
	int err;

	if (HF_RECORD_LANE(id) == 0 ||
	    (uint32_t)hf_column_u64(st, 2) !=
		    hf_content_sum(hf_column_span(st, 6), body, blob, len))
		return 0; /* a waiting record without it is counted as lost */
	err = hf_row_get(&v->to, id, &row);
	if (err == HF_ENOENT) {
		err = rebuild_waiting(v, id, seq, hf_column_span(st, 5));
		if (err == HF_ENOENT)
			return 0;
	} else if (!err) {
		err = relink(v, id, seq, hf_column_span(st, 5), &row);
		if (!err && row.request != seq)
			return 0; /* of an earlier record of that number */
	}
	see_blob(v, blob);
	return err ? err : add_copy(v, st);
}

/* A request that the table does not lead to: only when a waiting record asks
 * for it, since pages that were given up hold old ones. */
static int sieved(void *user, const struct hf_sieve_row *r)
{
	struct salvage *v = user;
	struct hf_row row;
	uint64_t blob;
	sqlite3_stmt *st;
	int err = hf_row_get(&v->to, r->id, &row);

	if (err)
		return err == HF_ENOENT ? 0 : err;
	if (hf_status_final(row.state.status) || row.request != r->seq)
		return 0;
	err = hf_request_link(&v->to, r->id, &row, &blob);
	if (err != HF_ENOENT)
		return err;
	see_blob(v, r->blob);
	st = hf_db_stmt(&v->to, HF_SQL_REQUEST_ADD);
	hf_bind_u64(st, 1, r->seq);
	hf_bind_u64(st, 2, r->id);
	hf_bind_u64(st, 3, r->sum);
	hf_bind_body(st, 4, 5, 8, r->body, r->blob, r->len);
	hf_bind_span(st, 6, r->born);
	hf_bind_span(st, 7, r->head);
	return hf_db_run(&v->to, st);
}

static int sieve_requests(struct salvage *v)
{
	struct hf_store *s = v->store;
	char database[HF_PATH_MAX], wal[HF_PATH_MAX];
	struct hf_sieve sieve = {
		.vfs = &s->vfs, .database = database, .wal = wal, .row = sieved, .user = v
	};

	if (!v->requests_hurt)
		return 0;
	hf_path_database(s, s->marker.generation, database);
	hf_path_wal(s, s->marker.generation, wal);
	return hf_sieve_run(&sieve);
}

static int copy_upload(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	see_blob(w->user, rowid);
	return add_copy(w->user, st);
}

#define ANSWER_COLUMNS "id,sum,blob,len,summary,head,body"

static int copy_tables(struct salvage *v)
{
	int err = copy_table(v, "meta", "key,value",
			     "INSERT OR IGNORE INTO meta(rowid,key,value) VALUES(?1,?2,?3)",
			     copy_row);

	if (!err)
		err = copy_table(v, "lane", "v,origin,key",
				 "INSERT OR IGNORE INTO lane(id,v,origin,key) "
				 "VALUES(?1,?2,?3,?4)",
				 copy_lane);
	if (!err)
		err = copy_table(v, "record", "state",
				 "INSERT OR IGNORE INTO record(id,state) VALUES(?1,?2)",
				 copy_record);
	if (!err)
		err = copy_table(v, "outcome", ANSWER_COLUMNS,
				 "INSERT OR IGNORE INTO outcome(seq," ANSWER_COLUMNS ") "
				 "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
				 copy_outcome);
	if (!err)
		err = copy_table(v, "dead", ANSWER_COLUMNS,
				 "INSERT OR IGNORE INTO dead(seq," ANSWER_COLUMNS ") "
				 "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
				 copy_dead);
	if (!err)
		err = copy_table(
			v, "request", "id,sum,blob,len,born,head,body",
			"INSERT OR IGNORE INTO request(seq,id,sum,blob,len,born,head,body) "
			"VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
			copy_request);
	if (!err)
		err = copy_table(v, "upload", "gone",
				 "INSERT OR IGNORE INTO upload(blob,gone) VALUES(?1,?2)",
				 copy_upload);
	if (!err)
		err = copy_table(v, "blob", "data",
				 "INSERT OR IGNORE INTO blob(id,data) VALUES(?1,?2)", copy_row);
	return err;
}

/* ---- making it whole ---- */

/* Head, tail and holes of one lane, counted. */
struct recount {
	uint32_t lane; /* 0: none yet */
	uint64_t head, tail, live, rows_from_head;
	uint64_t stored_head;
};

static int lane_row_read(struct salvage *v, uint32_t id, struct hf_lane_v *lane)
{
	sqlite3_stmt *st = hf_db_stmt(&v->to, HF_SQL_LANE_GET);
	int got;

	hf_bind_u64(st, 1, id);
	got = hf_db_step(&v->to, st);
	if (got > 0)
		got = hf_lane_decode(hf_column_span(st, 0), lane);
	else if (got == 0)
		got = HF_ENOENT;
	hf_db_reset(st);
	return got;
}

/* A lane whose row is unreadable: its name is lost, its records say more. */
static int lane_row_add(struct salvage *v, uint32_t id)
{
	struct hf_lane_v lane = { .head = 1 };
	uint8_t bytes[HF_LANE_SIZE];
	char key[32];
	sqlite3_stmt *st = hf_db_stmt(&v->to, HF_SQL_LANE_ADD);

	v->records_hurt = true;
	hf_lane_encode(&lane, bytes);
	snprintf(key, sizeof(key), "salvaged-lane-%u", id);
	hf_bind_u64(st, 1, id);
	hf_bind_span(st, 2, hf_span(bytes, sizeof(bytes)));
	hf_bind_span(st, 3, hf_span(NULL, 0));
	hf_bind_span(st, 4, hf_span_str(key));
	return hf_db_run(&v->to, st);
}

static int lane_row_write(struct salvage *v, uint32_t id, const struct hf_lane_v *lane)
{
	uint8_t bytes[HF_LANE_SIZE];
	sqlite3_stmt *st = hf_db_stmt(&v->to, HF_SQL_LANE_SET);

	hf_lane_encode(lane, bytes);
	hf_bind_u64(st, 1, id);
	hf_bind_span(st, 2, hf_span(bytes, sizeof(bytes)));
	return hf_db_run(&v->to, st);
}

static int recount_end(struct salvage *v, struct recount *c)
{
	struct hf_lane_v lane;
	int err;

	if (!c->lane)
		return 0;
	err = lane_row_read(v, c->lane, &lane);
	if (err)
		return err;
	if (lane.tail > c->tail)
		c->tail = lane.tail;
	/* what the lane's row says was waiting and is not here */
	if (c->tail + 1 > lane.head && c->tail + 1 - lane.head > lane.holes + c->rows_from_head)
		v->lost += c->tail + 1 - lane.head - lane.holes - c->rows_from_head;
	if (v->records_hurt)
		c->tail += ORDINALS_SKIPPED;
	if (!c->head)
		c->head = c->tail + 1;
	lane = (struct hf_lane_v){ .head = c->head,
				   .tail = c->tail,
				   .holes = c->tail + 1 - c->head - c->live };
	return lane_row_write(v, c->lane, &lane);
}

static int recount_begin(struct salvage *v, struct recount *c, uint32_t id)
{
	struct hf_lane_v lane = { .head = 1 };
	int err = recount_end(v, c);

	if (!err)
		err = lane_row_read(v, id, &lane);
	if (err == HF_ENOENT)
		err = lane_row_add(v, id);
	*c = (struct recount){ .lane = id, .stored_head = lane.head };
	return err;
}

/* A waiting record without a request. */
static int bury(struct salvage *v, uint64_t id, struct hf_row *row)
{
	sqlite3_stmt *st;
	int err = hf_seq_next(&v->to, &v->to.dead_next, HF_SQL_DEAD_MAX, &row->outcome);

	if (err)
		return err;
	row->state.status = HF_RECORD_DEAD;
	row->state.reason = HF_RECORD_REASON_DAMAGED;
	row->state.settled_dev_ms = v->store->report.device_ms;
	row->request = 0;
	v->lost++;
	st = hf_db_stmt(&v->to, HF_SQL_DEAD_ADD);
	hf_bind_u64(st, 1, row->outcome);
	hf_bind_u64(st, 2, id);
	hf_bind_u64(st, 3, hf_content_sum(hf_span(NULL, 0), hf_span(NULL, 0), 0, 0));
	hf_bind_body(st, 4, 5, 8, hf_span(NULL, 0), 0, 0);
	hf_bind_span(st, 6, hf_span(NULL, 0));
	hf_bind_span(st, 7, hf_span(NULL, 0));
	return hf_db_run(&v->to, st);
}

static int recount_row(struct salvage *v, struct recount *c, uint64_t id, struct hf_row *row)
{
	uint64_t ordinal = hf_ordinal(id), blob;
	bool changed = false;
	int err = 0;

	if (!hf_status_final(row->state.status)) {
		err = hf_request_link(&v->to, id, row, &blob);
		if (err == HF_ENOENT) {
			err = bury(v, id, row);
			changed = true;
		}
	}
	if (err)
		return err;
	c->tail = ordinal;
	if (ordinal >= c->stored_head)
		c->rows_from_head++;
	if (!hf_status_final(row->state.status)) {
		c->live++;
		if (!c->head)
			c->head = ordinal;
	} else if (row->hole != (c->head != 0)) {
		row->hole = c->head != 0;
		changed = true;
	}
	v->saved++;
	return changed ? hf_row_set(&v->to, id, row) : 0;
}

/* The first record from @from on; HF_ENOENT behind the last. */
static int next_record(struct salvage *v, uint64_t from, uint64_t *id, struct hf_row *row)
{
	sqlite3_stmt *st = hf_db_stmt(&v->to, HF_SQL_RECORD_FROM);
	int got;

	hf_bind_u64(st, 1, from);
	hf_bind_u64(st, 2, INT64_MAX);
	got = hf_db_step(&v->to, st);
	if (got > 0) {
		*id = hf_column_u64(st, 0);
		got = hf_row_decode(hf_column_span(st, 1), row);
	} else if (got == 0) {
		got = HF_ENOENT;
	}
	hf_db_reset(st);
	return got;
}

static int recount_lanes(struct salvage *v)
{
	struct recount c = { .lane = 0 };
	struct hf_row row;
	uint64_t id = 0;
	int err = 0;

	while (!err) {
		err = next_record(v, id + 1, &id, &row);
		if (!err && HF_RECORD_LANE(id) != c.lane)
			err = recount_begin(v, &c, HF_RECORD_LANE(id));
		if (!err)
			err = recount_row(v, &c, id, &row);
	}
	return err == HF_ENOENT ? recount_end(v, &c) : err;
}

static int lane_is_empty(struct salvage *v, uint32_t id, bool *empty)
{
	sqlite3_stmt *st = hf_db_stmt(&v->to, HF_SQL_RECORD_LAST);
	int got;

	hf_bind_u64(st, 1, HF_RECORD_ID(id, 0));
	hf_bind_u64(st, 2, HF_RECORD_ID(id, HF_ORDINAL_MASK));
	got = hf_db_step(&v->to, st);
	hf_db_reset(st);
	*empty = got == 0;
	return got < 0 ? got : 0;
}

/* Lanes that have a row but no record (any more). */
static int recount_empty(struct salvage *v)
{
	sqlite3_stmt *st = NULL;
	int err = 0, rc;

	rc = sqlite3_prepare_v2(v->to.sql, "SELECT id FROM lane", -1, &st, NULL);
	while (rc == SQLITE_OK && !err && sqlite3_step(st) == SQLITE_ROW) {
		struct recount c = { .lane = (uint32_t)hf_column_u64(st, 0) };
		bool empty;

		err = lane_is_empty(v, c.lane, &empty);
		if (!err && empty)
			err = recount_end(v, &c);
	}
	sqlite3_finalize(st);
	return err ? err : hf_db_map(rc);
}

static int store_floor(struct salvage *v)
{
	uint8_t bytes[8];

	hf_put_le(bytes, v->blob_floor, sizeof(bytes));
	return hf_meta_put(&v->to, "blob_floor", hf_span(bytes, sizeof(bytes)));
}

/* ---- all of it ---- */

static int source_is_readable(struct salvage *v)
{
	enum hf_schema_found found;
	int err = hf_schema_inspect(&v->from, &found);

	return err || found == HF_SCHEMA_CURRENT ? err : HF_ECORRUPT;
}

/* The source as if its header and schema were whole. */
static int open_patched(struct salvage *v, const char *path)
{
	struct hf_vfs *vfs = &v->store->vfs;
	char fresh[HF_PATH_MAX];
	uint64_t size;
	int err;

	hf_path_database(v->store, v->generation, fresh);
	err = hf_vfs_size(vfs, path, &size);
	if (!err)
		err = hf_template_read(&v->template, vfs, fresh, size);
	if (err)
		return err;
	vfs->patch_path = path;
	vfs->patch = hf_template_patch;
	vfs->patch_user = &v->template;
	hf_db_close(&v->from);
	err = hf_db_open(&v->from, vfs, path);
	vfs->patch_path = NULL;
	return err;
}

static int open_source(struct salvage *v)
{
	char path[HF_PATH_MAX];
	int err;

	hf_path_database(v->store, v->store->marker.generation, path);
	err = hf_db_open(&v->from, &v->store->vfs, path);
	if (!err)
		err = source_is_readable(v);
	if (err == HF_ECORRUPT || err == HF_EIO) {
		v->faults++;
		err = open_patched(v, path);
	}
	return err;
}

static int fill_target(struct salvage *v)
{
	int err = copy_tables(v);

	v->to.hard = 0;
	if (!err)
		err = sieve_requests(v);
	if (!err)
		err = recount_lanes(v);
	if (!err)
		err = recount_empty(v);
	return err ? err : store_floor(v);
}

static int build(struct salvage *v)
{
	int err = choose_generation(v);

	if (!err)
		err = make_target(v);
	if (!err)
		err = open_source(v);
	if (!err)
		err = fill_target(v);
	/* a medium that reads nothing at all may read again later */
	if (!err && v->io && v->saved == 0)
		err = HF_EIO;
	if (!err)
		err = seal_target(v);
	hf_db_close(&v->from);
	hf_db_close(&v->to);
	return err;
}

static void report_salvage(struct hf_store *s, const struct salvage *v, uint32_t old)
{
	struct hf_store_report *r = &s->report;

	r->salvaged = true;
	r->rows_saved = v->saved;
	r->rows_lost = v->lost;
	r->salvages_total = s->marker.salvages;
	snprintf(r->quarantine, sizeof(r->quarantine), "queue-%u.db", old);
	s->salvaged = true;
}

static int switch_over(struct hf_store *s, const struct salvage *v)
{
	struct hf_marker next = s->marker;
	char path[HF_PATH_MAX];
	int err;

	next.generation = v->generation;
	next.salvages++;
	hf_path_marker(s, path);
	err = hf_marker_write(&s->vfs, path, &next);
	if (!err)
		s->marker = next;
	return err;
}

int hf_salvage_run(struct hf_store *s, bool io)
{
	struct salvage *v = calloc(1, sizeof(*v));
	uint32_t old = s->marker.generation;
	int err;

	if (!v)
		return HF_ENOMEM;
	hf_db_close(&s->db);
	v->store = s;
	v->io = io;
	err = build(v);
	if (err == HF_EFULL && hf_reserve_release(s)) {
		*v = (struct salvage){ .store = s, .io = io };
		err = build(v);
	}
	if (!err)
		err = switch_over(s, v);
	if (!err) {
		report_salvage(s, v, old);
		err = hf_open_current(s);
	}
	free(v);
	return err;
}
