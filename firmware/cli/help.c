/* SPDX-License-Identifier: Apache-2.0 */
/* Help, from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

#define COLUMN 27
#define WIDTH  80

static const char common_text[] = "  --socket PATH            the daemon's control socket\n"
				  "                           (" CLI_SOCKET_DEFAULT ")\n"
				  "  --json                   the daemon's JSON, for programs\n"
				  "  --help                   of a command, or of all\n";

static const char codes_text[] =
	"Exit codes: 0 done, 1 the daemon said no or found something, 2 wrong usage,\n"
	"3 no daemon there, 4 this user may not ask it; of health 5 degraded, 6 stuck.\n";

/* "queue list [--state STATE] [--lane LANE]"; after @room characters it goes on in a
 * new line, @indent deep. */
static void put_synopsis(const struct cli_spec *spec, int indent)
{
	char name[CLI_NAME_SIZE], piece[64];
	int at = indent + printf("%s", cli_spec_name(spec, name));

	if (spec->operand)
		at += printf(spec->operand_optional ? " [%s]" : " %s", spec->operand);
	for (unsigned i = 0; i < CLI_OPTIONS_N; i++) {
		const struct cli_option_spec *o = cli_option_spec(i);
		int n;

		if (!(spec->options & 1u << i))
			continue;
		n = snprintf(piece, sizeof(piece), " [%s%s%s]", o->name, o->value ? " " : "",
			     o->value ? o->value : "");
		if (at + n > WIDTH)
			at = printf("\n%*s", indent + 3, "") - 1;
		at += n;
		fputs(piece, stdout);
	}
	putchar('\n');
}

int cli_help_all(void)
{
	puts("holdfast [--socket PATH] [--json] COMMAND\n");
	for (size_t i = 0; i < cli_commands_n; i++) {
		const struct cli_spec *s = &cli_commands[i];
		char name[CLI_NAME_SIZE], words[CLI_NAME_SIZE + 16];

		snprintf(words, sizeof(words), s->operand_optional ? "%s%s[%s]" : "%s%s%s",
			 cli_spec_name(s, name), s->operand ? " " : "",
			 s->operand ? s->operand : "");
		if (!s->operand)
			snprintf(words, sizeof(words), "%s", name);
		printf("  %-*s%s\n", COLUMN - 2, words, s->brief);
	}
	printf("  %-*s%s\n\n%s\n%s", COLUMN - 2, "help [COMMAND]", "this, or all about one command",
	       common_text, codes_text);
	return CLI_OK;
}

int cli_help_one(const struct cli_spec *spec)
{
	fputs("holdfast ", stdout);
	put_synopsis(spec, 9);
	printf("\n%s\n", spec->brief);
	if (spec->more)
		printf("\n%s", spec->more);
	putchar('\n');
	for (unsigned i = 0; i < CLI_OPTIONS_N; i++) {
		const struct cli_option_spec *o = cli_option_spec(i);
		char words[48];

		if (!(spec->options & 1u << i))
			continue;
		snprintf(words, sizeof(words), "%s%s%s", o->name, o->value ? " " : "",
			 o->value ? o->value : "");
		printf("  %-*s%s\n", COLUMN - 2, words, o->help);
	}
	fputs(common_text, stdout);
	return CLI_OK;
}
