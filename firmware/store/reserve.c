/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reserve: a file that holds space on the medium. When the medium is full
 * it is deleted, and from then on (db.low) only privileged operations write
 * into the space it gave back: settling and deleting go on.
 *
 * What that space is for, in parts of the file: half for what the log holds and
 * the database does not yet (the log is copied back before that is more), a
 * quarter for the database to grow by, the rest for the log, which is kept short
 * by early checkpoints.
 *
 * Meanwhile the free pages of the database are a reserve as well: requests that
 * were settled leave them behind, and nobody else can take them. Other operations
 * write while enough of them stay free.
 *
 * The file is made again when there is room; half of it will do. Its own space
 * nearly suffices for that, so that it can be made does not show that there is
 * room. As long as it has to be given up soon afterwards the tries become rarer:
 * each writes the whole file.
 */
#include <stdio.h>

#include "store/store_private.h"

#define RESERVE_UNKNOWN (32u << 10) /* there was none to give up: what may be left */

#define WAIT_MIN_MS  10000
#define WAIT_MAX_MS  60000
#define WAIT_ROOM_MS 3600000 /* while the database has room of its own */
#define WAIT_STEPS   3	     /* doublings that reach WAIT_MAX_MS */

#define LOW_LOG_PAGES_MIN 16
#define FRAME_SIZE	  (HF_PAGE_SIZE + 24)

/* Free pages that are kept for privileged operations, and the size that the log
 * is cut to, while there is no file. */
static uint64_t quarter(const struct hf_store *s)
{
	return s->reserve_bytes / 4;
}

static bool has_room_inside(const struct hf_store *s)
{
	return s->figures.room >= quarter(s);
}

uint64_t hf_reserve_wait_ms(const struct hf_store *s)
{
	uint64_t wait = (uint64_t)WAIT_MIN_MS << s->reserve_lost;

	if (wait < WAIT_MAX_MS)
		return wait;
	return s->db.low && has_room_inside(s) ? WAIT_ROOM_MS : WAIT_MAX_MS;
}

/* A try that failed, or that did not last. */
static void count_loss(struct hf_store *s)
{
	if (s->now_ms - s->reserve_at_ms > WAIT_MAX_MS)
		s->reserve_lost = 0;
	else if (s->reserve_lost < WAIT_STEPS)
		s->reserve_lost++;
	s->reserve_at_ms = s->now_ms;
}

/* ---- the log and the database, meanwhile ---- */

unsigned hf_reserve_log_step(const struct hf_store *s)
{
	uint64_t pages = quarter(s) / 2 / FRAME_SIZE;

	if (!s->db.low)
		return s->wal_pages;
	if (pages < LOW_LOG_PAGES_MIN)
		pages = LOW_LOG_PAGES_MIN;
	return pages < s->wal_pages ? (unsigned)pages : s->wal_pages;
}

uint64_t hf_reserve_growth_step(const struct hf_store *s)
{
	uint64_t size = s->reserve_size ? s->reserve_size : s->reserve_bytes;

	return size / 2 / HF_PAGE_SIZE;
}

void hf_reserve_limit_log(struct hf_store *s)
{
	char sql[64];

	if (!s->db.sql)
		return;
	if (s->db.low)
		snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit=%llu",
			 (unsigned long long)quarter(s));
	hf_db_exec(&s->db, s->db.low ? sql : "PRAGMA journal_size_limit=-1");
}

static void set_low(struct hf_store *s, bool low, uint64_t extra)
{
	s->db.low = low;
	s->db.low_extra = extra / HF_PAGE_SIZE;
	s->db.low_max = 0;
	s->db.low_keep = quarter(s) / HF_PAGE_SIZE;
	s->checkpoint_at = hf_reserve_log_step(s);
	hf_reserve_limit_log(s);
}

void hf_reserve_begin_low(struct hf_store *s)
{
	set_low(s, true, RESERVE_UNKNOWN);
}

/* A log that grew long before the medium was full: copied back, the next commit
 * cuts it. True when it is shorter now. */
static bool shorten_log(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	uint64_t size;
	int err;

	hf_path_wal(s, s->marker.generation, path);
	if (!s->db.sql || hf_vfs_size(&s->vfs, path, &size) || size <= quarter(s) + FRAME_SIZE)
		return false;
	s->db.hard = 0;
	if (hf_checkpoint_run(s))
		return false;
	err = hf_db_exec(&s->db, "BEGIN");
	if (!err)
		err = hf_ledger_store(s, HF_LEDGER_AHEAD);
	if (!err)
		err = hf_db_exec(&s->db, "COMMIT");
	if (!err)
		hf_ledger_stored(s);
	else if (!sqlite3_get_autocommit(s->db.sql))
		hf_db_exec(&s->db, "ROLLBACK");
	return !err;
}

/* ---- the file ---- */

static int fill(struct hf_store *s, const char *path)
{
	uint64_t got;
	int err = hf_vfs_fill(&s->vfs, path, s->reserve_bytes / 2, s->reserve_bytes, &got);

	if (!err)
		s->reserve_size = got;
	return err;
}

/* The database goes from memory to the medium, if there is room now. */
static int appear(struct hf_store *s)
{
	int err = hf_open_run(s);

	if (!err && s->nowhere)
		err = HF_EFULL;
	if (err)
		count_loss(s);
	s->appeared = !err;
	return err;
}

int hf_reserve_make(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	int err = 0;

	if (s->nowhere)
		err = appear(s);
	if (err)
		return err;
	hf_path_reserve(s, path);
	err = fill(s, path);
	if (err == HF_EFULL) {
		if (!s->db.low)
			hf_reserve_begin_low(s);
		if (shorten_log(s))
			err = fill(s, path);
	}
	if (err) {
		hf_vfs_delete(&s->vfs, path);
		count_loss(s);
		s->db.uploads_gone = true; /* what could not be deleted may be by now */
	}
	if (err && !s->db.low)
		hf_reserve_begin_low(s);
	else if (!err && s->db.low)
		set_low(s, false, 0);
	s->reserve_due = false;
	return err;
}

bool hf_reserve_release(struct hf_store *s)
{
	char path[HF_PATH_MAX];
	bool there = false;

	hf_path_reserve(s, path);
	if (hf_vfs_exists(&s->vfs, path, &there))
		there = false;
	there = there && hf_vfs_delete(&s->vfs, path) == 0;
	if (there) {
		set_low(s, true, s->reserve_size / 4);
		count_loss(s);
	} else if (!s->db.low) {
		hf_reserve_begin_low(s);
	}
	return there;
}
