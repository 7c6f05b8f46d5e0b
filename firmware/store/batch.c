/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch writer: everything that waits is one transaction with one sync.
 *
 * The loop pushes operations onto the inbox and submits a job when none is
 * under way. The job takes what is there and, before it commits, looks again:
 * what the loop has added meanwhile joins. A lone client waits for nothing, and
 * the operations of one turn share a commit without a timer.
 *
 * The fast path has no savepoints. When an operation fails after it has
 * written, the transaction is rolled back and the batch is run again with a
 * savepoint round each. When SQLite itself fails, the batch is judged (see
 * judge()) and run again without the culprit. So run() may be called several
 * times; every round excludes an operation or uses up a remedy, so it ends.
 */
#include <assert.h>

#include "store/rows.h"
#include "store/store_private.h"

#define BATCH_MAX 256 /* no more are joined while running */

struct batch {
	struct hf_list ops;
	unsigned n;
	bool savepoints;
	bool released; /* the reserve was given up and the log copied back */
	bool salvaged;
	bool tail_off; /* the store's own writes are left out */
	struct hf_store_op *culprit;
	bool in_tail;
};

static struct hf_store_op *op_of(struct hf_list *link)
{
	return hf_container_of(link, struct hf_store_op, link);
}

unsigned hf_batch_take(struct hf_store *s, struct hf_list *ops)
{
	struct hf_list *put_off;
	unsigned n = 0;

	while ((put_off = hf_list_pop(&s->later)) != NULL) {
		hf_list_push(ops, put_off);
		n++;
	}
	return n + hf_inbox_take(&s->inbox, ops);
}

/* ---- one operation ---- */

static int statement(struct hf_db *db, enum hf_statement which)
{
	return hf_db_run(db, hf_db_stmt(db, which));
}

/* Undoes what @op wrote; HF_EAGAIN: only by running the batch again. */
static int undo_op(struct batch *b, struct hf_db *db)
{
	int err;

	if (!b->savepoints) {
		b->savepoints = true;
		return HF_EAGAIN;
	}
	hf_db_forget(db);
	err = statement(db, HF_SQL_ROLLBACK_TO);
	return err;
}

static int run_op(struct batch *b, struct hf_db *db, struct hf_store_op *op)
{
	sqlite3_int64 before = sqlite3_total_changes64(db->sql);
	bool guarded = b->savepoints && op->writes;
	int err = 0;

	if (op->excluded)
		return 0;
	b->culprit = op;
	if (op->writes && !op->privileged && db->low) {
		op->err = hf_db_room(db, 0, false);
		if (op->err)
			return db->hard;
	}
	if (guarded)
		err = statement(db, HF_SQL_SAVEPOINT);
	if (!err)
		op->err = op->run(op, db);
	if (db->hard)
		return db->hard;
	assert(op->writes || sqlite3_total_changes64(db->sql) == before);
	if (op->err && sqlite3_total_changes64(db->sql) != before)
		err = undo_op(b, db);
	if (!err && guarded)
		err = statement(db, HF_SQL_RELEASE);
	b->culprit = NULL;
	return err;
}

/* ---- the store's own writes ---- */

int hf_ledger_store(struct hf_store *s, uint64_t ahead)
{
	struct hf_ledger *l = &s->ledger;
	uint8_t bytes[24];

	l->storing = l->before + s->vfs.written + ahead;
	hf_put_le(bytes, l->storing, 8);
	hf_put_le(bytes + 8, l->day_start, 8);
	hf_put_le(bytes + 16, (uint64_t)l->day, 8);
	return hf_meta_put(&s->db, "ledger", hf_span(bytes, sizeof(bytes)));
}

void hf_ledger_stored(struct hf_store *s)
{
	struct hf_ledger *l = &s->ledger;

	if (l->storing == 0)
		return;
	l->stored = l->storing;
	l->stored_day = l->day;
	l->storing = 0;
}

static bool ledger_is_due(const struct hf_store *s)
{
	const struct hf_ledger *l = &s->ledger;

	return l->before + s->vfs.written + HF_LEDGER_AHEAD / 16 > l->stored ||
	       l->stored_day != l->day;
}

static int run_tail(struct hf_store *s, bool wrote)
{
	unsigned removed;
	int err = 0;

	if (s->boot_due) {
		err = hf_open_store_run(s, false);
		wrote = true;
	}
	if (!err && wrote && s->db.finished_n >= (s->db.low ? 1 : HF_PURGE_AT))
		err = hf_purge_requests(&s->db, HF_FINISHED_MAX, &removed);
	if (!err && wrote && ledger_is_due(s))
		err = hf_ledger_store(s, HF_LEDGER_AHEAD);
	return err;
}

/* ---- the transaction ---- */

/* @at and what follows it are of the next batch. */
static void put_off(struct hf_store *s, struct batch *b, struct hf_list *at)
{
	while (at != &b->ops) {
		struct hf_list *next = at->next;

		hf_list_remove(at);
		hf_list_push(&s->later, at);
		b->n--;
		at = next;
	}
}

static int run_ops(struct hf_store *s, struct batch *b)
{
	struct hf_list *at = b->ops.next;

	for (;;) {
		for (; at != &b->ops; at = at->next) {
			int err = run_op(b, &s->db, op_of(at));

			if (err)
				return err;
			/* grown enough for one commit: see reserve.c */
			if (at->next != &b->ops && op_of(at)->writes &&
			    hf_db_is_beyond(&s->db, s->grow_at)) {
				put_off(s, b, at->next);
				return 0;
			}
		}
		if (b->n >= BATCH_MAX)
			return 0;
		at = b->ops.prev;
		b->n += hf_batch_take(s, &b->ops);
		at = at->next;
		if (at == &b->ops)
			return 0;
	}
}

static int attempt(struct hf_store *s, struct batch *b)
{
	struct hf_db *db = &s->db;
	sqlite3_int64 before = sqlite3_total_changes64(db->sql);
	int err;

	db->hard = 0;
	b->culprit = NULL;
	b->in_tail = false;
	s->ledger.storing = 0;
	err = statement(db, HF_SQL_BEGIN);
	if (!err)
		err = run_ops(s, b);
	if (!err && !b->tail_off) {
		b->in_tail = true;
		err = run_tail(s, sqlite3_total_changes64(db->sql) != before);
		b->in_tail = err != 0;
	}
	if (!err)
		err = statement(db, HF_SQL_COMMIT);
	if (!err && !b->tail_off) {
		s->boot_due = false;
		hf_ledger_stored(s);
	}
	return err;
}

static void roll_back(struct hf_db *db)
{
	for (int i = 0; i < HF_SQL_COUNT; i++)
		hf_db_reset(db->st[i]);
	if (!sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	hf_db_forget(db);
	db->finished_n = 0;
}

static void exclude(struct hf_store_op *op, int err)
{
	op->excluded = true;
	op->err = err;
}

/* All that write, or all: what is left is run again. */
static void exclude_all(struct batch *b, bool readers, int err)
{
	for (struct hf_list *at = b->ops.next; at != &b->ops; at = at->next) {
		if (!op_of(at)->excluded && (readers || op_of(at)->writes))
			exclude(op_of(at), err);
	}
	b->tail_off = true;
}

/* What may write only while there is room; false when there is none of it. */
static bool shed(struct batch *b, int err)
{
	bool any = false;

	for (struct hf_list *at = b->ops.next; at != &b->ops; at = at->next) {
		struct hf_store_op *op = op_of(at);

		if (op->excluded || op->privileged || !op->writes)
			continue;
		exclude(op, err);
		any = true;
	}
	return any;
}

static void blame(struct batch *b, int err)
{
	if (b->in_tail && !b->tail_off)
		b->tail_off = true;
	else if (b->culprit)
		exclude(b->culprit, err);
	else
		exclude_all(b, false, err);
}

/* After a rollback for @err: finds the remedy or who is to fail. False: the
 * database is not to be used any more, and everyone has failed. */
static bool judge(struct hf_store *s, struct batch *b, int err)
{
	if (err == HF_EAGAIN)
		return true;
	if (err == HF_EFULL && !b->released) {
		b->released = true;
		hf_reserve_release(s);
		if (s->db.wal_frames > 0)
			hf_checkpoint_run(s); /* the log begins anew in its own space */
		return true;
	}
	if (err == HF_EFULL && (!b->culprit || b->culprit->privileged) && shed(b, err))
		return true;
	if (err == HF_ECORRUPT && !b->salvaged) {
		b->salvaged = true;
		err = hf_salvage_run(s, false);
		if (!err)
			return true;
		exclude_all(b, true, err);
		return false;
	}
	blame(b, err);
	return true;
}

static bool anything_left(const struct batch *b)
{
	for (struct hf_list *at = b->ops.next; at != &b->ops; at = at->next) {
		if (!op_of(at)->excluded)
			return true;
	}
	return !b->tail_off;
}

#define REOPEN_AFTER_MS 30000

/* A salvage that failed (no space, say) left no database: now and then the
 * whole way of opening is tried again. */
static int reopen(struct hf_store *s)
{
	int err;

	if (s->now_ms < s->reopen_at_ms)
		return HF_EIO;
	s->reopen_at_ms = s->now_ms + REOPEN_AFTER_MS;
	err = hf_open_run(s);
	s->salvaged |= s->report.salvaged;
	return err;
}

void hf_batch_run(struct hf_store *s)
{
	struct batch b = { .n = 0 };
	struct hf_list *link;
	int err;

	hf_list_init(&b.ops);
	b.n = hf_batch_take(s, &b.ops);
	if (!s->db.sql && reopen(s))
		exclude_all(&b, true, HF_EIO);
	while (anything_left(&b)) {
		err = attempt(s, &b);
		if (!err)
			break;
		roll_back(&s->db);
		if (!judge(s, &b, err))
			break;
	}
	while ((link = hf_list_pop(&b.ops)) != NULL)
		hf_list_push(&s->finished, link);
	hf_aside_look_again(s);
	s->figures.batches++;
	s->figures.ops += b.n;
}

/* ---- background ---- */

int hf_sweep_run(struct hf_store *s)
{
	struct hf_db *db = &s->db;
	int err;

	db->hard = 0;
	err = statement(db, HF_SQL_BEGIN);
	if (!err)
		err = hf_blob_sweep(db, 4);
	if (!err)
		err = statement(db, HF_SQL_COMMIT);
	if (err) {
		roll_back(db);
		db->uploads_gone = false; /* until the next blob is abandoned */
	}
	return err;
}

int hf_checkpoint_run(struct hf_store *s)
{
	uint64_t used, total;
	unsigned step;
	int rc, log = 0, done = 0;

	rc = sqlite3_wal_checkpoint_v2(s->db.sql, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	if (rc == SQLITE_FULL && hf_reserve_release(s))
		rc = sqlite3_wal_checkpoint_v2(s->db.sql, NULL, SQLITE_CHECKPOINT_PASSIVE, &log,
					       &done);
	step = hf_reserve_log_step(s);
	if (hf_db_pages(&s->db, &used, &total))
		total = 0;
	if (rc == SQLITE_OK && log == done) {
		s->db.wal_frames = 0;
		s->checkpoint_at = step;
		s->db.backed = total;
		s->figures.checkpoints++;
	} else {
		s->checkpoint_at = s->db.wal_frames + step;
	}
	s->grow_at = total + hf_reserve_growth_step(s);
	return hf_sql_map(rc);
}

void hf_figures_take(struct hf_store *s)
{
	struct hf_store_usage *f = &s->figures;
	uint64_t used = 0, total = 0;

	if (s->db.sql && !hf_db_pages(&s->db, &used, &total)) {
		f->bytes = used * HF_PAGE_SIZE;
		f->file_bytes = total * HF_PAGE_SIZE;
		f->room = hf_db_room_left(&s->db, used, total) * HF_PAGE_SIZE;
	}
	f->page_bytes = HF_PAGE_SIZE;
	f->log_pages = (uint32_t)s->db.wal_frames;
	f->aside_n = s->aside_n;
	memcpy(f->aside, s->aside, sizeof(f->aside));
	f->deleting_helps = !s->db.low || s->db.backed > 2 * s->db.low_keep;
	f->written_total = s->ledger.before + s->vfs.written;
	if (f->written_total > s->ledger.stored)
		f->written_total = s->ledger.stored;
	if (s->job_day >= 0 && s->ledger.day != s->job_day) {
		s->ledger.day = s->job_day;
		s->ledger.day_start = f->written_total;
	}
	f->written_today = f->written_total - s->ledger.day_start;
}
