/* SPDX-License-Identifier: Apache-2.0 */
/* Looking: what has become of the orders, and waiting for what must be. */
#include "run_private.h"

#include <inttypes.h>

#include "checks/checks.h"

/* What an idle agent may do in an hour: it looks for old answers to remove, saves
 * its time, and a panel that follows events is spoken to now and then. */
#define IDLE_WAKES_PER_HOUR 160
#define IDLE_BYTES_PER_HOUR 20000

static bool of(const struct sim_order *o, const char *device, const char *origin)
{
	return (!device || strcmp(o->device, device) == 0) &&
	       (!origin || strcmp(o->origin, origin) == 0);
}

void sim_tally(const struct sim_stage *s, const char *device, const char *origin,
	       struct sim_tally *t)
{
	size_t i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (!of(o, device, origin))
			continue;
		t->received += o->attempts > 0;
		t->delivered += o->effects > 0;
		t->open += sim_order_open(o);
		t->lost += sim_order_open(o) && !sim_order_accounted(o);
		t->duplicated += o->effects > 1 ? o->effects - 1 : 0;
		t->open_answers += o->status == 202 && !o->answer_right;
		if (o->attempts > t->attempts_max)
			t->attempts_max = o->attempts;
	}
}

/* ---- asking ---- */

static struct sim_panel *panel_of(struct sim_stage *s, const struct sim_order *o)
{
	return sim_stage_panel(s, NULL, o->device);
}

void sim_run_ask_answers(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		struct sim_order *o = s->ledger.v[i];

		if (o->status == 202 && o->id[0] && !o->answer_right)
			sim_panel_ask_answer(panel_of(s, o), o);
	}
}

void sim_run_ask_states(struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		struct sim_order *o = s->ledger.v[i];

		/* An effect whose answer got lost may be followed by a refusal. */
		if (o->status == 202 && o->id[0] && (o->effects == 0 || o->attempts > o->effects))
			sim_panel_ask_state(panel_of(s, o), o);
	}
}

void sim_run_ask_pages(struct sim_stage *s)
{
	size_t n = s->ledger.pages.n;

	for (size_t i = 0; i < n; i++) {
		const struct sim_page_seen seen = s->ledger.pages.v[i];
		struct sim_panel *p = sim_stage_panel(s, NULL, seen.dev->name);

		if (strcmp(seen.path, SIM_APP) != 0)
			sim_panel_get(p, seen.origin, seen.path, seen.lang[0] ? seen.lang : NULL);
	}
}

bool sim_run_is_idle(const struct sim_stage *s)
{
	size_t i;

	for (i = 0; i < s->panels_n; i++)
		if (!sim_panel_idle(s->panels[i]))
			return false;
	for (i = 0; i < s->devices_n; i++)
		if (!sim_panel_idle(s->operators[i]))
			return false;
	for (i = 0; i < s->sensors_n && IS_ENABLED(CONFIG_HF_SENSOR); i++)
		if (!sim_sensor_idle(s->sensors[i]))
			return false;
	return true;
}

static bool is_idle(void *user)
{
	return sim_run_is_idle(user);
}

bool sim_run_wait_idle(struct sim_stage *s, uint64_t until_us)
{
	return sim_world_run_until(&s->world, until_us, is_idle, s);
}

/* ---- what holds ---- */

static bool status_fits(const struct sim_step *step, int status)
{
	size_t i;

	for (i = 0; i < SIM_STATUSES && step->status[i]; i++)
		if (step->status[i] == status)
			return true;
	return false;
}

/* The last request has ended; its status, 0 for none. */
static bool last_answer(const struct sim_run *r, int *status)
{
	const struct sim_panel_stats *stats;

	*status = 0;
	switch (r->last) {
	case SIM_LAST_NONE:
		return true;
	case SIM_LAST_ORDER:
		*status = r->last_order->status;
		return r->last_order->answered_us != SIM_NEVER;
	case SIM_LAST_PAGE:
		stats = sim_panel_stats(r->last_panel);
		*status = stats->page_status;
		return stats->page_done;
	}
	return true;
}

static bool answer_holds(struct sim_run *r, const struct sim_step *step, char *why, size_t size)
{
	int status;

	if (!last_answer(r, &status)) {
		snprintf(why, size, "the panel has no answer yet");
		return false;
	}
	if (status)
		snprintf(why, size, "the panel got %d", status);
	else
		snprintf(why, size, "the panel got no answer");
	return status_fits(step, status);
}

static bool state_holds(const struct sim_stage *s, const struct sim_step *step, char *why,
			size_t size)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		n += of(o, step->device, step->origin) && strcmp(o->state, step->body) == 0 &&
		     (!step->path || strcmp(o->reason, step->path) == 0);
	}
	snprintf(why, size, "%u are %s%s%s", n, step->body, step->path ? " for " : "",
		 step->path ? step->path : "");
	return n == step->a;
}

static bool tally_holds(const struct sim_tally *t, const struct sim_step *step, char *why,
			size_t size)
{
	switch (step->what) {
	case SIM_DO_EXPECT_RECEIVED:
		snprintf(why, size, "the origin received %u", t->received);
		return t->received == step->a;
	case SIM_DO_EXPECT_DELIVERED:
		snprintf(why, size, "%u are delivered", t->delivered);
		return t->delivered == step->a;
	case SIM_DO_EXPECT_QUEUE_EMPTY:
		snprintf(why, size, "%u accepted orders have not been delivered", t->open);
		return t->open == 0;
	case SIM_DO_EXPECT_LOST:
		snprintf(why, size, "%u are lost", t->lost);
		return t->lost == step->a;
	case SIM_DO_EXPECT_DUPLICATED:
		snprintf(why, size, "%u effects are duplicated", t->duplicated);
		return t->duplicated == step->a;
	case SIM_DO_EXPECT_ATTEMPTS:
		snprintf(why, size, "one has had %u attempts", t->attempts_max);
		return t->attempts_max <= step->a;
	case SIM_DO_EXPECT_ANSWERS:
		snprintf(why, size, "%u answers are missing", t->open_answers);
		return t->open_answers == 0;
	default:
		return true;
	}
}

static bool page_holds(const struct sim_panel *panel, const struct sim_step *step, char *why,
		       size_t size)
{
	const struct sim_panel_stats *p = sim_panel_stats(panel);

	if (!p->page_done) {
		snprintf(why, size, "the page has not come yet");
		return false;
	}
	snprintf(why, size, "it is version %u from the %s, status %d", p->page_version,
		 p->page_hit ? "cache" : "origin", p->page_status);
	return p->page_version == step->a && (!step->b || (step->b == 1) == p->page_hit);
}

static bool observation_holds(const struct sim_panel_stats *p, const struct sim_step *step,
			      char *why, size_t size)
{
	snprintf(why, size, "the panel has heard \"%s\"%s", p->heard,
		 p->stale ? ", and that it may be old" : "");
	if (step->what == SIM_DO_EXPECT_STALE)
		return p->stale;
	return !p->stale && strcmp(p->heard, step->body) == 0;
}

static bool device_holds(const struct sim_stage *s, const struct sim_step *step, char *why,
			 size_t size)
{
	const struct sim_device *dev = sim_stage_device(s, step->device);
	uint64_t n;

	switch (step->what) {
	case SIM_DO_EXPECT_CUTS:
		n = sim_disk_stats(dev->disk)->cuts;
		snprintf(why, size, "there were %" PRIu64, n);
		return n == step->a;
	case SIM_DO_EXPECT_RESTARTS:
		n = dev->process.restarts;
		snprintf(why, size, "there were %" PRIu64, n);
		return n == step->a;
	case SIM_DO_EXPECT_METERED:
		n = dev->node->metered_bytes;
		snprintf(why, size, "%" PRIu64 " bytes have crossed the link", n);
		return n <= step->a;
	case SIM_DO_EXPECT_PAGE:
		return page_holds(sim_stage_panel(s, step->panel, step->device), step, why, size);
	case SIM_DO_EXPECT_LOG:
		snprintf(why, size, "no line of the log has \"%s\" in it", step->body);
		return sim_witness_saw(&s->witnesses[sim_stage_device_index(s, step->device)],
				       step->body);
	case SIM_DO_EXPECT_FETCHED:
		n = sim_ledger_fetched(&s->ledger, step->path);
		snprintf(why, size, "it was fetched %" PRIu64 " times", n);
		return n == step->a;
	case SIM_DO_EXPECT_EVENTS:
		n = sim_panel_stats(sim_stage_panel(s, NULL, step->device))->events;
		snprintf(why, size, "%" PRIu64 " events have come", n);
		return n >= step->a;
	case SIM_DO_EXPECT_HEARD:
	case SIM_DO_EXPECT_STALE:
		return observation_holds(sim_panel_stats(sim_stage_panel(s, NULL, step->device)),
					 step, why, size);
	default:
		return true;
	}
}

/* @why says what is there instead. */
static bool holds(struct sim_run *r, const struct sim_step *step, char *why, size_t size)
{
	const struct sim_stage *s = r->stage;
	struct sim_tally t;

	switch (step->what) {
	case SIM_DO_EXPECT_ANSWER:
		return answer_holds(r, step, why, size);
	case SIM_DO_EXPECT_STATE:
		return state_holds(s, step, why, size);
	case SIM_DO_EXPECT_ORDER_KEPT:
		return sim_check_order.holds(s, why, size);
	case SIM_DO_EXPECT_CUTS:
	case SIM_DO_EXPECT_RESTARTS:
	case SIM_DO_EXPECT_METERED:
	case SIM_DO_EXPECT_FETCHED:
	case SIM_DO_EXPECT_LOG:
	case SIM_DO_EXPECT_PAGE:
	case SIM_DO_EXPECT_EVENTS:
	case SIM_DO_EXPECT_HEARD:
	case SIM_DO_EXPECT_STALE:
		return device_holds(s, step, why, size);
	default:
		sim_tally(s, step->device, step->origin, &t);
		return tally_holds(&t, step, why, size);
	}
}

/* ---- waiting ---- */

struct waiting {
	struct sim_run *run;
	const struct sim_step *step;
	char why[256];
};

static bool holds_now(void *user)
{
	struct waiting *w = user;

	return holds(w->run, w->step, w->why, sizeof(w->why));
}

/* The page asks every second for what it does not have yet. */
static bool wait_asking(struct sim_stage *s, uint64_t until_us, struct waiting *wait,
			void (*ask)(struct sim_stage *s))
{
	for (;;) {
		uint64_t again = s->world.now_us + SIM_US_PER_S;

		ask(s);
		(void)sim_run_wait_idle(s, until_us);
		if (holds_now(wait))
			return true;
		if (again > until_us)
			return false;
		sim_world_run(&s->world, again);
	}
}

static bool rests(struct sim_run *r, const struct sim_step *step, char *why, size_t size)
{
	struct sim_world *w = &r->stage->world;
	struct sim_device *dev = sim_stage_device(r->stage, step->device);
	uint64_t wakes = dev->port.wakes, bytes = sim_disk_stats(dev->disk)->bytes;
	uint64_t hours = (step->a + SIM_US_PER_H - 1) / SIM_US_PER_H;

	sim_world_run(w, w->now_us + step->a);
	wakes = dev->port.wakes - wakes;
	bytes = sim_disk_stats(dev->disk)->bytes - bytes;
	snprintf(why, size, "%" PRIu64 " wake-ups and %" PRIu64 " bytes written meanwhile", wakes,
		 bytes);
	return wakes <= hours * IDLE_WAKES_PER_HOUR && bytes <= hours * IDLE_BYTES_PER_HOUR;
}

/* Without the agent nothing else is worth telling. */
static bool has_not_started(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++) {
		if (s->devices[i]->boot_err != HF_ECONFIG)
			continue;
		snprintf(why, size,
			 "Holdfast does not start on %s: see what it said of its configuration",
			 s->devices[i]->name);
		return true;
	}
	return false;
}

/* What is counted (lost, duplicated, order) cannot become better by waiting,
 * except for what is still on its way. */
void sim_run_expect(struct sim_run *r, const struct sim_step *step)
{
	struct sim_world *w = &r->stage->world;
	struct waiting wait = { .run = r, .step = step };
	uint64_t until = step->by_us != SIM_NEVER ? step->by_us : w->now_us + step->within_us;
	bool ok;

	if (step->what == SIM_DO_EXPECT_IDLE)
		ok = rests(r, step, wait.why, sizeof(wait.why));
	else if (step->what == SIM_DO_EXPECT_ANSWERS)
		ok = wait_asking(r->stage, until, &wait, sim_run_ask_answers);
	else if (step->what == SIM_DO_EXPECT_STATE || step->what == SIM_DO_EXPECT_LOST)
		ok = wait_asking(r->stage, until, &wait, sim_run_ask_states);
	else
		ok = sim_world_run_until(w, until, holds_now, &wait);
	if (ok || r->failure->what[0])
		return;
	r->failure->step = step;
	if (!has_not_started(r->stage, r->failure->what, sizeof(r->failure->what)))
		snprintf(r->failure->what, sizeof(r->failure->what), "%s", wait.why);
}
