/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the origin sees of periodic sync. Fetches near each other are one run with
 * its retries; runs of one life of the device stand nine tenths of the interval
 * apart at least. A start may have fired anew what it does not know to be done,
 * and while there are faults a retry may have to wait until the origin is back:
 * then only their number has a limit.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "checks/checks.h"

#define ATTEMPTS_MAX 4	/* of a run */
#define TROUBLED_MAX 12 /* in an interval with faults */
/* Later than it was fired: a line that is slow, or loses what is sent. */
#define ON_THE_WAY_US (15 * SIM_US_PER_S)
#define SLOW_WAY_US   (2 * SIM_US_PER_MIN)  /* with names that are slow to be found */
#define QUIET_US      (30 * SIM_US_PER_MIN) /* after all faults: for back-off to end */

static uint64_t interval_us(const struct sim_visit *v)
{
	size_t prefix = sizeof(SIM_PERIODIC_PATH) - 1;

	if (strncmp(v->path, SIM_PERIODIC_PATH, prefix) != 0)
		return 0;
	return strtoull(v->path + prefix, NULL, 10) * 1000;
}

/* The index of the next one of the same path, @n at the end. */
static size_t next_of(const struct sim_ledger *l, size_t i, uint64_t life)
{
	size_t j = i + 1;

	while (j < l->visits_n &&
	       (strcmp(l->visits[j].path, l->visits[i].path) != 0 || l->visits[j].life != life))
		j++;
	return j;
}

static bool is_first(const struct sim_ledger *l, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(l->visits[j].path, l->visits[i].path) == 0)
			return false;
	return true;
}

/* Run after run of one life, beginning with visit @i. */
static bool often_enough(const struct sim_stage *s, size_t i, char *why, size_t size)
{
	const struct sim_ledger *l = &s->ledger;
	const struct sim_visit *first = &l->visits[i], *v;
	uint64_t interval = interval_us(first), gap;
	unsigned attempts = 1;

	for (i = next_of(l, i, first->life); i < l->visits_n; i = next_of(l, i, first->life)) {
		v = &l->visits[i];
		gap = v->at_us - first->at_us;
		attempts++;
		if (gap <= interval / 10 + ON_THE_WAY_US && attempts <= ATTEMPTS_MAX)
			continue;
		/* a run that began in trouble may have reached the origin after it */
		if (first->at_us < s->well_us + QUIET_US && gap < interval - interval / 10 &&
		    attempts <= TROUBLED_MAX)
			continue;
		if (gap + ON_THE_WAY_US < interval - interval / 10) {
			snprintf(why, size,
				 "%s was fetched again after %" PRIu64 " s of %" PRIu64
				 ", at %" PRIu64 " s",
				 v->path, gap / SIM_US_PER_S, interval / SIM_US_PER_S,
				 v->at_us / SIM_US_PER_S);
			return false;
		}
		first = v;
		attempts = 1;
	}
	return true;
}

/* When all is well there is one in each interval. */
static bool goes_on(const struct sim_stage *s, size_t i, char *why, size_t size)
{
	const struct sim_ledger *l = &s->ledger;
	uint64_t interval = interval_us(&l->visits[i]), last = s->well_us + QUIET_US;
	uint64_t most = interval + interval / 10 + interval / 20 + interval / 10 + ON_THE_WAY_US;
	const char *path = l->visits[i].path;

	if (!s->well_us || !s->rest.looked)
		return true;
	for (; i < l->visits_n; i++) {
		const struct sim_visit *v = &l->visits[i];

		if (strcmp(v->path, path) != 0 || v->at_us < last || v->status != 200)
			continue;
		if (v->at_us - last > most)
			break;
		last = v->at_us;
	}
	if (i == l->visits_n && s->world.now_us < last + most + SIM_US_PER_MIN)
		return true;
	snprintf(why, size, "%s was not fetched for more than %" PRIu64 " s after %" PRIu64 " s",
		 path, most / SIM_US_PER_S, last / SIM_US_PER_S);
	return false;
}

/* What waits for a link that costs nothing is not fetched over another. */
static bool is_thrifty(const struct sim_visit *v, char *why, size_t size)
{
	const char *tag = strrchr(v->path, '/') + 1;

	if (strncmp(tag, SIM_UNMETERED, strlen(SIM_UNMETERED)) != 0 || v->metered_us < SLOW_WAY_US)
		return true;
	snprintf(why, size, "%s was fetched at %" PRIu64 " s over a link metered for %" PRIu64 " s",
		 v->path, v->at_us / SIM_US_PER_S, v->metered_us / SIM_US_PER_S);
	return false;
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	const struct sim_ledger *l = &s->ledger;

	for (size_t i = 0; i < l->visits_n; i++) {
		bool begins = i == 0;

		if (!interval_us(&l->visits[i]))
			continue;
		if (!is_thrifty(&l->visits[i], why, size))
			return false;
		for (size_t j = i; j-- > 0 && !begins;)
			if (strcmp(l->visits[j].path, l->visits[i].path) == 0) {
				begins = l->visits[j].life != l->visits[i].life;
				break;
			}
		if ((begins || is_first(l, i)) && !often_enough(s, i, why, size))
			return false;
		if (is_first(l, i) && !goes_on(s, i, why, size))
			return false;
	}
	return true;
}

const struct sim_check sim_check_periodic = {
	.name = "periodic",
	.promise = "periodic sync is fired once in each interval, and goes on after faults",
	.holds = holds,
};
