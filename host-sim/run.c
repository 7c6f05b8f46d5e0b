/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <inttypes.h>

#include "checks/checks.h"
#include "sim/mem.h"

#define ANSWERS_US (5 * SIM_US_PER_MIN)

/* A step that repeats. */
struct repeater {
	struct hf_list item;
	struct run *run;
	const struct sim_step *step;
	uint64_t left;
	struct sim_rng rng;
	struct sim_event due;
};

enum last_request {
	LAST_NONE,
	LAST_ORDER,
	LAST_PAGE,
};

struct run {
	struct sim_stage *stage;
	const struct sim_plan *plan;
	struct sim_run_watch *watch;
	struct hf_list repeaters;
	enum last_request last;
	const struct sim_order *last_order;
	struct sim_failure *failure;
};

/* ---- looking ---- */

struct tally {
	unsigned received, delivered, lost, duplicated, open_answers;
};

static void count(const struct sim_stage *s, struct tally *t)
{
	size_t i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		t->received += o->attempts > 0;
		t->delivered += o->effects > 0;
		t->lost += sim_order_promised(o) && o->effects == 0;
		t->duplicated += o->effects > 1 ? o->effects - 1 : 0;
		t->open_answers += o->status == 202 && !o->answer_right;
	}
}

bool sim_run_is_drained(const struct sim_stage *s)
{
	struct tally t;

	count(s, &t);
	return t.lost == 0;
}

static bool status_fits(const struct sim_step *step, int status)
{
	size_t i;

	for (i = 0; i < SIM_STATUSES && step->status[i]; i++)
		if (step->status[i] == status)
			return true;
	return false;
}

/* The last request has ended; its status, 0 for none. */
static bool last_answer(const struct run *r, int *status)
{
	const struct sim_panel_stats *stats = sim_panel_stats(r->stage->panel);

	*status = 0;
	switch (r->last) {
	case LAST_NONE:
		return true;
	case LAST_ORDER:
		*status = r->last_order->status;
		return r->last_order->answered_us != SIM_NEVER;
	case LAST_PAGE:
		*status = stats->page_status;
		return stats->page_done;
	}
	return true;
}

static void ask_answers(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++)
		if (s->ledger.v[i]->status == 202 && s->ledger.v[i]->id[0] &&
		    !s->ledger.v[i]->answer_right)
			sim_panel_ask_answer(s->panel, s->ledger.v[i]);
}

/* @why says what is there instead. */
static bool holds(struct run *r, const struct sim_step *step, char *why, size_t size)
{
	const struct sim_stage *s = r->stage;
	struct tally t;
	int status;

	count(s, &t);
	switch (step->what) {
	case SIM_DO_EXPECT_ANSWER:
		if (!last_answer(r, &status))
			snprintf(why, size, "the panel has no answer yet");
		else
			snprintf(why, size, "the panel got %d", status);
		return last_answer(r, &status) && status_fits(step, status);
	case SIM_DO_EXPECT_RECEIVED:
		snprintf(why, size, "the origin received %u", t.received);
		return t.received == step->a;
	case SIM_DO_EXPECT_DELIVERED:
		snprintf(why, size, "%u are delivered", t.delivered);
		return t.delivered == step->a;
	case SIM_DO_EXPECT_QUEUE_EMPTY:
		snprintf(why, size, "%u accepted orders have not been delivered", t.lost);
		return t.lost == 0;
	case SIM_DO_EXPECT_LOST:
		snprintf(why, size, "%u are lost", t.lost);
		return t.lost == step->a;
	case SIM_DO_EXPECT_DUPLICATED:
		snprintf(why, size, "%u effects are duplicated", t.duplicated);
		return t.duplicated == step->a;
	case SIM_DO_EXPECT_ORDER_KEPT:
		return sim_check_order.holds(s, why, size);
	case SIM_DO_EXPECT_ANSWERS:
		snprintf(why, size, "%u answers are missing", t.open_answers);
		return t.open_answers == 0;
	case SIM_DO_EXPECT_CUTS:
		snprintf(why, size, "there were %" PRIu64, sim_disk_stats(s->kiosk->disk)->cuts);
		return sim_disk_stats(s->kiosk->disk)->cuts == step->a;
	case SIM_DO_LINK:
	case SIM_DO_ORIGIN_UP:
	case SIM_DO_ORIGIN_DOWN:
	case SIM_DO_ORIGIN_SILENT:
	case SIM_DO_ORIGIN_ANSWER:
	case SIM_DO_ORIGIN_LOSE:
	case SIM_DO_ORIGIN_SLOW:
	case SIM_DO_ORIGIN_LARGE:
	case SIM_DO_ORDER:
	case SIM_DO_GET:
	case SIM_DO_FOLLOW:
	case SIM_DO_CUT:
	case SIM_DO_DISK_FULL:
	case SIM_DO_DISK_FREE:
	case SIM_DO_BOOT:
	case SIM_DO_REBOOT_AFTER:
	case SIM_DO_WAIT:
	case SIM_DO_NOTE:
		break;
	}
	return true;
}

struct waiting {
	struct run *run;
	const struct sim_step *step;
	char why[256];
};

static bool holds_now(void *user)
{
	struct waiting *w = user;

	return holds(w->run, w->step, w->why, sizeof(w->why));
}

static bool is_idle(void *user)
{
	return sim_panel_idle(((struct sim_stage *)user)->panel);
}

/* The page asks every second for what it does not have yet. */
static bool wait_for_answers(struct sim_stage *s, uint64_t until_us, struct waiting *wait)
{
	while (!holds_now(wait)) {
		uint64_t again = s->world.now_us + SIM_US_PER_S;

		if (again > until_us)
			return false;
		ask_answers(s);
		(void)sim_world_run_until(&s->world, until_us, is_idle, s);
		sim_world_run(&s->world, again);
	}
	return true;
}

/* What is counted (lost, duplicated, order) cannot become better by waiting,
 * except for what is still on its way. */
static void expect(struct run *r, const struct sim_step *step)
{
	struct sim_world *w = &r->stage->world;
	struct waiting wait = { .run = r, .step = step };
	uint64_t until = step->by_us != SIM_NEVER ? step->by_us : w->now_us + step->within_us;
	bool ok;

	if (step->what == SIM_DO_EXPECT_ANSWERS)
		ok = wait_for_answers(r->stage, until, &wait);
	else
		ok = sim_world_run_until(w, until, holds_now, &wait);
	if (ok || r->failure->what[0])
		return;
	r->failure->step = step;
	snprintf(r->failure->what, sizeof(r->failure->what), "%s", wait.why);
}

/* ---- doing ---- */

static void send_order(struct run *r, const struct sim_step *step)
{
	const char *mark = strstr(step->body, "{n}");
	char *body = NULL;

	if (mark && asprintf(&body, "%.*s%zu%s", (int)(mark - step->body), step->body,
			     r->stage->ledger.n + 1, mark + 3) < 0)
		sim_must(NULL);
	r->last = LAST_ORDER;
	r->last_order = sim_panel_order(r->stage->panel, step->method, step->path,
					mark ? body : step->body);
	free(body);
}

static void change_mood(struct sim_stage *s, const struct sim_step *step)
{
	struct sim_origin_mood mood = *sim_origin_mood_now(s->shop);

	if (step->what == SIM_DO_ORIGIN_ANSWER) {
		mood.status = (int)step->a;
		mood.retry_after_s = (uint32_t)step->b;
		if (step->a == 0) { /* normally: none of it */
			mood.lose_percent = 0;
			mood.slow_us = 0;
			mood.answer_bytes = 0;
		}
	} else if (step->what == SIM_DO_ORIGIN_LARGE) {
		mood.answer_bytes = (size_t)step->a;
	} else if (step->what == SIM_DO_ORIGIN_LOSE) {
		mood.lose_percent = (unsigned)step->a;
	} else {
		mood.slow_us = step->a;
	}
	sim_origin_mood(s->shop, &mood);
}

static void shop_reach(struct sim_stage *s, bool up, bool silent)
{
	sim_origin_node(s->shop)->black_hole = silent;
	sim_origin_up(s->shop, up);
	sim_net_changed(&s->net);
}

static void act(struct run *r, const struct sim_step *step)
{
	struct sim_stage *s = r->stage;

	if (r->watch)
		r->watch->on_step(r->watch->user, step);
	switch (step->what) {
	case SIM_DO_LINK:
		sim_stage_link(s, (enum sim_link)step->a);
		break;
	case SIM_DO_ORIGIN_UP:
		shop_reach(s, true, false);
		break;
	case SIM_DO_ORIGIN_DOWN:
		shop_reach(s, false, false);
		break;
	case SIM_DO_ORIGIN_SILENT:
		shop_reach(s, true, true);
		break;
	case SIM_DO_ORIGIN_ANSWER:
	case SIM_DO_ORIGIN_LOSE:
	case SIM_DO_ORIGIN_SLOW:
	case SIM_DO_ORIGIN_LARGE:
		change_mood(s, step);
		break;
	case SIM_DO_ORDER:
		send_order(r, step);
		break;
	case SIM_DO_GET:
		r->last = LAST_PAGE;
		sim_panel_get(s->panel, step->path);
		break;
	case SIM_DO_FOLLOW:
		sim_panel_follow(s->panel, true);
		break;
	case SIM_DO_CUT:
		if (step->a == 0)
			sim_device_cut(s->kiosk);
		else
			sim_device_cut_at(s->kiosk, step->a, step->b);
		break;
	case SIM_DO_DISK_FULL:
		sim_disk_capacity(s->kiosk->disk, sim_disk_used(s->kiosk->disk));
		break;
	case SIM_DO_DISK_FREE:
		sim_disk_capacity(s->kiosk->disk, UINT64_MAX);
		break;
	case SIM_DO_BOOT:
		sim_device_boot(s->kiosk);
		break;
	case SIM_DO_REBOOT_AFTER:
		s->kiosk->reboot_after_us = step->a;
		break;
	case SIM_DO_WAIT:
		sim_world_run(&s->world, s->world.now_us + step->a);
		break;
	case SIM_DO_NOTE:
		break;
	case SIM_DO_EXPECT_ANSWER:
	case SIM_DO_EXPECT_RECEIVED:
	case SIM_DO_EXPECT_DELIVERED:
	case SIM_DO_EXPECT_QUEUE_EMPTY:
	case SIM_DO_EXPECT_ORDER_KEPT:
	case SIM_DO_EXPECT_LOST:
	case SIM_DO_EXPECT_DUPLICATED:
	case SIM_DO_EXPECT_ANSWERS:
	case SIM_DO_EXPECT_CUTS:
		expect(r, step);
		break;
	}
}

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
	act(p->run, p->step);
	plan_next(p);
}

static void start_repeating(struct run *r, const struct sim_step *step)
{
	struct repeater *p = sim_alloc(sizeof(*p));
	char domain[64];

	p->run = r;
	p->step = step;
	p->left = step->times;
	snprintf(domain, sizeof(domain), "repeat/%u", step->line);
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

static bool is_drained(void *user)
{
	return sim_run_is_drained(user);
}

/* The agent may not have stored the last answer when its effect is known: the
 * page asks some times. */
bool sim_run_until_quiet(struct sim_stage *s, uint64_t limit_us, uint64_t *drain_us)
{
	struct sim_world *w = &s->world;
	uint64_t begin = w->now_us, until = begin + limit_us;
	struct tally t;
	int tries;
	bool drained;

	sim_stage_heal(s);
	drained = sim_world_run_until(w, until, is_idle, s) &&
		  sim_world_run_until(w, until, is_drained, s);
	*drain_us = w->now_us - begin;
	if (!drained)
		return false;
	for (tries = 0; tries < 10; tries++) {
		sim_world_run(w, w->now_us + ((uint64_t)1 << tries) * SIM_US_PER_S);
		ask_answers(s);
		if (!sim_world_run_until(w, w->now_us + ANSWERS_US, is_idle, s))
			return false;
		count(s, &t);
		if (t.open_answers == 0)
			break;
	}
	return true;
}

void sim_run_plan(struct sim_stage *s, const struct sim_plan *plan, struct sim_run_watch *watch,
		  struct sim_failure *failure)
{
	struct run r = { .stage = s, .plan = plan, .watch = watch, .failure = failure };
	struct hf_list *item;
	size_t i;

	memset(failure, 0, sizeof(*failure));
	hf_list_init(&r.repeaters);
	sim_device_boot(s->kiosk);
	for (i = 0; i < plan->n && !failure->what[0]; i++) {
		const struct sim_step *step = &plan->v[i];

		if (step->at_us != SIM_NEVER)
			sim_world_run(&s->world, step->at_us);
		if (step->after_us)
			sim_world_run(&s->world, s->world.now_us + step->after_us);
		if (step->every_low_us)
			start_repeating(&r, step);
		else
			act(&r, step);
	}
	if (plan->lasts_us > s->world.now_us && !failure->what[0])
		sim_world_run(&s->world, plan->lasts_us);
	while ((item = hf_list_pop(&r.repeaters))) {
		struct repeater *p = hf_container_of(item, struct repeater, item);

		sim_event_clear(&s->world, &p->due);
		free(p);
	}
}
