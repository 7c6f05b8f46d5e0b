/* SPDX-License-Identifier: Apache-2.0 */
/* Several devices in one world: chance is split, nobody moves anybody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest.h"
#include "run.h"
#include "script.h"

static const char life[] = "at 5s link down\n"
			   "repeat 6 every 1s to 9s panel POST /api/orders body \"{n}\"\n"
			   "at 40s cut power\n"
			   "at 90s link up\n"
			   "expect queue empty within 5m\n"
			   "at 7m link dead\n"
			   "panel POST /api/payments body \"4.20\"\n"
			   "expect 202\n"
			   "at 10m link up\n"
			   "expect queue empty within 5m\n";

struct marks {
	uint64_t kiosk, panel, shop, disk;
};

static void live(const char *header, uint64_t seed, struct marks *out)
{
	struct sim_stage_options opt = { .seed = seed, .guest = &sim_guest_holdfast };
	struct sim_failure failure;
	struct sim_stage stage;
	struct sim_plan plan;
	char text[2048];

	snprintf(text, sizeof(text), "%s%s", header, life);
	sim_plan_init(&plan);
	assert_int_equal(sim_script_parse("life", text, &plan, stderr), 0);
	opt.cast = &plan.cast;
	sim_stage_init(&stage, &opt);
	sim_run_plan(&stage, &plan, NULL, &failure);
	assert_string_equal(failure.what, "");
	sim_world_run(&stage.world, 20 * SIM_US_PER_MIN);
	out->kiosk = sim_trace_of(&stage.world.trace, "kiosk");
	out->panel = sim_trace_of(&stage.world.trace, "panel");
	out->shop = sim_trace_of(&stage.world.trace, "shop");
	out->disk = sim_disk_hash(stage.kiosk->disk);
	sim_stage_finish(&stage);
	sim_plan_finish(&plan);
}

static void assert_same(const struct marks *a, const struct marks *b)
{
	assert_true(a->kiosk == b->kiosk);
	assert_true(a->panel == b->panel);
	assert_true(a->shop == b->shop);
	assert_true(a->disk == b->disk);
}

static void an_idle_second_device_moves_nothing(void **state)
{
	struct marks alone, together, other;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 5; seed++) {
		live("", seed, &alone);
		live("device kiosk\ndevice second\n", seed, &together);
		assert_same(&alone, &together);
	}
	live("", 9, &other);
	assert_true(other.kiosk != alone.kiosk);
}

static void faults_of_another_move_nothing(void **state)
{
	struct marks alone, together;

	(void)state;
	live("device kiosk\ndevice second\n", 3, &alone);
	live("device kiosk\ndevice second\n"
	     "second network jitter 500ms\n"
	     "second link flaps 2s down 3s up\n"
	     "at 3s second cut power at write 2\n",
	     3, &together);
	assert_same(&alone, &together);
	live("", 3, &alone);
	live("origin parts http://parts.example\norigin parts down\n", 3, &together);
	assert_true(alone.shop == together.shop);
}

static void each_panel_reaches_each_origin(void **state)
{
	struct sim_stage_options opt = { .seed = 1, .guest = &sim_guest_holdfast };
	struct sim_failure failure;
	struct sim_stage stage;
	struct sim_plan plan;

	(void)state;
	sim_plan_init(&plan);
	assert_int_equal(
		sim_script_parse("life",
				 "device kitchen\ndevice bar\npanel B on bar\n"
				 "origin parts http://parts.example\n"
				 "at 2s bar link down\n"
				 "kitchen panel POST /api/orders body \"1\"\nexpect 201\n"
				 "panel B POST /api/orders to parts body \"2\"\nexpect 202\n"
				 "bar panel POST /api/orders body \"3\"\nexpect 202\n"
				 "panel B GET /menu\nexpect 502 or 504\n"
				 "expect kitchen delivered 1\nexpect bar delivered 0\n"
				 "at 20s bar link up\n"
				 "expect bar delivered 2\n"
				 "expect origin parts delivered 1\n",
				 &plan, stderr),
		0);
	opt.cast = &plan.cast;
	sim_stage_init(&stage, &opt);
	sim_run_plan(&stage, &plan, NULL, &failure);
	assert_string_equal(failure.what, "");
	assert_string_equal(stage.ledger.v[1]->lane, "bar parts /api/orders");
	sim_run_checks(&stage, &failure);
	assert_string_equal(failure.what, "");
	sim_stage_finish(&stage);
	sim_plan_finish(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_second_device_moves_nothing),
		cmocka_unit_test(faults_of_another_move_nothing),
		cmocka_unit_test(each_panel_reaches_each_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
