/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shelf on the loop: one job at a time is with the port, and when it comes back
 * the next one is chosen: the batch that has gathered, a background slice (deleting,
 * evicting, a checkpoint), in turn when both wait, or nothing.
 */
#include "store/shelf.h"

#include <assert.h>
#include <stdlib.h>

#include "store/shelf_private.h"

#define CHECKPOINT_AT	 256  /* frames of the log, when nothing waits */
#define CHECKPOINT_FIRST 1024 /* before the next batch */

static void next_job(struct hf_shelf *s);

/* ---- jobs ---- */

static void job_run(struct hf_job *job)
{
	struct hf_shelf *s = hf_container_of(job, struct hf_shelf, job);

	s->result = 0;
	switch (s->kind) {
	case HF_SHELF_OPEN:
		s->result = hf_shelf_open_run(s);
		break;
	case HF_SHELF_BATCH:
		hf_shelf_batch_run(s);
		break;
	case HF_SHELF_CHECKPOINT:
		hf_shelf_checkpoint_run(s);
		break;
	case HF_SHELF_SWEEP:
	case HF_SHELF_EVICT:
	case HF_SHELF_SHRINK:
		hf_shelf_background_run(s, s->kind);
		break;
	case HF_SHELF_CLOSE:
		s->result = hf_shelf_close_run(s);
		break;
	}
	hf_shelf_figures_take(s);
}

/* The bodies that are being read. False: no memory for them. */
static bool take_held(struct hf_shelf *s)
{
	struct hf_list *at;
	size_t n = 0;

	for (at = s->holds.next; at != &s->holds; at = at->next)
		n++;
	free(s->held);
	s->held = malloc((n + 1) * sizeof(*s->held));
	if (!s->held)
		return false;
	n = 0;
	for (at = s->holds.next; at != &s->holds; at = at->next)
		s->held[n++] = hf_container_of(at, struct hf_shelf_hold, link)->body;
	s->db.held = s->held;
	s->db.held_n = n;
	return true;
}

static uint64_t pages_of(uint64_t bytes)
{
	return bytes / HF_SHELF_PAGE_SIZE;
}

static void submit_job(struct hf_shelf *s, enum hf_shelf_job kind)
{
	assert(!s->busy);
	if (kind == HF_SHELF_SWEEP && !take_held(s)) {
		s->background_off = true;
		return;
	}
	s->busy = true;
	s->kind = kind;
	s->in_turn = kind == HF_SHELF_BATCH;
	s->now_ms = s->port->boottime_ms(s->port);
	s->db.pages_max = pages_of(s->ceiling) + pages_of(s->ceiling) / 16 + 64;
	s->db.pages_target = pages_of(s->ceiling) / 20 * 19;
	s->port->job_submit(s->port, &s->job);
}

/* ---- afterwards, on the loop ---- */

static void note_full(struct hf_shelf *s, const struct hf_shelf_op *op)
{
	if (!op->writes)
		return;
	if (op->err == HF_EFULL && !s->full)
		hf_log(s->log, HF_LOG_WARNING, "cache.full", "bytes=%llu max=%llu",
		       (unsigned long long)s->pages_used * HF_SHELF_PAGE_SIZE,
		       (unsigned long long)s->ceiling);
	if (op->err == HF_EFULL)
		s->full = true;
	else if (!op->err)
		s->full = false;
}

static void finish_ops(struct hf_shelf *s)
{
	struct hf_list ops, *link;

	hf_list_init(&ops);
	while ((link = hf_list_pop(&s->finished)) != NULL)
		hf_list_push(&ops, link);
	while ((link = hf_list_pop(&ops)) != NULL) {
		struct hf_shelf_op *op = hf_container_of(link, struct hf_shelf_op, link);

		note_full(s, op);
		if (!s->dying && op->done)
			op->done(op, op->err);
	}
}

static void log_renewed(struct hf_shelf *s)
{
	hf_log(s->log, HF_LOG_ERROR, "cache.renewed", "kept=%llu lost=%llu",
	       (unsigned long long)s->report.entries, (unsigned long long)s->report.lost);
}

static void finish_renewal(struct hf_shelf *s)
{
	if (!s->renewed && !s->appeared)
		return;
	if (s->renewed)
		log_renewed(s);
	s->renewed = false;
	s->appeared = false;
	memcpy(s->seed, s->db.seed, sizeof(s->seed));
	if (s->on_renewed && !s->dying)
		s->on_renewed(s->on_renewed_user, &s->report);
}

static void finish_open(struct hf_shelf *s)
{
	if (s->renewed)
		log_renewed(s);
	s->renewed = false;
	memcpy(s->seed, s->db.seed, sizeof(s->seed));
	if (s->result) {
		hf_log(s->log, HF_LOG_ERROR, "cache.open_failed", "err=%s", hf_errname(s->result));
		s->refusal = s->result;
	} else {
		s->open = true;
	}
	if (!s->result && s->db.nowhere)
		hf_log(s->log, HF_LOG_WARNING, "cache.no_room",
		       "hint=\"the medium is full: nothing is cached until there is room\"");
	if (!s->dying)
		s->open_done(s->open_user, s->result, &s->report);
}

static void finish_close(struct hf_shelf *s)
{
	s->open = false;
	s->closing = false;
	s->refusal = HF_ECANCELED;
	if (s->result)
		hf_log(s->log, HF_LOG_WARNING, "cache.close_failed", "err=%s",
		       hf_errname(s->result));
	if (!s->dying)
		s->close_done(s->close_user, s->result);
}

static void job_done(struct hf_job *job)
{
	struct hf_shelf *s = hf_container_of(job, struct hf_shelf, job);

	/* still busy: what the callbacks submit is one batch */
	if (s->kind == HF_SHELF_OPEN) {
		finish_open(s);
	} else {
		finish_renewal(s);
		finish_ops(s);
		if (s->kind == HF_SHELF_CLOSE)
			finish_close(s);
		else if (s->result)
			hf_log(s->log, HF_LOG_WARNING, "cache.upkeep_failed", "err=%s",
			       hf_errname(s->result));
	}
	s->busy = false;
	next_job(s);
}

/* ---- which job is next ---- */

/* A shelf that cannot be used: its operations fail on a turn of their own. */
static void refuse_run(struct hf_job *job)
{
	struct hf_shelf *s = hf_container_of(job, struct hf_shelf, job);
	struct hf_list ops, *link;

	hf_list_init(&ops);
	hf_inbox_take(&s->inbox, &ops);
	while ((link = hf_list_pop(&ops)) != NULL) {
		hf_container_of(link, struct hf_shelf_op, link)->err = s->refusal;
		hf_list_push(&s->finished, link);
	}
}

static void refuse_done(struct hf_job *job)
{
	struct hf_shelf *s = hf_container_of(job, struct hf_shelf, job);

	finish_ops(s);
	if (s->closing && hf_inbox_empty(&s->inbox)) {
		s->result = 0;
		finish_close(s);
	}
	s->busy = false;
	next_job(s);
}

static void refuse(struct hf_shelf *s)
{
	s->busy = true;
	s->job.run = refuse_run;
	s->job.done = refuse_done;
	s->port->job_submit(s->port, &s->job);
}

/* A slice of background work that is due. */
static bool background(const struct hf_shelf *s, enum hf_shelf_job *kind)
{
	if (!s->db.sql || s->db.nowhere || s->background_off)
		return false;
	if (s->db.sweep_due || s->db.purge_due || s->released)
		*kind = HF_SHELF_SWEEP;
	else if (s->pages_used > pages_of(s->ceiling) || s->db.evicting)
		*kind = HF_SHELF_EVICT;
	else if (s->shrinking && s->pages_total > s->pages_used)
		*kind = HF_SHELF_SHRINK;
	else
		return false;
	return true;
}

static void next_job(struct hf_shelf *s)
{
	enum hf_shelf_job kind;
	bool waiting = !hf_inbox_empty(&s->inbox);

	if (s->dying || s->busy)
		return;
	if (s->refusal) {
		if (waiting || s->closing)
			refuse(s);
		return;
	}
	if (!s->open)
		return;
	if (s->kick)
		s->background_off = false;
	s->kick = false;
	if (s->db.wal_frames >= s->checkpoint_at + CHECKPOINT_FIRST) {
		submit_job(s, HF_SHELF_CHECKPOINT);
	} else if (waiting && !(s->in_turn && background(s, &kind))) {
		submit_job(s, HF_SHELF_BATCH);
	} else if (s->closing) {
		submit_job(s, waiting ? HF_SHELF_BATCH : HF_SHELF_CLOSE);
	} else if (background(s, &kind)) {
		s->released = false;
		submit_job(s, kind);
	} else if (s->db.wal_frames >= s->checkpoint_at + CHECKPOINT_AT) {
		submit_job(s, HF_SHELF_CHECKPOINT);
	}
}

/* ---- public ---- */

int hf_shelf_create(const struct hf_shelf_options *opt, struct hf_shelf **out)
{
	struct hf_shelf *s;
	const char *dir = opt->port->state_dir(opt->port);
	int err;

	if (strlen(dir) >= sizeof(s->dir) - 64)
		return HF_EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return HF_ENOMEM;
	s->port = opt->port;
	s->log = opt->log;
	s->on_renewed = opt->on_renewed;
	s->on_renewed_user = opt->user;
	s->bytes_max = opt->bytes_max;
	s->ceiling = opt->bytes_max;
	memcpy(s->dir, dir, strlen(dir) + 1);
	hf_inbox_init(&s->inbox);
	hf_list_init(&s->finished);
	hf_list_init(&s->holds);
	s->job.run = job_run;
	s->job.done = job_done;
	s->job.moved = &s->vfs.moved;
	s->job.queue = HF_JOBS_CACHE;
	err = hf_vfs_init(&s->vfs, s->port->vfs_name(s->port));
	if (err) {
		free(s);
		return err;
	}
	s->vfs.log_at_once = true;
	*out = s;
	return 0;
}

void hf_shelf_open(struct hf_shelf *s,
		   void (*done)(void *user, int err, const struct hf_shelf_report *report),
		   void *user)
{
	assert(!s->open && !s->busy);
	s->open_done = done;
	s->open_user = user;
	if (s->port->entropy(s->port, s->fresh_seed, sizeof(s->fresh_seed)))
		hf_log(s->log, HF_LOG_WARNING, "cache.no_entropy", "seed=weak");
	submit_job(s, HF_SHELF_OPEN);
}

void hf_shelf_close(struct hf_shelf *s, void (*done)(void *user, int err), void *user)
{
	assert(!s->closing);
	s->close_done = done;
	s->close_user = user;
	s->closing = true;
	next_job(s);
}

void hf_shelf_destroy(struct hf_shelf *s)
{
	if (!s)
		return;
	s->dying = true;
	s->port->jobs_finish(s->port);
	hf_shelf_db_close(&s->db);
	hf_vfs_finish(&s->vfs);
	free(s->held);
	free(s);
}

void hf_shelf_submit(struct hf_shelf *s, struct hf_shelf_op *op,
		     int (*run)(struct hf_shelf_op *op, struct hf_shelf_db *db), bool writes)
{
	op->run = run;
	op->writes = writes;
	op->err = 0;
	hf_inbox_push(&s->inbox, &op->link);
	next_job(s);
}

void hf_shelf_usage(const struct hf_shelf *s, struct hf_shelf_usage *out)
{
	*out = s->usage;
	out->bytes_max = s->ceiling;
	out->full = s->full;
}

void hf_shelf_give_way(struct hf_shelf *s, uint64_t bytes_max)
{
	s->ceiling = bytes_max < s->bytes_max ? bytes_max : s->bytes_max;
	s->shrinking = s->ceiling < s->bytes_max;
	s->kick = true;
	next_job(s);
}

void hf_shelf_hold(struct hf_shelf *s, struct hf_shelf_hold *h, uint64_t body)
{
	h->body = body;
	hf_list_push(&s->holds, &h->link);
}

void hf_shelf_release(struct hf_shelf *s, struct hf_shelf_hold *h)
{
	if (hf_list_empty(&h->link))
		return;
	hf_list_remove(&h->link);
	s->released = true;
	next_job(s);
}

uint64_t hf_shelf_key(const struct hf_shelf *s, uint32_t cache, struct hf_span url)
{
	return s->open ? hf_shelf_key_of(s->seed, cache, url) : 0;
}
