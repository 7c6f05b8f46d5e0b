/* SPDX-License-Identifier: Apache-2.0 */
#include "ingress/cache_call.h"

#include "holdfast/err.h"
#include "http/url.h"

bool hf_cache_call_open(struct hf_api_call *call)
{
	struct hf_cache *cache = call->in->opt.cache;

	if (cache && hf_cache_is_open(cache))
		return true;
	hf_api_problem(call, 503, "The caches cannot be used now.");
	return false;
}

bool hf_cache_call_name(struct hf_cache_call *c)
{
	c->name = hf_api_decode(&c->call, c->call.id, false);
	if (c->name.ptr && c->name.len > 0 && c->name.len <= HF_SHELF_NAME_MAX)
		return true;
	hf_api_problem(&c->call, 400, "The name of a cache has 1 to 128 bytes, percent-encoded.");
	return false;
}

void hf_cache_call_failed(struct hf_api_call *call, int err)
{
	switch (err) {
	case HF_ENOENT:
		hf_api_problem(call, 404, "The cache was taken away meanwhile.");
		break;
	case HF_ETOOBIG:
		hf_api_problem(call, 413, "The response has more, or longer, fields than fit.");
		break;
	case HF_EFULL:
		hf_api_problem(call, 507, "There is no room for it.");
		break;
	default:
		hf_api_problem(call, 503, "The caches cannot be used now.");
		break;
	}
}

void hf_cache_call_answer(struct hf_api_call *call, int status, struct hf_buf *json, int err)
{
	if (!err)
		err = hf_buf_append_str(json, "\n");
	if (!err) {
		hf_api_json(call, status, json);
		return;
	}
	hf_buf_finish(json);
	hf_api_problem(call, 503, "Holdfast is short of memory.");
}

/* ---- which cache ---- */

bool hf_cache_call_sees(const struct hf_api_call *call, const struct hf_shelf_cache *cache)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	int worker;

	if (call->control)
		return true;
	if (cache->kind == HF_SHELF_HTTP)
		return hf_span_eq(cache->owner, hf_api_origin_name(call));
	worker = opt->worker_by_name(opt->user, cache->owner);
	return worker >= 0 && opt->worker_origin(opt->user, (unsigned)worker) == call->origin;
}

static bool is_named(const struct hf_shelf_cache *cache, struct hf_span name)
{
	switch (cache->kind) {
	case HF_SHELF_HTTP:
		return hf_span_eq(cache->owner, name);
	case HF_SHELF_NAMED:
		return hf_span_eq(cache->name, name);
	case HF_SHELF_PRECACHE:
		return hf_span_eq(cache->name, name) ||
		       (cache->active && hf_span_eq(cache->owner, name));
	}
	return false;
}

struct choice {
	const struct hf_shelf_cache *cache;
	unsigned n; /* that may be meant */
};

static struct choice choose(struct hf_cache_call *c, enum hf_shelf_kind kind, struct hf_span owner)
{
	struct choice found = { NULL, 0 };

	for (size_t i = 0; i < c->list.n; i++) {
		const struct hf_shelf_cache *cache = &c->list.v[i];

		if (cache->kind != kind || !is_named(cache, c->name) ||
		    !hf_cache_call_sees(&c->call, cache) ||
		    (owner.ptr && !hf_span_eq(cache->owner, owner)))
			continue;
		found.cache = cache;
		found.n++;
	}
	return found;
}

/* True: @kind says which, or (0) that it was not asked for one. */
static bool read_kind(struct hf_api_call *call, enum hf_shelf_kind *kind)
{
	static const enum hf_shelf_kind kinds[] = { HF_SHELF_NAMED, HF_SHELF_HTTP,
						    HF_SHELF_PRECACHE };
	struct hf_span word;

	*kind = 0;
	if (!hf_api_query(call, "kind", &word))
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (word.ptr && hf_span_eq_str(word, hf_cache_kind_name(kinds[i])))
			*kind = kinds[i];
	if (*kind == 0)
		hf_api_problem(call, 400, "kind is named, http or precache.");
	return *kind != 0;
}

/* NULL: answered. */
static const struct hf_shelf_cache *pick(struct hf_cache_call *c)
{
	static const enum hf_shelf_kind order[] = { HF_SHELF_NAMED, HF_SHELF_HTTP,
						    HF_SHELF_PRECACHE };
	const struct hf_ingress_options *opt = &c->call.in->opt;
	struct choice found = { NULL, 0 };
	struct hf_span owner = { NULL, 0 };
	enum hf_shelf_kind kind;
	int worker;

	if (!read_kind(&c->call, &kind))
		return NULL;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !found.n; i++)
		if (kind == 0 || kind == order[i])
			found = choose(c, order[i], owner);
	if (found.n > 0 && (found.n > 1 || hf_api_query(&c->call, "worker", &owner))) {
		worker = hf_api_worker(&c->call);
		if (worker < 0)
			return NULL;
		owner = hf_span_str(opt->worker_name(opt->user, (unsigned)worker));
		found = choose(c, found.cache->kind, owner);
	}
	if (found.n == 0)
		hf_api_problem(&c->call, 404, "There is no cache of this name.");
	return found.n == 0 ? NULL : found.cache;
}

static void listed(struct hf_shelf_op *op, int err)
{
	struct hf_cache_call *c = op->user;
	const struct hf_shelf_cache *cache = NULL;
	bool here = hf_api_resume(&c->call);

	if (!here)
		return;
	if (err)
		hf_cache_call_failed(&c->call, err);
	else
		cache = pick(c);
	if (cache) {
		c->cache = *cache;
		c->cache.owner = hf_arena_copy(&c->call.arena, cache->owner);
		c->cache.name = hf_arena_copy(&c->call.arena, cache->name);
	}
	hf_shelf_caches_finish(&c->list);
	if (!cache)
		return;
	if (c->cache.owner.ptr && c->cache.name.ptr)
		c->found(c);
	else
		hf_cache_call_failed(&c->call, HF_ENOMEM);
}

void hf_cache_call_find(struct hf_cache_call *c, void (*found)(struct hf_cache_call *c))
{
	if (!hf_cache_call_open(&c->call) || !hf_cache_call_name(c))
		return;
	c->found = found;
	c->list.op.done = listed;
	c->list.op.user = c;
	c->call.busy = true;
	hf_shelf_caches(hf_cache_shelf(c->call.in->opt.cache), &c->list);
}

/* ---- which entry ---- */

/* "http://HOST/path" of the panel's own host is "/path". */
static struct hf_span own_target(const struct hf_api_call *call, struct hf_span url)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < 2; i++) {
		struct hf_span prefix = hf_span_str(schemes[i]), rest;

		if (!hf_span_starts(url, prefix))
			continue;
		rest = hf_span_skip(url, prefix.len);
		if (call->host.len == 0 || rest.len < call->host.len ||
		    !hf_span_ieq(hf_span(rest.ptr, call->host.len), call->host))
			return hf_span("", 0);
		rest = hf_span_skip(rest, call->host.len);
		return rest.len == 0 ? HF_SPAN("/") : rest;
	}
	return url;
}

bool hf_cache_call_url(struct hf_api_call *call, struct hf_span *url)
{
	struct hf_span text = { NULL, 0 }, path, query;

	*url = text;
	if (!hf_api_query(call, "url", &text))
		return false;
	*url = hf_span("", 0);
	if (text.ptr)
		text = own_target(call, text);
	text = hf_span_cut(&text, '#');
	if (text.len > HF_SHELF_URL_MAX) {
		hf_api_problem(call, 413, "The url is longer than 8192 bytes.");
		return false;
	}
	if (!text.ptr || hf_target_parse(text, &path, &query)) {
		hf_api_problem(call, 400, "url is a path with its query, or a URL of this host.");
		return false;
	}
	*url = text;
	return true;
}
