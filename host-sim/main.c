/* SPDX-License-Identifier: Apache-2.0 */
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "live/live.h"
#include "report.h"
#include "report/page.h"
#include "script.h"
#include "sim/mem.h"
#include "soak.h"
#include "soak_faults.h"
#include "story.h"

#ifndef SIM_SCENARIOS
#define SIM_SCENARIOS "host-sim/scenarios"
#endif

static const char usage[] =
	"usage: holdfast-sim day [--seed N] [--report FILE.html]\n"
	"       holdfast-sim run FILE.scn [--seed N] [--trace] [--report FILE.html]\n"
	"       holdfast-sim scenarios [FOLDER] [--seed N] [--mutant NAME]\n"
	"       holdfast-sim sweep FILE.scn [--seed N]\n"
	"       holdfast-sim soak [--seed N] [--count M] [--mutant NAME]\n"
	"       holdfast-sim replay --seed N [--mutant NAME] [--report FILE.html]\n"
	"       holdfast-sim mutants [--count M]\n"
	"       holdfast-sim repeats [--count M]\n"
	"       holdfast-sim budget [FILE.md]\n"
	"       holdfast-sim live [--help]\n"
	"\n"
	"  day        a day at the kiosk, told as a story\n"
	"  run        carries out a scenario and tells what happened\n"
	"  scenarios  carries out all of a folder and tells which hold\n"
	"  sweep      carries it out again and again, the power cut at each disk operation\n"
	"  soak       M random plans from seed N on, all promises checked\n"
	"  replay     one of them, every event printed\n"
	"  mutants    soaks products that are wrong on purpose: each must be caught\n"
	"  repeats    runs M seeds twice: both must be the same, bit by bit\n"
	"  budget     the faults that soak injects, as a table; is it the one of that file?\n"
	"  live       the real daemon before a demo shop, and a page to make the world worse\n"
	"\n"
	"  --report writes the run as one page: its figures, a timeline, each request\n";

struct options {
	const char *file, *report;
	uint64_t seed, count;
	enum sim_mutant mutant;
	bool trace;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- scenarios ---- */

static void print_failure(const char *file, const struct sim_failure *f)
{
	if (f->step && f->step->line)
		fprintf(stderr, "%s:%u:%u: not so: %s\n", file, f->step->line, f->step->column,
			f->what);
	else
		fprintf(stderr, "%s: %s: %s\n", file, f->check ? f->check : "failed", f->what);
}

struct scene_options {
	uint64_t seed;
	enum sim_mutant mutant;
	uint64_t cut_at; /* one more cut at this disk operation, 0: none */
	FILE *trace, *story;
	bool colour;
	const char *report, *command, *file; /* see struct sim_about */
};

struct scene_result {
	struct sim_failure failure;
	struct sim_totals totals;
	uint64_t ops, virtual_us, trace_hash;
	bool unwritten; /* the report */
};

static bool write_report(const struct sim_record *record, const struct sim_plan *plan,
			 const struct scene_options *o, const struct scene_result *r)
{
	struct sim_about about = { .command = o->command,
				   .file = o->file,
				   .trace_hash = r->trace_hash,
				   .plan = plan,
				   .failure = &r->failure,
				   .totals = &r->totals };

	return sim_page_write(o->report, record, &about);
}

static void run_scene(const struct sim_plan *plan, const struct scene_options *o,
		      struct scene_result *r)
{
	struct sim_stage_options opt = { .seed = o->seed,
					 .trace = o->trace,
					 .cast = &plan->cast,
					 .config = plan->config,
					 .manifest = plan->manifest,
					 .guest = &sim_guest_holdfast };
	struct sim_story *story = NULL;
	struct sim_record *record = NULL;
	struct sim_disk_stats disk;
	struct sim_stage stage;
	uint64_t drain_us;

	sim_stage_init(&stage, &opt);
	sim_mutant_apply(&stage, o->mutant);
	if (o->report)
		record = sim_record_create(&stage);
	if (o->story)
		story = sim_story_create(&stage, plan, o->story, o->colour);
	if (o->cut_at)
		sim_device_cut_at(stage.kiosk, o->cut_at, 0);
	sim_run_plan(&stage, plan, story ? sim_story_watch(story) : NULL, &r->failure);
	if (o->cut_at && !r->failure.what[0])
		(void)sim_run_until_quiet(&stage, 6 * SIM_US_PER_H, &drain_us);
	sim_run_look(&stage);
	sim_totals(&stage, &r->totals);
	sim_stage_disk_stats(&stage, &disk);
	sim_record_stop(record);
	r->ops = disk.ops;
	r->virtual_us = stage.world.now_us;
	sim_story_destroy(story);
	sim_stage_shut_down(&stage);
	r->trace_hash = stage.world.trace.hash;
	if (!r->failure.what[0])
		sim_run_checks(&stage, &r->failure);
	r->unwritten = record && !write_report(record, plan, o, r);
	sim_record_destroy(record);
	sim_stage_finish(&stage);
}

/* The last line. */
static void print_report(const struct options *o, bool unwritten)
{
	if (o->report && !unwritten)
		printf("\n  The run as a page: %s\n", o->report);
}

static int tell(const struct options *o, const char *file)
{
	struct scene_options how = {
		.seed = o->seed, .colour = isatty(STDOUT_FILENO), .report = o->report, .file = file
	};
	struct scene_result r;
	struct sim_plan plan;
	double begin = now_s(), took;
	char command[512];

	snprintf(command, sizeof(command), "holdfast-sim %s%s --seed %" PRIu64,
		 o->file ? "run " : "day", o->file ? o->file : "", o->seed);
	how.command = command;
	sim_plan_init(&plan);
	if (sim_script_load(file, &plan, stderr)) {
		sim_plan_finish(&plan);
		return 1;
	}
	how.story = o->trace ? NULL : stdout;
	how.trace = o->trace ? stdout : NULL;
	run_scene(&plan, &how, &r);
	took = now_s() - begin;
	printf("\n");
	sim_totals_print(stdout, &r.totals, how.colour);
	printf("\n  %.1f h of a device's life in %.2f s. Seed %" PRIu64 ", trace %016" PRIx64 ".\n",
	       (double)r.virtual_us / (double)SIM_US_PER_H, took, o->seed, r.trace_hash);
	if (r.failure.what[0]) {
		fflush(stdout);
		print_failure(file, &r.failure);
	}
	print_report(o, r.unwritten);
	sim_plan_finish(&plan);
	return r.failure.what[0] || r.unwritten;
}

static int do_day(const struct options *o)
{
	return tell(o, SIM_SCENARIOS "/day_at_the_kiosk.scn");
}

static int do_run(const struct options *o)
{
	return tell(o, o->file);
}

/* Carries out @file; one line with its title. */
static bool scenario_holds(const struct options *o, const char *file)
{
	struct scene_options how = { .seed = o->seed, .mutant = o->mutant };
	struct scene_result r = { .failure.what = "cannot be read" };
	double begin = now_s();
	struct sim_plan plan;

	sim_plan_init(&plan);
	if (sim_script_load(file, &plan, stderr) == 0)
		run_scene(&plan, &how, &r);
	printf("%-4s %6.1f ms %9.1f min  %s\n", r.failure.what[0] ? "NO" : "yes",
	       (now_s() - begin) * 1e3, (double)r.virtual_us / (double)SIM_US_PER_MIN,
	       plan.title ? plan.title : file);
	fflush(stdout);
	if (r.failure.what[0])
		print_failure(file, &r.failure);
	sim_plan_finish(&plan);
	return !r.failure.what[0];
}

static int do_scenarios(const struct options *o)
{
	const char *folder = o->file ? o->file : SIM_SCENARIOS;
	unsigned failed = 0;
	char *pattern = NULL;
	glob_t found;
	size_t i;

	if (asprintf(&pattern, "%s/*.scn", folder) < 0)
		sim_must(NULL);
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "%s: there is no scenario\n", folder);
		free(pattern);
		return 1;
	}
	for (i = 0; i < found.gl_pathc; i++)
		failed += !scenario_holds(o, found.gl_pathv[i]);
	printf("%zu scenarios, %u failed\n", found.gl_pathc, failed);
	globfree(&found);
	free(pattern);
	return failed != 0;
}

/* ---- sweep ---- */

/* Expectations about single answers do not hold when the power goes at another
 * moment; the checks do. */
static void drop_expectations(struct sim_plan *plan)
{
	size_t i, n = 0;

	for (i = 0; i < plan->n; i++)
		if (!sim_step_expects(&plan->v[i]))
			plan->v[n++] = plan->v[i];
	plan->n = n;
}

static int do_sweep(const struct options *o)
{
	struct scene_options how = { .seed = o->seed };
	struct scene_result r;
	struct sim_plan plan;
	uint64_t ops, n, failed = 0;
	double begin = now_s();

	sim_plan_init(&plan);
	if (sim_script_load(o->file, &plan, stderr)) {
		sim_plan_finish(&plan);
		return 1;
	}
	drop_expectations(&plan);
	run_scene(&plan, &how, &r);
	ops = r.ops;
	for (n = 1; n <= ops && failed < 10; n++) {
		how.cut_at = n;
		run_scene(&plan, &how, &r);
		if (!r.failure.what[0])
			continue;
		failed++;
		fprintf(stderr, "cut at disk operation %" PRIu64 ": %s: %s\n", n,
			r.failure.check ? r.failure.check : "failed", r.failure.what);
	}
	printf("%s: the power cut at each of %" PRIu64 " disk operations, %" PRIu64
	       " failed, %.1f s\n",
	       o->file, ops, failed, now_s() - begin);
	sim_plan_finish(&plan);
	return failed != 0;
}

/* ---- soak ---- */

static void print_seed_failure(const struct options *o, uint64_t seed,
			       const struct sim_seed_result *r)
{
	bool mutant = o->mutant != SIM_MUTANT_NONE;

	fprintf(stderr, "seed %" PRIu64 ": %s: %s\n", seed,
		r->failure.check ? r->failure.check : "failed", r->failure.what);
	fprintf(stderr, "  again: holdfast-sim replay --seed %" PRIu64 "%s%s\n", seed,
		mutant ? " --mutant " : "", mutant ? sim_mutant_name(o->mutant) : "");
}

static int do_soak(const struct options *o)
{
	uint64_t i, failed = 0, orders = 0, queued = 0, cuts = 0, virtual_us = 0, bytes = 0;
	uint64_t drain_us = 0, slowest = 0, written_back = 0;
	double begin = now_s(), took;
	char drain[32];

	for (i = 0; i < o->count && failed < 10; i++) {
		struct sim_seed_result r;

		sim_soak_seed(o->seed + i, o->mutant, NULL, &r);
		orders += r.promised;
		queued += r.queued;
		cuts += r.cuts;
		virtual_us += r.virtual_us;
		bytes += r.bytes;
		written_back += r.written_back;
		if (r.drain_us > drain_us) {
			drain_us = r.drain_us;
			slowest = o->seed + i;
		}
		if (!r.failure.what[0])
			continue;
		failed++;
		print_seed_failure(o, o->seed + i, &r);
	}
	took = now_s() - begin;
	printf("%" PRIu64 " seeds: %" PRIu64 " orders accepted, %" PRIu64
	       " of them queued, %" PRIu64
	       " power cuts, %.1f device hours, %.0f MB written, %.1f s; %" PRIu64
	       " seeds failed\n",
	       i, orders, queued, cuts, (double)virtual_us / (double)SIM_US_PER_H,
	       (double)bytes / 1e6, took, failed);
	printf("%" PRIu64 " seeds have written the store's log back into its database\n",
	       written_back);
	printf("longest from the end of all faults to an empty queue: %s (seed %" PRIu64 ")\n",
	       sim_span_text(drain_us, drain), slowest);
	return failed != 0;
}

static int do_replay(const struct options *o)
{
	struct sim_soak_watch watch = { .trace = stdout, .report = o->report };
	struct sim_seed_result r;

	sim_soak_seed(o->seed, o->mutant, &watch, &r);
	printf("trace %016" PRIx64 " disk %016" PRIx64 " orders %u cuts %u\n", r.trace_hash,
	       r.disk_hash, r.orders, r.cuts);
	if (r.failure.what[0]) {
		fflush(stdout);
		print_seed_failure(o, o->seed, &r);
	}
	print_report(o, r.unwritten);
	return r.failure.what[0] || r.unwritten;
}

static int do_mutants(const struct options *o)
{
	int m, escaped = 0;

	for (m = SIM_MUTANT_NONE + 1; m < SIM_MUTANTS; m++) {
		struct sim_seed_result r = { .failure.what = "" };
		uint64_t i;

		for (i = 0; i < o->count; i++) {
			sim_soak_seed(o->seed + i, (enum sim_mutant)m, NULL, &r);
			if (r.failure.what[0])
				break;
		}
		escaped += i == o->count;
		printf("%-9s %-44s ", sim_mutant_name((enum sim_mutant)m),
		       sim_mutant_words((enum sim_mutant)m));
		if (i == o->count)
			printf("NOT CAUGHT in %" PRIu64 " seeds\n", i);
		else
			printf("caught by seed %" PRIu64 ": %s\n", o->seed + i, r.failure.what);
	}
	return escaped != 0;
}

/* The same seed twice, one after the other: the same trace, the same disk. Among
 * the first twenty are one with two devices and one with TLS. */
static int do_repeats(const struct options *o)
{
	uint64_t i;

	for (i = 0; i < o->count; i++) {
		struct sim_seed_result a, b;

		sim_soak_seed(o->seed + i, o->mutant, NULL, &a);
		sim_soak_seed(o->seed + i, o->mutant, NULL, &b);
		if (a.trace_hash != b.trace_hash || a.disk_hash != b.disk_hash) {
			fprintf(stderr, "seed %" PRIu64 " does not repeat\n", o->seed + i);
			return 1;
		}
	}
	printf("%" PRIu64 " seeds repeat bit by bit\n", o->count);
	return 0;
}

/* The table; with a file: is it in there as it is? */
static int do_budget(const struct options *o)
{
	char *table = NULL, *text;
	size_t size = 0;
	FILE *out = open_memstream(&table, &size);
	int ret = 0;

	sim_budget_print(sim_must(out));
	fclose(out);
	if (!o->file) {
		fputs(table, stdout);
	} else {
		text = sim_script_read(o->file, stderr);
		ret = !text || !strstr(text, table);
		free(text);
		if (ret)
			fprintf(stderr, "%s: the fault budget there is not this one:\n%s", o->file,
				table);
	}
	free(table);
	return ret;
}

/* ---- the command line ---- */

static const struct mode {
	const char *name;
	enum {
		NO_FILE,
		A_FILE,
		MAYBE_A_FILE
	} file;
	uint64_t count;
	int (*run)(const struct options *o);
} modes[] = {
	{ "day", NO_FILE, 0, do_day },
	{ "run", A_FILE, 0, do_run },
	{ "scenarios", MAYBE_A_FILE, 0, do_scenarios },
	{ "sweep", A_FILE, 0, do_sweep },
	{ "soak", NO_FILE, 1000, do_soak },
	{ "replay", NO_FILE, 0, do_replay },
	{ "mutants", NO_FILE, 200, do_mutants },
	{ "repeats", NO_FILE, 20, do_repeats },
	{ "budget", MAYBE_A_FILE, 0, do_budget },
};

static bool number(const char *text, uint64_t *out)
{
	return text && hf_span_u64(hf_span_str(text), out);
}

static bool read_option(char **arg, struct options *o)
{
	if (strcmp(arg[0], "--seed") == 0)
		return number(arg[1], &o->seed);
	if (strcmp(arg[0], "--count") == 0)
		return number(arg[1], &o->count);
	if (strcmp(arg[0], "--report") == 0) {
		o->report = arg[1];
		return arg[1] != NULL;
	}
	if (strcmp(arg[0], "--mutant") == 0 && arg[1])
		o->mutant = sim_mutant_by_name(arg[1]);
	else
		return false;
	return o->mutant != SIM_MUTANTS;
}

static bool read_options(char **arg, const struct mode *mode, struct options *o)
{
	o->seed = 1;
	o->count = mode->count;
	for (; *arg; arg++) {
		if (strcmp(*arg, "--trace") == 0) {
			o->trace = true;
		} else if (strncmp(*arg, "--", 2) == 0) {
			if (!read_option(arg, o))
				return false;
			arg++;
		} else if (mode->file != NO_FILE && !o->file) {
			o->file = *arg;
		} else {
			return false;
		}
	}
	return mode->file != A_FILE || o->file;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	size_t i;

	if (argc > 1 && (strcmp(argv[1], "live") == 0 || strcmp(argv[1], "--live") == 0))
		return live_main(argv + 2);
	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		if (read_options(argv + 2, &modes[i], &o))
			return modes[i].run(&o);
		break;
	}
	fputs(usage, stderr);
	return 64;
}
