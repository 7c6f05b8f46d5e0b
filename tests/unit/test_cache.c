/* SPDX-License-Identifier: Apache-2.0 */
/* The caches on the loop: memory and shelf tell the same, whatever comes between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/date.h"
#include "lib/live_cache.h"

#define URLS 3

static const char *const urls[URLS] = { "/a", "/b", "/c" };
static const char *const variants[] = { "", "accept:x\n", "accept:y\n" };

static void expect_coherent(struct live_cache *l, uint32_t cache)
{
	for (size_t i = 0; i < URLS; i++) {
		uint64_t a[HF_SHELF_VARIANTS_MAX], b[HF_SHELF_VARIANTS_MAX];
		size_t n = live_cache_ids(l, cache, urls[i], a);

		assert_int_equal(n, live_cache_shelf_ids(l, cache, urls[i], b));
		assert_memory_equal(a, b, n * sizeof(a[0]));
	}
}

/* A lookup that nobody waits for any more when it is done. */
struct walker {
	struct hf_cache_lookup lookup;
	bool looking;
};

static void walker_found(void *user, struct hf_stored *const *v, size_t n)
{
	(void)v;
	(void)n;
	((struct walker *)user)->looking = false;
}

static void walk(struct live_cache *l, struct walker *w, uint32_t cache, const char *url)
{
	struct hf_stored *const *v;
	size_t n;

	if (w->looking && hf_rand_u64(&l->rand) % 2) {
		hf_cache_lookup_cancel(&w->lookup);
		w->looking = false;
	}
	if (w->looking || hf_cache_peek(l->cache, cache, hf_span_str(url), &v, &n))
		return;
	w->lookup = (struct hf_cache_lookup){
		.cache = cache, .url = hf_span_str(url), .found = walker_found, .user = w
	};
	w->looking = hf_cache_lookup(l->cache, &w->lookup) == 0;
}

static void step(struct live_cache *l, struct walker w[URLS], const uint32_t cache[2], unsigned n)
{
	size_t at = hf_rand_u64(&l->rand) % URLS;
	uint32_t c = cache[hf_rand_u64(&l->rand) % 2];
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	char text[32];

	snprintf(text, sizeof(text), "%u", n);
	switch (hf_rand_u64(&l->rand) % 10) {
	case 0:
	case 1:
	case 2:
		live_cache_put(l, c, urls[at], variants[hf_rand_u64(&l->rand) % 3], text);
		break;
	case 3:
		hf_cache_remove(l->cache, c, hf_span_str(urls[at]));
		break;
	case 4:
		hf_cache_mark(l->cache, c, hf_span_str(urls[at]), HF_STORED_INVALIDATED, 0);
		break;
	case 5:
		hf_cache_forget(l->cache, c);
		break;
	case 6:
		if (live_cache_shelf_ids(l, c, urls[at], ids) > 0)
			hf_cache_remove_entry(l->cache, c, hf_span_str(urls[at]), ids[0]);
		break;
	case 7:
		walk(l, &w[at], cache[0], urls[at]);
		break;
	default:
		fake_port_turn(&l->port);
	}
}

static void memory_and_shelf_tell_the_same(void **state)
{
	struct walker w[URLS] = { { .looking = false } };
	struct live_cache l;
	uint32_t cache[2];

	(void)state;
	live_cache_init(&l, 1 << 20);
	cache[0] = live_cache_named(&l, HF_SHELF_NAMED, "one");
	cache[1] = live_cache_named(&l, HF_SHELF_HTTP, "two");
	for (unsigned round = 0; round < 120; round++) {
		for (unsigned i = 0; i < 25; i++)
			step(&l, w, cache, i);
		expect_coherent(&l, cache[0]);
		expect_coherent(&l, cache[1]);
	}
	for (size_t i = 0; i < URLS; i++)
		assert_false(w[i].looking);
	live_cache_finish(&l);
}

static void a_put_under_way_does_not_bring_back_what_is_removed(void **state)
{
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	struct live_cache l;
	uint32_t cache;

	(void)state;
	live_cache_init(&l, 1 << 20);
	cache = live_cache_named(&l, HF_SHELF_NAMED, "one");
	assert_int_equal(live_cache_ids(&l, cache, "/a", ids), 0); /* the slot is there */
	assert_int_equal(live_cache_put(&l, cache, "/a", "", "1"), 0);
	hf_cache_remove(l.cache, cache, HF_SPAN("/a"));
	assert_int_equal(live_cache_ids(&l, cache, "/a", ids), 0);
	live_cache_restart(&l);
	assert_int_equal(live_cache_ids(&l, cache, "/a", ids), 0);
	live_cache_finish(&l);
}

static void memory_has_a_ceiling(void **state)
{
	struct hf_cache_memory m;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	struct live_cache l;
	char url[32], text[2001];
	uint32_t cache;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	live_cache_init(&l, 16384);
	cache = live_cache_named(&l, HF_SHELF_NAMED, "one");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(url, sizeof(url), "/%u", i);
		assert_int_equal(live_cache_ids(&l, cache, url, ids), 0);
		assert_int_equal(live_cache_put(&l, cache, url, "", text), 0);
		assert_int_equal(live_cache_ids(&l, cache, url, ids), 1);
		hf_cache_memory(l.cache, &m);
		assert_true(m.bytes > 0 && m.bytes <= m.bytes_max);
	}
	assert_int_equal(m.stored, 200);
	assert_int_equal(live_cache_ids(&l, cache, "/0", ids), 1); /* off the shelf */
	hf_cache_memory(l.cache, &m);
	assert_true(m.bytes <= m.bytes_max);
	live_cache_finish(&l);
}

/* What is stored of @url. */
static struct hf_stored *the_one(struct live_cache *l, uint32_t cache, const char *url)
{
	struct walker w = { .looking = false };
	struct hf_stored *const *v;
	size_t n;

	walk(l, &w, cache, url);
	fake_port_settle(&l->port);
	assert_true(hf_cache_peek(l->cache, cache, hf_span_str(url), &v, &n));
	assert_int_equal(n, 1);
	return v[0];
}

static int64_t age_of(struct live_cache *l, const struct hf_stored *s)
{
	static const struct hf_cache_rules rules;
	struct hf_cache_freshness freshness;
	struct hf_cache_clock now;

	hf_cache_now(l->cache, &now);
	hf_cache_freshness(&rules, &s->entry, &now, &freshness);
	assert_true(freshness.age_known);
	return freshness.age_s;
}

/* A 304 of something that is @age seconds old (NULL: no Age) and @date_s before now. */
static void validate(struct live_cache *l, uint32_t cache, const char *url, const char *age,
		     int64_t date_s)
{
	struct hf_field v[] = { { HF_SPAN("Content-Type"), HF_SPAN("text/plain") },
				{ HF_SPAN("Cache-Control"), HF_SPAN("max-age=36000") },
				{ HF_SPAN("Date"), HF_SPAN("") },
				{ HF_SPAN("Age"), HF_SPAN("") } };
	struct hf_fields fields = { .v = v, .n = age ? 4 : 3, .cap = 4 };
	char date[HF_HTTP_DATE_LEN + 1];
	struct hf_cache_times times;
	struct hf_cache_clock now;

	hf_cache_now(l->cache, &now);
	hf_http_date_format(now.wall_ms / 1000 - date_s, date);
	v[2].value = hf_span(date, HF_HTTP_DATE_LEN);
	v[3].value = hf_span_str(age ? age : "");
	times = (struct hf_cache_times){ now.device_ms, now.device_ms, now.boot, now.wall_ms };
	hf_stored_unref(hf_cache_update(l->cache, the_one(l, cache, url), &fields, &times, 0));
	fake_port_settle(&l->port);
}

static void a_validation_tells_the_age_after_a_start_too(void **state)
{
	static const struct {
		const char *age;
		int64_t date_s, is;
	} rows[] = { { NULL, 0, 0 },	  { "3500", 0, 3500 }, { "10", 0, 10 }, { "10", 0, 10 },
		     { NULL, 0, 0 },	  { NULL, 300, 300 },  { NULL, 0, 0 },	{ "20", 300, 300 },
		     { "400", 300, 400 }, { NULL, 0, 0 } };
	struct live_cache l;
	uint32_t cache;

	(void)state;
	live_cache_init(&l, 1 << 20);
	l.port.wall_ms = INT64_C(1800000000000);
	cache = live_cache_named(&l, HF_SHELF_HTTP, "one");
	assert_int_equal(live_cache_put(&l, cache, "/a", "", "text"), 0);
	fake_port_settle(&l.port);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		validate(&l, cache, "/a", rows[i].age, rows[i].date_s);
		assert_int_equal(age_of(&l, the_one(&l, cache, "/a")), rows[i].is);
		live_cache_restart(&l);
		assert_int_equal(age_of(&l, the_one(&l, cache, "/a")), rows[i].is);
	}
	live_cache_finish(&l);
}

/* Bytes that the shelf writes for a validation. */
static uint64_t written_for(struct live_cache *l, uint32_t cache, const char *age, int64_t date_s)
{
	struct hf_shelf_usage before, after;

	fake_port_advance(&l->port, 3000);
	hf_shelf_usage(hf_cache_shelf(l->cache), &before);
	validate(l, cache, "/a", age, date_s);
	hf_shelf_usage(hf_cache_shelf(l->cache), &after);
	return after.written_total - before.written_total;
}

static void a_validation_that_tells_nothing_new_writes_one_page(void **state)
{
	const uint64_t page = 4096 + 24;
	struct live_cache l;
	uint32_t cache;

	(void)state;
	live_cache_init(&l, 1 << 20);
	l.port.wall_ms = INT64_C(1800000000000);
	cache = live_cache_named(&l, HF_SHELF_HTTP, "one");
	assert_int_equal(live_cache_put(&l, cache, "/a", "", "text"), 0);
	fake_port_settle(&l.port);
	assert_true(written_for(&l, cache, NULL, 0) > page);
	assert_int_equal(written_for(&l, cache, NULL, 0), page);
	assert_int_equal(written_for(&l, cache, NULL, 2), page);
	assert_int_equal(written_for(&l, cache, "0", -2), page);
	assert_int_equal(written_for(&l, cache, "30", 30), page);
	assert_int_equal(written_for(&l, cache, NULL, 300), page);
	live_cache_finish(&l);
}

static void shelf_done(struct hf_shelf_op *op, int err)
{
	op->err = err;
}

static void a_head_that_is_none_is_taken_out(void **state)
{
	struct hf_shelf_put p = {
		.op = { .done = shelf_done, .err = 1 },
		.url = HF_SPAN("/a"),
		.note = HF_SPAN(""),
		.head = HF_SPAN("\1\310\0\377\377 not a head"),
		.data = HF_SPAN("x"),
	};
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	struct live_cache l;

	(void)state;
	live_cache_init(&l, 1 << 20);
	p.cache = live_cache_named(&l, HF_SHELF_NAMED, "one");
	assert_int_equal(live_cache_put(&l, p.cache, "/a", "accept:x\n", "good"), 0);
	fake_port_settle(&l.port);
	hf_shelf_put(hf_cache_shelf(l.cache), &p);
	fake_port_settle(&l.port);
	assert_int_equal(p.op.err, 0);
	assert_int_equal(live_cache_shelf_ids(&l, p.cache, "/a", ids), 2);
	assert_int_equal(live_cache_ids(&l, p.cache, "/a", ids), 1);
	assert_true(ids[0] != p.id);
	assert_int_equal(live_cache_shelf_ids(&l, p.cache, "/a", ids), 1);
	live_cache_finish(&l);
}

static void a_body_that_is_discarded_leaves_no_trace(void **state)
{
	struct hf_shelf_intake in = { .body = 0 };
	struct hf_shelf_append a = { .op = { .done = shelf_done, .err = 1 },
				     .intake = &in,
				     .data = HF_SPAN("never put") };
	struct hf_shelf_read r = { .op = { .done = shelf_done, .err = 1 } };
	struct live_cache l;

	(void)state;
	live_cache_init(&l, 1 << 20);
	hf_shelf_append(hf_cache_shelf(l.cache), &a);
	fake_port_settle(&l.port);
	assert_int_equal(a.op.err, 0);
	hf_cache_discard(l.cache, in.body);
	fake_port_settle(&l.port);
	hf_buf_init(&r.data, HF_SHELF_PIECE);
	r.body = in.body;
	hf_shelf_read(hf_cache_shelf(l.cache), &r);
	fake_port_settle(&l.port);
	assert_true(r.op.err < 0);
	hf_buf_finish(&r.data);
	hf_shelf_intake_finish(&in);
	live_cache_finish(&l);
}

static void an_end_in_the_middle_leaks_nothing(void **state)
{
	struct walker w[URLS] = { { .looking = false } };
	struct live_cache l;
	uint32_t cache[2];

	(void)state;
	for (unsigned n = 0; n < 30; n++) {
		live_cache_init(&l, 1 << 20);
		cache[0] = cache[1] = live_cache_named(&l, HF_SHELF_NAMED, "one");
		walk(&l, &w[0], cache[0], "/a");
		hf_cache_mark(l.cache, cache[0], HF_SPAN("/b"), HF_STORED_INVALIDATED, 0);
		hf_cache_remove(l.cache, cache[0], HF_SPAN("/c"));
		for (unsigned i = 0; i < n % 4; i++)
			fake_port_turn(&l.port);
		if (w[0].looking)
			hf_cache_lookup_cancel(&w[0].lookup);
		w[0].looking = false;
		live_cache_finish(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_and_shelf_tell_the_same),
		cmocka_unit_test(a_put_under_way_does_not_bring_back_what_is_removed),
		cmocka_unit_test(memory_has_a_ceiling),
		cmocka_unit_test(a_validation_tells_the_age_after_a_start_too),
		cmocka_unit_test(a_validation_that_tells_nothing_new_writes_one_page),
		cmocka_unit_test(a_head_that_is_none_is_taken_out),
		cmocka_unit_test(a_body_that_is_discarded_leaves_no_trace),
		cmocka_unit_test(an_end_in_the_middle_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
