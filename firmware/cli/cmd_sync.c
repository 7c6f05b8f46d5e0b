/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on background sync: sync now, list, register, unregister. */
#include <math.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/text.h"

#define PAGE_ENTRIES 1000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int cli_sync_now(struct cli *c, int argc, char **argv)
{
	struct cli_reply reply;
	int err;

	(void)argv;
	if (argc != 0)
		return cli_usage("sync now takes nothing");
	err = cli_ask(c, "POST", "/.holdfast/sync-now", &reply);
	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		puts("Everything that waits is tried now.");
	cli_reply_finish(&reply);
	return err;
}

struct sync_options {
	const char *tag, *worker; /* NULL: not given */
};

static int parse_options(int argc, char **argv, bool tag, struct sync_options *o)
{
	*o = (struct sync_options){ NULL, NULL };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--worker") == 0) {
			if (++i == argc)
				return cli_usage("--worker needs a value");
			o->worker = argv[i];
		} else if (tag && !o->tag) {
			o->tag = argv[i];
		} else {
			return cli_usage("%s is not understood here", argv[i]);
		}
	}
	return tag && !o->tag ? cli_usage("a tag is missing") : 0;
}

/* "/.holdfast/sync?tag=...&worker=...&after=..." */
static const char *make_target(const struct sync_options *o, const char *after, struct hf_buf *out)
{
	int err = hf_buf_appendf(out, "/.holdfast/sync?limit=%d", PAGE_ENTRIES);

	if (!err && o->tag)
		err = hf_buf_append_str(out, "&tag=");
	if (!err && o->tag)
		err = cli_encode(out, o->tag);
	if (!err && o->worker)
		err = hf_buf_append_str(out, "&worker=");
	if (!err && o->worker)
		err = cli_encode(out, o->worker);
	if (!err && after[0])
		err = hf_buf_appendf(out, "&after=%s", after);
	return err ? NULL : hf_buf_cstr(out);
}

static int ask(struct cli *c, const char *method, const struct sync_options *o, const char *after,
	       struct cli_reply *reply)
{
	struct hf_buf target;
	const char *text;
	int err;

	hf_buf_init(&target, 65536);
	text = make_target(o, after, &target);
	err = text ? cli_ask(c, method, text, reply) : cli_usage("the tag is too long");
	hf_buf_finish(&target);
	return err;
}

/* ---- list ---- */

static void add_rows(struct cli_table *t, const cJSON *registrations)
{
	char word[CLI_WORD_SIZE];
	const cJSON *r;

	cJSON_ArrayForEach(r, registrations)
	{
		cli_table_add(t, cli_json_text(r, "tag", "-"));
		cli_table_add(t, cli_json_text(r, "worker", "-"));
		cli_table_add(t, cli_json_text(r, "state", "-"));
		cli_table_add(t, cli_count(cli_json_number(r, "attempts", -1), word));
		cli_table_add(t, cli_duration(cli_json_number(r, "ageSeconds", -1), word));
		cli_table_add(
			t, cli_duration(ceil(cli_json_number(r, "nextAttemptInMs", -1000) / 1000),
					word));
		cli_table_add(t, cli_json_text(r, "reason", "-"));
	}
}

/* One page into the table, or as it came; *after becomes "" at the end. */
static int list_page(struct cli *c, const struct sync_options *o, struct cli_table *t,
		     char after[32])
{
	struct cli_reply reply = { 0 };
	cJSON *j;
	int err = ask(c, "GET", o, after, &reply);

	after[0] = '\0';
	if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		snprintf(after, 32, "%s", cli_json_text(j, "next", ""));
		if (c->json)
			cli_put_raw(hf_buf_span(&reply.body));
		else
			add_rows(t, cli_json_at(j, "registrations"));
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

int cli_sync_list(struct cli *c, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "TAG", false, 20 },	{ "WORKER", false, 8 }, { "STATE", false, 0 },
		{ "FAILED", true, 0 },	{ "AGE", true, 0 },	{ "NEXT", true, 0 },
		{ "REASON", false, 0 },
	};
	struct sync_options o;
	struct cli_table t;
	char after[32] = "";
	int err = parse_options(argc, argv, false, &o);

	if (err)
		return err;
	cli_table_init(&t, columns, COUNT(columns));
	do {
		err = list_page(c, &o, &t, after);
	} while (!err && after[0]);
	if (!err && !c->json && t.cells_n == 0 && !t.nomem)
		puts("No tag is registered.");
	else if (!err && !c->json && !cli_table_print(&t))
		err = cli_fail(CLI_NO, "out of memory");
	cli_table_finish(&t);
	return err;
}

/* ---- register, unregister ---- */

static int change(struct cli *c, int argc, char **argv, const char *method, const char *words)
{
	struct sync_options o;
	struct cli_reply reply = { 0 };
	int err = parse_options(argc, argv, true, &o);

	if (err)
		return err;
	err = ask(c, method, &o, "", &reply);
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		cli_put_safe(stdout, hf_span_str(o.tag));
		puts(words);
	}
	cli_reply_finish(&reply);
	return err;
}

int cli_sync_register(struct cli *c, int argc, char **argv)
{
	return change(c, argc, argv, "POST", " is registered.");
}

int cli_sync_unregister(struct cli *c, int argc, char **argv)
{
	return change(c, argc, argv, "DELETE", " is not registered any more.");
}
