/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** 1.0 (Blackman, Vigna), its state filled by splitmix64. */
#include "base/rand.h"

#include <assert.h>

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void hf_rand_init(struct hf_rand *r, uint64_t seed)
{
	int i;

	for (i = 0; i < 4; i++)
		r->s[i] = splitmix64(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t hf_rand_u64(struct hf_rand *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t hf_rand_below(struct hf_rand *r, uint64_t bound)
{
	uint64_t x, uneven;

	assert(bound > 0);
	uneven = (UINT64_MAX - bound + 1) % bound; /* 2^64 mod bound */
	do
		x = hf_rand_u64(r);
	while (x < uneven);
	return x % bound;
}
