/* SPDX-License-Identifier: Apache-2.0 */
/* One record through one attempt: the request as it is sent, the answer as it
 * is stored, and every way in between to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast_config.h"
#include "lib/queue_case.h"
#include "lib/store_files.h"

/* ---- bodies in the store ---- */

static char *make_body(size_t size)
{
	char *body = malloc(size + 1);

	if (!body)
		abort();
	for (size_t i = 0; i < size; i++)
		body[i] = (char)('a' + (i * 7 + i / 1000) % 26);
	body[size] = '\0';
	return body;
}

static uint64_t make_blob(struct qrig *r, const char *body, size_t size, size_t chunk)
{
	struct hf_store_blob_append a = { .blob = 0 };

	for (size_t at = 0; at < size; at += chunk, a.n++) {
		a.data = hf_span(body + at, size - at < chunk ? size - at : chunk);
		assert_int_equal(RIG_DO(&r->store, hf_store_blob_append, &a), 0);
	}
	return a.blob;
}

static struct qreq *leave_blob(struct qrig *r, const char *target, uint64_t blob, uint64_t size)
{
	struct qreq *q = qrig_request(r, target, NULL);

	q->a.body = hf_span(NULL, 0);
	q->a.blob = blob;
	q->a.body_len = size;
	qreq_take(q, true);
	qreq_admit(q);
	fake_port_settle(&r->store.port);
	assert_int_equal(q->done, 0);
	return q;
}

/* ---- the request ---- */

static void request_is_sent_as_it_was_accepted(void **state)
{
	struct qrig *r = *state;
	struct qreq *a = qrig_request(r, "/orders?x=1", "hello");
	struct hf_exchange *x;

	r->origin[0].manual = true;
	hf_fields_add(&a->msg.fields, HF_SPAN("X-Panel"), HF_SPAN("7"));
	hf_fields_add(&a->msg.fields, HF_SPAN("host"), HF_SPAN("other.example"));
	hf_fields_add(&a->msg.fields, HF_SPAN("Content-Length"), HF_SPAN("99"));
	hf_fields_add(&a->msg.fields, HF_SPAN("idempotency-key"), HF_SPAN("k/orders?x=1"));
	hf_fields_add(&a->msg.fields, HF_SPAN("Prefer"), HF_SPAN("return=minimal"));
	qreq_take(a, true);
	qreq_admit(a);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(hf_span_eq_str(x->msg->method, "POST"));
	assert_true(hf_span_eq_str(x->msg->target, "/orders?x=1"));
	assert_int_equal(x->msg->body, HF_BODY_LENGTH);
	assert_int_equal(x->msg->body_len, 5);
	assert_int_equal(hf_fields_count(&x->msg->fields, "Host"), 1);
	assert_true(hf_span_eq_str(fake_field(x, "Host"), "shop.example"));
	assert_int_equal(hf_fields_count(&x->msg->fields, "Idempotency-Key"), 1);
	assert_true(hf_span_eq_str(fake_field(x, "Idempotency-Key"), "k/orders?x=1"));
	assert_true(hf_span_eq_str(fake_field(x, "X-Panel"), "7"));
	assert_int_equal(hf_fields_count(&x->msg->fields, "Content-Length"), 0);
	assert_true(hf_span_eq_str(fake_field(x, "Prefer"), "return=minimal"));
	assert_false(x->fresh);
	r->origin[0].manual = false;
	qrig_settle(r);
	assert_non_null(
		strstr(hf_buf_cstr(&r->origin[0].log), "/orders?x=1 key=k/orders?x=1 hello"));
}

static void request_without_a_body_says_so(void **state)
{
	struct qrig *r = *state;
	struct qreq *post = qrig_leave(r, "/post", NULL), *get;
	struct hf_exchange *x;

	assert_int_equal(post->done, 0);
	qrig_settle(r);
	assert_string_equal(qrig_taken(r, 0), "/post");
	r->origin[0].manual = true;
	get = qrig_request(r, "/get", NULL);
	get->msg.method = HF_SPAN("GET");
	qreq_take(get, true);
	qreq_admit(get);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_int_equal(x->msg->body, HF_BODY_NONE);
}

static void body_of_many_chunks_arrives_whole(void **state)
{
	struct qrig *r = *state;
	size_t size = 3 * CONFIG_HF_BODY_CHUNK_BYTES + 17;
	char *body = make_body(size);
	uint64_t blob = make_blob(r, body, size, CONFIG_HF_BODY_CHUNK_BYTES);

	r->origin[0].window = 5000;
	leave_blob(r, "/big", blob, size);
	qrig_settle(r);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), body));
	free(body);
}

/* The size of chunks is a setting: a stored one may be from another build. */
static void body_in_chunks_of_another_size_arrives_whole(void **state)
{
	struct qrig *r = *state;
	size_t size = 50000;
	char *body = make_body(size);
	uint64_t blob = make_blob(r, body, size, 1234);

	leave_blob(r, "/big", blob, size);
	qrig_settle(r);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), body));
	free(body);
}

static void check_lost_body(struct qrig *r, uint64_t blob, uint64_t claimed)
{
	struct qreq *a = leave_blob(r, "/big", blob, claimed);

	qrig_leave(r, "/next", "x");
	qrig_advance(r, 60000);
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_DEAD);
	assert_int_equal(qrig_state(r, a->a.id).reason, HF_REASON_DAMAGED);
	assert_string_equal(qrig_taken(r, 0), "/next");
	qrig_check(r);
}

static void body_that_is_too_short_in_the_store_is_damage(void **state)
{
	struct qrig *r = *state;
	char *body = make_body(5000);

	check_lost_body(r, make_blob(r, body, 5000, 1000), 6000);
	free(body);
}

static void body_that_is_too_long_in_the_store_is_damage(void **state)
{
	struct qrig *r = *state;
	char *body = make_body(5000);

	check_lost_body(r, make_blob(r, body, 5000, 1000), 4500);
	free(body);
}

/* One bit of one chunk: the origin gets no whole request, and the next goes on. */
static void altered_body_does_not_reach_the_origin(void **state)
{
	struct qrig *r = *state;
	size_t size = 5000;
	char *body = make_body(size);

	for (uint32_t n = 0; n < 5; n++) {
		uint64_t blob = make_blob(r, body, size, 1000), id;

		r->origin[0].up = false;
		id = leave_blob(r, "/big", blob, size)->a.id;
		qrig_leave(r, "/next", "x");
		qrig_kill(r);
		rig_flip(&r->store, "queue-1.db", blob, n, 500);
		assert_int_equal(rig_open(&r->store), 0);
		qrig_begin(r);
		qrig_start(r);
		r->origin[0].up = true;
		qrig_advance(r, 60000);
		assert_string_equal(qrig_taken(r, 0), "/next");
		assert_int_equal(qrig_state(r, id).status, HF_RECORD_DEAD);
		assert_int_equal(qrig_state(r, id).reason, HF_REASON_DAMAGED);
		qrig_check(r);
	}
	free(body);
}

/* ---- redirects ---- */

static void redirect_is_followed_with_method_key_and_body(void **state)
{
	struct qrig *r = *state;
	struct hf_exchange *x;
	static const char *const locations[] = {
		"Location: /b#part",
		"Location: http://shop.example/c?y=2",
		"Location: http://shop.example?z",
		"Location: http://shop.example",
	};
	static const char *const targets[] = { "/b", "/c?y=2", "/?z", "/" };

	r->origin[0].manual = true;
	qrig_leave(r, "/a", "body");
	qrig_settle(r);
	for (size_t i = 0; i < 4; i++) {
		x = fake_exchange(&r->origin[0], 0);
		assert_true(fake_connect(x));
		qrig_settle(r);
		assert_true(fake_writable(x));
		assert_true(fake_head(x, i % 2 ? 308 : 307, locations[i]));
		fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
		x = fake_exchange(&r->origin[0], 0);
		assert_non_null(x);
		assert_true(hf_span_eq_str(x->msg->target, targets[i]));
		assert_true(hf_span_eq_str(x->msg->method, "POST"));
		assert_true(hf_span_eq_str(fake_field(x, "Idempotency-Key"), "k/a"));
	}
	r->origin[0].manual = false;
	qrig_settle(r);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), "/ key=k/a body\n"));
}

static void endless_redirects_are_held(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;

	next_answer = (struct fake_answer_to){ .status = 307, .fields = "Location: /a" };
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "body");
	qrig_advance(r, 3600000);
	assert_int_equal(r->origin[0].performed, 6);
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_HELD);
	assert_int_equal(qrig_state(r, a->a.id).reason, HF_REASON_REDIRECT);
}

static void redirect_to_a_target_that_is_none_is_held(void **state)
{
	struct qrig *r = *state;
	struct qreq *a;

	next_answer = (struct fake_answer_to){ .status = 307, .fields = "Location: /a b" };
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "body");
	qrig_settle(r);
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_HELD);
	assert_int_equal(r->origin[0].performed, 1);
}

/* The origin answers while a piece of the body is being read from the store. */
static void redirect_in_the_middle_of_a_body_sends_it_whole(void **state)
{
	struct qrig *r = *state;
	size_t size = 2 * CONFIG_HF_BODY_CHUNK_BYTES + 5;
	char *body = make_body(size);
	struct hf_exchange *x;

	r->origin[0].manual = true;
	leave_blob(r, "/a", make_blob(r, body, size, CONFIG_HF_BODY_CHUNK_BYTES), size);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(fake_writable(x));
	fake_port_turn(&r->store.port); /* the first chunk is through, the second is read */
	assert_int_equal(x->body.len, CONFIG_HF_BODY_CHUNK_BYTES);
	assert_true(fake_head(x, 307, "Location: /b"));
	fake_end(x, HF_END_COMPLETE, HF_SENT_PART);
	/* what was being read comes when the next attempt is there already */
	x = fake_exchange(&r->origin[0], 0);
	if (x) {
		assert_true(fake_connect(x));
		if (x->gone)
			fake_writable(x);
	}
	qrig_settle(r);
	r->origin[0].manual = false;
	qrig_settle(r);
	assert_non_null(strstr(hf_buf_cstr(&r->origin[0].log), body));
	free(body);
}

/* ---- the answer ---- */

static void load_answer(struct qrig *r, uint64_t id, struct hf_store_load *l,
			struct hf_answer_head *head, struct hf_arena *arena)
{
	assert_int_equal(qrig_load(r, id, l), 0);
	assert_true(l->has_outcome);
	hf_arena_init(arena, 1 << 20);
	assert_int_equal(hf_answer_head_decode(hf_buf_span(&l->outcome_head), arena, head), 0);
}

static void answer_is_stored_without_what_belongs_to_the_hop(void **state)
{
	struct qrig *r = *state;
	struct hf_answer_head head;
	struct hf_store_load l;
	struct hf_arena arena;
	struct qreq *a;

	next_answer = (struct fake_answer_to){
		.status = 201,
		.fields = "Content-Type: text/plain\nConnection: close, X-Hop\nX-Hop: 1\n"
			  "Keep-Alive: timeout=5\nContent-Length: 5\nLocation: /orders/1",
		.body = "thank",
	};
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "body");
	qrig_settle(r);
	load_answer(r, a->a.id, &l, &head, &arena);
	assert_int_equal(head.status, 201);
	assert_false(head.truncated);
	assert_int_equal(head.fields.n, 2);
	assert_non_null(hf_fields_get(&head.fields, "Content-Type"));
	assert_non_null(hf_fields_get(&head.fields, "Location"));
	assert_true(hf_span_eq_str(hf_buf_span(&l.outcome_body), "thank"));
	hf_arena_finish(&arena);
	hf_store_load_finish(&l);
}

static void check_cut(struct qrig *r, const struct fake_answer_to *answer, size_t kept)
{
	struct hf_answer_head head;
	struct hf_store_load l;
	struct hf_arena arena;
	struct qreq *a;

	next_answer = *answer;
	r->origin[0].answer = answer_next;
	a = qrig_leave(r, "/a", "body");
	qrig_settle(r);
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_SETTLED);
	load_answer(r, a->a.id, &l, &head, &arena);
	assert_true(head.truncated);
	assert_int_equal(l.outcome_body.len, kept);
	hf_arena_finish(&arena);
	hf_store_load_finish(&l);
}

static void answer_that_is_cut_short_is_kept_as_far_as_it_came(void **state)
{
	struct fake_answer_to cut = { .status = 200, .body = "half", .end = HF_END_TRUNCATED };
	struct fake_answer_to reset = { .status = 200, .body = "half", .end = HF_END_RESET };

	check_cut(*state, &cut, 4);
	check_cut(*state, &reset, 4);
}

static void answer_past_the_limit_is_cut(void **state)
{
	char *body = make_body(2000);
	struct fake_answer_to big = { .status = 200, .body = body };

	check_cut(*state, &big, 1000);
	free(body);
}

/* An event stream, say: it must not keep its lane for ever. */
static void answer_that_does_not_end_is_cut(void **state)
{
	struct qrig *r = *state;
	struct hf_exchange *x;
	struct qreq *a;

	r->origin[0].manual = true;
	a = qrig_leave(r, "/a", "body");
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(fake_writable(x));
	assert_true(fake_head(x, 200, "Content-Type: text/event-stream"));
	assert_true(fake_body(x, HF_SPAN("data: 1\n\n")));
	qrig_advance(r, 3600000);
	assert_int_equal(qrig_state(r, a->a.id).status, HF_RECORD_SETTLED);
	assert_int_equal(r->origin[0].running, 0);
}

static void answer_that_comes_early_is_waited_for_until_the_body_is_sent(void **state)
{
	struct qrig *r = *state;
	size_t size = 100000;
	char *body = make_body(size);
	struct hf_exchange *x;

	r->origin[0].manual = true;
	leave_blob(r, "/a", make_blob(r, body, size, 50000), size);
	qrig_settle(r);
	x = fake_exchange(&r->origin[0], 0);
	assert_true(fake_connect(x));
	qrig_settle(r);
	assert_true(fake_writable(x));
	assert_true(fake_head(x, 200, NULL));
	assert_true(fake_body(x, hf_span(body, 3000)));
	qrig_settle(r);
	assert_int_equal(r->origin[0].running, 1);
	while (!x->body_done) {
		assert_true(fake_writable(x));
		qrig_settle(r);
	}
	assert_false(fake_body(x, hf_span(body, 3000)));
	qrig_settle(r);
	assert_int_equal(r->origin[0].running, 0);
	free(body);
}

/* ---- closing down at every step ---- */

static void go_steps(struct qrig *r, int steps, const char *body)
{
	struct hf_exchange *x;

	for (int i = 0; i < steps; i++) {
		if (i < 3) { /* load */
			fake_port_turn(&r->store.port);
			continue;
		}
		x = fake_exchange(&r->origin[0], 0);
		if (!x)
			break;
		if (i == 3)
			fake_connect(x);
		else if (i == 4)
			fake_port_turn(&r->store.port);
		else if (i < 10 && !x->body_done && x->gone)
			fake_writable(x);
		else if (i < 12)
			fake_port_turn(&r->store.port);
		else if (i == 12)
			fake_head(x, 201, "X: y");
		else if (i == 13)
			fake_body(x, hf_span(body, 100));
		else if (i == 14)
			fake_end(x, HF_END_COMPLETE, HF_SENT_ALL);
	}
}

static void closing_down_at_any_step_leaves_nothing_behind(void **state)
{
	struct qrig *r = *state;
	size_t size = 100000;
	char *body = make_body(size);

	for (int steps = 0; steps < 20; steps++) {
		struct qreq *a;
		uint64_t id;

		r->origin[0].manual = true;
		a = leave_blob(r, "/a", make_blob(r, body, size, 50000), size);
		id = a->a.id;
		go_steps(r, steps, body);
		qrig_restart(r);
		assert_int_equal(r->origin[0].running, 0);
		r->origin[0].manual = false;
		qrig_advance(r, 10000);
		assert_int_equal(qrig_state(r, id).status, HF_RECORD_SETTLED);
		qrig_check(r);
	}
	free(body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_sent_as_it_was_accepted),
		TEST(request_without_a_body_says_so),
		TEST(body_of_many_chunks_arrives_whole),
		TEST(body_in_chunks_of_another_size_arrives_whole),
		TEST(body_that_is_too_short_in_the_store_is_damage),
		TEST(altered_body_does_not_reach_the_origin),
		TEST(body_that_is_too_long_in_the_store_is_damage),
		TEST(redirect_is_followed_with_method_key_and_body),
		TEST(endless_redirects_are_held),
		TEST(redirect_to_a_target_that_is_none_is_held),
		TEST(redirect_in_the_middle_of_a_body_sends_it_whole),
		TEST(answer_is_stored_without_what_belongs_to_the_hop),
		TEST(answer_that_is_cut_short_is_kept_as_far_as_it_came),
		TEST(answer_past_the_limit_is_cut),
		TEST(answer_that_does_not_end_is_cut),
		TEST(answer_that_comes_early_is_waited_for_until_the_body_is_sent),
		TEST(closing_down_at_any_step_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
