/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what the daemon still knows of, then, with -f, what happens. One line
 * per event: its type and the fields of its data.
 */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/json.h"
#include "cli/sse_read.h"
#include "cli/text.h"
#include "http/values.h"

#define NAME_WIDTH 13

#define QUIET_MS 500 /* without -f: no more known events after this pause */

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

static void print_for_people(struct hf_span event, struct hf_span data, const cJSON *j)
{
	const cJSON *m;

	cli_put_safe(stdout, event);
	for (size_t i = event.len; i < NAME_WIDTH; i++)
		putchar(' ');
	if (!cJSON_IsObject(j))
		cli_put_safe(stdout, data);
	for (m = cJSON_IsObject(j) ? j->child : NULL; m; m = m->next) {
		if (cJSON_IsNull(m))
			continue;
		if (m != j->child)
			putchar(' ');
		cli_put_safe(stdout, hf_span_str(m->string));
		putchar('=');
		put_value(m);
	}
	putchar('\n');
}

/* {"event":"settled","id":"12","data":...} with the data as it came. */
static void print_json(struct hf_span event, struct hf_span id, struct hf_span data, const cJSON *j)
{
	struct hf_buf out;
	int err;

	hf_buf_init(&out, 8 * 1024 * 1024);
	err = hf_buf_append_str(&out, "{\"event\":");
	if (!err)
		err = hf_json_append_string(&out, event);
	if (!err)
		err = hf_buf_append_str(&out, ",\"id\":");
	if (!err)
		err = hf_json_append_string(&out, id);
	if (!err)
		err = hf_buf_append_str(&out, ",\"data\":");
	if (!err)
		err = j && !memchr(data.ptr, '\n', data.len) ? hf_buf_append(&out, data) :
							       hf_json_append_string(&out, data);
	if (!err && hf_buf_append_str(&out, "}\n") == 0)
		cli_put_raw(hf_buf_span(&out));
	hf_buf_finish(&out);
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
		print_json(event, id, data, j);
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

int cli_events(struct cli *c, int argc, char **argv)
{
	bool follow = argc == 1 && strcmp(argv[0], "-f") == 0;
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

	if (argc > 1 || (argc == 1 && !follow))
		return cli_usage("events takes nothing but -f, to follow");
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
