/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance, repeatable. One seed is split by the name of a domain ("disk",
 * "net", "kiosk/entropy"), so that one more draw in a domain does not move the
 * draws of the others.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rand.h"

struct sim_rng {
	struct hf_rand r;
};

void sim_rng_init(struct sim_rng *r, uint64_t seed, const char *domain);
uint64_t sim_rng_u64(struct sim_rng *r);
/* Uniform in [0, bound); 0 when @bound is 0. */
uint64_t sim_rng_below(struct sim_rng *r, uint64_t bound);
/* Uniform in [low, high]. */
uint64_t sim_rng_range(struct sim_rng *r, uint64_t low, uint64_t high);
/* True @percent times in a hundred. */
bool sim_rng_chance(struct sim_rng *r, unsigned percent);
void sim_rng_fill(struct sim_rng *r, void *out, size_t len);

#endif
