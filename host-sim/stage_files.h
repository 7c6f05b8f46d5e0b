/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a device has when the scenario gives none. */
#ifndef SIM_STAGE_FILES_H
#define SIM_STAGE_FILES_H

#include <stdint.h>

#include "cast.h"

#define SIM_CA_PATH	 "/etc/holdfast/ca.pem"
#define SIM_CONTROL_PATH "/run/holdfast/control.sock"

/* Caller frees. @cast has all its origins, the shop among them. */
char *sim_default_config(const struct sim_cast *cast);
extern const char sim_default_manifest[];
/* The same with @n periodic registrations of these intervals, each fetching the
 * SIM_PERIODIC_PATH of its own. Caller frees. */
char *sim_periodic_manifest(const uint64_t *interval_ms, size_t n);

#endif
