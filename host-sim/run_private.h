/* SPDX-License-Identifier: Apache-2.0 */
/* What run.c, run_act.c (doing) and run_expect.c (looking) share. */
#ifndef SIM_RUN_PRIVATE_H
#define SIM_RUN_PRIVATE_H

#include "run.h"

enum sim_last_request {
	SIM_LAST_NONE,
	SIM_LAST_ORDER,
	SIM_LAST_PAGE,
};

struct sim_run {
	struct sim_stage *stage;
	const struct sim_plan *plan;
	struct sim_run_watch *watch;
	struct hf_list repeaters;
	enum sim_last_request last;
	const struct sim_order *last_order;
	struct sim_panel *last_panel; /* that asked for a page */
	struct sim_failure *failure;
};

/* Orders of a device, to an origin; NULL: of all. */
struct sim_tally {
	unsigned received, delivered, open, lost, duplicated, open_answers, attempts_max;
};

void sim_tally(const struct sim_stage *s, const char *device, const char *origin,
	       struct sim_tally *t);
/* Does what @step says; an expectation is waited for. */
void sim_run_act(struct sim_run *r, const struct sim_step *step);
/* sim_run_until_quiet() as a step, and then an idle hour, unless something repeats;
 * what still waits is found by the checks. */
void sim_run_all_well(struct sim_run *r, uint64_t limit_us);
void sim_run_expect(struct sim_run *r, const struct sim_step *step);
/* The page asks for the answers and, where there is no effect yet, the states that
 * it does not know; then the world runs until all has come. */
void sim_run_ask_answers(struct sim_stage *s);
/* The pages load again all that they ever asked for. */
void sim_run_ask_pages(struct sim_stage *s);
void sim_run_ask_states(struct sim_stage *s);
/* No panel and no operator waits for an answer. */
bool sim_run_is_idle(const struct sim_stage *s);
bool sim_run_wait_idle(struct sim_stage *s, uint64_t until_us);

#endif
