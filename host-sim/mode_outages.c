/* SPDX-License-Identifier: Apache-2.0 */
/* outages: how soon after the end of an outage the first request that was kept is at
 * its origin. One device, one outage after the other, of all lengths up to the ten
 * minutes in which trials are dense. */
#include <inttypes.h>
#include <stdlib.h>

#include "fleet.h"
#include "modes.h"
#include "progress.h"
#include "sim/mem.h"
#include "sim/rng.h"

#define SHORTEST_US (2 * SIM_US_PER_S)
#define LONGEST_US  (10 * SIM_US_PER_MIN)
#define DOUBLINGS   9 /* from the shortest one beyond the longest */
#define MEDIAN_US   SIM_US_PER_S
#define OUTAGES_MAX 100000

/* As many between 2 s and 4 s as between 256 s and 512 s. */
static uint64_t length_of(uint64_t seed)
{
	struct sim_rng rng;
	uint64_t low, length;

	sim_rng_init(&rng, seed, "outage");
	low = SHORTEST_US << sim_rng_below(&rng, DOUBLINGS);
	length = sim_rng_range(&rng, low, 2 * low);
	return length < LONGEST_US ? length : LONGEST_US;
}

/* From the end of the outage to the first request; SIM_NEVER: a promise is broken. */
static uint64_t first_after(uint64_t seed, const struct sim_options *o)
{
	const struct sim_fleet_options opt = {
		.seed = seed,
		.devices = 1,
		.queued = (unsigned)(o->queued ? o->queued : 3),
		.outage_us = length_of(seed),
		.cables = o->cables,
	};
	struct sim_fleet f;
	uint64_t first;

	sim_fleet_run(&f, &opt);
	first = sim_fleet_holds(&f) ? f.devices[0].first_us : SIM_NEVER;
	sim_fleet_finish(&f);
	if (first == SIM_NEVER)
		fprintf(stderr, "holdfast-sim: seed %" PRIu64 ": not everything came back\n", seed);
	return first;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void row(const char *name, uint64_t us)
{
	printf("  %-12s %6.2f s\n", name, (double)us / (double)SIM_US_PER_S);
}

int sim_mode_outages(const struct sim_options *o)
{
	struct sim_progress progress;
	uint64_t *first, i, median;
	double begin = sim_real_s();
	bool fine;

	if (o->count == 0 || o->count > OUTAGES_MAX || o->queued > SIM_FLEET_QUEUED_MAX) {
		fprintf(stderr, "holdfast-sim: 1 to %d outages, with %d orders each at most\n",
			OUTAGES_MAX, SIM_FLEET_QUEUED_MAX);
		return 64;
	}
	first = sim_alloc(o->count * sizeof(*first));
	sim_progress_begin(&progress, stderr, "outages", o->count);
	for (i = 0; i < o->count; i++) {
		first[i] = first_after(o->seed + i, o);
		sim_progress_show(&progress, i + 1, NULL);
	}
	sim_progress_clear(&progress);
	qsort(first, o->count, sizeof(*first), by_time);
	median = first[o->count / 2];
	fine = first[o->count - 1] != SIM_NEVER && median < MEDIAN_US;
	printf("\n  %" PRIu64 " outages of 2 s to 10 min, %s. From the end of the outage to the "
	       "first\n  request that was kept:\n\n",
	       o->count, o->cables ? "the cable out" : "the origin away");
	row("median", median);
	row("p95", first[(o->count * 95 + 99) / 100 - 1]);
	row("longest", first[o->count - 1]);
	printf("\n  Seeds %" PRIu64 " to %" PRIu64 ", in %.1f s.%s\n", o->seed,
	       o->seed + o->count - 1, sim_real_s() - begin,
	       fine ? "" : " FAILED: the median is to be less than 1 s, and all to come back.");
	sim_free(first);
	return !fine;
}
