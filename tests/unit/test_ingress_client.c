/* SPDX-License-Identifier: Apache-2.0 */
/* client.js and client.d.ts as they are served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/panel_case.h"

/* @fields: whole lines, or "". */
static const char *ask(const char *method, const char *name, const char *fields)
{
	char request[512];

	snprintf(request, sizeof(request), "%s /.holdfast/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
		 method, name, fields);
	return panel_rig_ask(&rig, panel_rig_connect(&rig), request);
}

static void serves_the_module_and_its_types(void **state)
{
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	text = ask("GET", "client.js", "");
	HAS(text, "Content-Type: text/javascript; charset=utf-8\r\n");
	HAS(text, "X-Content-Type-Options: nosniff\r\n");
	HAS(text, "Vary: Accept-Encoding\r\n");
	HAS(text, "export const holdfast");
	HAS_NOT(text, "Content-Encoding");
	text = ask("HEAD", "client.js", "");
	HAS(text, "Content-Length: ");
	HAS_NOT(text, "export");
	text = ask("GET", "client.d.ts", "");
	HAS(text, "Content-Type: text/plain; charset=utf-8\r\n");
	HAS(text, "export const holdfast: Holdfast;");
}

static void sends_it_once(void **state)
{
	char fields[256], tag[64];
	const char *text;

	(void)state;
	panel_rig_start(&rig);
	text = strstr(ask("GET", "client.js", ""), "ETag: ");
	assert_non_null(text);
	assert_int_equal(sscanf(text, "ETag: %63s", tag), 1);
	snprintf(fields, sizeof(fields), "If-None-Match: \"other\", W/%s\r\n", tag);
	text = ask("GET", "client.js", fields);
	HAS(text, "HTTP/1.1 304 ");
	HAS(text, tag);
	HAS_NOT(text, "export");
	HAS(ask("GET", "client.js", "If-None-Match: \"other\"\r\n"), "HTTP/1.1 200 ");
	HAS(ask("GET", "client.js", "If-None-Match: *\r\n"), "HTTP/1.1 304 ");

	/* Gzipped it is another thing. */
	snprintf(fields, sizeof(fields), "Accept-Encoding: br, gzip\r\nIf-None-Match: %s\r\n", tag);
	text = ask("GET", "client.js", fields);
	HAS(text, "HTTP/1.1 200 ");
	HAS(text, "Content-Encoding: gzip\r\n");
	HAS_NOT(text, tag);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serves_the_module_and_its_types),
		TEST(sends_it_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
