/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full jitter over half of the base: spread enough that many devices do not
 * come back together, never so short that a failing origin is hammered.
 */
#include "net/backoff.h"

#include <assert.h>

uint64_t hf_backoff_ms(struct hf_rand *rand, uint32_t base_ms, uint32_t cap_ms, unsigned failures)
{
	uint64_t low = base_ms / 2, high = base_ms;

	assert(base_ms > 0 && cap_ms > 0);
	if (low > cap_ms)
		low = cap_ms;
	while (failures-- > 0 && high < cap_ms)
		high *= 2;
	if (high > cap_ms)
		high = cap_ms;
	return low + hf_rand_below(rand, high - low + 1);
}
