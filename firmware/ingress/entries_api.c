/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below caches/NAME/entries: what is in a cache, the stored answer to a URL, taking it
 * out. As the Cache interface: a GET without its fragment, whose fields are those that
 * the answer's Vary names.
 */
#include <inttypes.h>
#include <limits.h>

#include "fetch/plan.h"
#include "holdfast/err.h"
#include "http/vary.h"
#include "ingress/cache_call.h"

#define JSON_MAX (4 * 1024 * 1024)

struct entries_call {
	struct hf_cache_call c;
	struct hf_span url; /* ptr NULL: none */
	bool any_variant;   /* ignoreVary */
	struct hf_shelf_list list;
	struct hf_cache_lookup lookup;
	bool looking;
	void (*looked)(struct entries_call *e, struct hf_stored *const *v, size_t n);
};

static struct hf_cache *cache_of(const struct entries_call *e)
{
	return e->c.call.in->opt.cache;
}

static void finish(struct hf_api_call *call)
{
	struct entries_call *e = hf_container_of(call, struct entries_call, c.call);

	if (e->looking)
		hf_cache_lookup_cancel(&e->lookup);
	hf_shelf_caches_finish(&e->c.list);
	hf_shelf_list_finish(&e->list);
}

/* ---- keys ---- */

static int append_entry(struct entries_call *e, const struct hf_shelf_entry *row, bool first,
			struct hf_buf *json)
{
	struct hf_cache_clock now;
	struct hf_stored *s;
	int err = hf_stored_decode(row, &s);

	if (err)
		return err;
	hf_cache_now(cache_of(e), &now);
	err = hf_buf_append_str(json, first ? "" : ",");
	if (!err)
		err = hf_cache_entry_json(s, &now, json);
	hf_stored_unref(s);
	return err;
}

static int append_page(struct entries_call *e, struct hf_buf *json)
{
	bool first = true;
	int err = hf_buf_append_str(json, "{\"entries\":[");

	for (size_t i = 0; i < e->list.n && !err; i++) {
		if (!hf_cache_shows(cache_of(e), &e->list.v[i].state))
			continue;
		err = append_entry(e, &e->list.v[i], first, json);
		first = first && err;
		if (err == HF_ECORRUPT)
			err = 0; /* it goes when somebody wants it */
	}
	if (err)
		return err;
	if (!e->list.more)
		return hf_buf_append_str(json, "],\"next\":null}");
	return hf_buf_appendf(json, "],\"next\":\"%" PRIu64 "\"}", e->list.next);
}

static void page_read(struct hf_shelf_op *op, int err)
{
	struct entries_call *e = op->user;
	struct hf_buf json;

	if (!hf_api_resume(&e->c.call))
		return;
	if (err) {
		hf_cache_call_failed(&e->c.call, err);
		return;
	}
	hf_buf_init(&json, JSON_MAX);
	hf_cache_call_answer(&e->c.call, 200, &json, append_page(e, &json));
}

static void list_keys(struct hf_cache_call *c)
{
	struct entries_call *e = hf_container_of(c, struct entries_call, c);

	e->list.op.done = page_read;
	e->list.op.user = e;
	e->list.cache = c->cache.id;
	e->list.heads = true;
	c->call.busy = true;
	hf_shelf_list(hf_cache_shelf(cache_of(e)), &e->list);
}

/* ---- one URL ---- */

static void found(void *user, struct hf_stored *const *v, size_t n)
{
	struct entries_call *e = user;

	e->looking = false;
	e->looked(e, v, n);
}

static void look_up(struct entries_call *e)
{
	struct hf_stored *const *v;
	size_t n;
	int err;

	e->lookup = (struct hf_cache_lookup){
		.cache = e->c.cache.id, .url = e->url, .found = found, .user = e
	};
	if (hf_cache_peek(cache_of(e), e->c.cache.id, e->url, &v, &n)) {
		e->looked(e, v, n);
		return;
	}
	err = hf_cache_lookup(cache_of(e), &e->lookup);
	e->looking = err == 0;
	if (err)
		hf_cache_call_failed(&e->c.call, err);
}

static void unknown(struct entries_call *e)
{
	hf_api_problem(&e->c.call, 404, "Nothing is stored for this url.");
}

/* By whose settings its fields are read; UINT_MAX: nobody's who is configured. */
static unsigned origin_of(const struct entries_call *e)
{
	const struct hf_api_call *call = &e->c.call;
	const struct hf_ingress_options *opt = &call->in->opt;
	int worker;

	if (!call->control)
		return call->origin;
	if (e->c.cache.kind != HF_SHELF_HTTP) {
		worker = opt->worker_by_name(opt->user, e->c.cache.owner);
		return worker < 0 ? UINT_MAX : opt->worker_origin(opt->user, (unsigned)worker);
	}
	for (unsigned i = 0; i < hf_queue_origins(opt->queue); i++)
		if (hf_span_eq(hf_queue_origin_name(opt->queue, i), e->c.cache.owner))
			return i;
	return UINT_MAX;
}

static void serve(struct entries_call *e, struct hf_stored *s, const struct hf_cache_clock *now)
{
	const struct hf_api_call *call = &e->c.call;
	const struct hf_ingress_options *opt = &call->in->opt;
	unsigned origin = origin_of(e);
	struct hf_cache_freshness fresh;
	struct hf_forward forward;
	struct hf_cache_status status = { .hit = true };
	struct hf_serve_options serve = {
		.port = opt->port,
		.timers = opt->timers,
		.cache = opt->cache,
		.forward = &forward,
		.request = call->msg,
		.status = &status,
		.head_only = hf_span_eq_str(call->msg->method, "HEAD"),
		.plain = true,
	};

	if (origin == UINT_MAX) {
		unknown(e);
		return;
	}
	hf_cache_freshness(&hf_http_rules, &s->entry, now, &fresh);
	status.has_ttl = fresh.age_known;
	status.ttl_s = fresh.ttl_s;
	if (s->state.flags & HF_STORED_PENDING_WRITE)
		status.detail = HF_SPAN("pending-write");
	hf_fetch_forward(opt->fetch, origin, call->host, &forward);
	if (hf_api_serve(&e->c.call, &serve, s))
		hf_cache_call_failed(&e->c.call, HF_ENOMEM);
}

static void match(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	struct hf_cache_entry entries[HF_SHELF_VARIANTS_MAX];
	struct hf_cache_clock now;
	int i;

	for (size_t k = 0; k < n; k++)
		entries[k] = v[k]->entry;
	hf_cache_now(cache_of(e), &now);
	if (e->any_variant)
		i = (int)n - 1; /* the one that was stored first, as the Cache interface */
	else
		i = hf_cache_select(&e->c.call.arena, entries, n, &e->c.call.msg->fields);
	if (i < 0)
		unknown(e);
	else
		serve(e, v[i], &now);
}

static void match_found(struct hf_cache_call *c)
{
	struct entries_call *e = hf_container_of(c, struct entries_call, c);

	e->looked = match;
	look_up(e);
}

/* False: it was refused. */
static bool take_options(struct entries_call *e)
{
	struct hf_span value;

	if (!hf_api_query(&e->c.call, "ignoreVary", &value))
		return true;
	e->any_variant = value.ptr && hf_span_eq_str(value, "true");
	if (!e->any_variant && !(value.ptr && hf_span_eq_str(value, "false"))) {
		hf_api_problem(&e->c.call, 400, "ignoreVary is true or false.");
		return false;
	}
	return true;
}

static int entries_start(struct hf_api_call *call)
{
	struct entries_call *e = hf_container_of(call, struct entries_call, c.call);
	struct hf_span after;

	if (hf_cache_call_url(call, &e->url)) {
		if (take_options(e))
			hf_cache_call_find(&e->c, match_found);
		return 0;
	}
	if (e->url.ptr)
		return 0;
	if (hf_api_query(call, "after", &after) &&
	    (!after.ptr || !hf_span_u64(after, &e->list.after)))
		hf_api_problem(call, 400, "after is the next of the page before.");
	else
		hf_cache_call_find(&e->c, list_keys);
	return 0;
}

const struct hf_api_kind hf_api_entries = {
	.size = sizeof(struct entries_call),
	.start = entries_start,
	.finish = finish,
};

/* ---- taking one out ---- */

static void take_out(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	struct hf_arena *arena = &e->c.call.arena;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	size_t taken = 0;
	struct hf_buf json;
	int err;

	for (size_t i = 0; i < n; i++)
		if (e->any_variant || hf_vary_match(arena, v[i]->entry.variant,
						    &e->c.call.msg->fields, hf_span(NULL, 0)))
			ids[taken++] = v[i]->id;
	for (size_t i = 0; i < taken; i++)
		hf_cache_remove_entry(cache_of(e), e->c.cache.id, e->url, ids[i]);
	if (taken == 0) {
		unknown(e);
		return;
	}
	hf_buf_init(&json, JSON_MAX);
	err = hf_buf_appendf(&json, "{\"deleted\":%zu}", taken);
	hf_cache_call_answer(&e->c.call, 200, &json, err);
}

/* Of a precache all is there, or nothing. */
static void delete_found(struct hf_cache_call *c)
{
	struct entries_call *e = hf_container_of(c, struct entries_call, c);

	if (c->cache.kind == HF_SHELF_PRECACHE) {
		hf_api_problem(&c->call, 409, "A precache is whole or not there: purge all of it.");
	} else if (c->cache.kind != HF_SHELF_NAMED && !c->call.control) {
		hf_api_problem(&c->call, 403,
			       "Only the operator may change this cache, over the control socket.");
	} else {
		e->looked = take_out;
		look_up(e);
	}
}

static int delete_start(struct hf_api_call *call)
{
	struct entries_call *e = hf_container_of(call, struct entries_call, c.call);

	if (hf_cache_call_url(call, &e->url)) {
		if (take_options(e))
			hf_cache_call_find(&e->c, delete_found);
	} else if (!e->url.ptr) {
		hf_api_problem(call, 400, "url says which entry; the cache itself takes all.");
	}
	return 0;
}

const struct hf_api_kind hf_api_entry_delete = {
	.size = sizeof(struct entries_call),
	.start = delete_start,
	.finish = finish,
};
