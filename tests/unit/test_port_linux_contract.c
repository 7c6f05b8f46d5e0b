/* SPDX-License-Identifier: Apache-2.0 */
/* The Linux port keeps what holdfast/port.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/port_contract.h"
#include "port/linux/port_linux.h"

#define CASES_MAX 64

static void turn(void *user)
{
	hf_port_linux_turn(user, 10);
}

static void run_case(void **state)
{
	const struct port_case *c = *state;
	struct hf_port_linux *linux_port;
	struct port_world world = { .turn = turn };
	const char *why;

	assert_int_equal(hf_port_linux_create(NULL, &linux_port), 0);
	world.port = hf_port_linux_port(linux_port);
	world.user = linux_port;
	why = port_case_run(c, &world);
	if (why)
		fail_msg("%s: %s", c->name, why);
	hf_port_linux_destroy(linux_port);
}

int main(void)
{
	struct CMUnitTest tests[CASES_MAX] = { 0 };
	size_t n = 0;

	for (const struct port_case *c; (c = port_case_at(n)) && n < CASES_MAX; n++)
		tests[n] = (struct CMUnitTest){
			.name = c->name,
			.test_func = run_case,
			.initial_state = (void *)(uintptr_t)c,
		};
	return _cmocka_run_group_tests("port_linux_contract", tests, n, NULL, NULL);
}
