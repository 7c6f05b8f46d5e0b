/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/plan.h"

#include "fetch/event.h"

const struct hf_cache_rules hf_http_rules = { .offline_stale_s = HF_DELTA_MAX };

static bool is_get_or_head(const struct hf_message *msg)
{
	return (hf_span_eq_str(msg->method, "GET") || hf_span_eq_str(msg->method, "HEAD")) &&
	       msg->body == HF_BODY_NONE && !msg->upgrade;
}

/* Files of the worker's version come before its routes, as Workbox's precacheAndRoute. */
static bool plan_precache(struct hf_fetch *f, const struct hf_fetch_request *req,
			  struct hf_plan *out)
{
	const struct hf_message *msg = req->base.msg;

	if (!f->opt.precache)
		return false;
	out->cache = f->opt.precache(f->opt.user, req->origin, msg->target, msg->fields.arena,
				     &out->url);
	if (out->cache == 0) {
		out->url = msg->target;
		return false;
	}
	out->source = HF_SOURCE_CACHE_FIRST;
	out->precached = true;
	return true;
}

static void plan_route(const struct hf_route *route, struct hf_plan *out)
{
	const struct hf_cache_rule *rule = &route->cache;

	out->cache = route->cache_id;
	out->age_max_ms = (uint64_t)rule->max_age_s * 1000;
	out->fallback_on = rule->fallback_on;
	out->terms = (struct hf_fill_terms){
		.cache = route->cache_id,
		.worker = true,
		.store = rule->store,
		.personal = rule->personal,
		.entries_max = rule->max_entries,
		.bytes_max = rule->max_bytes,
	};
}

bool hf_plan_make(struct hf_fetch *f, const struct hf_fetch_request *req,
		  const struct hf_route *route, bool refresh, struct hf_plan *out)
{
	const struct hf_message *msg = req->base.msg;

	*out = (struct hf_plan){ .source = route ? route->source : HF_SOURCE_NETWORK };
	out->url = msg->target;
	if (!f->opt.cache || !is_get_or_head(msg) || msg->target.len > HF_SHELF_URL_MAX)
		return false;
	if (route) {
		out->offline = route->cache.offline;
		out->timeout_ms = route->network_timeout_ms;
	}
	if (!refresh && plan_precache(f, req, out))
		return true;
	if (out->source != HF_SOURCE_NETWORK) {
		plan_route(route, out);
		return true;
	}
	out->cache = hf_fetch_origin(f, req->origin)->cache;
	out->terms.cache = out->cache;
	if (hf_cache_bypass(&msg->fields))
		out->cache = 0;
	return out->cache != 0 || out->offline || refresh;
}
