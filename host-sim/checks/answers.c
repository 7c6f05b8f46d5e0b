/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < s->ledger.n; i++) {
		const struct sim_order *o = s->ledger.v[i];

		if (o->status != 202 || o->answer_status == 0 || o->answer_right)
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
