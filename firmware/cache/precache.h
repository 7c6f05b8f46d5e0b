/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a worker's active version: which URLs there are, in memory as 8
 * bytes each, and which of them a request means (Workbox's precaching: exact,
 * without tracking parameters, the folder's index, with ".html").
 */
#ifndef HF_CACHE_PRECACHE_H
#define HF_CACHE_PRECACHE_H

#include "base/arena.h"
#include "cache/cache.h"

struct hf_precache {
	struct hf_cache *cache;
	uint32_t id;	/* on the shelf; 0: there is none */
	bool by_name;	/* only files without a revision: their URLs tell their content */
	uint64_t *keys; /* sorted */
	size_t n, cap;
	/* loading */
	struct hf_shelf_list list;
	uint32_t next_id;
	uint64_t *next_keys;
	size_t next_n, next_cap;
	void (*loaded)(void *user, int err);
	void *user;
	bool loading;
};

void hf_precache_init(struct hf_precache *p, struct hf_cache *cache);
/* The shelf is gone, or nothing is loading. */
void hf_precache_finish(struct hf_precache *p);
/* From now on @id is the active one: its URLs are read, then they take the place of
 * those of the one before. @loaded on a later turn. */
void hf_precache_load(struct hf_precache *p, uint32_t id, void (*loaded)(void *user, int err),
		      void *user);
/* The URL by which the request for @target is stored, in @arena or @target itself.
 * False: it is not among them. */
bool hf_precache_find(const struct hf_precache *p, struct hf_span target, struct hf_arena *arena,
		      struct hf_span *url);

#endif
