/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		if (!s->ledger.v[i]->altered)
			continue;
		snprintf(why, size, "order %u did not arrive as it was sent", s->ledger.v[i]->n);
		return false;
	}
	return true;
}

const struct sim_check sim_check_intact = {
	.name = "as-sent",
	.promise = "what reaches the origin is what the panel sent",
	.holds = holds,
};
