/* SPDX-License-Identifier: Apache-2.0 */
/* A seed: the plan that is made from it, carried out; and how it is told. */
#ifndef SIM_SEED_H
#define SIM_SEED_H

#include "trial.h"

struct sim_seed {
	uint64_t seed;
	unsigned days; /* as sim_soak_plan() */
	enum sim_mutant mutant;
	FILE *trace;	    /* NULL: none */
	const char *report; /* the page to write, NULL: none */
};

void sim_seed_run(const struct sim_seed *s, struct sim_trial_result *out);
/* "--seed 17 --days 3 --mutant early". */
const char *sim_seed_options(const struct sim_seed *s, char out[96]);
/* What did not hold, and how to see it again. @f NULL: @sig ended the process. */
void sim_seed_print_failure(FILE *out, const struct sim_seed *s, const struct sim_failure *f,
			    int sig);

#endif
