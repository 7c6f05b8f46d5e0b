/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes that are named by the request. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/lane_rule.h"

/* The lane of a request to @target with X-Table: @table (NULL: without it). */
static const char *lane_of(const struct hf_lane_rule *rule, const char *base, const char *target,
			   const char *table)
{
	static char lane[HF_POLICY_NAME_MAX + 1];
	static unsigned turn = UINT_MAX;
	struct hf_message msg = { .target = hf_span_str(target) };
	struct hf_arena arena;

	hf_arena_init(&arena, 65536);
	hf_fields_init(&msg.fields, &arena);
	if (table)
		assert_int_equal(hf_fields_add(&msg.fields, HF_SPAN("x-table"), hf_span_str(table)),
				 0);
	snprintf(lane, sizeof(lane), "%s", base);
	hf_lane_rule_apply(rule, &msg, turn++, lane);
	hf_arena_finish(&arena);
	return lane;
}

static const struct hf_lane_rule header = { .by = HF_LANE_BY_HEADER, .header = "X-Table" };

static void header_names_the_lane(void **state)
{
	(void)state;
	assert_string_equal(lane_of(&header, "orders", "/a", "7"), "orders/7");
	assert_string_equal(lane_of(&header, "orders", "/a", NULL), "orders");
	assert_string_equal(lane_of(&header, "orders", "/a", ""), "orders");
	assert_string_equal(lane_of(&header, "orders", "/a", "7/8 %\xc3\xa4"),
			    "orders/7%2F8%20%25%C3%A4");
}

static void path_names_the_lane(void **state)
{
	static const struct hf_lane_rule second = { .by = HF_LANE_BY_SEGMENT, .segment = 2 };
	static const struct hf_lane_rule path = { .by = HF_LANE_BY_PATH };

	(void)state;
	assert_string_equal(lane_of(&second, "t", "/tables/12/orders?x=/9", NULL), "t/12");
	assert_string_equal(lane_of(&second, "t", "/tables", NULL), "t");
	assert_string_equal(lane_of(&second, "t", "/tables/", NULL), "t");
	assert_string_equal(lane_of(&path, "g", "/gauges/1?at=5", NULL), "g/%2Fgauges%2F1");
	assert_string_equal(lane_of(&path, "g", "*", NULL), "g");
}

static void turns_spread_over_lanes(void **state)
{
	static const struct hf_lane_rule rule = { .by = HF_LANE_BY_TURN, .spread = 3 };
	unsigned seen[3] = { 0 };

	(void)state;
	for (int i = 0; i < 9; i++) {
		const char *lane = lane_of(&rule, "o", "/a", NULL);

		assert_memory_equal(lane, "o/", 2);
		assert_in_range(lane[2], '0', '2');
		assert_int_equal(lane[3], 0);
		seen[lane[2] - '0']++;
	}
	assert_in_range(seen[0], 2, 4);
	assert_in_range(seen[1], 2, 4);
}

static void no_rule_changes_nothing(void **state)
{
	static const struct hf_lane_rule none = { 0 };

	(void)state;
	assert_string_equal(lane_of(&none, "orders", "/a/b", "7"), "orders");
}

/* Names stay bounded; different values stay different. */
static void long_value_is_hashed(void **state)
{
	char a[4000], b[4000], first[HF_POLICY_NAME_MAX + 1], base[HF_LANE_BASE_MAX + 1];

	(void)state;
	memset(a, 'x', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(a));
	b[sizeof(b) - 2] = 'y';
	memset(base, 'b', sizeof(base) - 1);
	base[sizeof(base) - 1] = '\0';
	snprintf(first, sizeof(first), "%s", lane_of(&header, base, "/", a));
	assert_int_equal(strlen(first), HF_LANE_BASE_MAX + 18);
	assert_string_not_equal(lane_of(&header, base, "/", b), first);
	assert_string_equal(lane_of(&header, base, "/", a), first);
	/* the longest one that fits, and one byte more */
	a[HF_POLICY_NAME_MAX - 2] = '\0';
	assert_int_equal(strlen(lane_of(&header, "o", "/", a)), HF_POLICY_NAME_MAX);
	a[HF_POLICY_NAME_MAX - 2] = 'x';
	a[HF_POLICY_NAME_MAX - 1] = '\0';
	assert_memory_equal(lane_of(&header, "o", "/", a), "o/#", 3);
}

static void append_always_finds_room(void **state)
{
	char lane[HF_POLICY_NAME_MAX + 1] = "orders";

	(void)state;
	hf_lane_append(lane, '@', HF_SPAN("a@b/c"));
	assert_string_equal(lane, "orders@a%40b%2Fc");
	memset(lane, 'x', sizeof(lane) - 1);
	lane[sizeof(lane) - 1] = '\0';
	hf_lane_append(lane, '@', HF_SPAN("ada"));
	assert_int_equal(strlen(lane), HF_POLICY_NAME_MAX);
	assert_memory_equal(lane + HF_POLICY_NAME_MAX - 18, "@#", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_names_the_lane),
		cmocka_unit_test(path_names_the_lane),
		cmocka_unit_test(turns_spread_over_lanes),
		cmocka_unit_test(append_always_finds_room),
		cmocka_unit_test(no_rule_changes_nothing),
		cmocka_unit_test(long_value_is_hashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
