/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (o->effects > 1)
			snprintf(why, size, "order %u had %u effects", o->n, o->effects);
		else if (o->key_changed)
			snprintf(why, size, "order %u was sent with two keys, the first is %s",
				 o->n, o->key);
		else
			continue;
		return false;
	}
	return true;
}

const struct sim_check sim_check_effects = {
	.name = "no-second-effect",
	.promise = "no order has a second effect at an origin that honours keys",
	.holds = holds,
};
