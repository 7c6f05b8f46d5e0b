/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to ingress/: what is asked of a cache, as request and options of the Cache
 * interface: "url", "method", "ignoreSearch", "ignoreMethod", "ignoreVary"; "all" for all
 * that match, "after" for the next of their pages, "id" for one of a list. The fields are
 * those of the call.
 */
#ifndef HF_INGRESS_CACHE_QUERY_H
#define HF_INGRESS_CACHE_QUERY_H

#include "ingress/cache_call.h"

struct hf_cache_query {
	struct hf_span url;  /* ptr NULL: none, all entries are meant */
	struct hf_span path; /* ignoreSearch: of which they are; ptr NULL: the url is compared */
	bool all, ignore_vary;
	bool nothing;	    /* of another method, which no entry matches */
	uint64_t id, after; /* 0: none */
};

/* False: it was refused. */
bool hf_cache_query_read(struct hf_api_call *call, struct hf_cache_query *q);
/* Whether @s, which has the URL, is meant. */
bool hf_cache_query_matches(const struct hf_api_call *call, const struct hf_cache_query *q,
			    const struct hf_stored *s);

#endif
