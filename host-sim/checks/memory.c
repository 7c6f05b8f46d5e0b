/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

/* Connections with bodies up to their limits, the caches of both databases and entries
 * of pages; some more than the 5.2 MB that a thousand seeds have needed. */
#define PEAK_BYTES (6u << 20)
/* While nobody asks there are the caches of the databases, and what is being sent: 1.5 MB
 * in a thousand seeds, 1.9 MB with pages. */
#define HELD_BYTES	 (9u << 18)
#define HELD_PAGES_BYTES (11u << 18)

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i, held = s->ledger.pages.n > 0 ? HELD_PAGES_BYTES : HELD_BYTES;

	for (i = 0; i < s->devices_n; i++) {
		const struct sim_device *dev = s->devices[i];

		if (dev->heap.peak > PEAK_BYTES) {
			snprintf(why, size, "%s: the agent has held %zu kB of memory", dev->name,
				 dev->heap.peak / 1024);
			return false;
		}
		if (dev->heap.held > held) {
			snprintf(why, size,
				 "%s: the agent has held %zu kB of memory while nobody asked",
				 dev->name, dev->heap.held / 1024);
			return false;
		}
	}
	return true;
}

const struct sim_check sim_check_memory = {
	.name = "bounded-memory",
	.promise = "the agent's memory does not grow with what waits",
	.holds = holds,
};
