/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

/* What a person sees does not count as stuck; a scenario ends where it likes. */
static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	unsigned open = 0;
	size_t i;

	if (s->drained)
		return true;
	for (i = 0; i < s->ledger.n; i++)
		open += sim_order_open(s->ledger.v[i]) && !sim_check_excused(s, s->ledger.v[i]);
	snprintf(why, size, "hours after all faults have ended %u orders still wait", open);
	return open == 0;
}

const struct sim_check sim_check_progress = {
	.name = "progress",
	.promise = "when the faults end, everything that waits is delivered",
	.holds = holds,
};
