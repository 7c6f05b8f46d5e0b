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
#include <stdio.h>
#include <stdlib.h>

#include "store/rows.h"
#include "store/salvage.h"
#include "store/schema.h"

/* ---- files ---- */

int hf_generation_delete(struct hf_store *s, uint32_t generation)
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
static int choose_generation(struct hf_salvage *v)
{
	struct hf_store *s = v->store;
	char path[HF_PATH_MAX];
	bool there = true;
	int err = 0;

	v->generation = s->marker.generation + 1;
	if (s->marker.valid)
		return hf_generation_delete(s, v->generation);
	while (there && !err) {
		hf_path_database(s, v->generation, path);
		err = hf_vfs_exists(&s->vfs, path, &there);
		if (there)
			v->generation++;
	}
	return err;
}

static int make_target(struct hf_salvage *v)
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

static int seal_target(struct hf_salvage *v)
{
	int err = hf_db_exec(&v->to, "COMMIT; PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;"
				     "BEGIN IMMEDIATE");

	if (!err)
		err = hf_schema_seal(&v->to);
	return err ? err : hf_db_exec(&v->to, "COMMIT");
}

/* ---- all of it ---- */

static int store_floor(struct hf_salvage *v)
{
	uint8_t bytes[8];

	hf_put_le(bytes, v->blob_floor, sizeof(bytes));
	return hf_meta_put(&v->to, "blob_floor", hf_span(bytes, sizeof(bytes)));
}

static int source_is_readable(struct hf_salvage *v)
{
	enum hf_schema_found found;
	int err = hf_schema_inspect(&v->from, &found);

	if (!err && found == HF_SCHEMA_NEWER)
		return HF_ENOTSUP;
	return err || found == HF_SCHEMA_CURRENT || found == HF_SCHEMA_OLD ? err : HF_ECORRUPT;
}

/* The part of page @number that lies in [at, at + amount). */
static int read_logged(struct hf_salvage *v, uint32_t number, uint8_t *out, int amount,
		       sqlite3_int64 at)
{
	sqlite3_int64 from = (sqlite3_int64)(number - 1) * HF_PAGE_SIZE;
	sqlite3_int64 lo = from > at ? from : at;
	sqlite3_int64 hi = from + HF_PAGE_SIZE < at + amount ? from + HF_PAGE_SIZE : at + amount;
	uint8_t page[HF_PAGE_SIZE];

	if (!hf_wal_has(&v->wal, number))
		return SQLITE_OK;
	if (hf_wal_read(&v->wal, number, page))
		return SQLITE_IOERR_READ;
	memcpy(out + (lo - at), page + (lo - from), (size_t)(hi - lo));
	return SQLITE_OK;
}

/* Pages as the log has them, header and schema as the template has them. */
static int read_patched(void *user, uint8_t *out, int amount, sqlite3_int64 at)
{
	struct hf_salvage *v = user;
	sqlite3_int64 number = at / HF_PAGE_SIZE + 1;
	int rc = SQLITE_OK;

	for (; rc == SQLITE_OK && (number - 1) * HF_PAGE_SIZE < at + amount; number++)
		rc = read_logged(v, (uint32_t)number, out, amount, at);
	if (rc == SQLITE_OK && v->patched)
		rc = hf_template_patch(&v->template, out, amount, at);
	return rc;
}

static int open_from(struct hf_salvage *v, const char *path, uint64_t least)
{
	struct hf_vfs *vfs = &v->store->vfs;
	int err;

	if (!v->wal.damaged && !v->patched)
		return hf_db_open(&v->from, vfs, path);
	vfs->patch_size = least;
	vfs->patch_path = path;
	vfs->patch = read_patched;
	vfs->patch_user = v;
	err = hf_db_open(&v->from, vfs, path);
	vfs->patch_path = NULL;
	return err;
}

/* The source as if its header and schema were whole. */
static int open_patched(struct hf_salvage *v, const char *path, uint64_t size)
{
	struct hf_vfs *vfs = &v->store->vfs;
	char fresh[HF_PATH_MAX];
	uint64_t least;
	int err;

	hf_path_database(v->store, v->generation, fresh);
	err = hf_vfs_size(vfs, fresh, &least);
	if (!err && size < least)
		size = least; /* cut short */
	if (!err)
		err = hf_template_read(&v->template, vfs, fresh, size);
	if (err)
		return err;
	v->patched = true;
	hf_db_close(&v->from);
	return open_from(v, path, size);
}

/* What a damaged log still has is used, behind the damage too. */
static int open_log(struct hf_salvage *v, const char *database)
{
	char path[HF_PATH_MAX];
	struct hf_wal *w = &v->wal;
	int err;

	hf_path_wal(v->store, v->store->marker.generation, path);
	err = hf_wal_open(w, &v->store->vfs, path);
	if (!err)
		err = hf_wal_map(w);
	if (!err && w->damaged)
		err = hf_wal_settle(w, &v->store->vfs, database);
	if (err || !w->damaged)
		return err;
	v->faults++;
	v->stale = w->lost > 0;
	v->records_hurt = v->requests_hurt = v->stale;
	return 0;
}

static int open_source(struct hf_salvage *v)
{
	char path[HF_PATH_MAX];
	uint64_t size, logged;
	int err;

	hf_path_database(v->store, v->store->marker.generation, path);
	err = hf_vfs_size(&v->store->vfs, path, &size);
	if (!err)
		err = open_log(v, path);
	logged = (uint64_t)v->wal.pages * HF_PAGE_SIZE;
	if (size < logged)
		size = logged;
	if (!err)
		err = open_from(v, path, size);
	if (!err)
		err = source_is_readable(v);
	if (err == HF_ECORRUPT || err == HF_EIO) {
		v->faults++;
		err = open_patched(v, path, size);
	}
	return err;
}

static int fill_target(struct hf_salvage *v)
{
	int err = hf_salvage_copy(v);

	if (!err)
		err = hf_salvage_lanes(v);
	/* of a page that is lost nobody knows what it held: at least one row */
	if (v->lost < v->wal.lost)
		v->lost = v->wal.lost;
	if (!err)
		err = store_floor(v);
	return err ? err : hf_aside_store(v);
}

static int build(struct hf_salvage *v)
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
	hf_wal_close(&v->wal);
	return err;
}

static void report_salvage(struct hf_store *s, const struct hf_salvage *v, uint32_t old)
{
	struct hf_store_report *r = &s->report;

	r->salvaged = true;
	r->rows_saved = v->saved;
	r->rows_lost = v->lost;
	r->salvages_total = s->marker.salvages;
	snprintf(r->quarantine, sizeof(r->quarantine), "queue-%u.db", old);
	s->salvaged = true;
}

static int switch_over(struct hf_store *s, const struct hf_salvage *v)
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
	struct hf_salvage *v = calloc(1, sizeof(*v));
	uint32_t old = s->marker.generation;
	int err;

	if (!v)
		return HF_ENOMEM;
	hf_db_close(&s->db);
	v->store = s;
	v->io = io;
	err = build(v);
	if (err == HF_EFULL && hf_reserve_release(s)) {
		*v = (struct hf_salvage){ .store = s, .io = io };
		err = build(v);
	}
	if (!err)
		err = switch_over(s, v);
	if (!err) {
		report_salvage(s, v, old);
		err = hf_open_current(s);
	}
	if (!err)
		hf_aside_look(s);
	free(v);
	return err;
}
