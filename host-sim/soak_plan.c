/* SPDX-License-Identifier: Apache-2.0 */
#include "soak_plan.h"

#include <stdlib.h>

#include "actors/ledger.h"
#include "actors/origin.h"
#include "sim/link.h"
#include "sim/net.h"
#include "soak_faults.h"
#include "stage_files.h"

#define SIM_SOAK_PAIRS	20 /* one seed in so many has two devices and two origins */
#define SIM_SOAK_CACHED 3  /* one in so many has pages of content and a precache */
#define SIM_SOAK_TLS	40 /* one in so many has an https origin */
#define SIM_SOAK_COAP	12 /* one in so many has an origin that speaks CoAP, and sensors */

#define READINGS_MAX   30
#define READING_OF_MAX 6000 /* bytes, of one that comes in blocks */

#define PERIODIC_MAX	 3
#define PERIODIC_PERCENT 20

#define AFTER_PERCENT 40 /* of crowded times have orders that wait for others */
#define AFTER_MAX     6

#define DAY_US (24 * SIM_US_PER_H)

#define READ_EVERY_US (6 * SIM_US_PER_H)

#define CALM_ORDERS 12		/* at most, of a day apart from the time of faults */
#define BODY_MAX    (600 << 10) /* with a log of 4000 pages of 512 bytes, some make a checkpoint */

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
	const char *body = sim_plan_filler(m->plan, body_length(m));
	struct sim_step *s = sim_maker_add(m, SIM_DO_ORDER, at_us);

	s->method = "POST";
	s->path = paths[sim_rng_below(&m->rng, 3)];
	sim_maker_place(m, s);
	s->body = body;
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

static void add_calm_orders(struct sim_maker *m)
{
	uint64_t n;

	for (n = sim_rng_below(&m->rng, CALM_ORDERS + 1); n > 0; n--)
		add_order(m, sim_maker_moment(m));
}

/* To the last order, which mostly waits itself: where faults are. */
static void add_lines(struct sim_maker *m)
{
	uint64_t n;

	if (!sim_rng_chance(&m->rng, AFTER_PERCENT))
		return;
	for (n = sim_rng_range(&m->rng, 1, AFTER_MAX); n > 0; n--) {
		struct sim_step *s = sim_maker_add(m, SIM_DO_ORDER, order_moment(m));

		s->method = "POST";
		s->path = "/api/orders/" SIM_PLACE "/lines";
		s->a = SIM_NEVER;
		sim_maker_place(m, s);
		s->body = "a line for " SIM_PLACE;
	}
}

/* After a crowded time, when most of its faults are over. */
static uint64_t calm_moment(struct sim_maker *m)
{
	return m->from_us + m->lasts_us + sim_rng_range(&m->rng, 10, 20) * SIM_US_PER_MIN;
}

/* ---- pages ---- */

static void add_pages(struct sim_maker *m)
{
	uint64_t n;

	if (sim_rng_chance(&m->rng, 30))
		sim_maker_add(m, SIM_DO_FOLLOW, m->from_us);
	if (sim_rng_chance(&m->rng, 70))
		return;
	for (n = sim_rng_range(&m->rng, 1, 10); n > 0; n--)
		sim_maker_add(m, SIM_DO_GET, sim_maker_moment(m))->path = "/menu";
}

/* Pages and an order through a portal's login page, and the pages once more: before most of
 * the other faults. */
static void add_portal(struct sim_maker *m)
{
	uint64_t at = m->from_us + sim_rng_range(&m->rng, 10, 60) * SIM_US_PER_S;
	struct sim_step *s = sim_maker_add(m, SIM_DO_LINK, at);

	s->a = SIM_LINK_CAPTIVE;
	s->b = SIM_PORTAL_PAGE;
	sim_maker_add(m, SIM_DO_GET, at + SIM_US_PER_S)->path = "/c/cf/900/n";
	sim_maker_add(m, SIM_DO_GET, at + SIM_US_PER_S)->path = "/c/plain/900/o";
	add_order(m, at + 3 * SIM_US_PER_S);
	at += sim_rng_range(&m->rng, 5, 30) * SIM_US_PER_S;
	sim_maker_add(m, SIM_DO_LINK, at)->a = SIM_LINK_UP;
	at += 5 * SIM_US_PER_S;
	sim_maker_add(m, SIM_DO_GET, at)->path = "/c/cf/900/n";
	sim_maker_add(m, SIM_DO_GET, at)->path = "/c/plain/900/o";
}

/* Pages whose first answers break off, and a release of which nothing comes whole at first. */
static void add_broken(struct sim_maker *m, bool release)
{
	uint64_t at = calm_moment(m);

	if (release) {
		sim_maker_add(m, SIM_DO_GET, at - SIM_US_PER_S)->path = "/app/700/shell";
		sim_maker_add(m, SIM_DO_RELEASE, at + 2 * SIM_US_PER_S)->a = m->part + 2;
		sim_maker_add(m, SIM_DO_GET, at + 20 * SIM_US_PER_S)->path = "/app/700/shell";
	}
	sim_maker_add(m, SIM_DO_ORIGIN_CUTS, at)->a = 100;
	sim_maker_add(m, SIM_DO_GET, at + SIM_US_PER_S)->path = "/c/long/90000/p";
	sim_maker_add(m, SIM_DO_GET, at + SIM_US_PER_S)->path = "/c/cf/900/q";
	sim_maker_add(m, SIM_DO_ORIGIN_CUTS, at + 10 * SIM_US_PER_S);
	sim_maker_add(m, SIM_DO_GET, at + 20 * SIM_US_PER_S)->path = "/c/long/90000/p";
	sim_maker_add(m, SIM_DO_GET, at + 20 * SIM_US_PER_S)->path = "/c/cf/900/q";
}

/* One page in both languages: what is said of one of them is not said of the other. */
static void add_variants(struct sim_maker *m)
{
	uint64_t at = calm_moment(m);
	unsigned i;

	for (i = 0; i < 4; i++)
		sim_maker_add(m, SIM_DO_GET, at + i * 10 * SIM_US_PER_S)->path = "/c/lang/900/h";
	m->plan->v[m->plan->n - 1].body = "de";
	m->plan->v[m->plan->n - 3].body = "de";
}

static void add_content(struct sim_maker *m)
{
	static const char *const paths[] = {
		"/c/long/700/a",    "/c/long/90000/b",	 "/c/brief/3000/c",   "/c/check/900/d",
		"/c/check/70000/e", "/c/must/900/f",	 "/c/swr/2000/g",     "/c/lang/900/h",
		"/c/lang/900/h",    "/c/plain/900/i",	 "/c/cf/900/j",	      "/c/cf/120000/k",
		"/c/nf/900/l",	    "/c/sw/5000/m",	 "/app/700/shell",    "/app/700/style",
		"/app/3000/same",   "/app/40000/script", "/app/100000/photo",
	};
	bool portal = sim_rng_chance(&m->rng, 50);
	uint64_t n;

	for (n = sim_rng_range(&m->rng, 5, 40); n > 0; n--) {
		struct sim_step *s = sim_maker_add(m, SIM_DO_GET, order_moment(m));

		s->path = paths[sim_rng_below(&m->rng, sizeof(paths) / sizeof(paths[0]))];
		if (sim_rng_chance(&m->rng, 50))
			s->body = "de";
		sim_maker_place(m, s);
	}
	add_variants(m);
	for (n = sim_rng_below(&m->rng, 5); n > 0; n--)
		sim_maker_place(m, sim_maker_add(m, SIM_DO_ORIGIN_PUBLISH, sim_maker_moment(m)));
	if (portal)
		add_portal(m);
	add_broken(m, !portal);
	if (sim_rng_chance(&m->rng, 30))
		sim_maker_add(m, SIM_DO_RELEASE, sim_maker_moment(m))->a = m->part + 2;
}

/* Often enough that each answer is read as long as it is kept. */
static void add_reading(struct sim_maker *m, uint64_t day)
{
	uint64_t at;

	for (at = READ_EVERY_US; at <= DAY_US; at += READ_EVERY_US)
		sim_maker_add(m, SIM_DO_READ, day * DAY_US + at);
}

/* ---- sensors ---- */

static void add_air(struct sim_maker *m)
{
	static const enum sim_net_fault faults[] = { SIM_NET_LOSS, SIM_NET_DOUBLES };
	uint64_t at = sim_maker_moment(m);

	for (size_t i = 0; i < 2; i++) {
		struct sim_step *s = sim_maker_add(m, SIM_DO_AIR, at);

		s->a = faults[i];
		s->b = sim_rng_range(&m->rng, 1, 30);
	}
	sim_maker_add(m, SIM_DO_AIR, at + sim_rng_range(&m->rng, 1, 300) * SIM_US_PER_S)->a =
		SIM_NET_NORMAL;
}

static void add_readings(struct sim_maker *m)
{
	static const char *const paths[] = { "/api/reports", "/api/orders" };
	const struct sim_cast *cast = &m->plan->cast;
	uint64_t n;

	if (sim_rng_chance(&m->rng, 60))
		add_air(m);
	for (n = sim_rng_range(&m->rng, 3, READINGS_MAX); n > 0; n--) {
		size_t len = sim_rng_chance(&m->rng, 20) ?
				     (size_t)sim_rng_range(&m->rng, 1000, READING_OF_MAX) :
				     (size_t)sim_rng_range(&m->rng, 10, 200);
		const char *body = sim_plan_filler(m->plan, len);
		struct sim_step *s = sim_maker_add(m, SIM_DO_SENSOR, order_moment(m));

		s->method = "POST";
		s->path = paths[sim_rng_below(&m->rng, 2)];
		s->panel = cast->sensors[sim_rng_below(&m->rng, cast->sensors_n)].name;
		s->body = body;
	}
}

/* ---- days ---- */

/* A time crowded with faults. */
static void add_crowd(struct sim_maker *m, uint64_t from_us, uint64_t lasts_us)
{
	m->from_us = from_us;
	m->lasts_us = lasts_us;
	m->faults_n = 0;
	sim_soak_faults(m);
	sim_maker_turn(m, "orders");
	add_orders(m);
	sim_maker_turn(m, "lines");
	add_lines(m);
	sim_maker_turn(m, "pages");
	add_pages(m);
	sim_maker_turn(m, "content");
	if (m->cached)
		add_content(m);
	sim_maker_turn(m, "sensors");
	if (m->plan->cast.sensors_n > 0)
		add_readings(m);
	m->part++;
}

static void add_day(struct sim_maker *m, uint64_t day)
{
	uint64_t at, lasts;

	m->from_us = day * DAY_US;
	m->lasts_us = DAY_US;
	sim_maker_turn(m, "day");
	add_calm_orders(m);
	lasts = sim_rng_range(&m->rng, 2, 30) * SIM_US_PER_MIN;
	at = sim_rng_below(&m->rng, DAY_US - lasts);
	add_crowd(m, day * DAY_US + at, lasts);
	add_reading(m, day);
}

/* ---- periodic sync ---- */

static void add_periodic(struct sim_maker *m)
{
	struct sim_periodic_tag tags[PERIODIC_MAX];
	size_t n, i;

	sim_maker_turn(m, "periodic");
	/* of two devices the origin does not know which one fetches */
	if (m->plan->cast.devices_n > 1 || !sim_rng_chance(&m->rng, PERIODIC_PERCENT))
		return;
	n = (size_t)sim_rng_range(&m->rng, 1, PERIODIC_MAX);
	for (i = 0; i < n; i++)
		tags[i].interval_ms = sim_rng_range(&m->rng, 1, 60) * 60000;
	for (i = 0; i < n; i++)
		tags[i].unmetered = sim_rng_chance(&m->rng, 50);
	m->plan->manifest = sim_periodic_manifest(tags, n);
	sim_maker_add(m, SIM_DO_METERED, m->from_us + m->lasts_us)->a = 1;
	sim_maker_add(m, SIM_DO_METERED,
		      m->from_us + m->lasts_us + sim_rng_range(&m->rng, 1, 2) * SIM_US_PER_H);
}

static void add_caches(struct sim_plan *plan)
{
	char *text = sim_with_caches(plan->manifest ? plan->manifest : sim_default_manifest);

	free(plan->manifest);
	plan->manifest = text;
}

/* ---- a seed ---- */

bool sim_soak_is_secure(uint64_t seed)
{
	return seed % SIM_SOAK_TLS == 7;
}

/* Not with pages of content, which are HTTP's. */
bool sim_soak_is_coap(uint64_t seed)
{
	return IS_ENABLED(CONFIG_HF_SENSOR) && seed % SIM_SOAK_COAP == 9 &&
	       seed % SIM_SOAK_PAIRS != 3 && !sim_soak_is_secure(seed);
}

/* A shop that speaks CoAP, or one that does not; and sensors. */
static void add_coap(uint64_t seed, struct sim_cast *cast)
{
	if (seed / SIM_SOAK_COAP % 3 != 0)
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "shop", "coap://shop.example" };
	if (seed / SIM_SOAK_COAP % 3 == 1)
		return;
	cast->sensors[cast->sensors_n++] = (struct sim_cast_sensor){ .name = "pump" };
	cast->sensors[cast->sensors_n++] =
		(struct sim_cast_sensor){ .name = "meter", .keys = true };
	cast->sensors[cast->sensors_n++] = (struct sim_cast_sensor){ .name = "door", .keys = true };
}

/* Most worlds have a kiosk and a shop; some have two of each, some speak TLS,
 * which takes its time to compute, some CoAP. */
static void choose_cast(uint64_t seed, struct sim_cast *cast)
{
	cast->devices[cast->devices_n++] = "kiosk";
	if (seed % SIM_SOAK_PAIRS == 3) {
		cast->devices[cast->devices_n++] = "bar";
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "shop", "http://shop.example" };
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "parts", "http://parts.example" };
	}
	if (sim_soak_is_secure(seed))
		cast->origins[cast->origins_n++] =
			(struct sim_cast_origin){ "shop", "https://shop.example" };
	if (sim_soak_is_coap(seed))
		add_coap(seed, cast);
}

static int by_time(const void *a, const void *b)
{
	const struct sim_step *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->line < y->line ? -1 : 1; /* as made */
}

static void sort_steps(struct sim_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		plan->v[i].line = (unsigned)i + 1;
	qsort(plan->v, plan->n, sizeof(plan->v[0]), by_time);
	for (i = 0; i < plan->n; i++)
		plan->v[i].line = 0;
}

void sim_soak_plan(uint64_t seed, unsigned days, struct sim_plan *plan)
{
	struct sim_maker m = { .plan = plan, .seed = seed };
	uint64_t lasts, each, day;

	plan->seed = seed;
	choose_cast(seed, &plan->cast);
	sim_maker_turn(&m, "world");
	lasts = sim_rng_range(&m.rng, 2, 30) * SIM_US_PER_MIN;
	m.bulky = sim_rng_chance(&m.rng, 30);
	sim_maker_add(&m, SIM_DO_REBOOT_AFTER, 0)->a = sim_rng_range(&m.rng, 1, 25) * SIM_US_PER_S;
	m.cached = seed % SIM_SOAK_CACHED == 2;
	if (sim_rng_chance(&m.rng, 33))
		sim_maker_add(&m, SIM_DO_NETWORK, 0)->a = SIM_NET_FRAGMENTS;
	if (days == 0)
		add_crowd(&m, 0, lasts);
	each = (days + plan->cast.devices_n - 1) / plan->cast.devices_n;
	for (day = 0; day < each; day++)
		add_day(&m, day);
	add_periodic(&m);
	if (m.cached)
		add_caches(plan);
	sort_steps(plan);
	sim_plan_add(plan, SIM_DO_ALL_WELL)->a = SIM_ALL_WELL_US;
}
