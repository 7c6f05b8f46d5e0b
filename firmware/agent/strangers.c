/* SPDX-License-Identifier: Apache-2.0 */
/* What the caches are told of the network, and what comes of it: cache/trial.h. */
#include "agent/caches.h"

void hf_agent_caches_network(struct hf_agent *a)
{
	if (a->cache)
		hf_cache_other_network(a->cache);
}

void hf_agent_caches_captive(struct hf_agent *a)
{
	if (a->cache)
		hf_cache_stranger(a->cache);
}

uint32_t hf_agent_caches_asking(struct hf_agent *a)
{
	return a->cache ? hf_cache_probe_goes(a->cache) : 0;
}

void hf_agent_caches_in_order(struct hf_agent *a, uint32_t number)
{
	if (a->cache)
		hf_cache_in_order(a->cache, number);
}

void hf_agent_caches_open_trial(void *user, bool any)
{
	struct hf_agent *a = user;

	if (a->connectivity)
		hf_connectivity_want_proof(a->connectivity, any);
}

/* ---- what was judged ---- */

static void install_all(struct hf_agent *a)
{
	for (size_t i = 0; i < a->settings->workers_n; i++)
		if (a->workers[i].install)
			hf_install_again(a->workers[i].install);
}

static void precache_read(void *user, int err)
{
	struct hf_agent_worker *w = user;

	(void)err; /* without memory: as if there were none */
	if (--w->agent->caches_pending == 0)
		install_all(w->agent);
}

static void listed(struct hf_shelf_op *op, int err)
{
	struct hf_agent *a = op->user;

	if (!err)
		hf_agent_take_precaches(a, precache_read);
	hf_shelf_caches_finish(&a->caches_list);
	if (--a->caches_pending == 0)
		install_all(a);
}

/* An active precache is none any more: nothing of it is shown from now on. */
static void look_again(struct hf_agent *a)
{
	for (size_t i = 0; i < a->settings->workers_n; i++) {
		a->workers[i].stored = 0;
		a->workers[i].precache.id = 0;
		a->workers[i].before.id = 0;
	}
	if (a->caches_pending > 0)
		return; /* a look is under way */
	a->caches_pending = 1;
	a->caches_list.op.done = listed;
	a->caches_list.op.user = a;
	hf_shelf_caches(hf_cache_shelf(a->cache), &a->caches_list);
}

void hf_agent_caches_judged(void *user, bool proved, bool demoted)
{
	struct hf_agent *a = user;

	(void)proved;
	if (!a->workers || !a->caches_ready)
		return;
	if (demoted)
		look_again(a);
	for (size_t i = 0; i < a->settings->workers_n; i++)
		if (a->workers[i].install)
			hf_install_judged(a->workers[i].install);
}
