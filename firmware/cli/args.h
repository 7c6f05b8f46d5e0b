/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a command on the line: its options and its operand. */
#ifndef HF_CLI_ARGS_H
#define HF_CLI_ARGS_H

#include "cli/cli.h"

enum cli_option {
	CLI_STATE,
	CLI_LANE,
	CLI_ORIGIN,
	CLI_FOR,
	CLI_WORKER,
	CLI_MIN_INTERVAL,
	CLI_HELD,
	CLI_DEAD,
	CLI_ALL,
	CLI_IGNORE_SEARCH,
	CLI_HAR,
	CLI_FOLLOW,
	CLI_FORMAT,
	CLI_FILE,
	CLI_TIMEOUT,
	CLI_COUNT,
	CLI_VERBOSE,
	CLI_OPTIONS_N,
};

struct cli_option_spec {
	const char *name;  /* "--state" */
	const char *value; /* what follows it, for people; NULL: nothing does */
	const char *help;
};

struct cli_args {
	const char *option[CLI_OPTIONS_N]; /* NULL: not given; "" when it takes no value */
	const char *operand;		   /* NULL: not given */
	const char *second;		   /* operand; NULL: not given */
};

struct cli_spec; /* commands.h */

const struct cli_option_spec *cli_option_spec(enum cli_option option);
/* Reads @argv, what stands behind the words of the command. 0 or CLI_USAGE. */
int cli_args_read(const struct cli_spec *spec, int argc, char **argv, struct cli_args *out);
/* "15m", "2h", "90s", "1d", or milliseconds when there is no unit; at most a year and
 * a day. False: it is none. */
bool cli_args_time(const char *text, unsigned long long *ms);

#endif
