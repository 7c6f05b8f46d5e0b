/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has grown too old ends, wherever it stands in its lane: a lease judges
 * its own record only, and behind a held one no lease comes. When the first of
 * all that wait is due, they are looked at page by page, behind other work.
 */
#include <assert.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

#define PAGE_EVERY_MS 250
#define AGAIN_MS      10000 /* at least, from the end of a round to the next */

static void go_on(void *user);

/* Device time after which it is too old; UINT64_MAX: never. */
static uint64_t due_ms(uint64_t created_dev_ms, uint32_t max_age_s)
{
	return max_age_s ? created_dev_ms + (uint64_t)max_age_s * 1000 : UINT64_MAX;
}

static void wake_in(struct hf_queue *q, uint64_t ms)
{
	uint64_t now = q->opt.port->boottime_ms(q->opt.port);

	/* In a round it is set, and moving it needs no memory; without memory for a
	 * round's begin the next record that is accepted tries again. */
	(void)hf_timerq_set(q->opt.timers, &q->expiry.timer, now + ms);
}

static void plan(struct hf_queue *q, uint64_t least_ms)
{
	uint64_t now = hf_queue_device_ms(q), due = q->expiry.due_ms;
	uint64_t wait = due > now ? due - now + 1 : 0;

	if (due != UINT64_MAX)
		wake_in(q, wait > least_ms ? wait : least_ms);
	else
		hf_timerq_clear(q->opt.timers, &q->expiry.timer);
}

void hf_queue_expiry_note(struct hf_queue *q, uint64_t created_dev_ms, uint32_t max_age_s)
{
	struct hf_expiry *e = &q->expiry;
	uint64_t due = due_ms(created_dev_ms, max_age_s);

	if (due >= e->due_ms && hf_timer_is_set(&e->timer))
		return;
	if (due < e->due_ms)
		e->due_ms = due;
	if (!e->running)
		plan(q, 0);
}

static void end_page(struct hf_queue *q)
{
	hf_store_list_finish(q->expiry.page);
	free(q->expiry.page);
	q->expiry.page = NULL;
}

static void end_round(struct hf_queue *q)
{
	q->expiry.running = false;
	plan(q, AGAIN_MS);
}

/* ---- one page ---- */

static bool is_too_old(struct hf_queue *q, const struct hf_record_brief *b)
{
	struct hf_record_head head;
	struct hf_arena arena;
	uint64_t due = UINT64_MAX;
	int err;

	if (b->head_is_summary)
		return false; /* damaged: its lease sees to it */
	hf_arena_init(&arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	err = hf_record_head_decode(b->head, &arena, &head);
	if (!err)
		due = due_ms(b->state.created_dev_ms, head.policy.max_age_s);
	hf_arena_finish(&arena);
	if (err == HF_ENOMEM) { /* the next round finds out */
		hf_queue_expiry_note(q, hf_queue_device_ms(q), 1);
		return false;
	}
	if (due < hf_queue_device_ms(q))
		return true;
	if (due < q->expiry.due_ms)
		q->expiry.due_ms = due;
	return false;
}

static void expired(struct hf_queue_change *c, int err)
{
	struct hf_queue *q = c->user;

	/* one that is just being sent or changed is looked at in the next round */
	if (err == HF_EBUSY)
		hf_queue_expiry_note(q, hf_queue_device_ms(q), 1);
	go_on(q);
}

static bool expire(struct hf_queue *q, const struct hf_record_brief *b)
{
	struct hf_expiry *e = &q->expiry;

	hf_record_id_format(b->id, &b->state, e->id);
	e->change = (struct hf_queue_change){
		.public_id = hf_span_str(e->id),
		.done = expired,
		.user = q,
	};
	return hf_queue_expire(q, &e->change) == 0;
}

static void page_read(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;

	if (err) {
		end_page(q);
		hf_queue_expiry_note(q, hf_queue_device_ms(q), 1);
		end_round(q);
		return;
	}
	q->expiry.at = 0;
	go_on(q);
}

static void next_page(struct hf_queue *q)
{
	struct hf_expiry *e = &q->expiry;

	e->page = calloc(1, sizeof(*e->page));
	if (!e->page)
		return; /* the timer comes again */
	e->page->after = e->after;
	e->page->status_set = 1u << HF_RECORD_QUEUED | 1u << HF_RECORD_HELD;
	e->page->limit = HF_STORE_LIST_MAX;
	e->page->op.done = page_read;
	e->page->op.user = q;
	hf_store_list(q->opt.store, e->page);
}

/* The page is looked at from e->at on; an end of one of its records calls this
 * again. */
static void go_on(void *user)
{
	struct hf_queue *q = user;
	struct hf_expiry *e = &q->expiry;
	bool more;

	if (q->closing)
		return;
	assert(e->page);
	while (e->at < e->page->n) {
		const struct hf_record_brief *b = &e->page->v[e->at++];

		if (is_too_old(q, b) && expire(q, b))
			return;
	}
	more = e->page->more;
	e->after = e->page->next;
	end_page(q);
	if (more)
		wake_in(q, PAGE_EVERY_MS);
	else
		end_round(q);
}

static void due(void *user)
{
	struct hf_queue *q = user;
	struct hf_expiry *e = &q->expiry;

	if (q->closing)
		return;
	wake_in(q, AGAIN_MS); /* just fired: there is room for it */
	if (e->page)
		return;
	if (!e->running) {
		e->running = true;
		e->after = 0;
		e->due_ms = UINT64_MAX;
	}
	next_page(q);
}

/* ---- life ---- */

void hf_queue_expiry_init(struct hf_queue *q)
{
	q->expiry.due_ms = UINT64_MAX;
	hf_timer_init(&q->expiry.timer, due, q);
}

void hf_queue_expiry_start(struct hf_queue *q)
{
	if (q->totals.waiting > 0)
		hf_queue_expiry_note(q, 0, 1);
}

void hf_queue_expiry_finish(struct hf_queue *q)
{
	hf_timerq_clear(q->opt.timers, &q->expiry.timer);
	if (q->expiry.page)
		end_page(q);
}
