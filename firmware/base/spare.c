/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spare.h"

#include <stdlib.h>
#include <string.h>

/* A block that was given back may not be touched: the sanitizer of addresses is told
 * so, and what is kept is the same with it as without. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(block, size)	 ((void)(block), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(block, size) ((void)(block), (void)(size))
#endif

static void *take_kept(struct hf_spare *s, size_t size)
{
	void *block;

	s->size = size;
	if (s->n == 0)
		return NULL;
	block = s->v[--s->n];
	ASAN_UNPOISON_MEMORY_REGION(block, size);
	return block;
}

void *hf_spare_take(struct hf_spare *s, size_t size)
{
	void *block = take_kept(s, size);

	return block ? memset(block, 0, size) : calloc(1, size);
}

void *hf_spare_take_as_it_is(struct hf_spare *s, size_t size)
{
	void *block = take_kept(s, size);

	return block ? block : malloc(size);
}

void hf_spare_give(struct hf_spare *s, void *block)
{
	if (s->n < HF_SPARE_MAX) {
		ASAN_POISON_MEMORY_REGION(block, s->size);
		s->v[s->n++] = block;
	} else {
		free(block);
	}
}

void hf_spare_finish(struct hf_spare *s)
{
	while (s->n > 0) {
		s->n--;
		ASAN_UNPOISON_MEMORY_REGION(s->v[s->n], s->size);
		free(s->v[s->n]);
	}
}
