/* SPDX-License-Identifier: Apache-2.0 */
/* fleet: how many devices meet their origin when it is back, as a table. */
#include <inttypes.h>
#include <unistd.h>

#include "fleet.h"
#include "modes.h"
#include "progress.h"
#include "report/fleet_page.h"

#define ROWS	  20 /* of the picture */
#define BAR	  44
#define MEGABYTES (1024.0 * 1024.0)

static void show_progress(void *user, uint64_t done, uint64_t n)
{
	struct sim_progress *p = user;

	p->n = n;
	sim_progress_show(p, done, NULL);
}

static const char *since(uint64_t us, char out[32])
{
	if (us == SIM_NEVER)
		return snprintf(out, 32, "never"), out;
	return sim_span_text(us, out);
}

static void row(const char *name, const char *value)
{
	printf("  %-42s %14s\n", name, value);
}

static void number_row(const char *name, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	row(name, text);
}

static void verdict_row(const char *name, const char *value, bool good)
{
	bool colour = isatty(STDOUT_FILENO);

	printf("  %-42s %s%14s%s\n", name,
	       !colour ? "" :
	       good    ? "\033[32m" :
			 "\033[31m",
	       value, colour ? "\033[0m" : "");
}

static void print_head(const struct sim_fleet_options *o)
{
	char away[32];

	printf("\n  A fleet comes back\n\n  %u %s, %u orders each kept while the %s for %s.\n",
	       o->devices, o->devices == 1 ? "device" : "devices", o->queued,
	       o->cables ? "network is down" : "origin is away", sim_span_text(o->outage_us, away));
	if (o->capacity)
		printf("  The origin takes %u requests a second and answers others 503%s.\n",
		       o->capacity, o->retry_after_s ? " with Retry-After" : "");
	printf("\n");
}

static void print_figures(const struct sim_fleet *f)
{
	char text[48];

	number_row("orders that wait when it is back", f->kept);
	if (!f->opt.cables) {
		snprintf(text, sizeof(text), "%.1f",
			 (double)f->knocks * SIM_US_PER_MIN / (double)f->opt.outage_us /
				 f->opt.devices);
		row("calls per device and minute while away", text);
	}
	row("the first device is back after", since(sim_fleet_returned(f, 0), text));
	row("half of them are back after", since(sim_fleet_returned(f, 0.5), text));
	row("all of them are back after", since(sim_fleet_returned(f, 1), text));
	row("everything is delivered after",
	    f->drained ? since(f->end_us - f->back_us, text) : "never");
	number_row("requests until then", f->requests);
	number_row("of these refused with 503", f->refused);
	number_row("most requests in one second", sim_fleet_peak(f));
	number_row("most attempts of one order", f->attempts_max);
	snprintf(text, sizeof(text), "%u", f->totals.waiting_or_lost);
	verdict_row("lost", text, f->totals.waiting_or_lost == 0);
	snprintf(text, sizeof(text), "%u", f->totals.duplicated);
	verdict_row("duplicated effects", text, f->totals.duplicated == 0);
	verdict_row("order kept", f->totals.order_kept ? "yes" : "NO", f->totals.order_kept);
}

/* ---- the picture ---- */

/* Ticks in one line of it: a good number that gives no more than ROWS. */
static size_t step_of(const struct sim_fleet *f)
{
	static const size_t steps[] = { 1,   2,	  5,	10,   20,   50,	  100,	 150,
					300, 600, 1200, 3000, 6000, 9000, 18000, 36000 };
	size_t i = 0;

	while (i + 1 < sizeof(steps) / sizeof(steps[0]) &&
	       (f->ticks_n + steps[i] - 1) / steps[i] > ROWS)
		i++;
	return steps[i];
}

static void print_bar(char mark, unsigned part, unsigned most)
{
	unsigned n = (part * BAR + most / 2) / most;

	while (n-- > 0)
		putchar(mark);
}

static void print_line(const struct sim_fleet *f, size_t at, size_t step, unsigned most)
{
	struct sim_fleet_tick sum = sim_fleet_sum(f, at, step);
	size_t s = at / SIM_FLEET_TICKS;
	char from[32], tenth[8] = "";

	if (step % SIM_FLEET_TICKS)
		snprintf(tenth, sizeof(tenth), ".%zu", at % SIM_FLEET_TICKS);
	snprintf(from, sizeof(from), "%zu:%02zu%s", s / 60, s % 60, tenth);
	printf("  %8s %8.1f  ", from,
	       (double)(sum.taken + sum.refused) * SIM_FLEET_TICKS / (double)step);
	print_bar('#', sum.taken, most);
	print_bar('x', sum.refused, most);
	printf("\n");
}

static void print_picture(const struct sim_fleet *f)
{
	size_t step = step_of(f), at;
	unsigned most = 0;

	for (at = 0; at < f->ticks_n; at += step) {
		struct sim_fleet_tick sum = sim_fleet_sum(f, at, step);

		if (sum.taken + sum.refused > most)
			most = sum.taken + sum.refused;
	}
	if (most == 0)
		return;
	printf("\n  Requests a second, by the time since the return%s\n\n",
	       f->refused ? ": # taken, x refused" : "");
	for (at = 0; at < f->ticks_n; at += step)
		print_line(f, at, step, most);
}

/* ---- the mode ---- */

static bool take_options(const struct sim_options *o, struct sim_fleet_options *f)
{
	*f = (struct sim_fleet_options){
		.seed = o->seed,
		.devices = (unsigned)(o->devices ? o->devices : 1000),
		.queued = (unsigned)(o->queued ? o->queued : 3),
		.outage_us = o->outage_us ? o->outage_us : 20 * SIM_US_PER_MIN,
		.cables = o->cables,
		.capacity = (unsigned)o->capacity,
		.retry_after_s = (uint32_t)(o->retry_after_us / SIM_US_PER_S)
	};
	if (f->devices <= SIM_FLEET_MAX && f->queued <= SIM_FLEET_QUEUED_MAX)
		return true;
	fprintf(stderr, "holdfast-sim: a fleet has at most %d devices with %d orders each\n",
		SIM_FLEET_MAX, SIM_FLEET_QUEUED_MAX);
	return false;
}

/* As it is written on the command line. */
static const char *time_text(uint64_t us, char out[32])
{
	if (us % SIM_US_PER_MIN == 0)
		snprintf(out, 32, "%" PRIu64 "m", us / SIM_US_PER_MIN);
	else if (us % SIM_US_PER_S == 0)
		snprintf(out, 32, "%" PRIu64 "s", us / SIM_US_PER_S);
	else
		snprintf(out, 32, "%" PRIu64 "ms", us / SIM_US_PER_MS);
	return out;
}

/* What repeats it. */
static void command_text(const struct sim_fleet_options *f, char *out, size_t size)
{
	char capacity[32] = "", after[32] = "", outage[32];

	if (f->capacity)
		snprintf(capacity, sizeof(capacity), " --capacity %u", f->capacity);
	if (f->retry_after_s)
		snprintf(after, sizeof(after), " --retry-after %us", f->retry_after_s);
	snprintf(out, size,
		 "holdfast-sim fleet --devices %u --queued %u --outage %s%s%s%s"
		 " --seed %" PRIu64,
		 f->devices, f->queued, time_text(f->outage_us, outage),
		 f->cables ? " --cables" : "", capacity, after, f->seed);
}

static void print_end(const struct sim_fleet *f, double took_s)
{
	print_head(&f->opt);
	print_figures(f);
	print_picture(f);
	printf("\n  %.1f min of %u devices in %.1f s; the agent of one held %.1f MB at most.\n"
	       "  Seed %" PRIu64 ", trace %016" PRIx64 ".\n",
	       (double)f->end_us / (double)SIM_US_PER_MIN, f->opt.devices, took_s,
	       (double)f->device_bytes / MEGABYTES, f->opt.seed, f->trace_hash);
}

int sim_mode_fleet(const struct sim_options *o)
{
	struct sim_fleet_options opt;
	struct sim_progress progress;
	struct sim_fleet f;
	double begin = sim_real_s();
	char command[256];
	bool written = true, holds;

	if (!take_options(o, &opt))
		return 64;
	command_text(&opt, command, sizeof(command));
	sim_progress_begin(&progress, stderr, "fleet", 1);
	opt.progress = show_progress;
	opt.user = &progress;
	sim_fleet_run(&f, &opt);
	sim_progress_clear(&progress);
	print_end(&f, sim_real_s() - begin);
	fflush(stdout);
	if (o->report)
		written = sim_fleet_page_write(o->report, command, &f);
	sim_print_report(o, !written);
	holds = sim_fleet_holds(&f);
	sim_fleet_finish(&f);
	return !holds || !written;
}
