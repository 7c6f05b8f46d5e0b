/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/addr.h"

static void literals_come_back_in_their_canonical_form(void **state)
{
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:0DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "::ffff:192.0.2.1", "::ffff:c000:201" },
		{ "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "fe80::a:b", "fe80::a:b" },
	};
	char text[HF_ADDR_TEXT_SIZE];
	struct hf_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(hf_addr_parse(pairs[i][0], &a), 0);
		assert_string_equal(hf_addr_format_ip(&a, text), pairs[i][1]);
	}
}

static void what_is_no_literal_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"a",
		"example.com",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.4 ",
		"1..2.3",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"12345::",
		"::1.2.3",
		"1:2:3:4:5:6:7:1.2.3.4",
		"fe80::1%eth0",
		"[::1]",
		"::1:",
		":1",
		"1:2:3:4:5:6:7:8:",
		"g::",
		"1:2:3:4:5:6:7::8",
	};
	struct hf_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hf_addr_parse(bad[i], &a) != HF_EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void addresses_with_ports_read_as_in_urls(void **state)
{
	char text[HF_ADDR_TEXT_SIZE];
	struct hf_addr a;

	(void)state;
	assert_int_equal(hf_addr_parse("192.0.2.1", &a), 0);
	a.port = 80;
	assert_string_equal(hf_addr_format(&a, text), "192.0.2.1:80");
	assert_false(hf_addr_is_local(&a));
	assert_int_equal(hf_addr_parse("::1", &a), 0);
	a.port = 443;
	assert_string_equal(hf_addr_format(&a, text), "[::1]:443");
	assert_true(hf_addr_is_local(&a));
}

static void hosts_on_the_link_are_known(void **state)
{
	static const char *const near[] = { "printer.local", "Printer.Local.:631", "169.254.1.2",
					    "[fe80::1]:8080", "[febf::2]" };
	static const char *const far[] = { "shop.example", "local.example",
					   "notlocal",	   "169.253.1.2",
					   "fec0::1",	   "127.0.0.1",
					   "localhost",	   "" };

	(void)state;
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		if (!hf_host_is_near(near[i]))
			fail_msg("not near: %s", near[i]);
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		if (hf_host_is_near(far[i]))
			fail_msg("near: %s", far[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_come_back_in_their_canonical_form),
		cmocka_unit_test(what_is_no_literal_is_refused),
		cmocka_unit_test(addresses_with_ports_read_as_in_urls),
		cmocka_unit_test(hosts_on_the_link_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
