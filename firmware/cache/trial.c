/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/trial.h"

#include <string.h>

static void note_trim(struct hf_trials *t, uint32_t cache, uint64_t entries_max, uint64_t bytes_max)
{
	size_t i = 0;

	while (i < t->trims_n && t->trims[i].cache != cache)
		i++;
	if (i == HF_SHELF_TRIMS_MAX)
		return; /* with what is put there next */
	t->trims_n += i == t->trims_n;
	t->trims[i] = (struct hf_shelf_trim){ cache, entries_max, bytes_max };
}

uint32_t hf_trials_put(struct hf_trials *t, uint32_t cache, uint64_t entries_max,
		       uint64_t bytes_max)
{
	if (t->first == 0)
		t->first = t->now;
	t->last = t->now;
	if (!t->assumed && (entries_max || bytes_max))
		note_trim(t, cache, entries_max, bytes_max);
	return t->now;
}

uint32_t hf_trials_mark(struct hf_trials *t)
{
	return t->last == t->now ? t->now++ : t->now - 1;
}

static void judge_to(struct hf_trials *t, uint32_t last, bool proved, struct hf_shelf_judge *judge)
{
	*judge = (struct hf_shelf_judge){
		.first = t->first, .last = last, .proved = proved, .open_from = last + 1
	};
	if (proved) {
		memcpy(judge->trims, t->trims, sizeof(t->trims));
		judge->trims_n = t->trims_n;
	}
	t->trims_n = 0;
}

bool hf_trials_prove(struct hf_trials *t, uint32_t mark, struct hf_shelf_judge *judge)
{
	bool any = t->first && t->first <= mark;

	if (mark < t->lo)
		return false;
	t->lo = mark + 1;
	if (!any)
		return false;
	judge_to(t, mark, true, judge);
	t->first = t->last > mark ? mark + 1 : 0;
	return !t->assumed; /* the shelf has it as proved already */
}

bool hf_trials_refute(struct hf_trials *t, struct hf_shelf_judge *judge)
{
	bool any = t->first != 0;

	t->way++;
	if (any)
		judge_to(t, t->now, false, judge);
	t->lo = ++t->now;
	t->first = 0;
	return any;
}

bool hf_trials_move(struct hf_trials *t, struct hf_shelf_judge *judge)
{
	if (!t->assumed)
		return hf_trials_refute(t, judge);
	t->way++;
	t->lo = ++t->now;
	t->first = 0;
	return false;
}

bool hf_trials_assume(struct hf_trials *t, struct hf_shelf_judge *judge)
{
	if (!t->assumed || t->told == t->now)
		return false;
	t->told = t->now;
	*judge = (struct hf_shelf_judge){
		.first = t->now, .last = t->now, .proved = true, .open_from = t->lo
	};
	return true;
}
