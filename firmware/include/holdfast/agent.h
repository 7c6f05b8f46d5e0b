/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: what an embedder (the Linux daemon, the simulator) creates over a
 * port. Several may live in one process.
 */
#ifndef HOLDFAST_AGENT_H
#define HOLDFAST_AGENT_H

#include "holdfast/port.h"

#define HOLDFAST_VERSION "0.1.0"

struct hf_agent;
struct hf_settings; /* agent/settings.h */

/* Takes @settings, on success and on failure. Nothing runs yet. HF_ENOMEM,
 * HF_ECONFIG. */
int hf_agent_create(struct hf_port *port, struct hf_settings *settings, struct hf_agent **out);
/* Opens the store, listens, begins to serve; then @started (0 or the error:
 * HF_EBUSY for an address in use, HF_EIO for a store that cannot be opened). */
void hf_agent_start(struct hf_agent *agent, void (*started)(void *user, int err), void *user);
/* Finishes orderly: stops accepting, lets store jobs commit, then @stopped. */
void hf_agent_stop(struct hf_agent *agent, void (*stopped)(void *user), void *user);
/* Frees all. Without a stop before it: as abrupt as a power cut for everything
 * that was not committed. NULL is fine. */
void hf_agent_destroy(struct hf_agent *agent);

#endif
