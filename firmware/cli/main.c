/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast: command line, usage, and which command it is. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const char help_text[] =
	"holdfast [--socket PATH] [--json] COMMAND\n"
	"\n"
	"  status                   connectivity, origins, lanes and the store\n"
	"  metrics                  figures in the text format of Prometheus\n"
	"  queue list [--state S] [--lane L]\n"
	"                           requests that wait, are held or dead; --state queued,\n"
	"                           inflight, held, settled, dead, cancelled or all\n"
	"  queue show ID            all about one request\n"
	"  queue retry ID           queue a held or dead one again, try a waiting one\n"
	"  queue retry --held       queue all held ones again\n"
	"  queue retry --dead       queue all dead ones again\n"
	"  queue cancel ID          give up a waiting or held one\n"
	"  queue export             every request with its body, one line of JSON each\n"
	"  sync now                 try everything that waits, now\n"
	"  sync list [--worker W]   tags registered for background sync\n"
	"  sync register TAG [--worker W]\n"
	"                           register a tag: its sync event is fired when the\n"
	"                           origin is reachable, until it succeeds\n"
	"  sync unregister TAG [--worker W]\n"
	"                           give a tag up, or dismiss an exhausted one\n"
	"  periodic list [--worker W]\n"
	"                           tags registered for periodic background sync\n"
	"  periodic register TAG [--min-interval TIME] [--worker W]\n"
	"                           register a tag: its event is fired once in\n"
	"                           each TIME (90s, 15m, 2h, 1d)\n"
	"  periodic unregister TAG [--worker W]\n"
	"                           give a tag up\n"
	"  events [-f]              the latest events; -f goes on as they happen\n"
	"  store check              read the whole store and look for damage\n"
	"  version                  of this command and of the daemon\n"
	"\n"
	"  --socket PATH            the daemon's control socket\n"
	"                           (" CLI_SOCKET_DEFAULT ")\n"
	"  --json                   the daemon's JSON, for programs\n"
	"\n"
	"Exit codes: 0 done, 1 the daemon said no (an unknown ID, say), 64 wrong usage,\n"
	"69 no daemon there, 77 this user may not ask it.\n";

static int cli_help(struct cli *c, int argc, char **argv)
{
	(void)c;
	(void)argc;
	(void)argv;
	fputs(help_text, stdout);
	return CLI_OK;
}

static const struct {
	const char *group, *word; /* group NULL: a command of one word */
	cli_command *run;
} commands[] = {
	{ NULL, "status", cli_status },
	{ NULL, "metrics", cli_metrics },
	{ "queue", "list", cli_queue_list },
	{ "queue", "show", cli_queue_show },
	{ "queue", "retry", cli_queue_retry },
	{ "queue", "cancel", cli_queue_cancel },
	{ "queue", "export", cli_queue_export },
	{ "sync", "now", cli_sync_now },
	{ "sync", "list", cli_sync_list },
	{ "sync", "register", cli_sync_register },
	{ "sync", "unregister", cli_sync_unregister },
	{ "periodic", "list", cli_periodic_list },
	{ "periodic", "register", cli_periodic_register },
	{ "periodic", "unregister", cli_periodic_unregister },
	{ NULL, "events", cli_events },
	{ "store", "check", cli_store_check },
	{ NULL, "version", cli_version },
	{ NULL, "help", cli_help },
	{ NULL, "--help", cli_help },
	{ NULL, "-h", cli_help },
	{ NULL, "--version", cli_version },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void __attribute__((format(printf, 1, 0))) put_words(const char *fmt, va_list args)
{
	fputs("holdfast: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

int cli_fail(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_words(fmt, args);
	va_end(args);
	return code;
}

int cli_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_words(fmt, args);
	va_end(args);
	fputs("`holdfast help` lists the commands.\n", stderr);
	return CLI_USAGE;
}

/* "queue needs one of: list, show, ..." */
static int group_usage(const char *group, const char *word)
{
	char known[128] = "";
	size_t at = 0;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (commands[i].group && strcmp(commands[i].group, group) == 0)
			at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s",
					       at ? ", " : "", commands[i].word);
	}
	if (!word)
		return cli_usage("%s needs one of: %s", group, known);
	return cli_usage("there is no %s %s; there are: %s", group, word, known);
}

static int run_command(struct cli *c, int argc, char **argv)
{
	bool group = false;

	if (argc == 0)
		return cli_usage("a command is missing");
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!commands[i].group) {
			if (strcmp(argv[0], commands[i].word) == 0)
				return commands[i].run(c, argc - 1, argv + 1);
			continue;
		}
		if (strcmp(argv[0], commands[i].group) != 0)
			continue;
		group = true;
		if (argc > 1 && strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(c, argc - 2, argv + 2);
	}
	if (group)
		return group_usage(argv[0], argc > 1 ? argv[1] : NULL);
	return cli_usage("there is no command %s", argv[0]);
}

/* Takes the options that all commands share out of @argv, wherever they stand
 * before "--". */
static int take_options(struct cli *c, int *argc, char **argv)
{
	int kept = 0;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (++i < *argc)
				argv[kept++] = argv[i];
		} else if (strcmp(argv[i], "--json") == 0) {
			c->json = true;
		} else if (strncmp(argv[i], "--socket=", 9) == 0) {
			c->socket = argv[i] + 9;
		} else if (strcmp(argv[i], "--socket") == 0) {
			if (++i == *argc)
				return cli_usage("--socket needs a PATH");
			c->socket = argv[i];
		} else {
			argv[kept++] = argv[i];
		}
	}
	*argc = kept;
	return 0;
}

int main(int argc, char **argv)
{
	struct cli c = { .socket = CLI_SOCKET_DEFAULT };
	int code = take_options(&c, &argc, argv);

	if (!code)
		code = run_command(&c, argc, argv);
	if (fflush(stdout) != 0 && code == CLI_OK)
		code = cli_fail(CLI_NO, "the output cannot be written");
	return code;
}
