/* SPDX-License-Identifier: Apache-2.0 */
/* The template is a whole port: nothing in it is missing, and nothing lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/port_contract.h"
#include "port/template/port_template.h"

static void turn(void *user)
{
	hf_port_template_turn(user);
}

static const char *run_named(const char *name)
{
	struct hf_port_template t;
	struct port_world world = { .port = &t.port, .turn = turn, .user = &t };
	size_t i = 0;

	hf_port_template_init(&t);
	for (const struct port_case *c; (c = port_case_at(i)); i++)
		if (!strcmp(c->name, name))
			return port_case_run(c, &world);
	return "no such case";
}

static void no_operation_is_missing(void **state)
{
	(void)state;
	assert_null(run_named("every_operation_is_there"));
}

static void jobs_work_without_a_thread(void **state)
{
	(void)state;
	assert_null(run_named("jobs_run_and_are_done_in_order"));
	assert_null(run_named("jobs_finish_runs_all_of_them"));
	assert_null(run_named("each_queue_keeps_its_order"));
	assert_null(run_named("jobs_finish_runs_both_queues"));
}

static void it_claims_neither_time_nor_randomness(void **state)
{
	struct hf_port_template t;
	int64_t ms;
	char byte;

	(void)state;
	hf_port_template_init(&t);
	assert_int_equal(t.port.wall_ms(&t.port, &ms), HF_CLOCK_UNSET);
	assert_int_equal(t.port.entropy(&t.port, &byte, 1), HF_EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_operation_is_missing),
		cmocka_unit_test(jobs_work_without_a_thread),
		cmocka_unit_test(it_claims_neither_time_nor_randomness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
