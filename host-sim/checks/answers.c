/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

/* A record whose bits have turned over is not given out; a salvage, which the log tells
 * of, may lose some to errors of the medium; where it was full the oldest may have
 * gone, which the log says, or at least that it was full when the power went in between.
 * What is old is kept no more. */
static bool is_excused(const struct sim_stage *s, const struct sim_order *o)
{
	size_t i = sim_stage_device_index(s, o->device);
	struct sim_disk *disk = s->devices[i]->disk;
	bool gone = o->answer_status == 404 || o->answer_status == 410;

	if (o->answer_aged && !o->answer_gone)
		return true;
	if (sim_order_cancelled(o))
		return gone;
	if (sim_disk_faults(disk)->rotten > 0)
		return gone;
	if (gone && sim_disk_stats(disk)->failed > 0 && s->witnesses[i].damage > 0)
		return true;
	return gone && sim_disk_stats(disk)->refused > 0 &&
	       (sim_witness_saw(&s->witnesses[i], "queue.answers_dropped") ||
		sim_witness_saw(&s->witnesses[i], "store.full"));
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
	.promise = "the page gets the origin's answer for every 202 as long as it is kept",
	.holds = holds,
};
