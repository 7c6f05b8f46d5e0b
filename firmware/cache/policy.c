/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a stored response may be used (RFC 9111 sections 4 and 5.2, RFC
 * 5861). */
#include "cache/policy_private.h"

#include "http/vary.h"

/* All that a decision looks at. */
struct view {
	const struct hf_cache_rules *rules;
	const struct hf_cache_entry *entry;
	struct hf_cache_control cc;    /* the response's */
	struct hf_cache_control asked; /* the request's */
	const struct hf_cache_freshness *freshness;
};

/* ---- stale ---- */

/* Never to be used stale, whatever else is said (section 4.2.4). */
static bool forbids_stale(const struct view *v)
{
	return v->cc.must_revalidate || v->cc.no_cache || v->entry->invalidated ||
	       (!v->rules->is_private &&
		(v->cc.proxy_revalidate || v->cc.s_maxage != HF_DELTA_NONE));
}

/* Stale, but not for longer than @window seconds; HF_DELTA_NONE is no window. */
static bool is_within(const struct view *v, int32_t window)
{
	return v->freshness->age_known && window != HF_DELTA_NONE && -v->freshness->ttl_s <= window;
}

static bool is_within_error_window(const struct view *v)
{
	return is_within(v, v->cc.stale_if_error) || is_within(v, v->asked.stale_if_error);
}

static bool stale_on_unreachable(const struct view *v)
{
	if (forbids_stale(v) || v->asked.no_cache)
		return false;
	return v->rules->offline_stale_s == HF_DELTA_MAX ||
	       is_within(v, v->rules->offline_stale_s) || is_within_error_window(v) ||
	       is_within(v, v->asked.max_stale) || is_within(v, v->cc.stale_while_revalidate);
}

static bool stale_on_5xx(const struct view *v)
{
	return !forbids_stale(v) && !v->asked.no_cache && is_within_error_window(v);
}

bool hf_cache_stale_for(const struct hf_cache_decision *decision, int status)
{
	switch (status) {
	case 0:
		return decision->stale_on_unreachable;
	case 500:
		return decision->stale_on_5xx;
	case 502:
	case 503:
	case 504:
		return decision->stale_on_gateway;
	default:
		return false;
	}
}

/* ---- what the request asks for (section 5.2.1) ---- */

/* It takes an answer of this age. max-age=0 is "ask the origin", also in the
 * second that the response came in. */
static bool is_age_taken(const struct view *v)
{
	int32_t max_age = v->asked.max_age;

	return max_age == HF_DELTA_NONE || (max_age > 0 && v->freshness->age_s <= max_age);
}

static bool is_fresh_enough(const struct view *v)
{
	return v->asked.min_fresh == HF_DELTA_NONE || v->freshness->ttl_s >= v->asked.min_fresh;
}

/* ---- decisions ---- */

static bool must_ask(const struct view *v)
{
	return v->cc.no_cache || v->entry->invalidated || v->asked.no_cache || v->asked.no_store ||
	       !is_age_taken(v);
}

static enum hf_cache_use use_of(const struct view *v)
{
	if (!must_ask(v) && is_fresh_enough(v)) {
		if (v->freshness->is_fresh)
			return HF_CACHE_FRESH;
		if (!forbids_stale(v) && is_within(v, v->cc.stale_while_revalidate))
			return HF_CACHE_STALE_REVALIDATE;
		if (!forbids_stale(v) && is_within(v, v->asked.max_stale))
			return HF_CACHE_STALE_ALLOWED;
	}
	if (v->asked.only_if_cached)
		return HF_CACHE_GATEWAY_TIMEOUT;
	return hf_cache_has_validator(v->entry) && !v->asked.no_store ? HF_CACHE_REVALIDATE :
									HF_CACHE_REFETCH;
}

static enum hf_cache_fwd reason_of(const struct view *v, enum hf_cache_use use)
{
	bool usable = v->freshness->is_fresh && !v->cc.no_cache && !v->entry->invalidated;

	if (use == HF_CACHE_REVALIDATE || use == HF_CACHE_REFETCH)
		return usable ? HF_FWD_REQUEST : HF_FWD_STALE;
	return HF_FWD_NONE;
}

static void decide_without(const struct hf_cache_control *asked, struct hf_cache_decision *out)
{
	*out = (struct hf_cache_decision){
		.use = asked->only_if_cached ? HF_CACHE_GATEWAY_TIMEOUT : HF_CACHE_REFETCH,
		.fwd = asked->only_if_cached ? HF_FWD_NONE : HF_FWD_MISS,
	};
}

void hf_cache_decide(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
		     const struct hf_fields *request, const struct hf_cache_clock *now,
		     struct hf_cache_decision *out)
{
	struct view v = { .rules = rules, .entry = entry, .freshness = &out->freshness };

	hf_cache_control_parse_request(request, &v.asked);
	if (!entry) {
		decide_without(&v.asked, out);
		return;
	}
	hf_cache_control_parse(entry->fields, &v.cc);
	hf_cache_freshness(rules, entry, now, &out->freshness);
	out->use = use_of(&v);
	out->fwd = reason_of(&v, out->use);
	out->stale_on_unreachable = stale_on_unreachable(&v);
	out->stale_on_5xx = stale_on_5xx(&v);
	out->stale_on_gateway = out->stale_on_5xx ||
				(rules->gateway_errors_are_offline && out->stale_on_unreachable);
}

bool hf_cache_bypass(const struct hf_fields *request)
{
	struct hf_cache_control asked;

	hf_cache_control_parse_request(request, &asked);
	return (asked.no_store && !asked.only_if_cached) ||
	       hf_fields_count(request, "If-Match") > 0 ||
	       hf_fields_count(request, "If-Unmodified-Since") > 0;
}

/* ---- variants (section 4.1) ---- */

static struct hf_span content_language(const struct hf_fields *fields)
{
	const struct hf_span *line = hf_fields_get(fields, "Content-Language");

	if (!line || hf_fields_count(fields, "Content-Language") > 1)
		return hf_span(NULL, 0);
	return hf_span_trim(*line);
}

bool hf_cache_is_newer(const struct hf_cache_entry *a, const struct hf_cache_entry *b)
{
	int64_t date_a, date_b;

	if (!hf_field_date(a->fields, "Date", &date_a))
		date_a = INT64_MIN;
	if (!hf_field_date(b->fields, "Date", &date_b))
		date_b = INT64_MIN;
	if (date_a != date_b)
		return date_a > date_b;
	return a->times.response_ms > b->times.response_ms;
}

int hf_cache_select(struct hf_arena *scratch, const struct hf_cache_entry *entries, size_t n,
		    const struct hf_fields *request)
{
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (best >= 0 && !hf_cache_is_newer(&entries[i], &entries[best]))
			continue;
		if (hf_vary_match(scratch, entries[i].variant, request,
				  content_language(entries[i].fields)))
			best = (int)i;
	}
	return best;
}

int hf_cache_select_coding(struct hf_arena *scratch, const struct hf_cache_entry *entries, size_t n,
			   const struct hf_fields *request, bool plain)
{
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct hf_cache_entry *e = &entries[i];

		if ((best >= 0 && !hf_cache_is_newer(e, &entries[best])) ||
		    (plain && !hf_is_identity(e->fields)))
			continue;
		if (hf_accepts_encoding(request, e->fields) &&
		    hf_vary_match_any_encoding(scratch, e->variant, request,
					       content_language(e->fields)))
			best = (int)i;
	}
	return best;
}
