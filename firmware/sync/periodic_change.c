/* SPDX-License-Identifier: Apache-2.0 */
/* What pages, programs and the operator do with periodic registrations. */
#include <limits.h>

#include "holdfast_config.h"
#include "store/codec.h"
#include "sync/periodic_private.h"

/* ---- register ---- */

/* Where in the tenth of the interval that devices are spread over. */
static uint16_t share_of(const struct hf_periodic *p, unsigned worker, struct hf_span tag)
{
	const char *name = p->opt.workers[worker].name;
	uint32_t crc = hf_crc32(0, hf_span((const char *)p->opt.seed, sizeof(p->opt.seed)));

	crc = hf_crc32(hf_crc32(crc, hf_span(name, strlen(name) + 1)), tag);
	return (uint16_t)(crc ^ crc >> 16);
}

static int enter_new(struct hf_periodic *p, const struct hf_tag_change *c,
		     const struct hf_periodic_facts *f, struct hf_tag_change *change)
{
	struct hf_periodic_reg *r;
	int err;

	if (p->counts[c->worker] >= CONFIG_HF_PERIODIC_TAGS_MAX)
		return HF_ELIMIT;
	r = hf_periodic_add(p, c->worker, c->tag, p->next_id);
	if (!r)
		return HF_ENOMEM;
	p->next_id++;
	hf_periodic_step(&r->state, HF_PERIODIC_REGISTER, f);
	err = hf_periodic_store(r, hf_periodic_status_name(r->state.status), change);
	if (err)
		hf_periodic_free(r);
	return err;
}

int hf_periodic_enter(struct hf_periodic *p, const struct hf_tag_change *c, bool declared,
		      struct hf_tag_change *change)
{
	struct hf_periodic_reg *r = hf_periodic_find(p, c->worker, c->tag);
	struct hf_port *port = p->opt.sync.port;
	struct hf_periodic_state before;
	struct hf_periodic_facts f;
	int err;

	hf_periodic_facts(p, &f);
	f.min_interval_ms = c->min_interval_ms;
	f.declared = declared;
	f.share = share_of(p, c->worker, c->tag);
	err = port->entropy(port, &f.key, sizeof(f.key));
	if (err)
		return err;
	if (!r)
		return enter_new(p, c, &f, change);
	before = r->state;
	hf_periodic_step(&r->state, HF_PERIODIC_REGISTER, &f);
	err = hf_periodic_store(r, hf_periodic_status_name(r->state.status), change);
	if (err)
		r->state = before;
	return err;
}

int hf_periodic_register(struct hf_periodic *p, struct hf_tag_change *c)
{
	int err = hf_tag_check_text(c->tag);

	if (!err && c->min_interval_ms > HF_PERIODIC_INTERVAL_MAX_MS)
		err = HF_EINVAL;
	return err ? err : hf_periodic_enter(p, c, false, c);
}

/* ---- unregister ---- */

int hf_periodic_unregister(struct hf_periodic *p, struct hf_tag_change *c)
{
	struct hf_periodic_reg *r = hf_periodic_find(p, c->worker, c->tag);
	struct hf_periodic_state before;
	struct hf_periodic_facts f;
	int err;

	if (!r)
		return HF_ENOENT;
	before = r->state;
	hf_periodic_facts(p, &f);
	hf_periodic_step(&r->state, HF_PERIODIC_UNREGISTER, &f);
	err = hf_periodic_store(r, "unregistered", c);
	if (err) {
		r->state = before;
		return err;
	}
	hf_periodic_break_off(r);
	hf_periodic_set_wanted(r);
	return 0;
}

/* ---- events that pages work on ---- */

int hf_periodic_settle(struct hf_periodic *p, unsigned origin, struct hf_span id, bool success)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (!r->firing || !r->page || !hf_span_eq_str(id, hf_firing_id(r->firing)))
			continue;
		if (origin != UINT_MAX && origin != hf_periodic_origin_of(r))
			return HF_ENOENT;
		return hf_firing_settle(r->firing, success) ? HF_ENOENT : 0;
	}
	return HF_ENOENT;
}

/* ---- looking ---- */

static bool is_seen(const struct hf_periodic_reg *r)
{
	return r->state.status != HF_PERIODIC_NONE && r->stored;
}

int hf_periodic_each(struct hf_periodic *p, unsigned worker, uint64_t after,
		     int (*each)(void *user, const struct hf_periodic_figures *f), void *user)
{
	struct hf_periodic_figures f;
	struct hf_list *it, *tmp;
	int err = 0;

	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (err || r->id <= after || !is_seen(r) ||
		    (worker != UINT_MAX && worker != r->worker))
			continue;
		hf_periodic_figures(r, &f);
		err = each(user, &f);
	}
	return err;
}

int hf_periodic_show(struct hf_periodic *p, unsigned worker, struct hf_span tag,
		     int (*each)(void *user, const struct hf_periodic_figures *f), void *user)
{
	struct hf_periodic_reg *r = hf_periodic_find(p, worker, tag);
	struct hf_periodic_figures f;

	if (!r || !is_seen(r))
		return HF_ENOENT;
	hf_periodic_figures(r, &f);
	return each(user, &f);
}

void hf_periodic_totals(const struct hf_periodic *p, unsigned origin,
			struct hf_periodic_totals *out)
{
	struct hf_list *it;

	*out = (struct hf_periodic_totals){ .dropped = p->dropped, .damaged = p->damaged };
	for (unsigned i = 0; i < p->opt.sync.origins_n; i++) {
		if (origin != UINT_MAX && origin != i)
			continue;
		out->fired += p->origins[i].fired;
		out->succeeded += p->origins[i].succeeded;
		out->failed += p->origins[i].failed;
	}
	for (it = p->regs.next; it != &p->regs; it = it->next) {
		const struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (origin != UINT_MAX && origin != hf_periodic_origin_of(r))
			continue;
		out->waiting += r->state.status == HF_PERIODIC_WAITING;
		out->pending += r->state.status == HF_PERIODIC_PENDING;
		out->retrying += r->state.status == HF_PERIODIC_RETRYING;
		out->firing += r->state.status == HF_PERIODIC_FIRING ||
			       r->state.status == HF_PERIODIC_REREGISTERED;
	}
}
