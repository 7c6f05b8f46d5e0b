/* SPDX-License-Identifier: Apache-2.0 */
/* status, metrics, version. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/text.h"
#include "holdfast/agent.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- status ---- */

double cli_seconds_of(const cJSON *j, const char *ms)
{
	double v = cli_json_number(j, ms, -1);

	return v < 0 ? -1 : ceil(v / 1000);
}

/* "portal captive, log in at https://portal.example/" */
static void print_portal(const cJSON *portal)
{
	const char *url = cli_json_text(portal, "url", NULL);
	const char *failure = cli_json_text(portal, "failure", NULL);
	const char *state = cli_json_text(portal, "state", "none");
	char left[CLI_WORD_SIZE];

	if (strcmp(state, "none") == 0)
		return;
	fputs("portal ", stdout);
	cli_put_safe(stdout, hf_span_str(state));
	if (cli_json_number(portal, "secondsRemaining", -1) >= 0)
		printf(", for %s",
		       cli_duration(cli_json_number(portal, "secondsRemaining", 0), left));
	if (url) {
		fputs(strcmp(state, "captive") == 0 ? ", log in at " : ", ", stdout);
		cli_put_safe(stdout, hf_span_str(url));
	}
	if (failure) {
		fputs("; its API: ", stdout);
		cli_put_safe(stdout, hf_span_str(failure));
	}
	putchar('\n');
}

static void print_summary(const cJSON *j)
{
	double connections = cli_json_number(j, "connections", -1);
	char up[CLI_WORD_SIZE], n[CLI_WORD_SIZE];
	static const char *const ladder[] = { "link", "address", "clock", "net" };
	char path[32];

	fputs("holdfastd ", stdout);
	cli_put_safe(stdout, hf_span_str(cli_json_text(j, "version", "?")));
	printf(", up %s, %s %s\n", cli_duration(cli_json_number(j, "uptimeSeconds", -1), up),
	       cli_count(connections, n), connections == 1 ? "connection" : "connections");
	for (size_t i = 0; i < COUNT(ladder); i++) {
		snprintf(path, sizeof(path), "connectivity.%s", ladder[i]);
		printf("%s%s ", i ? ", " : "", ladder[i]);
		cli_put_safe(stdout, hf_span_str(cli_json_text(j, path, "unknown")));
	}
	fputs("\n", stdout);
	print_portal(cli_json_at(j, "connectivity.portal"));
	fputs("\n", stdout);
}

static void print_origins(const cJSON *origins)
{
	static const struct cli_column columns[] = {
		{ "ORIGIN", false, 10 },    { "STATE", false, 10 },  { "SINCE", true, 0 },
		{ "LAST ANSWER", true, 0 }, { "NEXT TRY", true, 0 }, { "URL", false, 20 },
	};
	char word[CLI_WORD_SIZE], ago[CLI_WORD_SIZE + 8];
	struct cli_table t;
	const cJSON *o;

	cli_table_init(&t, columns, COUNT(columns));
	cJSON_ArrayForEach(o, origins)
	{
		double last = cli_json_number(o, "lastSuccessSecondsAgo", -1);

		cli_table_add(&t, cli_json_text(o, "name", "-"));
		cli_table_add(&t, cli_json_text(o, "state", "-"));
		cli_table_add(&t, cli_duration(cli_json_number(o, "sinceSeconds", -1), word));
		snprintf(ago, sizeof(ago), "%s%s", cli_duration(last, word),
			 last >= 0 ? " ago" : "");
		cli_table_add(&t, ago);
		cli_table_add(&t, cli_duration(cli_seconds_of(o, "nextTrialInMs"), word));
		cli_table_add(&t, cli_json_text(o, "url", "-"));
	}
	cli_table_print(&t);
	cli_table_finish(&t);
}

/* Why origins are not reached, below their table. */
static void print_failures(const cJSON *origins)
{
	char word[CLI_WORD_SIZE];
	bool first = true;
	const cJSON *o;

	cJSON_ArrayForEach(o, origins)
	{
		const char *failure = cli_json_text(o, "failure", NULL);

		if (!failure)
			continue;
		if (first)
			putchar('\n');
		first = false;
		cli_put_safe(stdout, hf_span_str(cli_json_text(o, "name", "-")));
		fputs(": ", stdout);
		cli_put_safe(stdout, hf_span_str(failure));
		printf(" (for %s)\n", cli_duration(cli_json_number(o, "failureSeconds", -1), word));
	}
}

static void print_credentials(const cJSON *credentials)
{
	static const struct cli_column columns[] = {
		{ "CREDENTIAL", false, 10 }, { "ORIGIN", false, 8 },	{ "STATE", false, 0 },
		{ "SINCE", true, 0 },	     { "EXPIRES IN", true, 0 }, { "NEXT TRY", true, 0 },
		{ "WHY", false, 20 },
	};
	char word[CLI_WORD_SIZE];
	struct cli_table t;
	const cJSON *c;

	if (cJSON_GetArraySize(credentials) == 0)
		return;
	putchar('\n');
	cli_table_init(&t, columns, COUNT(columns));
	cJSON_ArrayForEach(c, credentials)
	{
		cli_table_add(&t, cli_json_text(c, "name", "-"));
		cli_table_add(&t, cli_json_text(c, "origin", "-"));
		cli_table_add(&t, cli_json_text(c, "state", "-"));
		cli_table_add(&t, cli_duration(cli_json_number(c, "sinceSeconds", -1), word));
		cli_table_add(&t, cli_duration(cli_json_number(c, "expiresInSeconds", -1), word));
		cli_table_add(&t, cli_duration(cli_seconds_of(c, "nextTryInMs"), word));
		cli_table_add(&t, cli_json_text(c, "why", "-"));
	}
	cli_table_print(&t);
	cli_table_finish(&t);
}

static void print_lanes(const cJSON *j)
{
	const cJSON *lanes = cli_json_at(j, "lanes");
	double hidden = cli_json_number(j, "lanesNotShown", 0);

	putchar('\n');
	if (cJSON_GetArraySize(lanes) == 0)
		puts("The queue is empty.");
	else
		cli_lanes_print(lanes);
	if (hidden > 0)
		printf("and %.0f more, see `holdfast lanes`\n", hidden);
	cli_holds_print(cli_json_at(j, "holds"));
}

/* " accepted 120, dead 0": members of @group. */
static void print_counts(const cJSON *group, const char *const *names, size_t n)
{
	char word[CLI_WORD_SIZE];

	for (size_t i = 0; i < n; i++)
		printf("%s %s %s", i ? "," : "", names[i],
		       cli_count(cli_json_number(group, names[i], -1), word));
}

static void print_totals(const cJSON *j)
{
	static const char *const names[] = { "accepted", "delivered", "dead", "cancelled" };
	char word[CLI_WORD_SIZE], held_word[CLI_WORD_SIZE];
	double held = cli_json_number(j, "totals.held", -1);
	double waiting = cli_json_number(j, "totals.waiting", -1);

	/* for the daemon a held one waits too: for a person */
	printf("\nnow          waiting %s, held %s\nsince start ",
	       cli_count(held > 0 ? waiting - held : waiting, word), cli_count(held, held_word));
	print_counts(cli_json_at(j, "totals"), names, COUNT(names));
	putchar('\n');
}

/* There is such a member when CoAP is listened for. */
static void print_sensors(const cJSON *sensors)
{
	static const char *const names[] = { "accepted", "repeated", "refused", "unavailable",
					     "dropped" };

	if (!sensors)
		return;
	fputs("sensors     ", stdout);
	print_counts(sensors, names, COUNT(names));
	putchar('\n');
}

/* The soonest of the periodic registrations, and what has come of them. */
static void print_periodic(const cJSON *j)
{
	static const char *const names[] = { "waiting",	 "pending",   "firing",
					     "retrying", "succeeded", "failed" };
	const cJSON *all = cli_json_at(j, "periodicSync.registrations"), *r;
	char word[CLI_WORD_SIZE];
	double next = -1;

	if (cJSON_GetArraySize(all) == 0)
		return;
	cJSON_ArrayForEach(r, all)
	{
		double due = cli_seconds_of(r, "nextDueInMs");

		if (due >= 0 && (next < 0 || due < next))
			next = due;
	}
	fputs("periodic    ", stdout);
	print_counts(cli_json_at(j, "periodicSync"), names, COUNT(names));
	printf("\n             next in %s\n", cli_duration(next, word));
}

static void print_store(const cJSON *j)
{
	char used[CLI_WORD_SIZE], max[CLI_WORD_SIZE], today[CLI_WORD_SIZE], all[CLI_WORD_SIZE];

	printf("store        %s of %s, written %s today, %s since it was made\n",
	       cli_size(cli_json_number(j, "store.bytes", -1), used),
	       cli_size(cli_json_number(j, "store.bytesMax", -1), max),
	       cli_size(cli_json_number(j, "store.writtenToday", -1), today),
	       cli_size(cli_json_number(j, "store.writtenTotal", -1), all));
	cli_store_warn(j);
}

int cli_status(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	cJSON *j = NULL;
	int err = cli_status_ask(c, &reply, &j);

	(void)args;
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		cli_health_print(j);
		print_summary(j);
		print_origins(cli_json_at(j, "origins"));
		print_failures(cli_json_at(j, "origins"));
		print_credentials(cli_json_at(j, "credentials"));
		print_lanes(j);
		print_totals(j);
		print_sensors(cli_json_at(j, "sensors"));
		print_periodic(j);
		print_store(j);
		cli_caches_print(cli_json_at(j, "caches"));
	}
	cli_json_free(j);
	cli_reply_finish(&reply);
	return err;
}

/* ---- metrics ---- */

int cli_metrics(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	int err;

	(void)args;
	if (c->json)
		return cli_usage("metrics are no JSON; `holdfast status --json` has the figures");
	err = cli_ask(c, "GET", "/.holdfast/metrics", &reply);
	if (!err)
		cli_put_raw(hf_buf_span(&reply.body));
	cli_reply_finish(&reply);
	return err;
}

/* ---- version ---- */

int cli_version(struct cli *c, const struct cli_args *args)
{
	struct cli_request req = { .method = "GET", .target = "/.holdfast/status", .quiet = true };
	struct cli_reply reply;
	cJSON *j = NULL;
	const char *daemon;

	(void)args;
	if (cli_call(c, &req, &reply) == 0 && reply.status == 200)
		j = cli_json_parse(hf_buf_span(&reply.body));
	daemon = cli_json_text(j, "version", NULL);
	printf(c->json ? "{\"version\":\"%s\",\"daemon\":" : "holdfast %s\n", HOLDFAST_VERSION);
	if (daemon)
		fputs(c->json ? "\"" : "holdfastd ", stdout);
	if (daemon || c->json)
		cli_put_safe(stdout, hf_span_str(daemon ? daemon : "null"));
	if (daemon || c->json)
		fputs(!c->json ? "\n" : daemon ? "\"}\n" : "}\n", stdout);
	cli_json_free(j);
	cli_reply_finish(&reply);
	return 0;
}
