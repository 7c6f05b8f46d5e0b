/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "checks/checks.h"
#include "run_private.h"
#include "sim/mem.h"

#define ANSWERS_US (5 * SIM_US_PER_MIN)
#define LOOK_US	   (2 * SIM_US_PER_MIN)

/* A step that repeats. */
struct repeater {
	struct hf_list item;
	struct sim_run *run;
	const struct sim_step *step;
	uint64_t left;
	struct sim_rng rng;
	struct sim_event due;
};

/* ---- repeating ---- */

static void plan_next(struct repeater *p)
{
	struct sim_world *w = &p->run->stage->world;
	uint64_t at =
		w->now_us + sim_rng_range(&p->rng, p->step->every_low_us, p->step->every_high_us);

	if (p->left > 0 && at <= p->step->until_us)
		sim_event_at(w, &p->due, at);
}

static void repeat_due(void *user)
{
	struct repeater *p = user;

	if (p->left != SIM_NEVER)
		p->left--;
	sim_run_act(p->run, p->step);
	plan_next(p);
}

/* Its draws depend on its place among those that repeat: another step between
 * them moves nothing. */
static void start_repeating(struct sim_run *r, const struct sim_step *step, unsigned nth)
{
	struct repeater *p = sim_alloc(sizeof(*p));
	char domain[64];

	p->run = r;
	p->step = step;
	p->left = step->times;
	snprintf(domain, sizeof(domain), "repeat/%u", nth);
	sim_rng_init(&p->rng, r->stage->world.seed, domain);
	sim_event_init(&p->due, repeat_due, p);
	hf_list_init(&p->item);
	hf_list_push(&r->repeaters, &p->item);
	plan_next(p);
}

/* ---- a plan ---- */

void sim_run_checks(const struct sim_stage *s, struct sim_failure *failure)
{
	size_t i;

	for (i = 0; sim_checks[i] && !failure->what[0]; i++) {
		if (sim_checks[i]->holds(s, failure->what, sizeof(failure->what)))
			failure->what[0] = '\0';
		else
			failure->check = sim_checks[i]->name;
	}
}

bool sim_run_is_drained(const struct sim_stage *s)
{
	struct sim_tally t;

	sim_tally(s, NULL, NULL, &t);
	return t.open == 0;
}

static bool is_drained(void *user)
{
	return sim_run_is_drained(user);
}

static void release_held(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++)
		sim_panel_release(s->operators[i]);
}

/* A person looks at what was held or given up, and has it sent again. */
static void look_after(struct sim_stage *s, uint64_t until_us)
{
	size_t i;

	sim_run_ask_states(s);
	(void)sim_run_wait_idle(s, until_us);
	for (i = 0; i < s->ledger.n; i++) {
		struct sim_order *o = s->ledger.v[i];

		if (sim_order_promised(o) && strcmp(o->state, "dead") == 0)
			sim_panel_retry(sim_stage_operator(s, o->device), o);
	}
	release_held(s);
	(void)sim_run_wait_idle(s, until_us);
}

void sim_run_look(struct sim_stage *s)
{
	sim_run_ask_states(s);
	(void)sim_run_wait_idle(s, s->world.now_us + ANSWERS_US);
}

static void activity(const struct sim_device *dev, struct sim_rest *out)
{
	out->wakes = dev->port.wakes;
	out->jobs = dev->port.jobs;
	out->bytes = sim_disk_stats(dev->disk)->bytes;
	out->calls = dev->node->calls + dev->node->datagrams;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void rest_for_an_hour(struct sim_stage *s)
{
	struct sim_rest *before = sim_alloc(s->devices_n * sizeof(*before)), after;
	size_t i, visits;

	for (i = 0; i < s->devices_n; i++)
		activity(s->devices[i], &before[i]);
	visits = s->ledger.visits_n;
	sim_world_run(&s->world, s->world.now_us + SIM_US_PER_H);
	memset(&s->rest, 0, sizeof(s->rest));
	s->rest.looked = true;
	s->rest.visits = s->ledger.visits_n - visits;
	for (i = 0; i < s->devices_n; i++) {
		activity(s->devices[i], &after);
		s->rest.wakes = larger(s->rest.wakes, after.wakes - before[i].wakes);
		s->rest.jobs = larger(s->rest.jobs, after.jobs - before[i].jobs);
		s->rest.bytes = larger(s->rest.bytes, after.bytes - before[i].bytes);
		s->rest.calls = larger(s->rest.calls, after.calls - before[i].calls);
	}
	sim_free(before);
}

/* In that hour the log may come to its end and be copied back, or a reserve that there
 * was no room for be made: that is of the time before, and not so again in the next. */
void sim_run_rest(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->panels_n; i++)
		sim_panel_follow(s->panels[i], false); /* who listens is spoken to */
	sim_world_run(&s->world, s->world.now_us + SIM_US_PER_H);
	rest_for_an_hour(s);
	for (i = 0; i < s->devices_n && s->rest.bytes > SIM_REST_BYTES; i++)
		rest_for_an_hour(s);
}

static bool drain(struct sim_stage *s, uint64_t until_us)
{
	struct sim_world *w = &s->world;
	uint64_t look;

	for (;;) {
		look = w->now_us + LOOK_US < until_us ? w->now_us + LOOK_US : until_us;
		if (sim_world_run_until(w, look, is_drained, s))
			return true;
		if (w->now_us >= until_us || w->stalled)
			return false;
		look_after(s, until_us);
	}
}

/* The agent may not have stored the last answer when its effect is known: the
 * page asks some times. */
bool sim_run_until_quiet(struct sim_stage *s, uint64_t limit_us, uint64_t *drain_us)
{
	struct sim_world *w = &s->world;
	uint64_t begin = w->now_us, until = begin + limit_us;
	struct sim_tally t;
	int tries;

	sim_stage_heal(s);
	s->drained = sim_run_wait_idle(s, until) && drain(s, until);
	*drain_us = w->now_us - begin;
	if (!s->drained)
		return false;
	for (tries = 0; tries < 2;
	     tries++) { /* what the first time has stored is shown the second */
		sim_run_ask_pages(s);
		if (!sim_run_wait_idle(s, w->now_us + ANSWERS_US))
			return false;
	}
	for (tries = 0; tries < 10; tries++) {
		sim_world_run(w, w->now_us + ((uint64_t)1 << tries) * SIM_US_PER_S);
		sim_run_ask_answers(s);
		if (!sim_run_wait_idle(s, w->now_us + ANSWERS_US))
			return false;
		sim_tally(s, NULL, NULL, &t);
		if (t.open_answers == 0)
			break;
		release_held(s); /* it had its effect, and was refused when it came again */
	}
	return true;
}

static bool something_repeats(const struct sim_run *r)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &r->repeaters)
		if (sim_event_is_set(&hf_container_of(it, struct repeater, item)->due))
			return true;
	return false;
}

/* What the agents hold for what waits, not for who asks. */
static void look_at_memory(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->devices_n && sim_run_is_idle(s); i++)
		sim_heap_look(&s->devices[i]->heap);
}

void sim_run_all_well(struct sim_run *r, uint64_t limit_us)
{
	struct sim_stage *s = r->stage;

	s->well_us = s->world.now_us;
	if (!sim_run_until_quiet(s, limit_us, &s->drain_us))
		sim_trace(&s->world, "run", "still waiting at the end");
	else if (!something_repeats(r))
		sim_run_rest(s);
	look_at_memory(s);
}

static void run_steps(struct sim_run *r)
{
	struct sim_world *w = &r->stage->world;
	unsigned repeaters = 0;
	size_t i;

	for (i = 0; i < r->plan->n && !r->failure->what[0]; i++) {
		const struct sim_step *step = &r->plan->v[i];

		if (step->at_us != SIM_NEVER)
			sim_world_run(w, step->at_us);
		if (step->after_us)
			sim_world_run(w, w->now_us + step->after_us);
		look_at_memory(r->stage);
		if (step->every_low_us)
			start_repeating(r, step, repeaters++);
		else
			sim_run_act(r, step);
	}
	if (r->plan->lasts_us > w->now_us && !r->failure->what[0])
		sim_world_run(w, r->plan->lasts_us);
}

void sim_run_plan(struct sim_stage *s, const struct sim_plan *plan, struct sim_run_watch *watch,
		  struct sim_failure *failure)
{
	struct sim_run r = { .stage = s, .plan = plan, .watch = watch, .failure = failure };
	struct hf_list *item;

	memset(failure, 0, sizeof(*failure));
	s->drained = true;
	hf_list_init(&r.repeaters);
	sim_stage_boot(s);
	run_steps(&r);
	while ((item = hf_list_pop(&r.repeaters))) {
		struct repeater *p = hf_container_of(item, struct repeater, item);

		sim_event_clear(&s->world, &p->due);
		free(p);
	}
}
