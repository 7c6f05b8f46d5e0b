/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run of a fleet as one page. Its data:
 *
 *   { format, title, command, version, commit, seed, trace, end_us, failure,
 *     devices, queued, outage_us, cables, capacity, retry_after_s,
 *     totals: [{ key, name, value, unit?, good? }],
 *     ticks:  [[n, taken, refused]], first: [us] }
 *
 * Times count from the origin's return. ticks are the tenths of a second in which
 * anything came; first is when each device's first request did, in order of time.
 */
#ifndef SIM_FLEET_PAGE_H
#define SIM_FLEET_PAGE_H

#include "fleet.h"

/* Writes the file @path; @command repeats the run. False: it could not be written,
 * which has been said. */
bool sim_fleet_page_write(const char *path, const char *command, const struct sim_fleet *f);

#endif
