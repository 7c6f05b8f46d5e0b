/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spare.h"

#include <stdlib.h>
#include <string.h>

/* Where uses after the end are looked for nothing stays. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEP 0u
#endif
#endif
#ifndef KEEP
#define KEEP HF_SPARE_MAX
#endif

void *hf_spare_take(struct hf_spare *s, size_t size)
{
	return s->n > 0 ? memset(s->v[--s->n], 0, size) : calloc(1, size);
}

void hf_spare_give(struct hf_spare *s, void *block)
{
	if (s->n < KEEP)
		s->v[s->n++] = block;
	else
		free(block);
}

void hf_spare_finish(struct hf_spare *s)
{
	while (s->n > 0)
		free(s->v[--s->n]);
}
