/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits for another record, when that one changes: it goes on when the other is
 * delivered, ends with it, and comes back with it. A lease looks for itself before
 * it sends, so what is done here is never too late for that; it is what lets a
 * lane go on, and what people see.
 *
 * One page is looked at at a time, whatever the number of those that wait. What
 * does not fit the list of parents becomes a round over all.
 */
#include <assert.h>
#include <stdlib.h>

#include "queue/queue_private.h"

#define AGAIN_MS 5000

static void go_on(struct hf_queue *q);

static bool waits(const struct hf_record_state *s)
{
	return s->status == HF_RECORD_QUEUED || s->status == HF_RECORD_HELD;
}

/* ---- one of them ---- */

static void changed(struct hf_queue_change *c, int err)
{
	struct hf_queue *q = c->user;

	/* HF_ENOENT, HF_ESTATE: somebody was faster */
	q->dependents.failed |= err && err != HF_ENOENT && err != HF_ESTATE;
	go_on(q);
}

static bool change(struct hf_queue *q, const struct hf_dependent *d,
		   int (*start)(struct hf_queue *q, struct hf_queue_change *c))
{
	struct hf_dependents *all = &q->dependents;

	hf_record_id_format(d->id, &d->state, all->id);
	all->change = (struct hf_queue_change){
		.public_id = hf_span_str(all->id),
		.done = changed,
		.user = q,
	};
	return start(q, &all->change) == 0;
}

static void wake(struct hf_queue *q, uint64_t id)
{
	struct hf_lane *lane = hf_queue_lane_by_id(q, HF_RECORD_LANE(id));

	if (lane)
		hf_lane_wake(lane, id);
}

/* The other came back behind it (lease_after.c). */
static bool is_behind(const struct hf_dependent *d)
{
	return d->parent_state.created_dev_ms > d->state.created_dev_ms;
}

/* True: a change is under way. */
static bool look(struct hf_queue *q, const struct hf_dependent *d)
{
	bool parent_waits = !d->parent_gone && waits(&d->parent_state);
	bool delivered = !d->parent_gone && d->parent_state.status == HF_RECORD_SETTLED;

	if (waits(&d->state)) {
		if (delivered)
			wake(q, d->id);
		else if (!parent_waits)
			return change(q, d, hf_queue_orphan);
		if (!parent_waits || !is_behind(d))
			return false;
		hf_queue_dependents_look(q, d->parent); /* then it comes back */
		return change(q, d, hf_queue_orphan);
	}
	if (d->state.status == HF_RECORD_DEAD && d->state.reason == HF_REASON_AFTER_FAILED &&
	    (delivered || parent_waits))
		return change(q, d, hf_queue_retry);
	return false;
}

/* ---- pages ---- */

static void again_later(struct hf_queue *q)
{
	q->dependents.all = true;
	(void)hf_timerq_set(q->opt.timers, &q->dependents.timer,
			    q->opt.port->boottime_ms(q->opt.port) + AGAIN_MS);
}

static void end_page(struct hf_queue *q)
{
	free(q->dependents.page);
	q->dependents.page = NULL;
}

static void seen(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	struct hf_dependents *all = &q->dependents;

	end_page(q);
	if (err) /* after the next start they are looked at once more */
		hf_log(q->opt.log, HF_LOG_WARNING, "queue.dependents", "err=%s", hf_errname(err));
	if (all->all || all->parents_n)
		go_on(q);
}

/* The last of what was to be looked at. */
static void end_round(struct hf_queue *q)
{
	struct hf_dependents *all = &q->dependents;

	if (all->failed) {
		all->failed = false;
		end_page(q);
		again_later(q);
	} else if (all->page->due) {
		all->page->op.done = seen;
		hf_store_dependents_seen(q->opt.store, all->page);
	} else {
		end_page(q);
	}
}

static void page_read(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	struct hf_dependents *all = &q->dependents;

	if (err) {
		end_page(q);
		again_later(q);
		return;
	}
	all->at = 0;
	if (all->starting && !all->page->due) { /* nothing was left undone */
		all->page->n = 0;
		all->page->more = false;
	}
	all->starting = false;
	go_on(q);
}

/* From @after on. */
static void read_page(struct hf_queue *q, uint64_t after)
{
	struct hf_store_dependents *page = q->dependents.page;

	page->parent = q->dependents.parent;
	page->after = after;
	page->op.done = page_read;
	page->op.user = q;
	hf_store_dependents(q->opt.store, page);
}

static void next_parent(struct hf_queue *q)
{
	struct hf_dependents *all = &q->dependents;

	if (!all->page)
		all->page = calloc(1, sizeof(*all->page));
	if (!all->page) {
		again_later(q);
		return;
	}
	all->parent = all->all ? 0 : all->parents[--all->parents_n];
	if (all->all)
		all->parents_n = 0;
	all->all = false;
	read_page(q, 0);
}

/* The page is looked at from @at on; the end of a change calls this again. */
static void go_on(struct hf_queue *q)
{
	struct hf_dependents *all = &q->dependents;

	if (q->closing)
		return;
	while (all->page && all->at < all->page->n)
		if (look(q, &all->page->v[all->at++]))
			return;
	if (all->page && all->page->more)
		read_page(q, all->page->next);
	else if (all->all || all->parents_n)
		next_parent(q);
	else if (all->page)
		end_round(q);
}

static void due(void *user)
{
	struct hf_queue *q = user;

	if (!q->dependents.page)
		go_on(q);
}

void hf_queue_dependents_look(struct hf_queue *q, uint64_t parent)
{
	struct hf_dependents *all = &q->dependents;

	all->starting = false;
	for (unsigned i = 0; i < all->parents_n; i++)
		if (all->parents[i] == parent)
			return;
	if (all->parents_n < HF_DEPENDENTS_PARENTS)
		all->parents[all->parents_n++] = parent;
	else
		all->all = true;
	if (!all->page)
		go_on(q);
}

/* ---- life ---- */

void hf_queue_dependents_init(struct hf_queue *q)
{
	hf_timer_init(&q->dependents.timer, due, q);
}

void hf_queue_dependents_start(struct hf_queue *q)
{
	q->dependents.all = true;
	q->dependents.starting = !q->dependents.page;
	if (q->dependents.starting)
		go_on(q);
}

void hf_queue_dependents_finish(struct hf_queue *q)
{
	hf_timerq_clear(q->opt.timers, &q->dependents.timer);
	end_page(q);
}
