/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

/* Connections with bodies up to their limits, the caches of both databases and entries
 * of pages; some more than the 5.2 MB that a thousand seeds have needed. */
#define LIMIT_BYTES (6u << 20)

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++) {
		const struct sim_device *dev = s->devices[i];

		if (dev->heap.peak <= LIMIT_BYTES)
			continue;
		snprintf(why, size, "%s: the agent has held %zu kB of memory", dev->name,
			 dev->heap.peak / 1024);
		return false;
	}
	return true;
}

const struct sim_check sim_check_memory = {
	.name = "bounded-memory",
	.promise = "the agent's memory does not grow with what waits",
	.holds = holds,
};
