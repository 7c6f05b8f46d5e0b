/* SPDX-License-Identifier: Apache-2.0 */
/* store, store check. */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/status.h"
#include "cli/text.h"

#define NAME "%-14s"

void cli_store_warn(const struct cJSON *j)
{
	char saved[CLI_WORD_SIZE], lost[CLI_WORD_SIZE];
	const cJSON *file;

	if (cli_json_true(j, "store.full"))
		puts("THE STORE IS FULL: new requests are refused with 507.");
	if (cli_json_true(j, "store.salvaged"))
		printf("A damaged database was replaced: %s rows were saved from it, %s lost.\n",
		       cli_count(cli_json_number(j, "store.rowsSaved", -1), saved),
		       cli_count(cli_json_number(j, "store.rowsLost", -1), lost));
	if (cli_json_true(j, "store.vanished"))
		puts("The store was gone at start, and a new one was made.");
	cJSON_ArrayForEach(file, cli_json_at(j, "store.quarantined"))
	{
		fputs("Put aside: ", stdout);
		cli_put_safe(stdout, hf_span_str(cJSON_IsString(file) ? file->valuestring : "?"));
		putchar('\n');
	}
}

static double figure(const cJSON *j, const char *name)
{
	char path[48];

	snprintf(path, sizeof(path), "store.%s", name);
	return cli_json_number(j, path, -1);
}

static void put_log(const cJSON *j)
{
	char pages[CLI_WORD_SIZE], runs[CLI_WORD_SIZE], ago[CLI_WORD_SIZE];
	double last = figure(j, "lastCheckpointSecondsAgo");

	printf(NAME "%s pages, copied back %s times", "log",
	       cli_count(figure(j, "logPages"), pages), cli_count(figure(j, "checkpoints"), runs));
	if (last >= 0)
		printf(", last %s ago", cli_duration(last, ago));
	putchar('\n');
}

static void print_store(const cJSON *j)
{
	char a[CLI_WORD_SIZE], b[CLI_WORD_SIZE], n[CLI_WORD_SIZE];

	printf(NAME "%s in %s pages of %s B; the file has %s\n", "in use",
	       cli_size(figure(j, "bytes"), a), cli_count(figure(j, "pages"), n),
	       cli_count(figure(j, "pageBytes"), b),
	       cli_size(figure(j, "fileBytes"), (char[32]){ 0 }));
	printf(NAME "%s\n", "may grow to", cli_size(figure(j, "bytesMax"), a));
	printf(NAME "%s for new requests\n", "free", cli_size(figure(j, "room"), a));
	printf(NAME "%s today, %s since it was made\n", "written",
	       cli_size(figure(j, "writtenToday"), a), cli_size(figure(j, "writtenTotal"), b));
	put_log(j);
	printf(NAME "%s\n", "starts", cli_count(figure(j, "boots"), n));
	cli_store_warn(j);
}

int cli_store(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	cJSON *j = NULL;
	int err = cli_status_ask(c, &reply, &j);

	(void)args;
	if (!err && c->json)
		cli_status_put(j, "store");
	else if (!err)
		print_store(j);
	cli_json_free(j);
	cli_reply_finish(&reply);
	return err;
}

/* ---- check ---- */

static int print_check(const cJSON *j)
{
	double faults = cli_json_number(j, "faults", -1);
	struct hf_span lines = hf_span_str(cli_json_text(j, "text", ""));
	char word[CLI_WORD_SIZE];

	if (faults < 0)
		return cli_fail(CLI_NO_DAEMON, "the answer is not the result of a check");
	if (faults == 0) {
		puts("The store is sound.");
		return 0;
	}
	while (lines.len > 0) {
		cli_put_safe(stdout, hf_span_cut(&lines, '\n'));
		putchar('\n');
	}
	printf("The store has %s %s.\n", cli_count(faults, word), faults > 1 ? "faults" : "fault");
	return CLI_NO;
}

int cli_store_check(struct cli *c, const struct cli_args *args)
{
	struct cli_reply reply;
	cJSON *j = NULL;
	int err = cli_ask(c, "POST", "/.holdfast/store/check", &reply);

	(void)args;
	if (!err)
		j = cli_json_parse(hf_buf_span(&reply.body));
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
		err = cli_json_number(j, "faults", 1) == 0 ? 0 : CLI_NO;
	} else if (!err) {
		err = print_check(j);
	}
	cli_json_free(j);
	cli_reply_finish(&reply);
	return err;
}
