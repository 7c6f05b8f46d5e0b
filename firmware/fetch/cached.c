/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that a cache has to do with: looking up, deciding, and the answers out
 * of a cache. What goes to the origin is in cached_network.c.
 */
#include "fetch/cached.h"

#include <assert.h>
#include <stdlib.h>

#include "fetch/problem_page.h"
#include "holdfast/err.h"

static struct hf_cached *self(struct hf_event *ev)
{
	return hf_container_of(ev, struct hf_cached, ev);
}

/* ---- the end ---- */

static void forget_found(struct hf_cached *c)
{
	while (c->n > 0)
		hf_stored_unref(c->v[--c->n]);
	c->selected = -1;
	c->spare = -1;
}

static enum hf_cache_tier tier_of(const struct hf_cached *c)
{
	if (c->plan.precached)
		return HF_TIER_PRECACHE;
	return c->plan.source == HF_SOURCE_NETWORK ? HF_TIER_HTTP : HF_TIER_NAMED;
}

/* Requests that go past the caches, and those of nobody, are not counted. */
static void count(const struct hf_cached *c)
{
	if (!c->refresh && c->plan.cache != 0)
		c->ev.fetch->counts.of[tier_of(c)][c->result]++;
}

void hf_cached_free(struct hf_cached *c)
{
	count(c);
	hf_timerq_clear(c->ev.fetch->opt.timers, &c->timer);
	hf_fill_leave(&c->listener);
	if (c->looking)
		hf_cache_lookup_cancel(&c->lookup);
	forget_found(c);
	hf_list_remove(&c->ev.link);
	hf_spare_give(&c->ev.fetch->cached, c);
}

static void answer_ended(void *owner)
{
	struct hf_cached *c = owner;

	c->serve = NULL;
	c->reply = NULL;
	hf_cached_free(c);
}

/* Inside the call that opens it the call itself says so. */
void hf_cached_fail(struct hf_cached *c, const struct hf_exchange_result *result)
{
	const struct hf_exchange_events *events = c->ev.events;
	void *user = c->ev.user;

	if (c->opening) {
		c->failed = true;
		return;
	}
	hf_cached_free(c);
	events->on_end(user, result, NULL);
}

/* Not even an answer of ours can be made. */
static void end_without(struct hf_cached *c)
{
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };

	hf_cached_fail(c, &result);
}

void hf_cached_problem(struct hf_cached *c, const struct hf_problem *problem)
{
	struct hf_problem p = *problem;
	struct hf_reply *r;

	if (hf_event_reply(&c->ev, &r)) {
		end_without(c);
		return;
	}
	p.page = hf_problem_page_fits(c->request);
	if (hf_reply_problem(r, &p) ||
	    hf_cache_status_append(hf_reply_fields(r), "holdfast", &c->status)) {
		hf_reply_destroy(r);
		end_without(c);
		return;
	}
	c->state = HF_CACHED_REPLY;
	c->result = HF_RESULT_MISS;
	c->reply = r;
	hf_reply_start(r, c->ev.events, c->ev.user, answer_ended, c);
	hf_reply_receive(r, c->receiving);
}

/* ---- answers out of a cache ---- */

/* A file of the precache is not there: it is to be fetched again. */
static void say_lost(const struct hf_cached *c)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;

	if (c->plan.precached && opt->precache_lost)
		opt->precache_lost(opt->user, c->plan.cache);
}

/* Its body cannot be read; nothing was said yet. */
static void serve_lost(void *owner)
{
	struct hf_cached *c = owner;

	c->serve = NULL;
	forget_found(c);
	say_lost(c);
	c->decision = (struct hf_cache_decision){ .use = HF_CACHE_REFETCH };
	hf_cached_ask(c);
}

void hf_cached_serve(struct hf_cached *c, struct hf_stored *s)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;
	struct hf_serve_options serve = {
		.port = opt->port,
		.timers = opt->timers,
		.cache = opt->cache,
		.spare = &c->ev.fetch->serves,
		.arena = c->arena,
		.forward = &c->forward,
		.request = c->request,
		.status = &c->status,
		.head_only = c->head_only || c->refresh,
		.plain = c->offline_tried,
		.events = c->ev.events,
		.user = c->ev.user,
		.ended = answer_ended,
		.lost = serve_lost,
		.owner = c,
	};

	hf_timerq_clear(opt->timers, &c->timer);
	c->state = HF_CACHED_SERVE;
	if (s->state.flags & HF_STORED_PENDING_WRITE)
		c->status.detail = HF_SPAN("pending-write");
	if (hf_serve_start(&serve, s, &c->serve))
		end_without(c);
	else
		hf_serve_receive(c->serve, c->receiving);
}

static void serve_hit(struct hf_cached *c)
{
	struct hf_stored *s = c->v[c->selected];

	c->status = (struct hf_cache_status){ .hit = true,
					      .has_ttl = !c->plan.precached &&
							 c->decision.freshness.age_known,
					      .ttl_s = c->decision.freshness.ttl_s };
	c->result = HF_RESULT_HIT;
	hf_cached_serve(c, s);
}

static void no_response(struct hf_cached *c)
{
	static const struct hf_problem missing = {
		.status = 504,
		.error = "proxy_internal_response",
		.detail = "The answer was to come from a cache only, and it is not there.",
		.reason = "no-response",
	};

	c->status = (struct hf_cache_status){ .fwd = HF_FWD_NONE };
	hf_cached_problem(c, &missing);
}

/* ---- deciding ---- */

/* A worker's cache need not tell apart what is good for both: a variant without a coding
 * serves whoever takes one, and one with a coding is better than none. */
static void select_coding(struct hf_cached *c, const struct hf_cache_entry *entries)
{
	const struct hf_fields *asked = &c->request->fields;

	if (c->selected < 0)
		c->selected = hf_cache_select_coding(c->arena, entries, c->n, asked, true);
	if (c->selected < 0)
		c->spare = hf_cache_select_coding(c->arena, entries, c->n, asked, false);
}

static bool is_too_old(const struct hf_cached *c, const struct hf_cache_freshness *freshness)
{
	return c->plan.age_max_ms && (uint64_t)freshness->age_s * 1000 > c->plan.age_max_ms;
}

static void select_of_worker(struct hf_cached *c, const struct hf_cache_entry *entries,
			     const struct hf_cache_clock *now)
{
	struct hf_cache_freshness *freshness = &c->decision.freshness;

	if (!c->plan.precached)
		select_coding(c, entries);
	if (c->selected < 0 && c->spare < 0)
		return;
	hf_cache_freshness(&hf_http_rules, &entries[c->selected < 0 ? c->spare : c->selected], now,
			   freshness);
	if (is_too_old(c, freshness)) {
		c->selected = -1;
		c->spare = -1;
	}
}

static void select_entry(struct hf_cached *c)
{
	struct hf_cache_entry entries[HF_SHELF_VARIANTS_MAX];
	struct hf_cache_clock now;

	for (size_t i = 0; i < c->n; i++)
		entries[i] = c->v[i]->entry;
	if (c->plan.precached) /* a file is one for all: it was asked for without preferences */
		c->selected = c->n > 0 ? 0 : -1;
	else
		c->selected = hf_cache_select(c->arena, entries, c->n, &c->request->fields);
	hf_cache_now(c->ev.fetch->opt.cache, &now);
	if (c->plan.source == HF_SOURCE_NETWORK)
		hf_cache_decide(&hf_http_rules, c->selected < 0 ? NULL : &entries[c->selected],
				&c->request->fields, &now, &c->decision);
	else
		select_of_worker(c, entries, &now);
}

static void decide_http(struct hf_cached *c)
{
	switch (c->decision.use) {
	case HF_CACHE_FRESH:
	case HF_CACHE_STALE_ALLOWED:
		serve_hit(c);
		break;
	case HF_CACHE_STALE_REVALIDATE:
		hf_cached_refresh(c);
		serve_hit(c);
		break;
	case HF_CACHE_GATEWAY_TIMEOUT:
		no_response(c);
		break;
	default:
		hf_cached_ask(c);
	}
}

void hf_cached_take_spare(struct hf_cached *c)
{
	if (c->selected < 0 && !c->refresh)
		c->selected = c->spare;
}

static void decide_worker(struct hf_cached *c)
{
	enum hf_source source = c->plan.source;
	bool have;

	if (source == HF_SOURCE_CACHE || hf_cached_is_away(c))
		hf_cached_take_spare(c);
	have = c->selected >= 0;
	if (have && c->v[c->selected]->entry.invalidated && source != HF_SOURCE_CACHE)
		source = HF_SOURCE_NETWORK_FIRST;
	if (have && source == HF_SOURCE_NETWORK_FIRST && hf_cached_is_away(c)) {
		hf_cached_refresh(c);
		serve_hit(c);
	} else if (have && source != HF_SOURCE_NETWORK_FIRST) {
		if (source == HF_SOURCE_STALE_WHILE_REVALIDATE || source == HF_SOURCE_RACE)
			hf_cached_refresh(c);
		serve_hit(c);
	} else if (source != HF_SOURCE_CACHE) {
		hf_cached_ask(c);
	} else if (!hf_cached_fall_back(c, 0)) {
		no_response(c);
	}
}

void hf_cached_decide(struct hf_cached *c)
{
	select_entry(c);
	if (c->n == 0)
		say_lost(c);
	if (c->refresh)
		hf_cached_ask(c);
	else if (c->plan.source == HF_SOURCE_NETWORK)
		decide_http(c);
	else
		decide_worker(c);
}

/* ---- looking up ---- */

static void take_found(struct hf_cached *c, struct hf_stored *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->v[c->n++] = hf_stored_ref(v[i]);
}

static void found(void *user, struct hf_stored *const *v, size_t n)
{
	struct hf_cached *c = user;

	c->looking = false;
	take_found(c, v, n);
	hf_cached_decide(c);
}

static void no_timer(void *user)
{
	(void)user;
}

/* What is known now is decided now: every answer comes on a later turn by itself. */
static int look_up(struct hf_cached *c)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;
	struct hf_stored *const *v;
	size_t n;
	int err;

	c->lookup = (struct hf_cache_lookup){
		.cache = c->plan.cache, .url = c->plan.url, .found = found, .user = c
	};
	if (hf_cache_peek(opt->cache, c->plan.cache, c->plan.url, &v, &n)) {
		take_found(c, v, n);
		hf_cached_decide(c);
		return c->failed ? HF_ENOMEM : 0;
	}
	err = hf_cache_lookup(opt->cache, &c->lookup);
	c->looking = err == 0;
	return err;
}

void hf_cached_look_again(struct hf_cached *c)
{
	struct hf_cache *cache = c->ev.fetch->opt.cache;
	struct hf_stored *const *v = NULL;
	size_t n;

	forget_found(c);
	c->state = HF_CACHED_LOOKUP;
	if (!hf_cache_peek(cache, c->plan.cache, c->plan.url, &v, &n)) {
		c->looking = hf_cache_lookup(cache, &c->lookup) == 0;
		if (c->looking)
			return;
		n = 0;
	}
	take_found(c, v, n);
	hf_cached_decide(c);
}

/* ---- from the panel ---- */

static size_t send_body(struct hf_event *ev, struct hf_span data)
{
	(void)ev;
	return data.len; /* there is none */
}

static void send_end(struct hf_event *ev, const struct hf_fields *trailers)
{
	(void)ev;
	(void)trailers;
}

static void receive(struct hf_event *ev, bool on)
{
	struct hf_cached *c = self(ev);

	c->receiving = on;
	if (c->serve)
		hf_serve_receive(c->serve, on);
	else if (c->reply)
		hf_reply_receive(c->reply, on);
	else
		hf_fill_receive(&c->listener, on);
}

static void cancel(struct hf_event *ev)
{
	struct hf_cached *c = self(ev);

	if (c->serve)
		hf_serve_cancel(c->serve);
	if (c->reply)
		hf_reply_cancel(c->reply);
	hf_cached_free(c);
}

static void destroy(struct hf_event *ev)
{
	struct hf_cached *c = self(ev);

	if (c->serve)
		hf_serve_cancel(c->serve);
	if (c->reply)
		hf_reply_abandon(c->reply);
	hf_cached_free(c);
}

static const struct hf_event_ops ops = { send_body, send_end, receive, cancel, destroy };

/* ---- opening ---- */

int hf_cached(struct hf_fetch *f, const struct hf_fetch_request *req, const struct hf_route *route,
	      bool refresh, const struct hf_exchange_events *events, void *user,
	      struct hf_event **out)
{
	const struct hf_fetch_origin *origin = hf_fetch_origin(f, req->origin);
	struct hf_plan plan;
	struct hf_cached *c;
	int err;

	if (!hf_plan_make(f, req, route, refresh, &plan))
		return HF_ENOENT;
	c = hf_spare_take(&f->cached, sizeof(*c));
	if (!c)
		return HF_ENOMEM;
	c->plan = plan;
	c->refresh = refresh;
	c->origin = req->origin;
	c->request = req->base.msg;
	c->arena = req->base.msg->fields.arena;
	c->interim_ok = !req->panel_minor0;
	c->head_only = hf_span_eq_str(c->request->method, "HEAD");
	c->receiving = true;
	c->selected = -1;
	c->spare = -1;
	c->forward = (struct hf_forward){
		.scheme = origin->scheme,
		.authority = origin->authority,
		.host = req->host,
		.peer = req->peer,
	};
	hf_list_init(&c->listener.link);
	hf_timer_init(&c->timer, no_timer, c);
	hf_event_open(&c->ev, f, &ops, events, user);
	c->opening = true;
	err = look_up(c);
	c->opening = false;
	if (err) {
		hf_cached_free(c);
		return err;
	}
	*out = &c->ev;
	return 0;
}
