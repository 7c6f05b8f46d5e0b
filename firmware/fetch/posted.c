/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/posted.h"

#include <stdlib.h>

#include "fetch/fill.h"
#include "fetch/plan.h"
#include "holdfast/err.h"
#include "http/vary.h"

#define ARENA_MAX ((size_t)256 * 1024)

struct hf_posted {
	struct hf_list link;
	struct hf_cache *cache;
	struct hf_arena arena;
	struct hf_fields fields;
	struct hf_buf body;
	struct hf_cache_put put;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	bool too_long;
};

static void destroy(struct hf_posted *p)
{
	hf_list_remove(&p->link);
	hf_buf_finish(&p->body);
	hf_arena_finish(&p->arena);
	free(p);
}

static void put_done(struct hf_cache_put *put, int err, struct hf_stored *s)
{
	(void)err; /* then it is asked for when somebody wants it */
	(void)s;
	destroy(put->user);
}

static void set_times(const struct hf_cache *cache, uint64_t asked_ms, struct hf_cache_times *out)
{
	struct hf_cache_clock now;

	hf_cache_now(cache, &now);
	*out = (struct hf_cache_times){ .request_ms = asked_ms,
					.response_ms = now.device_ms,
					.boot = now.boot,
					.wall_ms = now.wall_ms };
}

/* Copies what is stored of the head. */
static int keep_head(struct hf_posted *p, const struct hf_message *request,
		     const struct hf_message *response)
{
	struct hf_fields kept;
	int err = hf_cache_stored_fields(&hf_http_rules, &response->fields, &p->put.times,
					 &p->arena, &kept);

	if (!err)
		err = hf_fields_copy(&p->fields, &kept, &p->arena);
	p->put.fields = &p->fields;
	p->put.status = response->status;
	p->put.url = hf_arena_copy(&p->arena, request->target);
	p->put.variant = hf_vary_key(&p->arena, &response->fields, &request->fields);
	return err || !p->put.url.ptr || !p->put.variant.ptr ? HF_ENOMEM : 0;
}

static bool may_store(struct hf_fetch *f, unsigned origin, const struct hf_message *request,
		      const struct hf_message *response, struct hf_arena *arena)
{
	const struct hf_fetch_origin *o = hf_fetch_origin(f, origin);
	struct hf_url url = { .scheme = o->scheme, .host = o->host, .port = o->port };

	return hf_span_eq_str(request->method, "POST") && o->cache &&
	       request->target.len <= HF_SHELF_URL_MAX && hf_fetch_may_keep(f) &&
	       hf_target_parse(request->target, &url.path, &url.query) == 0 &&
	       hf_cache_storable(&hf_http_rules, request, &url, response, arena) == HF_CACHE_STORE;
}

struct hf_posted *hf_posted_begin(struct hf_fetch *f, unsigned origin,
				  const struct hf_message *request, uint64_t asked_ms,
				  const struct hf_message *response)
{
	struct hf_posted *p;

	if (!hf_span_eq_str(request->method, "POST") || !f->opt.cache)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->cache = f->opt.cache;
	hf_arena_init(&p->arena, ARENA_MAX);
	hf_buf_init(&p->body, HF_SHELF_PIECE);
	hf_list_push(&f->posted, &p->link);
	p->put = (struct hf_cache_put){ .cache = hf_fetch_origin(f, origin)->cache,
					.doubtful = !hf_fetch_origin(f, origin)->own,
					.way = hf_cache_way(p->cache),
					.done = put_done,
					.user = p };
	set_times(p->cache, asked_ms, &p->put.times);
	if (!may_store(f, origin, request, response, &p->arena) ||
	    keep_head(p, request, response)) {
		destroy(p);
		return NULL;
	}
	return p;
}

void hf_posted_body(struct hf_posted *p, struct hf_span data)
{
	if (!p->too_long && hf_buf_append(&p->body, data))
		p->too_long = true;
}

/* What has the same selecting key gives way, as far as it is known. */
static void find_replaced(struct hf_posted *p)
{
	struct hf_stored *const *v;
	size_t n;

	if (!hf_cache_peek(p->cache, p->put.cache, p->put.url, &v, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (hf_span_eq(v[i]->entry.variant, p->put.variant))
			p->ids[p->put.replaces_n++] = v[i]->id;
	p->put.replaces = p->ids;
}

void hf_posted_end(struct hf_posted *p, bool complete)
{
	if (!p)
		return;
	if (!complete || p->too_long) {
		destroy(p);
		return;
	}
	p->put.data = hf_buf_span(&p->body);
	find_replaced(p);
	if (hf_cache_put(p->cache, &p->put))
		destroy(p);
}

void hf_posted_destroy_all(struct hf_fetch *f)
{
	struct hf_list *it;

	while ((it = hf_list_first(&f->posted)))
		destroy(hf_container_of(it, struct hf_posted, link));
}
