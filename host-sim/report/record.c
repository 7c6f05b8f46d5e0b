/* SPDX-License-Identifier: Apache-2.0 */
#include "report/record.h"

#include <assert.h>

#include "sim/mem.h"

#define TOGETHER_US (50 * SIM_US_PER_MS) /* writes that are one figure */

/* Something belongs to the run. */
static void seen(struct sim_record *r)
{
	r->end_us = r->stage->world.now_us;
}

static void look_at_disks(struct sim_record *r, uint64_t now_us)
{
	struct sim_written *last = r->written_n ? &r->written[r->written_n - 1] : NULL;
	struct sim_disk_stats all;

	sim_stage_disk_stats(r->stage, &all);
	if (all.bytes == r->bytes)
		return;
	seen(r);
	if (!last || now_us >= last->at_us + TOGETHER_US) {
		r->written =
			sim_grow(r->written, r->written_n, &r->written_cap, sizeof(*r->written));
		last = &r->written[r->written_n++];
		*last = (struct sim_written){ .at_us = now_us };
	}
	last->bytes += all.bytes - r->bytes;
	r->bytes = all.bytes;
}

static void on_moment(void *user)
{
	struct sim_record *r = user;

	sim_bands_look(&r->bands, r->stage->world.now_us);
	look_at_disks(r, r->stage->world.now_us);
}

/* ---- what the watches say ---- */

static void on_sent(void *user, const struct sim_order *o)
{
	struct sim_record *r = user;

	assert(o->n == r->orders_n + 1);
	r->orders = sim_grow(r->orders, r->orders_n, &r->orders_cap, sizeof(*r->orders));
	r->orders[r->orders_n++] = (struct sim_attempts){ .v = NULL };
}

static void on_answer(void *user, const struct sim_order *o)
{
	(void)o;
	seen(user);
}

static void on_attempt(void *user, const struct sim_order *o, int status)
{
	struct sim_record *r = user;
	struct sim_attempts *a = &r->orders[o->n - 1];

	a->v = sim_grow(a->v, a->n, &a->cap, sizeof(*a->v));
	a->v[a->n++] = (struct sim_attempt){ .at_us = r->stage->world.now_us, .status = status };
	seen(r);
}

/* Comes right after its attempt. */
static void on_effect(void *user, const struct sim_order *o)
{
	struct sim_record *r = user;
	struct sim_attempts *a = &r->orders[o->n - 1];

	assert(a->n > 0);
	a->v[a->n - 1].effect = true;
}

static void add_mark(struct sim_record *r, enum sim_mark_kind kind, unsigned n, const char *name)
{
	r->marks = sim_grow(r->marks, r->marks_n, &r->marks_cap, sizeof(*r->marks));
	r->marks[r->marks_n++] = (struct sim_mark){ r->stage->world.now_us, kind, n, name };
	seen(r);
}

static void on_page(void *user, uint64_t sent_us, int status)
{
	bool loaded = status && status < 400;

	(void)sent_us;
	add_mark(user, loaded ? SIM_MARK_PAGE : SIM_MARK_NO_PAGE, (unsigned)status, NULL);
}

static void mark_device(const struct sim_record_device *d, enum sim_mark_kind kind)
{
	add_mark(d->record, kind, d->dev->boots,
		 d->record->stage->devices_n > 1 ? d->dev->name : NULL);
}

static void on_power(void *user, bool up)
{
	if (!up)
		mark_device(user, SIM_MARK_CUT);
}

static void on_ready(void *user)
{
	mark_device(user, SIM_MARK_READY);
}

/* ---- life ---- */

static void watch_device(struct sim_record *r, size_t i)
{
	struct sim_record_device *d = &r->devices[i];

	d->record = r;
	d->dev = r->stage->devices[i];
	d->watch.on_power = on_power;
	d->watch.on_ready = on_ready;
	d->watch.user = d;
	sim_device_watch(d->dev, &d->watch);
}

struct sim_record *sim_record_create(struct sim_stage *s)
{
	struct sim_record *r = sim_alloc(sizeof(*r));
	size_t i;

	r->stage = s;
	r->running = true;
	sim_bands_init(&r->bands, s);
	r->ledger_watch.on_sent = on_sent;
	r->ledger_watch.on_answer = on_answer;
	r->ledger_watch.on_attempt = on_attempt;
	r->ledger_watch.on_effect = on_effect;
	r->ledger_watch.on_page = on_page;
	r->ledger_watch.user = r;
	sim_ledger_watch(&s->ledger, &r->ledger_watch);
	for (i = 0; i < s->devices_n; i++)
		watch_device(r, i);
	s->world.on_moment = on_moment;
	s->world.on_moment_user = r;
	return r;
}

void sim_record_over(struct sim_record *r)
{
	if (r)
		seen(r);
}

void sim_record_stop(struct sim_record *r)
{
	size_t i;

	if (!r || !r->running)
		return;
	on_moment(r);
	r->running = false;
	r->stage->world.on_moment = NULL;
	hf_list_remove(&r->ledger_watch.item);
	for (i = 0; i < r->stage->devices_n; i++)
		sim_device_unwatch(&r->devices[i].watch);
}

void sim_record_destroy(struct sim_record *r)
{
	size_t i;

	if (!r)
		return;
	sim_record_stop(r);
	sim_bands_finish(&r->bands);
	for (i = 0; i < r->orders_n; i++)
		free(r->orders[i].v);
	free(r->orders);
	free(r->marks);
	free(r->written);
	free(r);
}
