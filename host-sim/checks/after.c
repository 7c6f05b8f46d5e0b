/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order that waits for another one comes behind it. That it comes with the
 * other's number is the check of what arrives: its path and body, as sent, have
 * that in the places.
 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	for (size_t i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (!o->too_early)
			continue;
		snprintf(why, size, "order %u reached the origin before order %u was delivered",
			 o->n, o->parent->n);
		return false;
	}
	return true;
}

const struct sim_check sim_check_after = {
	.name = "after-the-other",
	.promise = "what waits for another order comes when that one is delivered",
	.holds = holds,
};
