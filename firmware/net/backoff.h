/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential back-off with full jitter. */
#ifndef HF_NET_BACKOFF_H
#define HF_NET_BACKOFF_H

#include "base/rand.h"

/* Uniform in [base_ms / 2, min(cap_ms, base_ms * 2^failures)], failures >= 0;
 * at least base_ms / 2, never above cap_ms. */
uint64_t hf_backoff_ms(struct hf_rand *rand, uint32_t base_ms, uint32_t cap_ms, unsigned failures);

#endif
