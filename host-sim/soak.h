/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Soak: for each seed a random plan of orders and of faults (soak_faults.h has
 * the budget). In the end everything works again, and a person looks after what
 * was held or given up.
 */
#ifndef SIM_SOAK_H
#define SIM_SOAK_H

#include "mutants.h"
#include "plan.h"
#include "run.h"

#define SIM_SOAK_PAIRS 20 /* one seed in so many has two devices and two origins */
#define SIM_SOAK_TLS   40 /* one in so many has an https origin */

struct sim_seed_result {
	struct sim_failure failure; /* what[0] '\0': all held */
	uint64_t trace_hash, disk_hash;
	uint64_t virtual_us;
	uint64_t drain_us; /* from the end of all faults to an empty queue */
	unsigned orders, promised, queued, delivered, cuts;
	uint64_t bytes, events;
	bool written_back; /* the store's log has been copied into its database */
	bool unwritten;	   /* the report that was asked for */
};

/* What is wanted of a run besides its result. */
struct sim_soak_watch {
	FILE *trace;	    /* NULL: none */
	const char *report; /* the page to write, NULL: none */
};

/* The plan of @seed. */
void sim_soak_plan(uint64_t seed, struct sim_plan *plan);
/* Runs it, heals, checks. @watch NULL: silent. */
void sim_soak_seed(uint64_t seed, enum sim_mutant mutant, const struct sim_soak_watch *watch,
		   struct sim_seed_result *out);

#endif
