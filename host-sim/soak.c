/* SPDX-License-Identifier: Apache-2.0 */
#include "soak.h"

#include <inttypes.h>
#include <string.h>

#include "guest.h"
#include "report/page.h"
#include "sim/mem.h"
#include "soak_faults.h"

#define WRITTEN_BACK_BYTES 65536 /* far more than making the database takes */
#define QUIET_LIMIT_US	   (6 * SIM_US_PER_H)

#define BODY_MAX (600 << 10) /* with a log of 4000 pages of 512 bytes, some make a checkpoint */

/* ---- orders ---- */

/* Half of the orders come soon after something has changed. */
static uint64_t order_moment(struct sim_maker *m)
{
	if (m->faults_n == 0 || sim_rng_chance(&m->rng, 50))
		return sim_maker_moment(m);
	return m->faults_us[sim_rng_below(&m->rng, m->faults_n)] +
	       sim_rng_below(&m->rng, 20 * SIM_US_PER_S);
}

static size_t body_length(struct sim_maker *m)
{
	if (m->bulky && sim_rng_chance(&m->rng, 70))
		return (size_t)sim_rng_range(&m->rng, 4 << 10, BODY_MAX);
	if (sim_rng_chance(&m->rng, 10))
		return (size_t)sim_rng_range(&m->rng, 500, 3500);
	return (size_t)sim_rng_range(&m->rng, 10, 200);
}

static void add_order(struct sim_maker *m, uint64_t at_us)
{
	static const char *const paths[] = { "/api/orders", "/api/payments", "/api/reports" };
	struct sim_step *s = sim_maker_add(m, SIM_DO_ORDER, at_us);
	size_t i, len = body_length(m);
	char *body = sim_alloc(len);

	for (i = 0; i < len; i++)
		body[i] = (char)('a' + (i * 7 + len + i / 512) % 26);
	s->method = "POST";
	s->path = paths[sim_rng_below(&m->rng, 3)];
	sim_maker_place(m, s);
	s->body = sim_plan_text(m->plan, body, len);
	free(body);
}

static void add_orders(struct sim_maker *m)
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

/* Most worlds have a kiosk and a shop; some have two of each, some speak TLS,
 * which takes its time to compute. */
static void choose_cast(uint64_t seed, struct sim_cast *cast)
{
	if (seed % SIM_SOAK_PAIRS == 3) {
		cast->devices[cast->devices_n++] = "kiosk";
		cast->devices[cast->devices_n++] = "bar";
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "shop", "http://shop.example" };
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "parts", "http://parts.example" };
	}
	if (seed % SIM_SOAK_TLS == 7)
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "shop", "https://shop.example" };
}

void sim_soak_plan(uint64_t seed, struct sim_plan *plan)
{
	struct sim_maker m = { .plan = plan, .seed = seed };
	size_t i;

	choose_cast(seed, &plan->cast);

	sim_maker_turn(&m, "world");
	m.lasts_us = sim_rng_range(&m.rng, 2, 30) * SIM_US_PER_MIN;
	m.bulky = sim_rng_chance(&m.rng, 30);
	sim_maker_add(&m, SIM_DO_REBOOT_AFTER, 0)->a = sim_rng_range(&m.rng, 1, 25) * SIM_US_PER_S;
	sim_soak_faults(&m);
	sim_maker_turn(&m, "orders");
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
	opt.cast = &plan.cast;
	sim_stage_init(&stage, &opt);
	sim_mutant_apply(&stage, mutant);
	stage.net.fragments = seed % 3 == 0;
	if (watch && watch->report)
		record = sim_record_create(&stage);
	sim_run_plan(&stage, &plan, NULL, &out->failure);
	if (!out->failure.what[0] && !sim_run_until_quiet(&stage, QUIET_LIMIT_US, &out->drain_us))
		sim_trace(&stage.world, "run", "still waiting at the end");
	else if (!out->failure.what[0])
		sim_run_rest(&stage);
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
