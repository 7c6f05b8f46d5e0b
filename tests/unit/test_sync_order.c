/* SPDX-License-Identifier: Apache-2.0 */
/* Order and independence at size: 10,000 records in 1,000 lanes of two origins,
 * one of which is dead. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast_config.h"
#include "lib/queue_case.h"

#define LANES	1000
#define RECORDS 10000
#define AT_ONCE 250 /* one commit */

enum {
	SHOP,
	BANK
};

static struct qreq *admit(struct qrig *r, unsigned n)
{
	unsigned lane = n % LANES;
	char target[32];
	struct qreq *q;

	snprintf(target, sizeof(target), "/%u/%u", lane, n / LANES);
	q = qrig_request(r, target, "x");
	snprintf(q->policy.lane, sizeof(q->policy.lane), "lane%u", lane);
	q->a.origin = lane % 2 ? BANK : SHOP;
	qreq_take(q, true);
	qreq_admit(q);
	return q;
}

/* Lane after lane, again and again, as many panels would. */
static void leave_all(struct qrig *r)
{
	struct qreq *v[AT_ONCE];

	for (unsigned n = 0; n < RECORDS; n += AT_ONCE) {
		for (unsigned i = 0; i < AT_ONCE; i++)
			v[i] = admit(r, n + i);
		fake_port_settle(&r->store.port);
		for (unsigned i = 0; i < AT_ONCE; i++) {
			assert_int_equal(v[i]->done, 0);
			qreq_free(v[i]);
		}
	}
}

/* Each lane's records have come once, in the order of acceptance, and to the
 * origin that is theirs. Returns how many. */
static unsigned check_order(struct qrig *r, unsigned origin)
{
	struct hf_span rest = hf_buf_span(&r->origin[origin].log);
	static unsigned next[LANES];
	unsigned lane, n, total = 0;

	memset(next, 0, sizeof(next));
	while (rest.len > 0) {
		struct hf_span line = hf_span_cut(&rest, '\n');
		char text[64];

		snprintf(text, sizeof(text), "%.*s", HF_SPAN_ARG(line));
		assert_int_equal(sscanf(text, "/%u/%u ", &lane, &n), 2);
		assert_true(lane < LANES);
		assert_int_equal(lane % 2 ? BANK : SHOP, origin);
		assert_int_equal(n, next[lane]++);
		total++;
	}
	return total;
}

static void nobody_waits_for_a_dead_origin(void **state)
{
	struct qrig *r = *state;
	uint64_t begin;

	hf_sync_stop(r->sync);
	leave_all(r);
	r->origin[SHOP].up = false;
	begin = r->store.port.boot_us;
	hf_sync_start(r->sync);
	qrig_settle(r);
	/* not a millisecond has passed */
	assert_true(r->store.port.boot_us == begin);
	assert_int_equal(check_order(r, BANK), RECORDS / 2);
	assert_int_equal(check_order(r, SHOP), 0);
	assert_int_equal(r->origin[BANK].running_max, CONFIG_HF_REPLAY_CONCURRENCY);
	qrig_advance(r, 3600000);
	assert_int_equal(hf_connectivity_origin(r->connectivity, SHOP), HF_REACH_DOWN);
	/* trials, not a storm of 500 lanes */
	assert_true(r->origin[SHOP].performed < 3600);
	qrig_check(r);
	r->origin[SHOP].up = true;
	qrig_advance(r, 600000);
	assert_int_equal(check_order(r, SHOP), RECORDS / 2);
	assert_int_equal(r->origin[SHOP].running_max, CONFIG_HF_REPLAY_CONCURRENCY);
	assert_true(hf_sync_is_idle(r->sync));
	qrig_check(r);
}

/* The same over a restart in the middle: lanes come back from the store. */
static void order_stands_over_a_restart(void **state)
{
	struct qrig *r = *state;
	struct hf_queue_totals totals;

	hf_sync_stop(r->sync);
	leave_all(r);
	r->origin[SHOP].up = false;
	hf_sync_start(r->sync);
	for (int i = 0; i < 100; i++)
		qrig_turn(r);
	assert_in_range(check_order(r, BANK), 1, RECORDS / 2 - 1);
	qrig_restart(r);
	r->origin[SHOP].up = true;
	qrig_advance(r, 600000);
	assert_true(hf_sync_is_idle(r->sync));
	assert_int_equal(check_order(r, SHOP), RECORDS / 2);
	hf_queue_totals(r->queue, UINT_MAX, &totals);
	assert_int_equal(totals.waiting, 0);
	qrig_check(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_waits_for_a_dead_origin),
		TEST(order_stands_over_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
