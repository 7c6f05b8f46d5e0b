/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/registration.h"

#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/json.h"
#include "cli/text.h"

#define PAGE_ENTRIES 1000

int cli_registration_options(const struct cli_args *args, struct cli_registration *r)
{
	unsigned long long ms;

	r->tag = args->operand;
	r->worker = args->option[CLI_WORKER];
	if (!args->option[CLI_MIN_INTERVAL])
		return 0;
	if (!cli_args_time(args->option[CLI_MIN_INTERVAL], &ms))
		return cli_usage("--min-interval is a time as 90s, 15m, 2h or 1d, at most 366 "
				 "days");
	snprintf(r->min_interval_text, sizeof(r->min_interval_text), "%llu", ms);
	r->min_interval = r->min_interval_text;
	return 0;
}

/* ---- asking ---- */

static int append_parameter(struct hf_buf *out, const char *name, const char *value)
{
	int err = value ? hf_buf_appendf(out, "&%s=", name) : 0;

	return err || !value ? err : cli_encode(out, value);
}

/* "/.holdfast/sync?limit=1000&tag=...&worker=...&after=..." */
static const char *make_target(const struct cli_registration *r, const char *after,
			       struct hf_buf *out)
{
	int err = hf_buf_appendf(out, "/.holdfast/%s?limit=%d", r->resource, PAGE_ENTRIES);

	if (!err)
		err = append_parameter(out, "tag", r->tag);
	if (!err)
		err = append_parameter(out, "worker", r->worker);
	if (!err)
		err = append_parameter(out, "minInterval", r->min_interval);
	if (!err)
		err = append_parameter(out, "after", after[0] ? after : NULL);
	return err ? NULL : hf_buf_cstr(out);
}

static int ask(struct cli *c, const char *method, const struct cli_registration *r,
	       const char *after, struct cli_reply *reply)
{
	struct hf_buf target;
	const char *text;
	int err;

	hf_buf_init(&target, 65536);
	text = make_target(r, after, &target);
	err = text ? cli_ask(c, method, text, reply) : cli_usage("the tag is too long");
	hf_buf_finish(&target);
	return err;
}

int cli_registration_change(struct cli *c, const struct cli_registration *r, const char *method,
			    const char *words)
{
	struct cli_reply reply = { 0 };
	int err = ask(c, method, r, "", &reply);

	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		cli_put_safe(stdout, hf_span_str(r->tag));
		puts(words);
	}
	cli_reply_finish(&reply);
	return err;
}

/* ---- list ---- */

/* One page into the table, or as it came; *after becomes "" at the end. */
static int list_page(struct cli *c, const struct cli_registration *r, struct cli_table *t,
		     void (*add)(struct cli_table *t, const cJSON *registration), char after[32])
{
	struct cli_reply reply = { 0 };
	const cJSON *one;
	cJSON *j;
	int err = ask(c, "GET", r, after, &reply);

	after[0] = '\0';
	if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		snprintf(after, 32, "%s", cli_json_text(j, "next", ""));
		if (c->json)
			cli_put_raw(hf_buf_span(&reply.body));
		else
			cJSON_ArrayForEach(one, cli_json_at(j, "registrations")) add(t, one);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

int cli_registration_list(struct cli *c, const struct cli_registration *r,
			  const struct cli_column *columns, size_t columns_n,
			  void (*add)(struct cli_table *t, const cJSON *registration))
{
	struct cli_table t;
	char after[32] = "";
	int err;

	cli_table_init(&t, columns, columns_n);
	do {
		err = list_page(c, r, &t, add, after);
	} while (!err && after[0]);
	if (!err && !c->json && t.cells_n == 0 && !t.nomem)
		puts("No tag is registered.");
	else if (!err && !c->json && !cli_table_print(&t))
		err = cli_fail(CLI_NO, "out of memory");
	cli_table_finish(&t);
	return err;
}
