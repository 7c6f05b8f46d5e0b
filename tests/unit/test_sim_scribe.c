/* SPDX-License-Identifier: Apache-2.0 */
/* What is written of a plan is read back as the same plan. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scribe.h"
#include "script.h"
#include "soak_plan.h"

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_cast(const struct sim_cast *a, const struct sim_cast *b)
{
	size_t i;

	assert_int_equal(a->devices_n, b->devices_n);
	assert_int_equal(a->panels_n, b->panels_n);
	assert_int_equal(a->origins_n, b->origins_n);
	for (i = 0; i < a->devices_n; i++)
		same_text(a->devices[i], b->devices[i]);
	for (i = 0; i < a->panels_n; i++) {
		same_text(a->panels[i].name, b->panels[i].name);
		same_text(a->panels[i].device, b->panels[i].device);
	}
	for (i = 0; i < a->origins_n; i++) {
		same_text(a->origins[i].name, b->origins[i].name);
		same_text(a->origins[i].url, b->origins[i].url);
	}
	assert_int_equal(a->sensors_n, b->sensors_n);
	for (i = 0; i < a->sensors_n; i++) {
		same_text(a->sensors[i].name, b->sensors[i].name);
		same_text(a->sensors[i].device, b->sensors[i].device);
		assert_int_equal(a->sensors[i].keys, b->sensors[i].keys);
	}
}

/* All but the texts and the place in the file, bit by bit. */
static void same_step(const struct sim_step *a, const struct sim_step *b)
{
	struct sim_step x = *a, y = *b;

	same_text(a->device, b->device);
	same_text(a->panel, b->panel);
	same_text(a->origin, b->origin);
	same_text(a->method, b->method);
	same_text(a->path, b->path);
	same_text(a->body, b->body);
	x.device = x.panel = x.origin = x.method = x.path = x.body = NULL;
	y.device = y.panel = y.origin = y.method = y.path = y.body = NULL;
	x.line = x.column = y.line = y.column = 0;
	assert_memory_equal(&x, &y, sizeof(x));
}

static void same_plan(const struct sim_plan *a, const struct sim_plan *b)
{
	size_t i;

	same_text(a->title, b->title);
	same_text(a->config, b->config);
	same_text(a->manifest, b->manifest);
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->begins_us, b->begins_us);
	assert_int_equal(a->has_clock, b->has_clock);
	assert_int_equal(a->lasts_us, b->lasts_us);
	same_cast(&a->cast, &b->cast);
	assert_int_equal(a->n, b->n);
	for (i = 0; i < a->n; i++)
		same_step(&a->v[i], &b->v[i]);
}

static void goes_round(const struct sim_plan *plan)
{
	struct sim_plan again;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	sim_scribe_plan(out, plan);
	fclose(out);
	sim_plan_init(&again);
	if (sim_script_parse("again.scn", text, &again, stderr))
		fail_msg("what was written cannot be read:\n%s", text);
	same_plan(plan, &again);
	sim_plan_finish(&again);
	free(text);
}

static void every_scenario_goes_round(void **state)
{
	struct sim_plan plan;
	glob_t found;
	size_t i;

	(void)state;
	assert_int_equal(glob(SIM_SCENARIOS "/*.scn", 0, NULL, &found), 0);
	if (IS_ENABLED(CONFIG_HF_SENSOR))
		assert_int_equal(glob(SIM_SCENARIOS "/coap/*.scn", GLOB_APPEND, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++) {
		sim_plan_init(&plan);
		assert_int_equal(sim_script_load(found.gl_pathv[i], &plan, stderr), 0);
		goes_round(&plan);
		sim_plan_finish(&plan);
	}
	assert_true(found.gl_pathc > 5);
	globfree(&found);
}

static void plans_of_seeds_go_round(void **state)
{
	struct sim_plan plan;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		sim_plan_init(&plan);
		sim_soak_plan(seed, seed % 10 ? 0 : 3, &plan);
		goes_round(&plan);
		sim_plan_finish(&plan);
	}
}

static void unusual_words_go_round(void **state)
{
	static const char text[] = "title say\"it\"\n"
				   "seed 77\n"
				   "begins 06:30\n"
				   "lasts 1d2h3m4s5ms6us\n"
				   "device bar\n"
				   "panel B on bar\n"
				   "origin parts https://parts.example\n"
				   "config\n  [agent] # kept\nend\n"
				   "bar panel B POST /a#b to parts body {\"a\":\"#1\"}\n"
				   "panel POST /a body \"of\"\n"
				   "panel POST /a body of 3001B\n"
				   "reboot by hand\n"
				   "network fragments\n"
				   "disk fails at operation 7\n"
				   "process crashes 4 times after 200ms\n"
				   "link captive 511\n"
				   "every 5m to 14m until 22:30 panel GET /\n"
				   "expect bar origin parts received 1 by day 2 07:00\n"
				   "expect held 1 for auth\n"
				   "all well within 2h\n";
	struct sim_plan plan;

	(void)state;
	sim_plan_init(&plan);
	assert_int_equal(sim_script_parse("t.scn", text, &plan, stderr), 0);
	goes_round(&plan);
	sim_plan_finish(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scenario_goes_round),
		cmocka_unit_test(plans_of_seeds_go_round),
		cmocka_unit_test(unusual_words_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
