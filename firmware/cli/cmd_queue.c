/* SPDX-License-Identifier: Apache-2.0 */
/* queue list, and reading the list page by page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/request.h"
#include "cli/table.h"
#include "cli/text.h"

#define PAGE_ENTRIES 500
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- pages ---- */

static int page_target(const char *query, const char *after, struct hf_buf *out)
{
	int err = hf_buf_appendf(out, "/.holdfast/requests?limit=%d", PAGE_ENTRIES);

	if (!err && query[0])
		err = hf_buf_appendf(out, "&%s", query);
	if (!err && after[0])
		err = hf_buf_append_str(out, "&after=");
	if (!err && after[0])
		err = cli_encode(out, after);
	return err;
}

/* One page; *after becomes the id it ends with, "" at the end of the list. */
static int one_page(struct cli *c, const char *query, char after[64],
		    int (*each)(void *user, const cJSON *requests, const struct hf_span *page),
		    void *user)
{
	struct hf_buf target;
	struct cli_reply reply;
	struct hf_span page;
	const char *text;
	cJSON *j;
	int err;

	hf_buf_init(&target, 8192);
	if (page_target(query, after, &target) != 0 || !(text = hf_buf_cstr(&target))) {
		hf_buf_finish(&target);
		return cli_usage("the name of the lane is too long");
	}
	err = cli_ask(c, "GET", text, &reply);
	hf_buf_finish(&target);
	if (!err) {
		page = hf_buf_span(&reply.body);
		j = cli_json_parse(page);
		snprintf(after, 64, "%s", cli_json_text(j, "next", ""));
		err = cJSON_IsArray(cli_json_at(j, "requests")) ?
			      each(user, cli_json_at(j, "requests"), &page) :
			      cli_fail(CLI_NO_DAEMON, "the answer is not a list of requests");
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

int cli_request_pages(struct cli *c, const char *query,
		      int (*each)(void *user, const struct cJSON *requests,
				  const struct hf_span *page),
		      void *user)
{
	char after[64] = "", before[64];
	int err;

	do {
		memcpy(before, after, sizeof(before));
		err = one_page(c, query, after, each, user);
	} while (!err && after[0] && strcmp(before, after) != 0);
	return err;
}

/* ---- list ---- */

static const char *const states[] = {
	"queued", "inflight", "held", "settled", "dead", "cancelled", "all",
};

static const char states_default[] = "queued,inflight,held,dead";

struct list_options {
	const char *state, *lane;
};

bool cli_request_states(const char *text)
{
	struct hf_span rest = hf_span_str(text);

	while (rest.ptr) {
		struct hf_span word = hf_span_cut(&rest, ',');
		size_t i = 0;

		while (i < COUNT(states) && !hf_span_eq_str(word, states[i]))
			i++;
		if (i == COUNT(states))
			return false;
	}
	return true;
}

int cli_request_no_state(const char *text)
{
	return cli_usage("there is no state %s; there are queued, inflight, held, settled, dead, "
			 "cancelled, and all",
			 text);
}

static int parse_list(const struct cli_args *args, struct list_options *o)
{
	*o = (struct list_options){ states_default, args->option[CLI_LANE] };
	if (args->option[CLI_STATE])
		o->state = args->option[CLI_STATE];
	if (!cli_request_states(o->state))
		return cli_request_no_state(o->state);
	return 0;
}

static int build_query(const struct list_options *o, struct hf_buf *out)
{
	int err = 0;

	if (!strstr(o->state, "all"))
		err = hf_buf_appendf(out, "state=%s", o->state);
	if (!err && o->lane)
		err = hf_buf_append_str(out, out->len ? "&lane=" : "lane=");
	if (!err && o->lane)
		err = cli_encode(out, o->lane);
	return err;
}

static int print_page(void *user, const struct cJSON *requests, const struct hf_span *page)
{
	(void)user;
	(void)requests;
	cli_put_raw(*page);
	return 0;
}

static int add_rows(void *user, const struct cJSON *requests, const struct hf_span *page)
{
	struct cli_table *t = user;
	char word[CLI_WORD_SIZE], request[600];
	const cJSON *r;

	(void)page;
	cJSON_ArrayForEach(r, requests)
	{
		cli_table_add(t, cli_json_text(r, "id", "-"));
		cli_table_add(t, cli_json_text(r, "state", "-"));
		cli_table_add(t, cli_json_text(r, "lane", "-"));
		cli_table_add(t, cli_duration(cli_json_number(r, "ageSeconds", -1), word));
		cli_table_add(
			t, cli_duration(ceil(cli_json_number(r, "nextAttemptInMs", -1000) / 1000),
					word));
		snprintf(request, sizeof(request), "%s %s", cli_json_text(r, "method", "-"),
			 cli_json_text(r, "url", "-"));
		cli_table_add(t, request);
	}
	return 0;
}

static void print_none(const struct list_options *o)
{
	if (o->state == states_default && !o->lane)
		fputs("The queue is empty", stdout);
	else if (o->state == states_default)
		fputs("The queue holds nothing", stdout);
	else if (strstr(o->state, "all"))
		fputs("No request is known", stdout);
	else
		printf("No request is %s", o->state);
	if (o->lane) {
		fputs(" in lane ", stdout);
		cli_put_safe(stdout, hf_span_str(o->lane));
	}
	fputs(".\n", stdout);
}

static int print_table(struct cli *c, const char *query, const struct list_options *o)
{
	static const struct cli_column columns[] = {
		{ "ID", false, 0 }, { "STATE", false, 0 }, { "LANE", false, 8 },
		{ "AGE", true, 0 }, { "NEXT", true, 0 },   { "REQUEST", false, 20 },
	};
	struct cli_table t;
	int err;

	cli_table_init(&t, columns, COUNT(columns));
	err = cli_request_pages(c, query, add_rows, &t);
	if (!err && t.cells_n == 0 && !t.nomem)
		print_none(o);
	else if (!err && !cli_table_print(&t))
		err = cli_fail(CLI_NO, "out of memory");
	cli_table_finish(&t);
	return err;
}

int cli_queue_list(struct cli *c, const struct cli_args *args)
{
	struct list_options o;
	struct hf_buf query;
	const char *text;
	int err = parse_list(args, &o);

	if (err)
		return err;
	hf_buf_init(&query, 4096);
	text = build_query(&o, &query) == 0 ? hf_buf_cstr(&query) : NULL;
	if (!text)
		err = cli_usage("the name of the lane is too long");
	else if (c->json)
		err = cli_request_pages(c, text, print_page, NULL);
	else
		err = print_table(c, text, &o);
	hf_buf_finish(&query);
	return err;
}
