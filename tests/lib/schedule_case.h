/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the scheduler: lanes full of requests, and an origin that fails. */
#ifndef HF_TESTS_SCHEDULE_CASE_H
#define HF_TESTS_SCHEDULE_CASE_H

#include "holdfast_config.h"
#include "lib/queue_case.h"

static inline void leave_many(struct qrig *r, unsigned lanes, unsigned each)
{
	char lane[16], target[32];

	for (unsigned n = 0; n < each; n++)
		for (unsigned i = 0; i < lanes; i++) {
			snprintf(lane, sizeof(lane), "lane%u", i);
			snprintf(target, sizeof(target), "/%u/%u", i, n);
			qrig_leave_in(r, lane, target);
		}
}

static inline struct qreq *leave_at(struct qrig *r, unsigned origin, const char *target)
{
	struct qreq *q = qrig_request(r, target, "x");

	q->a.origin = origin;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	return q;
}

static inline enum hf_reach reach(struct qrig *r)
{
	return hf_connectivity_origin(r->connectivity, 0);
}

/* The origin refuses, and counts as down. */
static inline void go_down(struct qrig *r)
{
	struct hf_exchange_result refused = { .end = HF_END_CONNECT, .err = HF_ECONNREFUSED };

	r->origin[0].up = false;
	for (int i = 0; i < HF_CONNECTIVITY_FAILURES; i++)
		hf_connectivity_report(r->connectivity, 0, &refused, 0);
	assert_int_equal(reach(r), HF_REACH_DOWN);
}

/* Those that are under way now, all of them. */
static inline void answer_all(struct qrig *r, int status)
{
	struct fake_answer_to answer = { .status = status };
	unsigned n = r->origin[0].running;

	for (unsigned i = 0; i < n; i++)
		fake_connect(fake_exchange(&r->origin[0], i));
	qrig_settle(r);
	for (unsigned i = 0; i < n; i++)
		fake_answer_whole(fake_exchange(&r->origin[0], 0), &answer);
	qrig_settle(r);
}

#endif
