/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First in, first out, as a caller can see it: when A was accepted before B
 * was sent, A's effect comes before B's. What was sent at the same time, from
 * two connections, may go either way; what was never accepted too. Where a
 * route has "order": "skip", what was held or waits for another may come later.
 */
#include "checks/checks.h"
#include "stage_routes.h"

static bool overtakes(const struct sim_order *b, const struct sim_order *a)
{
	return sim_order_promised(a) && !sim_order_came_back(a) && !sim_order_came_back(b) &&
	       a->answered_us < b->sent_us && a->effects && b->effects &&
	       a->effect_turn > b->effect_turn && strcmp(a->lane, b->lane) == 0;
}

static bool is_stepped_over(const struct sim_stage *s, const struct sim_order *o)
{
	const struct sim_device *dev = sim_stage_device(s, o->device);

	return (o->was_held || o->parent) &&
	       sim_route_skips(sim_device_file_text(dev, SIM_MANIFEST_PATH), o->method, o->path);
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i, j;

	for (j = 0; j < s->ledger.n; j++) {
		for (i = 0; i < j; i++) {
			if (!overtakes(s->ledger.v[j], s->ledger.v[i]) ||
			    is_stepped_over(s, s->ledger.v[i]))
				continue;
			snprintf(why, size, "order %u was delivered before order %u of %s",
				 s->ledger.v[j]->n, s->ledger.v[i]->n, s->ledger.v[i]->lane);
			return false;
		}
	}
	return true;
}

const struct sim_check sim_check_order = {
	.name = "order-kept",
	.promise = "each lane delivers in the order of acceptance",
	.holds = holds,
};
