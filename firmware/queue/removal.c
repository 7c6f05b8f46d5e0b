/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes leave the store when nothing of them is left there and they are not in
 * memory. A lane that is forgotten to make room may have answers left; now and
 * then all lanes of the store are gone over, page by page, for those whose last
 * answer is gone by then.
 */
#include <stdlib.h>

#include "queue/queue_private.h"

struct removal {
	struct hf_store_lane op;
	struct hf_queue *queue;
	struct hf_list link;
};

static void removed(struct hf_store_op *op, int err)
{
	struct removal *x = op->user;
	struct hf_lane *lane = hf_queue_lane_by_id(x->queue, x->op.id);

	/* It came back by one of its records, which was the last and is gone. Else
	 * an error is HF_EBUSY: something is left of it. */
	if (!err && lane) {
		hf_queue_lane_lost_id(lane);
		hf_queue_lane_release(lane);
	}
	hf_list_remove(&x->link);
	free(x);
}

void hf_queue_removal_begin(struct hf_queue *q, uint32_t id)
{
	struct removal *x = calloc(1, sizeof(*x));

	if (!x)
		return;
	x->queue = q;
	hf_list_init(&x->link);
	hf_list_push(&q->removals, &x->link);
	x->op.remove = true;
	x->op.id = id;
	x->op.op.done = removed;
	x->op.op.user = x;
	hf_store_lane(q->opt.store, &x->op);
}

bool hf_queue_is_leaving(const struct hf_queue *q, uint32_t id)
{
	const struct hf_list *removals = &q->removals;

	for (const struct hf_list *l = removals->next; l != removals; l = l->next)
		if (hf_container_of(l, struct removal, link)->op.id == id)
			return true;
	return false;
}

/* ---- going over all of them ---- */

static void next_page(struct hf_queue *q);

static void page_read(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	const struct hf_store_idle *page = &q->idle;

	q->tidying = false;
	if (err || q->closing)
		return; /* the next round goes on */
	for (size_t i = 0; i < page->n; i++) {
		struct hf_lane *lane = hf_queue_lane_by_id(q, page->ids[i]);

		if (!lane || hf_queue_lane_forget(lane))
			hf_queue_removal_begin(q, page->ids[i]);
	}
	if (page->more)
		next_page(q);
}

static void next_page(struct hf_queue *q)
{
	q->tidying = true;
	q->idle.after = q->idle.next;
	q->idle.op.done = page_read;
	q->idle.op.user = q;
	hf_store_idle(q->opt.store, &q->idle);
}

void hf_queue_tidy(struct hf_queue *q)
{
	if (q->tidying || q->closing)
		return;
	q->idle.next = 0;
	next_page(q);
}

void hf_queue_removals_finish(struct hf_queue *q)
{
	struct hf_list *l;

	while ((l = hf_list_pop(&q->removals)) != NULL)
		free(hf_container_of(l, struct removal, link));
}
