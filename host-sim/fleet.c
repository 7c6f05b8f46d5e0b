/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <assert.h>

#include "guest.h"
#include "sim/mem.h"

#define SWITCHED_ON_US (60 * SIM_US_PER_S)  /* all of them by then */
#define FIRST_ORDER_US (75 * SIM_US_PER_S)  /* the first of each between this */
#define AWAY_US	       (120 * SIM_US_PER_S) /* and this */
#define PATIENCE_US    (24 * SIM_US_PER_H)
#define SETTLED_US     (60 * SIM_US_PER_S) /* the last answers are stored by then */

/* Something that one device does once. */
struct errand {
	struct sim_event due;
	struct show *show;
	unsigned device;
};

/* A run that goes on. */
struct show {
	struct sim_fleet *fleet;
	struct sim_stage stage;
	struct sim_ledger_watch watch;
	struct errand *boots, *orders;
	uint64_t answered; /* orders, in some way */
	uint64_t open;	   /* promised and not done */
	uint64_t done;
};

/* ---- what the ledger says ---- */

static struct sim_fleet_tick *tick_now(struct show *w)
{
	struct sim_fleet *f = w->fleet;
	size_t at = (w->stage.world.now_us - f->back_us) / SIM_FLEET_TICK_US;

	while (f->ticks_n <= at) {
		f->ticks = sim_grow(f->ticks, f->ticks_n, &f->ticks_cap, sizeof(*f->ticks));
		f->ticks[f->ticks_n++] = (struct sim_fleet_tick){ 0 };
	}
	return &f->ticks[at];
}

static struct sim_fleet_device *device_of(struct show *w, const struct sim_order *o)
{
	return &w->fleet->devices[strtoul(o->device, NULL, 10) - 1];
}

static bool is_back(const struct show *w)
{
	return w->stage.world.now_us >= w->fleet->back_us;
}

static void on_answer(void *user, const struct sim_order *o)
{
	struct show *w = user;

	w->answered++;
	w->open += sim_order_promised(o) && o->effects == 0;
}

static void on_attempt(void *user, const struct sim_order *o, int status)
{
	struct show *w = user;
	struct sim_fleet *f = w->fleet;
	struct sim_fleet_tick *t;

	if (o->attempts > f->attempts_max)
		f->attempts_max = o->attempts;
	if (!is_back(w))
		return;
	t = tick_now(w);
	f->requests++;
	f->refused += status >= 400;
	t->refused += status >= 400;
	t->taken += status < 400;
	if (device_of(w, o)->first_us == SIM_NEVER)
		device_of(w, o)->first_us = w->stage.world.now_us - f->back_us;
}

static void on_effect(void *user, const struct sim_order *o)
{
	struct show *w = user;

	if (o->effects > 1)
		return;
	w->done++;
	w->open -= sim_order_promised(o);
	if (is_back(w))
		device_of(w, o)->last_us = w->stage.world.now_us - w->fleet->back_us;
}

/* ---- what happens ---- */

static void tell_progress(const struct show *w)
{
	const struct sim_fleet_options *o = &w->fleet->opt;
	uint64_t orders = (uint64_t)o->devices * (o->queued + 1);

	if (o->progress)
		o->progress(o->user, w->answered + w->done, 2 * orders);
}

static void boot_due(void *user)
{
	struct errand *e = user;

	sim_device_boot(e->show->stage.devices[e->device]);
}

static void order_due(void *user)
{
	struct errand *e = user;
	struct sim_stage *s = &e->show->stage;

	sim_panel_order(s->panels[e->device], sim_origin_name(s->shop), "POST", "/api/orders",
			"an order");
	tell_progress(e->show);
}

static void plan_errand(struct show *w, struct errand *e, unsigned device, void (*fire)(void *user),
			uint64_t at_us)
{
	e->show = w;
	e->device = device;
	sim_event_init(&e->due, fire, e);
	sim_event_at(&w->stage.world, &e->due, at_us);
}

/* Each device has draws of its own: with more of them the others do the same. */
static void plan_device(struct show *w, unsigned device)
{
	const struct sim_fleet_options *o = &w->fleet->opt;
	struct errand *orders = &w->orders[(size_t)device * (o->queued + 1)];
	struct sim_rng rng;
	char domain[32];
	unsigned i;

	snprintf(domain, sizeof(domain), "fleet/%u", device + 1);
	sim_rng_init(&rng, o->seed, domain);
	plan_errand(w, &w->boots[device], device, boot_due, sim_rng_below(&rng, SWITCHED_ON_US));
	plan_errand(w, &orders[0], device, order_due,
		    sim_rng_range(&rng, FIRST_ORDER_US, AWAY_US - 5 * SIM_US_PER_S));
	for (i = 1; i <= o->queued; i++)
		plan_errand(w, &orders[i], device, order_due,
			    AWAY_US + sim_rng_below(&rng, o->outage_us));
}

static void set_away(struct show *w, bool away)
{
	struct sim_stage *s = &w->stage;
	size_t i;

	if (!w->fleet->opt.cables) {
		sim_origin_up(s->shop, !away);
		sim_net_changed(&s->net);
		return;
	}
	for (i = 0; i < s->devices_n; i++)
		sim_link_set(s->devices[i], away ? SIM_LINK_DOWN : SIM_LINK_UP);
}

static bool nothing_waits(void *user)
{
	const struct show *w = user;

	return w->answered == w->stage.ledger.n && w->open == 0;
}

static void come_back(struct show *w)
{
	struct sim_world *world = &w->stage.world;
	struct sim_fleet *f = w->fleet;
	uint64_t look = world->now_us, until = f->back_us + PATIENCE_US;

	set_away(w, false);
	while (!f->drained && world->now_us < until && !world->stalled) {
		look += SIM_US_PER_S / 4;
		f->drained = sim_world_run_until(world, look, nothing_waits, w);
		tell_progress(w);
	}
	f->end_us = world->now_us;
	sim_world_run(world, world->now_us + SETTLED_US);
}

static void play(struct show *w)
{
	struct sim_world *world = &w->stage.world;
	struct sim_fleet *f = w->fleet;
	unsigned i;

	for (i = 0; i < f->opt.devices; i++)
		plan_device(w, i);
	f->away_us = AWAY_US;
	f->back_us = AWAY_US + f->opt.outage_us;
	sim_world_run(world, f->away_us);
	set_away(w, true);
	sim_world_run(world, f->back_us - 1);
	f->kept = w->open;
	f->knocks = sim_origin_node(w->stage.shop)->refused;
	sim_world_run(world, f->back_us);
	come_back(w);
}

static void measure(struct show *w)
{
	struct sim_fleet *f = w->fleet;
	size_t i;

	sim_totals(&w->stage, &f->totals);
	f->trace_hash = w->stage.world.trace.hash;
	f->events = w->stage.world.fired;
	for (i = 0; i < w->stage.devices_n; i++)
		if (w->stage.devices[i]->heap.peak > f->device_bytes)
			f->device_bytes = w->stage.devices[i]->heap.peak;
}

/* ---- life ---- */

void sim_fleet_run(struct sim_fleet *f, const struct sim_fleet_options *opt)
{
	struct sim_stage_options stage = { .seed = opt->seed,
					   .fleet = opt->devices,
					   .guest = &sim_guest_holdfast };
	struct sim_origin_mood mood = { .capacity = opt->capacity,
					.retry_after_s = opt->retry_after_s };
	struct show *w = sim_alloc(sizeof(*w));
	size_t i;

	assert(opt->devices > 0 && opt->outage_us > 0);
	memset(f, 0, sizeof(*f));
	f->opt = *opt;
	f->devices = sim_alloc(opt->devices * sizeof(*f->devices));
	for (i = 0; i < opt->devices; i++)
		f->devices[i] = (struct sim_fleet_device){ SIM_NEVER, SIM_NEVER };
	w->fleet = f;
	w->boots = sim_alloc(opt->devices * sizeof(*w->boots));
	w->orders = sim_alloc((size_t)opt->devices * (opt->queued + 1) * sizeof(*w->orders));
	sim_stage_init(&w->stage, &stage);
	sim_origin_mood(w->stage.shop, &mood);
	w->watch.on_answer = on_answer;
	w->watch.on_attempt = on_attempt;
	w->watch.on_effect = on_effect;
	w->watch.user = w;
	sim_ledger_watch(&w->stage.ledger, &w->watch);
	play(w);
	measure(w);
	hf_list_remove(&w->watch.item);
	sim_stage_shut_down(&w->stage);
	sim_stage_finish(&w->stage);
	sim_free(w->boots);
	sim_free(w->orders);
	sim_free(w);
}

void sim_fleet_finish(struct sim_fleet *f)
{
	sim_free(f->ticks);
	sim_free(f->devices);
}

/* ---- figures ---- */

struct sim_fleet_tick sim_fleet_sum(const struct sim_fleet *f, size_t from, size_t n)
{
	struct sim_fleet_tick sum = { 0 };
	size_t i;

	for (i = from; i < from + n && i < f->ticks_n; i++) {
		sum.taken += f->ticks[i].taken;
		sum.refused += f->ticks[i].refused;
	}
	return sum;
}

unsigned sim_fleet_peak(const struct sim_fleet *f)
{
	unsigned most = 0;
	size_t at;

	for (at = 0; at < f->ticks_n; at += SIM_FLEET_TICKS) {
		struct sim_fleet_tick sum = sim_fleet_sum(f, at, SIM_FLEET_TICKS);

		if (sum.taken + sum.refused > most)
			most = sum.taken + sum.refused;
	}
	return most;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

uint64_t sim_fleet_returned(const struct sim_fleet *f, double share)
{
	uint64_t *first = sim_alloc(f->opt.devices * sizeof(*first)), found;
	size_t i, n = (size_t)(share * (double)f->opt.devices + 0.999);

	for (i = 0; i < f->opt.devices; i++)
		first[i] = f->devices[i].first_us;
	qsort(first, f->opt.devices, sizeof(*first), by_time);
	found = first[n ? n - 1 : 0];
	sim_free(first);
	return found;
}

bool sim_fleet_holds(const struct sim_fleet *f)
{
	return f->drained && f->totals.waiting_or_lost == 0 && f->totals.duplicated == 0 &&
	       f->totals.order_kept;
}
