/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a route says of its cache: "cacheName", "expiration" and
 * "cacheableResponse" as Workbox's plugins of these names, "fallbackOn" and
 * "offline".
 */
#ifndef HF_WORKER_CACHE_RULE_H
#define HF_WORKER_CACHE_RULE_H

#include "worker/json_read.h"

#define HF_CACHE_NAME_DEFAULT "runtime"
#define HF_RULE_STATUSES_MAX  8

struct hf_statuses {
	uint16_t v[HF_RULE_STATUSES_MAX];
	uint8_t n;
};

struct hf_cache_rule {
	char *name;			/* NULL: HF_CACHE_NAME_DEFAULT */
	uint32_t max_entries;		/* 0: no limit of its own */
	uint32_t max_age_s;		/* older ones count as missing; 0: none */
	uint64_t max_bytes;		/* 0: no limit of its own */
	struct hf_statuses store;	/* statuses that are stored: 200 */
	bool personal;			/* also answers with no-store, private, or to a request with
				   * Authorization */
	struct hf_statuses fallback_on; /* answers that are worse than a stored one */
	char *offline;			/* target of a page for want of an answer; NULL: none */
};

void hf_cache_rule_defaults(struct hf_cache_rule *out);
/* The members of a route; each may be NULL. */
void hf_cache_rule_read_expiration(struct hf_json_doc *d, const struct cJSON *item,
				   struct hf_cache_rule *out);
void hf_cache_rule_read_cacheable(struct hf_json_doc *d, const struct cJSON *item,
				  struct hf_cache_rule *out);
void hf_cache_rule_read_fallback(struct hf_json_doc *d, const struct cJSON *item,
				 struct hf_cache_rule *out);
void hf_cache_rule_finish(struct hf_cache_rule *r);

static inline bool hf_statuses_have(const struct hf_statuses *s, int status)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->v[i] == status)
			return true;
	return false;
}

#endif
