/* SPDX-License-Identifier: Apache-2.0 */
/* Cache-Status (RFC 9211): how a cache handled a request. */
#ifndef HF_HTTP_CACHE_STATUS_H
#define HF_HTTP_CACHE_STATUS_H

#include "base/span.h"
#include "http/message.h"

enum hf_cache_fwd {  /* RFC 9211 section 2.2 */
	HF_FWD_NONE, /* not forwarded: a hit, or an answer of the cache's own */
	HF_FWD_BYPASS,
	HF_FWD_METHOD,
	HF_FWD_URI_MISS,
	HF_FWD_VARY_MISS,
	HF_FWD_MISS,
	HF_FWD_REQUEST,
	HF_FWD_STALE,
	HF_FWD_PARTIAL,
};

struct hf_cache_status {
	bool hit; /* written only when @fwd is HF_FWD_NONE */
	enum hf_cache_fwd fwd;
	int fwd_status; /* 0: the same as the answer's, or none */
	bool has_ttl;
	int64_t ttl_s; /* negative: stale for so long */
	bool stored, collapsed;
	struct hf_span key;    /* empty: not written */
	struct hf_span detail; /* as key */
};

/* "uri-miss" and so on; "" for HF_FWD_NONE. */
const char *hf_cache_fwd_name(enum hf_cache_fwd fwd);

/* Appends the member of the cache @name (a token) behind those of caches nearer
 * to the origin. @key and @detail are written as strings, bytes outside
 * printable ASCII as '?', at most 200 bytes. Memory is the arena of @response.
 * HF_ENOMEM. */
int hf_cache_status_append(struct hf_fields *response, const char *name,
			   const struct hf_cache_status *status);

#endif
