/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a device has when the scenario gives none. */
#ifndef SIM_STAGE_FILES_H
#define SIM_STAGE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "cast.h"

#define SIM_CA_PATH	 "/etc/holdfast/ca.pem"
#define SIM_REFRESH_PATH "/etc/holdfast/refresh.token"
#define SIM_CONTROL_PATH "/run/holdfast/control.sock"

/* Caller frees. @cast has all its origins, the shop among them. */
char *sim_default_config(const struct sim_cast *cast);
extern const char sim_default_manifest[];
struct sim_periodic_tag {
	uint64_t interval_ms;
	bool unmetered; /* waits while the link is metered */
};

/* The same with @n periodic registrations, each fetching the SIM_PERIODIC_PATH of its
 * own. Caller frees. */
char *sim_periodic_manifest(const struct sim_periodic_tag *tags, size_t n);

/* The default one with a precache (actors/content.h) and routes with caches: of
 * /c/cf/ cache-first, /c/nf/ network-first, /c/sw/ stale-while-revalidate. */
char *sim_cached_manifest(void);
/* @manifest with all that. */
char *sim_with_caches(const char *manifest);

#endif
