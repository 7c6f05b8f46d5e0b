/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that are held for their credential: the origin refused it, or there was
 * none. When another one is there they go again in their place, without a person:
 * what was refused had no effect. All that is held is looked at page by page.
 */
#include <assert.h>

#include "holdfast_config.h"
#include "queue/queue_private.h"

int hf_queue_held_for_credential(const struct hf_record_brief *b,
				 void (*visit)(void *user, const struct hf_record_head *head),
				 void *user)
{
	struct hf_record_head head;
	struct hf_arena arena;
	int err;

	if (b->state.status != HF_RECORD_HELD || b->head_is_summary ||
	    (b->state.reason != HF_REASON_AUTH && b->state.reason != HF_REASON_CREDENTIAL))
		return 0;
	hf_arena_init(&arena, 4 * CONFIG_HF_HEAD_BYTES_MAX);
	err = hf_record_head_decode(b->head, &arena, &head);
	if (!err && head.policy.credential[0])
		visit(user, &head);
	hf_arena_finish(&arena);
	return err == HF_ENOMEM ? err : 0; /* of a damaged one a person hears */
}

static void end_round(struct hf_queue *q, int err)
{
	struct hf_release *r = &q->release;
	void (*done)(void *user, int err) = r->done;

	hf_store_list_finish(&r->page);
	r->done = NULL;
	done(r->user, err);
}

static void go_on(struct hf_queue *q);

static void released(struct hf_queue_change *c, int err)
{
	struct hf_queue *q = c->user;

	/* changed meanwhile, by a person or its age */
	if (err == HF_EBUSY || err == HF_ESTATE || err == HF_ENOENT)
		err = 0;
	if (err)
		end_round(q, err);
	else
		go_on(q);
}

struct look {
	const struct hf_release *release;
	bool wanted;
};

static void ask(void *user, const struct hf_record_head *head)
{
	struct look *look = user;

	look->wanted = look->release->wanted(look->release->user, head);
}

/* 1: its change is under way. */
static int look_at(struct hf_queue *q, const struct hf_record_brief *b)
{
	struct hf_release *r = &q->release;
	struct look look = { .release = r };
	int err = hf_queue_held_for_credential(b, ask, &look);

	if (err || !look.wanted)
		return err;
	hf_record_id_format(b->id, &b->state, r->id);
	r->change = (struct hf_queue_change){
		.public_id = hf_span_str(r->id),
		.done = released,
		.user = q,
	};
	err = hf_queue_unhold(q, &r->change);
	return err ? err : 1;
}

static void page_read(struct hf_store_op *op, int err)
{
	struct hf_queue *q = op->user;

	q->release.at = 0;
	if (err)
		end_round(q, err);
	else
		go_on(q);
}

static void next_page(struct hf_queue *q)
{
	struct hf_store_list *l = &q->release.page;

	l->status_set = 1u << HF_RECORD_HELD;
	l->limit = HF_STORE_LIST_MAX;
	l->op.done = page_read;
	l->op.user = q;
	hf_store_list(q->opt.store, l);
}

/* The page from r->at on; a change of one of its records calls this again. */
static void go_on(struct hf_queue *q)
{
	struct hf_release *r = &q->release;
	int err = 0;

	while (r->at < r->page.n && !err)
		err = look_at(q, &r->page.v[r->at++]);
	if (err > 0)
		return;
	if (err || !r->page.more) {
		end_round(q, err);
		return;
	}
	r->page.after = r->page.next;
	hf_store_list_finish(&r->page);
	next_page(q);
}

int hf_queue_release(struct hf_queue *q,
		     bool (*wanted)(void *user, const struct hf_record_head *head),
		     void (*done)(void *user, int err), void *user)
{
	struct hf_release *r = &q->release;

	if (r->done)
		return HF_EBUSY;
	r->wanted = wanted;
	r->done = done;
	r->user = user;
	r->page.after = 0;
	next_page(q);
	return 0;
}

void hf_queue_release_finish(struct hf_queue *q)
{
	hf_store_list_finish(&q->release.page);
}
