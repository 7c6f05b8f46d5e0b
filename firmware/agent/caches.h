/* SPDX-License-Identifier: Apache-2.0 */
/* Private to caches.c and caches_status.c: the caches of the settings. */
#ifndef HF_AGENT_CACHES_H
#define HF_AGENT_CACHES_H

#include "agent/agent_private.h"
#include "fetch/install.h"

/* One cache_open at a time; the shelf has them all in one go. */
struct hf_agent_bin {
	unsigned origin;
	struct hf_shelf_cache_open open;
	uint32_t *id; /* where its number goes; 0 there: it is not open */
	struct hf_agent *agent;
	bool pending; /* being opened */
};

struct hf_agent_worker {
	struct hf_agent *agent;
	unsigned number;
	struct hf_precache precache;
	struct hf_precache before; /* of the version before: for pages that are open still */
	struct hf_install *install;
	struct hf_shelf_cache_drop drop, drop_before;
	uint32_t stored;       /* its active precache on the shelf */
	uint64_t activated_ms; /* boot time; 0: in an earlier run */
	bool fresh;	       /* it became active, and nobody was told */
};

/* Tells the event stream (struct hf_install_options; @user a worker). */
void hf_agent_precache_event(void *user);

#endif
