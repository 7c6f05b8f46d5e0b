/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store on the loop: one job at a time is with the port, and when it comes
 * back the next one is chosen: the batch that has gathered, else a background
 * slice (checkpoint, abandoned blobs, reserve), else nothing.
 */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "store/store_private.h"

#define DAY_EVERY_MS 1000
#define DAY_MS	     86400000

static void next_job(struct hf_store *s);

/* ---- what day it is ---- */

/* By the wall clock; without one it is the day of the ledger, and days of
 * running time count on from there. */
static void look_at_day(struct hf_store *s, uint64_t now)
{
	int64_t wall;

	if (s->day >= 0 && now - s->day_at_ms < DAY_EVERY_MS)
		return;
	if (s->port->wall_ms(s->port, &wall) != HF_CLOCK_UNSET && wall > 0) {
		s->day = wall / DAY_MS;
		s->day_at_ms = now;
	} else if (s->day >= 0 && now - s->day_at_ms >= DAY_MS) {
		s->day++;
		s->day_at_ms = now;
	}
}

/* ---- jobs ---- */

static void job_run(struct hf_job *job)
{
	struct hf_store *s = hf_container_of(job, struct hf_store, job);

	switch (s->kind) {
	case HF_JOB_OPEN:
		s->result = hf_open_run(s);
		break;
	case HF_JOB_BATCH:
		hf_batch_run(s);
		break;
	case HF_JOB_CHECKPOINT:
		s->result = hf_checkpoint_run(s);
		break;
	case HF_JOB_SWEEP:
		s->result = hf_sweep_run(s);
		break;
	case HF_JOB_RESERVE:
		s->result = hf_reserve_make(s);
		break;
	case HF_JOB_CLOSE:
		s->result = hf_close_run(s);
		break;
	}
	hf_figures_take(s);
}

static void submit_job(struct hf_store *s, enum hf_job_kind kind)
{
	uint64_t now = s->port->boottime_ms(s->port);

	assert(!s->busy);
	s->busy = true;
	s->kind = kind;
	if (kind == HF_JOB_BATCH)
		s->boot_kick = false;
	s->now_ms = now;
	look_at_day(s, now);
	s->job_day = s->day;
	s->port->job_submit(s->port, &s->job);
}

/* ---- afterwards, on the loop ---- */

static void note_full(struct hf_store *s, const struct hf_store_op *op)
{
	if (!op->writes)
		return;
	if (op->err == HF_EFULL && !s->usage.full)
		hf_log(s->log, HF_LOG_ERROR, "store.full", "bytes=%llu max=%llu medium=%s",
		       (unsigned long long)s->usage.bytes, (unsigned long long)s->bytes_max,
		       s->db.low ? "full" : "free");
	if (op->err == HF_EFULL && !s->usage.full) {
		s->usage.full = true;
		if (s->on_full && !s->dying)
			s->on_full(s->on_salvaged_user);
	}
	if (!op->err && !op->privileged)
		s->usage.full = false;
}

static void finish_ops(struct hf_store *s)
{
	struct hf_list ops, *link;

	hf_list_init(&ops);
	while ((link = hf_list_pop(&s->finished)) != NULL)
		hf_list_push(&ops, link);
	while ((link = hf_list_pop(&ops)) != NULL) {
		struct hf_store_op *op = hf_container_of(link, struct hf_store_op, link);

		note_full(s, op);
		if (!s->dying && op->done)
			op->done(op, op->err);
	}
}

static void log_salvage(struct hf_store *s)
{
	const struct hf_store_report *r = &s->report;

	hf_log(s->log, HF_LOG_ERROR, "store.salvaged", "quarantine=%s saved=%llu lost=%llu",
	       r->quarantine, (unsigned long long)r->rows_saved, (unsigned long long)r->rows_lost);
}

static void log_deleted(struct hf_store *s)
{
	hf_log(s->log, HF_LOG_ERROR, "store.quarantine_deleted",
	       "file=queue-%u.db kept=%u hint=\"the medium may be failing\"", s->deleted,
	       HF_ASIDE_MAX);
	s->deleted = 0;
}

static void finish_batch(struct hf_store *s)
{
	if (s->salvaged) {
		s->salvaged = false;
		log_salvage(s);
		if (s->on_salvaged && !s->dying)
			s->on_salvaged(s->on_salvaged_user, &s->report);
	}
	finish_ops(s);
}

static void finish_open(struct hf_store *s)
{
	struct hf_store_report *r = &s->report;

	s->salvaged = false;
	if (r->salvaged)
		log_salvage(s);
	if (r->vanished)
		hf_log(s->log, HF_LOG_ERROR, "store.vanished", "times=%u", r->vanished_total);
	if (s->result) {
		hf_log(s->log, HF_LOG_ERROR, "store.open_failed", "err=%s", hf_errname(s->result));
		s->refusal = s->result;
	} else {
		s->open = true;
		s->boot_kick = true;
	}
	if (!s->result && s->nowhere)
		hf_log(s->log, HF_LOG_ERROR, "store.no_room",
		       "hint=\"the medium is full: requests are not queued until there is room\"");
	if (!s->dying)
		s->open_done(s->open_user, s->result, r);
}

/* The database that had no room is on the medium now. */
static void finish_reserve(struct hf_store *s)
{
	if (!s->appeared)
		return;
	s->appeared = false;
	hf_log(s->log, HF_LOG_WARNING, "store.created", "dir=%s", s->dir);
	if (s->on_salvaged && !s->dying)
		s->on_salvaged(s->on_salvaged_user, &s->report);
}

static void finish_close(struct hf_store *s)
{
	s->open = false;
	s->closing = false;
	s->refusal = HF_ECANCELED;
	if (s->result)
		hf_log(s->log, HF_LOG_WARNING, "store.close_failed", "err=%s",
		       hf_errname(s->result));
	if (!s->dying)
		s->close_done(s->close_user, s->result);
}

static void take_usage(struct hf_store *s)
{
	const struct hf_store_usage before = s->usage;

	s->usage = s->figures;
	s->usage.bytes_max = s->bytes_max;
	s->usage.full = before.full;
	s->usage.checkpoint_ms = before.checkpoints == s->usage.checkpoints ? before.checkpoint_ms :
									      s->now_ms;
	s->usage_day = s->ledger.day;
	if (s->day < 0) {
		s->day = s->ledger.day;
		s->day_at_ms = s->now_ms;
	}
}

static void job_done(struct hf_job *job)
{
	struct hf_store *s = hf_container_of(job, struct hf_store, job);

	/* still busy: what the callbacks submit is one batch */
	take_usage(s);
	if (s->deleted)
		log_deleted(s);
	switch (s->kind) {
	case HF_JOB_OPEN:
		finish_open(s);
		break;
	case HF_JOB_BATCH:
		finish_batch(s);
		break;
	case HF_JOB_CHECKPOINT:
		if (s->result)
			hf_log(s->log, HF_LOG_WARNING, "store.checkpoint_failed", "err=%s",
			       hf_errname(s->result));
		break;
	case HF_JOB_SWEEP:
		break;
	case HF_JOB_RESERVE:
		finish_reserve(s);
		break;
	case HF_JOB_CLOSE:
		finish_close(s);
		break;
	}
	s->busy = false;
	next_job(s);
}

/* ---- which job is next ---- */

static bool waiting(struct hf_store *s)
{
	return !hf_inbox_empty(&s->inbox) || !hf_list_empty(&s->later);
}

/* A store that cannot be used: its operations fail on a turn of their own. */
static void refuse_run(struct hf_job *job)
{
	struct hf_store *s = hf_container_of(job, struct hf_store, job);
	struct hf_list ops, *link;

	hf_list_init(&ops);
	hf_batch_take(s, &ops);
	while ((link = hf_list_pop(&ops)) != NULL) {
		hf_container_of(link, struct hf_store_op, link)->err = s->refusal;
		hf_list_push(&s->finished, link);
	}
}

static void refuse_done(struct hf_job *job)
{
	struct hf_store *s = hf_container_of(job, struct hf_store, job);

	finish_ops(s);
	if (s->closing && !waiting(s)) {
		s->result = 0;
		finish_close(s);
	}
	s->busy = false;
	next_job(s);
}

static void refuse(struct hf_store *s)
{
	s->busy = true;
	s->job.run = refuse_run;
	s->job.done = refuse_done;
	s->port->job_submit(s->port, &s->job);
}

static bool reserve_wanted(struct hf_store *s)
{
	uint64_t now = s->port->boottime_ms(s->port);

	if (!s->reserve_due && !s->db.low)
		return false;
	if (!s->reserve_due && now - s->reserve_at_ms < hf_reserve_wait_ms(s))
		return false;
	s->reserve_at_ms = now;
	return true;
}

/* More than the reserve could take over from the log. */
static bool has_grown(const struct hf_store *s)
{
	return s->db.wal_frames > 0 && s->usage.file_bytes / HF_PAGE_SIZE > s->grow_at;
}

static void next_job(struct hf_store *s)
{
	if (s->dying)
		return;
	if (s->refusal) {
		if (waiting(s) || s->closing)
			refuse(s);
		return;
	}
	if (!s->open)
		return;
	if (s->db.wal_frames >= 2 * s->checkpoint_at || has_grown(s))
		submit_job(s, HF_JOB_CHECKPOINT);
	else if (s->db.sql && s->db.low && reserve_wanted(s))
		submit_job(s, HF_JOB_RESERVE); /* first: what waits need not be refused then */
	else if (waiting(s) || s->boot_kick)
		submit_job(s, HF_JOB_BATCH);
	else if (s->closing)
		submit_job(s, HF_JOB_CLOSE);
	else if (s->db.wal_frames >= s->checkpoint_at)
		submit_job(s, HF_JOB_CHECKPOINT);
	else if (s->db.sql && reserve_wanted(s))
		submit_job(s, HF_JOB_RESERVE);
	else if (s->db.sql && s->db.uploads_gone)
		submit_job(s, HF_JOB_SWEEP);
}

/* ---- public ---- */

int hf_store_create(const struct hf_store_options *opt, struct hf_store **out)
{
	struct hf_store *s = calloc(1, sizeof(*s));
	const char *dir = opt->port->state_dir(opt->port);
	int err;

	if (!s)
		return HF_ENOMEM;
	if (strlen(dir) >= sizeof(s->dir) - 64) {
		free(s);
		return HF_EINVAL;
	}
	s->port = opt->port;
	s->log = opt->log;
	s->bytes_max = opt->bytes_max;
	s->reserve_bytes = opt->reserve_bytes;
	s->wal_pages = opt->wal_pages ? opt->wal_pages : 1;
	s->on_salvaged = opt->on_salvaged;
	s->on_full = opt->on_full;
	s->on_salvaged_user = opt->user;
	memcpy(s->dir, dir, strlen(dir) + 1);
	hf_inbox_init(&s->inbox);
	hf_list_init(&s->finished);
	hf_list_init(&s->later);
	s->day = -1;
	s->job.run = job_run;
	s->job.done = job_done;
	s->job.moved = &s->vfs.moved;
	err = hf_vfs_init(&s->vfs, s->port->vfs_name(s->port));
	if (err) {
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void hf_store_open(struct hf_store *s,
		   void (*done)(void *user, int err, const struct hf_store_report *report),
		   void *user)
{
	assert(!s->open && !s->busy);
	s->open_done = done;
	s->open_user = user;
	if (s->port->entropy(s->port, s->fresh_seed, sizeof(s->fresh_seed)))
		hf_log(s->log, HF_LOG_WARNING, "store.no_entropy", "seed=weak");
	submit_job(s, HF_JOB_OPEN);
}

void hf_store_close(struct hf_store *s, void (*done)(void *user, int err), void *user)
{
	assert(!s->closing);
	s->close_done = done;
	s->close_user = user;
	s->closing = true;
	if (!s->busy)
		next_job(s);
}

void hf_store_submit(struct hf_store *s, struct hf_store_op *op)
{
	assert(op->run);
	op->err = 0;
	op->excluded = false;
	hf_inbox_push(&s->inbox, &op->link);
	if (!s->busy)
		next_job(s);
}

void hf_store_destroy(struct hf_store *s)
{
	if (!s)
		return;
	s->dying = true;
	s->port->jobs_finish(s->port);
	hf_db_close(&s->db);
	hf_vfs_finish(&s->vfs);
	free(s);
}

void hf_store_usage(const struct hf_store *s, struct hf_store_usage *out)
{
	*out = s->usage;
	out->bytes_max = s->bytes_max;
	if (s->usage_day != s->day)
		out->written_today = 0;
}

/* ---- op: check ---- */

static int check_run(struct hf_store_op *op, struct hf_db *db)
{
	struct hf_store_check *c = hf_container_of(op, struct hf_store_check, op);
	size_t used = 0;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, "PRAGMA integrity_check(100)", -1, &st, NULL);

	c->faults = 0;
	c->text[0] = '\0';
	while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(st, 0);
		size_t len;

		if (!line)
			line = "";
		len = strlen(line);
		if (c->faults == 0 && strcmp(line, "ok") == 0)
			break;
		c->faults++;
		if (used + len + 2 > sizeof(c->text))
			continue;
		memcpy(c->text + used, line, len);
		used += len;
		c->text[used++] = '\n';
		c->text[used] = '\0';
	}
	sqlite3_finalize(st);
	return hf_sql_map(rc);
}

void hf_store_check(struct hf_store *s, struct hf_store_check *c)
{
	c->op.run = check_run;
	c->op.writes = false;
	c->op.privileged = true;
	hf_store_submit(s, &c->op);
}
