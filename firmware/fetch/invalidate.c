/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an unsafe request does to what is stored: accepted by the queue it marks the
 * URL as about to change; answered by the origin, now or when it was replayed, it
 * makes invalid what it changed (RFC 9111 section 4.4), in the HTTP cache and in the
 * cache of the route that a GET of the URL has.
 */
#include "fetch/event.h"
#include "fetch/fill.h"

#define ARENA_MAX 65536

static void mark_in(struct hf_fetch *f, uint32_t cache, struct hf_span target, uint32_t set,
		    uint32_t clear)
{
	hf_cache_mark(f->opt.cache, cache, target, set, clear);
	hf_fill_mark(f, cache, target, set, clear);
}

static void mark(struct hf_fetch *f, unsigned origin, struct hf_span target, uint32_t set,
		 uint32_t clear)
{
	struct hf_match_request get = { .method = HF_SPAN("GET") };
	const struct hf_route *route = NULL;
	uint32_t http = hf_fetch_origin(f, origin)->cache;

	if (http)
		mark_in(f, http, target, set, clear);
	if (f->opt.route && hf_target_parse(target, &get.path, &get.query) == 0)
		route = f->opt.route(f->opt.user, origin, &get);
	if (route && route->cache_id)
		mark_in(f, route->cache_id, target, set, clear);
}

void hf_fetch_pending_write(struct hf_fetch *f, unsigned origin, struct hf_span method,
			    struct hf_span target)
{
	if (f->opt.cache && !hf_method_is_safe(method))
		mark(f, origin, target, HF_STORED_PENDING_WRITE, 0);
}

void hf_fetch_written(struct hf_fetch *f, unsigned origin, struct hf_span method,
		      struct hf_span target, const struct hf_message *response)
{
	const struct hf_fetch_origin *o = hf_fetch_origin(f, origin);
	struct hf_url url = { .scheme = o->scheme, .host = o->host, .port = o->port };
	struct hf_target changed[HF_CACHE_INVALID_MAX];
	struct hf_arena arena;
	size_t n = 0;

	if (!f->opt.cache || hf_method_is_safe(method) ||
	    hf_target_parse(target, &url.path, &url.query))
		return;
	hf_arena_init(&arena, ARENA_MAX);
	n = hf_cache_invalidates(method, &url, response, &arena, changed);
	for (size_t i = 0; i < n; i++) {
		struct hf_span text = hf_arena_printf(&arena, "%.*s%s%.*s",
						      HF_SPAN_ARG(changed[i].path),
						      changed[i].query.ptr ? "?" : "",
						      HF_SPAN_ARG(changed[i].query));

		if (text.ptr)
			mark(f, origin, text, HF_STORED_INVALIDATED, HF_STORED_PENDING_WRITE);
	}
	hf_arena_finish(&arena);
}
