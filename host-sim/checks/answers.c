/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

/* A record whose bits have turned over is not given out: 503. */
static bool is_excused(const struct sim_stage *s, const struct sim_order *o)
{
	const struct sim_device *dev = sim_stage_device(s, o->device);

	return sim_disk_faults(dev->disk)->rotten > 0 &&
	       (o->answer_status == 503 || o->answer_status == 404 || o->answer_status == 410);
}

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (o->status != 202 || o->answer_status == 0 || o->answer_right ||
		    is_excused(s, o))
			continue;
		if (o->answer_status < 0)
			snprintf(why, size, "the page got no stored answer for order %u", o->n);
		else
			snprintf(why, size, "the page got %d for order %u, not the origin's answer",
				 o->answer_status, o->n);
		return false;
	}
	return true;
}

const struct sim_check sim_check_answers = {
	.name = "answers-kept",
	.promise = "the page gets the origin's answer for every 202",
	.holds = holds,
};
