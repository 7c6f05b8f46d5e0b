/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A script in which the n-th allocation of the device fails, for every n: what
 * was accepted is delivered all the same, in order and once; what is refused is
 * refused with an error. The second round lets every allocation from the n-th
 * on fail for a while.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_rig.h"
#include "wrap_alloc.h"

static unsigned long counted, fails_from, fails_to;
static bool counting;

static bool alloc_fails(void)
{
	if (!counting)
		return false;
	counted++;
	return counted >= fails_from && counted < fails_to;
}

/* ---- the script ---- */

#define REQUESTS 8

/* The test's own part of the world does not run out of memory. */
static struct qreq *request(struct qrig *r, const char *lane, const char *target)
{
	struct qreq *q;

	counting = false;
	q = qrig_request(r, target, "body");
	counting = true;
	snprintf(q->policy.lane, sizeof(q->policy.lane), "%s", lane);
	return q;
}

static struct qreq *leave(struct qrig *r, const char *lane, const char *target)
{
	struct qreq *q = request(r, lane, target);

	qreq_take(q, true);
	if (!q->err)
		qreq_admit(q);
	return q;
}

static struct fake_answer_to moods[] = {
	{ .status = 503 },
	{ .status = 307, .fields = "Location: /again" },
	{ .status = 201, .fields = "X-A: 1\nX-B: 2", .body = "said" },
};
static unsigned mood;

static void answer(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	*out = hf_span_eq_str(x->msg->target, "/again") ? moods[2] : moods[mood];
}

static void changed(struct hf_queue_change *c, int err)
{
	(void)err;
	*(bool *)c->user = false;
}

struct script {
	struct qrig r;
	struct qreq *q[REQUESTS];
	struct hf_queue_change change;
	bool changing;
	char id[HF_ULID_LEN + 1];
};

static void play(struct script *s)
{
	struct qrig *r = &s->r;

	mood = 0;
	s->q[0] = leave(r, "one", "/0");
	s->q[1] = leave(r, "one", "/1");
	s->q[2] = leave(r, "two", "/2");
	qrig_advance(r, 3000);
	mood = 1;
	s->q[3] = leave(r, "one", "/3");
	qrig_advance(r, 10000);
	r->origin[0].up = false;
	s->q[4] = leave(r, "two", "/4");
	s->q[5] = leave(r, "two", "/5");
	qrig_advance(r, 10000);
	if (s->q[4]->done == 0) {
		memcpy(s->id, s->q[4]->a.public_id, sizeof(s->id));
		s->change = (struct hf_queue_change){
			.public_id = hf_span_str(s->id),
			.done = changed,
			.user = &s->changing,
		};
		s->changing = hf_queue_cancel(r->queue, &s->change) == 0;
	}
	qrig_advance(r, 1000);
	r->origin[0].up = true;
	hf_queue_reload(r->queue);
	s->q[6] = leave(r, "three", "/6");
	s->q[7] = leave(r, "one", "/7");
	mood = 2;
	qrig_advance(r, 10000);
}

/* Every request has an end: refused, or accepted and final. */
static void check_ends(struct script *s)
{
	assert_false(s->changing);
	for (int i = 0; i < REQUESTS; i++) {
		struct qreq *q = s->q[i];
		uint8_t status;

		if (q->err)
			continue;
		assert_int_not_equal(q->done, 1);
		if (q->done)
			continue;
		status = qrig_state(&s->r, q->a.id).status;
		if (status != HF_RECORD_SETTLED && status != HF_RECORD_CANCELLED)
			fail_msg("allocation %lu: request %d ends as %s", fails_from, i,
				 hf_record_status_name(status));
	}
}

static bool is_before(const char *taken, const char *a, const char *b)
{
	const char *at = strstr(taken, a), *bt = strstr(taken, b);

	return !at || !bt || at < bt;
}

static void run(unsigned long from, unsigned long n)
{
	static struct script s;
	const char *taken;

	memset(&s, 0, sizeof(s));
	counting = false;
	qrig_init(&s.r);
	s.r.origin[0].answer = answer;
	counted = 0;
	fails_from = from;
	fails_to = from + n;
	counting = true;
	play(&s);
	counting = false;
	qrig_advance(&s.r, 3600000);
	check_ends(&s);
	qrig_check(&s.r);
	assert_true(hf_sync_is_idle(s.r.sync));
	taken = qrig_taken(&s.r, 0);
	assert_true(is_before(taken, "/0", "/1"));
	assert_true(is_before(taken, "/1", "/3"));
	assert_true(is_before(taken, "/3", "/7"));
	qrig_finish(&s.r);
}

static void any_single_allocation_may_fail(void **state)
{
	unsigned long n = 1;

	(void)state;
	do {
		run(n++, 1);
	} while (counted >= n - 1);
	assert_true(n > 200);
}

static void memory_may_be_short_for_a_while(void **state)
{
	unsigned long n;

	(void)state;
	run(1, 0);
	for (n = 1; n < counted; n += 7)
		run(n, 50);
	assert_true(n > 200);
}

/* ---- what grows too old ---- */

#define OLD 100 /* more than a page of a list */

static void (*job_done)(struct hf_job *job);

static void done_without_memory(struct hf_job *job)
{
	fails_from = 1;
	fails_to = 100000;
	counted = 0;
	counting = true;
	job->done = job_done; /* the next time with memory */
	job->done(job);
	counting = false;
}

static void no_fire(void *user)
{
	(void)user;
}

/* Behind a held one that stays, where no lease comes. */
static void leave_old(struct qrig *r)
{
	char target[16];

	for (int i = 0; i < OLD; i++) {
		struct qreq *q;

		snprintf(target, sizeof(target), "/%d", i);
		q = qrig_request(r, target, "body");
		q->policy.max_age_s = i == 0 ? 0 : 60;
		q->a.hold = i == 0;
		q->a.reason = i == 0 ? HF_REASON_AUTH : HF_REASON_NONE;
		qreq_take(q, true);
		qreq_admit(q);
		fake_port_settle(&r->store.port);
		assert_int_equal(q->done, 0);
	}
}

/* The round over what has grown too old reads a page, and when it is there, neither
 * it can be looked at nor another timer be set. */
static void a_round_goes_on_when_there_is_memory_again(void **state)
{
	static struct hf_timer other[1024];
	struct qrig r;
	size_t n = 0;

	(void)state;
	counting = false;
	qrig_init(&r);
	leave_old(&r);
	fake_port_advance(&r.store.port, 70000);
	hf_timerq_run(&r.timers, r.store.port.port.boottime_ms(&r.store.port.port));
	assert_non_null(r.store.port.first);
	for (; r.timers.len < r.timers.cap; n++) {
		hf_timer_init(&other[n], no_fire, NULL);
		assert_int_equal(hf_timerq_set(&r.timers, &other[n], UINT64_MAX - 1), 0);
	}
	job_done = r.store.port.first->done;
	r.store.port.first->done = done_without_memory;
	fake_port_turn(&r.store.port);
	assert_true(counted > 0);
	while (n > 0)
		hf_timerq_clear(&r.timers, &other[--n]);
	qrig_advance(&r, 600000);
	assert_int_equal(qrig_lane(&r, "lane")->waiting, 1);
	qrig_check(&r);
	qrig_finish(&r);
}

/* ---- what a page is told of a change ---- */

static unsigned nameless;

static void look_at_event(void *user, const struct hf_queue_event *e)
{
	(void)user;
	nameless += e->tag.len == 0 || e->target.len == 0 || e->key.len == 0;
}

static struct qreq *leave_held(struct qrig *r)
{
	struct qreq *q = qrig_request(r, "/a", "body");

	for (int i = 0; i < 20; i++)
		assert_int_equal(hf_fields_add(&q->msg.fields, HF_SPAN("X"), HF_SPAN("y")), 0);
	q->a.hold = true;
	q->a.reason = HF_REASON_AUTH;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	assert_int_equal(q->done, 0);
	return q;
}

/* The @n-th allocation of the change fails; false: it has not so many. */
static bool change_without(unsigned long n, bool retry)
{
	struct qrig r;
	struct qreq *q;
	char new_id[HF_ULID_LEN + 1];
	int err;

	counting = false;
	qrig_init(&r);
	r.on_event = look_at_event;
	q = leave_held(&r);
	counted = 0;
	fails_from = n;
	fails_to = n + 1;
	counting = true;
	err = retry ? qrig_retry(&r, q->a.public_id, new_id) : qrig_cancel(&r, q->a.public_id);
	counting = false;
	if (nameless)
		fail_msg("allocation %lu: an event without its request", n);
	if (err)
		assert_int_equal(qrig_state(&r, q->a.id).status, HF_RECORD_HELD);
	qrig_finish(&r);
	return counted >= n;
}

static void a_change_is_told_whole_or_not_made(void **state)
{
	(void)state;
	for (int retry = 0; retry < 2; retry++) {
		unsigned long n = 1;

		while (change_without(n, retry))
			n++;
		assert_true(n > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_single_allocation_may_fail),
		cmocka_unit_test(memory_may_be_short_for_a_while),
		cmocka_unit_test(a_round_goes_on_when_there_is_memory_again),
		cmocka_unit_test(a_change_is_told_whole_or_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
