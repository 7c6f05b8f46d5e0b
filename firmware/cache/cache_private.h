/* SPDX-License-Identifier: Apache-2.0 */
/* Private to cache.c (life and changes), lookup.c, marking.c and judging.c. */
#ifndef HF_CACHE_CACHE_PRIVATE_H
#define HF_CACHE_CACHE_PRIVATE_H

#include "cache/cache.h"

struct change;

struct hf_cache {
	struct hf_cache_options opt;
	struct hf_shelf *shelf;
	struct hf_hot hot;
	struct hf_list changes; /* of the shelf, under way */
	struct change *reserve; /* for a removal without memory; NULL: it is under way */
	struct hf_list finds, markings;
	uint32_t boot;
	uint64_t stored; /* entries, since the start */
	bool open, closing;
	void (*opened)(void *user, int err, const struct hf_shelf_report *report);
	void *opened_user;
	struct hf_timer touch_timer;
	struct hf_shelf_touch touch;
	bool touching;
	struct hf_trials trials;
	struct hf_list judgings; /* that the shelf does not know of yet */
	struct hf_timer judge_timer;
	struct hf_stored *shown[HF_SHELF_VARIANTS_MAX]; /* of the last look */
};

/* Takes out the entry with @id, or with 0 all of @url, on the shelf alone. */
void hf_cache_submit_remove(struct hf_cache *c, uint32_t cache, struct hf_span url, uint64_t id);
/* Frees what is under way; the shelf is gone. */
void hf_cache_drop_finds(struct hf_cache *c);
void hf_cache_drop_markings(struct hf_cache *c);
void hf_cache_drop_judgings(struct hf_cache *c);

/* ---- judging.c ---- */

void hf_cache_judge_again(void *user);
/* The trial of @p. */
uint32_t hf_cache_trial_put(struct hf_cache *c, const struct hf_cache_put *p);

/* ---- lookup.c ---- */

/* Whether entry @i of @v, which are stored last first, may be shown: it is, and none that
 * came after it has its variant. */
bool hf_cache_is_shown(const struct hf_cache *c, struct hf_stored *const *v, size_t i);

#endif
