/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on periodic background sync: list, register, unregister. */
#include <math.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/registration.h"
#include "cli/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "success 3m ago", "answer 500 12s ago" */
static void last_run(const cJSON *r, char *out, size_t size)
{
	const cJSON *last = cli_json_at(r, "lastResult");
	double status = cli_json_number(last, "status", 0);
	const char *result = cli_json_text(last, "result", "");
	const char *reason = cli_json_text(last, "reason", result);
	char ago[CLI_WORD_SIZE], number[CLI_WORD_SIZE] = "";

	if (!result[0]) {
		snprintf(out, size, "-");
		return;
	}
	if (reason != result && status > 0)
		snprintf(number, sizeof(number), " %.0f", status);
	snprintf(out, size, "%s%s %s ago", reason, number,
		 cli_duration(cli_json_number(last, "ageSeconds", -1), ago));
}

static void add_row(struct cli_table *t, const cJSON *r)
{
	double next = cli_json_number(r, "nextDueInMs", -1000);
	char word[CLI_WORD_SIZE], last[64];

	cli_table_add(t, cli_json_text(r, "tag", "-"));
	cli_table_add(t, cli_json_text(r, "worker", "-"));
	cli_table_add(t, cli_json_text(r, "state", "-"));
	cli_table_add(t, cli_duration(ceil(cli_json_number(r, "interval", -1000) / 1000), word));
	cli_table_add(t, cli_duration(ceil(next / 1000), word));
	cli_table_add(t, cli_count(cli_json_number(r, "runs", -1), word));
	last_run(r, last, sizeof(last));
	cli_table_add(t, last);
	cli_table_add(t, cli_json_text(r, "waitsFor", "-"));
}

int cli_periodic_list(struct cli *c, const struct cli_args *args)
{
	static const struct cli_column columns[] = {
		{ "TAG", false, 12 },  { "WORKER", false, 6 }, { "STATE", false, 0 },
		{ "EVERY", true, 0 },  { "NEXT", true, 0 },    { "RUNS", true, 0 },
		{ "LAST", false, 10 }, { "FOR", false, 0 },
	};
	struct cli_registration r = { .resource = "periodicsync",
				      .worker = args->option[CLI_WORKER] };

	return cli_registration_list(c, &r, columns, COUNT(columns), add_row);
}

static int change(struct cli *c, const struct cli_args *args, const char *method, const char *words)
{
	struct cli_registration r = { .resource = "periodicsync" };
	int err = cli_registration_options(args, &r);

	return err ? err : cli_registration_change(c, &r, method, words);
}

int cli_periodic_register(struct cli *c, const struct cli_args *args)
{
	return change(c, args, "POST", " is registered.");
}

int cli_periodic_unregister(struct cli *c, const struct cli_args *args)
{
	return change(c, args, "DELETE", " is not registered any more.");
}
