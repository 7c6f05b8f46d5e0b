/* SPDX-License-Identifier: Apache-2.0 */
/* queue export: the daemon's lines as they come, or one HTTP archive (HAR 1.2). */
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/har.h"
#include "cli/json.h"
#include "cli/request.h"
#include "cli/text.h"

#define LINE_MAX ((size_t)96 * 1024 * 1024)

struct export
{
	struct hf_buf line; /* that is not whole yet */
	struct cJSON *status;
	size_t n;
};

static int cannot_write(void)
{
	return cli_fail(CLI_NO, "the export cannot be written");
}

static int write_out(void *user, struct hf_span data)
{
	(void)user;
	cli_put_bytes(data);
	return ferror(stdout) ? cannot_write() : 0;
}

static int put_entry(struct export *e)
{
	struct cJSON *request = cli_json_parse(hf_buf_span(&e->line));

	hf_buf_clear(&e->line);
	if (!request)
		return cli_fail(CLI_NO_DAEMON, "a line of the export is not JSON");
	fputs(e->n++ ? ",\n" : "\n", stdout);
	if (!cli_har_put(request, e->status)) {
		cli_json_free(request);
		return cli_fail(CLI_NO, "out of memory");
	}
	cli_json_free(request);
	return ferror(stdout) ? cannot_write() : 0;
}

static int take_lines(void *user, struct hf_span data)
{
	struct export *e = user;
	int err = 0;

	while (data.len > 0 && !err) {
		const char *end = memchr(data.ptr, '\n', data.len);
		size_t n = end ? (size_t)(end - data.ptr) : data.len;

		if (hf_buf_append(&e->line, hf_span(data.ptr, n)))
			return cli_fail(CLI_NO, "a request is too large");
		if (end)
			err = put_entry(e);
		data = hf_span_skip(data, end ? n + 1 : n);
	}
	return err;
}

static int fetch(struct cli *c, const struct cli_args *args,
		 int (*on_body)(void *user, struct hf_span data), void *user)
{
	struct cli_request req = { .method = "GET", .on_body = on_body, .user = user };
	const char *state = args->option[CLI_STATE];
	char target[160] = "/.holdfast/export";
	struct cli_reply reply;
	int err;

	if (state && strstr(state, "all"))
		state = "queued,inflight,held,settled,dead,cancelled";
	if (state)
		snprintf(target, sizeof(target), "/.holdfast/export?state=%s", state);
	req.target = target;
	err = cli_call(c, &req, &reply);
	if (!err && reply.status / 100 != 2)
		err = cli_said_no(c, &reply);
	cli_reply_finish(&reply);
	return err;
}

/* The status says at which URL each origin is. */
static int fetch_archive(struct cli *c, const struct cli_args *args)
{
	struct export e = { .n = 0 };
	struct cli_reply reply;
	int err = cli_ask(c, "GET", "/.holdfast/status", &reply);

	hf_buf_init(&e.line, LINE_MAX);
	if (!err) {
		e.status = cli_json_parse(hf_buf_span(&reply.body));
		cli_har_begin();
		err = fetch(c, args, take_lines, &e);
	}
	if (!err)
		cli_har_end();
	cli_json_free(e.status);
	hf_buf_finish(&e.line);
	cli_reply_finish(&reply);
	return err;
}

int cli_queue_export(struct cli *c, const struct cli_args *args)
{
	const char *state = args->option[CLI_STATE];
	int err;

	if (state && !cli_request_states(state))
		return cli_request_no_state(state);
	if (args->option[CLI_HAR])
		err = fetch_archive(c, args);
	else
		err = fetch(c, args, write_out, NULL);
	if (fflush(stdout) != 0 && !err)
		err = cannot_write();
	return err;
}
