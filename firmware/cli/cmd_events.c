/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what the daemon still knows of, then, with --follow, what happens. One line
 * per event: when, its type, and what it is about.
 */
#include <stdio.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/event_json.h"
#include "cli/json.h"
#include "cli/sse_read.h"
#include "cli/text.h"

#define NAME_WIDTH 13

#define QUIET_MS 500 /* without --follow: no more known events after this pause */

static void put_value(const cJSON *item)
{
	char *text;

	if (cJSON_IsString(item)) {
		cli_put_safe(stdout, hf_span_str(item->valuestring));
		return;
	}
	text = cJSON_PrintUnformatted(item);
	if (text)
		cli_put_safe(stdout, hf_span_str(text));
	cJSON_free(text);
}

/* "2026-11-21 10:42:07", local time; stars when the daemon did not know it. */
static void put_time(const cJSON *j)
{
	const char *at = cli_json_text(j, "at", "");
	char text[32] = "****-**-** **:**:**";
	struct tm utc = { 0 }, local;
	time_t seconds;

	if (sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec) == 6) {
		utc.tm_year -= 1900;
		utc.tm_mon--;
		seconds = timegm(&utc);
		if (localtime_r(&seconds, &local))
			strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	}
	printf("%s  ", text);
}

static void put_text(const cJSON *j, const char *before, const char *name)
{
	const char *text = cli_json_text(j, name, "");

	if (!text[0])
		return;
	fputs(before, stdout);
	cli_put_safe(stdout, hf_span_str(text));
}

/* "01J... POST /api/orders: answer 201, network, 2 attempts" */
static void put_request(const cJSON *j)
{
	double status = cli_json_number(j, "status", 0), n = cli_json_number(j, "attempts", 0);
	const char *before = ": ";

	put_text(j, "", "id");
	put_text(j, " ", "method");
	put_text(j, " ", "url");
	if (status > 0) {
		printf("%sanswer %.0f", before, status);
		before = ", ";
	}
	if (cli_json_text(j, "reason", "")[0]) {
		put_text(j, before, "reason");
		before = ", ";
	}
	if (n > 1) {
		printf("%s%.0f attempts", before, n);
		before = ", ";
	}
	if (cli_json_text(j, "replaces", "")[0]) {
		fputs(before, stdout);
		put_text(j, "again for ", "replaces");
	}
}

/* "link up, address assigned, clock synced, net unknown, shop up" */
static void put_connectivity(const cJSON *j)
{
	const cJSON *o;

	put_text(j, "link ", "link");
	put_text(j, ", address ", "address");
	put_text(j, ", clock ", "clock");
	put_text(j, ", net ", "net");
	cJSON_ArrayForEach(o, cli_json_at(j, "origins"))
	{
		fputs(", ", stdout);
		cli_put_safe(stdout, hf_span_str(o->string ? o->string : "?"));
		putchar(' ');
		put_value(o);
	}
}

static void put_members(const cJSON *j)
{
	const char *before = "";

	for (const cJSON *m = j->child; m; m = m->next) {
		if (cJSON_IsNull(m) || strcmp(m->string, "at") == 0)
			continue;
		fputs(before, stdout);
		before = " ";
		cli_put_safe(stdout, hf_span_str(m->string));
		putchar('=');
		put_value(m);
	}
}

static void print_for_people(struct hf_span event, struct hf_span data, const cJSON *j)
{
	put_time(j);
	cli_put_safe(stdout, event);
	for (size_t i = event.len; i < NAME_WIDTH; i++)
		putchar(' ');
	if (!cJSON_IsObject(j))
		cli_put_safe(stdout, data);
	else if (hf_span_eq_str(event, "gap"))
		fputs("events were missed", stdout);
	else if (hf_span_eq_str(event, "connectivity"))
		put_connectivity(j);
	else if (cli_json_at(j, "id"))
		put_request(j);
	else
		put_members(j);
	putchar('\n');
}

struct printer {
	struct cli *c;
	unsigned n;
};

static int on_event(void *user, struct hf_span event, struct hf_span id, struct hf_span data)
{
	struct printer *p = user;
	cJSON *j = cli_json_parse(data);

	/* the command asks from the very first event on: a gap is no news then */
	if (p->c->json)
		cli_put_event(event, id.ptr ? id : HF_SPAN(""), data, j != NULL);
	else if (p->n > 0 || !hf_span_eq_str(event, "gap"))
		print_for_people(event, data, j);
	p->n++;
	cli_json_free(j);
	fflush(stdout);
	return 0;
}

static int on_body(void *user, struct hf_span data)
{
	return cli_sse_feed(user, data) ? cli_fail(CLI_NO, "an event is too large") : 0;
}

int cli_events(struct cli *c, const struct cli_args *args)
{
	bool follow = args->option[CLI_FOLLOW] != NULL;
	struct printer printer = { c, 0 };
	struct cli_reply reply;
	struct cli_sse sse;
	struct cli_request req = {
		.method = "GET",
		.target = "/.holdfast/events",
		.last_event_id = "0",
		.idle_timeout_ms = follow ? -1 : QUIET_MS,
		.idle_is_end = !follow,
		.on_body = on_body,
		.user = &sse,
	};
	int err;

	cli_sse_init(&sse, on_event, &printer);
	err = cli_call(c, &req, &reply);
	if (!err && reply.status / 100 != 2)
		err = cli_said_no(c, &reply);
	else if (!err && follow)
		err = cli_fail(CLI_NO_DAEMON, "the daemon ended the stream");
	cli_sse_finish(&sse);
	cli_reply_finish(&reply);
	return err;
}
