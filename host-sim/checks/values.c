/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	snprintf(why, size, "%s", s->ledger.values.fault);
	return !s->ledger.values.fault[0];
}

const struct sim_check sim_check_values = {
	.name = "values-true",
	.promise = "what a page hears of a resource that it observes is what the origin has had "
		   "there, and never older than what it had heard before",
	.holds = holds,
};
