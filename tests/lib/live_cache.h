/* SPDX-License-Identifier: Apache-2.0 */
/* A cache of the agent over a fake port: its shelf, its memory, its timers. */
#ifndef HF_TESTS_LIVE_CACHE_H
#define HF_TESTS_LIVE_CACHE_H

#include "cache/cache.h"
#include "lib/fake_port.h"

struct live_cache {
	struct fake_port port;
	struct hf_timerq timers;
	struct hf_rand rand;
	size_t memory_max;
	struct hf_cache *cache;
	int opened;	 /* 1: not yet */
	bool assumed;	 /* from the next start on */
	bool doubtful;	 /* what is put */
	bool open;	 /* something is to be proved */
	unsigned judged; /* times */
};

void live_cache_init(struct live_cache *l, size_t memory_max);
void live_cache_finish(struct live_cache *l);
/* Destroys it without an end, and opens it anew. */
void live_cache_restart(struct live_cache *l);
uint32_t live_cache_named(struct live_cache *l, enum hf_shelf_kind kind, const char *name);
/* Begins to store @text as the answer to @url, of @variant; what is in memory of the same
 * variant is replaced. Errors of hf_cache_put. */
int live_cache_put(struct live_cache *l, uint32_t cache, const char *url, const char *variant,
		   const char *text);
/* Ids of what the cache has of @url, settled. */
size_t live_cache_ids(struct live_cache *l, uint32_t cache, const char *url,
		      uint64_t ids[HF_SHELF_VARIANTS_MAX]);
/* The same of the shelf, past the memory: of a variant the one stored last. */
size_t live_cache_shelf_ids(struct live_cache *l, uint32_t cache, const char *url,
			    uint64_t ids[HF_SHELF_VARIANTS_MAX]);

#endif
