/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler of periodic sync events.
 *
 *   timer -> what is due is PENDING -> pass of its origin -> FIRING is stored ->
 *   firing begins -> its end, with the next due time, is stored -> timer
 *
 * A pass fires what may go: one event that makes requests at a time for each
 * origin, the one that is due for the longest time first, and those for pages
 * beside it. An origin that is down is looked for by hf_tags.
 */
#include "sync/periodic.h"

#include <limits.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "net/backoff.h"
#include "sync/periodic_private.h"

#define STORE_AGAIN_MS 5000

static struct hf_periodic_origin *origin_of(const struct hf_periodic_reg *r)
{
	return &r->all->origins[hf_periodic_origin_of(r)];
}

static bool is_on_hold(const struct hf_periodic_origin *o)
{
	return hf_periodic_boot_ms(o->all) < o->hold_ms;
}

static void hold(struct hf_periodic_origin *o, uint64_t delay_ms)
{
	o->hold_ms = hf_periodic_boot_ms(o->all) + delay_ms;
	hf_periodic_kick(o);
}

/* ---- the end of an event ---- */

/* Without memory it stands on the medium as firing, and the next start goes on
 * from there. */
static void store_end(struct hf_periodic_reg *r, const char *word)
{
	hf_periodic_set_running(r, false);
	if (hf_periodic_store(r, word, NULL))
		hf_periodic_written(r, NULL, HF_ENOMEM);
	hf_periodic_checkpoint(r->all);
}

static void not_tried(struct hf_periodic_reg *r, uint64_t delay_ms)
{
	struct hf_periodic_facts f;

	hf_periodic_facts(r->all, &f);
	hf_periodic_step(&r->state, HF_PERIODIC_OFFLINE, &f);
	hold(origin_of(r), delay_ms);
	store_end(r, hf_periodic_status_name(r->state.status));
}

static const char *end_word(struct hf_periodic_origin *o, const struct hf_periodic_state *s)
{
	if (s->status != HF_PERIODIC_WAITING)
		return hf_periodic_status_name(s->status);
	if (s->result == HF_PERIODIC_SUCCEEDED) {
		o->succeeded++;
		return "succeeded";
	}
	o->failed++;
	return "failed";
}

static void firing_done(void *user, const struct hf_firing_end *end)
{
	struct hf_periodic_reg *r = user;
	struct hf_periodic_origin *o = origin_of(r);
	const struct hf_sync_options *opt = &r->all->opt.sync;
	struct hf_periodic_facts f;

	r->firing = NULL;
	if (end->event == HF_TAG_OFFLINE) {
		not_tried(r, hf_backoff_ms(opt->rand, opt->backoff_base_ms, opt->backoff_cap_ms,
					   o->failures++));
		return;
	}
	o->failures = 0;
	hf_periodic_facts(r->all, &f);
	f.delay_ms = end->delay_ms;
	f.why = (uint8_t)end->why;
	f.answer = (uint16_t)end->status;
	hf_periodic_step(&r->state,
			 end->event == HF_TAG_SUCCESS ? HF_PERIODIC_SUCCESS : HF_PERIODIC_FAILURE,
			 &f);
	store_end(r, end_word(o, &r->state));
}

/* ---- firing ---- */

/* FIRING is on the medium. */
static void dispatch(struct hf_periodic_reg *r)
{
	struct hf_periodic *p = r->all;
	struct hf_firing_job job = {
		.worker = r->worker,
		.origin = hf_periodic_origin_of(r),
		.tag = hf_periodic_text(r),
		.action = &hf_periodic_what(r)->action,
		.key = r->state.key,
		.generation = r->state.runs + 1,
	};

	if (!p->started || hf_periodic_is_down(r)) {
		not_tried(r, 0);
		return;
	}
	if (hf_firing_start(&p->world, &job, firing_done, r, &r->firing)) {
		not_tried(r, STORE_AGAIN_MS);
		return;
	}
	origin_of(r)->fired++;
	hf_periodic_tell(r, hf_periodic_status_name(r->state.status));
}

static void fire(struct hf_periodic_reg *r)
{
	struct hf_periodic_facts f;

	hf_periodic_facts(r->all, &f);
	hf_periodic_step(&r->state, HF_PERIODIC_FIRE, &f);
	hf_periodic_set_running(r, true);
	if (hf_periodic_store(r, NULL, NULL))
		not_tried(r, STORE_AGAIN_MS);
}

static bool may_fire(const struct hf_periodic_reg *r, bool page)
{
	return r->state.status == HF_PERIODIC_PENDING && r->page == page && r->writes == 0 &&
	       !hf_periodic_is_down(r) && !hf_periodic_blocked(r);
}

/* The one that is due for the longest time, NULL: none may go. */
static struct hf_periodic_reg *first_to_fire(struct hf_periodic_origin *o, bool page)
{
	struct hf_periodic_reg *first = NULL;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &o->all->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (origin_of(r) == o && may_fire(r, page) &&
		    (!first || r->state.due_dev_ms < first->state.due_dev_ms))
			first = r;
	}
	return first;
}

/* The next of a pass, NULL: it is over. */
static struct hf_periodic_reg *next_to_fire(struct hf_periodic_origin *o)
{
	struct hf_periodic_reg *r = o->running == 0 ? first_to_fire(o, false) : NULL;

	if (!r && o->pages_running < CONFIG_HF_SYNC_PAGES_MAX)
		r = first_to_fire(o, true);
	return r;
}

static void pass(void *user)
{
	struct hf_periodic_origin *o = user;
	struct hf_periodic_reg *r;

	if (!o->all->started)
		return;
	/* one that could not be fired holds the others back, too */
	while (!is_on_hold(o) && (r = next_to_fire(o)) != NULL)
		fire(r);
	if (is_on_hold(o))
		hf_periodic_kick(o);
}

void hf_periodic_kick(struct hf_periodic_origin *o)
{
	uint64_t now = hf_periodic_boot_ms(o->all);

	if (o->all->started)
		hf_timerq_set(o->all->opt.sync.timers, &o->timer,
			      now < o->hold_ms ? o->hold_ms : now);
}

/* ---- what has changed ---- */

static void promote(struct hf_periodic_reg *r)
{
	struct hf_periodic_facts f;

	hf_periodic_facts(r->all, &f);
	if (r->writes > 0 || !hf_periodic_step(&r->state, HF_PERIODIC_DUE, &f))
		return;
	hf_periodic_set_wanted(r);
	hf_periodic_tell(r, "pending");
	hf_periodic_kick(origin_of(r));
}

void hf_periodic_collect(struct hf_periodic *p)
{
	int64_t now = hf_periodic_device_ms(p);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (r->state.due_dev_ms <= now)
			promote(r);
	}
	hf_periodic_arm(p);
}

static void delete_again(struct hf_periodic *p)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (r->state.status == HF_PERIODIC_NONE && r->writes == 0)
			hf_periodic_store(r, "unregistered", NULL); /* without: the next time */
	}
}

static void timer(void *user)
{
	struct hf_periodic *p = user;

	hf_periodic_checkpoint(p);
	delete_again(p);
	hf_periodic_look(p);
}

static void not_written(struct hf_periodic_reg *r)
{
	if (!r->stored)
		hf_periodic_free(r); /* whoever registered was told */
	else if (r->running && !r->firing)
		not_tried(r, STORE_AGAIN_MS);
	/* else the medium has it as it was before */
}

/* What could not go while it was written. */
static void resume(struct hf_periodic_reg *r)
{
	hf_periodic_set_wanted(r);
	if (r->state.status == HF_PERIODIC_PENDING)
		hf_periodic_kick(origin_of(r));
}

void hf_periodic_written(struct hf_periodic_reg *r, const char *word, int err)
{
	struct hf_periodic *p = r->all;

	if (!err && word)
		hf_periodic_tell(r, word);
	if (r->writes > 0)
		return; /* a later one goes by what is so then */
	if (err)
		not_written(r);
	else if (r->state.status == HF_PERIODIC_NONE)
		hf_periodic_free(r);
	else if (r->running && !r->firing)
		dispatch(r);
	else
		resume(r);
	hf_periodic_collect(p);
}

static void stored(const struct hf_row_write_job *job, int err)
{
	struct hf_periodic_reg *r = job->owner;
	struct hf_tag_change *change = job->change;

	if (r) {
		r->writes--;
		if (!err)
			r->stored = !job->remove;
	}
	/* whoever registered hears of it before anything is fired */
	if (change)
		change->done(change, err);
	if (r)
		hf_periodic_written(r, job->word, err);
}

/* ---- the world ---- */

void hf_periodic_look(struct hf_periodic *p)
{
	struct hf_list *it, *tmp;

	if (!p->started)
		return;
	hf_periodic_collect(p);
	hf_list_for(it, tmp, &p->regs) {
		resume(hf_periodic_reg_at(it));
	}
}

void hf_periodic_clock(struct hf_periodic *p)
{
	struct hf_periodic_facts f;
	struct hf_list *it, *tmp;

	hf_periodic_facts(p, &f);
	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (!r->unsure || !f.synced_wall_ms)
			continue;
		r->unsure = false;
		hf_periodic_catch_up(&r->state, &f);
	}
	hf_periodic_look(p);
}

void hf_periodic_origin_changed(struct hf_periodic *p, unsigned origin, enum hf_reach reach)
{
	struct hf_periodic_origin *o = &p->origins[origin];

	if (reach == HF_REACH_DOWN) {
		o->was_down = true;
	} else if (reach == HF_REACH_UP && o->was_down) {
		o->was_down = false;
		o->failures = 0;
		hold(o, hf_rand_below(p->opt.sync.rand, CONFIG_HF_SYNC_SPREAD_MS + 1));
	} else if (reach == HF_REACH_UP) {
		hf_periodic_kick(o);
	}
}

void hf_periodic_now(struct hf_periodic *p, unsigned origin)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs) {
		struct hf_periodic_reg *r = hf_periodic_reg_at(it);

		if (origin != UINT_MAX && origin != hf_periodic_origin_of(r))
			continue;
		origin_of(r)->hold_ms = 0;
		if (r->state.status == HF_PERIODIC_RETRYING && !r->state.bound)
			promote(r);
	}
	hf_periodic_look(p);
}

void hf_periodic_restore(struct hf_periodic *p)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->regs)
		hf_periodic_store(hf_periodic_reg_at(it), NULL, NULL);
}

/* ---- life ---- */

int hf_periodic_create(const struct hf_periodic_options *opt, struct hf_periodic **out)
{
	struct hf_periodic *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (!p)
		return HF_ENOMEM;
	p->opt = *opt;
	p->next_id = HF_PERIODIC_FIRST_ID;
	p->world = (struct hf_firing_world){ &p->opt.sync, opt->lane, opt->user };
	hf_list_init(&p->regs);
	hf_timer_init(&p->timer, timer, p);
	hf_row_writes_init(&p->writes, opt->sync.store, opt->sync.log, stored);
	p->origins = calloc(opt->sync.origins_n + 1, sizeof(*p->origins));
	p->counts = calloc(opt->workers_n + 1, sizeof(*p->counts));
	for (unsigned i = 0; p->origins && i < opt->sync.origins_n; i++) {
		p->origins[i].all = p;
		hf_timer_init(&p->origins[i].timer, pass, &p->origins[i]);
	}
	if (!p->origins || !p->counts) {
		hf_periodic_destroy(p);
		return HF_ENOMEM;
	}
	*out = p;
	return 0;
}

void hf_periodic_start(struct hf_periodic *p)
{
	p->started = true;
	p->saved_ms = hf_periodic_boot_ms(p);
	hf_periodic_look(p);
}

static void stop_one(struct hf_periodic_reg *r)
{
	struct hf_periodic_facts f;

	if (!r->firing)
		return;
	hf_periodic_break_off(r);
	hf_periodic_facts(r->all, &f);
	hf_periodic_step(&r->state, HF_PERIODIC_OFFLINE, &f);
	hf_periodic_store(r, NULL, NULL);
}

void hf_periodic_stop(struct hf_periodic *p)
{
	struct hf_list *it, *tmp;

	p->started = false;
	hf_list_for(it, tmp, &p->regs)
		stop_one(hf_periodic_reg_at(it));
}

void hf_periodic_destroy(struct hf_periodic *p)
{
	if (!p)
		return;
	p->started = false;
	hf_row_writes_finish(&p->writes);
	while (!hf_list_empty(&p->regs))
		hf_periodic_free(hf_periodic_reg_at(p->regs.next));
	for (unsigned i = 0; p->origins && i < p->opt.sync.origins_n; i++)
		hf_timerq_clear(p->opt.sync.timers, &p->origins[i].timer);
	hf_timerq_clear(p->opt.sync.timers, &p->timer);
	hf_store_registrations_finish(&p->load);
	free(p->origins);
	free(p->counts);
	free(p);
}
