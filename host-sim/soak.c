/* SPDX-License-Identifier: Apache-2.0 */
#include "soak.h"

#include <inttypes.h>
#include <string.h>

#include "guest.h"
#include "report/page.h"
#include "sim/mem.h"

#define WRITTEN_BACK_BYTES 65536 /* far more than making the database takes */
#define QUIET_LIMIT_US	   (6 * SIM_US_PER_H)

#define BODY_MAX (600 << 10) /* with a log of 4000 pages of 512 bytes, some make a checkpoint */

#define FULL_NOT_BEFORE_US (2 * SIM_US_PER_MIN)
#define FULL_ANSWER_MAX	   (400 << 10)

struct maker {
	struct sim_plan *plan;
	struct sim_rng rng;
	uint64_t lasts_us;
	bool bulky;		/* large bodies: blobs, checkpoints */
	uint64_t faults_us[32]; /* when something breaks or works again */
	size_t faults_n;
};

static uint64_t moment(struct maker *m)
{
	return sim_rng_range(&m->rng, SIM_US_PER_S, m->lasts_us);
}

/* Half of the orders come soon after something has changed. */
static uint64_t order_moment(struct maker *m)
{
	if (m->faults_n == 0 || sim_rng_chance(&m->rng, 50))
		return moment(m);
	return m->faults_us[sim_rng_below(&m->rng, m->faults_n)] +
	       sim_rng_below(&m->rng, 20 * SIM_US_PER_S);
}

static uint64_t fault_moment(struct maker *m)
{
	uint64_t at = moment(m);

	if (m->faults_n < sizeof(m->faults_us) / sizeof(m->faults_us[0]))
		m->faults_us[m->faults_n++] = at;
	return at;
}

static struct sim_step *add(struct maker *m, enum sim_do what, uint64_t at_us)
{
	struct sim_step *s = sim_plan_add(m->plan, what);

	s->at_us = at_us;
	return s;
}

/* Most outages are short, some are long. */
static uint64_t outage(struct maker *m)
{
	static const uint64_t longest_s[] = { 2, 10, 60, 300, 1200 };

	return sim_rng_range(&m->rng, 200 * SIM_US_PER_MS,
			     longest_s[sim_rng_below(&m->rng, 5)] * SIM_US_PER_S);
}

/* ---- faults ---- */

static void add_link_faults(struct maker *m)
{
	static const enum sim_link kinds[] = { SIM_LINK_DOWN, SIM_LINK_DOWN, SIM_LINK_DEAD,
					       SIM_LINK_CAPTIVE };
	uint64_t n = sim_rng_range(&m->rng, 1, 6);

	while (n--) {
		uint64_t at = fault_moment(m);

		add(m, SIM_DO_LINK, at)->a = kinds[sim_rng_below(&m->rng, 4)];
		add(m, SIM_DO_LINK, at + outage(m))->a = SIM_LINK_UP;
	}
}

static void add_origin_outages(struct maker *m)
{
	uint64_t n = sim_rng_range(&m->rng, 1, 4);

	while (n--) {
		uint64_t at = fault_moment(m);

		add(m, sim_rng_chance(&m->rng, 60) ? SIM_DO_ORIGIN_DOWN : SIM_DO_ORIGIN_SILENT, at);
		add(m, SIM_DO_ORIGIN_UP, at + outage(m));
	}
}

static void add_refusals(struct maker *m)
{
	static const uint16_t statuses[] = { 503, 503, 502, 429 };
	uint64_t n = sim_rng_range(&m->rng, 1, 4);

	while (n--) {
		uint64_t at = fault_moment(m);
		struct sim_step *s = add(m, SIM_DO_ORIGIN_ANSWER, at);

		s->a = statuses[sim_rng_below(&m->rng, 4)];
		s->b = sim_rng_chance(&m->rng, 50) ? sim_rng_range(&m->rng, 1, 90) : 0;
		add(m, SIM_DO_ORIGIN_ANSWER, at + outage(m));
	}
}

static void add_lost_answers(struct maker *m)
{
	uint64_t n = sim_rng_range(&m->rng, 1, 4);

	while (n--) {
		uint64_t at = fault_moment(m);

		add(m, SIM_DO_ORIGIN_LOSE, at)->a = sim_rng_range(&m->rng, 30, 100);
		add(m, SIM_DO_ORIGIN_LOSE, at + outage(m));
	}
}

static void add_slowness(struct maker *m)
{
	uint64_t at = fault_moment(m);

	add(m, SIM_DO_ORIGIN_SLOW, at)->a =
		sim_rng_range(&m->rng, 100 * SIM_US_PER_MS, 40 * SIM_US_PER_S);
	add(m, SIM_DO_ORIGIN_SLOW, at + outage(m));
}

/* Half at a disk operation soon after some moment, and then often once more in
 * the recovery; half at the moment itself. */
static void add_cuts(struct maker *m)
{
	uint64_t n = sim_rng_range(&m->rng, 1, 5);

	while (n--) {
		struct sim_step *s = add(m, SIM_DO_CUT, moment(m));

		if (sim_rng_chance(&m->rng, 25))
			continue;
		s->a = sim_rng_range(&m->rng, 1, 40);
		if (sim_rng_chance(&m->rng, 50))
			s->b = sim_rng_range(&m->rng, 1, sim_rng_chance(&m->rng, 50) ? 12 : 300);
	}
}

/* Answers larger than requests, and no room for them: not before the store has
 * been made. The draws are of their own, so that the rest of a plan is the same. */
static void add_full_disk(struct maker *m, uint64_t seed)
{
	struct sim_rng rng;
	uint64_t n, at;

	sim_rng_init(&rng, seed, "plan/full");
	if (!sim_rng_chance(&rng, 20))
		return;
	add(m, SIM_DO_ORIGIN_LARGE, 0)->a = sim_rng_range(&rng, 20, FULL_ANSWER_MAX);
	for (n = sim_rng_range(&rng, 1, 3); n > 0; n--) {
		at = sim_rng_range(&rng, FULL_NOT_BEFORE_US, FULL_NOT_BEFORE_US + m->lasts_us);
		add(m, SIM_DO_DISK, at)->a = SIM_DISK_FULL;
		add(m, SIM_DO_DISK, at + sim_rng_range(&rng, 1, 600) * SIM_US_PER_S)->a =
			SIM_DISK_FREE;
	}
}

/* ---- orders ---- */

static size_t body_length(struct maker *m)
{
	if (m->bulky && sim_rng_chance(&m->rng, 70))
		return (size_t)sim_rng_range(&m->rng, 4 << 10, BODY_MAX);
	if (sim_rng_chance(&m->rng, 10))
		return (size_t)sim_rng_range(&m->rng, 500, 3500);
	return (size_t)sim_rng_range(&m->rng, 10, 200);
}

static void add_order(struct maker *m, uint64_t at_us)
{
	static const char *const paths[] = { "/api/orders", "/api/payments", "/api/reports" };
	struct sim_step *s = add(m, SIM_DO_ORDER, at_us);
	size_t i, len = body_length(m);
	char *body = sim_alloc(len);

	for (i = 0; i < len; i++)
		body[i] = (char)('a' + (i * 7 + len + i / 512) % 26);
	s->method = "POST";
	s->path = paths[sim_rng_below(&m->rng, 3)];
	s->body = sim_plan_text(m->plan, body, len);
	free(body);
}

static void add_orders(struct maker *m)
{
	uint64_t left = sim_rng_range(&m->rng, 5, 40);

	while (left > 0) {
		uint64_t at = order_moment(m);
		uint64_t burst = sim_rng_chance(&m->rng, 30) ? sim_rng_range(&m->rng, 2, 8) : 1;

		for (; burst > 0 && left > 0; burst--, left--) {
			add_order(m, at);
			at += sim_rng_below(&m->rng, 400 * SIM_US_PER_MS);
		}
	}
}

static int by_time(const void *a, const void *b)
{
	const struct sim_step *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->line < y->line ? -1 : 1; /* as made */
}

void sim_soak_plan(uint64_t seed, struct sim_plan *plan)
{
	struct maker m = { .plan = plan };
	struct sim_step *s;
	size_t i;

	sim_rng_init(&m.rng, seed, "plan");
	m.lasts_us = sim_rng_range(&m.rng, 2, 30) * SIM_US_PER_MIN;
	m.bulky = sim_rng_chance(&m.rng, 30);
	s = sim_plan_add(plan, SIM_DO_REBOOT_AFTER);
	s->at_us = 0;
	s->a = sim_rng_range(&m.rng, 1, 25) * SIM_US_PER_S;
	if (!m.bulky && sim_rng_chance(&m.rng, 50)) /* a cut while the store is made */
		add(&m, SIM_DO_CUT, 0)->a = sim_rng_range(&m.rng, 1, 320);
	if (sim_rng_chance(&m.rng, m.bulky ? 100 : 70))
		add_link_faults(&m);
	if (sim_rng_chance(&m.rng, m.bulky ? 90 : 60))
		add_origin_outages(&m);
	if (sim_rng_chance(&m.rng, 50))
		add_refusals(&m);
	if (sim_rng_chance(&m.rng, 50))
		add_lost_answers(&m);
	if (sim_rng_chance(&m.rng, 20))
		add_slowness(&m);
	if (sim_rng_chance(&m.rng, m.bulky ? 100 : 85))
		add_cuts(&m);
	add_full_disk(&m, seed);
	add_orders(&m);
	for (i = 0; i < plan->n; i++)
		plan->v[i].line = (unsigned)i + 1;
	qsort(plan->v, plan->n, sizeof(plan->v[0]), by_time);
}

/* ---- running ---- */

static void tally(const struct sim_stage *s, struct sim_seed_result *out)
{
	struct sim_disk_stats disk;
	size_t i;

	out->orders = (unsigned)s->ledger.n;
	for (i = 0; i < s->ledger.n; i++) {
		out->promised += sim_order_promised(s->ledger.v[i]);
		out->queued += s->ledger.v[i]->status == 202;
		out->delivered += s->ledger.v[i]->effects > 0;
	}
	sim_stage_disk_stats(s, &disk);
	out->cuts = (unsigned)disk.cuts;
	out->bytes = disk.bytes;
	out->written_back = disk.by_role[SIM_DISK_MAIN] > WRITTEN_BACK_BYTES;
	out->virtual_us = s->world.now_us;
	out->events = s->world.fired;
	out->trace_hash = s->world.trace.hash;
	for (i = 0; i < s->devices_n; i++)
		out->disk_hash ^= sim_disk_hash(s->devices[i]->disk) + i;
}

static bool write_report(const char *path, const struct sim_record *record,
			 const struct sim_plan *plan, enum sim_mutant mutant,
			 const struct sim_seed_result *r, const struct sim_totals *totals)
{
	char command[96];
	struct sim_about about = { .command = command,
				   .trace_hash = r->trace_hash,
				   .plan = plan,
				   .failure = &r->failure,
				   .totals = totals };

	snprintf(command, sizeof(command), "holdfast-sim replay --seed %" PRIu64 "%s%s",
		 record->stage->world.seed, mutant == SIM_MUTANT_NONE ? "" : " --mutant ",
		 mutant == SIM_MUTANT_NONE ? "" : sim_mutant_name(mutant));
	return sim_page_write(path, record, &about);
}

void sim_soak_seed(uint64_t seed, enum sim_mutant mutant, const struct sim_soak_watch *watch,
		   struct sim_seed_result *out)
{
	struct sim_stage_options opt = { .seed = seed,
					 .trace = watch ? watch->trace : NULL,
					 .guest = &sim_guest_holdfast };
	struct sim_record *record = NULL;
	struct sim_totals totals;
	struct sim_stage stage;
	struct sim_plan plan;

	memset(out, 0, sizeof(*out));
	sim_plan_init(&plan);
	sim_soak_plan(seed, &plan);
	sim_stage_init(&stage, &opt);
	sim_mutant_apply(&stage, mutant);
	stage.net.fragments = seed % 3 == 0;
	if (watch && watch->report)
		record = sim_record_create(&stage);
	sim_run_plan(&stage, &plan, NULL, &out->failure);
	if (!out->failure.what[0] && !sim_run_until_quiet(&stage, QUIET_LIMIT_US, &out->drain_us))
		sim_trace(&stage.world, "run", "still waiting at the end");
	tally(&stage, out);
	if (record)
		sim_totals(&stage, &totals);
	sim_record_stop(record);
	sim_stage_shut_down(&stage); /* for what the guests leave open */
	if (!out->failure.what[0])
		sim_run_checks(&stage, &out->failure);
	out->unwritten = record &&
			 !write_report(watch->report, record, &plan, mutant, out, &totals);
	sim_record_destroy(record);
	sim_stage_finish(&stage);
	sim_plan_finish(&plan);
}
