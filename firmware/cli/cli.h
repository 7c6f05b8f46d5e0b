/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `holdfast` command: what its parts share. A command asks the daemon over
 * the control socket, prints the answer, and returns the exit code.
 */
#ifndef HF_CLI_CLI_H
#define HF_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes; from 64 on as in sysexits.h. */
enum {
	CLI_OK = 0,
	CLI_NO = 1, /* the daemon said no, or found something */
	CLI_USAGE = 64,
	CLI_NO_DAEMON = 69,
	CLI_NO_PERMISSION = 77,
};

#define CLI_SOCKET_DEFAULT "/run/holdfast/control.sock"

struct cli {
	const char *socket;
	bool json;
};

/* @args without the command's own words, NULL at the end. */
typedef int cli_command(struct cli *c, int argc, char **argv);

cli_command cli_status, cli_version, cli_store_check, cli_events;
cli_command cli_queue_list, cli_queue_show, cli_queue_retry, cli_queue_cancel, cli_queue_export;
cli_command cli_metrics, cli_sync_now, cli_sync_list, cli_sync_register, cli_sync_unregister;
cli_command cli_periodic_list, cli_periodic_register, cli_periodic_unregister;

/* Prints "holdfast: words" and where to find help; returns CLI_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints "holdfast: words"; returns @code. */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
