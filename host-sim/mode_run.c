/* SPDX-License-Identifier: Apache-2.0 */
/* day, run, scenarios: a plan that is written down, told. */
#include <inttypes.h>
#include <unistd.h>

#include "modes.h"
#include "progress.h"
#include "script.h"
#include "sim/mem.h"

void sim_print_report(const struct sim_options *o, bool unwritten)
{
	if (o->report && !unwritten)
		printf("\n  The run as a page: %s\n", o->report);
}

const char *sim_mutant_option(enum sim_mutant m, char out[48])
{
	out[0] = '\0';
	if (m != SIM_MUTANT_NONE)
		snprintf(out, 48, " --mutant %s", sim_mutant_name(m));
	return out;
}

static void print_failure(const char *file, const struct sim_failure *f)
{
	if (f->step && f->step->line)
		fprintf(stderr, "%s:%u:%u: not so: %s\n", file, f->step->line, f->step->column,
			f->what);
	else
		fprintf(stderr, "%s: %s: %s\n", file, f->check ? f->check : "failed", f->what);
}

/* The one that was asked for, else the plan's own. */
static uint64_t seed_of(const struct sim_options *o, const struct sim_plan *plan)
{
	return plan->seed && !o->has_seed ? plan->seed : o->seed;
}

static void print_end(const struct sim_trial *t, const struct sim_trial_result *r, double took_s)
{
	double virtual_s = (double)r->virtual_us / (double)SIM_US_PER_S;

	printf("\n");
	sim_totals_print(stdout, &r->totals, t->colour);
	printf("\n  %.1f h of a device's life in %.2f s (%.0f times as fast). Seed %" PRIu64
	       ", trace %016" PRIx64 ".\n",
	       virtual_s / 3600, took_s, took_s > 0 ? virtual_s / took_s : 0, t->seed,
	       r->trace_hash);
}

static int tell(const struct sim_options *o, const char *file)
{
	struct sim_plan plan;
	struct sim_trial t = { .plan = &plan,
			       .mutant = o->mutant,
			       .trace = o->trace ? stdout : NULL,
			       .story = o->trace ? NULL : stdout,
			       .colour = isatty(STDOUT_FILENO),
			       .report = o->report,
			       .file = file };
	struct sim_trial_result r;
	char command[512], mutant[48];
	double begin;

	sim_plan_init(&plan);
	if (sim_script_load(file, &plan, stderr)) {
		sim_plan_finish(&plan);
		return 1;
	}
	t.seed = seed_of(o, &plan);
	snprintf(command, sizeof(command), "holdfast-sim %s%s --seed %" PRIu64 "%s",
		 o->file ? "run " : "day", o->file ? o->file : "", t.seed,
		 sim_mutant_option(o->mutant, mutant));
	t.command = command;
	begin = sim_real_s();
	sim_trial_run(&t, &r);
	print_end(&t, &r, sim_real_s() - begin);
	if (r.failure.what[0]) {
		fflush(stdout);
		print_failure(file, &r.failure);
	}
	sim_print_report(o, r.unwritten);
	sim_plan_finish(&plan);
	return r.failure.what[0] || r.unwritten;
}

int sim_mode_day(const struct sim_options *o)
{
	return tell(o, SIM_SCENARIOS "/day_at_the_kiosk.scn");
}

int sim_mode_run(const struct sim_options *o)
{
	return tell(o, o->file);
}

/* Carries out @file; one line with its title. */
static bool scenario_holds(const struct sim_options *o, const char *file)
{
	struct sim_plan plan;
	struct sim_trial t = { .plan = &plan, .mutant = o->mutant };
	struct sim_trial_result r = { .failure.what = "cannot be read" };
	double begin = sim_real_s();

	sim_plan_init(&plan);
	if (sim_script_load(file, &plan, stderr) == 0) {
		t.seed = seed_of(o, &plan);
		sim_trial_run(&t, &r);
	}
	printf("%-4s %6.1f ms %9.1f min  %s\n", r.failure.what[0] ? "NO" : "yes",
	       (sim_real_s() - begin) * 1e3, (double)r.virtual_us / (double)SIM_US_PER_MIN,
	       plan.title ? plan.title : file);
	fflush(stdout);
	if (r.failure.what[0])
		print_failure(file, &r.failure);
	sim_plan_finish(&plan);
	return !r.failure.what[0];
}

bool sim_scenarios_find(const char *folder, glob_t *found)
{
	char *pattern = NULL;
	bool any;

	if (asprintf(&pattern, "%s/*.scn", folder ? folder : SIM_SCENARIOS) < 0)
		sim_must(NULL);
	any = glob(pattern, 0, NULL, found) == 0;
	if (any && !folder && IS_ENABLED(CONFIG_HF_SENSOR))
		(void)glob(SIM_SCENARIOS "/coap/*.scn", GLOB_APPEND, NULL, found);
	if (!any)
		fprintf(stderr, "%s: there is no scenario\n", pattern);
	free(pattern);
	return any;
}

int sim_mode_scenarios(const struct sim_options *o)
{
	unsigned failed = 0;
	glob_t found;
	size_t i;

	if (!sim_scenarios_find(o->file, &found))
		return 1;
	for (i = 0; i < found.gl_pathc; i++)
		failed += !scenario_holds(o, found.gl_pathv[i]);
	printf("%zu scenarios, %u failed\n", found.gl_pathc, failed);
	globfree(&found);
	return failed != 0;
}
