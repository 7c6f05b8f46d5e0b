/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the status that several commands print. */
#ifndef HF_CLI_STATUS_H
#define HF_CLI_STATUS_H

#include "cli/client.h"

struct cJSON;

/* Asks for the status. An exit code; else @j is an object, for cli_json_free. @reply is
 * to be finished in any case. */
int cli_status_ask(struct cli *c, struct cli_reply *reply, struct cJSON **j);
/* Prints a member of it as JSON. */
void cli_status_put(const struct cJSON *status, const char *member);
/* The member @ms in whole seconds, rounded up; -1: there is none. */
double cli_seconds_of(const struct cJSON *j, const char *ms);
/* "ok", or "degraded" or "stuck" and why, a line each. CLI_OK, CLI_DEGRADED, CLI_STUCK. */
int cli_health_print(const struct cJSON *status);
void cli_lanes_print(const struct cJSON *lanes);
/* What the operator holds; nothing when there is nothing. */
void cli_holds_print(const struct cJSON *holds);
/* What is wrong with the store, a line each. */
void cli_store_warn(const struct cJSON *status);
/* The member "caches" of the status; NULL is fine. */
void cli_caches_print(const struct cJSON *caches);

#endif
