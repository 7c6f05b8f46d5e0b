/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/row_write.h"

#include <assert.h>
#include <stdlib.h>

struct row_write {
	struct hf_store_registration row;
	struct hf_list link;
	struct hf_row_writes *all;
	struct hf_row_write_job job;
	char value[];
};

static void stored(struct hf_store_op *op, int err)
{
	struct row_write *w = op->user;

	hf_list_remove(&w->link);
	if (err)
		hf_log(w->all->log, HF_LOG_ERROR, "sync.store", "err=%s", hf_errname(err));
	w->all->done(&w->job, err);
	free(w);
}

int hf_row_write(struct hf_row_writes *all, const struct hf_row_write_job *job)
{
	struct row_write *w = calloc(1, sizeof(*w) + job->value.len);

	assert(job->value.len <= HF_REGISTRATION_VALUE_MAX);
	if (!w)
		return HF_ENOMEM;
	w->all = all;
	w->job = *job;
	if (job->value.len > 0)
		memcpy(w->value, job->value.ptr, job->value.len);
	w->job.value.ptr = w->value;
	w->row = (struct hf_store_registration){
		.op = { .done = stored, .user = w },
		.id = job->id,
		.fresh = job->fresh,
		.remove = job->remove,
		.worker = job->worker,
		.tag = job->tag,
		.value = w->job.value,
	};
	hf_list_push(&all->list, &w->link);
	hf_store_registration(all->store, &w->row);
	return 0;
}

void hf_row_writes_init(struct hf_row_writes *w, struct hf_store *store, struct hf_log *log,
			void (*done)(const struct hf_row_write_job *job, int err))
{
	*w = (struct hf_row_writes){ .store = store, .log = log, .done = done };
	hf_list_init(&w->list);
}

void hf_row_writes_finish(struct hf_row_writes *w)
{
	struct hf_list *l;

	while ((l = hf_list_pop(&w->list)) != NULL)
		free(hf_container_of(l, struct row_write, link));
}
