/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether requests come to their end: judged by how long the oldest of a lane waits
 * and when one of the lane became final last, whatever the link says.
 */
#ifndef HF_AGENT_HEALTH_H
#define HF_AGENT_HEALTH_H

#include "base/buf.h"

struct hf_agent;

enum hf_health_state {
	HF_HEALTH_OK,
	HF_HEALTH_DEGRADED,
	HF_HEALTH_STUCK,
};

#define HF_HEALTH_REASONS_MAX 8
#define HF_HEALTH_REASON_SIZE 192

struct hf_health {
	enum hf_health_state state;
	char reasons[HF_HEALTH_REASONS_MAX][HF_HEALTH_REASON_SIZE]; /* the worst first */
	unsigned reasons_n, more;
	uint64_t oldest_age_ms;	  /* of what waits, held ones and paused lanes aside */
	uint64_t progress_ago_ms; /* since a request became final; UINT64_MAX: none did
				   * since the start */
};

/* For @origin, or (UINT_MAX) all. */
void hf_agent_health(struct hf_agent *a, unsigned origin, struct hf_health *out);
const char *hf_health_name(enum hf_health_state state);
/* Appends the member "health" of the status. */
int hf_agent_health_status(struct hf_agent *a, unsigned origin, struct hf_buf *out);
/* Tells the service manager, when it changed; looks now and then only. */
void hf_agent_health_tell(struct hf_agent *a);

#endif
