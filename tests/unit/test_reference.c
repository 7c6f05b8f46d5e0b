/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/reference.h"

static void each(const char *base, const char *reference, const char *path, const char *query)
{
	struct hf_target out;
	struct hf_arena arena;
	struct hf_url url;

	hf_arena_init(&arena, 1 << 16);
	assert_int_equal(hf_url_parse(hf_span_str(base), &url), 0);
	if (hf_reference_resolve(&url, hf_span_str(reference), &arena, &out) != (path != NULL))
		fail_msg("%s", reference);
	if (path &&
	    (!hf_span_eq_str(out.path, path) || (out.query.ptr != NULL) != (query != NULL) ||
	     !hf_span_eq_str(out.query, query ? query : "")))
		fail_msg("%s: %.*s", reference, HF_SPAN_ARG(out.path));
	hf_arena_finish(&arena);
}

static void resolves_within_the_origin(void **state)
{
	const char *base = "http://h.example:8080/b/c?d";

	(void)state;
	each(base, "x", "/b/x", NULL);
	each(base, "x?y=1", "/b/x", "y=1");
	each(base, "/x/./y", "/x/y", NULL);
	each(base, "../x", "/x", NULL);
	each(base, "../../../x", "/x", NULL);
	each(base, "?q", "/b/c", "q");
	each(base, "?", "/b/c", "");
	each(base, "", "/b/c", "d");
	each(base, "#f", "/b/c", "d");
	each(base, "x#f?g", "/b/x", NULL);
	each(base, "./a:b", "/b/a:b", NULL);
	each(base, "http://h.example:8080", "/", NULL);
	each(base, "HTTP://H.example:8080/x?q", "/x", "q");
	each(base, "//h.example:8080/x/../y", "/y", NULL);
	each(base, "/%7ex", "/%7ex", NULL);
	each("https://h", "x", "/x", NULL);
	each("https://h", "https://h:443/x", "/x", NULL);
}

static void refuses_other_origins_and_what_is_no_uri(void **state)
{
	const char *base = "http://h.example/b/c";

	(void)state;
	each(base, "https://h.example/x", NULL, NULL);
	each(base, "http://h.example:81/x", NULL, NULL);
	each(base, "http://other.example/x", NULL, NULL);
	each(base, "//other.example/x", NULL, NULL);
	each(base, "http://u@h.example/x", NULL, NULL);
	each(base, "mailto:a", NULL, NULL);
	each(base, "a b", NULL, NULL);
	each(base, "a:b", NULL, NULL);
	each(base, "//", NULL, NULL);
}

static void is_bounded(void **state)
{
	char *text = malloc(HF_REFERENCE_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, '/', 1);
	memset(text + 1, 'a', HF_REFERENCE_MAX + 1);
	text[HF_REFERENCE_MAX + 1] = '\0';
	each("http://h", text, NULL, NULL);
	text[HF_REFERENCE_MAX] = '\0';
	each("http://h", text, text, NULL);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves_within_the_origin),
		cmocka_unit_test(refuses_other_origins_and_what_is_no_uri),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
