/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may stand next on the command line, for the shells' completion: words of the
 * table of commands, and what the running daemon knows. Without a daemon there are
 * the words alone; nothing is ever said on stderr.
 */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/text.h"

/* Prints @word if it begins as what was typed. Line ends would tear the list. */
static void offer(const char *typed, const char *word)
{
	if (word && strncmp(word, typed, strlen(typed)) == 0 && !strpbrk(word, "\n\r\t"))
		puts(word);
}

/* The member @name of each object of the list @path of the document at @target, once. */
static void offer_from(struct cli *c, const char *typed, const char *target, const char *path,
		       const char *name)
{
	struct cli_request req = {
		.method = "GET", .target = target, .idle_timeout_ms = 2000, .quiet = true
	};
	struct cli_reply reply;
	const cJSON *list, *one, *before;
	cJSON *j = NULL;

	if (cli_call(c, &req, &reply) == 0 && reply.status == 200)
		j = cli_json_parse(hf_buf_span(&reply.body));
	list = cli_json_at(j, path);
	cJSON_ArrayForEach(one, list)
	{
		const char *word = cli_json_text(one, name, NULL);

		cJSON_ArrayForEach(before, list)
		{
			if (before == one ||
			    (word && strcmp(cli_json_text(before, name, ""), word) == 0))
				break;
		}
		if (before == one)
			offer(typed, word);
	}
	cli_json_free(j);
	cli_reply_finish(&reply);
}

static void offer_all(const char *typed, const char *const *words)
{
	for (; *words; words++)
		offer(typed, *words);
}

static void offer_states(const struct cli_spec *spec, const char *typed)
{
	static const char *const requests[] = { "queued", "inflight",  "held", "settled",
						"dead",	  "cancelled", "all",  NULL };
	static const char *const lanes[] = { "idle", "sending", "waiting",   "offline", "after",
					     "held", "paused",	"no-origin", NULL };

	offer_all(typed, spec->run == cli_lanes ? lanes : requests);
}

static void offer_value(struct cli *c, const struct cli_spec *spec, enum cli_option option,
			const char *typed)
{
	static const char *const times[] = { "15m", "1h", "2h", "8h", "1d", NULL };
	static const char *const waits[] = { "10s", "30s", "90s", "5m", NULL };
	static const char *const formats[] = { "text",	     "json",	     "cbor",
					       "xml",	     "octet-stream", "link-format",
					       "senml+json", "senml+cbor",   NULL };

	if (option == CLI_STATE)
		offer_states(spec, typed);
	else if (option == CLI_LANE)
		offer_from(c, typed, "/.holdfast/lanes", "lanes", "lane");
	else if (option == CLI_ORIGIN)
		offer_from(c, typed, "/.holdfast/status", "origins", "name");
	else if (option == CLI_WORKER)
		offer_from(c, typed, "/.holdfast/sync", "registrations", "worker");
	else if (option == CLI_FORMAT)
		offer_all(typed, formats);
	else if (option == CLI_TIMEOUT)
		offer_all(typed, waits);
	else if (option == CLI_FOR || option == CLI_MIN_INTERVAL)
		offer_all(typed, times);
}

static void offer_operand(struct cli *c, const struct cli_spec *spec, const char *typed)
{
	if (!spec->operand)
		return;
	if (strcmp(spec->operand, "ID") == 0)
		offer_from(c, typed, "/.holdfast/requests?state=queued,held,dead&limit=64",
			   "requests", "id");
	else if (strncmp(spec->operand, "URI", 3) == 0)
		offer_from(c, strncmp(typed, "coap", 4) == 0 ? typed : "coap", "/.holdfast/status",
			   "origins", "url");
	else if (strncmp(spec->operand, "CACHE", 5) == 0)
		offer_from(c, typed, "/.holdfast/caches", "caches", "name");
	else if (spec->run == cli_cache_install)
		offer_from(c, typed, "/.holdfast/status", "caches.precache", "worker");
	else if (spec->run == cli_release)
		offer_from(c, typed, "/.holdfast/holds", "holds", "lane");
	else if (strcmp(spec->operand, "LANE") == 0)
		offer_from(c, typed, "/.holdfast/lanes", "lanes", "lane");
	else if (spec->group && strcmp(spec->group, "sync") == 0)
		offer_from(c, typed, "/.holdfast/sync?limit=1000", "registrations", "tag");
	else
		offer_from(c, typed, "/.holdfast/periodicsync?limit=1000", "registrations", "tag");
}

static void offer_options(const struct cli_spec *spec, const char *typed)
{
	static const char *const common[] = { "--help", "--json", "--socket", NULL };

	for (unsigned i = 0; spec && i < CLI_OPTIONS_N; i++)
		if (spec->options & 1u << i)
			offer(typed, cli_option_spec(i)->name);
	offer_all(typed, common);
}

/* The words of commands that go on behind @argv, each once. */
static void offer_commands(int argc, char **argv, const char *typed)
{
	for (size_t i = 0; i < cli_commands_n; i++) {
		const struct cli_spec *s = &cli_commands[i];
		bool first = i == 0 || !s->group || !cli_commands[i - 1].group ||
			     strcmp(s->group, cli_commands[i - 1].group) != 0;

		if (argc == 0 && first && !(s->group && strcmp(s->group, "store") == 0))
			offer(typed, s->group ? s->group : s->word);
		else if (argc == 1 && s->group && strcmp(argv[0], s->group) == 0)
			offer(typed, s->word);
	}
	if (argc == 0)
		offer(typed, "help");
}

/* The option whose value is typed, CLI_OPTIONS_N: none. */
static unsigned open_option(const struct cli_spec *spec, const char *before)
{
	unsigned i = 0;

	while (i < CLI_OPTIONS_N && !(spec->options & 1u << i && cli_option_spec(i)->value &&
				      strcmp(cli_option_spec(i)->name, before) == 0))
		i++;
	return i;
}

/* Takes --socket PATH, --json and "help" out of what is typed. Returns how many words
 * are left. */
static int strip(struct cli *c, int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (i + 1 < argc && strcmp(argv[i], "--socket") == 0 && i + 2 < argc)
			c->socket = argv[++i];
		else if (i + 1 < argc && strncmp(argv[i], "--socket=", 9) == 0)
			c->socket = argv[i] + 9;
		else if (i + 1 == argc || (strcmp(argv[i], "--json") != 0 &&
					   (kept > 0 || strcmp(argv[i], "help") != 0)))
			argv[kept++] = argv[i];
	}
	return kept;
}

int cli_complete(struct cli *c, int argc, char **argv)
{
	static char nothing[] = "";
	char *none[] = { nothing };
	const struct cli_spec *spec;
	const char *typed;
	unsigned option = CLI_OPTIONS_N;
	int used = 0;

	if (argc > 0 && strcmp(argv[0], "--") == 0)
		argc--, argv++;
	if (argc == 0)
		argc = 1, argv = none;
	argc = strip(c, argc, argv);
	typed = argv[--argc];
	spec = cli_find(argc, argv, &used);
	if (spec && argc > 0)
		option = open_option(spec, argv[argc - 1]);
	if (argc > 0 && strcmp(argv[argc - 1], "--socket") == 0)
		return CLI_OK; /* a path: the shell knows better */
	if (option < CLI_OPTIONS_N) {
		offer_value(c, spec, option, typed);
		return CLI_OK;
	}
	if (typed[0] == '-') {
		offer_options(spec, typed);
		return CLI_OK;
	}
	offer_commands(argc, argv, typed);
	if (spec)
		offer_operand(c, spec, typed);
	return CLI_OK;
}
