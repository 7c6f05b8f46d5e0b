/* SPDX-License-Identifier: Apache-2.0 */
/* The phrases of the scenario language. Inside of script.c. */
#ifndef SIM_SCRIPT_STEPS_H
#define SIM_SCRIPT_STEPS_H

#include "script_words.h"

/* Takes an action or an expectation from the line into @step. */
bool sim_script_action(struct sim_script *s, struct sim_step *step);

/* What stands behind the first word, each in its file: script_faults.c ... */
bool sim_script_link(struct sim_script *s, struct sim_step *step);
bool sim_script_dns(struct sim_script *s, struct sim_step *step);
bool sim_script_network(struct sim_script *s, struct sim_step *step);
bool sim_script_clock(struct sim_script *s, struct sim_step *step);
bool sim_script_disk(struct sim_script *s, struct sim_step *step);
bool sim_script_memory(struct sim_script *s, struct sim_step *step);
bool sim_script_process(struct sim_script *s, struct sim_step *step);
bool sim_script_origin(struct sim_script *s, struct sim_step *step);
/* ... and script_expect.c. */
bool sim_script_expect(struct sim_script *s, struct sim_step *step);

/* Names of the cast; false, silently, when the next word is none. */
bool sim_script_device(struct sim_script *s, const char **out);
bool sim_script_panel(struct sim_script *s, const char **out);
bool sim_script_origin_name(struct sim_script *s, const char **out);
/* One of @words (up to a NULL): its place, or -1. */
int sim_script_one_of(struct sim_script *s, const char *const *words);

#endif
