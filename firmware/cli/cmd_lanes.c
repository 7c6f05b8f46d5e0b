/* SPDX-License-Identifier: Apache-2.0 */
/* lanes, hold, release. */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- tables ---- */

static void add_lane(struct cli_table *t, const cJSON *l)
{
	double held = cli_json_number(l, "held", -1), depth = cli_json_number(l, "depth", -1);
	char word[CLI_WORD_SIZE];

	cli_table_add(t, cli_json_text(l, "lane", "-"));
	cli_table_add(t, cli_json_text(l, "origin", "-"));
	cli_table_add(t, cli_count(held > 0 ? depth - held : depth, word));
	cli_table_add(t, cli_count(held, word));
	cli_table_add(t, cli_duration(cli_json_number(l, "oldestAgeSeconds", -1), word));
	cli_table_add(t, cli_duration(cli_json_number(l, "lastProgressSecondsAgo", -1), word));
	cli_table_add(t, cli_duration(cli_seconds_of(l, "nextAttemptInMs"), word));
	cli_table_add(t, cli_json_text(l, "state", "-"));
	cli_table_add(t, cli_json_text(l, "reason", ""));
}

void cli_lanes_print(const struct cJSON *lanes)
{
	static const struct cli_column columns[] = {
		{ "LANE", false, 8 }, { "ORIGIN", false, 6 }, { "WAIT", true, 0 },
		{ "HELD", true, 0 },  { "OLDEST", true, 0 },  { "DONE", true, 0 },
		{ "NEXT", true, 0 },  { "STATE", false, 0 },  { "REASON", false, 8 },
	};
	struct cli_table t;
	const cJSON *l;

	cli_table_init(&t, columns, COUNT(columns));
	t.ends = 1;
	cJSON_ArrayForEach(l, lanes) add_lane(&t, l);
	cli_table_print(&t);
	cli_table_finish(&t);
}

static void put_time(const char *words, double seconds)
{
	char word[CLI_WORD_SIZE];

	if (seconds >= 0)
		printf(", %s %s", words, cli_duration(seconds, word));
}

void cli_holds_print(const struct cJSON *holds)
{
	const cJSON *h;

	cJSON_ArrayForEach(h, holds)
	{
		const char *lane = cli_json_text(h, "lane", NULL);

		fputs("On hold: ", stdout);
		if (lane) {
			fputs("lane ", stdout);
			cli_put_safe(stdout, hf_span_str(lane));
			fputs(" of ", stdout);
		}
		cli_put_safe(stdout, hf_span_str(cli_json_text(h, "origin", "?")));
		put_time("for", cli_json_number(h, "ageSeconds", -1));
		put_time("ends in", cli_json_number(h, "endsInSeconds", -1));
		putchar('\n');
	}
}

/* ---- asking ---- */

static int append(struct hf_buf *out, const char *name, const char *value)
{
	int err;

	if (!value)
		return 0;
	err = hf_buf_appendf(
		out, "%s%s=", memchr(out->data + out->start, '?', out->len) ? "&" : "?", name);
	return err ? err : cli_encode(out, value);
}

/* @resource with the filters of @args. */
static int ask(struct cli *c, const char *method, const char *resource, const struct cli_args *args,
	       const char *lane, const char *seconds, struct cli_reply *reply)
{
	struct hf_buf target;
	const char *text = NULL;
	int err;

	*reply = (struct cli_reply){ 0 };
	hf_buf_init(&target, 65536);
	err = hf_buf_appendf(&target, "/.holdfast/%s", resource);
	if (!err)
		err = append(&target, "lane", lane);
	if (!err)
		err = append(&target, "origin", args->option[CLI_ORIGIN]);
	if (!err)
		err = append(&target, "state", args->option[CLI_STATE]);
	if (!err)
		err = append(&target, "for", seconds);
	if (!err)
		text = hf_buf_cstr(&target);
	err = text ? cli_ask(c, method, text, reply) : cli_usage("the name is too long");
	hf_buf_finish(&target);
	return err;
}

static int print_lanes(const struct cli_args *args, const cJSON *j)
{
	const cJSON *lanes = cli_json_at(j, "lanes");

	if (!cJSON_IsArray(lanes))
		return cli_fail(CLI_NO_DAEMON, "the answer is not a list of lanes");
	if (cJSON_GetArraySize(lanes) > 0)
		cli_lanes_print(lanes);
	else if (args->option[CLI_LANE] || args->option[CLI_ORIGIN] || args->option[CLI_STATE])
		puts("No lane is like this.");
	else
		puts("There is no lane: nothing has waited yet.");
	cli_holds_print(cli_json_at(j, "holds"));
	return 0;
}

int cli_lanes(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	cJSON *j;
	int err = ask(c, "GET", "lanes", args, args->option[CLI_LANE], NULL, &reply);

	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		err = print_lanes(args, j);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

/* ---- hold, release ---- */

/* "Lane orders of shop", "Origin shop", "Everything" */
static void put_what(const cJSON *j)
{
	const char *lane = cli_json_text(j, "lane", NULL),
		   *origin = cli_json_text(j, "origin", NULL);

	fputs(lane ? "Lane " : origin ? "Origin " : "Everything", stdout);
	if (lane)
		cli_put_safe(stdout, hf_span_str(lane));
	if (lane)
		fputs(" of ", stdout);
	cli_put_safe(stdout, hf_span_str(origin ? origin : ""));
}

static int change(struct cli *c, const char *method, const struct cli_args *args,
		  const char *seconds)
{
	struct cli_reply reply;
	cJSON *j;
	double left;
	int err = ask(c, method, "holds", args, args->operand, seconds, &reply);

	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		put_what(j);
		left = cli_json_number(j, "endsInSeconds", -1);
		fputs(method[0] == 'D' ? " is released" : " is on hold", stdout);
		put_time("which ends in", left);
		puts(".");
		if (method[0] == 'P' && cli_json_number(j, "lanes", 1) == 0)
			puts("Nothing is in such a lane now.");
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

int cli_hold(struct cli *c, const struct cli_args *args)
{
	unsigned long long ms;
	char seconds[24];

	if (!args->operand && !args->option[CLI_ORIGIN])
		return cli_usage("hold takes a LANE, or --origin for all of an origin's");
	if (!args->option[CLI_FOR])
		return change(c, "POST", args, NULL);
	if (!cli_args_time(args->option[CLI_FOR], &ms) || ms < 1000)
		return cli_usage("--for is a time as 90s, 15m, 2h or 1d, at most 366 days");
	snprintf(seconds, sizeof(seconds), "%llu", ms / 1000);
	return change(c, "POST", args, seconds);
}

int cli_release(struct cli *c, const struct cli_args *args)
{
	bool one = args->operand || args->option[CLI_ORIGIN];

	if (one == (args->option[CLI_ALL] != NULL))
		return cli_usage("release takes a LANE or --origin, or --all");
	return change(c, "DELETE", args, NULL);
}
