/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

#define DAYS_MAX 366

static const struct cli_option_spec options[CLI_OPTIONS_N] = {
	[CLI_STATE] = { "--state", "STATE", "only those in this state, or in one of a list A,B" },
	[CLI_LANE] = { "--lane", "LANE", "only those of this lane" },
	[CLI_ORIGIN] = { "--origin", "ORIGIN", "of this origin" },
	[CLI_FOR] = { "--for", "TIME", "for so long (90s, 15m, 2h, 1d)" },
	[CLI_WORKER] = { "--worker", "WORKER", "of this worker" },
	[CLI_MIN_INTERVAL] = { "--min-interval", "TIME", "once in each TIME (90s, 15m, 2h, 1d)" },
	[CLI_HELD] = { "--held", NULL, "all held ones" },
	[CLI_DEAD] = { "--dead", NULL, "all dead ones" },
	[CLI_ALL] = { "--all", NULL, "all of them" },
	[CLI_IGNORE_SEARCH] = { "--ignore-search", NULL, "whatever the query of the URL is" },
	[CLI_HAR] = { "--har", NULL, "one document in the form of an HTTP archive" },
	[CLI_FOLLOW] = { "--follow", NULL, "go on as they happen (also -f)" },
	[CLI_FORMAT] = { "--format", "FORMAT", "text, json, cbor, a media type or a number" },
	[CLI_FILE] = { "--file", "FILE", "the payload; - is standard input" },
	[CLI_TIMEOUT] = { "--timeout", "TIME", "wait so long for an answer (30s)" },
	[CLI_COUNT] = { "--count", "N", "end after so many" },
	[CLI_VERBOSE] = { "--verbose", NULL, "the options of the answer as well (also -v)" },
};

const struct cli_option_spec *cli_option_spec(enum cli_option option)
{
	return &options[option];
}

/* "--state, --lane", "" for none. */
static void list_options(const struct cli_spec *spec, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < CLI_OPTIONS_N && at < size; i++)
		if (spec->options & 1u << i)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "",
					       options[i].name);
}

static int unknown_option(const struct cli_spec *spec, const char *word)
{
	char name[CLI_NAME_SIZE], known[160];

	list_options(spec, known, sizeof(known));
	cli_spec_name(spec, name);
	if (!known[0])
		return cli_usage("%s has no option %s", name, word);
	return cli_usage("%s has no option %s; it has %s", name, word, known);
}

/* The option @word names up to its '=', CLI_OPTIONS_N: none of @spec. */
static unsigned find_option(const struct cli_spec *spec, const char *word)
{
	size_t len = strcspn(word, "=");
	unsigned i;

	if (strcmp(word, "-f") == 0)
		word = "--follow", len = strlen(word);
	else if (strcmp(word, "-v") == 0)
		word = "--verbose", len = strlen(word);
	for (i = 0; i < CLI_OPTIONS_N; i++)
		if (spec->options & 1u << i && strlen(options[i].name) == len &&
		    strncmp(options[i].name, word, len) == 0)
			break;
	return i;
}

static int wrong_operand(const struct cli_spec *spec)
{
	char name[CLI_NAME_SIZE], known[160];

	cli_spec_name(spec, name);
	list_options(spec, known, sizeof(known));
	if (spec->operand)
		return cli_usage("%s takes one %s%s%s", name, spec->operand,
				 known[0] ? ", or " : "", known);
	return cli_usage("%s takes nothing%s%s", name, known[0] ? " but " : "", known);
}

/* One option, and its value from the same word or the next one. */
static int read_option(const struct cli_spec *spec, int argc, char **argv, int *i,
		       struct cli_args *out)
{
	unsigned option = find_option(spec, argv[*i]);
	const char *value = strchr(argv[*i], '=');

	if (option == CLI_OPTIONS_N)
		return unknown_option(spec, argv[*i]);
	if (out->option[option])
		return cli_usage("%s stands twice", options[option].name);
	if (!options[option].value) {
		out->option[option] = "";
		return value ? cli_usage("%s takes no value", options[option].name) : 0;
	}
	if (value)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	else
		return cli_usage("%s needs a value", options[option].name);
	out->option[option] = value;
	return 0;
}

int cli_args_read(const struct cli_spec *spec, int argc, char **argv, struct cli_args *out)
{
	bool plain = false;
	int err = 0;

	*out = (struct cli_args){ 0 };
	for (int i = 0; i < argc && !err; i++) {
		if (!plain && strcmp(argv[i], "--") == 0) {
			plain = true;
		} else if (!plain && argv[i][0] == '-' && argv[i][1]) {
			err = read_option(spec, argc, argv, &i, out);
		} else if (spec->operand && !out->operand) {
			out->operand = argv[i];
		} else if (out->operand && !out->second && strchr(spec->operand, ' ')) {
			out->second = argv[i];
		} else {
			err = wrong_operand(spec);
		}
	}
	if (!err && spec->operand && !spec->operand_optional && !out->operand)
		err = wrong_operand(spec);
	return err;
}

bool cli_args_time(const char *text, unsigned long long *ms)
{
	static const struct {
		const char *word;
		unsigned long long ms;
	} units[] = { { "", 1 },      { "ms", 1 },	{ "s", 1000 },
		      { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	unsigned long long n, max = DAYS_MAX * 86400000ULL;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].word) != 0 || n > max / units[i].ms)
			continue;
		*ms = n * units[i].ms;
		return true;
	}
	return false;
}
