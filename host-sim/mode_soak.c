/* SPDX-License-Identifier: Apache-2.0 */
/* soak: very many seeds, and what became of them all together. */
#include <inttypes.h>

#include "crew.h"
#include "modes.h"
#include "seed.h"
#include "sim/mem.h"

struct soak {
	const struct sim_options *o;
	struct sim_crew crew;
	uint64_t failed, orders, queued, cuts, virtual_us, device_us, bytes;
	uint64_t lost, duplicated, written_back;
	uint64_t drain_us, slowest;
};

static void work(void *user, uint64_t i, void *result)
{
	const struct soak *s = user;
	struct sim_seed seed = { .seed = s->o->seed + i,
				 .days = (unsigned)s->o->days,
				 .mutant = s->o->mutant };

	sim_seed_run(&seed, result);
}

static void add(struct soak *s, uint64_t seed, const struct sim_trial_result *r)
{
	s->orders += r->totals.accepted;
	s->queued += r->totals.queued;
	s->cuts += r->totals.cuts;
	s->virtual_us += r->virtual_us;
	s->device_us += r->device_us;
	s->bytes += r->totals.bytes;
	s->lost += r->lost;
	s->duplicated += r->totals.duplicated;
	s->written_back += r->written_back;
	if (r->drain_us > s->drain_us) {
		s->drain_us = r->drain_us;
		s->slowest = seed;
	}
}

static bool take(void *user, uint64_t i, const void *result, int sig)
{
	const struct sim_trial_result *r = result;
	struct soak *s = user;
	struct sim_seed seed = { .seed = s->o->seed + i,
				 .days = (unsigned)s->o->days,
				 .mutant = s->o->mutant };

	if (r)
		add(s, seed.seed, r);
	if (r && !r->failure.what[0])
		return true;
	sim_progress_clear(&s->crew.progress);
	sim_seed_print_failure(stderr, &seed, r ? &r->failure : NULL, sig);
	return ++s->failed < SIM_FAILURES_MAX;
}

static void print(const struct soak *s, const struct sim_crew_end *end)
{
	double day_us = 24.0 * (double)SIM_US_PER_H;
	double took = end->took_s > 0 ? end->took_s : 1e-3;
	char drain[32];

	printf("%" PRIu64 " seeds%s, %.1f device-days: %" PRIu64 " power cuts, %" PRIu64
	       " orders accepted, %" PRIu64 " of them queued, %" PRIu64 " lost, %" PRIu64
	       " duplicated effects; %" PRIu64 " seeds failed\n",
	       end->done, end->interrupted ? " (interrupted)" : "", (double)s->device_us / day_us,
	       s->cuts, s->orders, s->queued, s->lost, s->duplicated, s->failed);
	printf("%.1f s with %u processes: %.0f seeds, %.0f power cuts and %.1f device-days a "
	       "second, %.0f MB written\n",
	       end->took_s, sim_crew_jobs((unsigned)s->o->jobs), (double)end->done / took,
	       (double)s->cuts / took, (double)s->device_us / day_us / took,
	       (double)s->bytes / 1e6);
	printf("%" PRIu64 " seeds have written the store's log back into its database; longest "
	       "from the end of all faults to an empty queue: %s (seed %" PRIu64 ")\n",
	       s->written_back, sim_span_text(s->drain_us, drain), s->slowest);
}

int sim_mode_soak(const struct sim_options *o)
{
	struct soak s = { .o = o };
	struct sim_crew_end end;

	s.crew = (struct sim_crew){ .what = "soak",
				    .jobs = (unsigned)o->jobs,
				    .n = o->count,
				    .result_size = sizeof(struct sim_trial_result),
				    .work = work,
				    .take = take,
				    .user = &s };
	sim_crew_run(&s.crew, &end);
	print(&s, &end);
	if (s.cuts < o->cuts_wanted && !end.interrupted) {
		fprintf(stderr, "fewer than %" PRIu64 " power cuts\n", o->cuts_wanted);
		return 1;
	}
	return s.failed != 0 || end.interrupted;
}
