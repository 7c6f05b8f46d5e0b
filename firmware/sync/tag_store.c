/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of registrations on their way to the store. */
#include <stdlib.h>

#include "sync/tags_private.h"

struct hf_tag_write {
	struct hf_store_registration row;
	struct hf_list link;
	struct hf_tags *tags;
	struct hf_tag *tag; /* NULL: a row that is dropped */
	struct hf_tag_change *change;
	uint8_t status;
	uint8_t value[HF_TAG_VALUE_SIZE];
};

static void stored(struct hf_store_op *op, int err)
{
	struct hf_tag_write *w = op->user;
	struct hf_tag *tag = w->tag;

	hf_list_remove(&w->link);
	if (err)
		hf_log(w->tags->opt.sync.log, HF_LOG_ERROR, "sync.store", "err=%s",
		       hf_errname(err));
	if (tag) {
		tag->writes--;
		if (!err)
			tag->stored = !w->row.remove;
	}
	/* whoever registered hears of it before anything is fired */
	if (w->change)
		w->change->done(w->change, err);
	if (tag)
		hf_tag_written(tag, w->status, err);
	free(w);
}

static struct hf_tag_write *create(struct hf_tags *t, uint64_t id)
{
	struct hf_tag_write *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->tags = t;
	w->row.id = id;
	w->row.op.done = stored;
	w->row.op.user = w;
	hf_list_push(&t->writes, &w->link);
	return w;
}

int hf_tag_store(struct hf_tag *tag, struct hf_tag_change *change)
{
	struct hf_tags *t = tag->tags;
	struct hf_tag_write *w = create(t, tag->id);

	if (!w)
		return HF_ENOMEM;
	w->tag = tag;
	w->change = change;
	w->status = tag->state.status;
	w->row.remove = w->status == HF_TAG_NONE;
	w->row.fresh = !tag->stored && tag->writes == 0;
	w->row.worker = hf_span_str(t->opt.workers[tag->worker].name);
	w->row.tag = hf_tag_text(tag);
	hf_tag_encode(&tag->state, w->value);
	w->row.value = hf_span(w->value, sizeof(w->value));
	tag->writes++;
	hf_store_registration(t->opt.sync.store, &w->row);
	return 0;
}

void hf_tags_drop_row(struct hf_tags *t, uint64_t id)
{
	struct hf_tag_write *w = create(t, id);

	if (!w)
		return; /* the next start finds it again */
	w->row.remove = true;
	hf_store_registration(t->opt.sync.store, &w->row);
}

void hf_tags_writes_finish(struct hf_tags *t)
{
	struct hf_list *l;

	while ((l = hf_list_pop(&t->writes)) != NULL)
		free(hf_container_of(l, struct hf_tag_write, link));
}
