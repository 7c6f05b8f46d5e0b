/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, row by row. record goes before outcome, dead and request, which
 * are checked against it: an answer or a request that its record does not name
 * is of an earlier life, one without a record makes a new one. blob goes before
 * request, which is nothing without the whole of its body.
 */
#include "holdfast/policy.h"
#include "store/rows.h"
#include "store/salvage.h"
#include "store/sieve.h"
#include "store/walk.h"

static int add_copy(struct hf_salvage *v, sqlite3_stmt *st)
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

static int copy_table(struct hf_salvage *v, const char *table, const char *columns, const char *add,
		      int (*row)(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st))
{
	struct hf_walk w = {
		.from = v->from.sql, .table = table, .columns = columns, .row = row, .user = v
	};
	int rc = sqlite3_prepare_v2(v->to.sql, add, -1, &v->add, NULL);
	int err = hf_sql_map(rc);

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

/* It may have been sent since. */
static void doubt(struct hf_record_state *state)
{
	if (!state->maybe_received)
		state->first_sent_dev_ms = state->created_dev_ms;
	state->maybe_received = true;
	state->inflight |= state->status == HF_RECORD_QUEUED;
}

/* An old page may hold what a newer one has too, since it was split. */
static int copy_doubted(struct hf_salvage *v, uint64_t rowid, struct hf_row *row)
{
	struct hf_row known;
	int err = hf_row_get(&v->to, rowid, &known);

	if (err != HF_ENOENT)
		return err;
	doubt(&row->state);
	return hf_row_add(&v->to, rowid, row);
}

static int copy_record(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	struct hf_salvage *v = w->user;
	struct hf_row row;

	if (HF_RECORD_LANE(rowid) == 0 || hf_row_decode(hf_column_span(st, 1), &row)) {
		v->records_hurt = true;
		return 0;
	}
	if (v->stale && !hf_status_final(row.state.status))
		return copy_doubted(v, rowid, &row);
	return add_copy(v, st);
}

static int copy_lane(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	struct hf_lane_v lane;

	if (rowid == 0 || rowid >> HF_LANE_BITS || hf_lane_decode(hf_column_span(st, 1), &lane)) {
		((struct hf_salvage *)w->user)->records_hurt = true;
		return 0;
	}
	return add_copy(w->user, st);
}

static void see_blob(struct hf_salvage *v, uint64_t blob)
{
	if (blob > v->blob_floor)
		v->blob_floor = blob;
}

/* A final record for an answer whose record is unreadable. */
static int rebuild_final(struct hf_salvage *v, uint64_t id, uint64_t seq, uint8_t status)
{
	struct hf_row row = { .outcome = seq,
			      .state = { .status = status,
					 .reason = HF_RECORD_REASON_DAMAGED,
					 .settled_dev_ms = v->store->report.device_ms } };

	return hf_row_add(&v->to, id, &row);
}

/* Rows of outcome or dead: rowid, id, sum, blob, len, summary, head, body. */
static int copy_answer(struct hf_salvage *v, uint64_t seq, sqlite3_stmt *st, uint8_t status)
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

/* A page that is older than the others may still hold a request whose record
 * became final and was removed. */
static bool is_over(struct hf_salvage *v, uint64_t id)
{
	struct hf_lane_v lane;

	return v->stale && !hf_salvage_lane_row(v, HF_RECORD_LANE(id), &lane) &&
	       hf_ordinal(id) < lane.head;
}

/* A waiting record for a request whose record is unreadable. */
static int rebuild_waiting(struct hf_salvage *v, uint64_t id, uint64_t seq, struct hf_span born)
{
	struct hf_row row = { .request = seq };

	if (hf_born_decode(born, &row.state))
		return HF_ENOENT;
	row.state.status = HF_RECORD_QUEUED;
	row.state.urgency = HF_POLICY_URGENCY;
	doubt(&row.state);
	return hf_row_add(&v->to, id, &row);
}

/* The record says of this request that it is final and lost its link. */
static int relink(struct hf_salvage *v, uint64_t id, uint64_t seq, struct hf_span born,
		  struct hf_row *row)
{
	struct hf_record_state state;

	if (row->request != 0 || row->replaced || hf_born_decode(born, &state))
		return 0;
	row->request = seq;
	row->state.tag = state.tag;
	row->state.created_dev_ms = state.created_dev_ms;
	row->state.created_wall_ms = state.created_wall_ms;
	return hf_row_set(&v->to, id, row);
}

/* Rows of blob: rowid, sum, data. */
static int copy_chunk(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	if (hf_column_u64(st, 1) != hf_blob_sum(rowid, hf_column_span(st, 2)))
		return 0; /* what refers to it is not whole */
	return add_copy(w->user, st);
}

/* The body that a request refers to was read to its end. */
static int look_at_blob(struct hf_salvage *v, uint64_t blob, uint64_t len)
{
	return blob ? hf_blob_whole(&v->to, blob, len) : 0;
}

/* Rows of request: rowid, id, sum, blob, len, born, head, body. */
static int copy_request(struct hf_walk *w, uint64_t seq, sqlite3_stmt *st)
{
	struct hf_salvage *v = w->user;
	uint64_t id = hf_column_u64(st, 1), blob = hf_column_u64(st, 3);
	struct hf_span body = hf_column_span(st, 7);
	uint64_t len = blob ? hf_column_u64(st, 4) : body.len;
	struct hf_row row;
	int err;

	if (HF_RECORD_LANE(id) == 0 ||
	    (uint32_t)hf_column_u64(st, 2) !=
		    hf_content_sum(hf_column_span(st, 6), body, blob, len))
		return 0; /* a waiting record without it is counted as lost */
	err = look_at_blob(v, blob, len);
	if (err)
		return err == HF_ECORRUPT ? 0 : err;
	err = hf_row_get(&v->to, id, &row);
	if (err == HF_ENOENT && is_over(v, id))
		return 0;
	if (err == HF_ENOENT) {
		err = rebuild_waiting(v, id, seq, hf_column_span(st, 5));
		if (err == HF_ENOENT)
			return 0;
	} else if (!err) {
		err = relink(v, id, seq, hf_column_span(st, 5), &row);
		if (!err && (row.replaced || row.request != seq))
			return 0; /* of an earlier record of that number */
	}
	see_blob(v, blob);
	return err ? err : add_copy(v, st);
}

/* A request that the table does not lead to: only when a waiting record asks
 * for it, since pages that were given up hold old ones. */
static int sieved(void *user, const struct hf_sieve_row *r)
{
	struct hf_salvage *v = user;
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
	err = look_at_blob(v, r->blob, r->len);
	if (err)
		return err == HF_ECORRUPT ? 0 : err;
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

static int sieve_requests(struct hf_salvage *v)
{
	struct hf_store *s = v->store;
	char database[HF_PATH_MAX];
	struct hf_sieve sieve = {
		.vfs = &s->vfs, .database = database, .wal = &v->wal, .row = sieved, .user = v
	};

	if (!v->requests_hurt)
		return 0;
	hf_path_database(s, s->marker.generation, database);
	return hf_sieve_run(&sieve);
}

static int copy_upload(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	see_blob(w->user, rowid);
	return add_copy(w->user, st);
}

/* Rows of registration: rowid, sum, worker, tag, value. */
static int copy_registration(struct hf_walk *w, uint64_t rowid, sqlite3_stmt *st)
{
	struct hf_span worker = hf_column_span(st, 2), tag = hf_column_span(st, 3);
	struct hf_span value = hf_column_span(st, 4);

	if (rowid == 0 || hf_column_u64(st, 1) != hf_registration_sum(worker, tag, value))
		return 0;
	return add_copy(w->user, st);
}

/* A database of version 1 has none. */
static int copy_registrations(struct hf_salvage *v)
{
	int64_t version;

	if (hf_db_number(&v->from, "PRAGMA user_version", 0, &version) || version < 2)
		return 0;
	return copy_table(v, "registration", "sum,worker,tag,value",
			  "INSERT OR IGNORE INTO registration(id,sum,worker,tag,value) "
			  "VALUES(?1,?2,?3,?4,?5)",
			  copy_registration);
}

/* Of an earlier version there are none. A link that is lost is not missed before the
 * record that it leads to is purged: the request itself says for whom it waits. */
static int copy_dependents(struct hf_salvage *v)
{
	int64_t version;

	if (hf_db_number(&v->from, "PRAGMA user_version", 0, &version) || version < 3)
		return 0;
	return copy_table(v, "dependent", "parent",
			  "INSERT OR IGNORE INTO dependent(child,parent) VALUES(?1,?2)", copy_row);
}

#define ANSWER_COLUMNS "id,sum,blob,len,summary,head,body"

static int copy_tables(struct hf_salvage *v)
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
		err = copy_table(v, "blob", "sum,data",
				 "INSERT OR IGNORE INTO blob(id,sum,data) VALUES(?1,?2,?3)",
				 copy_chunk);
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
		err = copy_registrations(v);
	return err ? err : copy_dependents(v);
}

/* Chunks whose request is lost. An upload may be under way with its row lost, so
 * they are deleted as leftovers of this run are: after the next start. */
static int list_leftovers(struct hf_salvage *v)
{
	return hf_db_exec(&v->to, "INSERT OR IGNORE INTO upload(blob,gone) "
				  "SELECT DISTINCT id>>24,0 FROM blob WHERE id>>24 NOT IN("
				  "SELECT blob FROM request WHERE blob NOT NULL UNION ALL "
				  "SELECT blob FROM outcome WHERE blob NOT NULL UNION ALL "
				  "SELECT blob FROM dead WHERE blob NOT NULL)");
}

int hf_salvage_copy(struct hf_salvage *v)
{
	int err = copy_tables(v);

	v->to.hard = 0;
	if (!err)
		err = sieve_requests(v);
	return err ? err : list_leftovers(v);
}
