/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"
#include "moves.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	(void)s;
	snprintf(why, size, "%s", sim_moves_illegal());
	return !why[0];
}

const struct sim_check sim_check_moves = {
	.name = "legal-moves",
	.promise = "no state machine makes a move that its table forbids",
	.holds = holds,
};
