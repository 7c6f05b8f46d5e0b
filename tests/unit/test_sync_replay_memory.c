/* SPDX-License-Identifier: Apache-2.0 */
/* No memory for the body of an answer that comes in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/queue_case.h"
#include "wrap_alloc.h"

static bool no_memory; /* for the next allocation */

static bool alloc_fails(void)
{
	bool fails = no_memory;

	no_memory = false;
	return fails;
}

/* The first attempt, whose answer comes while there is no memory. */
static struct qreq *leave(struct qrig *r, enum hf_idempotency idempotency)
{
	struct qreq *q = qrig_request(r, "/a", "body");
	struct hf_exchange *x;

	r->origin[0].manual = true;
	q->policy.idempotency = idempotency;
	qreq_take(q, true);
	qreq_admit(q);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(fake_writable(x));
	assert_true(fake_head(x, 201, NULL));
	no_memory = true;
	if (fake_body(x, HF_SPAN("{\"id\":7}")))
		fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
	assert_false(no_memory);
	qrig_settle(r);
	return q;
}

static void check_answer(struct qrig *r, uint64_t id, const char *body, bool truncated)
{
	struct hf_answer_head head;
	struct hf_arena arena;
	struct hf_store_load l;

	assert_int_equal(qrig_load(r, id, &l), 0);
	assert_int_equal(l.state.status, HF_RECORD_SETTLED);
	hf_arena_init(&arena, 65536);
	assert_int_equal(hf_answer_head_decode(hf_buf_span(&l.outcome_head), &arena, &head), 0);
	assert_int_equal(head.status, 201);
	assert_int_equal(head.truncated, truncated);
	assert_true(hf_span_eq_str(hf_buf_span(&l.outcome_body), body));
	hf_arena_finish(&arena);
	hf_store_load_finish(&l);
}

static void answer_without_memory_is_asked_for_again(void **state)
{
	struct fake_answer_to whole = { .status = 201, .body = "{\"id\":7}" };
	struct qrig *r = *state;
	struct qreq *q = leave(r, HF_IDEMPOTENCY_KEYED);

	assert_int_equal(qrig_state(r, q->a.id).status, HF_RECORD_QUEUED);
	assert_int_equal(qrig_state(r, q->a.id).attempts, 1);
	r->origin[0].manual = false;
	next_answer = whole;
	r->origin[0].answer = answer_next;
	qrig_advance(r, 60000);
	assert_int_equal(r->origin[0].performed, 2);
	check_answer(r, q->a.id, whole.body, false);
}

static void what_goes_once_keeps_what_came(void **state)
{
	struct qrig *r = *state;
	struct qreq *q = leave(r, HF_IDEMPOTENCY_NEVER);

	check_answer(r, q->a.id, "", true);
	assert_int_equal(r->origin[0].performed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_without_memory_is_asked_for_again),
		TEST(what_goes_once_keeps_what_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
