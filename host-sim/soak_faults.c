/* SPDX-License-Identifier: Apache-2.0 */
#include "soak_faults.h"

#include <inttypes.h>
#include <string.h>

#include "stage.h"

#define FULL_NOT_BEFORE_US (2 * SIM_US_PER_MIN) /* when the store has been made */
#define FULL_ANSWER_MAX	   (400 << 10)

void sim_maker_turn(struct sim_maker *m, const char *kind)
{
	char domain[64];

	if (m->part)
		snprintf(domain, sizeof(domain), "plan/%s/%u", kind, m->part);
	else
		snprintf(domain, sizeof(domain), "plan/%s", kind);
	sim_rng_init(&m->rng, m->seed, domain);
}

struct sim_step *sim_maker_add(struct sim_maker *m, enum sim_do what, uint64_t at_us)
{
	struct sim_step *s = sim_plan_add(m->plan, what);

	s->at_us = at_us;
	return s;
}

void sim_maker_place(struct sim_maker *m, struct sim_step *s)
{
	const struct sim_cast *cast = &m->plan->cast;

	if (cast->devices_n > 1)
		s->device = cast->devices[sim_rng_below(&m->rng, cast->devices_n)];
	if (cast->origins_n > 1)
		s->origin = cast->origins[sim_rng_below(&m->rng, cast->origins_n)].name;
}

/* What begins and ends is about the same one. */
static void place_from(struct sim_maker *m, size_t first)
{
	struct sim_step where = { 0 };
	size_t i;

	sim_maker_place(m, &where);
	for (i = first; i < m->plan->n; i++) {
		enum sim_do what = m->plan->v[i].what;

		if (what < SIM_DO_ORIGIN_UP)
			m->plan->v[i].device = where.device;
		else
			m->plan->v[i].origin = where.origin;
	}
}

uint64_t sim_maker_moment(struct sim_maker *m)
{
	return m->from_us + sim_rng_range(&m->rng, SIM_US_PER_S, m->lasts_us);
}

static uint64_t fault_moment(struct sim_maker *m)
{
	uint64_t at = sim_maker_moment(m);

	if (m->faults_n < sizeof(m->faults_us) / sizeof(m->faults_us[0]))
		m->faults_us[m->faults_n++] = at;
	return at;
}

/* Most outages are short, some are long. */
static uint64_t outage(struct sim_maker *m)
{
	static const uint64_t longest_s[] = { 2, 10, 60, 300, 1200 };

	return sim_rng_range(&m->rng, 200 * SIM_US_PER_MS,
			     longest_s[sim_rng_below(&m->rng, 5)] * SIM_US_PER_S);
}

/* Two draws never stand in one expression: compilers take them in any order. */

/* A step at some moment, and one that takes it back (a: 0) after an outage. */
static struct sim_step *for_a_while(struct sim_maker *m, enum sim_do what)
{
	uint64_t at = fault_moment(m);

	sim_maker_add(m, what, at + outage(m));
	return sim_maker_add(m, what, at);
}

/* The same with @a between @low and @high. */
static void some_for_a_while(struct sim_maker *m, enum sim_do what, uint64_t low, uint64_t high)
{
	struct sim_step *s = for_a_while(m, what);

	s->a = sim_rng_range(&m->rng, low, high);
}

static uint64_t some(struct sim_maker *m, uint64_t most)
{
	return sim_rng_range(&m->rng, 1, most);
}

/* ---- the way out ---- */

static void link(struct sim_maker *m)
{
	static const enum sim_link kinds[] = { SIM_LINK_DOWN, SIM_LINK_DOWN, SIM_LINK_DEAD,
					       SIM_LINK_CAPTIVE };
	uint64_t n, at, portal;
	struct sim_step *s;

	for (n = some(m, 6); n > 0; n--) {
		at = fault_moment(m);
		s = sim_maker_add(m, SIM_DO_LINK, at);
		s->a = kinds[sim_rng_below(&m->rng, 4)];
		portal = sim_rng_below(&m->rng, 3);
		if (s->a == SIM_LINK_CAPTIVE)
			s->b = portal;
		sim_maker_add(m, SIM_DO_LINK, at + outage(m))->a = SIM_LINK_UP;
	}
}

static void addresses(struct sim_maker *m)
{
	uint64_t n, at;

	for (n = some(m, 3); n > 0; n--) {
		at = fault_moment(m);
		sim_maker_add(m, SIM_DO_LINK, at)->a = SIM_LINK_BARE;
		sim_maker_add(m, SIM_DO_LINK, at + outage(m))->a = SIM_LINK_UP;
	}
}

static void flapping(struct sim_maker *m)
{
	uint64_t at = fault_moment(m);
	struct sim_step *s = sim_maker_add(m, SIM_DO_LINK_FLAPS, at);

	s->a = sim_rng_range(&m->rng, 50 * SIM_US_PER_MS, 5 * SIM_US_PER_S);
	s->b = sim_rng_range(&m->rng, 50 * SIM_US_PER_MS, 20 * SIM_US_PER_S);
	sim_maker_add(m, SIM_DO_LINK, at + some(m, 120) * SIM_US_PER_S)->a = SIM_LINK_UP;
}

static void metered(struct sim_maker *m)
{
	uint64_t at = fault_moment(m);

	sim_maker_add(m, SIM_DO_METERED, at)->a = 1;
	sim_maker_add(m, SIM_DO_METERED, at + some(m, 60) * SIM_US_PER_MIN);
}

static void names(struct sim_maker *m)
{
	struct sim_step *s = for_a_while(m, SIM_DO_DNS);

	s->a = sim_rng_range(&m->rng, SIM_DNS_FAILS, SIM_DNS_LIES);
	if (s->a == SIM_DNS_SLOW)
		s->b = some(m, 40) * SIM_US_PER_S;
}

static void quality(struct sim_maker *m)
{
	static const uint64_t most[] = {
		[SIM_NET_LATENCY] = 900 * SIM_US_PER_MS,
		[SIM_NET_JITTER] = 2 * SIM_US_PER_S,
		[SIM_NET_LOSS] = 30,
		[SIM_NET_BANDWIDTH] = 100000,
	};
	uint64_t n;

	for (n = some(m, 3); n > 0; n--) {
		uint64_t kind = sim_rng_range(&m->rng, SIM_NET_LATENCY, SIM_NET_BANDWIDTH);
		struct sim_step *s = for_a_while(m, SIM_DO_NETWORK);

		s->a = kind;
		s->b = sim_rng_range(&m->rng, most[kind] / 20, most[kind]);
	}
}

static void breaks(struct sim_maker *m)
{
	struct sim_step *s = for_a_while(m, SIM_DO_NETWORK);

	s->a = sim_rng_chance(&m->rng, 50) ? SIM_NET_RESETS : SIM_NET_STALLS;
	s->b = sim_rng_chance(&m->rng, 80) ? sim_rng_below(&m->rng, 400) :
					     sim_rng_below(&m->rng, 200000);
	s->c = sim_rng_below(&m->rng, 2);
}

static void forgetting(struct sim_maker *m)
{
	uint64_t n;

	for (n = some(m, 3); n > 0; n--)
		sim_maker_add(m, SIM_DO_NETWORK, fault_moment(m))->a = SIM_NET_FORGETS;
}

/* ---- origins ---- */

static void origin_outages(struct sim_maker *m)
{
	uint64_t n, at;

	for (n = some(m, 4); n > 0; n--) {
		at = fault_moment(m);
		sim_maker_add(
			m, sim_rng_chance(&m->rng, 60) ? SIM_DO_ORIGIN_DOWN : SIM_DO_ORIGIN_SILENT,
			at);
		sim_maker_add(m, SIM_DO_ORIGIN_UP, at + outage(m));
	}
}

static void refusals(struct sim_maker *m)
{
	static const uint16_t statuses[] = { 503, 503, 502, 429, 500, 504, 408 };
	struct sim_step *s;
	uint64_t n;

	for (n = some(m, 4); n > 0; n--) {
		s = for_a_while(m, SIM_DO_ORIGIN_ANSWER);
		s->a = statuses[sim_rng_below(&m->rng, 7)];
		s->b = sim_rng_chance(&m->rng, 50) ? some(m, 90) : 0;
	}
}

/* Answers that are final, or for a person to decide. */
static void rejections(struct sim_maker *m)
{
	static const uint16_t statuses[] = { 400, 401, 403, 404, 422, 501 };
	struct sim_step *s = for_a_while(m, SIM_DO_ORIGIN_ANSWER);

	s->a = statuses[sim_rng_below(&m->rng, 6)];
}

static void lost_answers(struct sim_maker *m)
{
	uint64_t n;

	for (n = some(m, 4); n > 0; n--)
		some_for_a_while(m, SIM_DO_ORIGIN_LOSE, 30, 100);
}

static void bad_answers(struct sim_maker *m)
{
	some_for_a_while(m, SIM_DO_ORIGIN_CUTS, 30, 100);
	some_for_a_while(m, SIM_DO_ORIGIN_GARBLE, 30, 100);
}

static void slowness(struct sim_maker *m)
{
	some_for_a_while(m, SIM_DO_ORIGIN_SLOW, 100 * SIM_US_PER_MS, 40 * SIM_US_PER_S);
}

/* Where the origin speaks TLS. */
static void certificates(struct sim_maker *m)
{
	some_for_a_while(m, SIM_DO_ORIGIN_CERT, 1, SIM_CERTS - 1);
}

/* ---- the device ---- */

/* Half at a disk operation soon after some moment, and then often once more in
 * the recovery; half at the moment itself. */
static void cuts(struct sim_maker *m)
{
	struct sim_step *s;
	uint64_t n;

	if (!m->bulky && sim_rng_chance(&m->rng, 50)) /* while the store is made */
		sim_maker_add(m, SIM_DO_CUT, m->from_us)->a = some(m, 320);
	for (n = some(m, 8); n > 0; n--) {
		s = sim_maker_add(m, SIM_DO_CUT, sim_maker_moment(m));
		if (sim_rng_chance(&m->rng, 25))
			continue;
		s->a = some(m, 40);
		if (sim_rng_chance(&m->rng, 50))
			s->b = some(m, sim_rng_chance(&m->rng, 50) ? 12 : 300);
	}
}

static void clocks(struct sim_maker *m)
{
	struct sim_step *s = sim_maker_add(m, SIM_DO_CLOCK, m->from_us);
	uint64_t n;

	s->a = sim_rng_chance(&m->rng, 50) ? SIM_CLOCK_BATTERY : SIM_CLOCK_LATE;
	if (s->a == SIM_CLOCK_LATE)
		s->b = some(m, 1800) * SIM_US_PER_S;
	for (n = some(m, 3); n > 0; n--) {
		s = sim_maker_add(m, SIM_DO_CLOCK, fault_moment(m));
		s->a = sim_rng_chance(&m->rng, 50) ? SIM_CLOCK_AHEAD : SIM_CLOCK_BACK;
		s->b = some(m, 366 * 24) * SIM_US_PER_H;
		s->b /= some(m, 1000);
	}
}

/* Answers larger than requests, and no room for them. */
static void full_disk(struct sim_maker *m)
{
	uint64_t n, at;

	sim_maker_add(m, SIM_DO_ORIGIN_LARGE, m->from_us)->a =
		sim_rng_range(&m->rng, 20, FULL_ANSWER_MAX);
	for (n = some(m, 3); n > 0; n--) {
		at = m->from_us +
		     sim_rng_range(&m->rng, FULL_NOT_BEFORE_US, FULL_NOT_BEFORE_US + m->lasts_us);
		sim_maker_add(m, SIM_DO_DISK, at)->a = SIM_DISK_FULL;
		sim_maker_add(m, SIM_DO_DISK, at + some(m, 600) * SIM_US_PER_S)->a = SIM_DISK_FREE;
	}
}

static void slow_disk(struct sim_maker *m)
{
	struct sim_step *s = for_a_while(m, SIM_DO_DISK);

	s->a = SIM_DISK_SLOW;
	s->b = sim_rng_range(&m->rng, 5 * SIM_US_PER_MS, 400 * SIM_US_PER_MS);
}

static void disk_errors(struct sim_maker *m)
{
	struct sim_step *s;
	uint64_t n;

	for (n = some(m, 4); n > 0; n--) {
		s = sim_maker_add(m, SIM_DO_DISK, fault_moment(m));
		s->a = SIM_DISK_FAILS_AT;
		s->b = some(m, 20);
	}
	if (sim_rng_chance(&m->rng, 30)) {
		s = for_a_while(m, SIM_DO_DISK);
		s->a = SIM_DISK_FAILS;
		s->b = some(m, 20);
	}
}

static void rot(struct sim_maker *m)
{
	struct sim_step *s = sim_maker_add(m, SIM_DO_DISK, fault_moment(m));

	s->a = SIM_DISK_ROTS;
	s->b = some(m, 4);
}

static void memory(struct sim_maker *m)
{
	struct sim_step *s;
	uint64_t n;

	for (n = some(m, 4); n > 0; n--) {
		s = sim_maker_add(m, SIM_DO_MEMORY, fault_moment(m));
		s->a = some(m, 400);
	}
}

static void kills(struct sim_maker *m)
{
	struct sim_step *s;
	uint64_t n;

	for (n = some(m, 4); n > 0; n--) {
		s = sim_maker_add(m, SIM_DO_PROCESS, fault_moment(m));
		s->a = sim_rng_chance(&m->rng, 75) ? SIM_PROCESS_KILLED : SIM_PROCESS_HANGS;
	}
	if (sim_rng_chance(&m->rng, 70))
		return;
	s = sim_maker_add(m, SIM_DO_PROCESS, fault_moment(m));
	s->a = SIM_PROCESS_CRASHES;
	s->b = some(m, 8);
	s->c = sim_rng_range(&m->rng, SIM_US_PER_MS, 3 * SIM_US_PER_S);
}

#define ALL	"everything"
#define NO_LOSS "nothing is lost in silence"

const struct sim_budget sim_budget[] = {
	{ "link", "down, silent, a captive portal (redirect, page, 511)", ALL, 70, 100, link },
	{ "address", "carrier, but no address", ALL, 10, 10, addresses },
	{ "flapping", "down and up every 50 ms to 20 s", ALL, 8, 8, flapping },
	{ "metered", "costs by the byte for up to two hours", ALL, 40, 40, metered },
	{ "names", "not found, up to 40 s slow, a stranger's address", ALL, 15, 15, names },
	{ "quality", "latency to 0.9 s, jitter to 2 s, 30 % loss, 5 kB/s", ALL, 15, 15, quality },
	{ "breaks", "resets and one-way silence at any byte of a connection", ALL, 12, 12, breaks },
	{ "forgetting", "connections that stand go silent for ever", ALL, 10, 10, forgetting },
	{ "origin", "down, silent", ALL, 60, 90, origin_outages },
	{ "refusals", "408, 429, 500, 502, 503, 504, with and without Retry-After", ALL, 50, 50,
	  refusals },
	{ "rejections", "400, 401, 403, 404, 422, 501", "held or dead until a person retries", 8, 8,
	  rejections },
	{ "lost answers", "the connection ends after the effect", ALL, 50, 50, lost_answers },
	{ "bad answers", "truncated or not HTTP, after the effect", ALL, 12, 12, bad_answers },
	{ "slowness", "answers after up to 40 s", ALL, 20, 20, slowness },
	{ "certificate", "expired, of another name, of an unknown CA (with https)", ALL, 30, 30,
	  certificates },
	{ "power", "cuts at any time and any disk operation, also in the recovery", ALL, 85, 100,
	  cuts },
	{ "clock", "no battery, NTP up to 30 min late, jumps of up to a year both ways", ALL, 15,
	  15, clocks },
	{ "full", "no file can grow, answers up to 400 kB", ALL, 20, 20, full_disk },
	{ "slow disk", "each operation takes up to 0.4 s", ALL, 8, 8, slow_disk },
	{ "disk errors", "single operations and up to 20 % of them fail", NO_LOSS, 8, 8,
	  disk_errors },
	{ "rot", "up to 4 bits of the database, its log or its marker turn over", "loss is told", 4,
	  4, rot },
	{ "memory", "single allocations fail", ALL, 12, 12, memory },
	{ "process", "kills, crash loops, hangs until the watchdog", ALL, 15, 15, kills },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

void sim_soak_faults(struct sim_maker *m)
{
	const struct sim_budget *b;

	for (b = sim_budget; b->kind; b++) {
		size_t first = m->plan->n;

		sim_maker_turn(m, b->kind);
		if (sim_rng_chance(&m->rng, m->bulky ? b->bulky_percent : b->percent))
			b->add(m);
		place_from(m, first);
	}
}

void sim_budget_print(FILE *out)
{
	const struct sim_budget *b;

	fprintf(out, "| fault | what is injected | in seeds | what holds |\n|---|---|---|---|\n");
	for (b = sim_budget; b->kind; b++)
		fprintf(out, "| %s | %s | %u %% | %s |\n", b->kind, b->faults, b->percent,
			b->promise);
}
