/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HF_CACHE_POLICY_PRIVATE_H
#define HF_CACHE_POLICY_PRIVATE_H

#include "cache/policy.h"

/* Status codes that are heuristically cacheable (RFC 9110 section 15.1), but
 * 206. */
bool hf_cache_status_is_heuristic(int status);
/* hf_cache_stored_fields() without the Date. */
int hf_cache_kept_fields(const struct hf_cache_rules *rules, const struct hf_fields *response,
			 struct hf_arena *arena, struct hf_fields *out);
/* Adds a Date of the time of receipt where there is none. */
int hf_cache_add_date(const struct hf_cache_times *times, struct hf_fields *fields);

/* By Date, then by the time of receipt. */
bool hf_cache_is_newer(const struct hf_cache_entry *a, const struct hf_cache_entry *b);

#endif
