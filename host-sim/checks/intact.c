/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

#define INLINE_BYTES 65536

/* A body that stands in chunks of its own has no sum. */
static bool is_excused(const struct sim_stage *s, const struct sim_order *o)
{
	const struct sim_device *dev = sim_stage_device(s, o->device);

	return sim_disk_faults(dev->disk)->rotten > 0 && strlen(o->body) > INLINE_BYTES;
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		if (!s->ledger.v[i]->altered || is_excused(s, s->ledger.v[i]))
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
