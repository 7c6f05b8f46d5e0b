/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/transport.h"

static void names_every_end_differently(void **state)
{
	int a, b;

	(void)state;
	for (a = HF_END_COMPLETE; a <= HF_END_INTERNAL; a++)
		for (b = HF_END_COMPLETE; b < a; b++)
			assert_string_not_equal(hf_end_name((enum hf_end)a),
						hf_end_name((enum hf_end)b));
	assert_string_equal(hf_end_name(HF_END_CONNECT), "refused");
	assert_string_equal(hf_end_name(HF_END_TLS_CERT), "tls-cert");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_every_end_differently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
