/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast: the command line, and which command it is. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

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

/* "queue needs one of: list, show, ..."; 0: there is no such group. */
static int group_usage(const char *group, const char *word)
{
	char known[128] = "";
	size_t at = 0;

	for (size_t i = 0; i < cli_commands_n; i++) {
		if (cli_commands[i].group && strcmp(cli_commands[i].group, group) == 0)
			at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s",
					       at ? ", " : "", cli_commands[i].word);
	}
	if (!at)
		return 0;
	if (!word)
		return cli_usage("%s needs one of: %s", group, known);
	return cli_usage("there is no %s %s; there are: %s", group, word, known);
}

static int no_command(int argc, char **argv)
{
	int code = argc > 0 ? group_usage(argv[0], argc > 1 ? argv[1] : NULL) : 0;

	if (code)
		return code;
	return argc > 0 ? cli_usage("there is no command %s", argv[0]) :
			  cli_usage("a command is missing");
}

/* "help", "help queue list" */
static int run_help(int argc, char **argv)
{
	int used;
	const struct cli_spec *spec = cli_find(argc, argv, &used);

	if (spec && used == argc)
		return cli_help_one(spec);
	return argc > 0 ? no_command(argc, argv) : cli_help_all();
}

static int run_command(struct cli *c, bool help, int argc, char **argv)
{
	const struct cli_spec *spec;
	struct cli_args args;
	int used, err;

	if (argc > 0 && (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "-h") == 0))
		return run_help(argc - 1, argv + 1);
	spec = cli_find(argc, argv, &used);
	if (help)
		return spec ? cli_help_one(spec) : run_help(argc, argv);
	if (!spec)
		return no_command(argc, argv);
	err = used < argc && !spec->group && argv[used][0] != '-' ?
		      group_usage(argv[0], argv[used]) :
		      0;
	if (!err)
		err = cli_args_read(spec, argc - used, argv + used, &args);
	return err ? err : spec->run(c, &args);
}

/* Takes the options that all commands share out of @argv, wherever they stand
 * before "--". */
static int take_options(struct cli *c, bool *help, int *argc, char **argv)
{
	int kept = 0;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (i < *argc)
				argv[kept++] = argv[i++];
		} else if (strcmp(argv[i], "--json") == 0) {
			c->json = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			*help = true;
		} else if (kept == 0 && strcmp(argv[i], "--version") == 0) {
			argv[kept++] = argv[i] + 2;
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
	bool help = false;
	int code;

	if (argc > 1 && strcmp(argv[1], "complete") == 0)
		return cli_complete(&c, argc - 2, argv + 2);
	code = take_options(&c, &help, &argc, argv);
	if (!code)
		code = run_command(&c, help, argc, argv);
	if (fflush(stdout) != 0 && code == CLI_OK)
		code = cli_fail(CLI_NO, "the output cannot be written");
	return code;
}
