/* SPDX-License-Identifier: Apache-2.0 */
/* Requests by id: targets of the control protocol. */
#ifndef HF_CLI_REQUEST_H
#define HF_CLI_REQUEST_H

#include "cli/cli.h"

#define CLI_TARGET_SIZE 96

/* "/.holdfast/requests/<id>" and @suffix into @out; false when @id is not one. */
bool cli_request_target(const char *id, const char *suffix, char out[CLI_TARGET_SIZE]);

/* Calls @each with the members of every page of /.holdfast/requests?@query, until
 * it returns non-zero. An exit code, 0 at the end. @each gets the page's text too. */
struct cJSON;
struct hf_span;
int cli_request_pages(struct cli *c, const char *query,
		      int (*each)(void *user, const struct cJSON *requests,
				  const struct hf_span *page),
		      void *user);

#endif
