/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many records are held, after a start: the store's lanes tell how many
 * wait, not why. Pages of records are read in the order of their ids, behind
 * other work; held_upto is how far that has come. A change of a record up to
 * there is counted when it happens; one behind it is left to its page, which is
 * read after the change was committed. No page: nothing has to be counted. Whoever
 * looks after credentials hears of those that are held for one.
 */
#include <assert.h>
#include <stdlib.h>

#include "queue/queue_private.h"

#define AGAIN_MS 10000

static void go_on(void *user);

static void tell(void *user, const struct hf_record_head *head)
{
	struct hf_queue *q = user;

	q->opt.on_held(q->opt.user, head);
}

static void count_page(struct hf_queue *q, const struct hf_store_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct hf_lane *lane = hf_queue_lane_by_id(q, HF_RECORD_LANE(l->v[i].id));

		if (lane)
			lane->held++;
		q->totals.held += lane != NULL;
		if (q->opt.on_held) /* without memory it is left to a person */
			(void)hf_queue_held_for_credential(&l->v[i], tell, q);
	}
}

static void again_later(struct hf_queue *q)
{
	hf_timerq_set(q->opt.timers, &q->held_timer,
		      q->opt.port->boottime_ms(q->opt.port) + AGAIN_MS);
}

static void end_page(struct hf_queue *q)
{
	hf_store_list_finish(q->held_list);
	free(q->held_list);
	q->held_list = NULL;
}

static void page_read(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	struct hf_store_list *l = q->held_list;
	bool more = l->more;

	/* the count was begun anew meanwhile, or the page could not be read */
	if (err || l->after != q->held_upto) {
		end_page(q);
		if (err)
			again_later(q);
		else
			go_on(q);
		return;
	}
	count_page(q, l);
	q->held_upto = more ? l->next : UINT64_MAX;
	end_page(q);
	go_on(q);
}

static void next_page(struct hf_queue *q)
{
	struct hf_store_list *l = calloc(1, sizeof(*l));

	assert(!q->held_list);
	if (!l) {
		again_later(q);
		return;
	}
	q->held_list = l;
	l->after = q->held_upto;
	l->status_set = 1u << HF_RECORD_HELD;
	l->limit = HF_STORE_LIST_MAX;
	l->op.done = page_read;
	l->op.user = q;
	hf_store_list(q->opt.store, l);
}

static void go_on(void *user)
{
	struct hf_queue *q = user;

	if (!q->held_list && q->held_upto != UINT64_MAX)
		next_page(q);
}

void hf_queue_count_held_init(struct hf_queue *q)
{
	q->held_upto = UINT64_MAX;
	hf_timer_init(&q->held_timer, go_on, q);
}

void hf_queue_count_held(struct hf_queue *q)
{
	q->held_upto = 0;
	if (q->totals.waiting == 0)
		q->held_upto = UINT64_MAX;
	go_on(q);
}

void hf_queue_count_held_finish(struct hf_queue *q)
{
	hf_timerq_clear(q->opt.timers, &q->held_timer);
	if (q->held_list)
		end_page(q);
}
