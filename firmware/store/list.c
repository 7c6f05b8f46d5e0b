/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of records. The filter looks at the small rows only; what is shown of
 * a record is read for those that pass. A call looks at a bounded number of
 * rows and holds a bounded number of bytes, so it never stops the queue.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "store/rows.h"

#define ROWS_MAX  4096
#define BYTES_MAX (512u << 10)

struct page {
	struct hf_arena arena;
	struct hf_row rows[HF_STORE_LIST_MAX];
};

static bool wanted(const struct hf_store_list *l, const struct hf_row *row)
{
	if (row->replaced) /* its successor stands for it */
		return false;
	return l->status_set == 0 || (l->status_set & (1u << row->state.status));
}

/* The rows of the page, from l->next on. */
static int collect(struct hf_db *db, struct hf_store_list *l, struct page *page, size_t limit)
{
	uint64_t last = l->lane ? HF_RECORD_ID(l->lane, HF_ORDINAL_MASK) : INT64_MAX;
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_RECORD_FROM);
	unsigned seen = 0;
	int got;

	hf_bind_u64(st, 1, l->next + 1);
	hf_bind_u64(st, 2, last);
	while ((got = hf_db_step(db, st)) > 0) {
		struct hf_row *row = page->rows + l->n;

		if (l->n == limit || seen++ == ROWS_MAX)
			break;
		if (hf_row_decode(hf_column_span(st, 1), row)) {
			db->hard = HF_ECORRUPT;
			got = HF_ECORRUPT;
			break;
		}
		l->next = hf_column_u64(st, 0);
		if (wanted(l, row))
			l->v[l->n++].id = l->next;
	}
	hf_db_reset(st);
	l->more = got > 0;
	return got < 0 ? got : 0;
}

static int keep(struct page *page, struct hf_span v, struct hf_span *out)
{
	*out = hf_span(NULL, 0);
	if (v.len == 0)
		return 0;
	*out = hf_arena_copy(&page->arena, v);
	return out->ptr ? 0 : HF_ELIMIT;
}

static int fill_request(struct hf_db *db, struct page *page, const struct hf_row *row,
			struct hf_record_brief *b)
{
	sqlite3_stmt *st = hf_db_stmt(db, HF_SQL_REQUEST_HEAD);
	int got;

	b->head_is_summary = true;
	hf_bind_u64(st, 1, row->request);
	got = hf_db_step(db, st);
	if (got > 0 && hf_column_u64(st, 0) == b->id) {
		b->head_is_summary = false;
		b->body_len = hf_column_u64(st, 3);
		got = keep(page, hf_column_span(st, 4), &b->head);
	}
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

static int fill_outcome(struct hf_db *db, struct page *page, const struct hf_row *row,
			struct hf_record_brief *b)
{
	sqlite3_stmt *st;
	int got;

	if (!row->outcome)
		return 0;
	st = hf_db_stmt(db, hf_outcome_statement(row->state.status, HF_OUTCOME_HEAD));
	hf_bind_u64(st, 1, row->outcome);
	got = hf_db_step(db, st);
	if (got > 0 && hf_column_u64(st, 0) == b->id) {
		b->has_outcome = true;
		b->outcome_body_len = hf_column_u64(st, 3);
		got = b->head_is_summary ? keep(page, hf_column_span(st, 4), &b->head) : 0;
		if (!got)
			got = keep(page, hf_column_span(st, 5), &b->outcome_head);
	}
	hf_db_reset(st);
	return got < 0 ? got : 0;
}

static int fill(struct hf_db *db, struct hf_store_list *l, struct page *page)
{
	int err = 0;

	for (size_t i = 0; i < l->n && !err; i++) {
		struct hf_record_brief b = { .id = l->v[i].id, .state = page->rows[i].state };

		err = fill_request(db, page, &page->rows[i], &b);
		if (!err)
			err = fill_outcome(db, page, &page->rows[i], &b);
		if (err == HF_ELIMIT && i > 0) {
			/* the page is full of bytes: the rest comes with the next one */
			l->n = i;
			l->next = l->v[i - 1].id;
			l->more = true;
			return 0;
		}
		l->v[i] = b;
	}
	return err;
}

static int list_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_list *l = hf_container_of(op, struct hf_store_list, op);
	size_t limit = l->limit && l->limit < HF_STORE_LIST_MAX ? l->limit : HF_STORE_LIST_MAX;
	struct page *page;
	int err;

	hf_store_list_finish(l);
	l->more = false;
	page = malloc(sizeof(*page));
	if (!page)
		return HF_ENOMEM;
	hf_arena_init(&page->arena, BYTES_MAX);
	l->memory = page;
	l->next = l->after < INT64_MAX ? l->after : INT64_MAX - 1;
	if (l->lane && l->next < HF_RECORD_ID(l->lane, 0))
		l->next = HF_RECORD_ID(l->lane, 0);
	err = collect(db, l, page, limit);
	return err ? err : fill(db, l, page);
}

void hf_store_list_finish(struct hf_store_list *l)
{
	struct page *page = l->memory;

	if (page)
		hf_arena_finish(&page->arena);
	free(page);
	l->memory = NULL;
	l->n = 0;
}

void hf_store_list(struct hf_store *s, struct hf_store_list *l)
{
	l->op.run = list_run;
	l->op.writes = false;
	l->op.privileged = true;
	l->memory = NULL;
	l->n = 0;
	l->more = false;
	hf_store_submit(s, &l->op);
}
