/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on one request: queue show, retry, cancel. */
#include "cli/request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "base/ulid.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/text.h"

#define PREFIX_MIN 6 /* letters of an id that is shortened */
#define NAMED_MAX  3 /* requests that are named when several begin so */

/* ---- ids ---- */

static int not_an_id(const char *text)
{
	return cli_usage("%s is not an id; ids have %d letters and digits, of which the first %d "
			 "or more will do. `holdfast queue list` shows them",
			 text, HF_ULID_LEN, PREFIX_MIN);
}

struct search {
	const char *prefix;
	char found[NAMED_MAX][HF_ULID_LEN + 1];
	size_t n;
};

static int compare_ids(void *user, const struct cJSON *requests, const struct hf_span *page)
{
	struct search *s = user;
	const cJSON *r;

	(void)page;
	cJSON_ArrayForEach(r, requests)
	{
		const char *id = cli_json_text(r, "id", "");

		if (strncasecmp(id, s->prefix, strlen(s->prefix)) != 0)
			continue;
		if (s->n < NAMED_MAX)
			snprintf(s->found[s->n], sizeof(s->found[0]), "%s", id);
		s->n++;
	}
	return 0;
}

static int ambiguous(const struct search *s)
{
	char more[40] = "";

	if (s->n > 2)
		snprintf(more, sizeof(more), " and %zu more", s->n - 2);
	return cli_fail(CLI_NO, "%s is the beginning of %zu ids: %s, %s%s. Give more of it",
			s->prefix, s->n, s->found[0], s->found[1], more);
}

static bool is_prefix(const char *text)
{
	size_t len = strlen(text);

	return len >= PREFIX_MIN && len < HF_ULID_LEN &&
	       strspn(text, "0123456789abcdefghjkmnpqrstvwxyzABCDEFGHJKMNPQRSTVWXYZ") == len;
}

/* The id that @text is, or begins. */
static int find_id(struct cli *c, const char *text, char id[HF_ULID_LEN + 1])
{
	struct search s = { .prefix = text };
	uint64_t hi, lo;
	int err;

	if (hf_ulid_parse(hf_span_str(text), &hi, &lo) == 0) {
		snprintf(id, HF_ULID_LEN + 1, "%s", text);
		return 0;
	}
	if (!is_prefix(text))
		return not_an_id(text);
	err = cli_request_pages(c, "", compare_ids, &s);
	if (err)
		return err;
	if (s.n == 0)
		return cli_fail(CLI_NO,
				"no request has an id that begins with %s; `holdfast queue "
				"list --state all` shows all",
				text);
	if (s.n > 1)
		return ambiguous(&s);
	snprintf(id, HF_ULID_LEN + 1, "%s", s.found[0]);
	return 0;
}

/* Asks for the resource of the request that @text names. */
static int ask_about(struct cli *c, const char *method, const char *text, const char *suffix,
		     char id[HF_ULID_LEN + 1], struct cli_reply *reply)
{
	char target[96];
	int err = find_id(c, text, id);

	*reply = (struct cli_reply){ 0 };
	if (err)
		return err;
	snprintf(target, sizeof(target), "/.holdfast/requests/%s%s", id, suffix);
	return cli_ask(c, method, target, reply);
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

int cli_queue_show(struct cli *c, const struct cli_args *args)
{
	char id[HF_ULID_LEN + 1];
	struct cli_reply reply;
	cJSON *j;
	int err = ask_about(c, "GET", args->operand, "", id, &reply);

	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		put_line("id", cli_json_text(j, "id", id));
		put_state(j);
		put_line("method", cli_json_text(j, "method", "-"));
		put_line("url", cli_json_text(j, "url", "-"));
		put_line("origin", cli_json_text(j, "origin", "-"));
		put_line("lane", cli_json_text(j, "lane", "-"));
		put_line("tag", cli_json_text(j, "tag", "-"));
		put_line("key", cli_json_text(j, "idempotencyKey", "-"));
		if (cli_json_text(j, "after", "")[0])
			put_line("after", cli_json_text(j, "after", ""));
		put_figures(j);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

/* ---- cancel ---- */

int cli_queue_cancel(struct cli *c, const struct cli_args *args)
{
	char id[HF_ULID_LEN + 1];
	struct cli_reply reply;
	int err = ask_about(c, "DELETE", args->operand, "", id, &reply);

	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		printf("%s is cancelled.\n", id);
	cli_reply_finish(&reply);
	return err;
}

/* ---- retry ---- */

static int retry_one(struct cli *c, const char *text)
{
	char id[HF_ULID_LEN + 1];
	struct cli_reply reply;
	const char *new_id;
	cJSON *j;
	int err = ask_about(c, "POST", text, "/retry", id, &reply);

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

int cli_queue_retry(struct cli *c, const struct cli_args *args)
{
	bool held = args->option[CLI_HELD], dead = args->option[CLI_DEAD];

	if (held + dead + (args->operand != NULL) != 1)
		return cli_usage("queue retry takes one ID, or --held or --dead for all of these");
	return args->operand ? retry_one(c, args->operand) : retry_all(c, held ? "held" : "dead");
}
