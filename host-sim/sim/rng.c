/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/rng.h"

#include <string.h>

/* FNV-1a over the domain's name, from a basis that depends on the seed. */
void sim_rng_init(struct sim_rng *r, uint64_t seed, const char *domain)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (seed * UINT64_C(0x9e3779b97f4a7c15));

	for (; *domain; domain++)
		h = (h ^ (uint8_t)*domain) * UINT64_C(0x100000001b3);
	hf_rand_init(&r->r, h);
}

uint64_t sim_rng_u64(struct sim_rng *r)
{
	return hf_rand_u64(&r->r);
}

uint64_t sim_rng_below(struct sim_rng *r, uint64_t bound)
{
	return bound ? hf_rand_below(&r->r, bound) : 0;
}

uint64_t sim_rng_range(struct sim_rng *r, uint64_t low, uint64_t high)
{
	return low + sim_rng_below(r, high - low + 1);
}

bool sim_rng_chance(struct sim_rng *r, unsigned percent)
{
	return sim_rng_below(r, 100) < percent;
}

void sim_rng_fill(struct sim_rng *r, void *out, size_t len)
{
	uint8_t *p = out;

	while (len) {
		uint64_t x = sim_rng_u64(r);
		size_t n = len < sizeof(x) ? len : sizeof(x);

		memcpy(p, &x, n);
		p += n;
		len -= n;
	}
}
