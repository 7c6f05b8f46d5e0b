/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing. The database is cache-1.db or cache-2.db: a renewal writes the
 * other one and deletes the first when it is done. A file is finished when its header
 * has a version; of two that are, the one of the higher generation counts.
 *
 *   PRAGMA user_version = generation << 8 | version
 */
#include <stdio.h>

#include "store/shelf_private.h"
#include "store/shelf_rows.h"

#define HEADER	     100
#define IO_TRIES     3
#define TRY_AFTER_MS 10000
#define RUN_SIZE     5

void hf_shelf_path(const struct hf_shelf *s, uint32_t generation, char out[HF_SHELF_PATH_MAX])
{
	snprintf(out, HF_SHELF_PATH_MAX, "%.*s/cache-%c.db", HF_SHELF_PATH_MAX - 64, s->dir,
		 generation % 2 ? '1' : '2');
}

int hf_shelf_generation_delete(struct hf_shelf *s, uint32_t generation)
{
	static const char *const suffix[] = { "-wal", "-journal", "" };
	char path[HF_SHELF_PATH_MAX + 16];
	int err = 0;

	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]) && !err; i++) {
		hf_shelf_path(s, generation, path);
		snprintf(path + strlen(path), 16, "%s", suffix[i]);
		err = hf_vfs_delete(&s->vfs, path);
	}
	return err;
}

/* ---- which file ---- */

struct looked {
	uint64_t size;
	bool sealed;
	bool begun; /* there is a log: the schema was on the medium */
	bool ours;  /* a header that can be read */
	uint32_t generation;
	unsigned version;
};

static uint32_t get_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int look(struct hf_shelf *s, uint32_t which, struct looked *l)
{
	char path[HF_SHELF_PATH_MAX + 16];
	uint8_t header[HEADER] = { 0 };
	uint32_t version;
	int err;

	*l = (struct looked){ .generation = which };
	hf_shelf_path(s, which, path);
	err = hf_vfs_size(&s->vfs, path, &l->size);
	if (!err && l->size > 0)
		err = hf_vfs_read(&s->vfs, path, header, sizeof(header), 0);
	if (err || l->size == 0)
		return err;
	version = get_be32(header + 60);
	l->ours = memcmp(header, "SQLite format 3", 16) == 0;
	snprintf(path + strlen(path), 16, "-wal");
	err = hf_vfs_exists(&s->vfs, path, &l->begun);
	if (err)
		return err;
	if (!l->ours || version == 0 || get_be32(header + 68) != HF_SHELF_APPLICATION_ID)
		return 0;
	l->version = version & 0xff;
	l->sealed = l->version > 0 && (version >> 8) % 2 == which % 2;
	if (l->sealed)
		l->generation = version >> 8;
	return 0;
}

/* The file to go on with. *damaged: it is to be renewed. Size 0: there is none. */
static int choose(struct hf_shelf *s, struct looked *best, bool *damaged)
{
	struct looked l[2];
	int i, err = look(s, 1, &l[0]);

	*damaged = false;
	if (!err)
		err = look(s, 2, &l[1]);
	if (err)
		return err;
	if (l[0].sealed != l[1].sealed)
		i = l[0].sealed ? 0 : 1;
	else if (l[0].sealed)
		i = l[0].generation > l[1].generation ? 0 : 1;
	else
		i = l[0].size > 0 && !l[0].ours ? 0 : 1; /* a header that is destroyed */
	*best = l[i];
	if (l[1 - i].size > 0)
		err = hf_shelf_generation_delete(s, l[1 - i].generation);
	if (!best->sealed && best->size > 0 && !best->ours && best->begun)
		*damaged = true;
	else if (!best->sealed && best->size > 0 && !err)
		err = hf_shelf_generation_delete(s, best->generation);
	if (!best->sealed && !*damaged)
		best->size = 0;
	return err;
}

/* ---- one file ---- */

int hf_shelf_create_file(struct hf_shelf *s, struct hf_shelf_db *db, uint32_t generation)
{
	char path[HF_SHELF_PATH_MAX];
	int err = hf_shelf_generation_delete(s, generation);

	hf_shelf_path(s, generation, path);
	if (!err)
		err = hf_shelf_db_open(db, &s->vfs, path, true);
	if (!err)
		err = hf_shelf_meta_put(db, "seed", hf_span(s->fresh_seed, sizeof(s->fresh_seed)));
	if (!err)
		err = hf_shelf_db_seal(db, generation);
	if (err) {
		hf_shelf_db_close(db);
		hf_shelf_generation_delete(s, generation);
	}
	return err;
}

int hf_shelf_adopt_file(struct hf_shelf *s)
{
	struct hf_shelf_db *db = &s->db;
	uint8_t run[RUN_SIZE] = { 0 };
	uint64_t there;
	int err = hf_shelf_meta_get(db, "seed", (uint8_t *)db->seed, sizeof(db->seed));

	if (err)
		return err == HF_ENOENT ? HF_ECORRUPT : err;
	err = hf_shelf_meta_get(db, "run", run, sizeof(run));
	if (err && err != HF_ENOENT)
		return err;
	s->boot_before = (uint32_t)hf_get_le(run, 4);
	s->report.unclean = !err && !run[4];
	err = hf_shelf_proof_load(db, &db->proof);
	db->proof_known = !err;
	db->purge_due = db->proof.n >= HF_SHELF_PURGE_AT;
	if (!err)
		err = hf_shelf_rows_load(db);
	if (!err)
		err = hf_shelf_loose_begin(db);
	if (!err)
		err = hf_shelf_number(db, HF_SHELF_USE_ANY, 0, &there);
	if (!err)
		err = hf_shelf_number(db, HF_SHELF_ENTRY_ANY, 0, &there);
	s->report.entries = hf_shelf_entries(db);
	return err;
}

int hf_shelf_store_start(struct hf_shelf *s, bool clean)
{
	uint8_t run[RUN_SIZE];

	hf_put_le(run, s->report.boot, 4);
	run[4] = clean;
	return hf_shelf_meta_put(&s->db, "run", hf_span(run, sizeof(run)));
}

/* One of an earlier version is read as it is: the number alone changes. */
static int upgrade(struct hf_shelf *s, uint32_t generation)
{
	int err = hf_shelf_db_seal(&s->db, generation);

	return err == HF_EFULL ? 0 : err; /* the next start does it */
}

static int open_existing(struct hf_shelf *s, uint32_t generation, unsigned version)
{
	char path[HF_SHELF_PATH_MAX];
	int err;

	s->generation = generation;
	hf_shelf_path(s, generation, path);
	err = hf_shelf_db_open(&s->db, &s->vfs, path, false);
	if (!err)
		err = hf_shelf_adopt_file(s);
	if (!err && version < HF_SHELF_VERSION)
		err = upgrade(s, generation);
	if (err)
		hf_shelf_db_close(&s->db);
	return err;
}

static int create(struct hf_shelf *s)
{
	int err = hf_shelf_create_file(s, &s->db, 1);

	s->generation = 1;
	if (!err)
		err = hf_shelf_adopt_file(s);
	s->report.created = !err;
	if (err)
		hf_shelf_db_close(&s->db);
	return err;
}

int hf_shelf_nowhere(struct hf_shelf *s)
{
	int err;

	s->try_at_ms = s->now_ms + TRY_AFTER_MS;
	s->db.proof_known = false;
	hf_shelf_db_close(&s->db);
	err = hf_shelf_db_open(&s->db, &s->vfs, ":memory:", true);
	memcpy(s->db.seed, s->fresh_seed, sizeof(s->db.seed));
	return err;
}

static int open_any(struct hf_shelf *s)
{
	struct looked best;
	bool damaged;
	int err = choose(s, &best, &damaged);

	if (err)
		return err;
	if (best.size == 0)
		return create(s);
	if (best.sealed && best.version > HF_SHELF_VERSION)
		return HF_ENOTSUP;
	s->generation = best.generation;
	err = damaged ? HF_ECORRUPT : HF_EIO;
	for (int i = 0; i < IO_TRIES && err == HF_EIO; i++)
		err = open_existing(s, best.generation, best.version);
	return err == HF_ECORRUPT ? hf_shelf_renew_run(s) : err;
}

int hf_shelf_open_run(struct hf_shelf *s)
{
	int err = open_any(s);

	if (err == HF_EFULL)
		err = hf_shelf_nowhere(s);
	if (!err)
		s->report.boot = s->boot_before + 1;
	s->db.boot = s->report.boot;
	s->boot_due = !err;
	return err;
}

void hf_shelf_try_again(struct hf_shelf *s)
{
	if (s->db.sql && !s->db.nowhere)
		return;
	if (s->now_ms < s->try_at_ms)
		return;
	hf_shelf_db_close(&s->db);
	if (open_any(s)) {
		hf_shelf_nowhere(s);
		return;
	}
	if (s->report.boot <= s->boot_before)
		s->report.boot = s->boot_before + 1;
	s->db.boot = s->report.boot;
	s->boot_due = true;
	s->appeared = true;
}

int hf_shelf_close_run(struct hf_shelf *s)
{
	int err = 0;

	if (s->db.sql && !s->db.nowhere) {
		s->db.hard = 0;
		err = hf_shelf_store_start(s, true);
		if (!err)
			err = hf_shelf_db_checkpoint(&s->db, true);
	}
	hf_shelf_db_close(&s->db);
	return err;
}
