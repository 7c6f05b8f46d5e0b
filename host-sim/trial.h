/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan carried out on a stage of its own with Holdfast as the program, and all
 * checks after it: the one way in which every mode of holdfast-sim runs
 * anything.
 */
#ifndef SIM_TRIAL_H
#define SIM_TRIAL_H

#include "mutants.h"
#include "plan.h"
#include "report.h"
#include "run.h"

/* One fault more than the plan has. */
enum sim_strike_kind {
	SIM_STRIKE_NONE,
	SIM_STRIKE_CUT,	  /* the power goes at a disk operation */
	SIM_STRIKE_ALLOC, /* an allocation fails */
	SIM_STRIKE_IO,	  /* a disk operation fails */
	SIM_STRIKE_CACHE, /* the power goes at an operation on a file of the caches */
};

struct sim_strike {
	enum sim_strike_kind kind;
	size_t device;	/* by its place in the cast */
	uint64_t at;	/* of its operations, its allocations: the nth */
	uint64_t again; /* a cut: once more at the nth operation of the next start, 0: no */
};

struct sim_trial {
	const struct sim_plan *plan;
	uint64_t seed;
	enum sim_mutant mutant;
	struct sim_strike strike;
	FILE *trace, *story; /* NULL: none */
	bool colour;
	const char *report;	    /* the page to write, NULL: none */
	const char *command, *file; /* for it: see struct sim_about */
};

struct sim_trial_result {
	struct sim_failure failure; /* what[0] '\0': all held */
	struct sim_totals totals;
	unsigned lost; /* in silence, on a medium in order */
	uint64_t trace_hash, disk_hash;
	uint64_t virtual_us, device_us; /* the second: of all devices together */
	uint64_t drain_us;		/* from the end of all faults to an empty queue */
	uint64_t events;
	uint64_t ops[SIM_DEVICES_MAX], allocations[SIM_DEVICES_MAX];
	uint64_t cache_ops[SIM_DEVICES_MAX]; /* counted only in a trial without a strike */
	size_t devices;
	bool struck;	       /* the strike has come */
	uint64_t recovery_ops; /* disk operations of the start after a cut that struck */
	bool written_back;     /* the store's log has been copied into its database */
	bool unwritten;	       /* the report that was asked for */
};

void sim_trial_run(const struct sim_trial *t, struct sim_trial_result *out);

#endif
