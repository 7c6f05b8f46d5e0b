/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "holdfast/err.h"

static char seen[HF_LOG_LINE_MAX + 2];
static int lines;

static void keep(void *user, enum hf_log_level level, const char *line)
{
	(void)user;
	(void)level;
	lines++;
	strncpy(seen, line, sizeof(seen) - 1);
}

static void writes_the_event_and_its_fields(void **state)
{
	struct hf_log log = { HF_LOG_INFO, keep, NULL };

	(void)state;
	hf_log(&log, HF_LOG_INFO, "queue.settled", "id=%d err=%s", 17, "EFULL");
	assert_string_equal(seen, "queue.settled id=17 err=EFULL");
	hf_log(&log, HF_LOG_ERROR, "store.lost", "%s", "");
	assert_string_equal(seen, "store.lost");
	hf_log(&log, HF_LOG_INFO, "agent.start", "x");
	assert_string_equal(seen, "agent.start x");
}

static void leaves_out_levels_above_its_own(void **state)
{
	struct hf_log log = { HF_LOG_WARNING, keep, NULL };

	(void)state;
	lines = 0;
	hf_log(&log, HF_LOG_INFO, "a", "b");
	hf_log(NULL, HF_LOG_ERROR, "a", "b");
	assert_int_equal(lines, 0);
	hf_log(&log, HF_LOG_WARNING, "a", "b");
	assert_int_equal(lines, 1);
}

static void stays_one_line_of_bounded_length(void **state)
{
	struct hf_log log = { HF_LOG_INFO, keep, NULL };

	(void)state;
	hf_log(&log, HF_LOG_INFO, "a", "x=%s", "1\nforged\x1b[0m");
	assert_string_equal(seen, "a x=1?forged?[0m");
	hf_log(&log, HF_LOG_INFO, "a", "%1000d", 1);
	assert_int_equal(strlen(seen), HF_LOG_LINE_MAX);
}

static void does_not_cut_inside_a_character(void **state)
{
	struct hf_log log = { HF_LOG_INFO, keep, NULL };

	(void)state;
	hf_log(&log, HF_LOG_INFO, "a", "%509d\xe2\x82\xac", 1);
	assert_int_equal(strlen(seen), HF_LOG_LINE_MAX - 1);
	hf_log(&log, HF_LOG_INFO, "a", "%507d\xe2\x82\xac", 1);
	assert_int_equal(strlen(seen), HF_LOG_LINE_MAX);
	hf_log(&log, HF_LOG_INFO, "a", "%508d\xe2\x82\xac", 1);
	assert_int_equal(strlen(seen), HF_LOG_LINE_MAX - 2);
}

static void quotes_only_what_needs_it(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(hf_log_quote(HF_SPAN("/a?b"), out, sizeof(out)), "/a?b");
	assert_string_equal(hf_log_quote(HF_SPAN(""), out, sizeof(out)), "\"\"");
	assert_string_equal(hf_log_quote(HF_SPAN("a b"), out, sizeof(out)), "\"a b\"");
	assert_string_equal(hf_log_quote(HF_SPAN("a=b"), out, sizeof(out)), "\"a=b\"");
	assert_string_equal(hf_log_quote(HF_SPAN("\"\\\n\r\t\x01\xff"), out, sizeof(out)),
			    "\"\\\"\\\\\\n\\r\\t\\x01\\xff\"");
}

static void cuts_a_quoted_value_at_any_size(void **state)
{
	char out[32];
	size_t size;

	(void)state;
	for (size = 1; size < sizeof(out); size++) {
		size_t len = strlen(hf_log_quote(HF_SPAN("\x01 \x02 plain text"), out, size));

		assert_true(len < size);
		assert_true(len == 0 || (out[0] == '"' && out[len - 1] == '"'));
		assert_true(strlen(hf_log_quote(HF_SPAN("plain"), out, size)) < size);
	}
}

static void reads_and_names_levels(void **state)
{
	enum hf_log_level level;

	(void)state;
	for (level = HF_LOG_ERROR; level <= HF_LOG_DEBUG; level++) {
		enum hf_log_level parsed;

		assert_int_equal(hf_log_level_parse(hf_span_str(hf_log_level_name(level)), &parsed),
				 0);
		assert_int_equal(parsed, level);
	}
	assert_int_equal(hf_log_level_parse(HF_SPAN("INFO"), &level), HF_EINVAL);
	assert_int_equal(hf_log_level_parse(HF_SPAN(""), &level), HF_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_event_and_its_fields),
		cmocka_unit_test(leaves_out_levels_above_its_own),
		cmocka_unit_test(stays_one_line_of_bounded_length),
		cmocka_unit_test(does_not_cut_inside_a_character),
		cmocka_unit_test(quotes_only_what_needs_it),
		cmocka_unit_test(cuts_a_quoted_value_at_any_size),
		cmocka_unit_test(reads_and_names_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
