/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <string.h>

#include "guest.h"
#include "report/page.h"
#include "story.h"

#define WRITTEN_BACK_BYTES 65536 /* far more than making the database takes */

/* ---- one fault more ---- */

struct striker {
	const struct sim_strike *strike;
	struct sim_device *dev;
	struct sim_device_watch watch;
	uint64_t ops, cache_ops;
	bool struck;
	uint64_t struck_us;
	bool recovers;		  /* the first start after the strike */
	uint64_t begun, recovery; /* disk operations when it began, and of it */
};

static bool is_of_caches(const char *path)
{
	return path && strstr(path, "/cache-");
}

static void see_op(void *user, const char *op, const char *path, uint64_t at, size_t len)
{
	struct striker *k = user;

	if (k->dev->world->trace.out)
		sim_device_see_disk(k->dev, op, path, at, len);
	k->ops++;
	k->cache_ops += is_of_caches(path);
	if (k->struck ||
	    (k->strike->kind == SIM_STRIKE_CACHE ? k->cache_ops : k->ops) != k->strike->at)
		return;
	k->struck = true;
	k->struck_us = k->dev->world->now_us;
	if (k->strike->kind != SIM_STRIKE_IO)
		sim_device_cut_at(k->dev, 1, k->strike->again);
	else
		sim_disk_fail_at(k->dev->disk, 1);
}

static void end_recovery(struct striker *k)
{
	k->recovers = false;
	k->recovery = k->ops - k->begun;
}

static void on_power(void *user, bool up)
{
	struct striker *k = user;

	if (up && k->struck && k->recovery == 0 && !k->recovers) {
		k->recovers = true;
		k->begun = k->ops;
	} else if (!up && k->recovers) {
		end_recovery(k);
	}
}

static void on_ready(void *user)
{
	struct striker *k = user;

	if (k->recovers)
		end_recovery(k);
}

/* What a sweep wants to know of the run without a fault. */
struct cache_count {
	struct sim_device *dev;
	uint64_t n;
};

static void count_op(void *user, const char *op, const char *path, uint64_t at, size_t len)
{
	struct cache_count *c = user;

	if (c->dev->world->trace.out)
		sim_device_see_disk(c->dev, op, path, at, len);
	c->n += is_of_caches(path);
}

static void count_cache_ops(struct cache_count *counts, struct sim_stage *s)
{
	for (size_t i = 0; i < s->devices_n && i < SIM_DEVICES_MAX; i++) {
		counts[i].dev = s->devices[i];
		sim_disk_on_op(s->devices[i]->disk, count_op, &counts[i]);
	}
}

static void set_strike(struct striker *k, struct sim_stage *s, const struct sim_strike *strike,
		       struct cache_count *counts)
{
	memset(k, 0, sizeof(*k));
	k->strike = strike;
	if (strike->kind == SIM_STRIKE_NONE) {
		count_cache_ops(counts, s);
		return;
	}
	if (strike->device >= s->devices_n)
		return;
	k->dev = s->devices[strike->device];
	if (strike->kind == SIM_STRIKE_ALLOC) {
		k->dev->heap.fail_in = strike->at;
		return;
	}
	sim_disk_on_op(k->dev->disk, see_op, k);
	k->watch.on_power = on_power;
	k->watch.on_ready = on_ready;
	k->watch.user = k;
	sim_device_watch(k->dev, &k->watch);
}

/* What strikes when all should be well disturbs the rest that is looked at then. */
static void end_strike(struct striker *k, struct sim_stage *s, struct sim_trial_result *out)
{
	if (!k->dev)
		return;
	out->recovery_ops = k->recovery;
	if (k->strike->kind == SIM_STRIKE_ALLOC) {
		out->struck = k->dev->heap.failed > 0;
		return;
	}
	out->struck = k->struck;
	if (k->struck && s->well_us && k->struck_us >= s->well_us)
		s->rest.looked = false;
	sim_disk_on_op(k->dev->disk, NULL, NULL);
	sim_device_unwatch(&k->watch);
}

/* ---- a run ---- */

static unsigned count_lost(const struct sim_stage *s)
{
	unsigned lost = 0;
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];
		const struct sim_device *dev = sim_stage_device(s, o->device);

		lost += sim_order_open(o) && !sim_order_accounted(o) &&
			sim_disk_faults(dev->disk)->rotten == 0;
	}
	return lost;
}

static void measure(const struct sim_stage *s, struct sim_trial_result *out)
{
	struct sim_disk_stats disk;
	size_t i;

	sim_totals(s, &out->totals);
	out->lost = count_lost(s);
	sim_stage_disk_stats(s, &disk);
	out->written_back = disk.by_role[SIM_DISK_MAIN] > WRITTEN_BACK_BYTES;
	out->virtual_us = s->world.now_us;
	out->device_us = s->world.now_us * s->devices_n;
	out->drain_us = s->drain_us;
	out->events = s->world.fired;
	out->trace_hash = s->world.trace.hash;
	out->devices = s->devices_n;
	for (i = 0; i < s->devices_n; i++) {
		out->ops[i] = sim_disk_stats(s->devices[i]->disk)->ops;
		out->allocations[i] = s->devices[i]->heap.allocations;
		out->disk_hash ^= sim_disk_hash(s->devices[i]->disk) + i;
	}
}

static bool write_report(const struct sim_trial *t, const struct sim_record *record,
			 const struct sim_trial_result *r)
{
	struct sim_about about = { .command = t->command,
				   .file = t->file,
				   .trace_hash = r->trace_hash,
				   .plan = t->plan,
				   .failure = &r->failure,
				   .totals = &r->totals };

	return sim_page_write(t->report, record, &about);
}

void sim_trial_run(const struct sim_trial *t, struct sim_trial_result *out)
{
	struct sim_stage_options opt = { .seed = t->seed,
					 .trace = t->trace,
					 .cast = &t->plan->cast,
					 .config = t->plan->config,
					 .manifest = t->plan->manifest,
					 .guest = &sim_guest_holdfast };
	struct sim_record *record = NULL;
	struct sim_story *story = NULL;
	struct sim_stage stage;
	struct striker striker;
	struct cache_count counts[SIM_DEVICES_MAX] = { 0 };

	memset(out, 0, sizeof(*out));
	sim_stage_init(&stage, &opt);
	sim_mutant_apply(&stage, t->mutant);
	set_strike(&striker, &stage, &t->strike, counts);
	if (t->report)
		record = sim_record_create(&stage);
	if (t->story)
		story = sim_story_create(&stage, t->plan, t->story, t->colour);
	sim_run_plan(&stage, t->plan, story ? sim_story_watch(story) : NULL, &out->failure);
	sim_record_over(record);
	sim_run_look(&stage);
	end_strike(&striker, &stage, out);
	sim_record_stop(record);
	sim_story_destroy(story);
	measure(&stage, out);
	for (size_t i = 0; i < SIM_DEVICES_MAX; i++) {
		out->cache_ops[i] = counts[i].n;
		if (counts[i].dev)
			sim_disk_on_op(counts[i].dev->disk, NULL, NULL);
	}
	sim_stage_shut_down(&stage); /* for what the guests leave open */
	if (!out->failure.what[0])
		sim_run_checks(&stage, &out->failure);
	out->unwritten = record && !write_report(t, record, out);
	sim_record_destroy(record);
	sim_stage_finish(&stage);
}
