/* SPDX-License-Identifier: Apache-2.0 */
/* The list of requests, page by page. */
#ifndef HF_CLI_REQUEST_H
#define HF_CLI_REQUEST_H

#include "cli/cli.h"

struct cJSON;
struct hf_span;

/* Calls @each with the members of every page of /.holdfast/requests?@query, until
 * it returns non-zero. An exit code, 0 at the end. @each gets the page's text too. */
int cli_request_pages(struct cli *c, const char *query,
		      int (*each)(void *user, const struct cJSON *requests,
				  const struct hf_span *page),
		      void *user);
/* "queued,held": whether each word is a state of requests, or "all". */
bool cli_request_states(const char *text);
/* Says that @text is none; CLI_USAGE. */
int cli_request_no_state(const char *text);

#endif
