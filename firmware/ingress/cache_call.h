/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to ingress/: calls about one cache, "caches/NAME" and below. NAME is the name
 * of a worker's cache, the origin of an HTTP cache, or the worker or the version of a
 * precache, in this order; the parameter "kind" names one of them.
 */
#ifndef HF_INGRESS_CACHE_CALL_H
#define HF_INGRESS_CACHE_CALL_H

#include "cache/cache.h"
#include "ingress/api.h"

struct hf_cache_call {
	struct hf_api_call call;
	struct hf_shelf_caches list;
	struct hf_span name;
	struct hf_shelf_cache cache; /* the one that is meant, copied */
	void (*found)(struct hf_cache_call *c);
};

static inline struct hf_cache_call *hf_cache_call_of(struct hf_api_call *call)
{
	return hf_container_of(call, struct hf_cache_call, call);
}

/* False: there are no caches now, and the call has been answered. */
bool hf_cache_call_open(struct hf_api_call *call);
/* NAME, decoded, into @c; false: malformed, and answered. */
bool hf_cache_call_name(struct hf_cache_call *c);
/* Finds the cache, then @found; the call has been answered when there is none. */
void hf_cache_call_find(struct hf_cache_call *c, void (*found)(struct hf_cache_call *c));
/* Whether the caller may see it. */
bool hf_cache_call_sees(const struct hf_api_call *call, const struct hf_shelf_cache *cache);
/* The key in a cache that the parameter "url" says. True: there is one in @url; false: it
 * is absent (@url ptr NULL) or (ptr not NULL) it was refused. */
bool hf_cache_call_url(struct hf_api_call *call, struct hf_span *url);
/* Answers what the shelf, or memory, has refused. */
void hf_cache_call_failed(struct hf_api_call *call, int err);
/* Ends the call with @json when @err is 0. Takes it. */
void hf_cache_call_answer(struct hf_api_call *call, int status, struct hf_buf *json, int err);

/* ---- cache_json.c ---- */

const char *hf_cache_kind_name(enum hf_shelf_kind kind);
/* Appends a cache as an object. */
int hf_cache_json(const struct hf_shelf_cache *cache, struct hf_buf *out);
/* Appends an entry as an object. */
int hf_cache_entry_json(const struct hf_stored *s, const struct hf_cache_clock *now,
			struct hf_buf *out);

#endif
