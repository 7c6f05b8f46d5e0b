/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	if (s->world.stalled)
		snprintf(why, size, "%d events without time going on: somebody spins",
			 SIM_STALL_EVENTS);
	else if (s->kiosk->leaks)
		snprintf(why, size, "%u streams, listeners or files were left open at the end",
			 s->kiosk->leaks);
	else if (s->kiosk->boot_err)
		snprintf(why, size, "the agent did not start: %s", hf_errname(s->kiosk->boot_err));
	else
		return true;
	return false;
}

const struct sim_check sim_check_tidy = {
	.name = "tidy",
	.promise = "the agent starts, frees all it takes, and rests when nothing happens",
	.holds = holds,
};
