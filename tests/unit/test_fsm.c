/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fsm.h"

enum light {
	RED,
	GREEN,
	YELLOW,
};

static const uint32_t allowed[] = {
	[RED] = HF_FSM_TO(GREEN),
	[GREEN] = HF_FSM_TO(YELLOW) | HF_FSM_TO(GREEN),
	[YELLOW] = HF_FSM_TO(RED),
};
static const char *const names[] = { "red", "green", "yellow" };
static const struct hf_fsm light = { "light", 3, allowed, names };

static void moves_along_the_table(void **state)
{
	uint8_t now = RED;

	(void)state;
	hf_fsm_move(&light, &now, GREEN);
	hf_fsm_move(&light, &now, GREEN);
	hf_fsm_move(&light, &now, YELLOW);
	assert_int_equal(now, YELLOW);
}

static void knows_what_the_table_forbids(void **state)
{
	(void)state;
	assert_true(hf_fsm_may(&light, RED, GREEN));
	assert_false(hf_fsm_may(&light, RED, YELLOW));
	assert_false(hf_fsm_may(&light, RED, RED));
	assert_false(hf_fsm_may(&light, 3, RED));
	assert_false(hf_fsm_may(&light, RED, 3));
	assert_false(hf_fsm_may(&light, RED, 32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_along_the_table),
		cmocka_unit_test(knows_what_the_table_forbids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
