/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario language: one line is one step, in words (docs/SIMULATOR.md).
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include <stdio.h>

#include "base/span.h"
#include "plan.h"

/* Reads @path into @plan (initialised). 0, or -1 after writing
 * "file:line:column: words", the line and a caret to @errors, for every line
 * that is wrong. */
int sim_script_load(const char *path, struct sim_plan *plan, FILE *errors);
/* The same from memory. */
int sim_script_parse(const char *name, const char *text, struct sim_plan *plan, FILE *errors);
/* The text of a file, or NULL after a complaint; the caller frees it. */
char *sim_script_read(const char *path, FILE *errors);
/* "90s", "1h30m", "250ms"; false: it is none. */
bool sim_duration_read(struct hf_span text, uint64_t *us);

#endif
