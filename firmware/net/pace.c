/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pace.h"

#define FAST_MS (10u * 60 * 1000)

void hf_pace_begin(struct hf_pace *p, uint64_t now_ms, uint32_t min_ms)
{
	p->fast_until = now_ms + FAST_MS;
	p->interval_ms = min_ms;
}

uint64_t hf_pace_next(struct hf_pace *p, uint64_t now_ms, uint32_t min_ms, uint32_t max_ms,
		      struct hf_rand *rand)
{
	uint64_t base = min_ms;

	if (now_ms >= p->fast_until) {
		p->interval_ms *= 2;
		if (p->interval_ms > max_ms)
			p->interval_ms = max_ms;
		base = p->interval_ms;
	}
	return base - hf_rand_below(rand, base / 4 + 1);
}
