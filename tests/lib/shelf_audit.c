/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/shelf_audit.h"

#include <stdlib.h>

#include "store/shelf_private.h"
#include "store/shelf_rows.h"

struct audit {
	struct hf_shelf_op op;
	bool swept;
	const char *fault;
	char text[256];
};

#define USES_MAX 4096

struct uses {
	uint64_t id[USES_MAX];
	struct hf_shelf_use v[USES_MAX];
	size_t n;
};

static int64_t number(struct hf_shelf_db *db, const char *sql)
{
	int64_t n;

	return hf_sql_number(db->sql, sql, -1, &n) ? -2 : n;
}

static const char *read_uses(struct hf_shelf_db *db, struct uses *u)
{
	sqlite3_stmt *st = hf_shelf_stmt(db, HF_SHELF_USE_FROM);
	const char *fault = NULL;

	hf_bind_u64(st, 1, 0);
	hf_bind_u64(st, 2, INT64_MAX);
	hf_bind_u64(st, 3, USES_MAX);
	while (hf_shelf_step(db, st) > 0) {
		u->id[u->n] = hf_column_u64(st, 0);
		if (hf_shelf_use_decode(u->id[u->n], hf_column_span(st, 1), &u->v[u->n]))
			fault = "a use row is damaged";
		u->n++;
	}
	if ((int64_t)u->n != number(db, "SELECT count(*) FROM entry JOIN use USING(id)") ||
	    (int64_t)u->n != number(db, "SELECT count(*) FROM entry"))
		fault = "entry and use differ";
	return fault;
}

static const char *check_caches(struct hf_shelf_db *db, const struct uses *u, bool swept)
{
	hf_shelf_rows_load(db);
	for (size_t i = 0; i < db->rows_n; i++) {
		const struct hf_shelf_row *row = &db->rows[i];
		uint64_t entries = 0, bytes = 0;

		for (size_t k = 0; k < u->n; k++) {
			if (hf_shelf_cache_of(u->id[k]) != row->id)
				continue;
			entries++;
			bytes += u->v[k].bytes;
		}
		if (entries != row->v.entries || bytes != row->v.bytes)
			return "the figures of a cache are wrong";
		if (swept && row->v.state == HF_SHELF_DROPPED)
			return "a dropped cache is left";
	}
	for (size_t k = 0; k < u->n; k++) {
		if (!hf_shelf_row(db, hf_shelf_cache_of(u->id[k])))
			return "an entry has no cache";
	}
	return NULL;
}

static const char *check_body(struct hf_shelf_db *db, const struct uses *u, uint64_t body)
{
	struct hf_shelf_body_row b;
	uint64_t refs = 0;

	if (hf_shelf_body_get(db, body, &b))
		return "a body is damaged";
	for (size_t k = 0; k < u->n; k++)
		refs += u->v[k].body == body;
	if (refs != b.refs || refs == 0)
		return "the references of a body are wrong";
	if (!b.has_data && hf_shelf_pieces_whole(db, body, b.v.len))
		return "a body is not whole";
	return NULL;
}

static const char *check_bodies(struct hf_shelf_db *db, const struct uses *u)
{
	sqlite3_stmt *st = NULL;
	const char *fault = NULL;

	sqlite3_prepare_v2(db->sql, "SELECT id FROM body", -1, &st, NULL);
	while (!fault && sqlite3_step(st) == SQLITE_ROW)
		fault = check_body(db, u, hf_column_u64(st, 0));
	sqlite3_finalize(st);
	for (size_t k = 0; k < u->n && !fault; k++) {
		struct hf_shelf_body_row b;

		if (u->v[k].body && hf_shelf_body_get(db, u->v[k].body, &b))
			fault = "an entry has no body";
	}
	return fault;
}

static const char *check_loose(struct hf_shelf_db *db, bool swept)
{
	if (number(db, "SELECT count(*) FROM piece WHERE id>>24 NOT IN (SELECT id FROM body) "
		       "AND id>>24 NOT IN (SELECT body FROM loose)") != 0)
		return "pieces belong to no body";
	if (number(db, "SELECT count(*) FROM loose WHERE body IN (SELECT id FROM body)") != 0)
		return "a body is in use and to be deleted";
	if (swept && number(db, "SELECT count(*) FROM loose") != 0)
		return "loose bodies are left";
	return NULL;
}

static int run(struct hf_shelf_op *op, struct hf_shelf_db *db)
{
	struct audit *a = hf_container_of(op, struct audit, op);
	struct uses *u = calloc(1, sizeof(*u));

	a->fault = read_uses(db, u);
	if (!a->fault)
		a->fault = check_caches(db, u, a->swept);
	if (!a->fault)
		a->fault = check_bodies(db, u);
	if (!a->fault)
		a->fault = check_loose(db, a->swept);
	free(u);
	return 0;
}

static void submit(struct hf_shelf *s, struct audit *a)
{
	hf_shelf_submit(s, &a->op, run, false);
}

const char *shelf_audit(struct shelf_rig *r, bool swept)
{
	struct audit a = { .swept = swept, .fault = "it did not run" };

	fake_port_settle(&r->port);
	if (SHELF_DO(r, submit, &a))
		return "the shelf refuses";
	return a.fault;
}
