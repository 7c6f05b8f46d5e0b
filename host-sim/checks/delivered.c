/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	unsigned lost = 0, first = 0;
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (!sim_order_promised(o) || o->effects > 0)
			continue;
		if (lost++ == 0)
			first = o->n;
	}
	if (lost == 0)
		return true;
	snprintf(why, size,
		 "%u of the accepted orders never had an effect, the first is %u (%s, answered %d)",
		 lost, first, s->ledger.v[first - 1]->path, s->ledger.v[first - 1]->status);
	return false;
}

const struct sim_check sim_check_delivered = {
	.name = "nothing-lost",
	.promise = "every accepted order is delivered",
	.holds = holds,
};
