/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#define SHOWN_EVERY_S 0.2
#define BAR	      24

double sim_real_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void left_words(char *out, size_t size, double s)
{
	uint64_t left = (uint64_t)(s + 0.5);

	if (left < 100)
		snprintf(out, size, "%" PRIu64 " s left", left);
	else if (left < 6000)
		snprintf(out, size, "%" PRIu64 " min left", (left + 30) / 60);
	else
		snprintf(out, size, "%" PRIu64 " h %" PRIu64 " min left", left / 3600,
			 left % 3600 / 60);
}

void sim_progress_line(char *out, size_t size, const char *what, uint64_t done, uint64_t n,
		       double took_s)
{
	int full = n ? (int)(done * BAR / n) : BAR;
	double rate = took_s > 0 ? (double)done / took_s : 0;
	char left[40] = "", bar[BAR + 1];
	int i;

	for (i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '-';
	bar[BAR] = '\0';
	if (done > 0 && done < n && rate > 0)
		left_words(left, sizeof(left), (double)(n - done) / rate);
	snprintf(out, size, "%s [%s] %" PRIu64 " of %" PRIu64 "%s%s", what, bar, done, n,
		 left[0] ? ", " : "", left);
}

void sim_progress_begin(struct sim_progress *p, FILE *out, const char *what, uint64_t n)
{
	*p = (struct sim_progress){ .what = what, .n = n, .begun_s = sim_real_s() };
	if (isatty(fileno(out)))
		p->out = out;
}

void sim_progress_show(struct sim_progress *p, uint64_t done, const char *note)
{
	double now;
	char line[160];

	if (!p->out)
		return;
	now = sim_real_s();
	if (now - p->shown_s < SHOWN_EVERY_S)
		return;
	p->shown_s = now;
	sim_progress_line(line, sizeof(line), p->what, done, p->n, now - p->begun_s);
	fprintf(p->out, "\r%s%s%s\033[K", line, note ? ", " : "", note ? note : "");
	fflush(p->out);
}

void sim_progress_clear(struct sim_progress *p)
{
	if (!p->out || p->shown_s == 0)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->shown_s = 0;
}
