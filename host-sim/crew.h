/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many independent pieces of work, done by several processes side by side. A
 * piece that ends its process (the program under test has crashed) is a result
 * like others; the rest goes on. Ctrl-C ends it early: what has been begun is
 * finished, the rest is left.
 */
#ifndef SIM_CREW_H
#define SIM_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "progress.h"

struct sim_crew {
	const char *what;   /* for the progress line: "soak" */
	unsigned jobs;	    /* processes, 0: one for each processor */
	uint64_t n;	    /* pieces: 0 to n - 1 */
	size_t result_size; /* up to SIM_CREW_RESULT_MAX */
	/* In one of the processes: does @i, fills in @result. */
	void (*work)(void *user, uint64_t i, void *result);
	/* Here, as they come. @result NULL: the process died by @sig. False: the
	 * rest need not be done. Before it writes anything, @progress is cleared. */
	bool (*take)(void *user, uint64_t i, const void *result, int sig);
	/* A few words for the progress line. May be NULL. */
	const char *(*note)(void *user);
	void *user;
	struct sim_progress progress; /* while it runs */
};

#define SIM_CREW_RESULT_MAX 3000

struct sim_crew_end {
	uint64_t done;
	bool interrupted; /* by Ctrl-C */
	double took_s;
};

void sim_crew_run(struct sim_crew *c, struct sim_crew_end *end);
/* Processes that 0 stands for. */
unsigned sim_crew_jobs(unsigned jobs);

#endif
