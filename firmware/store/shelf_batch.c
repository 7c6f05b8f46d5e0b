/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that wait share one transaction, which is begun by the first that writes. Each
 * of these has a savepoint: the error of one undoes what it wrote and nothing else.
 * After an error of SQLite those that write fail together and the readers are run
 * again; a damaged database is renewed first, and all are run again.
 */
#include <assert.h>

#include "store/shelf_intake.h"
#include "store/shelf_private.h"
#include "store/shelf_rows.h"

#define BATCH_MAX 64 /* no more are joined while running */

struct batch {
	struct hf_list ops;
	unsigned n;
	bool begun;
	int refused; /* not 0: those that write get it */
	bool sync;
	bool renewed, made_room;
};

static struct hf_shelf_op *op_of(struct hf_list *link)
{
	return hf_container_of(link, struct hf_shelf_op, link);
}

static int statement(struct hf_shelf_db *db, enum hf_shelf_statement which)
{
	return hf_shelf_run(db, hf_shelf_stmt(db, which));
}

/* ---- one operation ---- */

static int begin(struct hf_shelf *s, struct batch *b)
{
	int err;

	if (b->begun)
		return 0;
	err = statement(&s->db, HF_SHELF_BEGIN);
	b->begun = !err;
	if (!err && s->boot_due)
		err = hf_shelf_store_start(s, false);
	if (!err && s->db.proof_due)
		err = hf_shelf_proof_store(&s->db);
	return err;
}

static int run_writer(struct hf_shelf *s, struct batch *b, struct hf_shelf_op *op)
{
	struct hf_shelf_db *db = &s->db;
	int err;

	op->err = b->refused ? b->refused : db->nowhere ? HF_EFULL : 0;
	if (op->err)
		return 0;
	err = begin(s, b);
	if (!err)
		err = statement(db, HF_SHELF_SAVEPOINT);
	if (!err)
		op->err = op->run(op, db);
	if (db->hard)
		return db->hard;
	if (op->err) {
		hf_shelf_db_forget(db);
		err = statement(db, HF_SHELF_ROLLBACK_TO);
	} else {
		b->sync |= op->sync;
	}
	return err ? err : statement(db, HF_SHELF_RELEASE);
}

static int run_op(struct hf_shelf *s, struct batch *b, struct hf_shelf_op *op)
{
	if (op->writes)
		return run_writer(s, b, op);
	op->err = op->run(op, &s->db);
	return s->db.hard;
}

/* ---- the transaction ---- */

static int run_ops(struct hf_shelf *s, struct batch *b)
{
	struct hf_list *at = b->ops.next;

	for (;;) {
		for (; at != &b->ops; at = at->next) {
			int err = run_op(s, b, op_of(at));

			if (err)
				return err;
		}
		if (b->n >= BATCH_MAX)
			return 0;
		at = b->ops.prev;
		b->n += hf_inbox_take(&s->inbox, &b->ops);
		at = at->next;
		if (at == &b->ops)
			return 0;
	}
}

static void sync_failed(struct batch *b, int err)
{
	for (struct hf_list *at = b->ops.next; at != &b->ops; at = at->next) {
		struct hf_shelf_op *op = op_of(at);

		if (op->writes && op->sync && !op->err)
			op->err = err;
	}
}

static int attempt(struct hf_shelf *s, struct batch *b)
{
	struct hf_shelf_db *db = &s->db;
	int err;

	db->hard = 0;
	b->begun = false;
	b->sync = false;
	err = run_ops(s, b);
	hf_shelf_db_settle(db);
	if (!err && b->begun)
		err = statement(db, HF_SHELF_COMMIT);
	if (err || !b->begun)
		return err;
	s->boot_due = false;
	s->db.proof_due = false;
	s->background_off = false;
	hf_shelf_intakes_settle(db, true);
	if (b->sync) {
		int failed = hf_shelf_db_sync(db);

		if (failed)
			sync_failed(b, failed);
	}
	return 0;
}

static void roll_back(struct hf_shelf_db *db)
{
	hf_shelf_db_roll_back(db);
	hf_shelf_intakes_settle(db, false);
}

static void fail_all(struct batch *b, int err)
{
	for (struct hf_list *at = b->ops.next; at != &b->ops; at = at->next)
		op_of(at)->err = err;
}

/* After a rollback for @err: true when there is something to try. */
static bool remedy(struct hf_shelf *s, struct batch *b, int err)
{
	if (err == HF_ECORRUPT && !b->renewed) {
		b->renewed = true;
		err = hf_shelf_renew_run(s);
		if (!err)
			return true;
	} else if (err == HF_EFULL && !b->made_room && s->db.wal_frames > 0) {
		b->made_room = true;
		hf_shelf_checkpoint_run(s); /* the log begins anew in its own space */
		return true;
	} else if (!b->refused) {
		b->refused = err;
		return true;
	}
	fail_all(b, err);
	return false;
}

void hf_shelf_batch_run(struct hf_shelf *s)
{
	struct batch b = { .n = 0 };
	struct hf_list *link;
	int err;

	hf_list_init(&b.ops);
	b.n = hf_inbox_take(&s->inbox, &b.ops);
	hf_shelf_try_again(s);
	if (!s->db.sql)
		fail_all(&b, HF_EIO);
	while (s->db.sql) {
		err = attempt(s, &b);
		if (!err)
			break;
		roll_back(&s->db);
		if (!remedy(s, &b, err))
			break;
	}
	while ((link = hf_list_pop(&b.ops)) != NULL) {
		if (op_of(link)->err)
			hf_shelf_append_failed(op_of(link));
		hf_list_push(&s->finished, link);
	}
}

/* ---- in the background ---- */

static int slice(struct hf_shelf *s, enum hf_shelf_job kind)
{
	struct hf_shelf_db *db = &s->db;

	if (kind == HF_SHELF_SWEEP)
		return hf_shelf_sweep_slice(db);
	if (kind == HF_SHELF_SHRINK)
		return statement(db, HF_SHELF_VACUUM);
	return hf_shelf_evict_slice(db, db->pages_target, &db->evicting);
}

static int slice_and_commit(struct hf_shelf *s, enum hf_shelf_job kind)
{
	int err;

	s->db.hard = 0;
	err = statement(&s->db, HF_SHELF_BEGIN);
	if (!err)
		err = slice(s, kind);
	hf_shelf_db_settle(&s->db);
	return err ? err : statement(&s->db, HF_SHELF_COMMIT);
}

/* Eviction that finds nothing, and pages that cannot be given back, are left alone
 * until something is written. */
static bool is_futile(struct hf_shelf *s, enum hf_shelf_job kind)
{
	uint64_t used = 0, total = 0;

	if (kind == HF_SHELF_EVICT)
		return !s->db.evicting && !hf_shelf_pages(&s->db, &used, &total) &&
		       used > s->db.pages_target;
	return kind == HF_SHELF_SHRINK && !hf_shelf_pages(&s->db, &used, &total) &&
	       total == s->pages_total;
}

/* Once no page is free the files are cut. */
static void shrink_files(struct hf_shelf *s)
{
	uint64_t used = 0, total = 0;

	if (!hf_shelf_pages(&s->db, &used, &total) && (used == total || s->background_off))
		hf_shelf_db_checkpoint(&s->db, true);
}

void hf_shelf_background_run(struct hf_shelf *s, enum hf_shelf_job kind)
{
	int err = slice_and_commit(s, kind);

	if (err) {
		roll_back(&s->db);
		s->background_off = true;
		s->db.evicting = false;
		s->result = err == HF_ECORRUPT ? hf_shelf_renew_run(s) : err;
		return;
	}
	if (is_futile(s, kind))
		s->background_off = true;
	if (kind == HF_SHELF_SHRINK)
		shrink_files(s);
}

void hf_shelf_checkpoint_run(struct hf_shelf *s)
{
	int err = hf_shelf_db_checkpoint(&s->db, false);

	/* one that failed is tried again after as many frames more */
	s->checkpoint_at = s->db.wal_frames;
	if (err && !s->checkpoint_failed)
		s->result = err;
	s->checkpoint_failed = err != 0;
}

void hf_shelf_figures_take(struct hf_shelf *s)
{
	struct hf_shelf_usage *u = &s->usage;

	u->evicted = s->db.evicted;
	u->written_total = s->vfs.written;
	if (!s->db.sql)
		return;
	s->db.hard = 0;
	if (hf_shelf_pages(&s->db, &s->pages_used, &s->pages_total))
		return;
	u->bytes = s->pages_used * HF_SHELF_PAGE_SIZE;
	u->file_bytes = s->pages_total * HF_SHELF_PAGE_SIZE;
	u->entries = hf_shelf_entries(&s->db);
}
