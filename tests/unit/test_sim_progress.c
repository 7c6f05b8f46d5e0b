/* SPDX-License-Identifier: Apache-2.0 */
/* How far a long run is, in a line; nothing where nobody looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

static void assert_line(uint64_t done, uint64_t n, double took_s, const char *wanted)
{
	char line[160];

	sim_progress_line(line, sizeof(line), "soak", done, n, took_s);
	assert_string_equal(line, wanted);
}

static void the_line_estimates_what_is_left(void **state)
{
	(void)state;
	assert_line(0, 100, 0, "soak [------------------------] 0 of 100");
	assert_line(50, 100, 10, "soak [############------------] 50 of 100, 10 s left");
	assert_line(1, 100, 10, "soak [------------------------] 1 of 100, 17 min left");
	assert_line(1, 10000, 1, "soak [------------------------] 1 of 10000, 2 h 46 min left");
	assert_line(100, 100, 20, "soak [########################] 100 of 100");
}

static void nothing_is_written_to_a_file(void **state)
{
	struct sim_progress p;
	FILE *out = tmpfile();

	(void)state;
	assert_non_null(out);
	sim_progress_begin(&p, out, "soak", 10);
	sim_progress_show(&p, 5, NULL);
	sim_progress_clear(&p);
	assert_int_equal(ftell(out), 0);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_estimates_what_is_left),
		cmocka_unit_test(nothing_is_written_to_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
