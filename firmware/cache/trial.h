/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has given what is stored. Over plain HTTP anybody on the way may answer in the
 * origin's place, as a captive portal does. What comes that way is stored in a trial, a
 * number, and is shown to nobody until the network was found in order after it came,
 * on the same way: then its trial is proved, with all others that are open. When
 * somebody shows himself, or the network is another one, they never will be.
 *
 *   put, put     a probe goes    put      it has its answer
 *   trial 1      -> trial 2      trial 2  trial 1 is proved
 *
 * Where nothing is there by which the network could be found in order, all is taken for
 * the origin's (assumed) and shown at once, until somebody shows himself: then what came
 * on this way is not shown any more.
 */
#ifndef HF_CACHE_TRIAL_H
#define HF_CACHE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "store/shelf.h"

struct hf_trials {
	bool assumed;
	uint32_t way;	/* changes with the network, and when somebody shows himself */
	uint32_t lo;	/* those below are judged */
	uint32_t now;	/* of what is put now */
	uint32_t first; /* open, with something in it; 0: none has */
	uint32_t last;	/* with something in it */
	uint32_t told;	/* assumed: the shelf knows of it */
	struct hf_shelf_trim trims[HF_SHELF_TRIMS_MAX];
	size_t trims_n;
};

static inline void hf_trials_init(struct hf_trials *t, bool assumed)
{
	*t = (struct hf_trials){ .assumed = assumed, .lo = 1, .now = 1 };
}

/* What has @trial may be shown. */
static inline bool hf_trials_show(const struct hf_trials *t, uint32_t trial)
{
	return trial < t->lo || t->assumed;
}

/* Something is put; @entries_max, @bytes_max as those of hf_shelf_put. Its trial. */
uint32_t hf_trials_put(struct hf_trials *t, uint32_t cache, uint64_t entries_max,
		       uint64_t bytes_max);
/* A probe goes: what it proves when it has its answer is up to this one. */
uint32_t hf_trials_mark(struct hf_trials *t);
/* Those up to @mark are proved, or all will never be. True: @judge says which have
 * something in them, for the shelf. */
bool hf_trials_prove(struct hf_trials *t, uint32_t mark, struct hf_shelf_judge *judge);
bool hf_trials_refute(struct hf_trials *t, struct hf_shelf_judge *judge);
/* Another network. True: what is open will never be proved, as above. */
bool hf_trials_move(struct hf_trials *t, struct hf_shelf_judge *judge);
/* What is assumed of the trial of now, if the shelf does not know it yet. */
bool hf_trials_assume(struct hf_trials *t, struct hf_shelf_judge *judge);

#endif
