/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep: a scenario again and again, each time with one fault more, at every
 * point there is. Its expectations are about the run without the fault and are
 * left out; in the end everything works again, and all checks hold.
 */
#include <inttypes.h>

#include "crew.h"
#include "modes.h"
#include "points.h"
#include "script.h"
#include "sim/mem.h"

struct sweep {
	const struct sim_options *o;
	const char *file;
	struct sim_plan plan;
	uint64_t seed;
	struct sim_points points; /* of the kind that is swept */
	uint64_t *recovery;	  /* of each cut: disk operations of the start after it */
	struct sim_crew crew;
	uint64_t struck, failed;
};

/* Expectations about single answers do not hold when something else goes wrong
 * too. */
static void prepare(struct sim_plan *plan)
{
	size_t i, n = 0;

	for (i = 0; i < plan->n; i++)
		if (!sim_step_expects(&plan->v[i]))
			plan->v[n++] = plan->v[i];
	plan->n = n;
	if (n == 0 || plan->v[n - 1].what != SIM_DO_ALL_WELL)
		sim_plan_add(plan, SIM_DO_ALL_WELL)->a = SIM_ALL_WELL_US;
}

static void run_point(const struct sweep *s, const struct sim_strike *strike, FILE *trace,
		      struct sim_trial_result *r)
{
	struct sim_trial t = {
		.plan = &s->plan, .seed = s->seed, .mutant = s->o->mutant, .trace = trace
	};

	if (strike)
		t.strike = *strike;
	sim_trial_run(&t, r);
}

static void print_point_failure(const struct sweep *s, const struct sim_strike *strike,
				const struct sim_failure *f, int sig)
{
	char point[96], mutant[48], seed[32] = "";

	sim_point_text(strike, &s->plan.cast, point);
	if (s->o->has_seed)
		snprintf(seed, sizeof(seed), " --seed %" PRIu64, s->seed);
	if (f)
		fprintf(stderr, "%s: %s: %s\n", point, f->check ? f->check : "failed", f->what);
	else
		fprintf(stderr, "%s: signal %d ended the process\n", point, sig);
	fprintf(stderr, "  again: holdfast-sim sweep %s --at %s%s%s --trace\n", s->file, point,
		seed, sim_mutant_option(s->o->mutant, mutant));
}

/* ---- all points of a kind ---- */

static void work(void *user, uint64_t i, void *result)
{
	const struct sweep *s = user;

	run_point(s, &s->points.v[i], NULL, result);
}

static bool take(void *user, uint64_t i, const void *result, int sig)
{
	const struct sim_trial_result *r = result;
	struct sweep *s = user;

	if (r) {
		s->struck += r->struck;
		if (s->recovery)
			s->recovery[i] = r->recovery_ops;
		if (!r->failure.what[0])
			return true;
	}
	sim_progress_clear(&s->crew.progress);
	print_point_failure(s, &s->points.v[i], r ? &r->failure : NULL, sig);
	return ++s->failed < SIM_FAILURES_MAX;
}

/* True: all of them hold. */
static bool sweep_points(struct sweep *s, const char *what)
{
	struct sim_crew_end end;

	s->struck = s->failed = 0;
	s->crew = (struct sim_crew){ .what = what,
				     .jobs = (unsigned)s->o->jobs,
				     .n = s->points.n,
				     .result_size = sizeof(struct sim_trial_result),
				     .work = work,
				     .take = take,
				     .user = s };
	sim_crew_run(&s->crew, &end);
	printf("  %-12s %8" PRIu64 " of %" PRIu64 " points, %" PRIu64 " struck, %" PRIu64
	       " failed, %.1f s%s\n",
	       what, end.done, s->points.of, s->struck, s->failed, end.took_s,
	       end.interrupted ? " (interrupted)" : "");
	fflush(stdout);
	return s->failed == 0 && !end.interrupted;
}

static bool sweep_kind(struct sweep *s, const struct sim_trial_result *plain,
		       enum sim_strike_kind kind, const char *what)
{
	bool ok;

	sim_points_of(&s->points, kind, plain, s->o->sample);
	ok = sweep_points(s, what);
	sim_points_finish(&s->points);
	return ok;
}

/* The cuts first: they tell how long each recovery is. */
static bool sweep_pairs(struct sweep *s, const struct sim_trial_result *plain)
{
	struct sim_points cuts;
	bool ok;

	sim_points_of(&s->points, SIM_STRIKE_CUT, plain, 0);
	s->recovery = sim_alloc(s->points.n * sizeof(uint64_t));
	ok = sweep_points(s, "cuts");
	cuts = s->points;
	if (ok) {
		sim_points_pairs(&s->points, &cuts, s->recovery, s->o->sample);
		sim_free(s->recovery);
		s->recovery = NULL;
		ok = sweep_points(s, "pairs");
		sim_points_finish(&s->points);
	}
	sim_free(s->recovery);
	s->recovery = NULL;
	sim_points_finish(&cuts);
	return ok;
}

/* ---- a scenario ---- */

static bool sweep_all_kinds(struct sweep *s)
{
	const struct sim_options *o = s->o;
	bool all = !o->cuts && !o->allocs && !o->io && !o->pairs && !o->caches, ok = true;
	struct sim_trial_result plain;

	run_point(s, NULL, NULL, &plain);
	if (plain.failure.what[0]) {
		fprintf(stderr, "%s: fails without any fault more: %s\n", s->file,
			plain.failure.what);
		return false;
	}
	if (o->pairs)
		ok = sweep_pairs(s, &plain);
	else if (all || o->cuts)
		ok = sweep_kind(s, &plain, SIM_STRIKE_CUT, "cuts");
	if (o->caches)
		ok &= sweep_kind(s, &plain, SIM_STRIKE_CACHE, "cache cuts");
	if (all || o->io)
		ok &= sweep_kind(s, &plain, SIM_STRIKE_IO, "disk errors");
	if (all || o->allocs)
		ok &= sweep_kind(s, &plain, SIM_STRIKE_ALLOC, "allocations");
	return ok;
}

static bool show_point(const struct sweep *s)
{
	struct sim_trial_result r;
	struct sim_strike strike;

	if (!sim_point_read(s->o->at, &s->plan.cast, &strike)) {
		fprintf(stderr,
			"%s is no point: one is like cut:17, cut:17:3, io:7, alloc:90 or "
			"kitchen/cut:17\n",
			s->o->at);
		return false;
	}
	run_point(s, &strike, s->o->trace ? stdout : NULL, &r);
	printf("trace %016" PRIx64 " disk %016" PRIx64 ", %s\n", r.trace_hash, r.disk_hash,
	       r.struck ? "struck" : "never came to that point");
	fflush(stdout);
	if (r.failure.what[0])
		print_point_failure(s, &strike, &r.failure, 0);
	return !r.failure.what[0];
}

static bool sweep_file(const struct sim_options *o, const char *file)
{
	struct sweep s = { .o = o, .file = file };
	bool ok = false;

	sim_plan_init(&s.plan);
	if (sim_script_load(file, &s.plan, stderr) == 0) {
		prepare(&s.plan);
		s.seed = s.plan.seed && !o->has_seed ? s.plan.seed : o->seed;
		if (!o->at)
			printf("%s\n", file);
		ok = o->at ? show_point(&s) : sweep_all_kinds(&s);
	}
	sim_plan_finish(&s.plan);
	return ok;
}

int sim_mode_sweep(const struct sim_options *o)
{
	bool ok = true;
	glob_t found;
	size_t i;

	if (!o->all) {
		if (o->file)
			return !sweep_file(o, o->file);
		fputs("sweep needs a scenario, or --all\n", stderr);
		return 64;
	}
	if (!sim_scenarios_find(NULL, &found))
		return 1;
	for (i = 0; i < found.gl_pathc; i++)
		ok &= sweep_file(o, found.gl_pathv[i]);
	globfree(&found);
	return !ok;
}
