/* SPDX-License-Identifier: Apache-2.0 */
/* The phrases of the scenario language. Inside of script.c. */
#ifndef SIM_SCRIPT_STEPS_H
#define SIM_SCRIPT_STEPS_H

#include "script_words.h"

/* Takes an action or an expectation from the line into @step. */
bool sim_script_action(struct sim_script *s, struct sim_step *step);

#endif
