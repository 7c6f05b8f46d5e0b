/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a sweep: where one fault more can strike, all of them or a sample. */
#ifndef SIM_POINTS_H
#define SIM_POINTS_H

#include "trial.h"

struct sim_points {
	struct sim_strike *v;
	uint64_t n;
	uint64_t of; /* there are in all */
};

/* Of @kind, as many as the run without a fault had operations. @sample: so many,
 * evenly spread; 0: all. */
void sim_points_of(struct sim_points *p, enum sim_strike_kind kind,
		   const struct sim_trial_result *plain, uint64_t sample);
/* Each of @cuts with a second one at each operation of its recovery. */
void sim_points_pairs(struct sim_points *p, const struct sim_points *cuts, const uint64_t *recovery,
		      uint64_t sample);
void sim_points_finish(struct sim_points *p);

/* "cut:17", "cut:17:3", "io:7", "alloc:90"; "kitchen/cut:17" on a device that is
 * not the first. */
const char *sim_point_text(const struct sim_strike *s, const struct sim_cast *cast, char out[96]);
bool sim_point_read(const char *text, const struct sim_cast *cast, struct sim_strike *out);

#endif
