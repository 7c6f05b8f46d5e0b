/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "store/rows.h"
#include "store/salvage.h"

/* Ordinals left out behind the last readable record of a lane, so that none is
 * given twice. */
#define ORDINALS_SKIPPED 1000

/* Head, tail and holes of one lane, counted. */
struct recount {
	uint32_t lane; /* 0: none yet */
	uint64_t head, tail, live, rows_from_head;
	uint64_t stored_head;
};

int hf_salvage_lane_row(struct hf_salvage *v, uint32_t id, struct hf_lane_v *lane)
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
static int lane_row_add(struct hf_salvage *v, uint32_t id)
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

static int lane_row_write(struct hf_salvage *v, uint32_t id, const struct hf_lane_v *lane)
{
	uint8_t bytes[HF_LANE_SIZE];
	sqlite3_stmt *st = hf_db_stmt(&v->to, HF_SQL_LANE_SET);

	hf_lane_encode(lane, bytes);
	hf_bind_u64(st, 1, id);
	hf_bind_span(st, 2, hf_span(bytes, sizeof(bytes)));
	return hf_db_run(&v->to, st);
}

static int recount_end(struct hf_salvage *v, struct recount *c)
{
	struct hf_lane_v lane;
	int err;

	if (!c->lane)
		return 0;
	err = hf_salvage_lane_row(v, c->lane, &lane);
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

static int recount_begin(struct hf_salvage *v, struct recount *c, uint32_t id)
{
	struct hf_lane_v lane = { .head = 1 };
	int err = recount_end(v, c);

	if (!err)
		err = hf_salvage_lane_row(v, id, &lane);
	if (err == HF_ENOENT)
		err = lane_row_add(v, id);
	*c = (struct recount){ .lane = id, .stored_head = lane.head };
	return err;
}

/* A waiting record without a request. */
static int bury(struct hf_salvage *v, uint64_t id, struct hf_row *row)
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

static int recount_row(struct hf_salvage *v, struct recount *c, uint64_t id, struct hf_row *row)
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
static int next_record(struct hf_salvage *v, uint64_t from, uint64_t *id, struct hf_row *row)
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

static int recount_lanes(struct hf_salvage *v)
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

static int lane_is_empty(struct hf_salvage *v, uint32_t id, bool *empty)
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
static int recount_empty(struct hf_salvage *v)
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
	return err ? err : hf_sql_map(rc);
}

int hf_salvage_lanes(struct hf_salvage *v)
{
	int err = recount_lanes(v);

	return err ? err : recount_empty(v);
}
