/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes out what came while somebody else may have answered in the origin's place
 * (a captive portal over plain HTTP): entries of a cache that came in this boot at
 * @since_ms (boot time) or later.
 */
#ifndef HF_CACHE_DISTRUST_H
#define HF_CACHE_DISTRUST_H

#include "cache/cache.h"

struct hf_distrust {
	struct hf_cache *cache;
	struct hf_shelf_list list;
	uint64_t since_ms;
	uint32_t id;	     /* of the cache */
	bool running, again; /* another look is due */
};

/* One look at a time; a call while one runs is a look more behind it. */
void hf_distrust(struct hf_distrust *d, struct hf_cache *cache, uint32_t id, uint64_t since_ms);

#endif
