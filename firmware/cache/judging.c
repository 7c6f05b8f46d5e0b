/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the network, and the shelf's part in it. */
#include <stdlib.h>

#include "cache/cache_private.h"

#define AGAIN_MS 10000 /* a judgement that the shelf could not take is tried again */

struct judging {
	struct hf_list link;
	struct hf_cache *cache;
	struct hf_shelf_judge op;
	bool waits; /* to be tried again */
	bool void_; /* another one says the contrary */
};

/* ---- one judgement ---- */

static void tell_open(struct hf_cache *c)
{
	if (c->opt.open && !c->trials.assumed)
		c->opt.open(c->opt.user, c->trials.first != 0);
}

static void judging_end(struct judging *g)
{
	hf_list_remove(&g->link);
	free(g);
}

static void judged(struct hf_shelf_op *op, int err)
{
	struct judging *g = op->user;
	struct hf_cache *c = g->cache;
	bool proved = g->op.proved, demoted = !err && g->op.demoted;

	if (err && !g->void_ && hf_cache_is_open(c)) {
		g->waits = true;
		hf_timerq_set(c->opt.timers, &c->judge_timer,
			      c->opt.port->boottime_ms(c->opt.port) + AGAIN_MS);
		return;
	}
	judging_end(g);
	if (!err && c->opt.judged && !c->closing)
		c->opt.judged(c->opt.user, proved, demoted);
}

static void submit(struct hf_cache *c, struct judging *g)
{
	g->waits = false;
	g->op.op.done = judged;
	g->op.op.user = g;
	g->op.op.sync = !g->op.proved; /* it does not come back after a cut of the power */
	hf_shelf_judge(c->shelf, &g->op);
}

/* What was said of trials that @j is about is not said again. */
static void void_earlier(struct hf_cache *c, const struct hf_shelf_judge *j)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &c->judgings) {
		struct judging *g = hf_container_of(it, struct judging, link);

		if (g->op.last < j->first || g->op.first > j->last)
			continue;
		g->void_ = true;
		if (g->waits)
			judging_end(g);
	}
}

static void begin(struct hf_cache *c, const struct hf_shelf_judge *j)
{
	struct judging *g = hf_cache_is_open(c) ? calloc(1, sizeof(*g)) : NULL;

	if (!j->proved)
		void_earlier(c, j);
	if (!g)
		return; /* it stays open, and is gone with the next start */
	g->cache = c;
	g->op = *j;
	hf_list_push(&c->judgings, &g->link);
	submit(c, g);
}

void hf_cache_judge_again(void *user)
{
	struct hf_cache *c = user;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &c->judgings) {
		struct judging *g = hf_container_of(it, struct judging, link);

		if (g->waits)
			submit(c, g);
	}
}

void hf_cache_drop_judgings(struct hf_cache *c)
{
	struct hf_list *it;

	while ((it = hf_list_first(&c->judgings)))
		judging_end(hf_container_of(it, struct judging, link));
}

/* ---- what is stored ---- */

uint32_t hf_cache_trial_put(struct hf_cache *c, const struct hf_cache_put *p)
{
	struct hf_shelf_judge j;
	uint32_t trial = hf_trials_put(&c->trials, p->cache, p->entries_max, p->bytes_max);

	if (hf_trials_assume(&c->trials, &j))
		begin(c, &j);
	tell_open(c);
	return trial;
}

/* ---- what is told ---- */

bool hf_cache_shows(const struct hf_cache *c, const struct hf_shelf_state *state)
{
	return hf_trials_show(&c->trials, state->trial);
}

bool hf_cache_assumes(const struct hf_cache *c)
{
	return c->trials.assumed;
}

uint32_t hf_cache_way(const struct hf_cache *c)
{
	return c->trials.way;
}

uint32_t hf_cache_probe_goes(struct hf_cache *c)
{
	return hf_trials_mark(&c->trials);
}

void hf_cache_in_order(struct hf_cache *c, uint32_t mark)
{
	struct hf_shelf_judge j;

	if (hf_trials_prove(&c->trials, mark, &j))
		begin(c, &j);
	tell_open(c);
}

/* Nothing of what was open is in memory any more, nor in what is being read. */
static void forget_open(struct hf_cache *c, const struct hf_shelf_judge *j)
{
	begin(c, j);
	hf_hot_drop_cache(&c->hot, 0);
}

void hf_cache_stranger(struct hf_cache *c)
{
	struct hf_shelf_judge j;

	if (hf_trials_refute(&c->trials, &j))
		forget_open(c, &j);
	tell_open(c);
}

void hf_cache_other_network(struct hf_cache *c)
{
	struct hf_shelf_judge j;

	if (hf_trials_move(&c->trials, &j))
		forget_open(c, &j);
	tell_open(c);
}
