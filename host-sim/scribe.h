/* SPDX-License-Identifier: Apache-2.0 */
/* A plan in the words of the scenario language: what script.h reads back as the same plan. */
#ifndef SIM_SCRIBE_H
#define SIM_SCRIBE_H

#include <stdio.h>

#include "plan.h"

void sim_scribe_plan(FILE *out, const struct sim_plan *plan);
/* One step, without its time and without a line's end. */
void sim_scribe_step(FILE *out, const struct sim_step *step);

/* The lines of a cast alone. */
void sim_scribe_cast(FILE *out, const struct sim_cast *c);

#endif
