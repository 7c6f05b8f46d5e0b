/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below caches/NAME/entries: what is in a cache, the stored answer to a URL, taking it
 * out. As the Cache interface: keys and matchAll are a list, match is an answer. With
 * ignoreSearch the whole cache is gone through, a page at a time.
 */
#include <inttypes.h>
#include <limits.h>

#include "fetch/plan.h"
#include "holdfast/err.h"
#include "ingress/cache_scan.h"

#define JSON_MAX  (8 * 1024 * 1024)
#define TRIES_MAX 4 /* of a match while what it finds is replaced */

struct entries_call {
	struct hf_cache_call c;
	struct hf_cache_query q;
	struct hf_cache_scan scan;
	struct hf_cache_lookup lookup;
	bool looking;
	void (*looked)(struct entries_call *e, struct hf_stored *const *v, size_t n);
	/* match: the one that was stored first, so far; its URL is copied */
	struct hf_cache_scanned first;
	unsigned tries;
	/* delete: the next of the scan's page, and how many there were */
	size_t at, deleted;
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
	hf_cache_scan_finish(&e->scan);
	hf_stored_unref(e->first.s);
}

static void begin_scan(struct entries_call *e, uint64_t after,
		       void (*page)(struct hf_cache_scan *scan, int err))
{
	e->scan.c = &e->c;
	e->scan.query = &e->q;
	e->scan.page = page;
	hf_cache_scan_page(&e->scan, after);
}

/* ---- keys, matchAll ---- */

static int begin_list(struct hf_buf *json)
{
	hf_buf_init(json, JSON_MAX);
	return hf_buf_append_str(json, "{\"entries\":[");
}

static int append_entry(struct entries_call *e, const struct hf_stored *s, bool first,
			struct hf_buf *json)
{
	struct hf_cache_clock now;
	int err = hf_buf_append_str(json, first ? "" : ",");

	hf_cache_now(cache_of(e), &now);
	return err ? err : hf_cache_entry_json(s, &now, json);
}

static void answer_list(struct entries_call *e, uint64_t next, struct hf_buf *json, int err)
{
	if (!err && next == 0)
		err = hf_buf_append_str(json, "],\"next\":null}");
	else if (!err)
		err = hf_buf_appendf(json, "],\"next\":\"%" PRIu64 "\"}", next);
	hf_cache_call_answer(&e->c.call, 200, json, err);
}

static void list_page(struct hf_cache_scan *scan, int err)
{
	struct entries_call *e = hf_container_of(scan, struct entries_call, scan);
	struct hf_buf json;

	if (err) {
		hf_cache_call_failed(&e->c.call, err);
		return;
	}
	err = begin_list(&json);
	for (size_t i = 0; i < scan->n && !err; i++)
		err = append_entry(e, scan->v[i].s, i == 0, &json);
	answer_list(e, scan->more ? scan->next : 0, &json, err);
}

static void list_looked(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	struct hf_buf json;
	bool first = true;
	int err = begin_list(&json);

	while (n-- > 0 && !err) {
		if (!hf_cache_query_matches(&e->c.call, &e->q, v[n]))
			continue;
		err = append_entry(e, v[n], first, &json);
		first = false;
	}
	answer_list(e, 0, &json, err);
}

/* ---- one URL ---- */

static void found(void *user, struct hf_stored *const *v, size_t n)
{
	struct entries_call *e = user;

	e->looking = false;
	e->looked(e, v, n);
}

static void look_up(struct entries_call *e, struct hf_span url,
		    void (*looked)(struct entries_call *e, struct hf_stored *const *v, size_t n))
{
	struct hf_stored *const *v;
	size_t n;
	int err;

	e->looked = looked;
	e->lookup = (struct hf_cache_lookup){
		.cache = e->c.cache.id, .url = url, .found = found, .user = e
	};
	if (hf_cache_peek(cache_of(e), e->c.cache.id, url, &v, &n)) {
		looked(e, v, n);
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

/* Which of @v, stored last first, is meant; -1: none. */
static int choose(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	struct hf_cache_entry entries[HF_SHELF_VARIANTS_MAX];
	int i = (int)n - 1;

	if (e->c.cache.kind == HF_SHELF_HTTP && !e->q.id && !e->q.ignore_vary) {
		for (size_t k = 0; k < n; k++)
			entries[k] = v[k]->entry;
		return hf_cache_select(&e->c.call.arena, entries, n, &e->c.call.msg->fields);
	}
	while (i >= 0 && !hf_cache_query_matches(&e->c.call, &e->q, v[i]))
		i--;
	return i;
}

static void match(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	struct hf_cache_clock now;
	int i = choose(e, v, n);

	hf_cache_now(cache_of(e), &now);
	if (i < 0)
		unknown(e);
	else
		serve(e, v[i], &now);
}

static void match_page(struct hf_cache_scan *scan, int err);

/* The one that the scan has found, unless it was replaced meanwhile. */
static void match_first(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	struct hf_cache_clock now;
	size_t i = 0;

	while (i < n && v[i]->id != e->first.s->id)
		i++;
	if (i < n) {
		hf_cache_now(cache_of(e), &now);
		serve(e, v[i], &now);
		return;
	}
	hf_stored_unref(e->first.s);
	e->first.s = NULL;
	if (++e->tries < TRIES_MAX)
		begin_scan(e, 0, match_page);
	else
		hf_cache_call_failed(&e->c.call, HF_EBUSY);
}

static void match_page(struct hf_cache_scan *scan, int err)
{
	struct entries_call *e = hf_container_of(scan, struct entries_call, scan);

	if (err) {
		hf_cache_call_failed(&e->c.call, err);
		return;
	}
	if (scan->n > 0 && (!e->first.s || scan->v[0].order < e->first.order)) {
		hf_stored_unref(e->first.s);
		e->first = scan->v[0];
		hf_stored_ref(e->first.s);
	}
	if (scan->more)
		hf_cache_scan_page(scan, scan->next);
	else if (e->first.s)
		look_up(e, e->first.s->url, match_first);
	else
		unknown(e);
}

static void entries_found(struct hf_cache_call *c)
{
	struct entries_call *e = hf_container_of(c, struct entries_call, c);
	bool list = !e->q.url.ptr || e->q.all;

	if (e->q.nothing && e->q.url.ptr && list)
		list_looked(e, NULL, 0);
	else if (e->q.nothing && e->q.url.ptr)
		unknown(e);
	else if (!e->q.url.ptr || (e->q.path.ptr && list))
		begin_scan(e, e->q.after, list_page);
	else if (e->q.path.ptr)
		begin_scan(e, 0, match_page);
	else
		look_up(e, e->q.url, list ? list_looked : match);
}

static int entries_start(struct hf_api_call *call)
{
	struct entries_call *e = hf_container_of(call, struct entries_call, c.call);

	if (hf_cache_query_read(call, &e->q))
		hf_cache_call_find(&e->c, entries_found);
	return 0;
}

const struct hf_api_kind hf_api_entries = {
	.size = sizeof(struct entries_call),
	.start = entries_start,
	.finish = finish,
};

/* ---- taking one out ---- */

static void answer_deleted(struct entries_call *e)
{
	struct hf_buf json;
	int err;

	if (e->deleted == 0) {
		unknown(e);
		return;
	}
	hf_buf_init(&json, 64);
	err = hf_buf_appendf(&json, "{\"deleted\":%zu}", e->deleted);
	hf_cache_call_answer(&e->c.call, 200, &json, err);
}

static void take_out(struct entries_call *e, struct hf_span url, struct hf_stored *const *v,
		     size_t n)
{
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	size_t taken = 0;

	for (size_t i = 0; i < n; i++)
		if (hf_cache_query_matches(&e->c.call, &e->q, v[i]))
			ids[taken++] = v[i]->id;
	for (size_t i = 0; i < taken; i++)
		hf_cache_remove_entry(cache_of(e), e->c.cache.id, url, ids[i]);
	e->deleted += taken;
}

static void delete_looked(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	take_out(e, e->q.url, v, n);
	answer_deleted(e);
}

/* URLs of the page from @at on, each as it is now. */
static void delete_rest(struct entries_call *e);

static void delete_next(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	take_out(e, e->scan.v[e->at++].s->url, v, n);
}

static void delete_later(struct entries_call *e, struct hf_stored *const *v, size_t n)
{
	delete_next(e, v, n);
	delete_rest(e);
}

static void delete_rest(struct entries_call *e)
{
	struct hf_stored *const *v;
	size_t n;

	while (e->at < e->scan.n) {
		struct hf_span url = e->scan.v[e->at].s->url;

		if (!hf_cache_peek(cache_of(e), e->c.cache.id, url, &v, &n)) {
			look_up(e, url, delete_later);
			return;
		}
		delete_next(e, v, n);
	}
	if (e->scan.more)
		hf_cache_scan_page(&e->scan, e->scan.next);
	else
		answer_deleted(e);
}

static void delete_page(struct hf_cache_scan *scan, int err)
{
	struct entries_call *e = hf_container_of(scan, struct entries_call, scan);

	e->at = 0;
	if (err)
		hf_cache_call_failed(&e->c.call, err);
	else
		delete_rest(e);
}

/* Of a precache all is there, or nothing. */
static void delete_found(struct hf_cache_call *c)
{
	struct entries_call *e = hf_container_of(c, struct entries_call, c);

	if (c->cache.kind == HF_SHELF_PRECACHE)
		hf_api_problem(&c->call, 409, "A precache is whole or not there: purge all of it.");
	else if (c->cache.kind != HF_SHELF_NAMED && !c->call.control)
		hf_api_problem(&c->call, 403,
			       "Only the operator may change this cache, over the control socket.");
	else if (e->q.nothing)
		unknown(e);
	else if (e->q.path.ptr)
		begin_scan(e, 0, delete_page);
	else
		look_up(e, e->q.url, delete_looked);
}

static int delete_start(struct hf_api_call *call)
{
	struct entries_call *e = hf_container_of(call, struct entries_call, c.call);

	if (!hf_cache_query_read(call, &e->q))
		return 0;
	if (e->q.url.ptr)
		hf_cache_call_find(&e->c, delete_found);
	else
		hf_api_problem(call, 400, "url says which entry; the cache itself takes all.");
	return 0;
}

const struct hf_api_kind hf_api_entry_delete = {
	.size = sizeof(struct entries_call),
	.start = delete_start,
	.finish = finish,
};
