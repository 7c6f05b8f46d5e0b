/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on sync registrations: sync list, register, unregister, now. */
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/json.h"
#include "cli/text.h"

static void print_tags(const cJSON *tags)
{
	const cJSON *tag;

	if (cJSON_GetArraySize(tags) == 0)
		puts("No sync is registered.");
	cJSON_ArrayForEach(tag, tags)
	{
		const char *name = cJSON_IsString(tag) ? tag->valuestring :
							 cli_json_text(tag, "tag", "-");

		cli_put_safe(stdout, hf_span_str(name));
		putchar('\n');
	}
}

int cli_sync_list(struct cli *c, int argc, char **argv)
{
	struct cli_reply reply;
	cJSON *j;
	int err;

	(void)argv;
	if (argc != 0)
		return cli_usage("sync list takes nothing");
	err = cli_ask(c, "GET", "/.holdfast/sync", &reply);
	if (!err && c->json) {
		cli_put_raw(hf_buf_span(&reply.body));
	} else if (!err) {
		j = cli_json_parse(hf_buf_span(&reply.body));
		print_tags(cli_json_at(j, "tags"));
		cli_json_free(j);
	}
	cli_reply_finish(&reply);
	return err;
}

static int change_tag(struct cli *c, const char *method, const char *tag, const char *done)
{
	struct cli_reply reply;
	struct hf_buf target;
	const char *text = NULL;
	int err;

	hf_buf_init(&target, 4096);
	if (hf_buf_append_str(&target, "/.holdfast/sync/") == 0 && cli_encode(&target, tag) == 0)
		text = hf_buf_cstr(&target);
	if (!text) {
		hf_buf_finish(&target);
		return cli_usage("the tag is too long");
	}
	err = cli_ask(c, method, text, &reply);
	hf_buf_finish(&target);
	if (!err && c->json)
		cli_put_raw(hf_buf_span(&reply.body));
	else if (!err)
		printf("%s is %s.\n", tag, done);
	cli_reply_finish(&reply);
	return err;
}

int cli_sync_register(struct cli *c, int argc, char **argv)
{
	if (argc != 1 || !argv[0][0])
		return cli_usage("sync register takes one TAG");
	return change_tag(c, "POST", argv[0], "registered");
}

int cli_sync_unregister(struct cli *c, int argc, char **argv)
{
	if (argc != 1 || !argv[0][0])
		return cli_usage("sync unregister takes one TAG");
	return change_tag(c, "DELETE", argv[0], "no longer registered");
}

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
