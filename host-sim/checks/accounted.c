/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

/* A store that was damaged by the medium may have lost some, if it says so, in its
 * log or of the order; one that the medium refused to read says of which. */
bool sim_check_excused(const struct sim_stage *s, const struct sim_order *o)
{
	size_t i = sim_stage_device_index(s, o->device);
	struct sim_disk *disk = s->devices[i]->disk;
	bool told = strcmp(o->state, "dead") == 0 && strcmp(o->reason, "damaged") == 0;

	if (o->parent && sim_check_excused(s, o->parent))
		return true;
	if (sim_disk_faults(disk)->rotten > 0)
		return told || s->witnesses[i].damage > 0;
	return told && s->witnesses[i].damage > 0 && sim_disk_stats(disk)->failed > 0;
}

/* It has made room for a later one of the same place that was accepted. */
static bool is_displaced_rightly(const struct sim_stage *s, const struct sim_order *o)
{
	for (size_t i = o->n; i < s->ledger.n; i++) {
		const struct sim_order *later = s->ledger.v[i];

		if (strcmp(later->device, o->device) == 0 && strcmp(later->path, o->path) == 0 &&
		    sim_order_promised(later))
			return true;
	}
	return false;
}

static bool is_lost(const struct sim_stage *s, const struct sim_order *o)
{
	if (sim_order_cancelled(o) && strcmp(o->reason, "displaced") == 0)
		return !is_displaced_rightly(s, o);
	return sim_order_open(o) && !sim_order_accounted(o) && !sim_check_excused(s, o);
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	unsigned lost = 0, first = 0;
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (!is_lost(s, o))
			continue;
		if (lost++ == 0)
			first = o->n;
	}
	if (lost == 0)
		return true;
	snprintf(why, size,
		 "%u of the accepted orders never had an effect, the first is %u (%s, answered %d,"
		 " state \"%s\")",
		 lost, first, s->ledger.v[first - 1]->path, s->ledger.v[first - 1]->status,
		 s->ledger.v[first - 1]->state);
	return false;
}

const struct sim_check sim_check_accounted = {
	.name = "accounted-for",
	.promise = "every accepted order is delivered, or waits for a person who sees why",
	.holds = holds,
};
