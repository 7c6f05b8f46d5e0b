/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: accepting, reading, marking and bringing back.
 *
 * A record is a small row in `record` (state and links, in lane order) and its
 * request, a large row in `request` in the order of acceptance. So every
 * insert of a body appends to a B-tree whatever the lane, and marking an
 * attempt touches a page that holds no body.
 */
#include <assert.h>

#include "store/rows.h"

/* ---- rows ---- */

int hf_row_get(struct hf_db *db, uint64_t id, struct hf_row *row)
{
	sqlite3_stmt *st;
	int got;

	if (id > INT64_MAX)
		return HF_ENOENT;
	st = hf_db_stmt(db, HF_SQL_RECORD_GET);
	hf_bind_u64(st, 1, id);
	got = hf_db_step(db, st);
	if (got == 0)
		return HF_ENOENT;
	if (got > 0) {
		got = hf_row_decode(hf_column_span(st, 0), row);
		if (got)
			db->hard = got;
	}
	hf_db_reset(st);
	return got;
}

static int row_write(struct hf_db *db, enum hf_statement which, uint64_t id,
		     const struct hf_row *row)
{
	uint8_t bytes[HF_ROW_SIZE];
	sqlite3_stmt *st = hf_db_stmt(db, which);

	hf_row_encode(row, bytes);
	hf_bind_u64(st, 1, id);
	hf_bind_span(st, 2, hf_span(bytes, sizeof(bytes)));
	return hf_db_run(db, st);
}

int hf_row_set(struct hf_db *db, uint64_t id, const struct hf_row *row)
{
	return row_write(db, HF_SQL_RECORD_SET, id, row);
}

int hf_row_add(struct hf_db *db, uint64_t id, const struct hf_row *row)
{
	return row_write(db, HF_SQL_RECORD_ADD, id, row);
}

int hf_row_remove(struct hf_db *db, uint64_t id, const struct hf_row *row)
{
	sqlite3_stmt *st;
	int err = hf_lane_drop(db, id);

	if (!err)
		err = hf_request_remove(db, id, row);
	if (!err)
		err = hf_outcome_remove(db, id, row);
	if (err)
		return err;
	if (row->dependent)
		err = hf_dependent_remove(db, id);
	if (err)
		return err;
	st = hf_db_stmt(db, HF_SQL_RECORD_DEL);
	hf_bind_u64(st, 1, id);
	return hf_db_run(db, st);
}

void hf_row_finished(struct hf_db *db, uint64_t id)
{
	/* past the limit its request goes together with its answer */
	if (db->finished_n < HF_FINISHED_MAX)
		db->finished[db->finished_n++] = id;
}

/* ---- what requests and answers have in common ---- */

int hf_seq_next(struct hf_db *db, uint64_t *cache, enum hf_statement max, uint64_t *out)
{
	if (*cache == 0) {
		sqlite3_stmt *st = hf_db_stmt(db, max);
		int got = hf_db_step(db, st);

		if (got < 0)
			return got;
		*cache = got > 0 ? hf_column_u64(st, 0) + 1 : 1;
		hf_db_reset(st);
	}
	*out = (*cache)++;
	return *out >> 48 ? HF_ELIMIT : 0;
}

uint32_t hf_content_sum(struct hf_span head, struct hf_span body, uint64_t blob, uint64_t body_len)
{
	uint8_t sizes[24];
	uint32_t sum;

	hf_put_le(sizes, head.len, 8);
	hf_put_le(sizes + 8, blob, 8);
	hf_put_le(sizes + 16, body_len, 8);
	sum = hf_crc32(0, hf_span(sizes, sizeof(sizes)));
	sum = hf_crc32(sum, head);
	return hf_crc32(sum, body);
}

void hf_bind_body(sqlite3_stmt *st, int blob_at, int len_at, int body_at, struct hf_span body,
		  uint64_t blob, uint64_t body_len)
{
	if (blob) {
		hf_bind_u64(st, blob_at, blob);
		hf_bind_u64(st, len_at, body_len);
		sqlite3_bind_null(st, body_at);
	} else {
		sqlite3_bind_null(st, blob_at);
		sqlite3_bind_null(st, len_at);
		hf_bind_span(st, body_at, body);
	}
}

int hf_buf_set(struct hf_buf *b, struct hf_span v)
{
	hf_buf_clear(b);
	return hf_buf_append(b, v);
}

/* ---- the request of a record ---- */

int hf_request_link(struct hf_db *db, uint64_t id, const struct hf_row *row, uint64_t *blob)
{
	sqlite3_stmt *st;
	int got;

	*blob = 0;
	if (row->replaced) /* its successor has it */
		return HF_ENOENT;
	st = hf_db_stmt(db, HF_SQL_REQUEST_LINK);
	hf_bind_u64(st, 1, row->request);
	got = hf_db_step(db, st);
	if (got < 0)
		return got;
	/* the number may have been given again after the row was purged */
	if (got > 0 && hf_column_u64(st, 0) != id)
		got = 0;
	*blob = got > 0 ? hf_column_u64(st, 1) : 0;
	hf_db_reset(st);
	return got > 0 ? 0 : HF_ENOENT;
}

int hf_request_remove(struct hf_db *db, uint64_t id, const struct hf_row *row)
{
	sqlite3_stmt *st;
	uint64_t blob;
	int err = hf_request_link(db, id, row, &blob);

	if (err)
		return err == HF_ENOENT ? 0 : err;
	st = hf_db_stmt(db, HF_SQL_REQUEST_DEL);
	hf_bind_u64(st, 1, row->request);
	err = hf_db_run(db, st);
	return err ? err : hf_blob_abandon(db, blob);
}

/* ---- op: insert ---- */

static int request_add(struct hf_db *db, const struct hf_store_insert *i, uint64_t seq)
{
	uint8_t born[HF_BORN_SIZE];
	struct hf_span body = i->blob ? hf_span(NULL, 0) : i->body;
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_REQUEST_ADD);
	int err;

	hf_born_encode(&i->state, born);
	hf_bind_u64(st, 1, seq);
	hf_bind_u64(st, 2, i->id);
	hf_bind_u64(st, 3, hf_content_sum(i->head, body, i->blob, i->body_len));
	hf_bind_body(st, 4, 5, 8, body, i->blob, i->body_len);
	hf_bind_span(st, 6, hf_span(born, sizeof(born)));
	hf_bind_span(st, 7, i->head);
	err = hf_db_run(db, st);
	if (!err && i->blob)
		err = hf_blob_adopt(db, i->blob);
	return err;
}

static int insert_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_insert *i = hf_container_of(op, struct hf_store_insert, op);
	struct hf_row row = { .state = i->state, .dependent = i->parent != 0 };
	struct hf_lane_entry *e;
	uint64_t bytes = i->head.len + HF_ROW_SIZE;
	int err;

	assert(!hf_status_final(i->state.status));
	if (!i->blob) {
		i->body_len = i->body.len;
		bytes += i->body.len;
	}
	err = hf_lane_get(db, i->lane, &e);
	if (!err)
		err = hf_db_room(db, bytes, op->privileged);
	if (err)
		return err;
	if (e->v.tail == HF_ORDINAL_MASK)
		return HF_ELIMIT;
	i->id = HF_RECORD_ID(i->lane, e->v.tail + 1);
	err = i->parent ? hf_dependent_add(db, i->id, i->parent, i->dependents_max) : 0;
	if (!err)
		err = hf_seq_next(db, &db->request_next, HF_SQL_REQUEST_MAX, &row.request);
	if (!err)
		err = hf_row_add(db, i->id, &row);
	if (!err)
		err = request_add(db, i, row.request);
	if (!err)
		e->v.tail++;
	return err;
}

void hf_store_insert(struct hf_store *s, struct hf_store_insert *i)
{
	i->op.run = insert_run;
	i->op.writes = true;
	i->op.privileged = false;
	hf_store_submit(s, &i->op);
}

/* ---- op: load ---- */

static int request_load(struct hf_db *db, const struct hf_row *row, struct hf_store_load *l)
{
	sqlite3_stmt *st;
	struct hf_span body = hf_span(NULL, 0);
	uint32_t sum;
	int got;

	if (row->replaced)
		return 0;
	st = hf_db_stmt(db, l->head_only ? HF_SQL_REQUEST_HEAD : HF_SQL_REQUEST_GET);
	hf_bind_u64(st, 1, row->request);
	got = hf_db_step(db, st);
	if (got <= 0)
		return got;
	if (hf_column_u64(st, 0) != l->id) {
		hf_db_reset(st);
		return 0;
	}
	sum = (uint32_t)hf_column_u64(st, 1);
	l->has_record = true;
	l->blob = hf_column_u64(st, 2);
	l->body_len = hf_column_u64(st, 3);
	got = hf_buf_set(&l->head, hf_column_span(st, 4));
	if (!got && !l->head_only) {
		body = hf_column_span(st, 5);
		got = hf_buf_set(&l->body, body);
		if (!l->blob)
			l->body_len = body.len;
	}
	if (!got && !l->head_only &&
	    sum != hf_content_sum(hf_buf_span(&l->head), body, l->blob, l->body_len))
		got = HF_ECORRUPT; /* this one; the others are judged by their own sum */
	hf_db_reset(st);
	return got;
}

/* The first waiting record of the lane from @id on. */
static int load_next(struct hf_db *db, uint64_t *id, struct hf_row *row)
{
	struct hf_lane_entry *e;
	sqlite3_stmt *st;
	int got, err = hf_lane_get(db, HF_RECORD_LANE(*id), &e);

	if (!err)
		err = hf_lane_resolve(db, e, NULL);
	if (err)
		return err;
	if (hf_ordinal(*id) < e->v.head)
		*id = HF_RECORD_ID(e->id, e->v.head);
	st = hf_db_stmt(db, HF_SQL_RECORD_FROM);
	hf_bind_u64(st, 1, *id);
	hf_bind_u64(st, 2, HF_RECORD_ID(e->id, HF_ORDINAL_MASK));
	while ((got = hf_db_step(db, st)) > 0) {
		err = hf_row_decode(hf_column_span(st, 1), row);
		if (err)
			db->hard = err;
		if (err || !hf_status_final(row->state.status))
			break;
	}
	if (got > 0)
		*id = hf_column_u64(st, 0);
	hf_db_reset(st);
	if (err || got < 0)
		return err ? err : got;
	return got ? 0 : HF_ENOENT;
}

static int load_mark(struct hf_db *db, struct hf_store_load *l, struct hf_row *row)
{
	l->mark_state = l->state;
	l->marked = l->mark && l->has_record && l->mark(l, &l->mark_state);
	if (!l->marked)
		return 0;
	row->state = l->mark_state;
	return hf_row_set(db, l->id, row);
}

/* Each leads to a later one, so this ends. */
static int load_successor(struct hf_db *db, struct hf_store_load *l, struct hf_row row)
{
	uint64_t id = l->id;
	int err = 0;

	l->replaced = row.replaced;
	l->replaced_by = 0;
	while (row.replaced && !err && row.request > hf_ordinal(id)) {
		id = HF_RECORD_ID(HF_RECORD_LANE(id), row.request);
		err = hf_row_get(db, id, &row);
	}
	if (!err && l->replaced && !row.replaced) {
		l->replaced_by = id;
		l->replaced_state = row.state;
	}
	return err == HF_ENOENT ? 0 : err;
}

static int load_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_load *l = hf_container_of(op, struct hf_store_load, op);
	struct hf_row row;
	int err;

	hf_buf_clear(&l->head);
	hf_buf_clear(&l->body);
	l->blob = 0;
	l->body_len = 0;
	l->has_record = false;
	l->marked = false;
	l->parent = 0;
	err = l->next ? load_next(db, &l->id, &row) : hf_row_get(db, l->id, &row);
	if (err)
		return err;
	l->state = row.state;
	err = request_load(db, &row, l);
	if (err == HF_ECORRUPT && !db->hard && row.state.status == HF_RECORD_SETTLED) {
		l->has_record = false; /* nobody needs it any more */
		err = 0;
	}
	if (!err)
		err = hf_outcome_load(db, &row, l);
	if (!err)
		err = load_successor(db, l, row);
	if (!err && row.dependent)
		err = hf_dependent_get(db, l->id, &l->parent);
	return err ? err : load_mark(db, l, &row);
}

#define LOAD_MAX (64u << 20) /* a row is far smaller; SQLite's own limit is 1 GB */

void hf_store_load_init(struct hf_store_load *l)
{
	memset(l, 0, sizeof(*l));
	hf_buf_init(&l->head, LOAD_MAX);
	hf_buf_init(&l->body, LOAD_MAX);
	hf_buf_init(&l->outcome_head, LOAD_MAX);
	hf_buf_init(&l->outcome_body, LOAD_MAX);
	hf_buf_init(&l->summary, LOAD_MAX);
}

void hf_store_load_finish(struct hf_store_load *l)
{
	hf_buf_finish(&l->head);
	hf_buf_finish(&l->body);
	hf_buf_finish(&l->outcome_head);
	hf_buf_finish(&l->outcome_body);
	hf_buf_finish(&l->summary);
}

void hf_store_load(struct hf_store *s, struct hf_store_load *l)
{
	l->op.run = load_run;
	l->op.writes = l->mark != NULL;
	l->op.privileged = true;
	hf_store_submit(s, &l->op);
}

/* ---- op: mark ---- */

static int mark_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_mark *m = hf_container_of(op, struct hf_store_mark, op);
	struct hf_row row;
	int err = hf_row_get(db, m->id, &row);

	assert(!hf_status_final(m->state.status));
	if (err)
		return err;
	if (hf_status_final(row.state.status))
		return HF_ESTATE;
	row.state = m->state;
	return hf_row_set(db, m->id, &row);
}

void hf_store_mark(struct hf_store *s, struct hf_store_mark *m)
{
	m->op.run = mark_run;
	m->op.writes = true;
	m->op.privileged = true;
	hf_store_submit(s, &m->op);
}

/* ---- op: requeue ---- */

static int request_move(struct hf_db *db, uint64_t seq, uint64_t id,
			const struct hf_record_state *state)
{
	uint8_t born[HF_BORN_SIZE];
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_REQUEST_MOVE);

	hf_born_encode(state, born);
	hf_bind_u64(st, 1, seq);
	hf_bind_u64(st, 2, id);
	hf_bind_span(st, 3, hf_span(born, sizeof(born)));
	return hf_db_run(db, st);
}

static struct hf_row requeued(const struct hf_row *old, uint64_t created_dev_ms)
{
	const struct hf_record_state *s = &old->state;

	return (struct hf_row){
		.request = old->request,
		.dependent = old->dependent,
		.state = {
			.status = HF_RECORD_QUEUED,
			.tag = s->tag,
			.urgency = s->urgency,
			.created_dev_ms = created_dev_ms,
			.created_wall_ms = s->created_wall_ms,
			.maybe_received = s->maybe_received,
			/* the age of its key begins anew */
			.first_sent_dev_ms = s->maybe_received ? created_dev_ms : 0,
		},
	};
}

/* A final row stays, without its request, and leads to ordinal @successor. */
static int requeue_replace(struct hf_db *db, uint64_t id, struct hf_row old, uint64_t successor)
{
	old.replaced = true;
	old.dependent = false;
	old.request = successor;
	return hf_row_set(db, id, &old);
}

/* The row of a waiting record goes: it leaves its lane as if it became final. */
static int requeue_remove(struct hf_db *db, uint64_t id)
{
	sqlite3_stmt *st;
	bool hole;
	int err = hf_lane_leave(db, id, &hole);

	if (!err)
		err = hf_lane_drop(db, id);
	if (err)
		return err;
	st = hf_db_stmt(db, HF_SQL_RECORD_DEL);
	hf_bind_u64(st, 1, id);
	return hf_db_run(db, st);
}

/* The new one waits for whom the old one did, and is waited for by the same. */
static int requeue_links(struct hf_db *db, struct hf_store_requeue *r, uint64_t id, bool dependent)
{
	uint64_t parent = 0;
	int err = dependent ? hf_dependent_get(db, r->old_id, &parent) : 0;

	if (!err && dependent)
		err = hf_dependent_remove(db, r->old_id);
	if (!err && parent)
		err = hf_dependent_add(db, id, parent, 0);
	if (!err)
		err = hf_dependent_move(db, r->old_id, id, &r->has_dependents);
	return !err && r->has_dependents ? hf_dependent_due(db) : err;
}

static int requeue_may(struct hf_db *db, uint64_t id, struct hf_row *old)
{
	uint64_t blob;
	int err = hf_row_get(db, id, old);

	if (err)
		return err;
	if (old->replaced || old->state.status == HF_RECORD_QUEUED ||
	    old->state.status == HF_RECORD_SETTLED)
		return HF_ESTATE;
	return hf_request_link(db, id, old, &blob);
}

static int requeue_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_requeue *r = hf_container_of(op, struct hf_store_requeue, op);
	struct hf_row old, fresh;
	struct hf_lane_entry *e;
	uint64_t id;
	int err = requeue_may(db, r->old_id, &old);

	if (!err)
		err = hf_db_room(db, HF_ROW_SIZE, op->privileged);
	if (!err)
		err = hf_lane_get(db, HF_RECORD_LANE(r->old_id), &e);
	if (err)
		return err;
	if (e->v.tail == HF_ORDINAL_MASK)
		return HF_ELIMIT;
	id = HF_RECORD_ID(e->id, e->v.tail + 1);
	fresh = requeued(&old, r->created_dev_ms);
	if (hf_status_final(old.state.status))
		err = requeue_replace(db, r->old_id, old, e->v.tail + 1);
	else
		err = requeue_remove(db, r->old_id);
	if (!err)
		err = hf_row_add(db, id, &fresh);
	if (!err)
		err = request_move(db, fresh.request, id, &fresh.state);
	if (!err)
		err = requeue_links(db, r, id, old.dependent);
	if (err)
		return err;
	e->v.tail++;
	r->id = id;
	return 0;
}

void hf_store_requeue(struct hf_store *s, struct hf_store_requeue *r)
{
	r->op.run = requeue_run;
	r->op.writes = true;
	r->op.privileged = false;
	r->old_id = r->id;
	hf_store_submit(s, &r->op);
}
