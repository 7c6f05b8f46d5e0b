/* SPDX-License-Identifier: Apache-2.0 */
/* cache list, show, purge, install. */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- asking ---- */

struct target {
	const char *cache; /* NULL: none */
	const char *below; /* "/entries", "" */
	const char *url, *worker, *after;
	bool all, ignore_search;
};

static int append(struct hf_buf *out, bool *first, const char *name, const char *value)
{
	int err;

	if (!value || !value[0])
		return 0;
	err = hf_buf_appendf(out, "%s%s=", *first ? "?" : "&", name);
	*first = false;
	return err ? err : cli_encode(out, value);
}

static int make(const struct target *t, struct hf_buf *out)
{
	bool first = true;
	int err = hf_buf_append_str(out, "/.holdfast/caches");

	if (!err && t->cache)
		err = hf_buf_append_str(out, "/");
	if (!err && t->cache)
		err = cli_encode(out, t->cache);
	if (!err)
		err = hf_buf_append_str(out, t->below);
	if (!err)
		err = append(out, &first, "url", t->url);
	if (!err && t->url) /* all of its variants */
		err = append(out, &first, "ignoreVary", "true");
	if (!err && t->ignore_search)
		err = append(out, &first, "ignoreSearch", "true");
	if (!err && t->all)
		err = append(out, &first, "all", "true");
	if (!err)
		err = append(out, &first, "worker", t->worker);
	return err ? err : append(out, &first, "after", t->after);
}

static int ask(struct cli *c, const char *method, const struct target *t, struct cli_reply *reply)
{
	struct hf_buf target;
	const char *text;
	int err;

	*reply = (struct cli_reply){ 0 };
	hf_buf_init(&target, 65536);
	text = make(t, &target) ? NULL : hf_buf_cstr(&target);
	err = text ? cli_ask(c, method, text, reply) : cli_usage("the name is too long");
	hf_buf_finish(&target);
	return err;
}

static int check_url(const struct cli_args *args)
{
	if (args->second && args->second[0] != '/')
		return cli_usage("URL is a path with its query, as `holdfast cache show` has it");
	if (args->option[CLI_IGNORE_SEARCH] && !args->second)
		return cli_usage("--ignore-search goes with a URL");
	return 0;
}

/* ---- list ---- */

static const char *state_of(const cJSON *cache)
{
	return cli_json_true(cache, "active") ? "active" : "incomplete";
}

static int print_list(const cJSON *j)
{
	static const struct cli_column columns[] = {
		{ "CACHE", false, 12 }, { "KIND", false, 0 }, { "OWNER", false, 8 },
		{ "ENTRIES", true, 0 }, { "SIZE", true, 0 },  { "STATE", false, 0 },
	};
	const cJSON *caches = cli_json_at(j, "caches"), *one;
	char word[CLI_WORD_SIZE], quota[CLI_WORD_SIZE];
	struct cli_table t;
	bool printed;

	if (!cJSON_IsArray(caches))
		return cli_fail(CLI_NO_DAEMON, "the answer is not a list of caches");
	cli_table_init(&t, columns, COUNT(columns));
	cJSON_ArrayForEach(one, caches)
	{
		cli_table_add(&t, cli_json_text(one, "name", "-"));
		cli_table_add(&t, cli_json_text(one, "kind", "-"));
		cli_table_add(&t, cli_json_text(one, "owner", "-"));
		cli_table_add(&t, cli_count(cli_json_number(one, "entries", -1), word));
		cli_table_add(&t, cli_size(cli_json_number(one, "bytes", -1), word));
		cli_table_add(&t, state_of(one));
	}
	printed = t.cells_n == 0 || cli_table_print(&t);
	cli_table_finish(&t);
	if (!printed)
		return cli_fail(CLI_NO, "out of memory");
	printf("%s of %s in use\n", cli_size(cli_json_number(j, "estimate.usage", -1), word),
	       cli_size(cli_json_number(j, "estimate.quota", -1), quota));
	return 0;
}

int cli_cache_list(struct cli *c, const struct cli_args *args)
{
	struct target target = { .below = "" };
	struct cli_reply reply;
	cJSON *j;
	int err = ask(c, "GET", &target, &reply);

	(void)args;
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		err = print_list(j);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

/* ---- show ---- */

static void add_entry(struct cli_table *t, const cJSON *e)
{
	double fresh = cli_json_number(e, "freshSeconds", -1);
	const cJSON *flags = cli_json_at(e, "flags"), *flag;
	char word[CLI_WORD_SIZE], words[96] = "";

	cli_table_add(t, cli_json_text(e, "url", "-"));
	cli_table_add(t, cli_count(cli_json_number(e, "status", -1), word));
	cli_table_add(t, cli_size(cli_json_number(e, "bytes", -1), word));
	cli_table_add(t, cli_duration(cli_json_number(e, "ageSeconds", -1), word));
	cli_table_add(t, cli_duration(fresh, word));
	cJSON_ArrayForEach(flag, flags)
	{
		size_t at = strlen(words);

		snprintf(words + at, sizeof(words) - at, "%s%s", at ? ", " : "",
			 cJSON_IsString(flag) ? flag->valuestring : "?");
	}
	cli_table_add(t, words);
}

/* One page into the table, or as it came; *after becomes "" at the end. */
static int show_page(struct cli *c, struct target *target, struct cli_table *t, char after[32])
{
	struct cli_reply reply;
	const cJSON *one;
	cJSON *j;
	int err;

	target->after = after;
	err = ask(c, "GET", target, &reply);
	after[0] = '\0';
	if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		snprintf(after, 32, "%s", cli_json_text(j, "next", ""));
		if (c->json)
			cli_put_raw(hf_buf_span(&reply.body));
		else
			cJSON_ArrayForEach(one, cli_json_at(j, "entries")) add_entry(t, one);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

int cli_cache_show(struct cli *c, const struct cli_args *args)
{
	static const struct cli_column columns[] = {
		{ "URL", false, 20 }, { "STATUS", true, 0 }, { "SIZE", true, 0 },
		{ "AGE", true, 0 },   { "FRESH", true, 0 },  { "FLAGS", false, 20 },
	};
	struct target target = { .cache = args->operand,
				 .below = "/entries",
				 .url = args->second,
				 .all = args->second,
				 .ignore_search = args->option[CLI_IGNORE_SEARCH],
				 .worker = args->option[CLI_WORKER] };
	struct cli_table t;
	char after[32] = "", before[32];
	int err = check_url(args);

	if (err)
		return err;
	cli_table_init(&t, columns, COUNT(columns));
	t.ends = 1;
	do {
		memcpy(before, after, sizeof(before));
		err = show_page(c, &target, &t, after);
	} while (!err && after[0] && strcmp(before, after) != 0);
	if (!err && !c->json && t.cells_n == 0 && !t.nomem)
		puts(args->second ? "Nothing is stored for it." : "The cache is empty.");
	else if (!err && !c->json && !cli_table_print(&t))
		err = cli_fail(CLI_NO, "out of memory");
	cli_table_finish(&t);
	return err;
}

/* ---- purge ---- */

static void print_purged(const struct cli_args *args, const cJSON *j)
{
	double n = cli_json_number(j, args->second ? "deleted" : "entries", -1);
	char word[CLI_WORD_SIZE];

	cli_put_safe(stdout, hf_span_str(args->operand));
	printf(": %s %s taken out.\n", cli_count(n, word), n == 1 ? "entry was" : "entries were");
	if (strcmp(cli_json_text(j, "kind", ""), "precache") == 0)
		puts("What the worker lists is fetched anew.");
}

int cli_cache_purge(struct cli *c, const struct cli_args *args)
{
	struct target target = { .cache = args->operand,
				 .below = args->second ? "/entries" : "",
				 .url = args->second,
				 .ignore_search = args->option[CLI_IGNORE_SEARCH],
				 .worker = args->option[CLI_WORKER] };
	struct cli_reply reply;
	cJSON *j;
	int err = check_url(args);

	if (err)
		return err;
	err = ask(c, "DELETE", &target, &reply);
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		print_purged(args, j);
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

/* ---- install ---- */

int cli_cache_install(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply = { 0 };
	struct hf_buf target;
	const char *text = NULL;
	bool first = true;
	int err;

	hf_buf_init(&target, 65536);
	if (!hf_buf_append_str(&target, "/.holdfast/install") &&
	    !append(&target, &first, "worker", args->operand))
		text = hf_buf_cstr(&target);
	err = text ? cli_ask(c, "POST", text, &reply) : cli_usage("the name is too long");
	hf_buf_finish(&target);
	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		puts("What is missing is fetched now; `holdfast status` shows how far it is.");
	cli_reply_finish(&reply);
	return err;
}

/* ---- in the status ---- */

static void print_precache(const cJSON *p)
{
	char done[CLI_WORD_SIZE], files[CLI_WORD_SIZE], word[CLI_WORD_SIZE];
	const char *url = cli_json_text(p, "failedUrl", NULL);

	fputs("precache     ", stdout);
	cli_put_safe(stdout, hf_span_str(cli_json_text(p, "worker", "-")));
	printf(" %s, %s of %s files\n", cli_json_text(p, "state", "-"),
	       cli_count(cli_json_number(p, "done", -1), done),
	       cli_count(cli_json_number(p, "files", -1), files));
	if (!cli_json_text(p, "failure", NULL))
		return;
	fputs("             ", stdout);
	cli_put_safe(stdout, hf_span_str(url ? url : "it"));
	fputs(" was not to be had: ", stdout);
	cli_put_safe(stdout, hf_span_str(cli_json_text(p, "failure", "")));
	printf("; next try in %s\n", cli_duration(cli_seconds_of(p, "nextTryInMs"), word));
}

static double answered(const cJSON *caches, const char *how)
{
	static const char *const kinds[] = { "http", "named", "precache" };
	double n = 0;
	char path[48];

	for (size_t i = 0; i < COUNT(kinds); i++) {
		snprintf(path, sizeof(path), "requests.%s.%s", kinds[i], how);
		n += cli_json_number(caches, path, 0);
	}
	return n;
}

void cli_caches_print(const struct cJSON *caches)
{
	static const char *const how[] = { "hits", "validated", "fallbacks", "misses" };
	char a[CLI_WORD_SIZE], b[CLI_WORD_SIZE], n[CLI_WORD_SIZE];
	const cJSON *p;

	if (!caches)
		return;
	printf("caches       %s of %s in %s entries\n            ",
	       cli_size(cli_json_number(caches, "usage", -1), a),
	       cli_size(cli_json_number(caches, "quota", -1), b),
	       cli_count(cli_json_number(caches, "entries", -1), n));
	for (size_t i = 0; i < COUNT(how); i++)
		printf(" %s %s,", how[i], cli_count(answered(caches, how[i]), n));
	printf(" stored %s, evicted %s\n", cli_count(cli_json_number(caches, "stored", -1), a),
	       cli_count(cli_json_number(caches, "evicted", -1), b));
	if (cli_json_true(caches, "full"))
		puts("THE MEDIUM IS FULL: nothing more is cached.");
	cJSON_ArrayForEach(p, cli_json_at(caches, "precache")) print_precache(p);
}
