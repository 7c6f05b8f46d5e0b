/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler of sync events. Each origin has its PENDING tags in two lists,
 * those that make requests and those for pages, and one timer: a kick, or the
 * end of a hold, leads to a pass on a later turn, which marks what may go. What
 * is marked on the medium is fired.
 *
 *   pass -> FIRING is stored -> firing begins -> its end is stored -> pass
 *
 * A connection that is not made holds the whole origin back for a while; three
 * in a row and connectivity calls it down. Then a HEAD of "/" tries it, unless a
 * lane's request or the configured probe does.
 */
#include "sync/tags.h"

#include <limits.h>
#include <stdlib.h>

#include "holdfast_config.h"
#include "net/backoff.h"
#include "sync/tags_private.h"

#define STORE_AGAIN_MS 5000
#define EDGE_EVERY_MS  60000 /* an origin that flaps does not end every back-off */

/* ---- events ---- */

static enum hf_reach reach_of(const struct hf_tag_origin *o)
{
	const struct hf_tags *t = o->tags;

	return hf_connectivity_origin(t->opt.sync.connectivity, (unsigned)(o - t->origins));
}

static bool is_down(const struct hf_tag_origin *o)
{
	enum hf_reach reach = reach_of(o);

	return reach == HF_REACH_DOWN || reach == HF_REACH_TRIAL;
}

static void hold(struct hf_tag_origin *o, uint64_t delay_ms)
{
	o->hold_ms = hf_tags_now_ms(o->tags) + delay_ms;
	hf_tag_origin_kick(o);
}

/* What follows from the end of an event is written; without memory for that it
 * stands on the medium as firing, and the next start goes on from there. */
static void store_end(struct hf_tag *tag)
{
	hf_tag_set_running(tag, false);
	if (tag->state.status == HF_TAG_EXHAUSTED)
		hf_tag_exhaust(tag);
	if (hf_tag_store(tag, NULL))
		hf_tag_written(tag, tag->state.status, HF_ENOMEM);
}

static void not_tried(struct hf_tag *tag, uint64_t delay_ms)
{
	struct hf_tag_facts f;

	hf_tag_facts(tag->tags, &f);
	hf_tag_step(&tag->state, HF_TAG_OFFLINE, &f);
	hold(hf_tag_origin(tag), delay_ms);
	store_end(tag);
}

static uint64_t connect_delay(struct hf_tag_origin *o)
{
	const struct hf_sync_options *opt = &o->tags->opt.sync;

	return hf_backoff_ms(opt->rand, opt->backoff_base_ms, opt->backoff_cap_ms, o->failures++);
}

static void count_end(struct hf_tag *tag, const struct hf_firing_end *end)
{
	struct hf_tag_origin *o = hf_tag_origin(tag);
	struct hf_tags *t = tag->tags;

	o->totals.succeeded += end->event == HF_TAG_SUCCESS;
	o->totals.failed += end->event == HF_TAG_FAILURE;
	o->failures = 0;
	if (tag->state.status != HF_TAG_EXHAUSTED)
		return;
	o->totals.given_up++;
	hf_log(t->opt.sync.log, HF_LOG_WARNING, "sync.exhausted", "id=%llu attempts=%u why=%s",
	       (unsigned long long)tag->id, tag->state.attempts, hf_tag_why_name(tag->state.why));
}

static void firing_done(void *user, const struct hf_firing_end *end)
{
	struct hf_tag *tag = user;
	struct hf_tag_facts f;

	tag->firing = NULL;
	if (end->event == HF_TAG_OFFLINE) {
		not_tried(tag, connect_delay(hf_tag_origin(tag)));
		return;
	}
	hf_tag_facts(tag->tags, &f);
	f.last_chance = tag->last_chance;
	f.bound = end->delay_ms > 0;
	f.delay_ms = f.bound ? end->delay_ms : tag->delay_ms;
	f.why = end->why;
	f.answer = (uint16_t)end->status;
	hf_tag_step(&tag->state, end->event, &f);
	tag->last_word = HF_TAG_SUCCEEDED;
	count_end(tag, end);
	store_end(tag);
}

/* FIRING is on the medium. */
static void dispatch(struct hf_tag *tag)
{
	struct hf_tags *t = tag->tags;
	struct hf_firing_job job = {
		.worker = tag->worker,
		.origin = t->opt.workers[tag->worker].origin,
		.tag = hf_tag_text(tag),
		.action = hf_tag_action(tag),
		.key = tag->state.key,
		.generation = tag->state.generation,
	};

	if (!t->started || is_down(hf_tag_origin(tag))) {
		not_tried(tag, 0);
		return;
	}
	if (hf_firing_start(&t->world, &job, firing_done, tag, &tag->firing)) {
		not_tried(tag, STORE_AGAIN_MS);
		return;
	}
	hf_tag_origin(tag)->totals.fired++;
	hf_tag_tell(tag, hf_tag_status_name(tag->state.status));
}

static void fire(struct hf_tag *tag)
{
	struct hf_tag_facts f;

	hf_list_remove(&tag->ready);
	hf_tag_plan(tag);
	hf_tag_facts(tag->tags, &f);
	hf_tag_step(&tag->state, HF_TAG_FIRE, &f);
	hf_tag_set_running(tag, true);
	if (hf_tag_store(tag, NULL))
		not_tried(tag, STORE_AGAIN_MS);
}

static void fire_first(struct hf_list *list)
{
	fire(hf_container_of(hf_list_first(list), struct hf_tag, ready));
}

/* An event that makes a request finds out by it whether the origin is there; one
 * for pages has to be told before. */
static bool pages_may_go(struct hf_tag_origin *o)
{
	if (reach_of(o) == HF_REACH_UP)
		return true;
	if (!hf_list_empty(&o->pages) && o->running == 0)
		hf_tags_trial(o->tags, (unsigned)(o - o->tags->origins));
	return false;
}

static void pass(void *user)
{
	struct hf_tag_origin *o = user;
	struct hf_tags *t = o->tags;

	if (!t->started || is_down(o))
		return;
	if (hf_tags_now_ms(t) < o->hold_ms) {
		hf_timerq_set(t->opt.sync.timers, &o->timer, o->hold_ms);
		return;
	}
	if (o->running == 0 && !hf_list_empty(&o->ready))
		fire_first(&o->ready);
	if (!pages_may_go(o))
		return;
	while (o->pages_running < CONFIG_HF_SYNC_PAGES_MAX && !hf_list_empty(&o->pages))
		fire_first(&o->pages);
}

void hf_tag_origin_kick(struct hf_tag_origin *o)
{
	uint64_t now = hf_tags_now_ms(o->tags);

	if (o->tags->started)
		hf_timerq_set(o->tags->opt.sync.timers, &o->timer,
			      now < o->hold_ms ? o->hold_ms : now);
}

/* ---- places ---- */

static bool wants_origin(const struct hf_tag_state *s)
{
	switch ((enum hf_tag_status)s->status) {
	case HF_TAG_PENDING:
	case HF_TAG_FIRING:
	case HF_TAG_REREGISTERED:
		return true;
	case HF_TAG_WAITING: /* until then nobody has to look for the origin */
		return !s->bound;
	case HF_TAG_NONE:
	case HF_TAG_EXHAUSTED:
	case HF_TAG_STATUSES:
		break;
	}
	return false;
}

static void set_timer(const struct hf_tag *tag)
{
	struct hf_tags *t = tag->tags;
	uint64_t device = hf_tags_device_ms(t), due = tag->state.due_dev_ms;
	uint64_t at = hf_tags_now_ms(t) + (due > device ? due - device : 0);

	if (!hf_timer_is_set(&t->timer) || at < t->timer.due_ms)
		hf_timerq_set(t->opt.sync.timers, &t->timer, at);
}

static void wait_until(struct hf_tag *tag, uint64_t dev_ms)
{
	hf_list_remove(&tag->ready);
	tag->state.due_dev_ms = dev_ms;
	tag->timed = true;
	hf_list_push(&tag->tags->timed, &tag->ready);
	set_timer(tag);
}

void hf_tag_place(struct hf_tag *tag)
{
	struct hf_tag_origin *o = hf_tag_origin(tag);

	if (tag->state.status != HF_TAG_PENDING || tag->timed)
		hf_list_remove(&tag->ready);
	tag->timed = false;
	hf_tag_set_wanted(tag, wants_origin(&tag->state));
	if (tag->state.status == HF_TAG_WAITING) {
		wait_until(tag, tag->state.due_dev_ms);
	} else if (tag->state.status == HF_TAG_PENDING) {
		if (hf_list_empty(&tag->ready))
			hf_list_push(tag->page ? &o->pages : &o->ready, &tag->ready);
		hf_tag_origin_kick(o);
	}
}

static void promote(struct hf_tag *tag, enum hf_tag_event event)
{
	struct hf_tag_facts f;

	hf_tag_facts(tag->tags, &f);
	if (tag->writes > 0 || !hf_tag_step(&tag->state, event, &f))
		return;
	hf_tag_place(tag);
	hf_tag_tell(tag, "pending");
}

static void wait_is_over(struct hf_tag *tag)
{
	hf_list_remove(&tag->ready);
	tag->timed = false;
	if (tag->state.status != HF_TAG_NONE)
		promote(tag, HF_TAG_DUE);
	else if (tag->writes == 0 && hf_tag_store(tag, NULL))
		hf_tag_written(tag, HF_TAG_NONE, HF_ENOMEM);
}

/* The end of a wait, or a deletion that is to be tried again. */
static void timed(void *user)
{
	struct hf_tags *t = user;
	uint64_t now = hf_tags_device_ms(t);
	struct hf_list due, *it, *tmp;

	hf_list_init(&due);
	hf_list_for(it, tmp, &t->timed) {
		if (hf_container_of(it, struct hf_tag, ready)->state.due_dev_ms > now)
			continue;
		hf_list_remove(it);
		hf_list_push(&due, it);
	}
	while (!hf_list_empty(&due))
		wait_is_over(hf_container_of(hf_list_first(&due), struct hf_tag, ready));
	hf_list_for(it, tmp, &t->timed)
		set_timer(hf_container_of(it, struct hf_tag, ready));
}

static void ended(struct hf_tag *tag)
{
	struct hf_tags *t = tag->tags;

	if (hf_tags_find(t, tag->worker, hf_tag_text(tag)) != tag)
		t->exhausted_n--;
	hf_tag_free(tag);
}

static void not_written(struct hf_tag *tag)
{
	if (tag->state.status == HF_TAG_NONE) {
		wait_until(tag, hf_tags_device_ms(tag->tags) + STORE_AGAIN_MS);
	} else if (!tag->stored) {
		hf_tag_free(tag); /* whoever registered was told */
	} else if (tag->running && !tag->firing) {
		not_tried(tag, STORE_AGAIN_MS);
	} else if (!tag->firing) {
		hf_tag_place(tag); /* the medium has it as it was before */
	}
}

void hf_tag_written(struct hf_tag *tag, uint8_t status, int err)
{
	static const char *const words[] = { "succeeded", "unregistered", "forgotten" };
	bool marks = status == HF_TAG_FIRING;

	if (!err && status == HF_TAG_NONE)
		hf_tag_tell(tag, words[tag->last_word]);
	else if (!err && !marks)
		hf_tag_tell(tag, hf_tag_status_name(status));
	if (tag->writes > 0)
		return; /* a later one goes by what is so then */
	if (err)
		not_written(tag);
	else if (tag->state.status == HF_TAG_NONE)
		ended(tag);
	else if (tag->running && !tag->firing)
		dispatch(tag);
	else if (!tag->firing)
		hf_tag_place(tag);
}

/* ---- the world ---- */

static void promote_all(struct hf_tags *t, const struct hf_tag_origin *o, enum hf_tag_event event)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &t->all) {
		struct hf_tag *tag = hf_container_of(it, struct hf_tag, link);

		if (hf_tag_origin(tag) == o)
			promote(tag, event);
	}
}

static void edge(struct hf_tags *t, struct hf_tag_origin *o)
{
	uint64_t now = hf_tags_now_ms(t);

	o->was_down = false;
	o->failures = 0;
	hold(o, hf_rand_below(t->opt.sync.rand, CONFIG_HF_SYNC_SPREAD_MS + 1));
	if (o->edge_ms && now - o->edge_ms < EDGE_EVERY_MS)
		return;
	o->edge_ms = now;
	promote_all(t, o, HF_TAG_EDGE);
}

void hf_tags_origin_changed(struct hf_tags *t, unsigned origin, enum hf_reach reach)
{
	struct hf_tag_origin *o = &t->origins[origin];

	if (reach == HF_REACH_DOWN)
		o->was_down = true;
	else if (reach == HF_REACH_UP && o->was_down)
		edge(t, o);
	else if (reach == HF_REACH_UP)
		hf_tag_origin_kick(o);
}

static void trial_done(void *user, const struct hf_errand_end *end)
{
	struct hf_tag_origin *o = user;

	(void)end; /* it was reported to connectivity */
	o->trial = NULL;
	if (reach_of(o) == HF_REACH_UNKNOWN && !hf_list_empty(&o->pages))
		hold(o, connect_delay(o));
}

bool hf_tags_trial(struct hf_tags *t, unsigned origin)
{
	struct hf_tag_origin *o = &t->origins[origin];
	struct hf_errand_job job = { .origin = origin, .method = "HEAD", .target = "/" };
	struct hf_exchange_result result = { .end = HF_END_LIMIT };

	if (o->wanted == 0 || !t->started)
		return false;
	if (o->trial)
		return true;
	result.err = hf_errand_start(&t->opt.sync, &job, trial_done, o, &o->trial);
	if (result.err)
		hf_connectivity_report(t->opt.sync.connectivity, origin, &result, 0);
	return true;
}

void hf_tags_now(struct hf_tags *t, unsigned origin)
{
	for (unsigned i = 0; i < t->opt.sync.origins_n; i++) {
		if (origin != UINT_MAX && origin != i)
			continue;
		t->origins[i].hold_ms = 0;
		promote_all(t, &t->origins[i], HF_TAG_NOW);
		hf_tag_origin_kick(&t->origins[i]);
	}
}

static void restore_list(struct hf_list *list)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, list)
		hf_tag_store(hf_container_of(it, struct hf_tag, link), NULL);
}

void hf_tags_restore(struct hf_tags *t)
{
	restore_list(&t->all);
	restore_list(&t->exhausted);
}

/* ---- life ---- */

int hf_tags_create(const struct hf_tags_options *opt, struct hf_tags **out)
{
	struct hf_tags *t = calloc(1, sizeof(*t));
	struct hf_rand rand;

	if (!t)
		return HF_ENOMEM;
	t->opt = *opt;
	rand = *opt->sync.rand; /* a copy: what others draw does not depend on us */
	t->names_seed[0] = hf_rand_u64(&rand);
	t->names_seed[1] = hf_rand_u64(&rand);
	hf_list_init(&t->timed);
	hf_timer_init(&t->timer, timed, t);
	hf_list_init(&t->all);
	hf_list_init(&t->exhausted);
	hf_row_writes_init(&t->writes, opt->sync.store, opt->sync.log, hf_tag_stored);
	t->world = (struct hf_firing_world){ &t->opt.sync, opt->lane, opt->user };
	t->origins = calloc(opt->sync.origins_n + 1, sizeof(*t->origins));
	t->counts = calloc(opt->workers_n + 1, sizeof(*t->counts));
	for (unsigned i = 0; t->origins && i < opt->sync.origins_n; i++) {
		struct hf_tag_origin *o = &t->origins[i];

		o->tags = t;
		hf_list_init(&o->ready);
		hf_list_init(&o->pages);
		hf_timer_init(&o->timer, pass, o);
	}
	*out = t;
	if (t->origins && t->counts)
		return 0;
	hf_tags_destroy(t);
	*out = NULL;
	return HF_ENOMEM;
}

void hf_tags_start(struct hf_tags *t)
{
	t->started = true;
	for (unsigned i = 0; i < t->opt.sync.origins_n; i++)
		hf_tag_origin_kick(&t->origins[i]);
}

static void stop_tag(struct hf_tag *tag)
{
	struct hf_tag_facts f;

	if (!tag->firing)
		return;
	hf_tag_break_off(tag);
	hf_tag_facts(tag->tags, &f);
	hf_tag_step(&tag->state, HF_TAG_OFFLINE, &f);
	hf_tag_store(tag, NULL);
}

void hf_tags_stop(struct hf_tags *t)
{
	struct hf_list *it, *tmp;

	t->started = false;
	hf_list_for(it, tmp, &t->all)
		stop_tag(hf_container_of(it, struct hf_tag, link));
	for (unsigned i = 0; i < t->opt.sync.origins_n; i++) {
		hf_errand_destroy(t->origins[i].trial);
		t->origins[i].trial = NULL;
	}
}

static void free_list(struct hf_list *list)
{
	while (!hf_list_empty(list))
		hf_tag_free(hf_container_of(list->next, struct hf_tag, link));
}

void hf_tags_destroy(struct hf_tags *t)
{
	if (!t)
		return;
	t->started = false;
	hf_row_writes_finish(&t->writes);
	free_list(&t->all);
	free_list(&t->exhausted);
	for (unsigned i = 0; t->origins && i < t->opt.sync.origins_n; i++) {
		hf_errand_destroy(t->origins[i].trial);
		hf_timerq_clear(t->opt.sync.timers, &t->origins[i].timer);
	}
	hf_store_registrations_finish(&t->load);
	hf_timerq_clear(t->opt.sync.timers, &t->timer);
	free(t->names);
	free(t->origins);
	free(t->counts);
	free(t);
}
