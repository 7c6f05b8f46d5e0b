/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out a plan on a stage. The steps go one after another; what repeats
 * goes on beside them. An expectation is waited for: it has to become true
 * within its time.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "plan.h"
#include "stage.h"

/* Who wants to know what is done to the world: the story. May be NULL. */
struct sim_run_watch {
	void (*on_step)(void *user, const struct sim_step *step);
	void *user;
};

struct sim_failure {
	char what[256];		     /* empty: none */
	const struct sim_step *step; /* the expectation, NULL: a check after the end */
	const char *check;	     /* its name, NULL: an expectation */
};

/* Boots the kiosk, carries out @plan and all checks after it. @failure is the
 * first thing that did not hold. */
void sim_run_plan(struct sim_stage *s, const struct sim_plan *plan, struct sim_run_watch *watch,
		  struct sim_failure *failure);
/* Ends all faults and lets the world run until nothing waits any more, at most
 * @limit_us; *drain_us is how long it took. Then the page asks for every stored
 * answer. False: something was still waiting. */
bool sim_run_until_quiet(struct sim_stage *s, uint64_t limit_us, uint64_t *drain_us);
/* The page asks what has become of what was not delivered. */
void sim_run_look(struct sim_stage *s);
/* Lets an hour pass in which nobody wants anything, for what is left to be tidied
 * up, then another, and notes what happens in that. */
void sim_run_rest(struct sim_stage *s);
/* True when every promised order has had its effect and, as far as the panel
 * asks for it, nothing waits. */
bool sim_run_is_drained(const struct sim_stage *s);
/* The first check that does not hold, as a failure; else empty. */
void sim_run_checks(const struct sim_stage *s, struct sim_failure *failure);

#endif
