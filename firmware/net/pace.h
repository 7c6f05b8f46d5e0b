/* SPDX-License-Identifier: Apache-2.0 */
/* When the next trial of an outage is due: dense for ten minutes, then at doubling
 * distances. */
#ifndef HF_NET_PACE_H
#define HF_NET_PACE_H

#include "base/rand.h"

struct hf_pace {
	uint64_t fast_until; /* boot-time ms */
	uint64_t interval_ms;
};

void hf_pace_begin(struct hf_pace *p, uint64_t now_ms, uint32_t min_ms);
/* How long after the last trial the next one is due: 0.75 to 1.0 times the interval. */
uint64_t hf_pace_next(struct hf_pace *p, uint64_t now_ms, uint32_t min_ms, uint32_t max_ms,
		      struct hf_rand *rand);

#endif
