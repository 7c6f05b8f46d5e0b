/* SPDX-License-Identifier: Apache-2.0 */
/* The `holdfast` command against a server of canned answers, a child process. */
#ifndef CLI_RIG_H
#define CLI_RIG_H

#include <stdbool.h>

#define CLI_TEXT_MAX (256 * 1024)

/* What the server answers to a request line; the connection stays open after it
 * when @hold is set. */
struct canned {
	const char *request; /* "GET /.holdfast/status" */
	const char *answer;
	bool hold;
};

#define JSON(status, body) \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define PROBLEM(status, detail)                                                                  \
	"HTTP/1.1 " status "\r\nContent-Type: application/problem+json\r\nConnection: close\r\n" \
	"\r\n{\"title\":\"No\",\"detail\":\"" detail "\"}"

/* Of the last run: stdout, stderr, the request lines that the server has got. */
extern char out_text[CLI_TEXT_MAX], err_text[CLI_TEXT_MAX], log_text[CLI_TEXT_MAX];
extern char socket_path[64];

/* Group set-up and tear-down. */
int cli_rig_make(void **state);
int cli_rig_remove(void **state);

/* Runs `holdfast --socket ... @words` ("queue list --json", split at spaces; "''" is an
 * empty word; without --socket when they begin with "-complete") against @canned (NULL: no server). Returns its exit code. */
int run(const struct canned *canned, const char *words);
void expect(const struct canned *canned, const char *words, int code, const char *out);
/* No line of what was printed is wider than 80 columns. */
void expect_fits(void);

#endif
