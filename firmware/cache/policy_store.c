/* SPDX-License-Identifier: Apache-2.0 */
/* Which responses may be stored (RFC 9111 section 3), and which of their fields
 * (section 3.1). */
#include "cache/policy_private.h"

#include "holdfast/err.h"
#include "http/date.h"
#include "http/vary.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- status codes ---- */

static bool is_among(int status, const uint16_t *codes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (codes[i] == status)
			return true;
	return false;
}

/* RFC 9110 section 15.1. */
bool hf_cache_status_is_heuristic(int status)
{
	static const uint16_t codes[] = { 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501 };

	return is_among(status, codes, COUNT(codes));
}

/* Status codes whose caching rules are implemented: those of RFC 9110 whose
 * answer is no more than a representation (must-understand, RFC 9111 section
 * 5.2.2.3). */
static bool is_understood(int status)
{
	static const uint16_t codes[] = { 200, 203, 204, 300, 301, 302, 303, 307, 308, 400,
					  403, 404, 405, 410, 414, 500, 501, 502, 503, 504 };

	return is_among(status, codes, COUNT(codes));
}

static bool is_storable_status(int status)
{
	return status >= 200 && status <= 599 && status != 206 && status != 304 && status != 416;
}

/* ---- reasons to store ---- */

static bool has_explicit_freshness(const struct hf_cache_rules *rules,
				   const struct hf_cache_control *cc,
				   const struct hf_fields *fields)
{
	return cc->max_age != HF_DELTA_NONE ||
	       (!rules->is_private && cc->s_maxage != HF_DELTA_NONE) ||
	       hf_fields_count(fields, "Expires") > 0;
}

/* A response without any of these could never be used again. */
static bool is_usable(const struct hf_cache_rules *rules, const struct hf_cache_control *cc,
		      const struct hf_message *response)
{
	bool validator = hf_fields_count(&response->fields, "ETag") > 0 ||
			 hf_fields_count(&response->fields, "Last-Modified") > 0;

	if (cc->no_cache && !validator)
		return false;
	if (has_explicit_freshness(rules, cc, &response->fields))
		return true;
	if (!cc->is_public && !(rules->is_private && cc->is_private) &&
	    !hf_cache_status_is_heuristic(response->status))
		return false;
	return validator;
}

static bool is_authorized(const struct hf_cache_rules *rules, const struct hf_cache_control *cc,
			  const struct hf_fields *request)
{
	return rules->is_private || hf_fields_count(request, "Authorization") == 0 ||
	       cc->is_public || cc->must_revalidate || cc->s_maxage != HF_DELTA_NONE;
}

/* POST with a Content-Location that is the target (RFC 9110 section 9.3.3). */
static bool describes_target(const struct hf_message *response, const struct hf_url *url,
			     struct hf_arena *scratch)
{
	const struct hf_span *location = hf_fields_get(&response->fields, "Content-Location");
	struct hf_target target;

	return location && hf_fields_count(&response->fields, "Content-Location") == 1 &&
	       hf_reference_resolve(url, *location, scratch, &target) &&
	       hf_target_is_of(&target, url);
}

static bool is_storable_method(const struct hf_cache_rules *rules, const struct hf_message *request,
			       const struct hf_url *url, const struct hf_message *response,
			       struct hf_arena *scratch)
{
	struct hf_cache_control cc;

	if (hf_span_eq_str(request->method, "GET"))
		return true;
	hf_cache_control_parse(&response->fields, &cc);
	return hf_span_eq_str(request->method, "POST") && response->status < 300 &&
	       has_explicit_freshness(rules, &cc, &response->fields) &&
	       describes_target(response, url, scratch);
}

/* no-store counts less than must-understand where the status is understood. */
static bool is_forbidden(const struct hf_cache_control *asked, const struct hf_cache_control *cc)
{
	return asked->no_store || (cc->no_store && !cc->must_understand);
}

enum hf_cache_refusal hf_cache_storable(const struct hf_cache_rules *rules,
					const struct hf_message *request, const struct hf_url *url,
					const struct hf_message *response, struct hf_arena *scratch)
{
	struct hf_cache_control cc, asked;

	hf_cache_control_parse(&response->fields, &cc);
	hf_cache_control_parse_request(&request->fields, &asked);
	if (!is_storable_method(rules, request, url, response, scratch))
		return HF_CACHE_NOT_METHOD;
	if (!is_storable_status(response->status) ||
	    (cc.must_understand && !is_understood(response->status)))
		return HF_CACHE_NOT_STATUS;
	if (is_forbidden(&asked, &cc))
		return HF_CACHE_NOT_NO_STORE;
	if (cc.is_private && !rules->is_private)
		return HF_CACHE_NOT_PRIVATE;
	if (!is_authorized(rules, &cc, &request->fields))
		return HF_CACHE_NOT_AUTHORIZATION;
	if (hf_vary_is_star(&response->fields))
		return HF_CACHE_NOT_VARY;
	return is_usable(rules, &cc, response) ? HF_CACHE_STORE : HF_CACHE_NOT_FRESHNESS;
}

const char *hf_cache_refusal_name(enum hf_cache_refusal refusal)
{
	static const char *const names[] = {
		[HF_CACHE_STORE] = "",
		[HF_CACHE_NOT_METHOD] = "method",
		[HF_CACHE_NOT_STATUS] = "status",
		[HF_CACHE_NOT_NO_STORE] = "no-store",
		[HF_CACHE_NOT_PRIVATE] = "private",
		[HF_CACHE_NOT_AUTHORIZATION] = "authorization",
		[HF_CACHE_NOT_FRESHNESS] = "no-freshness",
		[HF_CACHE_NOT_VARY] = "vary",
	};

	return refusal < COUNT(names) ? names[refusal] : "";
}

/* ---- fields ---- */

static bool is_withheld(const struct hf_cache_rules *rules, const struct hf_cache_control *cc,
			struct hf_span name)
{
	return hf_cache_names_have(&cc->no_cache_names, name) ||
	       (!rules->is_private && hf_cache_names_have(&cc->private_names, name));
}

int hf_cache_kept_fields(const struct hf_cache_rules *rules, const struct hf_fields *response,
			 struct hf_arena *arena, struct hf_fields *out)
{
	struct hf_cache_control cc;
	size_t i;
	int rc = 0;

	hf_cache_control_parse(response, &cc);
	hf_fields_init(out, arena);
	for (i = 0; i < response->n && !rc; i++)
		if (!is_withheld(rules, &cc, response->v[i].name))
			rc = hf_fields_add(out, response->v[i].name, response->v[i].value);
	hf_fields_strip_hop(out);
	return rc;
}

int hf_cache_add_date(const struct hf_cache_times *times, struct hf_fields *fields)
{
	char date[HF_HTTP_DATE_LEN + 1];
	struct hf_span text;

	if (times->wall_ms <= 0 || hf_fields_count(fields, "Date") > 0)
		return 0;
	hf_http_date_format(times->wall_ms / 1000, date);
	text = hf_arena_copy(fields->arena, hf_span(date, HF_HTTP_DATE_LEN));
	return text.ptr ? hf_fields_add(fields, HF_SPAN("Date"), text) : HF_ENOMEM;
}

int hf_cache_stored_fields(const struct hf_cache_rules *rules, const struct hf_fields *response,
			   const struct hf_cache_times *times, struct hf_arena *arena,
			   struct hf_fields *out)
{
	int rc = hf_cache_kept_fields(rules, response, arena, out);

	return rc ? rc : hf_cache_add_date(times, out);
}
