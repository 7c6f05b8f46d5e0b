/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations of earlier runs: read once, at start. */
#include <limits.h>

#include "holdfast_config.h"
#include "sync/tags_private.h"

unsigned hf_tags_worker_by_name(const struct hf_tags_worker *workers, unsigned n,
				struct hf_span name)
{
	for (unsigned i = 0; i < n; i++)
		if (hf_span_eq_str(name, workers[i].name))
			return i;
	return UINT_MAX;
}

/* The end of a wait is never further away than one that begins now may be. */
static void bound_wait(struct hf_tags *t, struct hf_tag_state *s)
{
	uint64_t longest = s->bound ? t->opt.sync.retry_after_max_s : CONFIG_HF_SYNC_RETRY_MAX_S;
	uint64_t latest = hf_tags_device_ms(t) + longest * 1000;

	if (s->status == HF_TAG_WAITING && s->due_dev_ms > latest)
		s->due_dev_ms = latest;
}

/* What was firing did not come to its end. */
static void resume(struct hf_tag *tag)
{
	struct hf_tag_facts f;
	uint8_t before = tag->state.status;

	bound_wait(tag->tags, &tag->state);
	hf_tag_facts(tag->tags, &f);
	hf_tag_plan(tag);
	f.last_chance = tag->last_chance;
	f.delay_ms = tag->delay_ms;
	f.why = HF_TAG_WHY_CRASH;
	if (!hf_tag_step(&tag->state, HF_TAG_RESTART, &f))
		return;
	hf_log(tag->tags->opt.sync.log, HF_LOG_WARNING, "sync.interrupted",
	       "id=%llu was=%s state=%s crashes=%u", (unsigned long long)tag->id,
	       hf_tag_status_name(before), hf_tag_status_name(tag->state.status),
	       tag->state.crashes);
	hf_tag_store(tag, NULL); /* without memory the next start finds it as it was */
}

static int take(struct hf_tags *t, const struct hf_registration_row *row)
{
	unsigned worker = hf_tags_worker_by_name(t->opt.workers, t->opt.workers_n, row->worker);
	struct hf_tag_state state;
	struct hf_tag *tag;
	int err = hf_tag_decode(row->value, &state);

	if (err) {
		t->totals.damaged++;
		return 0;
	}
	if (worker == UINT_MAX) {
		t->totals.dropped++;
		hf_tags_drop_row(t, row->id);
		return 0;
	}
	tag = hf_tag_create(t, worker, row->tag);
	if (!tag)
		return HF_ENOMEM;
	tag->id = row->id;
	tag->stored = true;
	tag->state = state;
	if (state.status != HF_TAG_EXHAUSTED && hf_tags_find(t, worker, row->tag)) {
		hf_tags_drop_row(t, row->id); /* a second row of the same name */
		hf_tag_free(tag);
		return 0;
	}
	resume(tag);
	if (tag->state.status == HF_TAG_EXHAUSTED) {
		hf_tag_exhaust(tag);
		return 0;
	}
	err = hf_tag_insert(tag);
	if (err)
		return err;
	if (tag->writes == 0)
		hf_tag_place(tag);
	return 0;
}

static void page_loaded(struct hf_store_op *op, int err)
{
	struct hf_tags *t = op->user;
	struct hf_store_registrations *l = &t->load;

	t->totals.damaged += err ? 0 : l->damaged;
	for (size_t i = 0; i < l->n && !err; i++)
		err = take(t, &l->rows[i]);
	if (!err && l->more) {
		l->after = l->last_id;
		hf_store_registrations(t->opt.sync.store, l);
		return;
	}
	t->next_id = l->last_id + 1;
	hf_store_registrations_finish(l);
	if (t->totals.damaged || t->totals.dropped)
		hf_log(t->opt.sync.log, HF_LOG_WARNING, "sync.loaded", "dropped=%llu damaged=%llu",
		       (unsigned long long)t->totals.dropped,
		       (unsigned long long)t->totals.damaged);
	t->loaded(t->loaded_user, err);
}

void hf_tags_load(struct hf_tags *t, void (*done)(void *user, int err), void *user)
{
	t->loaded = done;
	t->loaded_user = user;
	t->load.below = HF_PERIODIC_FIRST_ID;
	t->load.op.done = page_loaded;
	t->load.op.user = t;
	hf_store_registrations(t->opt.sync.store, &t->load);
}
