/* SPDX-License-Identifier: Apache-2.0 */
/* What the manifest of a device says about a request. */
#ifndef SIM_STAGE_ROUTES_H
#define SIM_STAGE_ROUTES_H

#include <stdbool.h>

/* The queue of the first route for @method and @path has "order": "skip": what is
 * held does not stop those behind it. False also for a manifest that cannot be read. */
bool sim_route_skips(const char *manifest, const char *method, const char *path);

#endif
