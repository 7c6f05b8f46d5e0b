/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from byte strings to pointers. Keys are copied; values are the
 * caller's. Seeded (SipHash or better than trivial) so that hostile keys do
 * not collide at will.
 */
#ifndef HF_BASE_STRMAP_H
#define HF_BASE_STRMAP_H

#include "base/span.h"

struct hf_strmap_entry;

struct hf_strmap {
	struct hf_strmap_entry **slots;
	size_t cap, len;
	uint64_t seed[2];
};

/* SipHash-1-3: for maps of another make. */
uint64_t hf_siphash13(const uint64_t seed[2], struct hf_span s);

void hf_strmap_init(struct hf_strmap *m, const uint64_t seed[2]);
void hf_strmap_finish(struct hf_strmap *m);
/* Replaces an existing value. HF_ENOMEM. */
int hf_strmap_put(struct hf_strmap *m, struct hf_span key, void *value);
/* NULL when absent. */
void *hf_strmap_get(const struct hf_strmap *m, struct hf_span key);
/* Returns the value that was removed or NULL. */
void *hf_strmap_remove(struct hf_strmap *m, struct hf_span key);

#endif
