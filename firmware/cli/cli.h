/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `holdfast` command: what its parts share. A command asks the daemon over
 * the control socket, prints the answer, and returns the exit code.
 */
#ifndef HF_CLI_CLI_H
#define HF_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, one meaning each in all commands. */
enum {
	CLI_OK = 0,
	CLI_NO = 1, /* the daemon said no, or found something */
	CLI_USAGE = 2,
	CLI_NO_DAEMON = 3,
	CLI_NO_PERMISSION = 4,
	CLI_DEGRADED = 5, /* health */
	CLI_STUCK = 6,
};

#define CLI_SOCKET_DEFAULT "/run/holdfast/control.sock"

struct cli {
	const char *socket;
	bool json;
};

/* Prints "holdfast: words" and where to find help; returns CLI_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints "holdfast: words"; returns @code. */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
