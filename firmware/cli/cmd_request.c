/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on one request: queue show, retry, cancel. */
#include "cli/request.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/ulid.h"
#include "cli/client.h"
#include "cli/json.h"
#include "cli/text.h"

bool cli_request_target(const char *id, const char *suffix, char out[CLI_TARGET_SIZE])
{
	uint64_t hi, lo;

	if (hf_ulid_parse(hf_span_str(id), &hi, &lo) != 0)
		return false;
	snprintf(out, CLI_TARGET_SIZE, "/.holdfast/requests/%s%s", id, suffix);
	return true;
}

static int not_an_id(const char *text)
{
	return cli_usage("%s is not an id; ids have %d letters and digits, `holdfast queue list` "
			 "shows them",
			 text, HF_ULID_LEN);
}

/* ---- show ---- */

static void put_line(const char *name, const char *text)
{
	printf("%-14s", name);
	cli_put_safe(stdout, hf_span_str(text));
	putchar('\n');
}

/* "held: the origin refused it", "queued". */
static void put_state(const cJSON *j)
{
	const char *reason = cli_json_text(j, "reason", "");

	printf("%-14s", "state");
	cli_put_safe(stdout, hf_span_str(cli_json_text(j, "state", "unknown")));
	if (reason[0] && strcmp(reason, "none") != 0) {
		fputs(": ", stdout);
		cli_put_safe(stdout, hf_span_str(reason));
	}
	putchar('\n');
}

static void put_figures(const cJSON *j)
{
	char word[CLI_WORD_SIZE];
	double age = cli_json_number(j, "ageSeconds", -1);
	double next = cli_json_number(j, "nextAttemptInMs", -1);
	double status = cli_json_number(j, "response.status", -1);

	printf("%-14s", "accepted");
	cli_put_safe(stdout, hf_span_str(cli_json_text(j, "createdAt", "at an unknown time")));
	if (age >= 0)
		printf(", %s ago", cli_duration(age, word));
	printf("\n%-14s%s\n", "attempts", cli_count(cli_json_number(j, "attempts", -1), word));
	if (next >= 0)
		printf("%-14sin %s\n", "next attempt", cli_duration(ceil(next / 1000), word));
	if (status >= 0)
		printf("%-14s%s\n", "answer", cli_count(status, word));
}

int cli_queue_show(struct cli *c, int argc, char **argv)
{
	char target[CLI_TARGET_SIZE];
	struct cli_reply reply;
	cJSON *j;
	int err;

	if (argc != 1)
		return cli_usage("queue show takes one ID");
	if (!cli_request_target(argv[0], "", target))
		return not_an_id(argv[0]);
	err = cli_ask(c, "GET", target, &reply);
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		put_line("id", cli_json_text(j, "id", argv[0]));
		put_state(j);
		put_line("method", cli_json_text(j, "method", "-"));
		put_line("url", cli_json_text(j, "url", "-"));
		put_line("origin", cli_json_text(j, "origin", "-"));
		put_line("lane", cli_json_text(j, "lane", "-"));
		put_line("tag", cli_json_text(j, "tag", "-"));
		put_line("key", cli_json_text(j, "idempotencyKey", "-"));
		put_figures(j);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

/* ---- cancel ---- */

int cli_queue_cancel(struct cli *c, int argc, char **argv)
{
	char target[CLI_TARGET_SIZE];
	struct cli_reply reply;
	int err;

	if (argc != 1)
		return cli_usage("queue cancel takes one ID");
	if (!cli_request_target(argv[0], "", target))
		return not_an_id(argv[0]);
	err = cli_ask(c, "DELETE", target, &reply);
	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		printf("%s is cancelled.\n", argv[0]);
	cli_reply_finish(&reply);
	return err;
}

/* ---- retry ---- */

static int retry_one(struct cli *c, const char *id)
{
	char target[CLI_TARGET_SIZE];
	struct cli_reply reply;
	const char *new_id;
	cJSON *j;
	int err;

	assert(id);
	if (!cli_request_target(id, "/retry", target))
		return not_an_id(id);
	err = cli_ask(c, "POST", target, &reply);
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		new_id = cli_json_text(j, "id", id);
		printf("%s is queued again", id);
		if (strcmp(new_id, id) != 0) {
			fputs(" as ", stdout);
			cli_put_safe(stdout, hf_span_str(new_id));
		}
		fputs(".\n", stdout);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

struct ids {
	char (*v)[HF_ULID_LEN + 1];
	size_t n, cap;
};

static int collect_ids(void *user, const struct cJSON *requests, const struct hf_span *page)
{
	struct ids *ids = user;
	const cJSON *r;

	(void)page;
	cJSON_ArrayForEach(r, requests)
	{
		const char *id = cli_json_text(r, "id", "");

		if (ids->n == ids->cap) {
			size_t cap = ids->cap ? ids->cap * 2 : 64;
			void *v = realloc(ids->v, cap * sizeof(*ids->v));

			if (!v)
				return cli_fail(CLI_NO, "out of memory");
			ids->v = v;
			ids->cap = cap;
		}
		if (strlen(id) == HF_ULID_LEN)
			memcpy(ids->v[ids->n++], id, HF_ULID_LEN + 1);
	}
	return 0;
}

/* The ids are read first, because a retry changes the list. */
static int retry_all(struct cli *c, const char *state)
{
	struct ids ids = { NULL, 0, 0 };
	char query[32];
	int err, result = 0;

	snprintf(query, sizeof(query), "state=%s", state);
	err = cli_request_pages(c, query, collect_ids, &ids);

	for (size_t i = 0; i < ids.n && !err; i++) {
		int one = retry_one(c, ids.v[i]);

		if (one == CLI_NO_DAEMON)
			err = one;
		else if (one)
			result = one;
	}
	if (!err && ids.n == 0 && !c->json)
		printf("No request is %s.\n", state);
	free(ids.v);
	return err ? err : result;
}

int cli_queue_retry(struct cli *c, int argc, char **argv)
{
	if (argc != 1)
		return cli_usage("queue retry takes one ID, or --held or --dead for all of these");
	if (strcmp(argv[0], "--held") == 0 || strcmp(argv[0], "--dead") == 0)
		return retry_all(c, argv[0] + 2);
	return retry_one(c, argv[0]);
}
