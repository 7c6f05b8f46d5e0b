/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "routes": what each member may be, and which members make sense together. A
 * member that would have no effect is a fault, because its author expects one.
 */
#include "worker/manifest_parts.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "holdfast/err.h"
#include "worker/condition.h"
#include "worker/queue_policy.h"

#define TIMEOUT_SECONDS_MAX  3600
#define CACHE_NAME_BYTES_MAX 128
#define COUNT(array)	     (sizeof(array) / sizeof((array)[0]))

enum {
	KEY_CONDITION,
	KEY_SOURCE,
	KEY_TIMEOUT,
	KEY_CACHE_NAME,
	KEY_EXPIRATION,
	KEY_CACHEABLE,
	KEY_FALLBACK_ON,
	KEY_OFFLINE,
	KEY_QUEUE,
	KEYS
};
static const char *const keys[KEYS] = {
	"condition",  "source",	    "networkTimeoutSeconds",
	"cacheName",  "expiration", "cacheableResponse",
	"fallbackOn", "offline",    "queue",
};

/* The words of the static routing API first, then those of Workbox. */
static const struct {
	const char *word;
	enum hf_source source;
} sources[] = {
	{ "network", HF_SOURCE_NETWORK },
	{ "cache", HF_SOURCE_CACHE },
	{ "cache-first", HF_SOURCE_CACHE_FIRST },
	{ "network-first", HF_SOURCE_NETWORK_FIRST },
	{ "stale-while-revalidate", HF_SOURCE_STALE_WHILE_REVALIDATE },
	{ "race", HF_SOURCE_RACE },
	{ "network-only", HF_SOURCE_NETWORK },
	{ "cache-only", HF_SOURCE_CACHE },
	{ "race-network-and-cache", HF_SOURCE_RACE },
};

const char *hf_source_name(enum hf_source source)
{
	for (size_t i = 0; i < COUNT(sources); i++) {
		if (sources[i].source == source)
			return sources[i].word;
	}
	return "unknown";
}

static void read_source(struct hf_json_doc *d, const cJSON *item, const cJSON *const *m,
			struct hf_route *route)
{
	const char *words[COUNT(sources)];
	int i;

	if (!m[KEY_SOURCE]) {
		if (!m[KEY_QUEUE])
			hf_json_fault(d, item, "\"source\" is missing");
		return;
	}
	for (size_t w = 0; w < COUNT(sources); w++)
		words[w] = sources[w].word;
	i = hf_json_word(d, m[KEY_SOURCE], words, COUNT(words));
	if (i < 0)
		return;
	route->source = sources[i].source;
	if (route->source != HF_SOURCE_NETWORK && !IS_ENABLED(CONFIG_HF_CACHE))
		hf_json_notice(d, m[KEY_SOURCE],
			       "\"%s\" has no effect: this holdfastd was built without caches; the "
			       "request goes to its origin, as with \"network\"",
			       words[i]);
}

static void read_timeout(struct hf_json_doc *d, const cJSON *item, struct hf_route *route)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.001) ||
	    !(item->valuedouble <= TIMEOUT_SECONDS_MAX)) {
		hf_json_fault(d, item, "must be a number of seconds from 0.001 to %d",
			      TIMEOUT_SECONDS_MAX);
	} else if (route->source != HF_SOURCE_NETWORK && route->source != HF_SOURCE_NETWORK_FIRST) {
		hf_json_fault(d, item,
			      "has no effect with source \"%s\"; it is for network and "
			      "network-first",
			      hf_source_name(route->source));
	} else {
		route->network_timeout_ms = (uint32_t)(item->valuedouble * 1000 + 0.5);
	}
}

static void read_cache(struct hf_json_doc *d, const cJSON *const *m, struct hf_route *route)
{
	hf_cache_rule_defaults(&route->cache);
	for (int k = KEY_CACHE_NAME; k <= KEY_OFFLINE; k++) {
		if (m[k] && route->source == HF_SOURCE_NETWORK && k != KEY_OFFLINE) {
			hf_json_fault(d, m[k], "has no effect with source \"network\"");
			return;
		}
	}
	if (m[KEY_CACHE_NAME])
		route->cache.name = hf_json_text_dup(d, m[KEY_CACHE_NAME], CACHE_NAME_BYTES_MAX);
	if (m[KEY_EXPIRATION])
		hf_cache_rule_read_expiration(d, m[KEY_EXPIRATION], &route->cache);
	if (m[KEY_CACHEABLE])
		hf_cache_rule_read_cacheable(d, m[KEY_CACHEABLE], &route->cache);
	if (m[KEY_FALLBACK_ON])
		hf_cache_rule_read_fallback(d, m[KEY_FALLBACK_ON], &route->cache);
	if (m[KEY_OFFLINE])
		route->cache.offline = hf_manifest_read_target(d, m[KEY_OFFLINE]);
}

static void read_queue(struct hf_json_doc *d, const cJSON *item, struct hf_route *route)
{
	hf_queue_policy_read(d, item, &route->policy, &route->lane_rule, &route->queued);
	if (!route->queued)
		return;
	if (route->source != HF_SOURCE_NETWORK && route->source != HF_SOURCE_NETWORK_FIRST)
		hf_json_fault(d, item,
			      "cannot stand with source \"%s\": a request is queued when "
			      "the network failed, so use source \"network\"",
			      hf_source_name(route->source));
	if (route->condition && !hf_condition_has_other_methods(route->condition))
		hf_json_fault(d, item,
			      "can never be used: GET and HEAD are not queued, and this "
			      "route matches no other method");
}

static void read_route(struct hf_json_doc *d, const cJSON *item, struct hf_route *route,
		       unsigned *conditions)
{
	const cJSON *m[KEYS];

	route->line = hf_json_item_line(d, item);
	if (!hf_json_object(d, item, keys, KEYS, m))
		return;
	if (m[KEY_CONDITION])
		route->condition = hf_condition_read(d, m[KEY_CONDITION], conditions);
	read_source(d, item, m, route);
	if (m[KEY_TIMEOUT])
		read_timeout(d, m[KEY_TIMEOUT], route);
	read_cache(d, m, route);
	if (m[KEY_QUEUE])
		read_queue(d, m[KEY_QUEUE], route);
}

/* ---- what routes say together ---- */

/* The first route that matches exactly the same requests. */
static const struct hf_route *find_twin(const struct hf_manifest *m, char **identities, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		const struct hf_route *a = &m->routes[i], *b = &m->routes[j];
		bool same_default = a->queued == b->queued ||
				    (a->condition && a->condition->has_method);

		if (same_default && strcmp(identities[i], identities[j]) == 0)
			return b;
	}
	return NULL;
}

static char *identity(const struct hf_condition *c)
{
	struct hf_buf key;
	char *text = NULL;

	hf_buf_init(&key, SIZE_MAX / 2);
	if (hf_condition_key(c, &key) == 0)
		text = hf_span_dup(hf_buf_span(&key));
	hf_buf_finish(&key);
	return text;
}

static void check_twins(struct hf_json_doc *d, const cJSON *item, const struct hf_manifest *m)
{
	char **identities = hf_json_calloc(d, m->routes_n, sizeof(*identities));
	const cJSON *entry = item->child;
	size_t n = 0;

	for (; identities && n < m->routes_n; n++, entry = entry->next) {
		const struct hf_route *twin;

		identities[n] = identity(m->routes[n].condition);
		if (!identities[n]) {
			d->faults->nomem = true;
			break;
		}
		twin = find_twin(m, identities, n);
		if (twin)
			hf_json_fault(d, entry,
				      "is never reached: routes[%u] in line %u has the "
				      "same condition",
				      twin->index, twin->line);
	}
	for (size_t i = 0; i < n; i++)
		free(identities[i]);
	free(identities);
}

/* What is a property of the lane, so that its routes must agree on it; NULL: they
 * do. */
static const char *lane_conflict(const struct hf_policy *a, const struct hf_policy *b)
{
	if (a->order != b->order)
		return "order";
	if (a->when_full != b->when_full)
		return "whenFull";
	return a->urgency != b->urgency ? "urgency" : NULL;
}

static void check_lanes(struct hf_json_doc *d, const cJSON *item, const struct hf_manifest *m)
{
	const cJSON *entry = item->child;
	char quoted[HF_QUOTE_SIZE];

	for (size_t i = 0; i < m->routes_n; i++, entry = entry->next) {
		const struct hf_route *a = &m->routes[i];

		for (size_t j = 0; a->queued && j < i; j++) {
			const struct hf_route *b = &m->routes[j];
			const char *what = lane_conflict(&a->policy, &b->policy);

			if (!b->queued || !what || strcmp(a->policy.lane, b->policy.lane) != 0)
				continue;
			hf_json_fault(d, entry,
				      "lane %s has another \"%s\" in routes[%u], "
				      "line %u",
				      hf_quote(hf_span_str(a->policy.lane), quoted), what, b->index,
				      b->line);
			break;
		}
	}
}

void hf_manifest_read_routes(struct hf_json_doc *d, const struct cJSON *item, struct hf_manifest *m)
{
	const cJSON *entry = item->child;
	unsigned conditions = 0, before = d->faults->n;
	size_t n;

	if (!hf_json_array(d, item, CONFIG_HF_WORKER_ROUTES_MAX, &n))
		return;
	m->routes = hf_json_calloc(d, n, sizeof(*m->routes));
	if (!m->routes)
		return;
	for (; m->routes_n < n; m->routes_n++, entry = entry->next) {
		m->routes[m->routes_n].index = (unsigned)m->routes_n;
		read_route(d, entry, &m->routes[m->routes_n], &conditions);
	}
	if (d->faults->n > before || d->faults->nomem)
		return; /* a condition that was not read would look like none */
	check_twins(d, item, m);
	check_lanes(d, item, m);
}
