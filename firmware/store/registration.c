/* SPDX-License-Identifier: Apache-2.0 */
#include "store/registrations.h"

#include <stdlib.h>

#include "base/arena.h"
#include "store/rows.h"

#define PAGE_BYTES_MAX (16u << 20)

uint32_t hf_registration_sum(struct hf_span worker, struct hf_span tag, struct hf_span value)
{
	uint8_t lens[8];

	hf_put_le(lens, worker.len, 4);
	hf_put_le(lens + 4, tag.len, 4);
	return hf_crc32(hf_crc32(hf_crc32(hf_crc32(0, hf_span(lens, sizeof(lens))), worker), tag),
			value);
}

/* ---- a page ---- */

struct page {
	struct hf_arena arena;
	struct hf_registration_row rows[HF_REGISTRATIONS_PAGE];
};

static int keep(struct hf_store_registrations *l, struct page *page, sqlite3_stmt *st)
{
	struct hf_registration_row row = {
		.id = hf_column_u64(st, 0),
		.worker = hf_column_span(st, 2),
		.tag = hf_column_span(st, 3),
		.value = hf_column_span(st, 4),
	};

	l->last_id = row.id;
	if (hf_column_u64(st, 1) != hf_registration_sum(row.worker, row.tag, row.value)) {
		l->damaged++;
		return 0;
	}
	row.worker = hf_arena_copy(&page->arena, row.worker);
	row.tag = hf_arena_copy(&page->arena, row.tag);
	row.value = hf_arena_copy(&page->arena, row.value);
	if (!row.worker.ptr || !row.tag.ptr || !row.value.ptr)
		return HF_ENOMEM;
	l->rows[l->n++] = row;
	return 0;
}

static int page_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_registrations *l = hf_container_of(op, struct hf_store_registrations, op);
	unsigned seen = 0;
	struct page *page;
	sqlite3_stmt *st;
	int got;

	hf_store_registrations_finish(l);
	page = malloc(sizeof(*page));
	if (!page)
		return HF_ENOMEM;
	hf_arena_init(&page->arena, PAGE_BYTES_MAX);
	l->memory = page;
	l->rows = page->rows;
	l->last_id = l->after;
	st = hf_db_stmt(db, HF_SQL_REGISTRATION_FROM);
	hf_bind_u64(st, 1, l->after);
	hf_bind_u64(st, 2, HF_REGISTRATIONS_PAGE);
	hf_bind_u64(st, 3, l->below ? l->below : INT64_MAX);
	while ((got = hf_db_step(db, st)) > 0) {
		seen++;
		got = keep(l, page, st);
		if (got)
			break;
	}
	hf_db_reset(st);
	l->more = seen == HF_REGISTRATIONS_PAGE;
	return got;
}

void hf_store_registrations_finish(struct hf_store_registrations *l)
{
	struct page *page = l->memory;

	if (page)
		hf_arena_finish(&page->arena);
	free(page);
	l->memory = NULL;
	l->rows = NULL;
	l->n = 0;
	l->damaged = 0;
	l->more = false;
}

void hf_store_registrations(struct hf_store *s, struct hf_store_registrations *l)
{
	l->op.run = page_run;
	l->op.writes = false;
	l->op.privileged = true;
	hf_store_submit(s, &l->op);
}

/* ---- one ---- */

static int put(struct hf_db *db, const struct hf_store_registration *r)
{
	size_t bytes = r->worker.len + r->tag.len + r->value.len;
	sqlite3_stmt *st;
	int err = hf_db_room(db, bytes, !r->fresh);

	if (err)
		return err;
	st = hf_db_stmt(db, HF_SQL_REGISTRATION_PUT);
	hf_bind_u64(st, 1, r->id);
	hf_bind_u64(st, 2, hf_registration_sum(r->worker, r->tag, r->value));
	hf_bind_span(st, 3, r->worker);
	hf_bind_span(st, 4, r->tag);
	hf_bind_span(st, 5, r->value);
	return hf_db_run(db, st);
}

static int one_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_registration *r = hf_container_of(op, struct hf_store_registration, op);
	sqlite3_stmt *st;

	if (!r->remove)
		return put(db, r);
	st = hf_db_stmt(db, HF_SQL_REGISTRATION_DEL);
	hf_bind_u64(st, 1, r->id);
	return hf_db_run(db, st);
}

void hf_store_registration(struct hf_store *s, struct hf_store_registration *r)
{
	r->op.run = one_run;
	r->op.writes = true;
	r->op.privileged = r->remove || !r->fresh;
	hf_store_submit(s, &r->op);
}
