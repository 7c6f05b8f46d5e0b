/* SPDX-License-Identifier: Apache-2.0 */
/* The whole agent in virtual time: how an origin is asked within its token bucket,
 * and when it is asked again after a time that it has named itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "guest.h"
#include "run.h"
#include "script.h"
#include "sync/pace.h"

#define SEEN_MAX 400
#define SEEDS	 20

/* From the beginning of a replay to its arrival: the mark on the disk, a look-up and
 * a connection. The network itself takes no time. */
#define WAY_US (50 * SIM_US_PER_MS)

struct seen {
	struct sim_stage stage;
	struct sim_ledger_watch watch;
	uint64_t at_us[SEEN_MAX]; /* requests as they reached the origin */
	int status[SEEN_MAX];
	size_t n;
	uint64_t begun_us[SEEN_MAX]; /* replays, as they were begun */
	size_t begun;
};

static struct seen *running;

void __real_hf_pace_spend(struct hf_pace *p, uint64_t now_ms);
void __wrap_hf_pace_spend(struct hf_pace *p, uint64_t now_ms);

void __wrap_hf_pace_spend(struct hf_pace *p, uint64_t now_ms)
{
	__real_hf_pace_spend(p, now_ms);
	assert_true(running->begun < SEEN_MAX);
	running->begun_us[running->begun++] = running->stage.world.now_us;
}

static void on_attempt(void *user, const struct sim_order *o, int status)
{
	struct seen *s = user;

	assert_true(s->n < SEEN_MAX);
	s->at_us[s->n] = o->attempt_us;
	s->status[s->n++] = status;
}

static void live(const char *text, uint64_t seed, struct seen *s)
{
	struct sim_stage_options opt = { .seed = seed, .guest = &sim_guest_holdfast };
	struct sim_failure failure;
	struct sim_plan plan;

	sim_plan_init(&plan);
	assert_int_equal(sim_script_parse("pacing", text, &plan, stderr), 0);
	opt.cast = &plan.cast;
	opt.config = plan.config;
	opt.manifest = plan.manifest;
	*s = (struct seen){ .watch = { .on_attempt = on_attempt, .user = s } };
	sim_stage_init(&s->stage, &opt);
	s->stage.kiosk->node->latency_us = 0;
	sim_origin_node(s->stage.shop)->latency_us = 0;
	running = s;
	sim_ledger_watch(&s->stage.ledger, &s->watch);
	sim_run_plan(&s->stage, &plan, NULL, &failure);
	assert_string_equal(failure.what, "");
	sim_stage_finish(&s->stage);
	sim_plan_finish(&plan);
}

/* ---- the bucket ---- */

#define INTERVAL_US (200 * SIM_US_PER_MS)
#define BURST	    5
#define ORDERS	    60

static const char backlog[] =
	"config\n"
	"[agent]\n"
	"listen = 127.0.0.1:8480\n"
	"control = /run/holdfast/control.sock\n"
	"state-dir = /var/lib/holdfast\n"
	"[origin shop]\n"
	"url = http://shop.example\n"
	"replay-interval-ms = 200\n"
	"replay-burst = 5\n"
	"[worker kiosk]\n"
	"origin = shop\n"
	"scope = /\n"
	"manifest = /etc/holdfast/kiosk.worker.json\n"
	"end\n"
	"manifest\n"
	"{ \"name\": \"kiosk\", \"version\": \"1\", \"routes\": [\n"
	"  { \"condition\": { \"urlPattern\": \"/api/orders\", \"requestMethod\": \"POST\" },\n"
	"    \"source\": \"network\", \"queue\": { \"tag\": \"orders\", \"expect\": [201],\n"
	"      \"laneBy\": { \"spread\": 64 }, \"idempotency\": \"idempotent\" } } ] }\n"
	"end\n"
	"at 5s origin down\n"
	"repeat 60 every 10ms to 20ms panel POST /api/orders body \"{n}\"\n"
	"at 30s origin up\n";

/* Of any stretch: so many at once, then one each interval, @slack_us too early at
 * most. */
static void assert_within_bucket(const uint64_t *at_us, size_t n, uint64_t slack_us)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + BURST; j < n; j++)
			assert_true(at_us[j] - at_us[i] + slack_us >=
				    (j - i + 1 - BURST) * INTERVAL_US);
}

static void live_with_backlog(const char *steps, uint64_t seed, struct seen *s)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s", backlog, steps);
	live(text, seed, s);
}

static void no_window_shows_more_than_the_bucket_holds(void **state)
{
	struct seen s;
	size_t from;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		live_with_backlog("expect delivered 60 within 1m\n", seed, &s);
		assert_int_equal(s.n, ORDERS);
		assert_within_bucket(s.at_us, s.n, WAY_US);
		from = s.begun - s.n; /* those before were refused */
		assert_within_bucket(s.begun_us + from, s.n, 0);
		for (size_t i = 0; i < s.n; i++)
			assert_in_range(s.at_us[i] - s.begun_us[from + i], 0, WAY_US);
		/* and it is used: no slower than one each interval */
		assert_true(s.at_us[ORDERS - 1] - s.at_us[0] <= ORDERS * INTERVAL_US);
	}
}

static void refusals_cuts_and_restarts_do_not_fill_it(void **state)
{
	struct seen s;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		live_with_backlog("after 2s origin answers 500\n"
				  "after 3s origin answers normally\n"
				  "after 1s link down\n"
				  "after 4s link up\n"
				  "after 1s process killed\n"
				  "after 5s origin loses answers 30%\n"
				  "after 2s cut power\n"
				  "after 60s origin answers normally\n"
				  "expect delivered 60 within 30m\n",
				  seed, &s);
		assert_true(s.n > ORDERS);
		assert_within_bucket(s.at_us, s.n, WAY_US);
	}
}

/* ---- Retry-After ---- */

/* After the first one that was refused. */
static uint64_t came_again(const struct seen *s, int status)
{
	for (size_t i = 0; i + 1 < s->n; i++)
		if (s->status[i] == status)
			return s->at_us[i + 1] - s->at_us[i];
	fail_msg("nothing came after a refusal with %d", status);
	return 0;
}

static void assert_obeyed(const char *text, int status)
{
	struct seen s;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		live(text, seed, &s);
		assert_in_range(came_again(&s, status), 7 * SIM_US_PER_S, 8 * SIM_US_PER_S);
	}
}

#define PAGE(status)                                       \
	"at 5s origin answers " status " retry-after 7s\n" \
	"panel POST /api/orders body \"{n}\"\nexpect 202\n" AND_THEN_WELL
#define REPLAY(status)                                      \
	"at 5s link down\n"                                 \
	"panel POST /api/orders body \"{n}\"\nexpect 202\n" \
	"origin answers " status " retry-after 7s\n"        \
	"at 9s link up\nexpect origin received 1 within 5s\n" AND_THEN_WELL
#define AND_THEN_WELL "origin answers normally\nexpect delivered 1 within 20s\n"

static void a_refusal_for_seven_seconds_is_obeyed(void **state)
{
	(void)state;
	assert_obeyed(PAGE("503"), 503);
	assert_obeyed(PAGE("429"), 429);
	assert_obeyed(REPLAY("503"), 503);
	assert_obeyed(REPLAY("429"), 429);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_window_shows_more_than_the_bucket_holds),
		cmocka_unit_test(refusals_cuts_and_restarts_do_not_fill_it),
		cmocka_unit_test(a_refusal_for_seven_seconds_is_obeyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
