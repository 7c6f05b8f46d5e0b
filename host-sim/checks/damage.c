/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++) {
		struct sim_disk *disk = s->devices[i]->disk;

		if (s->witnesses[i].damage == 0 || sim_disk_faults(disk)->rotten > 0 ||
		    sim_disk_stats(disk)->failed > 0)
			continue;
		snprintf(why, size, "%s tells of damage on a medium without a fault: %s",
			 s->devices[i]->name, s->witnesses[i].first_damage);
		return false;
	}
	return true;
}

const struct sim_check sim_check_damage = {
	.name = "no-false-alarm",
	.promise = "a power cut, a kill or a full disk is never taken for damage",
	.holds = holds,
};
