/* SPDX-License-Identifier: Apache-2.0 */
/* Age and freshness (RFC 9111 section 4.2). */
#include "cache/policy_private.h"

#define HEURISTIC_MAX_S 86400

/* ---- age (section 4.2.3) ---- */

/* @from_ms may be before the boot, and wrapped around then. */
static int64_t elapsed(uint64_t from_ms, uint64_t to_ms)
{
	int64_t ms = (int64_t)(to_ms - from_ms);

	return ms > 0 ? ms : 0;
}

/* How old it was when it came. */
static int64_t initial_age_ms(const struct hf_cache_entry *entry)
{
	const struct hf_cache_times *t = &entry->times;
	int64_t age = INT64_C(1000) * hf_age_parse(entry->fields) +
		      elapsed(t->request_ms, t->response_ms);
	int64_t date;

	if (t->wall_ms > 0 && hf_field_date(entry->fields, "Date", &date) &&
	    t->wall_ms - date * 1000 > age)
		age = t->wall_ms - date * 1000; /* apparent_age */
	return age;
}

/* How long it has been here, as far as a clock can tell. */
static int64_t resident_ms(const struct hf_cache_times *t, const struct hf_cache_clock *now,
			   bool *known)
{
	int64_t device_ms = elapsed(t->response_ms, now->device_ms);
	int64_t wall_ms;

	*known = t->boot == now->boot;
	if (*known || t->wall_ms <= 0 || now->wall_ms <= 0)
		return device_ms;
	wall_ms = now->wall_ms - t->wall_ms;
	*known = wall_ms >= 0;
	return wall_ms > device_ms ? wall_ms : device_ms;
}

/* ---- lifetime (sections 4.2.1 and 4.2.2) ---- */

static int64_t at_least_0(int64_t x)
{
	return x > 0 ? x : 0;
}

/* The time the response was made; false when nobody knows. */
static bool made_at(const struct hf_cache_entry *entry, int64_t *unix_s)
{
	if (hf_field_date(entry->fields, "Date", unix_s))
		return true;
	*unix_s = entry->times.wall_ms / 1000;
	return entry->times.wall_ms > 0;
}

static bool explicit_lifetime(const struct hf_cache_rules *rules,
			      const struct hf_cache_entry *entry, const struct hf_cache_control *cc,
			      int64_t *lifetime_s)
{
	int64_t expires, date;

	if (!rules->is_private && cc->s_maxage != HF_DELTA_NONE)
		*lifetime_s = cc->s_maxage;
	else if (cc->max_age != HF_DELTA_NONE)
		*lifetime_s = cc->max_age;
	else if (!hf_expires_parse(entry->fields, &expires))
		return false;
	else if (expires == INT64_MIN || !made_at(entry, &date))
		*lifetime_s = 0;
	else
		*lifetime_s = at_least_0(expires - date);
	return true;
}

/* A tenth of the time it had not changed for. */
static int64_t heuristic_lifetime(const struct hf_cache_rules *rules,
				  const struct hf_cache_entry *entry,
				  const struct hf_cache_control *cc)
{
	int64_t max = rules->heuristic_max_s > 0 ? rules->heuristic_max_s : HEURISTIC_MAX_S;
	int64_t modified, date, tenth;

	if (!cc->is_public && !hf_cache_status_is_heuristic(entry->status))
		return 0;
	if (!hf_field_date(entry->fields, "Last-Modified", &modified) || !made_at(entry, &date))
		return 0;
	tenth = at_least_0(date - modified) / 10;
	return tenth < max ? tenth : max;
}

void hf_cache_freshness(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
			const struct hf_cache_clock *now, struct hf_cache_freshness *out)
{
	struct hf_cache_control cc;

	hf_cache_control_parse(entry->fields, &cc);
	out->is_explicit = explicit_lifetime(rules, entry, &cc, &out->lifetime_s);
	if (!out->is_explicit)
		out->lifetime_s = heuristic_lifetime(rules, entry, &cc);
	out->age_s =
		(initial_age_ms(entry) + resident_ms(&entry->times, now, &out->age_known)) / 1000;
	out->ttl_s = out->lifetime_s - out->age_s;
	out->is_fresh = out->age_known && out->ttl_s > 0;
}
