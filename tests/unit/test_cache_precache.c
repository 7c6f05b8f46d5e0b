/* SPDX-License-Identifier: Apache-2.0 */
/* Which file of a precache a request means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/precache.h"
#include "failing_alloc.h"
#include "holdfast/err.h"
#include "lib/live_cache.h"

#define FILES 150 /* more than the shelf lists at a time */

struct rig {
	struct live_cache l;
	struct hf_precache p;
	struct hf_arena arena;
	int loaded; /* 1: not yet */
};

static void loaded(void *user, int err)
{
	((struct rig *)user)->loaded = err;
}

static void load(struct rig *r, uint32_t id)
{
	r->loaded = 1;
	hf_precache_load(&r->p, id, loaded, r);
	fake_port_settle(&r->l.port);
}

static uint32_t fill(struct rig *r, const char *name, const char *const *urls)
{
	uint32_t id = live_cache_named(&r->l, HF_SHELF_PRECACHE, name);

	for (; *urls; urls++)
		assert_int_equal(live_cache_put(&r->l, id, *urls, "", "x"), 0);
	fake_port_settle(&r->l.port);
	return id;
}

static void begin(struct rig *r)
{
	live_cache_init(&r->l, 1 << 20);
	hf_precache_init(&r->p, r->l.cache);
	hf_arena_init(&r->arena, 65536);
}

static void finish(struct rig *r)
{
	hf_arena_finish(&r->arena);
	hf_precache_finish(&r->p);
	live_cache_finish(&r->l);
}

static const char *const site[] = { "/",	   "/index.html", "/docs/index.html",
				    "/about.html", "/app.js?v=1", "/menu?table=2",
				    NULL };

static void a_request_finds_its_file(void **state)
{
	static const struct {
		const char *target, *url; /* NULL: none */
	} cases[] = {
		{ "/", "/" },
		{ "/docs/", "/docs/index.html" },
		{ "/docs", NULL },
		{ "/about", "/about.html" },
		{ "/about.html", "/about.html" },
		{ "/about.html?utm_source=a&fbclid=b", "/about.html" },
		{ "/about?utm_source=a", "/about.html" },
		{ "/app.js?v=1", "/app.js?v=1" },
		{ "/app.js?v=2", NULL },
		{ "/app.js", NULL },
		{ "/app.js?utm_x=1&v=1", "/app.js?v=1" },
		{ "/menu?fbclid=1&&table=2&utm_b=3", "/menu?table=2" },
		{ "/menu?table=2&x=1", NULL },
		{ "/docs/?x=1", NULL },
		{ "?", NULL },
		{ "/utm_source", NULL },
		{ "/none", NULL },
	};
	struct hf_span url;
	struct rig r;

	(void)state;
	begin(&r);
	assert_false(hf_precache_find(&r.p, HF_SPAN("/"), &r.arena, &url));
	load(&r, fill(&r, "v1", site));
	assert_int_equal(r.loaded, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = hf_precache_find(&r.p, hf_span_str(cases[i].target), &r.arena, &url);

		if (found != (cases[i].url != NULL) ||
		    (found && !hf_span_eq_str(url, cases[i].url)))
			fail_msg("%s leads to %.*s", cases[i].target, found ? (int)url.len : 4,
				 found ? url.ptr : "none");
	}
	assert_false(hf_precache_find(&r.p, hf_span("", 0), &r.arena, &url));
	finish(&r);
}

static void all_pages_of_a_long_list_are_read(void **state)
{
	char urls[FILES][32];
	const char *list[FILES + 1] = { NULL };
	struct hf_span url;
	struct rig r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < FILES; i++) {
		snprintf(urls[i], sizeof(urls[i]), "/file-%zu", i);
		list[i] = urls[i];
	}
	load(&r, fill(&r, "v1", list));
	for (size_t i = 0; i < FILES; i++)
		assert_true(hf_precache_find(&r.p, hf_span_str(urls[i]), &r.arena, &url));
	load(&r, fill(&r, "v2", site)); /* the next version takes its place */
	assert_false(hf_precache_find(&r.p, HF_SPAN("/file-1"), &r.arena, &url));
	assert_true(hf_precache_find(&r.p, HF_SPAN("/about"), &r.arena, &url));
	finish(&r);
}

/* The version before stays as long as the next one cannot be read. */
static void without_memory_the_version_before_stays(void **state)
{
	struct hf_span url;
	unsigned failed = 0;
	uint32_t next;
	struct rig r;

	(void)state;
	begin(&r);
	load(&r, fill(&r, "v1", site));
	next = fill(&r, "v2", (const char *const[]){ "/new", NULL });
	for (int n = 0; n < 200; n++) {
		r.loaded = 1;
		alloc_countdown = n;
		hf_precache_load(&r.p, next, loaded, &r);
		fake_port_settle(&r.l.port);
		alloc_countdown = -1;
		assert_true(r.loaded <= 0);
		if (!r.loaded)
			break;
		failed++;
		assert_true(hf_precache_find(&r.p, HF_SPAN("/about"), &r.arena, &url));
	}
	assert_int_equal(r.loaded, 0);
	assert_true(failed > 0);
	assert_true(hf_precache_find(&r.p, HF_SPAN("/new"), &r.arena, &url));
	finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_finds_its_file),
		cmocka_unit_test(all_pages_of_a_long_list_are_read),
		cmocka_unit_test(without_memory_the_version_before_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
