/* SPDX-License-Identifier: Apache-2.0 */
#include "checks/checks.h"

static bool holds(const struct sim_stage *s, char *why, size_t size)
{
	const struct sim_rest *r = &s->rest;
	uint64_t pages = s->ledger.visits_n > 0;
	/* What CoAP answers is fresh for a minute if nothing else is said: it is stored, and
	 * the network probed. */
	uint64_t visits = s->ledger.fieldless[0] ? 2 * r->visits : r->visits;

	if (!r->looked)
		return true;
	snprintf(why, size,
		 "in an idle hour: %llu wake-ups, %llu store jobs, %llu bytes written, %llu calls",
		 (unsigned long long)r->wakes, (unsigned long long)r->jobs,
		 (unsigned long long)r->bytes, (unsigned long long)r->calls);
	return r->wakes <= SIM_REST_WAKES + s->periodic * SIM_PERIODIC_WAKES +
				   visits * SIM_VISIT_WAKES + pages * SIM_INSTALL_WAKES &&
	       r->jobs <= SIM_REST_JOBS + s->periodic * SIM_PERIODIC_JOBS +
				  visits * SIM_VISIT_JOBS + pages * SIM_INSTALL_JOBS &&
	       r->bytes <= SIM_REST_BYTES + s->periodic * SIM_PERIODIC_BYTES +
				   visits * SIM_VISIT_BYTES + pages * SIM_INSTALL_BYTES &&
	       r->calls <= SIM_REST_CALLS + visits + pages * SIM_INSTALL_CALLS;
}

const struct sim_check sim_check_rest = {
	.name = "rest",
	.promise = "when nothing waits, nothing happens",
	.holds = holds,
};
