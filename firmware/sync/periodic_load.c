/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic registrations of earlier runs, and those that manifests declare. */
#include <limits.h>

#include "holdfast_config.h"
#include "sync/periodic_private.h"

/* ---- of earlier runs ---- */

static bool is_declared(struct hf_periodic *p, unsigned worker, struct hf_span tag)
{
	const struct hf_periodic_sync *w = p->opt.what(p->opt.user, worker, tag);

	return w->declared && hf_span_eq_str(tag, w->action.tag);
}

/* What was firing did not come to its end. */
static void resume(struct hf_periodic_reg *r)
{
	struct hf_periodic_facts f;
	uint8_t before = r->state.status;

	hf_periodic_facts(r->all, &f);
	r->unsure = r->state.due_wall_ms && !f.synced_wall_ms;
	hf_periodic_catch_up(&r->state, &f);
	hf_periodic_bound(&r->state, &f);
	f.why = HF_TAG_WHY_CRASH;
	if (!hf_periodic_step(&r->state, HF_PERIODIC_RESTART, &f))
		return;
	hf_log(r->all->opt.sync.log, HF_LOG_WARNING, "periodic.interrupted",
	       "id=%llu was=%s state=%s crashes=%u", (unsigned long long)r->id,
	       hf_periodic_status_name(before), hf_periodic_status_name(r->state.status),
	       r->state.crashes);
	hf_periodic_store(r, NULL, NULL); /* without memory the next start finds it as it was */
}

static int take(struct hf_periodic *p, const struct hf_registration_row *row)
{
	unsigned worker = hf_tags_worker_by_name(p->opt.workers, p->opt.workers_n, row->worker);
	struct hf_periodic_state state;
	struct hf_periodic_reg *r;

	if (hf_periodic_decode(row->value, &state)) {
		p->damaged++;
		return 0;
	}
	if (worker == UINT_MAX || hf_periodic_find(p, worker, row->tag) ||
	    (state.declared && !is_declared(p, worker, row->tag))) {
		p->dropped++;
		hf_periodic_drop_row(p, row->id);
		return 0;
	}
	r = hf_periodic_add(p, worker, row->tag, row->id);
	if (!r)
		return HF_ENOMEM;
	r->stored = true;
	r->state = state;
	resume(r);
	return 0;
}

/* ---- of the manifests ---- */

static int declare(struct hf_periodic *p, unsigned worker, const struct hf_periodic_sync *entry)
{
	struct hf_tag_change c = { .worker = worker,
				   .tag = hf_span_str(entry->action.tag),
				   .min_interval_ms = entry->min_interval_ms };
	struct hf_periodic_reg *r = hf_periodic_find(p, worker, c.tag);
	int err;

	/* a page's own wish goes before it */
	if (r && (!r->state.declared || r->state.min_interval_ms == c.min_interval_ms))
		return 0;
	err = hf_periodic_enter(p, &c, true, NULL);
	if (err != HF_ELIMIT)
		return err;
	hf_log(p->opt.sync.log, HF_LOG_WARNING, "periodic.too_many", "worker=%s max=%d",
	       p->opt.workers[worker].name, CONFIG_HF_PERIODIC_TAGS_MAX);
	return 0;
}

static int declare_all(struct hf_periodic *p)
{
	const struct hf_periodic_sync *entry;
	int err = 0;

	for (unsigned w = 0; w < p->opt.workers_n; w++)
		for (size_t i = 0; !err && (entry = p->opt.entry(p->opt.user, w, i)) != NULL; i++)
			if (entry->declared)
				err = declare(p, w, entry);
	return err;
}

/* ---- loading ---- */

static void page_loaded(struct hf_store_op *op, int err)
{
	struct hf_periodic *p = op->user;
	struct hf_store_registrations *l = &p->load;

	p->damaged += err ? 0 : l->damaged;
	for (size_t i = 0; i < l->n && !err; i++)
		err = take(p, &l->rows[i]);
	if (!err && l->more) {
		l->after = l->last_id;
		hf_store_registrations(p->opt.sync.store, l);
		return;
	}
	p->next_id = l->last_id + 1;
	hf_store_registrations_finish(l);
	if (p->damaged || p->dropped)
		hf_log(p->opt.sync.log, HF_LOG_WARNING, "periodic.loaded",
		       "dropped=%llu damaged=%llu", (unsigned long long)p->dropped,
		       (unsigned long long)p->damaged);
	if (!err)
		err = declare_all(p);
	p->loaded(p->loaded_user, err);
}

void hf_periodic_load(struct hf_periodic *p, void (*done)(void *user, int err), void *user)
{
	p->loaded = done;
	p->loaded_user = user;
	p->load.after = HF_PERIODIC_FIRST_ID - 1;
	p->load.op.done = page_loaded;
	p->load.op.user = p;
	hf_store_registrations(p->opt.sync.store, &p->load);
}
