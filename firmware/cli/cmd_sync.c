/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on background sync: sync now, list, register, unregister. */
#include <math.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/registration.h"
#include "cli/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int cli_sync_now(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	int err;

	(void)args;
	err = cli_ask(c, "POST", "/.holdfast/sync-now", &reply);
	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		puts("Everything that waits is tried now.");
	cli_reply_finish(&reply);
	return err;
}

static void add_row(struct cli_table *t, const cJSON *r)
{
	double next = cli_json_number(r, "nextAttemptInMs", -1000);
	char word[CLI_WORD_SIZE];

	cli_table_add(t, cli_json_text(r, "tag", "-"));
	cli_table_add(t, cli_json_text(r, "worker", "-"));
	cli_table_add(t, cli_json_text(r, "state", "-"));
	cli_table_add(t, cli_count(cli_json_number(r, "attempts", -1), word));
	cli_table_add(t, cli_duration(cli_json_number(r, "ageSeconds", -1), word));
	cli_table_add(t, cli_duration(ceil(next / 1000), word));
	cli_table_add(t, cli_json_text(r, "reason", "-"));
}

int cli_sync_list(struct cli *c, const struct cli_args *args)
{
	static const struct cli_column columns[] = {
		{ "TAG", false, 20 },	{ "WORKER", false, 8 }, { "STATE", false, 0 },
		{ "FAILED", true, 0 },	{ "AGE", true, 0 },	{ "NEXT", true, 0 },
		{ "REASON", false, 0 },
	};
	struct cli_registration r = { .resource = "sync", .worker = args->option[CLI_WORKER] };

	return cli_registration_list(c, &r, columns, COUNT(columns), add_row);
}

static int change(struct cli *c, const struct cli_args *args, const char *method, const char *words)
{
	struct cli_registration r = { .resource = "sync" };
	int err = cli_registration_options(args, &r);

	return err ? err : cli_registration_change(c, &r, method, words);
}

int cli_sync_register(struct cli *c, const struct cli_args *args)
{
	return change(c, args, "POST", " is registered.");
}

int cli_sync_unregister(struct cli *c, const struct cli_args *args)
{
	return change(c, args, "DELETE", " is not registered any more.");
}
