/* SPDX-License-Identifier: Apache-2.0 */
/* replay, mutants, repeats, hashes, budget: what else is done with seeds. */
#include <inttypes.h>
#include <string.h>

#include "crew.h"
#include "fleet.h"
#include "modes.h"
#include "script.h"
#include "seed.h"
#include "soak_plan.h"
#include "sim/mem.h"
#include "soak_faults.h"

int sim_mode_replay(const struct sim_options *o)
{
	struct sim_seed seed = { .seed = o->seed,
				 .days = (unsigned)o->days,
				 .mutant = o->mutant,
				 .trace = stdout,
				 .report = o->report };
	struct sim_trial_result r;

	sim_seed_run(&seed, &r);
	printf("trace %016" PRIx64 " disk %016" PRIx64 " orders %u cuts %u\n", r.trace_hash,
	       r.disk_hash, r.totals.sent, r.totals.cuts);
	if (r.failure.what[0]) {
		fflush(stdout);
		sim_seed_print_failure(stderr, &seed, &r.failure, 0);
	}
	sim_print_report(o, r.unwritten);
	return r.failure.what[0] || r.unwritten;
}

/* ---- mutants ---- */

struct hunt {
	bool caught;
	uint64_t seed;
	char what[256];
};

struct hunts {
	const struct sim_options *o;
	struct sim_crew crew;
	struct hunt v[SIM_MUTANTS]; /* by mutant */
};

static void hunt(void *user, uint64_t i, void *result)
{
	const struct hunts *all = user;
	struct hunt *h = result;
	struct sim_trial_result r;
	uint64_t n;

	memset(h, 0, sizeof(*h));
	for (n = 0; n < all->o->count && !h->caught; n++) {
		struct sim_seed seed = { .seed = all->o->seed + n,
					 .mutant = (enum sim_mutant)(i + 1) };

		sim_seed_run(&seed, &r);
		h->seed = seed.seed;
		h->caught = r.failure.what[0] != '\0';
	}
	if (h->caught)
		memcpy(h->what, r.failure.what, sizeof(h->what));
}

static bool hunted(void *user, uint64_t i, const void *result, int sig)
{
	struct hunts *all = user;

	if (result)
		all->v[i + 1] = *(const struct hunt *)result;
	else
		snprintf(all->v[i + 1].what, sizeof(all->v[i + 1].what),
			 "signal %d ended the process", sig);
	return true;
}

int sim_mode_mutants(const struct sim_options *o)
{
	struct hunts all = { .o = o };
	struct sim_crew_end end;
	int m, escaped = 0;

	all.crew = (struct sim_crew){ .what = "mutants",
				      .jobs = (unsigned)o->jobs,
				      .n = SIM_MUTANTS - 1,
				      .result_size = sizeof(struct hunt),
				      .work = hunt,
				      .take = hunted,
				      .user = &all };
	sim_crew_run(&all.crew, &end);
	for (m = SIM_MUTANT_NONE + 1; m < SIM_MUTANTS; m++) {
		const struct hunt *h = &all.v[m];

		escaped += !h->caught;
		printf("%-9s %-44s ", sim_mutant_name((enum sim_mutant)m),
		       sim_mutant_words((enum sim_mutant)m));
		if (h->caught)
			printf("caught by seed %" PRIu64 ": %s\n", h->seed, h->what);
		else
			printf("NOT CAUGHT in %" PRIu64 " seeds %s\n", o->count, h->what);
	}
	return escaped != 0 || end.interrupted;
}

/* ---- the same again ---- */

/* The same seed twice, one after the other: the same trace, the same disk. Among
 * the first twenty are one with two devices and one with TLS. */
int sim_mode_repeats(const struct sim_options *o)
{
	uint64_t i;

	for (i = 0; i < o->count; i++) {
		struct sim_seed seed = { .seed = o->seed + i,
					 .days = (unsigned)o->days,
					 .mutant = o->mutant };
		struct sim_trial_result a, b;

		sim_seed_run(&seed, &a);
		sim_seed_run(&seed, &b);
		if (a.trace_hash != b.trace_hash || a.disk_hash != b.disk_hash) {
			fprintf(stderr, "seed %" PRIu64 " does not repeat\n", o->seed + i);
			return 1;
		}
	}
	printf("%" PRIu64 " seeds repeat bit by bit\n", o->count);
	return 0;
}

static void print_fleet_hash(uint64_t seed)
{
	struct sim_fleet_options opt = { .seed = seed,
					 .devices = 20,
					 .queued = 2,
					 .outage_us = 5 * SIM_US_PER_MIN,
					 .capacity = 5,
					 .retry_after_s = 5 };
	struct sim_fleet f;

	sim_fleet_run(&f, &opt);
	printf("fleet of %u trace %016" PRIx64 "\n", opt.devices, f.trace_hash);
	sim_fleet_finish(&f);
}

/* A line for each seed; another build of the same sources prints the same. */
int sim_mode_hashes(const struct sim_options *o)
{
	uint64_t i;

	for (i = 0; i < o->count; i++) {
		struct sim_seed seed = { .seed = o->seed + i, .days = (unsigned)o->days };
		struct sim_trial_result r;

		sim_seed_run(&seed, &r);
		printf("seed %" PRIu64 " trace %016" PRIx64 " disk %016" PRIx64 "%s\n", seed.seed,
		       r.trace_hash, r.disk_hash, sim_soak_is_secure(seed.seed) ? " tls" : "");
	}
	print_fleet_hash(o->seed);
	return 0;
}

/* ---- the fault budget ---- */

/* The table; with a file: is it in there as it is? */
int sim_mode_budget(const struct sim_options *o)
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
