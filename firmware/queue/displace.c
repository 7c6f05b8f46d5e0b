/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes of which only the latest requests are of use ("whenFull": "drop-oldest"):
 * when more wait than maxEntries, the oldest are cancelled, one after another,
 * after the new one is on the medium. One that is being sent is passed over, and
 * so is the newest.
 */
#include <stdlib.h>

#include "queue/queue_private.h"

#define LOOKS 4 /* records of a page: mostly the first may go */

struct displacing {
	struct hf_list link;
	struct hf_lane *lane;
	uint64_t most, newest;
	uint64_t after;	  /* up to here there are none that may go */
	uint64_t oldest;  /* that is being displaced */
	bool passed_over; /* one that waits on stays before */
	struct hf_store_list list;
	struct hf_queue_change change;
	char id[HF_ULID_LEN + 1];
};

static void look(struct displacing *d);

static void release(struct displacing *d)
{
	hf_store_list_finish(&d->list);
	hf_list_remove(&d->link);
	free(d);
}

static void end(struct displacing *d)
{
	struct hf_lane *lane = d->lane;

	lane->displacing = false;
	lane->users--;
	release(d);
	hf_queue_lane_release(lane);
}

/* The next search begins behind what is gone. */
static void move_head(const struct displacing *d)
{
	struct hf_lane *lane = d->lane;

	if (!d->passed_over && !lane->passed && lane->state != HF_LANE_LEASED &&
	    lane->next_id <= d->after)
		lane->next_id = d->after + 1;
}

static void displaced(struct hf_queue_change *c, int err)
{
	struct displacing *d = c->user;

	if (err == HF_EBUSY)
		d->passed_over = true;
	else if (err && err != HF_ESTATE && err != HF_ENOENT) {
		end(d);
		return;
	}
	d->after = d->oldest;
	move_head(d);
	look(d);
}

static bool may_go(const struct displacing *d, const struct hf_record_brief *b)
{
	return b->id < d->newest && !hf_lane_is_leased(d->lane, b->id) &&
	       !hf_queue_is_changing(d->lane->queue, b->id);
}

static void listed(struct hf_store_op *op, int err)
{
	struct displacing *d = op->user;

	for (size_t i = 0; i < d->list.n && !err; i++) {
		const struct hf_record_brief *b = &d->list.v[i];

		if (!may_go(d, b)) {
			d->passed_over = true;
			d->after = b->id;
			continue;
		}
		d->oldest = b->id;
		hf_record_id_format(b->id, &b->state, d->id);
		d->change = (struct hf_queue_change){
			.public_id = hf_span_str(d->id),
			.done = displaced,
			.user = d,
		};
		if (hf_queue_displace(d->lane->queue, &d->change))
			end(d);
		return;
	}
	d->after = d->list.next;
	if (!err && d->list.more && d->list.next + 1 < d->newest)
		look(d);
	else
		end(d);
}

static void look(struct displacing *d)
{
	struct hf_lane *lane = d->lane;

	if (lane->waiting <= d->most || lane->queue->closing) {
		end(d);
		return;
	}
	hf_store_list_finish(&d->list);
	d->list.lane = lane->id;
	d->list.after = d->after;
	d->list.status_set = 1u << HF_RECORD_QUEUED | 1u << HF_RECORD_HELD;
	d->list.limit = LOOKS;
	d->list.op.done = listed;
	d->list.op.user = d;
	hf_store_list(lane->queue->opt.store, &d->list);
}

static struct displacing *find(const struct hf_lane *lane)
{
	const struct hf_list *all = &lane->queue->displacing;

	for (struct hf_list *l = all->next; l != all; l = l->next) {
		struct displacing *d = hf_container_of(l, struct displacing, link);

		if (d->lane == lane)
			return d;
	}
	return NULL;
}

void hf_lane_displace(struct hf_lane *lane, uint64_t most, uint64_t newest)
{
	struct displacing *d;

	d = lane->displacing ? find(lane) : NULL;
	if (d) {
		d->most = most;
		d->newest = newest;
	}
	if (d || lane->waiting <= most)
		return;
	d = calloc(1, sizeof(*d));
	if (!d)
		return;
	d->lane = lane;
	d->most = most;
	d->newest = newest;
	d->after = lane->passed ? HF_RECORD_ID(lane->id, UINT64_C(0)) : lane->next_id - 1;
	hf_list_init(&d->link);
	hf_list_push(&lane->queue->displacing, &d->link);
	lane->displacing = true;
	lane->users++;
	look(d);
}

void hf_queue_displacing_finish(struct hf_queue *q)
{
	while (!hf_list_empty(&q->displacing))
		release(hf_container_of(q->displacing.next, struct displacing, link));
}
