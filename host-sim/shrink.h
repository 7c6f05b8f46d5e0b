/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a plan that fails smaller, as long as it fails in the same way: steps
 * are left out, then bodies, durations and the time between steps get shorter.
 * Each try is a process of its own, so that one that crashes can be made small
 * too.
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "progress.h"
#include "trial.h"

/* What a try ended with. */
struct sim_verdict {
	char check[32]; /* that did not hold, empty: all held */
	char what[256];
	int sig; /* that ended the process, 0: none */
};

struct sim_shrink {
	struct sim_plan *plan; /* becomes small */
	enum sim_mutant mutant;
	struct sim_verdict wanted; /* how the whole plan fails */
	unsigned tries;
	struct sim_progress progress;
};

/* False: the plan does not fail. */
bool sim_shrink_run(struct sim_shrink *s);
/* Runs @plan in a process of its own. */
void sim_shrink_try(const struct sim_plan *plan, enum sim_mutant mutant, struct sim_verdict *out);

#endif
