/* SPDX-License-Identifier: Apache-2.0 */
/* What holdfast-sim can be asked for: the first word of its command line and its options. */
#ifndef SIM_MODES_H
#define SIM_MODES_H

#include <glob.h>

#include "trial.h"

#ifndef SIM_SCENARIOS
#define SIM_SCENARIOS "host-sim/scenarios"
#endif

#define SIM_FAILURES_MAX 10 /* after so many a long run ends */

struct sim_options {
	const char *file;
	const char *report; /* --report */
	const char *out;    /* --out */
	const char *at;	    /* --at: one point of a sweep */
	uint64_t seed, count;
	bool has_seed; /* it was given */
	uint64_t days, jobs, sample, devices;
	uint64_t cuts_wanted;		    /* --want-cuts: fewer are a failure */
	uint64_t queued, capacity;	    /* --queued, --capacity */
	uint64_t outage_us, retry_after_us; /* --outage, --retry-after */
	enum sim_mutant mutant;
	bool trace;
	bool caches; /* --caches: only what strikes the caches' files */
	bool cuts, allocs, io, pairs, all, cables;
};

/* Each returns what the program ends with. */
int sim_mode_day(const struct sim_options *o);
int sim_mode_run(const struct sim_options *o);
int sim_mode_scenarios(const struct sim_options *o);
int sim_mode_sweep(const struct sim_options *o);
int sim_mode_soak(const struct sim_options *o);
int sim_mode_replay(const struct sim_options *o);
int sim_mode_mutants(const struct sim_options *o);
int sim_mode_repeats(const struct sim_options *o);
int sim_mode_shrink(const struct sim_options *o);
int sim_mode_hashes(const struct sim_options *o);
int sim_mode_budget(const struct sim_options *o);
int sim_mode_fleet(const struct sim_options *o);
int sim_mode_outages(const struct sim_options *o);

/* The last line of a run with a report. */
void sim_print_report(const struct sim_options *o, bool unwritten);
/* " --mutant NAME", empty without one. */
const char *sim_mutant_option(enum sim_mutant m, char out[48]);

/* The scenarios of @folder; NULL: all that come with the simulator and that this build can
 * carry out. globfree() is the caller's; false, after a complaint: there are none. */
bool sim_scenarios_find(const char *folder, glob_t *found);

#endif
