/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which commands there are. Parsing, help and completion read this one table;
 * tests/gates/cli.sh holds the man page against it.
 */
#ifndef HF_CLI_COMMANDS_H
#define HF_CLI_COMMANDS_H

#include "cli/args.h"

#define CLI_NAME_SIZE 32

typedef int cli_command(struct cli *c, const struct cli_args *args);

struct cli_spec {
	const char *group, *word; /* group NULL: a command of one word */
	const char *operand;	  /* "ID", "CACHE [URL]" for a second one; NULL: none */
	bool operand_optional;
	unsigned options; /* bits of 1 << enum cli_option */
	const char *brief;
	const char *more; /* lines for --help, NULL: none */
	cli_command *run;
};

extern const struct cli_spec cli_commands[];
extern const size_t cli_commands_n;

/* "queue list" */
char *cli_spec_name(const struct cli_spec *spec, char out[CLI_NAME_SIZE]);
/* The command that @argv begins with, and how many of its words that are; NULL: none. */
const struct cli_spec *cli_find(int argc, char **argv, int *used);

/* help.c: of all commands; of one. */
int cli_help_all(void);
int cli_help_one(const struct cli_spec *spec);
/* complete.c: prints what the last of @argv, the words behind "holdfast", may become,
 * one a line. */
int cli_complete(struct cli *c, int argc, char **argv);

cli_command cli_status, cli_health, cli_version, cli_store, cli_store_check, cli_events;
cli_command cli_lanes, cli_hold, cli_release;
cli_command cli_queue_list, cli_queue_show, cli_queue_retry, cli_queue_cancel, cli_queue_export;
cli_command cli_cache_list, cli_cache_show, cli_cache_purge, cli_cache_install;
cli_command cli_coap_get, cli_coap_put, cli_coap_post, cli_coap_delete, cli_coap_fetch,
	cli_coap_patch;
cli_command cli_coap_observe;
cli_command cli_metrics, cli_sync_now, cli_sync_list, cli_sync_register, cli_sync_unregister;
cli_command cli_periodic_list, cli_periodic_register, cli_periodic_unregister;

#endif
