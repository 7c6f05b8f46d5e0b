/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small deterministic generator (xoshiro256**) for jitter and ids' random
 * parts that need no secrecy; seeded from the port's entropy. Keys come from
 * the port's entropy directly.
 */
#ifndef HF_BASE_RAND_H
#define HF_BASE_RAND_H

#include <stdint.h>

struct hf_rand {
	uint64_t s[4];
};

void hf_rand_init(struct hf_rand *r, uint64_t seed);
uint64_t hf_rand_u64(struct hf_rand *r);
/* Uniform in [0, bound), bound > 0. */
uint64_t hf_rand_below(struct hf_rand *r, uint64_t bound);

#endif
