/* SPDX-License-Identifier: Apache-2.0 */
#include "seed.h"

#include <inttypes.h>

#include "modes.h"
#include "soak_plan.h"

const char *sim_seed_options(const struct sim_seed *s, char out[96])
{
	char mutant[48], days[24] = "";

	if (s->days)
		snprintf(days, sizeof(days), " --days %u", s->days);
	snprintf(out, 96, "--seed %" PRIu64 "%s%s", s->seed, days,
		 sim_mutant_option(s->mutant, mutant));
	return out;
}

void sim_seed_run(const struct sim_seed *s, struct sim_trial_result *out)
{
	struct sim_plan plan;
	struct sim_trial t = { .plan = &plan,
			       .seed = s->seed,
			       .mutant = s->mutant,
			       .trace = s->trace,
			       .report = s->report };
	char command[128], options[96];

	snprintf(command, sizeof(command), "holdfast-sim replay %s", sim_seed_options(s, options));
	t.command = command;
	sim_plan_init(&plan);
	sim_soak_plan(s->seed, s->days, &plan);
	sim_trial_run(&t, out);
	sim_plan_finish(&plan);
}

void sim_seed_print_failure(FILE *out, const struct sim_seed *s, const struct sim_failure *f,
			    int sig)
{
	char options[96];

	if (f)
		fprintf(out, "seed %" PRIu64 ": %s: %s\n", s->seed, f->check ? f->check : "failed",
			f->what);
	else
		fprintf(out, "seed %" PRIu64 ": signal %d ended the process\n", s->seed, sig);
	sim_seed_options(s, options);
	fprintf(out, "  again: holdfast-sim replay %s\n", options);
	fprintf(out, "  as small as can be: holdfast-sim shrink %s\n", options);
}
