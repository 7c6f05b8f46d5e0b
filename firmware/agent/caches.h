/* SPDX-License-Identifier: Apache-2.0 */
/* Private to caches.c, caches_status.c and strangers.c: the caches of the settings. */
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
	uint32_t stored; /* its active precache on the shelf */
	bool fresh;	 /* it became active, and nobody was told */
};

/* Reads those of caches_list that are the workers'; each counts in caches_pending until
 * @read is called with its worker. */
void hf_agent_take_precaches(struct hf_agent *a, void (*read)(void *user, int err));
/* strangers.c, for struct hf_cache_options. */
void hf_agent_caches_open_trial(void *user, bool any);
void hf_agent_caches_judged(void *user, bool proved, bool demoted);

/* Tells the event stream (struct hf_install_options; @user a worker). */
void hf_agent_precache_event(void *user);

#endif
