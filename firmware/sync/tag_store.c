/* SPDX-License-Identifier: Apache-2.0 */
/* What is written of a registration. */
#include "sync/tags_private.h"

void hf_tag_stored(const struct hf_row_write_job *job, int err)
{
	struct hf_tag_change *change = job->change;
	struct hf_tag *tag = job->owner;

	if (tag) {
		tag->writes--;
		if (!err)
			tag->stored = !job->remove;
	}
	/* whoever registered hears of it before anything is fired */
	if (change)
		change->done(change, err);
	if (tag)
		hf_tag_written(tag, job->status, err);
}

int hf_tag_store(struct hf_tag *tag, struct hf_tag_change *change)
{
	uint8_t value[HF_TAG_VALUE_SIZE];
	struct hf_row_write_job job = {
		.id = tag->id,
		.fresh = !tag->stored && tag->writes == 0,
		.remove = tag->state.status == HF_TAG_NONE,
		.worker = hf_span_str(tag->tags->opt.workers[tag->worker].name),
		.tag = hf_tag_text(tag),
		.value = hf_span(value, sizeof(value)),
		.owner = tag,
		.change = change,
		.status = tag->state.status,
	};
	int err;

	hf_tag_encode(&tag->state, value);
	err = hf_row_write(&tag->tags->writes, &job);
	if (!err)
		tag->writes++;
	return err;
}

void hf_tags_drop_row(struct hf_tags *t, uint64_t id)
{
	struct hf_row_write_job job = { .id = id, .remove = true };

	(void)hf_row_write(&t->writes, &job); /* without: the next start finds it again */
}
