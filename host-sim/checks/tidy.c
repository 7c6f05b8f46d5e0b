/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool device_is_tidy(const struct sim_device *dev, char *why, size_t size)
{
	if (dev->leaks)
		snprintf(why, size, "%s: %u streams, listeners or files were left open", dev->name,
			 dev->leaks);
	else if (dev->boot_err)
		snprintf(why, size, "%s: the agent did not start: %s", dev->name,
			 hf_errname(dev->boot_err));
	else
		return true;
	return false;
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	if (s->world.stalled) {
		snprintf(why, size, "%d events without time going on: somebody spins",
			 SIM_STALL_EVENTS);
		return false;
	}
	for (i = 0; i < s->devices_n; i++)
		if (!device_is_tidy(s->devices[i], why, size))
			return false;
	return true;
}

const struct sim_check sim_check_tidy = {
	.name = "tidy",
	.promise = "the agent starts, frees all it takes, and rests when nothing happens",
	.holds = holds,
};
