/* SPDX-License-Identifier: Apache-2.0 */
/* health: what the daemon makes of how long things wait. */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/text.h"

int cli_status_ask(struct cli *c, struct cli_reply *reply, struct cJSON **j)
{
	int err = cli_ask(c, "GET", "/.holdfast/status", reply);

	if (err)
		return err;
	*j = cli_json_parse(hf_buf_span(&reply->body));
	return cJSON_IsObject(*j) ? 0 : cli_fail(CLI_NO_DAEMON, "the answer is not a status");
}

void cli_status_put(const struct cJSON *status, const char *member)
{
	char *text = cJSON_PrintUnformatted(cli_json_at(status, member));

	cli_put_raw(hf_span_str(text ? text : "null"));
	cJSON_free(text);
}

static int code_of(const cJSON *status)
{
	const char *state = cli_json_text(status, "health.state", "unknown");

	if (strcmp(state, "ok") == 0)
		return CLI_OK;
	return strcmp(state, "degraded") == 0 ? CLI_DEGRADED : CLI_STUCK;
}

int cli_health_print(const struct cJSON *status)
{
	const cJSON *reasons = cli_json_at(status, "health.reasons"), *reason;
	double more = cli_json_number(status, "health.reasonsNotShown", 0);
	const char *before = ": ";

	cli_put_safe(stdout, hf_span_str(cli_json_text(status, "health.state", "unknown")));
	cJSON_ArrayForEach(reason, reasons)
	{
		fputs(before, stdout);
		cli_put_safe(stdout,
			     hf_span_str(cJSON_IsString(reason) ? reason->valuestring : "?"));
		before = "\n  ";
	}
	if (more > 0)
		printf("\n  and %.0f more", more);
	putchar('\n');
	return code_of(status);
}

int cli_health(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	cJSON *j = NULL;
	int err = cli_status_ask(c, &reply, &j);

	(void)args;
	if (!err && c->json) {
		cli_status_put(j, "health");
		err = code_of(j);
	} else if (!err) {
		err = cli_health_print(j);
	}
	cli_json_free(j);
	cli_reply_finish(&reply);
	return err;
}
