/* SPDX-License-Identifier: Apache-2.0 */
/* The shelf: caches, entries, bodies, as its callers see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/shelf_audit.h"

static void begin(struct shelf_rig *r)
{
	shelf_rig_init(r);
	assert_int_equal(shelf_rig_open(r), 0);
}

static void restart(struct shelf_rig *r)
{
	shelf_rig_kill(r);
	assert_int_equal(shelf_rig_open(r), 0);
	assert_false(r->report.renewed);
}

static void what_is_put_is_found_after_a_start(void **state)
{
	static const size_t sizes[] = { 0, 1, 3072, 3073, 32768, 32769, 100000 };
	struct shelf_rig r;
	uint32_t cache;
	char url[32];

	(void)state;
	begin(&r);
	assert_true(r.report.created);
	assert_int_equal(r.report.boot, 1);
	cache = shelf_rig_cache(&r, HF_SHELF_HTTP, "a");
	assert_true(cache > 0);
	for (unsigned i = 0; i < 7; i++) {
		snprintf(url, sizeof(url), "https://a/%u", i);
		assert_int_equal(shelf_rig_put(&r, cache, url, i, sizes[i]), 0);
	}
	for (unsigned again = 0; again < 3; again++) {
		for (unsigned i = 0; i < 7; i++) {
			snprintf(url, sizeof(url), "https://a/%u", i);
			assert_int_equal(shelf_rig_get(&r, cache, url), i);
		}
		assert_int_equal(shelf_rig_get(&r, cache, "https://a/none"), -1);
		assert_int_equal(shelf_rig_figures(&r, cache).entries, 7);
		if (again == 0)
			assert_int_equal(shelf_rig_close(&r), 0);
		shelf_rig_kill(&r);
		assert_int_equal(shelf_rig_open(&r), 0);
		assert_int_equal(r.report.boot, again + 2);
		assert_int_equal(r.report.unclean, again > 0);
		assert_int_equal(r.report.entries, 7);
		assert_int_equal(shelf_rig_cache(&r, HF_SHELF_HTTP, "a"), cache);
	}
	shelf_rig_finish(&r);
}

static void an_entry_that_is_replaced_is_gone(void **state)
{
	struct shelf_rig r;
	uint32_t cache;
	uint64_t bytes;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	assert_int_equal(shelf_rig_put(&r, cache, "u", 1, 100000), 0);
	bytes = shelf_rig_figures(&r, cache).bytes;
	assert_int_equal(shelf_rig_put(&r, cache, "u", 2, 100000), 0);
	assert_int_equal(shelf_rig_get(&r, cache, "u"), 2);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 1);
	assert_int_equal(shelf_rig_figures(&r, cache).bytes, bytes);
	restart(&r);
	assert_int_equal(shelf_rig_get(&r, cache, "u"), 2);
	shelf_rig_finish(&r);
}

static uint64_t live(struct shelf_rig *r)
{
	struct hf_shelf_usage u;

	fake_port_settle(&r->port);
	hf_shelf_usage(r->shelf, &u);
	return u.bytes;
}

static void equal_bodies_are_stored_once(void **state)
{
	struct shelf_rig r;
	uint32_t cache, other;
	uint64_t with_one, empty;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	other = shelf_rig_cache(&r, HF_SHELF_NAMED, "b");
	empty = live(&r);
	assert_int_equal(shelf_rig_put(&r, cache, "u", 1, 200000), 0);
	with_one = live(&r);
	assert_int_equal(shelf_rig_put(&r, cache, "v", 1, 200000), 0);
	assert_int_equal(shelf_rig_put(&r, other, "u", 1, 200000), 0);
	assert_true(live(&r) < with_one + 16384);
	assert_int_equal(shelf_rig_put(&r, cache, "u", 2, 10), 0);
	assert_int_equal(shelf_rig_put(&r, cache, "v", 2, 10), 0);
	assert_int_equal(shelf_rig_get(&r, other, "u"), 1);
	assert_int_equal(shelf_rig_put(&r, other, "u", 2, 10), 0);
	assert_true(live(&r) < empty + 32768);
	shelf_rig_finish(&r);
}

static int put_as(struct shelf_rig *r, uint32_t cache, const char *url, uint64_t used,
		  struct hf_shelf_put *p)
{
	p->cache = cache;
	p->url = hf_span_str(url);
	p->state.used_dev_ms = used;
	return SHELF_DO(r, hf_shelf_put, p);
}

static void variants_are_told_newest_first_and_have_a_limit(void **state)
{
	struct hf_shelf_put p = { .data = HF_SPAN("body") };
	struct hf_shelf_find f = { .url = HF_SPAN("u"), .data_max = 100 };
	struct shelf_rig r;
	char note[8];

	(void)state;
	begin(&r);
	f.cache = shelf_rig_cache(&r, HF_SHELF_HTTP, "a");
	for (unsigned i = 0; i < HF_SHELF_VARIANTS_MAX + 3; i++) {
		snprintf(note, sizeof(note), "%u", i);
		p.note = hf_span_str(note);
		assert_int_equal(put_as(&r, f.cache, "u", i == 1 ? 1000 : i + 1, &p), 0);
	}
	assert_int_equal(SHELF_DO(&r, hf_shelf_find, &f), 0);
	assert_int_equal(f.n, HF_SHELF_VARIANTS_MAX);
	for (size_t i = 0; i < f.n; i++) {
		/* 0, 2 and 3 were used longest ago */
		unsigned want = i + 1 < f.n ? HF_SHELF_VARIANTS_MAX + 2 - (unsigned)i : 1;

		snprintf(note, sizeof(note), "%u", want);
		assert_true(hf_span_eq_str(f.v[i].note, note));
		assert_true(hf_span_eq_str(f.v[i].data, "body"));
	}
	hf_shelf_find_finish(&f);
	assert_int_equal(shelf_rig_figures(&r, f.cache).entries, HF_SHELF_VARIANTS_MAX);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

static void a_cache_keeps_to_its_own_limits(void **state)
{
	struct hf_shelf_put p = { .data = HF_SPAN("body"), .entries_max = 10 };
	struct shelf_rig r;
	uint32_t cache;
	char url[8];

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	for (unsigned i = 0; i < 400; i++) {
		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(put_as(&r, cache, url, i + 1, &p), 0);
		assert_int_equal(shelf_rig_figures(&r, cache).entries, i < 10 ? i + 1 : 10);
	}
	for (unsigned i = 388; i < 400; i++) {
		struct hf_shelf_find f = { .cache = cache, .url = hf_span_str(url) };

		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(SHELF_DO(&r, hf_shelf_find, &f), 0);
		assert_int_equal(f.n, i >= 390);
		hf_shelf_find_finish(&f);
	}
	p.entries_max = 0;
	p.bytes_max = 14; /* "399" and "body" twice */
	assert_int_equal(put_as(&r, cache, "400", 1000, &p), 0);
	assert_int_equal(shelf_rig_figures(&r, cache).entries, 2);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

static void above_the_ceiling_the_oldest_go_and_pinned_ones_stay(void **state)
{
	struct hf_shelf_usage u;
	struct shelf_rig r;
	uint32_t http, pre;
	char url[16];

	(void)state;
	shelf_rig_init(&r);
	r.opt.bytes_max = 2u << 20;
	assert_int_equal(shelf_rig_open(&r), 0);
	pre = shelf_rig_cache(&r, HF_SHELF_PRECACHE, "v1");
	assert_int_equal(shelf_rig_put(&r, pre, "pinned", 0, 100000), 0);
	http = shelf_rig_cache(&r, HF_SHELF_HTTP, "a");
	for (unsigned i = 1; i < 200; i++) {
		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(shelf_rig_put(&r, http, url, i, 40000), 0);
	}
	fake_port_settle(&r.port);
	hf_shelf_usage(r.shelf, &u);
	assert_true(u.bytes <= u.bytes_max && u.bytes > u.bytes_max / 2);
	assert_true(u.evicted > 100);
	assert_int_equal(shelf_rig_get(&r, pre, "pinned"), 0);
	assert_int_equal(shelf_rig_get(&r, http, "199"), 199);
	assert_int_equal(shelf_rig_get(&r, http, "1"), -1);
	assert_int_equal(u.entries + u.evicted, 200);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

static void giving_way_shrinks_the_files(void **state)
{
	struct hf_shelf_usage u;
	struct shelf_rig r;
	uint32_t http;
	char url[16];

	(void)state;
	begin(&r);
	http = shelf_rig_cache(&r, HF_SHELF_HTTP, "a");
	for (unsigned i = 1; i < 100; i++) {
		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(shelf_rig_put(&r, http, url, i, 40000), 0);
	}
	hf_shelf_usage(r.shelf, &u);
	assert_true(u.file_bytes > 4000000);
	hf_shelf_give_way(r.shelf, 1u << 20);
	fake_port_settle(&r.port);
	hf_shelf_usage(r.shelf, &u);
	assert_true(u.bytes <= 1u << 20 && u.file_bytes <= 1u << 20);
	assert_int_equal(shelf_rig_size(&r, "cache-1.db"), u.file_bytes);
	assert_int_equal(shelf_rig_size(&r, "cache-1.db-wal"), 0);
	assert_int_equal(shelf_rig_get(&r, http, "99"), 99);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

static void an_update_writes_one_page(void **state)
{
	struct hf_shelf_find f = { .url = HF_SPAN("50") };
	struct hf_shelf_update up = { .state = { .used_dev_ms = 7, .boot = 3, .flags = 9 } };
	struct hf_shelf_usage before, after;
	struct shelf_rig r;
	char url[16];

	(void)state;
	begin(&r);
	f.cache = shelf_rig_cache(&r, HF_SHELF_HTTP, "a");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(shelf_rig_put(&r, f.cache, url, i, 500), 0);
	}
	assert_int_equal(SHELF_DO(&r, hf_shelf_find, &f), 0);
	up.id = f.v[0].id;
	hf_shelf_find_finish(&f);
	hf_shelf_usage(r.shelf, &before);
	assert_int_equal(SHELF_DO(&r, hf_shelf_update, &up), 0);
	hf_shelf_usage(r.shelf, &after);
	assert_int_equal(after.written_total - before.written_total, 4096 + 24);
	up.head = HF_SPAN("another head");
	assert_int_equal(SHELF_DO(&r, hf_shelf_update, &up), 0);
	assert_int_equal(SHELF_DO(&r, hf_shelf_find, &f), 0);
	assert_true(hf_span_eq_str(f.v[0].head, "another head"));
	assert_int_equal(f.v[0].state.flags, 9);
	hf_shelf_find_finish(&f);
	assert_null(shelf_audit(&r, true));
	up.id++;
	assert_int_equal(SHELF_DO(&r, hf_shelf_update, &up), HF_ENOENT);
	shelf_rig_finish(&r);
}

static void integrity_is_checked_when_it_is_put(void **state)
{
	static const struct {
		const char *integrity;
		int err;
	} cases[] = {
		{ "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", 0 },
		{ "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn", 0 },
		{ "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q8"
		  "6A4qmslPpUyknw==",
		  0 },
		{ "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", HF_EBADMSG },
		{ "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= "
		  "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=?x",
		  0 },
		{ "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0= sha512-AAAA", HF_EBADMSG },
		{ "md5-AAAA", 0 },
	};
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hf_shelf_intake in = { .integrity = hf_span_str(cases[i].integrity) };
		struct hf_shelf_append a = { .intake = &in, .data = HF_SPAN("abc") };
		struct hf_shelf_put p = { .intake = &in };

		if (i % 2)
			assert_int_equal(SHELF_DO(&r, hf_shelf_append, &a), 0);
		else
			p.data = HF_SPAN("abc");
		assert_int_equal(put_as(&r, cache, "u", 1, &p), cases[i].err);
		hf_shelf_intake_finish(&in);
	}
	shelf_rig_finish(&r);
}

static void a_dropped_cache_is_gone_at_once(void **state)
{
	struct hf_shelf_cache_drop d = { .cache = 0 };
	struct hf_shelf_list l;
	struct shelf_rig r;
	char url[16];
	uint32_t cache;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	for (unsigned i = 0; i < 150; i++) {
		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(shelf_rig_put(&r, cache, url, i, i * 10), 0);
	}
	l = (struct hf_shelf_list){ .cache = cache, .heads = true };
	for (size_t n = 0; n < 150; n += l.n, l.after = l.next, hf_shelf_list_finish(&l)) {
		assert_int_equal(SHELF_DO(&r, hf_shelf_list, &l), 0);
		assert_int_equal(l.n, n < 128 ? HF_SHELF_LIST_MAX : 22);
		assert_int_equal(l.more, n < 128);
		assert_true(hf_span_starts(l.v[0].head, HF_SPAN("head-")));
		if (!l.more)
			break;
	}
	hf_shelf_list_finish(&l);
	d.cache = cache;
	d.op.done = shelf_rig_done;
	hf_shelf_cache_drop(r.shelf, &d);
	fake_port_turn(&r.port);
	assert_int_equal(d.op.err, 0);
	assert_int_equal(shelf_rig_get(&r, cache, "7"), -1);
	assert_int_not_equal(shelf_rig_cache(&r, HF_SHELF_NAMED, "a"), cache);
	assert_int_equal(shelf_rig_put(&r, cache, "u", 1, 1), HF_ENOENT);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

/* How many of @path there are, told by pages of at most @max; *pages: those it took. */
static size_t count_of_path(struct shelf_rig *r, uint32_t cache, const char *path, size_t max,
			    size_t *pages)
{
	struct hf_shelf_list l = {
		.cache = cache, .heads = true, .path = hf_span_str(path), .max = max
	};
	size_t n = 0;

	*pages = 0;
	do {
		assert_int_equal(SHELF_DO(r, hf_shelf_list, &l), 0);
		assert_true(l.n <= max);
		for (size_t i = 0; i < l.n; i++)
			assert_true(hf_span_starts(l.v[i].url, hf_span_str(path)));
		n += l.n;
		l.after = l.next;
		++*pages;
		hf_shelf_list_finish(&l);
	} while (l.more);
	return n;
}

static void those_of_a_path_are_listed_whatever_their_query(void **state)
{
	static const char *const own[] = { "/p", "/p?", "/p?a=1", "/p?a=1?b" };
	static const char *const others[] = { "/", "/pp", "/p/", "/P", "/q?/p", "p?" };
	struct shelf_rig r;
	uint32_t cache, other;
	char url[32];
	size_t pages;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	other = shelf_rig_cache(&r, HF_SHELF_NAMED, "b");
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(shelf_rig_put(&r, cache, others[i], i, 1), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(shelf_rig_put(&r, cache, own[i], i, 1), 0);
	assert_int_equal(shelf_rig_put(&r, other, "/p?other", 1, 1), 0);
	assert_int_equal(count_of_path(&r, cache, "/p", 64, &pages), 4);
	assert_int_equal(count_of_path(&r, cache, "/p", 1, &pages), 4);
	assert_int_equal(count_of_path(&r, cache, "/none", 64, &pages), 0);
	for (unsigned i = 0; i < HF_SHELF_SCAN_MAX; i++) {
		snprintf(url, sizeof(url), "/n/%u", i);
		assert_int_equal(shelf_rig_put(&r, cache, url, 1, 1), 0);
	}
	assert_int_equal(count_of_path(&r, cache, "/p", 64, &pages), 4);
	assert_int_equal(pages, 2);
	shelf_rig_finish(&r);
}

static void a_list_from_beyond_a_cache_is_empty(void **state)
{
	static const uint64_t afters[] = { INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX };
	struct shelf_rig r;
	uint32_t cache;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	assert_int_equal(shelf_rig_put(&r, cache, "/p", 1, 1), 0);
	for (unsigned i = 0; i < 6; i++) {
		struct hf_shelf_list l = { .cache = cache, .after = afters[i / 2] };

		l.path = i % 2 ? HF_SPAN("/p") : hf_span(NULL, 0);
		assert_int_equal(SHELF_DO(&r, hf_shelf_list, &l), 0);
		assert_int_equal(l.n, 0);
		assert_false(l.more);
		hf_shelf_list_finish(&l);
	}
	shelf_rig_finish(&r);
}

static void a_held_body_can_be_read_to_its_end(void **state)
{
	struct hf_shelf_find f = { .url = HF_SPAN("u") };
	struct hf_shelf_read rd = { .n = 2 };
	struct hf_shelf_hold hold;
	struct shelf_rig r;

	(void)state;
	begin(&r);
	f.cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	assert_int_equal(shelf_rig_put(&r, f.cache, "u", 1, 100000), 0);
	assert_int_equal(SHELF_DO(&r, hf_shelf_find, &f), 0);
	rd.body = f.v[0].body;
	hf_shelf_find_finish(&f);
	hf_shelf_hold(r.shelf, &hold, rd.body);
	assert_int_equal(shelf_rig_put(&r, f.cache, "u", 2, 100000), 0);
	hf_buf_init(&rd.data, HF_SHELF_PIECE);
	assert_int_equal(SHELF_DO(&r, hf_shelf_read, &rd), 0);
	assert_int_equal(hf_buf_span(&rd.data).len, HF_SHELF_PIECE);
	hf_shelf_release(r.shelf, &hold);
	fake_port_settle(&r.port);
	assert_int_equal(SHELF_DO(&r, hf_shelf_read, &rd), HF_ENOENT);
	hf_buf_finish(&rd.data);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

/* Fills a shelf with entries of a boot that is no start of it, and overwrites a page. */
static void begin_damaged(struct shelf_rig *r, unsigned page, uint32_t *cache)
{
	static const char zeros[4096];
	char path[256], url[16];
	FILE *f;

	begin(r);
	*cache = shelf_rig_cache(r, HF_SHELF_HTTP, "a");
	for (unsigned i = 0; i < 100; i++) {
		struct hf_shelf_find found = { .cache = *cache, .url = hf_span_str(url) };
		struct hf_shelf_update up = { .state = { .boot = UINT32_MAX, .flags = i } };

		snprintf(url, sizeof(url), "%u", i);
		found.url = hf_span_str(url);
		assert_int_equal(shelf_rig_put(r, *cache, url, i, 500), 0);
		assert_int_equal(SHELF_DO(r, hf_shelf_find, &found), 0);
		up.id = found.v[0].id;
		hf_shelf_find_finish(&found);
		assert_int_equal(SHELF_DO(r, hf_shelf_update, &up), 0);
	}
	assert_int_equal(shelf_rig_close(r), 0);
	f = fopen(shelf_rig_path(r, "cache-1.db", path), "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, (long)(page - 1) * 4096, SEEK_SET), 0);
	assert_int_equal(fwrite(zeros, sizeof(zeros), 1, f), 1);
	fclose(f);
}

/* Starts are counted, whatever the entries say of the boots they are of. */
static void a_renewal_counts_starts_on(void **state)
{
	unsigned renewed = 0;

	(void)state;
	for (unsigned page = 2; page <= 20; page++) {
		struct shelf_rig r;
		uint32_t cache;
		char url[16];

		begin_damaged(&r, page, &cache);
		assert_int_equal(shelf_rig_open(&r), 0);
		for (unsigned i = 0; i < 100; i++) {
			snprintf(url, sizeof(url), "%u", i);
			(void)shelf_rig_get(&r, cache, url);
		}
		renewed += r.report.renewed;
		cache = shelf_rig_cache(&r, HF_SHELF_HTTP, "a"); /* it may be lost, too */
		assert_int_equal(shelf_rig_put(&r, cache, "anew", 1, 1), 0);
		shelf_rig_kill(&r);
		assert_int_equal(shelf_rig_open(&r), 0);
		assert_in_range(r.report.boot, 3, 10);
		shelf_rig_finish(&r);
	}
	assert_true(renewed > 3);
}

static void keys_are_told_in_their_order(void **state)
{
	struct hf_shelf_keys *k = calloc(1, sizeof(*k));
	struct shelf_rig r;
	uint32_t cache;
	char url[16];
	bool found = false;

	(void)state;
	begin(&r);
	cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	for (unsigned i = 0; i < HF_SHELF_KEYS_MAX + 5; i++) {
		snprintf(url, sizeof(url), "%u", i);
		assert_int_equal(shelf_rig_put(&r, cache, url, 1, 1), 0);
	}
	assert_int_equal(SHELF_DO(&r, hf_shelf_keys, k), 0);
	assert_int_equal(k->n, HF_SHELF_KEYS_MAX);
	for (size_t i = 0; i < k->n; i++) {
		assert_true(i == 0 || k->v[i - 1] < k->v[i]);
		found |= k->v[i] == hf_shelf_key(r.shelf, cache, HF_SPAN("3"));
	}
	k->after = k->v[k->n - 1];
	assert_int_equal(SHELF_DO(&r, hf_shelf_keys, k), 0);
	assert_int_equal(k->n, 5);
	for (size_t i = 0; i < k->n; i++)
		found |= k->v[i] == hf_shelf_key(r.shelf, cache, HF_SPAN("3"));
	assert_true(found);
	free(k);
	shelf_rig_finish(&r);
}

/* One of many that wait together fails: the others are stored. */
static void the_error_of_one_is_not_that_of_others(void **state)
{
	struct hf_shelf_put v[3] = { { .data = HF_SPAN("a") },
				     { .data = HF_SPAN("b") },
				     { .data = HF_SPAN("c") } };
	struct hf_shelf_find f = { .url = HF_SPAN("u") };
	struct shelf_rig r;

	(void)state;
	begin(&r);
	f.cache = shelf_rig_cache(&r, HF_SHELF_NAMED, "a");
	for (unsigned i = 0; i < 3; i++) {
		v[i].cache = i == 1 ? 999 : f.cache;
		v[i].url = HF_SPAN("u");
		v[i].op.done = shelf_rig_done;
		hf_shelf_put(r.shelf, &v[i]);
	}
	f.op.done = shelf_rig_done;
	hf_shelf_find(r.shelf, &f);
	fake_port_settle(&r.port);
	assert_int_equal(v[0].op.err, 0);
	assert_int_equal(v[1].op.err, HF_ENOENT);
	assert_int_equal(v[2].op.err, 0);
	assert_int_equal(f.n, 2);
	hf_shelf_find_finish(&f);
	assert_null(shelf_audit(&r, true));
	shelf_rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_after_a_start),
		cmocka_unit_test(an_entry_that_is_replaced_is_gone),
		cmocka_unit_test(equal_bodies_are_stored_once),
		cmocka_unit_test(variants_are_told_newest_first_and_have_a_limit),
		cmocka_unit_test(a_cache_keeps_to_its_own_limits),
		cmocka_unit_test(above_the_ceiling_the_oldest_go_and_pinned_ones_stay),
		cmocka_unit_test(giving_way_shrinks_the_files),
		cmocka_unit_test(an_update_writes_one_page),
		cmocka_unit_test(integrity_is_checked_when_it_is_put),
		cmocka_unit_test(a_dropped_cache_is_gone_at_once),
		cmocka_unit_test(those_of_a_path_are_listed_whatever_their_query),
		cmocka_unit_test(a_list_from_beyond_a_cache_is_empty),
		cmocka_unit_test(a_held_body_can_be_read_to_its_end),
		cmocka_unit_test(a_renewal_counts_starts_on),
		cmocka_unit_test(keys_are_told_in_their_order),
		cmocka_unit_test(the_error_of_one_is_not_that_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
