/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the shelf is in memory: for a URL of a cache all of its entries, or that
 * there are none. Slots that were used longest ago go when the ceiling is passed.
 *
 * A slot is LOADING from the moment the shelf is asked until it has answered, then
 * READY. Operations of the shelf report in the order they were submitted in, so a
 * slot that is LOADING when a put reports was asked for after that put. What is
 * removed or changed while a slot is LOADING may still be in the shelf's answer; then
 * the shelf is asked again.
 */
#ifndef HF_CACHE_HOT_H
#define HF_CACHE_HOT_H

#include "base/list.h"
#include "base/strmap.h"
#include "cache/stored.h"

struct hf_hot_slot {
	struct hf_list lru;
	struct hf_list waiting; /* lookups, while LOADING */
	bool loading;
	uint32_t generation; /* changes when something was removed, while LOADING changed */
	struct hf_stored *v[HF_SHELF_VARIANTS_MAX]; /* stored last first */
	size_t n;
	size_t bytes;
	size_t key_len;
	char key[]; /* cache, URL */
};

struct hf_hot {
	struct hf_strmap map;
	struct hf_list lru; /* used longest ago first */
	size_t bytes, bytes_max;
	uint32_t generation;
};

void hf_hot_init(struct hf_hot *h, const uint64_t seed[2], size_t bytes_max);
void hf_hot_finish(struct hf_hot *h);
/* NULL: not in memory. */
struct hf_hot_slot *hf_hot_find(struct hf_hot *h, uint32_t cache, struct hf_span url);
/* An empty one that is LOADING. HF_ENOMEM, HF_ETOOBIG. */
int hf_hot_add(struct hf_hot *h, uint32_t cache, struct hf_span url, struct hf_hot_slot **out);
/* Takes the reference. The last one falls out when there are too many. */
void hf_hot_put(struct hf_hot *h, struct hf_hot_slot *s, struct hf_stored *e);
/* Puts @e, with its reference, where the entry of the same id is; false: nowhere. */
bool hf_hot_replace(struct hf_hot *h, struct hf_hot_slot *s, struct hf_stored *e);
/* Takes out the entry with @id. */
void hf_hot_take_out(struct hf_hot *h, struct hf_hot_slot *s, uint64_t id);
/* What is stored changes behind a find that is under way: it is to be asked again. */
void hf_hot_changed(struct hf_hot *h, struct hf_hot_slot *s);
/* Takes out all of them. */
void hf_hot_empty(struct hf_hot *h, struct hf_hot_slot *s);
void hf_hot_used(struct hf_hot *h, struct hf_hot_slot *s);
void hf_hot_drop(struct hf_hot *h, struct hf_hot_slot *s);
/* Drops every slot of @cache, or (0) of all. LOADING ones stay and are emptied. */
void hf_hot_drop_cache(struct hf_hot *h, uint32_t cache);
/* Down to the ceiling; slots that are LOADING, and @spare, stay. */
void hf_hot_shrink(struct hf_hot *h, const struct hf_hot_slot *spare);

#endif
