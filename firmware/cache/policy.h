/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTTP cache may do (RFC 9111, RFC 5861): pure decisions, no I/O and no
 * clock. Memory is the caller's arena; spans of results point into it, or into
 * what was passed in.
 *
 * Times are milliseconds. Device time is boot time accumulated over all boots:
 * it stands still while the device is off, so that a difference across boots is
 * only a lower bound of what has passed.
 */
#ifndef HF_CACHE_POLICY_H
#define HF_CACHE_POLICY_H

#include "base/arena.h"
#include "base/span.h"
#include "http/cache_control.h"
#include "http/cache_status.h"
#include "http/message.h"
#include "http/reference.h"
#include "http/url.h"

struct hf_cache_clock {
	uint64_t device_ms;
	uint32_t boot;	 /* number of this boot */
	int64_t wall_ms; /* Unix; 0: not trusted */
};

/* When a response came. A validation (304) renews all four. */
struct hf_cache_times {
	uint64_t request_ms, response_ms; /* device time */
	uint32_t boot;			  /* the boot both are of */
	int64_t wall_ms;		  /* at response_ms; 0: not trusted then */
};

/* A stored response, as the decisions see it. */
struct hf_cache_entry {
	int status;
	const struct hf_fields *fields;
	struct hf_span variant; /* hf_vary_key() of it (http/vary.h) */
	struct hf_cache_times times;
	bool invalidated; /* RFC 9111 section 4.4: validate before any use */
};

struct hf_cache_rules {
	bool is_private;	 /* private cache; false: shared */
	int32_t heuristic_max_s; /* ceiling of heuristic freshness; 0: one day */
	/* How stale an answer may be while disconnected, where nothing forbids
	 * it; HF_DELTA_MAX: any, and also of unknown age. */
	int32_t offline_stale_s;
	/* 502, 503 and 504 while validating count as no connection. */
	bool gateway_errors_are_offline;
};

/* ---- storing (RFC 9111 section 3) ---- */

enum hf_cache_refusal {
	HF_CACHE_STORE, /* it may be stored */
	HF_CACHE_NOT_METHOD,
	HF_CACHE_NOT_STATUS, /* not final, 206, 304, 416, or must-understand and unknown */
	HF_CACHE_NOT_NO_STORE,
	HF_CACHE_NOT_PRIVATE,
	HF_CACHE_NOT_AUTHORIZATION,
	HF_CACHE_NOT_FRESHNESS, /* nothing says it may be reused, nor how to validate */
	HF_CACHE_NOT_VARY,	/* Vary: *, or one that cannot be read */
};

/* Whether the response to @request may be stored as the answer to a GET of
 * @url. POST: only with explicit freshness and a Content-Location that equals
 * @url (RFC 9110 section 9.3.3); HEAD: never (see hf_cache_head). */
enum hf_cache_refusal hf_cache_storable(const struct hf_cache_rules *rules,
					const struct hf_message *request, const struct hf_url *url,
					const struct hf_message *response,
					struct hf_arena *scratch);
/* "no-store" and so on, for logs and Cache-Status; "" for HF_CACHE_STORE. */
const char *hf_cache_refusal_name(enum hf_cache_refusal refusal);

/* The fields to store of a response: without hop-by-hop fields, those that
 * Connection names, and those a qualified no-cache (any cache) or private
 * (shared) names (RFC 9111 section 3.1). A Date is added when there is none and
 * the wall clock is trusted (RFC 9110 section 6.6.1). Spans are those of
 * @response. HF_ENOMEM. */
int hf_cache_stored_fields(const struct hf_cache_rules *rules, const struct hf_fields *response,
			   const struct hf_cache_times *times, struct hf_arena *arena,
			   struct hf_fields *out);

/* ---- freshness (RFC 9111 section 4.2) ---- */

struct hf_cache_freshness {
	int64_t lifetime_s;
	bool is_explicit;
	bool age_known; /* false: no clock spans the time since it came */
	bool is_fresh;	/* age_known and lifetime_s is above age_s */
	int64_t age_s;	/* current_age, at least 0; unknown: the least it can be */
	int64_t ttl_s;	/* lifetime_s - age_s; negative: stale for so long */
};

void hf_cache_freshness(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
			const struct hf_cache_clock *now, struct hf_cache_freshness *out);

/* ---- reuse (RFC 9111 section 4) ---- */

enum hf_cache_use {
	HF_CACHE_FRESH,		   /* serve it */
	HF_CACHE_STALE_REVALIDATE, /* serve it, validate in the background */
	HF_CACHE_STALE_ALLOWED,	   /* serve it: the request's max-stale takes it */
	HF_CACHE_REVALIDATE,	   /* ask with a condition (hf_cache_condition) */
	HF_CACHE_REFETCH,	   /* ask without: there is no validator */
	HF_CACHE_GATEWAY_TIMEOUT,  /* only-if-cached: 504 */
};

struct hf_cache_decision {
	enum hf_cache_use use;
	enum hf_cache_fwd fwd; /* for Cache-Status when it asks: stale, request, ... */
	/* When asking fails: whether the entry may be served, by the kind of
	 * failure (RFC 9111 section 4.2.4, RFC 5861 section 4). Where it is not
	 * allowed an unreachable origin is a 504. */
	bool stale_on_unreachable; /* no connection, or it broke before an answer */
	bool stale_on_gateway;	   /* 502, 503 or 504 */
	bool stale_on_5xx;	   /* 500, 502, 503 or 504: stale-if-error */
	struct hf_cache_freshness freshness;
};

/* @entry: the selected one, or NULL when there is none (then REFETCH or
 * GATEWAY_TIMEOUT; the caller names uri-miss or vary-miss). @request is a GET or
 * HEAD. */
void hf_cache_decide(const struct hf_cache_rules *rules, const struct hf_cache_entry *entry,
		     const struct hf_fields *request, const struct hf_cache_clock *now,
		     struct hf_cache_decision *out);

/* Whether the entry may be served although the origin answered @status; 0: it
 * did not answer. */
bool hf_cache_stale_for(const struct hf_cache_decision *decision, int status);

/* The request goes past the cache, both ways: no-store (RFC 9111 section
 * 5.2.1.5; with only-if-cached it is the cache's 504 instead), If-Match and
 * If-Unmodified-Since, which only the origin can answer. */
bool hf_cache_bypass(const struct hf_fields *request);

/* Index of the entry that answers @request: its selecting key matches and its
 * Date is the newest (then the one that came last); -1: none. (RFC 9111 section
 * 4.1) */
int hf_cache_select(struct hf_arena *scratch, const struct hf_cache_entry *entries, size_t n,
		    const struct hf_fields *request);

/* Where none answers it exactly, for a worker's cache: the newest one that differs in
 * its Accept-Encoding alone and is acceptable to it; of any coding, or with @plain only
 * without one. -1: none. */
int hf_cache_select_coding(struct hf_arena *scratch, const struct hf_cache_entry *entries, size_t n,
			   const struct hf_fields *request, bool plain);

/* ---- validation (RFC 9111 section 4.3) ---- */

/* Whether the entry has an ETag or a Last-Modified. */
bool hf_cache_has_validator(const struct hf_cache_entry *entry);

/* The fields of the request that validates: those of @request without its own
 * conditions, Range and If-Range; If-None-Match with the entity-tags of @selected
 * and of the other variants (at most 16, 4 KiB), If-Modified-Since of
 * @selected. @selected -1: none is, only other variants are asked for by tag;
 * the one that a 304 then confirms is the answer to this request, too. Without
 * any validator there is no condition at all. Spans are those of @request and
 * the entries, or in @arena. HF_ENOMEM. */
int hf_cache_condition(const struct hf_cache_entry *entries, size_t n, int selected,
		       const struct hf_fields *request, struct hf_arena *arena,
		       struct hf_fields *out);

/* Which entry a 304 confirms (RFC 9111 section 4.3.4): a strong validator in it
 * must equal the entry's; a weak one must match weakly (the newest such entry);
 * one without validators is for @asked, the only entry asked for. -1: none; ask
 * again without a condition. */
int hf_cache_confirmed(const struct hf_cache_entry *entries, size_t n, int asked,
		       const struct hf_fields *not_modified);

/* The stored fields after a 304, or a HEAD, of @fresh (RFC 9111 section 3.2):
 * every field of @fresh replaces those of its name, except Content-Length,
 * Content-Encoding, Content-Range, hop-by-hop fields and those a qualified
 * no-cache or private of @fresh names. Spans are those of both. HF_ENOMEM. */
int hf_cache_updated_fields(const struct hf_cache_rules *rules, const struct hf_fields *stored,
			    const struct hf_fields *fresh, const struct hf_cache_times *times,
			    struct hf_arena *arena, struct hf_fields *out);

/* Whether a client's condition is met by the entry, so that the answer is 304
 * (RFC 9111 section 4.3.2): If-None-Match first, else If-Modified-Since against
 * Last-Modified, Date or the time it came. Only for 200 entries. */
bool hf_cache_not_modified(const struct hf_cache_entry *entry, const struct hf_fields *request);

enum hf_cache_head {
	HF_CACHE_HEAD_NOTHING,	  /* the entry stays as it is */
	HF_CACHE_HEAD_UPDATE,	  /* hf_cache_updated_fields() */
	HF_CACHE_HEAD_INVALIDATE, /* the entry is not what the origin has */
};
/* What the answer to a HEAD says of a stored GET (RFC 9111 section 4.3.5).
 * @length: bytes stored. */
enum hf_cache_head hf_cache_head(const struct hf_cache_entry *entry, uint64_t length,
				 const struct hf_message *response);

/* ---- answering (RFC 9111 sections 4 and 5.1) ---- */

enum hf_cache_shape {
	HF_CACHE_AS_STORED, /* the entry's status and all its fields */
	HF_CACHE_AS_304,    /* without those that describe a body */
	HF_CACHE_AS_206,    /* without Content-Length and Content-Range */
	HF_CACHE_AS_416,    /* as 206, and without other fields of a body */
};

/* The entry's fields for an answer, with Age in place of a stored one. What
 * frames the body (Content-Length, Content-Range, Content-Type of multipart) is
 * added by the caller. Spans are the entry's, or in @arena. HF_ENOMEM. */
int hf_cache_answer_fields(const struct hf_cache_entry *entry,
			   const struct hf_cache_freshness *freshness, enum hf_cache_shape shape,
			   struct hf_arena *arena, struct hf_fields *out);

/* ---- invalidation (RFC 9111 section 4.4) ---- */

#define HF_CACHE_INVALID_MAX 3

/* What an answer to @method at @url makes invalid: nothing for safe methods and
 * for answers outside 2xx and 3xx; else the target itself and the Location and
 * Content-Location that are of the same origin. References are resolved (RFC
 * 3986 section 5.2) into @arena; bad ones are passed over. Returns how many. */
size_t hf_cache_invalidates(struct hf_span method, const struct hf_url *url,
			    const struct hf_message *response, struct hf_arena *arena,
			    struct hf_target out[HF_CACHE_INVALID_MAX]);

#endif
