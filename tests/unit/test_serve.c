/* SPDX-License-Identifier: Apache-2.0 */
/* An answer out of a cache in which the n-th allocation fails, for every n: it is whole, or
 * it is broken off or begun anew, and what is stored stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_alloc.h"
#include "fetch/serve.h"
#include "lib/live_cache.h"

#define LENGTH		(HF_SHELF_PIECE + 100)
#define ALLOCATIONS_MAX 2000

struct page {
	struct live_cache l;
	uint32_t cache;
	char body[LENGTH];
	struct hf_arena arena;
	struct hf_stored *stored;
	/* of the answer */
	uint64_t got;
	bool head, lost, ended, complete;
};

static void op_done(struct hf_shelf_op *op, int err)
{
	op->err = err;
}

static void put_done(struct hf_cache_put *p, int err, struct hf_stored *s)
{
	struct page *g = p->user;

	assert_int_equal(err, 0);
	g->stored = hf_stored_ref(s);
}

static void append(struct page *g, struct hf_shelf_intake *in, size_t at, size_t n)
{
	struct hf_shelf_append a = { .op = { .done = op_done, .err = 1 },
				     .intake = in,
				     .data = hf_span(g->body + at, n) };

	hf_shelf_append(hf_cache_shelf(g->l.cache), &a);
	fake_port_settle(&g->l.port);
	assert_int_equal(a.op.err, 0);
}

/* Stores a body of two pieces as /a. */
static void begin(struct page *g)
{
	struct hf_shelf_intake in = { .body = 0 };
	struct hf_fields none = { .n = 0 };
	struct hf_cache_put p = { .url = HF_SPAN("/a"),
				  .note = HF_SPAN(""),
				  .status = 200,
				  .variant = HF_SPAN(""),
				  .fields = &none,
				  .intake = &in,
				  .done = put_done,
				  .user = g };

	memset(g, 0, sizeof(*g));
	live_cache_init(&g->l, 1 << 20);
	hf_arena_init(&g->arena, 1 << 20);
	for (size_t i = 0; i < LENGTH; i++)
		g->body[i] = (char)(i * 31 + (i >> 8));
	p.cache = g->cache = live_cache_named(&g->l, HF_SHELF_PRECACHE, "one");
	append(g, &in, 0, HF_SHELF_PIECE);
	append(g, &in, HF_SHELF_PIECE, LENGTH - HF_SHELF_PIECE);
	assert_int_equal(hf_cache_put(g->l.cache, &p), 0);
	fake_port_settle(&g->l.port);
	hf_shelf_intake_finish(&in);
	assert_non_null(g->stored);
}

static void end(struct page *g)
{
	hf_stored_unref(g->stored);
	hf_arena_finish(&g->arena);
	live_cache_finish(&g->l);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct page *g = user;

	assert_int_equal(head->body_len, LENGTH);
	g->head = true;
}

static void on_body(void *user, struct hf_span data)
{
	struct page *g = user;

	assert_true(g->head && g->got + data.len <= LENGTH);
	assert_memory_equal(g->body + g->got, data.ptr, data.len);
	g->got += data.len;
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct page *g = user;

	(void)trailers;
	g->ended = true;
	g->complete = result->end == HF_END_COMPLETE;
}

static void on_lost(void *owner)
{
	((struct page *)owner)->lost = true;
}

/* Begins the answer, and lets it end. */
static int serve(struct page *g)
{
	static const struct hf_exchange_events events = { .on_head = on_head,
							  .on_body = on_body,
							  .on_end = on_end };
	struct hf_forward forward = { .scheme = HF_SPAN("http"), .authority = HF_SPAN("o") };
	struct hf_message request = { .method = HF_SPAN("GET"), .target = HF_SPAN("/a") };
	struct hf_serve_options opt = {
		.port = &g->l.port.port,
		.timers = &g->l.timers,
		.cache = g->l.cache,
		.arena = &g->arena,
		.forward = &forward,
		.request = &request,
		.events = &events,
		.user = g,
		.lost = on_lost,
		.owner = g,
	};
	struct hf_serve *v;
	int err = hf_serve_start(&opt, g->stored, &v);

	if (err)
		return err;
	hf_timerq_run(&g->l.timers, g->l.port.port.boottime_ms(&g->l.port.port));
	fake_port_settle(&g->l.port);
	return 0;
}

static void every_allocation_may_fail(void **state)
{
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	bool failed = true;
	struct page g;
	int n, err;

	(void)state;
	for (n = 0; failed && n < ALLOCATIONS_MAX; n++) {
		begin(&g);
		alloc_countdown = n;
		err = serve(&g);
		failed = alloc_countdown < 0;
		alloc_countdown = -1;
		assert_true(err || g.lost || g.ended);
		assert_true(!g.ended || g.complete == (g.got == LENGTH));
		assert_true(failed || g.complete);
		/* memory is there again: so is the answer */
		assert_int_equal(live_cache_shelf_ids(&g.l, g.cache, "/a", ids), 1);
		assert_int_equal(live_cache_ids(&g.l, g.cache, "/a", ids), 1);
		g.got = 0;
		assert_int_equal(serve(&g), 0);
		assert_true(g.ended && g.complete && g.got == LENGTH);
		end(&g);
	}
	assert_false(failed);
	assert_true(n > 4);
}

static void a_body_that_is_gone_is_taken_out(void **state)
{
	struct hf_shelf_remove r = { .op = { .done = op_done, .err = 1 } };
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	struct page g;

	(void)state;
	begin(&g);
	assert_int_equal(live_cache_ids(&g.l, g.cache, "/a", ids), 1);
	r.id = ids[0];
	hf_shelf_remove(hf_cache_shelf(g.l.cache), &r);
	fake_port_settle(&g.l.port);
	assert_int_equal(r.op.err, 0);
	assert_int_equal(serve(&g), 0);
	assert_true(g.lost);
	assert_int_equal(live_cache_ids(&g.l, g.cache, "/a", ids), 0);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_body_that_is_gone_is_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
