/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reaches the medium, against what had to be kept: bodies and answers are
 * written into the log and from there into the database; a record's life costs
 * some pages, each start some more (the reserve file among them, which is tried
 * anew while there is no room or an error, once a minute in the end).
 */
#include "checks/checks.h"

#define PER_START   (1200u << 10)
#define PER_RESERVE (1300u << 10)
#define RESERVES    8u /* before their distance is a minute */
#define PER_ATTEMPT (24u << 10)
#define PER_BYTE    8u

/* Without a refusal the reserve is made at the start and stays. */
static uint64_t reserves(const struct sim_stage *s, const struct sim_device *dev)
{
	const struct sim_disk_stats *disk = sim_disk_stats(dev->disk);
	uint64_t refused = disk->refused + disk->failed;
	uint64_t tries = RESERVES + s->world.now_us / SIM_US_PER_MIN;

	return refused < tries ? refused : tries;
}

static uint64_t budget(const struct sim_stage *s, const struct sim_device *dev)
{
	uint64_t bytes = (dev->boots + dev->process.restarts) * (uint64_t)PER_START +
			 reserves(s, dev) * PER_RESERVE + s->ledger.visits_n * SIM_VISIT_BYTES;
	struct sim_content c;
	size_t i;

	for (i = 0; i < s->ledger.visits_n; i++)
		if (sim_content_of(hf_span_str(s->ledger.visits[i].path), &c))
			bytes += c.size * PER_BYTE;
	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (strcmp(o->device, dev->name) == 0)
			bytes += (o->attempts + 1) * (uint64_t)PER_ATTEMPT +
				 (strlen(o->body) + o->answer_bytes * (o->attempts + 1)) * PER_BYTE;
	}
	return bytes;
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->devices_n; i++) {
		const struct sim_device *dev = s->devices[i];
		uint64_t bytes = sim_disk_stats(dev->disk)->bytes;

		if (bytes <= budget(s, dev))
			continue;
		snprintf(why, size, "%s: %llu kB were written, %llu kB are the budget", dev->name,
			 (unsigned long long)bytes / 1024,
			 (unsigned long long)budget(s, dev) / 1024);
		return false;
	}
	return true;
}

const struct sim_check sim_check_writes = {
	.name = "bounded-writes",
	.promise = "the medium is written in proportion to what is kept",
	.holds = holds,
};
