/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as a story: what a person standing beside the kiosk would tell, in
 * lines of time and words. What repeats is told once, with how often.
 */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include <stdbool.h>
#include <stdio.h>

#include "plan.h"
#include "run.h"
#include "stage.h"

struct sim_story;

/* Before the stage's first boot. */
struct sim_story *sim_story_create(struct sim_stage *s, const struct sim_plan *plan, FILE *out,
				   bool colour);
/* Tells what is left. Before the stage is finished. NULL is fine. */
void sim_story_destroy(struct sim_story *st);
struct sim_run_watch *sim_story_watch(struct sim_story *st);

#endif
