/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands on one-off and periodic sync registrations share. */
#ifndef HF_CLI_REGISTRATION_H
#define HF_CLI_REGISTRATION_H

#include "cli/args.h"
#include "cli/table.h"

struct cJSON;

struct cli_registration {
	const char *resource;	  /* "sync", "periodicsync" */
	const char *tag, *worker; /* NULL: not given */
	const char *min_interval; /* milliseconds, NULL: not given */
	char min_interval_text[24];
};

/* From the arguments of a command for one tag; an exit code, 0: they are understood. */
int cli_registration_options(const struct cli_args *args, struct cli_registration *r);
/* Sends @method for the tag, and prints its name and @words. */
int cli_registration_change(struct cli *c, const struct cli_registration *r, const char *method,
			    const char *words);
/* Prints the table that @add fills with the cells of each registration. */
int cli_registration_list(struct cli *c, const struct cli_registration *r,
			  const struct cli_column *columns, size_t columns_n,
			  void (*add)(struct cli_table *t, const struct cJSON *registration));

#endif
