/* SPDX-License-Identifier: Apache-2.0 */
/* A request that a cache has to do with: its way to the origin, and what there is
 * in the origin's place. */
#include "fetch/cached.h"

#include "holdfast/err.h"

/* While an origin is away it is asked for what is stored at most so often. */
#define AWAY_ASK_MS 5000
/* For the shelf it is waited at most so often, so long each time. */
#define SHELF_WAITS_MAX 20
#define SHELF_WAIT_MS	5

static enum hf_cache_fwd why_forwarded(const struct hf_cached *c)
{
	if (c->plan.cache == 0)
		return HF_FWD_BYPASS;
	if (c->n == 0)
		return HF_FWD_URI_MISS;
	if (c->selected < 0)
		return HF_FWD_VARY_MISS;
	return c->decision.fwd != HF_FWD_NONE ? c->decision.fwd : HF_FWD_STALE;
}

/* ---- in the origin's place ---- */

static void offline_found(void *user, struct hf_stored *const *v, size_t n)
{
	struct hf_cached *c = user;

	c->looking = false;
	if (n == 0) {
		hf_cached_problem(c, &c->problem);
		return;
	}
	c->status.detail = HF_SPAN("offline");
	c->result = HF_RESULT_FALLBACK;
	hf_cached_serve(c, v[0]);
}

/* The page that stands for one that cannot be had, out of the precache or the
 * route's own cache. */
static bool look_for_offline_page(struct hf_cached *c)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;
	struct hf_span target = hf_span_str(c->plan.offline), url = target;
	struct hf_stored *const *v;
	uint32_t cache = 0;
	size_t n;

	if (!c->plan.offline || c->offline_tried || c->refresh)
		return false;
	c->offline_tried = true;
	if (opt->precache)
		cache = opt->precache(opt->user, c->origin, target, c->arena, &url);
	c->lookup = (struct hf_cache_lookup){
		.cache = cache ? cache : c->plan.cache,
		.url = url,
		.found = offline_found,
		.user = c,
	};
	c->state = HF_CACHED_LOOKUP;
	if (hf_cache_peek(opt->cache, c->lookup.cache, url, &v, &n)) {
		offline_found(c, v, n);
		return true;
	}
	c->looking = hf_cache_lookup(opt->cache, &c->lookup) == 0;
	return c->looking;
}

/* Something is stored that may stand for the origin's answer. */
static bool has_stored(const struct hf_cached *c)
{
	return (c->selected >= 0 || c->spare >= 0) && !c->refresh;
}

/* @status as that of hf_cached_fall_back. */
static bool may_be_stale(const struct hf_cached *c, int status)
{
	if (!has_stored(c))
		return false;
	return c->plan.source != HF_SOURCE_NETWORK || hf_cache_stale_for(&c->decision, status);
}

bool hf_cached_fall_back(struct hf_cached *c, int status)
{
	c->status = (struct hf_cache_status){ .fwd = why_forwarded(c), .fwd_status = c->answered };
	if (may_be_stale(c, status)) {
		hf_cached_take_spare(c);
		c->result = HF_RESULT_FALLBACK;
		hf_cached_serve(c, c->v[c->selected]);
		return true;
	}
	return look_for_offline_page(c);
}

/* ---- from the fill ---- */

static bool is_worse(const struct hf_cached *c, int status)
{
	if (c->plan.source == HF_SOURCE_NETWORK)
		return status == 500 || status == 502 || status == 503 || status == 504;
	return hf_statuses_have(&c->plan.fallback_on, status);
}

static void refused(struct hf_cached *c, const struct hf_exchange_result *result)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;

	if (c->refresh) {
		hf_cached_fail(c, result);
		return;
	}
	hf_problem_of_end(result, opt->origins[c->origin].name, c->forward.authority, c->arena,
			  &c->problem);
	if (c->plan.source == HF_SOURCE_NETWORK && c->selected >= 0)
		c->problem.status = 504; /* RFC 9111, section 5.2.2.2: it may not be used stale */
	if (!hf_cached_fall_back(c, 0))
		hf_cached_problem(c, &c->problem);
}

static void on_interim(void *user, const struct hf_message *head)
{
	struct hf_cached *c = user;
	struct hf_message out;

	if (c->ev.events->on_interim && c->interim_ok &&
	    hf_forward_response(&c->forward, head, c->arena, &out) == 0)
		c->ev.events->on_interim(c->ev.user, &out);
}

/* An answer that was asked for by somebody else is a stored one that is still coming
 * (RFC 9111 section 4); any other passes with the Age that it has. */
static int set_age(struct hf_cached *c)
{
	struct hf_cache_freshness freshness;
	struct hf_cache_entry entry;
	struct hf_cache_clock now;
	char digits[HF_DECIMAL_MAX];
	struct hf_span age;

	if (c->own || !hf_fill_entry(c->listener.fill, &entry))
		return 0;
	hf_cache_now(c->ev.fetch->opt.cache, &now);
	hf_cache_freshness(&hf_http_rules, &entry, &now, &freshness);
	age = hf_arena_copy(c->arena, hf_span_of_u64((uint64_t)freshness.age_s, digits));
	return age.ptr ? hf_fields_set(&c->response.fields, HF_SPAN("Age"), age) : HF_ENOMEM;
}

static void pass_head(struct hf_cached *c, const struct hf_message *head, bool stored)
{
	static const struct hf_problem short_of = {
		.status = 503,
		.error = "proxy_internal_error",
		.detail = "Holdfast is short of memory.",
		.retry_after_s = 5,
	};
	int err = hf_forward_response(&c->forward, head, c->arena, &c->response);

	c->status = (struct hf_cache_status){ .fwd = why_forwarded(c),
					      .stored = stored,
					      .collapsed = !c->own };
	if (!err)
		err = set_age(c);
	if (!err)
		err = hf_cache_status_append(&c->response.fields, "holdfast", &c->status);
	if (err) {
		hf_fill_leave(&c->listener);
		hf_cached_problem(c, &short_of);
		return;
	}
	c->state = HF_CACHED_PASS;
	c->result = HF_RESULT_MISS;
	c->ev.events->on_head(c->ev.user, &c->response);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct hf_cached *c = user;
	bool stored = hf_fill_is_storing(c->listener.fill);

	hf_timerq_clear(c->ev.fetch->opt.timers, &c->timer);
	c->answered = head->status;
	if (is_worse(c, head->status)) {
		c->problem = (struct hf_problem){
			.status = head->status,
			.error = "http_response_incomplete",
			.detail = "The origin answered with an error, and nothing is stored "
				  "that could stand for the answer.",
		};
		if (may_be_stale(c, head->status) || (c->plan.offline && !stored && !c->refresh)) {
			hf_fill_leave(&c->listener);
			if (!hf_cached_fall_back(c, c->answered))
				hf_cached_problem(c, &c->problem);
			return;
		}
	}
	pass_head(c, head, stored);
}

static void on_body(void *user, struct hf_span data)
{
	struct hf_cached *c = user;

	c->ev.events->on_body(c->ev.user, data);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct hf_cached *c = user;
	const struct hf_exchange_events *events = c->ev.events;

	hf_timerq_clear(c->ev.fetch->opt.timers, &c->timer);
	if (c->state != HF_CACHED_PASS) {
		refused(c, result);
		return;
	}
	user = c->ev.user;
	hf_cached_free(c);
	events->on_end(user, result, trailers);
}

static void on_validated(void *user, struct hf_stored *s)
{
	struct hf_cached *c = user;

	c->status = (struct hf_cache_status){ .fwd = why_forwarded(c),
					      .fwd_status = 304,
					      .collapsed = !c->own };
	c->result = HF_RESULT_VALIDATED;
	hf_cached_serve(c, s);
}

static void on_parted(void *user)
{
	struct hf_cached *c = user;

	c->alone = true;
	hf_cached_ask(c);
}

static const struct hf_fill_events fill_events = {
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_validated = on_validated,
	.on_parted = on_parted,
};

/* ---- asking ---- */

/* The page's own conditions go along only when nothing is stored that they could be
 * answered from. */
static bool has_conditions(const struct hf_cached *c)
{
	static const char *const names[] = {
		"range",    "if-range",		 "if-none-match",
		"if-match", "if-modified-since", "if-unmodified-since"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (hf_fields_get(&c->request->fields, names[i]))
			return true;
	return false;
}

/* The page wants more of an answer than that it came just now. */
static bool is_choosy(const struct hf_cached *c)
{
	struct hf_cache_control asked;

	hf_cache_control_parse_request(&c->request->fields, &asked);
	return asked.no_cache || asked.max_age != HF_DELTA_NONE || asked.min_fresh != HF_DELTA_NONE;
}

/* An answer that came before the request did counts as stored: the HTTP cache takes
 * it only where it would take it from the shelf. */
static bool may_join(struct hf_cached *c, const struct hf_fill *f)
{
	struct hf_cache_decision decision;
	struct hf_cache_entry entry;
	struct hf_cache_clock now;

	if (c->plan.source != HF_SOURCE_NETWORK)
		return true;
	if (!hf_fill_entry(f, &entry))
		return !is_choosy(c);
	hf_cache_now(c->ev.fetch->opt.cache, &now);
	hf_cache_decide(&hf_http_rules, &entry, &c->request->fields, &now, &decision);
	return decision.use != HF_CACHE_REVALIDATE && decision.use != HF_CACHE_REFETCH;
}

static struct hf_fill *find_fill(struct hf_cached *c)
{
	struct hf_fill *f = NULL;

	if (!c->alone && !c->head_only && !has_conditions(c) && c->plan.cache != 0)
		f = hf_fill_find(c->ev.fetch, c->plan.cache, c->plan.url, &c->request->fields);
	return f && may_join(c, f) ? f : NULL;
}

static void look_again(void *user)
{
	hf_cached_look_again(user);
}

/* A range, or a condition, of an answer that is complete and about to be stored: it is
 * answered from the shelf, in a moment. */
static bool wait_for_shelf(struct hf_cached *c)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;
	struct hf_fill *f = NULL;

	if (!c->alone && !c->head_only && has_conditions(c) && c->plan.cache != 0 &&
	    c->waited < SHELF_WAITS_MAX)
		f = hf_fill_find(c->ev.fetch, c->plan.cache, c->plan.url, &c->request->fields);
	if (!f || !hf_fill_is_complete(f) || !may_join(c, f))
		return false;
	c->waited++;
	hf_timer_init(&c->timer, look_again, c);
	return hf_timerq_set(opt->timers, &c->timer,
			     opt->port->boottime_ms(opt->port) + SHELF_WAIT_MS) == 0;
}

static int start_fill(struct hf_cached *c, bool keep, struct hf_fill **out)
{
	bool conditions = c->head_only || (c->selected < 0 && has_conditions(c));
	struct hf_fill_request req = {
		.origin = c->origin,
		.msg = c->request,
		.forward = &c->forward,
		.url = c->plan.url,
		.terms = c->plan.terms,
		.v = c->v,
		.n = c->n,
		.selected = c->selected,
		.conditions = conditions,
		.keep = keep,
		.first_byte_timeout_ms = c->plan.source == HF_SOURCE_NETWORK ? c->plan.timeout_ms :
									       0,
	};

	if (c->plan.cache == 0 || c->head_only)
		req.terms.cache = 0;
	return hf_fill_start(c->ev.fetch, &req, out);
}

/* The network has had its time; what is stored goes out, and the fill goes on. */
static void timed_out(void *user)
{
	struct hf_cached *c = user;

	hf_fill_keep(c->listener.fill);
	hf_fill_leave(&c->listener);
	c->status =
		(struct hf_cache_status){ .fwd = why_forwarded(c), .detail = HF_SPAN("timeout") };
	c->result = HF_RESULT_FALLBACK;
	hf_cached_take_spare(c);
	hf_cached_serve(c, c->v[c->selected]);
}

static void set_timer(struct hf_cached *c)
{
	const struct hf_fetch_options *opt = &c->ev.fetch->opt;

	if (c->plan.source != HF_SOURCE_NETWORK_FIRST || !c->plan.timeout_ms || !has_stored(c))
		return;
	hf_timer_init(&c->timer, timed_out, c);
	hf_timerq_set(opt->timers, &c->timer,
		      opt->port->boottime_ms(opt->port) + c->plan.timeout_ms);
}

void hf_cached_ask(struct hf_cached *c)
{
	struct hf_exchange_result result = { .end = HF_END_INTERNAL, .detail = "" };
	struct hf_fill *f;

	if (wait_for_shelf(c))
		return;
	f = find_fill(c);
	c->state = HF_CACHED_ASK;
	c->listener.events = &fill_events;
	c->listener.user = c;
	c->listener.request = &c->request->fields;
	c->own = !f;
	if (!f) {
		result.err = start_fill(c, false, &f);
		if (result.err == HF_ELIMIT)
			result.end = HF_END_LIMIT;
	}
	if (!f) {
		refused(c, &result);
		return;
	}
	c->listener.own = c->own;
	hf_fill_join(f, &c->listener);
	hf_fill_receive(&c->listener, c->receiving);
	set_timer(c);
}

bool hf_cached_is_away(const struct hf_cached *c)
{
	const struct hf_connectivity *k = c->ev.fetch->opt.connectivity;
	enum hf_reach reach = k ? hf_connectivity_origin(k, c->origin) : HF_REACH_UNKNOWN;

	return reach == HF_REACH_DOWN || reach == HF_REACH_TRIAL;
}

void hf_cached_refresh(struct hf_cached *c)
{
	struct hf_fetch *f = c->ev.fetch;
	uint64_t now = f->opt.port->boottime_ms(f->opt.port);
	struct hf_fill *fill;

	if (c->head_only || hf_fill_find(f, c->plan.cache, c->plan.url, &c->request->fields))
		return;
	if (hf_cached_is_away(c)) {
		if (now < f->asked_away_ms)
			return;
		f->asked_away_ms = now + AWAY_ASK_MS;
	}
	(void)start_fill(c, true, &fill); /* what is stored stays as it is */
}
