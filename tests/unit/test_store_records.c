/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/store_rig.h"

static int setup(void **state)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r);
	*state = r;
	return rig_open(r);
}

static int teardown(void **state)
{
	rig_finish(*state);
	free(*state);
	return 0;
}

static void first_start_creates(void **state)
{
	struct rig *r = *state;

	assert_true(r->report.created);
	assert_false(r->report.vanished);
	assert_int_equal(r->report.boots, 1);
	assert_int_equal(rig_close(r), 0);
	assert_int_equal(rig_open(r), 0);
	assert_false(r->report.created);
	assert_int_equal(r->report.boots, 2);
}

static void seed_stays(void **state)
{
	struct rig *r = *state;
	uint8_t seed[16];

	memcpy(seed, r->report.seed, sizeof(seed));
	assert_int_equal(rig_reopen(r), 0);
	assert_memory_equal(seed, r->report.seed, sizeof(seed));
}

static void lane_keeps_its_id(void **state)
{
	struct rig *r = *state;
	uint32_t a = rig_lane(r, "https://a", ""), b = rig_lane(r, "https://a", "k");

	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(rig_lane(r, "https://a", ""), a);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_lane(r, "https://a", "k"), b);
}

static void record_survives_a_kill(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_lane_row row;
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 7, 512, &id), 0);
	assert_int_equal(id, HF_RECORD_ID(lane, 1));
	assert_int_equal(rig_mark(r, id, 3), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_status(r, id, 7, 512), HF_RECORD_QUEUED);
	row = rig_lane_row(r, lane);
	assert_int_equal(row.head_id, id);
	assert_int_equal(row.tail_id, id);
	assert_int_equal(row.waiting, 1);
	assert_int_equal(row.head_state.attempts, 3);
	assert_true(row.head_state.inflight);
}

static void settling_stores_the_answer(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_lane_row row;
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 1, 100, &id), 0);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), HF_ESTATE);
	assert_int_equal(rig_mark(r, id, 1), HF_ESTATE);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_status(r, id, 1, 100), HF_RECORD_SETTLED);
	row = rig_lane_row(r, lane);
	assert_int_equal(row.head_id, 0);
	assert_int_equal(row.waiting, 0);
	assert_int_equal(row.tail_id, id);
}

static unsigned waiting(struct rig *r, uint32_t lane)
{
	return (unsigned)rig_lane_row(r, lane).waiting;
}

/* Cancelling behind the head, settling up to and past it, in every order of
 * kills: the count of the waiting stays exact. */
static void holes_behind_the_head_are_counted(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	uint64_t id[10];

	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rig_insert(r, lane, i, 50, &id[i]), 0);
	assert_int_equal(rig_settle(r, id[4], HF_RECORD_CANCELLED, 4), 0);
	assert_int_equal(rig_settle(r, id[9], HF_RECORD_CANCELLED, 9), 0);
	assert_int_equal(waiting(r, lane), 8);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 8);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(rig_settle(r, id[i], HF_RECORD_SETTLED, i), 0);
		assert_int_equal(waiting(r, lane), 7 - i);
	}
	assert_int_equal(rig_lane_row(r, lane).head_id, id[5]);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 4);
	assert_int_equal(rig_lane_row(r, lane).head_id, id[5]);
	assert_int_equal(rig_settle(r, id[5], HF_RECORD_DEAD, 5), 0);
	assert_int_equal(rig_settle(r, id[7], HF_RECORD_DEAD, 7), 0);
	assert_int_equal(waiting(r, lane), 2);
	assert_int_equal(rig_settle(r, id[6], HF_RECORD_SETTLED, 6), 0);
	assert_int_equal(rig_settle(r, id[8], HF_RECORD_SETTLED, 8), 0);
	assert_int_equal(waiting(r, lane), 0);
	assert_int_equal(rig_lane_row(r, lane).tail_id, id[9]);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 0);
	assert_int_equal(rig_lane_row(r, lane).tail_id, id[9]);
}

static void next_skips_what_is_final(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_load l;
	uint64_t id[5];

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(rig_insert(r, lane, i, 50, &id[i]), 0);
	assert_int_equal(rig_settle(r, id[0], HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(rig_settle(r, id[2], HF_RECORD_CANCELLED, 2), 0);
	hf_store_load_init(&l);
	l.next = true;
	l.id = HF_RECORD_ID(lane, 0);
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_int_equal(l.id, id[1]);
	assert_true(hf_span_eq_str(hf_buf_span(&l.head), "head-1"));
	l.id = id[1] + 1;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_int_equal(l.id, id[3]);
	l.id = id[4] + 1;
	assert_int_equal(RIG_DO(r, hf_store_load, &l), HF_ENOENT);
	l.id = HF_RECORD_ID(lane + 1, 1);
	assert_int_equal(RIG_DO(r, hf_store_load, &l), HF_ENOENT);
	l.next = false;
	l.head_only = true;
	l.id = id[4];
	assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
	assert_int_equal(hf_buf_span(&l.body).len, 0);
	assert_int_equal(l.body_len, 50);
	hf_store_load_finish(&l);
}

static void insert_needs_its_lane(void **state)
{
	uint64_t id;

	assert_int_equal(rig_insert(*state, 5, 1, 10, &id), HF_ENOENT);
}

static void empty_lane_can_go_and_its_number_stays_used(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_lane l = { .remove = true, .id = lane };
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 10 };
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 1, 10, &id), 0);
	assert_int_equal(RIG_DO(r, hf_store_lane, &l), HF_EBUSY);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(RIG_DO(r, hf_store_lane, &l), HF_EBUSY);
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	assert_int_equal(p.rows, 1);
	assert_int_equal(p.outcomes, 1);
	assert_int_equal(RIG_DO(r, hf_store_lane, &l), 0);
	assert_int_equal(RIG_DO(r, hf_store_lane, &l), HF_ENOENT);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_lane(r, "o", "k"), lane + 1);
}

static void lanes_with_nothing_stored_are_named_page_by_page(void **state)
{
	struct rig *r = *state;
	struct hf_store_idle idle = { .after = 0 };
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 10 };
	uint64_t id[2];
	char key[16];

	for (int i = 0; i < HF_STORE_IDLE_MAX + 2; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(rig_lane(r, "o", key), i + 1);
	}
	assert_int_equal(rig_insert(r, 2, 1, 10, &id[0]), 0);
	assert_int_equal(rig_insert(r, 3, 1, 10, &id[1]), 0);
	assert_int_equal(rig_settle(r, id[1], HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(RIG_DO(r, hf_store_idle, &idle), 0);
	assert_true(idle.more);
	assert_int_equal(idle.n, HF_STORE_IDLE_MAX - 2);
	assert_int_equal(idle.ids[0], 1);
	assert_int_equal(idle.ids[1], 4);
	idle.after = idle.next;
	assert_int_equal(RIG_DO(r, hf_store_idle, &idle), 0);
	assert_false(idle.more);
	assert_int_equal(idle.n, 2);
	assert_int_equal(idle.ids[1], HF_STORE_IDLE_MAX + 2);
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	idle.after = 2;
	assert_int_equal(RIG_DO(r, hf_store_idle, &idle), 0);
	assert_int_equal(idle.ids[0], 3);
}

static void remove_lane(struct rig *r, uint32_t id)
{
	struct hf_store_lane l = { .remove = true, .id = id };

	assert_int_equal(RIG_DO(r, hf_store_lane, &l), 0);
}

static void set_lane_floor(struct rig *r, uint32_t id)
{
	struct hf_store_meta m = { .key = "lane_floor", .put = true };
	char floor[8] = { 0 };

	for (int i = 0; i < 3; i++)
		floor[i] = (char)(id >> (8 * i) & 0xff);
	hf_buf_init(&m.value, sizeof(floor));
	assert_int_equal(hf_buf_append(&m.value, hf_span(floor, sizeof(floor))), 0);
	assert_int_equal(RIG_DO(r, hf_store_meta, &m), 0);
	hf_buf_finish(&m.value);
}

static void lane_numbers_are_given_again_when_all_have_been(void **state)
{
	struct rig *r = *state;
	const uint32_t last = (1u << HF_LANE_BITS) - 1;

	assert_int_equal(rig_lane(r, "o", "a"), 1);
	set_lane_floor(r, last - 1);
	assert_int_equal(rig_lane(r, "o", "b"), last);
	assert_int_equal(rig_lane(r, "o", "c"), 2);
	remove_lane(r, last);
	remove_lane(r, 2);
	assert_int_equal(rig_lane(r, "o", "d"), 3); /* 2 not before all others */
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_lane(r, "o", "a"), 1);
	assert_int_equal(rig_lane(r, "o", "e"), 2);
}

static void purged_tail_is_not_given_again(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 100 };
	uint64_t id = 0;

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(rig_insert(r, lane, i, 10, &id), 0);
		assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, i), 0);
	}
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	assert_int_equal(p.outcomes, 5);
	assert_int_equal(rig_status(r, id, 4, 10), HF_ENOENT);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_lane_row(r, lane).tail_id, id);
	assert_int_equal(waiting(r, lane), 0);
	assert_int_equal(rig_insert(r, lane, 9, 10, &id), 0);
	assert_int_equal(id, HF_RECORD_ID(lane, 6));
	assert_int_equal(waiting(r, lane), 1);
}

static void purge_keeps_young_answers_and_some_dead(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_purge p = { .budget = 4, .dead_max = 2 };
	uint64_t id[20];
	unsigned dead = 0, outcomes = 0;

	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(rig_insert(r, lane, i, 300, &id[i]), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(
			rig_settle(r, id[i], i % 2 ? HF_RECORD_DEAD : HF_RECORD_SETTLED, i), 0);
	p.before_dev_ms = r->dev_ms - 10; /* half of them */
	do {
		assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
		dead += p.dead;
		outcomes += p.outcomes;
	} while (p.more);
	assert_int_equal(dead, 8);
	assert_int_equal(outcomes, 5);
	assert_int_equal(rig_status(r, id[8], 8, 300), HF_ENOENT);
	assert_int_equal(rig_status(r, id[10], 10, 300), HF_RECORD_SETTLED);
	assert_int_equal(rig_status(r, id[15], 15, 300), HF_ENOENT);
	assert_int_equal(rig_status(r, id[17], 17, 300), HF_RECORD_DEAD);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(rig_status(r, id[19], 19, 300), HF_RECORD_DEAD);
	assert_int_equal(waiting(r, lane), 0);
}

/* A cancelled record far behind a head that does not move, purged with its
 * answer: the lane still knows that it is not waiting. */
static void purged_hole_stays_a_hole(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_purge p = { .before_dev_ms = UINT64_MAX, .budget = 10 };
	uint64_t id[3];

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig_insert(r, lane, i, 10, &id[i]), 0);
	assert_int_equal(rig_settle(r, id[1], HF_RECORD_CANCELLED, 1), 0);
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	assert_int_equal(rig_status(r, id[1], 1, 10), HF_ENOENT);
	assert_int_equal(waiting(r, lane), 2);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(waiting(r, lane), 2);
	assert_int_equal(rig_settle(r, id[0], HF_RECORD_SETTLED, 0), 0);
	assert_int_equal(waiting(r, lane), 1);
	assert_int_equal(rig_lane_row(r, lane).head_id, id[2]);
}

static void requests_of_settled_records_go_by_themselves(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "o", "k");
	struct hf_store_load l;
	unsigned left = 0;
	uint64_t id[200];

	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(rig_insert(r, lane, i, 100, &id[i]), 0);
		assert_int_equal(rig_settle(r, id[i], HF_RECORD_SETTLED, i), 0);
	}
	hf_store_load_init(&l);
	for (unsigned i = 0; i < 200; i++) {
		l.id = id[i];
		assert_int_equal(RIG_DO(r, hf_store_load, &l), 0);
		assert_true(l.has_outcome);
		left += l.has_record;
		if (!l.has_record)
			assert_int_equal(hf_buf_span(&l.head).len, 0);
	}
	hf_store_load_finish(&l);
	assert_true(left <= 64);
}

static void list_pages_and_filters(void **state)
{
	struct rig *r = *state;
	uint32_t a = rig_lane(r, "a", ""), b = rig_lane(r, "b", "");
	struct hf_store_list l = { .limit = 7 };
	unsigned seen = 0, dead = 0;
	uint64_t id, last = 0;

	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(rig_insert(r, i % 2 ? a : b, i, 1000, &id), 0);
		if (i % 5 == 0)
			assert_int_equal(rig_settle(r, id, HF_RECORD_DEAD, i), 0);
	}
	do {
		assert_int_equal(RIG_DO(r, hf_store_list, &l), 0);
		for (size_t i = 0; i < l.n; i++) {
			char head[32];

			assert_true(l.v[i].id > last);
			last = l.v[i].id;
			snprintf(head, sizeof(head), "head-%u", l.v[i].state.tag);
			assert_true(hf_span_eq_str(l.v[i].head, head));
			assert_false(l.v[i].head_is_summary);
			assert_int_equal(l.v[i].body_len, 1000);
			assert_int_equal(l.v[i].has_outcome, l.v[i].state.status == HF_RECORD_DEAD);
			seen++;
		}
		l.after = l.next;
		hf_store_list_finish(&l);
	} while (l.more);
	assert_int_equal(seen, 40);
	l = (struct hf_store_list){ .lane = a, .status_set = 1u << HF_RECORD_DEAD };
	assert_int_equal(RIG_DO(r, hf_store_list, &l), 0);
	for (size_t i = 0; i < l.n; i++) {
		assert_int_equal(HF_RECORD_LANE(l.v[i].id), a);
		assert_int_equal(l.v[i].state.status, HF_RECORD_DEAD);
		assert_true(hf_span_eq_str(l.v[i].outcome_head, "201 Created"));
		dead++;
	}
	hf_store_list_finish(&l);
	assert_int_equal(dead, 4);
}

static void summary_stands_in_for_a_purged_request(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "a", "");
	struct hf_store_purge p = { .budget = 10, .dead_max = 10 };
	struct hf_store_list l = { .limit = 10 };
	uint64_t id;

	assert_int_equal(rig_insert(r, lane, 3, 10, &id), 0);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 3), 0);
	assert_int_equal(RIG_DO(r, hf_store_purge, &p), 0);
	assert_int_equal(RIG_DO(r, hf_store_list, &l), 0);
	assert_int_equal(l.n, 1);
	assert_true(l.v[0].head_is_summary);
	assert_true(hf_span_eq_str(l.v[0].head, "summary-3"));
	hf_store_list_finish(&l);
}

/* ---- meta ---- */

static void meta_keeps_values(void **state)
{
	struct rig *r = *state;
	struct hf_store_meta m = { .key = "device_ms", .put = true };

	hf_buf_init(&m.value, 100);
	assert_int_equal(hf_buf_append(&m.value, hf_span("\x10\x27\0\0\0\0\0\0", 8)), 0);
	assert_int_equal(RIG_DO(r, hf_store_meta, &m), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(r->report.device_ms, 10000);
	m.put = false;
	hf_buf_clear(&m.value);
	assert_int_equal(RIG_DO(r, hf_store_meta, &m), 0);
	assert_int_equal(hf_buf_span(&m.value).len, 8);
	m.key = "other";
	assert_int_equal(RIG_DO(r, hf_store_meta, &m), 0);
	assert_int_equal(hf_buf_span(&m.value).len, 0);
	hf_buf_finish(&m.value);
}

static void device_time_follows_the_records(void **state)
{
	struct rig *r = *state;
	uint32_t lane = rig_lane(r, "a", "");
	uint64_t id;

	r->dev_ms = 5000000;
	assert_int_equal(rig_insert(r, lane, 1, 10, &id), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(r->report.device_ms, 5000000);
	assert_int_equal(rig_settle(r, id, HF_RECORD_SETTLED, 1), 0);
	assert_int_equal(rig_reopen(r), 0);
	assert_int_equal(r->report.device_ms, 5000001);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(first_start_creates),
		STORE_TEST(seed_stays),
		STORE_TEST(lane_keeps_its_id),
		STORE_TEST(record_survives_a_kill),
		STORE_TEST(settling_stores_the_answer),
		STORE_TEST(holes_behind_the_head_are_counted),
		STORE_TEST(next_skips_what_is_final),
		STORE_TEST(insert_needs_its_lane),
		STORE_TEST(empty_lane_can_go_and_its_number_stays_used),
		STORE_TEST(lanes_with_nothing_stored_are_named_page_by_page),
		STORE_TEST(lane_numbers_are_given_again_when_all_have_been),
		STORE_TEST(purged_tail_is_not_given_again),
		STORE_TEST(purge_keeps_young_answers_and_some_dead),
		STORE_TEST(purged_hole_stays_a_hole),
		STORE_TEST(requests_of_settled_records_go_by_themselves),
		STORE_TEST(list_pages_and_filters),
		STORE_TEST(summary_stands_in_for_a_purged_request),
		STORE_TEST(meta_keeps_values),
		STORE_TEST(device_time_follows_the_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
