/* SPDX-License-Identifier: Apache-2.0 */
/* The holdfast.conf of a scenario: what the world has to know of it. */
#ifndef SIM_SCRIPT_CONFIG_H
#define SIM_SCRIPT_CONFIG_H

#include "script_words.h"

/* A key of a configuration. Begin with .next at its text. */
struct sim_conf {
	const char *next;
	struct hf_span line; /* that it stands in */
	unsigned number;     /* of that line, from 1 */
	char section[64];    /* "origin shop" */
	char key[32], value[256];
};

/* The next key; with an empty one, a section begins. False at the end. */
bool sim_conf_next(struct sim_conf *c);

/* After plan->config was read: its origins join the cast, each gets the name by
 * which panels call it. @first is the number of its first line in the file @name.
 * False after a complaint. */
bool sim_script_config(struct sim_script *s, const char *name, unsigned first);

#endif
