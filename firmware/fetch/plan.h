/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caches have to do with a request: which of them, and by which strategy
 * (Workbox's words). Made by the worker's route and the origin's settings.
 */
#ifndef HF_FETCH_PLAN_H
#define HF_FETCH_PLAN_H

#include "fetch/fill.h"
#include "worker/manifest.h"

/* Holdfast is a shared cache; while the origin cannot be reached an answer of any age is
 * better than none, where it does not say otherwise. */
extern const struct hf_cache_rules hf_http_rules;

struct hf_plan {
	enum hf_source source; /* HF_SOURCE_NETWORK: the HTTP cache (RFC 9111) */
	uint32_t cache;
	struct hf_span url; /* the key in it */
	struct hf_fill_terms terms;
	uint32_t timeout_ms; /* of the network, 0: none */
	uint64_t age_max_ms; /* an entry that is older counts as missing; 0: none */
	struct hf_statuses fallback_on;
	const char *offline; /* target of a page for want of an answer, NULL: none */
	bool precached;	     /* cache-first out of a precache, nothing is stored */
};

/* False: no cache has to do with it. @route may be NULL. @refresh: the files of a
 * precache are left alone. */
bool hf_plan_make(struct hf_fetch *f, const struct hf_fetch_request *req,
		  const struct hf_route *route, bool refresh, struct hf_plan *out);

#endif
