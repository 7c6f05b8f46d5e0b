/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of one size that are taken and given back for every request: a few stay at
 * hand. An allocator that returns a page as soon as nothing is on it would ask the
 * kernel for it again and again.
 */
#ifndef HF_BASE_SPARE_H
#define HF_BASE_SPARE_H

#include <stddef.h>

#define HF_SPARE_MAX 32

struct hf_spare {
	void *v[HF_SPARE_MAX];
	size_t size; /* of each */
	unsigned n;
};

/* Zeroed; NULL when memory is short. Always the same @size. */
void *hf_spare_take(struct hf_spare *s, size_t size);
/* Not zeroed. */
void *hf_spare_take_as_it_is(struct hf_spare *s, size_t size);
void hf_spare_give(struct hf_spare *s, void *block);
void hf_spare_finish(struct hf_spare *s);

#endif
