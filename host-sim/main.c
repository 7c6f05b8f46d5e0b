/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "live/live.h"
#include "modes.h"
#include "script.h"

static const char usage[] =
	"usage: holdfast-sim day [--seed N] [--report FILE.html]\n"
	"       holdfast-sim run FILE.scn [--seed N] [--mutant NAME] [--trace] [--report FILE.html]\n"
	"       holdfast-sim scenarios [FOLDER] [--seed N] [--mutant NAME]\n"
	"       holdfast-sim sweep FILE.scn | --all [--cuts] [--allocs] [--io] [--pairs] [--caches] [--sample N]\n"
	"                          [--jobs J] [--seed N] [--at POINT [--trace]]\n"
	"       holdfast-sim soak [--seed N] [--count M] [--days D] [--jobs J] [--mutant NAME]\n"
	"       holdfast-sim replay --seed N [--days D] [--mutant NAME] [--report FILE.html]\n"
	"       holdfast-sim shrink --seed N [--days D] [--mutant NAME] [--out FILE.scn]\n"
	"       holdfast-sim mutants [--count M] [--jobs J]\n"
	"       holdfast-sim repeats [--count M]\n"
	"       holdfast-sim hashes [--seed N] [--count M]\n"
	"       holdfast-sim budget [FILE.md]\n"
	"       holdfast-sim fleet [--devices N] [--queued N] [--outage TIME] [--cables]\n"
	"                          [--capacity N [--retry-after TIME]] [--seed N]\n"
	"                          [--report FILE.html]\n"
	"       holdfast-sim outages [--count N] [--queued N] [--cables] [--seed N]\n"
	"       holdfast-sim live [--help]\n"
	"\n"
	"  day        a day at the kiosk, told as a story\n"
	"  run        carries out a scenario and tells what happened\n"
	"  scenarios  carries out all of a folder and tells which hold\n"
	"  sweep      carries it out again and again with one fault more: the power cut at each\n"
	"             disk operation, each disk operation and each allocation failing in turn;\n"
	"             --caches: the power goes at each operation on the caches' files\n"
	"             --pairs: a second cut at each operation of the recovery from each cut\n"
	"  soak       M random plans from seed N on, all promises checked; --days: of D days\n"
	"  replay     one of them, every event printed\n"
	"  shrink     makes a plan that fails as small as it can be, as a scenario\n"
	"  mutants    soaks products that are wrong on purpose: each must be caught\n"
	"  repeats    runs M seeds twice: both must be the same, bit by bit\n"
	"  hashes     of M seeds, to be compared with those of another build\n"
	"  budget     the faults that soak injects, as a table; is it the one of that file?\n"
	"  fleet      N devices find one origin again after an outage: what it sees then\n"
	"  outages    how soon after an outage what was kept is sent: median, p95\n"
	"  live       the real daemon before a demo shop, and a page to make the world worse\n"
	"\n"
	"  --report writes the run as one page: its figures, a timeline, each request\n"
	"  --cables   the devices' network is down instead of the origin\n"
	"  --capacity requests that the origin takes in a second; beyond that it answers 503\n"
	"  --jobs   processes side by side, otherwise one for each processor\n"
	"  --sample so many points of each kind, evenly spread, otherwise all\n";

enum takes {
	TAKES_NO_FILE,
	TAKES_A_FILE,
	TAKES_MAYBE_A_FILE,
};

static const struct mode {
	const char *name;
	enum takes takes;
	uint64_t count;
	int (*run)(const struct sim_options *o);
} modes[] = {
	{ "day", TAKES_NO_FILE, 0, sim_mode_day },
	{ "run", TAKES_A_FILE, 0, sim_mode_run },
	{ "scenarios", TAKES_MAYBE_A_FILE, 0, sim_mode_scenarios },
	{ "sweep", TAKES_MAYBE_A_FILE, 0, sim_mode_sweep },
	{ "soak", TAKES_NO_FILE, 1000, sim_mode_soak },
	{ "replay", TAKES_NO_FILE, 0, sim_mode_replay },
	{ "shrink", TAKES_NO_FILE, 0, sim_mode_shrink },
	{ "mutants", TAKES_NO_FILE, 200, sim_mode_mutants },
	{ "repeats", TAKES_NO_FILE, 20, sim_mode_repeats },
	{ "hashes", TAKES_NO_FILE, 20, sim_mode_hashes },
	{ "fleet", TAKES_NO_FILE, 0, sim_mode_fleet },
	{ "outages", TAKES_NO_FILE, 50, sim_mode_outages },
	{ "budget", TAKES_MAYBE_A_FILE, 0, sim_mode_budget },
};

static bool number(const char *text, uint64_t *out)
{
	return text && hf_span_u64(hf_span_str(text), out);
}

static bool read_flag(const char *arg, struct sim_options *o)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "--trace", &o->trace }, { "--cuts", &o->cuts },     { "--allocs", &o->allocs },
		{ "--io", &o->io },	  { "--pairs", &o->pairs },   { "--caches", &o->caches },
		{ "--all", &o->all },	  { "--cables", &o->cables },
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(arg, flags[i].name) != 0)
			continue;
		*flags[i].flag = true;
		return true;
	}
	return false;
}

static bool read_number(char **arg, struct sim_options *o)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {
		{ "--seed", &o->seed },		{ "--count", &o->count },
		{ "--days", &o->days },		{ "--jobs", &o->jobs },
		{ "--sample", &o->sample },	{ "--want-cuts", &o->cuts_wanted },
		{ "--devices", &o->devices },	{ "--queued", &o->queued },
		{ "--capacity", &o->capacity },
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(arg[0], numbers[i].name) != 0)
			continue;
		o->has_seed |= i == 0;
		return number(arg[1], numbers[i].number);
	}
	return false;
}

static bool read_time(char **arg, struct sim_options *o)
{
	const struct {
		const char *name;
		uint64_t *us;
	} times[] = { { "--outage", &o->outage_us }, { "--retry-after", &o->retry_after_us } };
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (strcmp(arg[0], times[i].name) == 0)
			return arg[1] && sim_duration_read(hf_span_str(arg[1]), times[i].us) &&
			       *times[i].us > 0;
	return false;
}

static bool read_text(char **arg, struct sim_options *o)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = { { "--report", &o->report }, { "--out", &o->out }, { "--at", &o->at } };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(arg[0], texts[i].name) != 0)
			continue;
		*texts[i].text = arg[1];
		return arg[1] != NULL;
	}
	return false;
}

static bool read_option(char **arg, struct sim_options *o)
{
	if (strcmp(arg[0], "--mutant") != 0)
		return read_number(arg, o) || read_time(arg, o) || read_text(arg, o);
	o->mutant = arg[1] ? sim_mutant_by_name(arg[1]) : SIM_MUTANTS;
	return o->mutant != SIM_MUTANTS;
}

static bool read_options(char **arg, const struct mode *mode, struct sim_options *o)
{
	o->seed = 1;
	o->count = mode->count;
	for (; *arg; arg++) {
		if (read_flag(*arg, o))
			continue;
		if (strncmp(*arg, "--", 2) == 0) {
			if (!read_option(arg, o))
				return false;
			arg++;
		} else if (mode->takes != TAKES_NO_FILE && !o->file) {
			o->file = *arg;
		} else {
			return false;
		}
	}
	return mode->takes != TAKES_A_FILE || o->file;
}

int main(int argc, char **argv)
{
	struct sim_options o = { 0 };
	size_t i;

	if (argc > 1 && (strcmp(argv[1], "live") == 0 || strcmp(argv[1], "--live") == 0))
		return live_main(argv + 2);
	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		if (read_options(argv + 2, &modes[i], &o))
			return modes[i].run(&o);
		break;
	}
	fputs(usage, stderr);
	return 64;
}
