/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entries are the origin's own. One that came by a way on which somebody else
 * may have answered has a number: the start of the daemon in the upper half, in the
 * lower one the trial of that start. Proved are number 0, those below a floor and those
 * in a few spans, all in one row of `meta`; what came in a trial is proved by that row
 * and by no other write.
 *
 * Of this start trials from db->open_from on are open. What is neither proved nor open
 * is dead: nobody is told of it, and it is deleted by the next put of its URL, or in
 * the background.
 */
#ifndef HF_STORE_SHELF_PROOF_H
#define HF_STORE_SHELF_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#define HF_SHELF_SPANS_MAX 32
#define HF_SHELF_PURGE_AT  4 /* spans at the start: what is dead is looked for */

struct hf_shelf_db;

struct hf_shelf_proof {
	uint64_t below; /* all are proved */
	unsigned n;
	struct hf_shelf_span {
		uint64_t first, last;
	} v[HF_SHELF_SPANS_MAX]; /* ascending, at or above @below */
};

bool hf_shelf_proof_has(const struct hf_shelf_proof *p, uint64_t number);
/* HF_ELIMIT: there are too many spans. */
int hf_shelf_proof_add(struct hf_shelf_proof *p, uint64_t first, uint64_t last);
/* True: some of them were proved. */
bool hf_shelf_proof_take(struct hf_shelf_proof *p, uint64_t first, uint64_t last);
/* What is below @below and not proved is there no more. */
void hf_shelf_proof_raise(struct hf_shelf_proof *p, uint64_t below);

/* The row; without one, or with one that is damaged, nothing but number 0 is proved. */
int hf_shelf_proof_load(struct hf_shelf_db *db, struct hf_shelf_proof *out);
int hf_shelf_proof_store(struct hf_shelf_db *db);

/* Of @trial of this start; 0: proved. */
uint64_t hf_shelf_number_of(const struct hf_shelf_db *db, uint32_t trial);
bool hf_shelf_is_proved(const struct hf_shelf_db *db, uint64_t number);
bool hf_shelf_is_dead(const struct hf_shelf_db *db, uint64_t number);
/* *all: every entry of @cache is proved. */
int hf_shelf_cache_proved(struct hf_shelf_db *db, uint32_t cache, bool *all);
/* A slice of looking for what is dead; *more: not through yet. */
int hf_shelf_purge_slice(struct hf_shelf_db *db, bool *more);

#endif
