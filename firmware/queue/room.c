/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for the next request: the oldest answers go. The one that was refused stays
 * refused, so that none is overtaken.
 */
#include "queue/queue_private.h"

#define ANSWERS	   64 /* at a time */
#define ROUNDS_MAX 64

static void drop_some(struct hf_queue *q);

static bool suffices(const struct hf_queue *q)
{
	struct hf_store_usage usage;

	hf_store_usage(q->opt.store, &usage);
	return usage.room >= q->room_wanted;
}

static void dropped(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;
	unsigned n = q->room.outcomes;

	if (!err && n > 0 && hf_queue_may_log(q, &q->answers_dropped))
		hf_log(q->opt.log, HF_LOG_WARNING, "queue.answers_dropped", "n=%u", n);
	if (err || n == 0 || q->closing || --q->room_rounds == 0 || suffices(q))
		q->making_room = false;
	else
		drop_some(q);
}

static void drop_some(struct hf_queue *q)
{
	hf_store_purge_oldest(q->opt.store, &q->room, ANSWERS, dropped, q);
}

void hf_queue_make_room(struct hf_queue *q, uint64_t bytes)
{
	struct hf_store_usage usage;

	hf_store_usage(q->opt.store, &usage);
	if (q->making_room || q->closing || !usage.deleting_helps)
		return;
	q->making_room = true;
	q->room_wanted = 2 * bytes + 4096; /* pages are not full, and not one by one */
	q->room_rounds = ROUNDS_MAX;
	drop_some(q);
}
