/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that lives as long as one request. Blocks come from malloc, or
 * those of the usual size from blocks that stay at hand, and are freed together; there
 * is a ceiling on the sum.
 */
#ifndef HF_BASE_ARENA_H
#define HF_BASE_ARENA_H

#include "base/spare.h"
#include "base/span.h"

struct hf_arena_block;

struct hf_arena {
	struct hf_arena_block *blocks;
	size_t used; /* bytes handed out, with padding */
	size_t max;
	struct hf_spare *spare; /* of blocks of arenas alone; NULL: malloc */
};

void hf_arena_init(struct hf_arena *a, size_t max);
/* @spare lives as long as what is in the arena. */
void hf_arena_init_from(struct hf_arena *a, size_t max, struct hf_spare *spare);
/* Frees all; the arena can be used again. */
void hf_arena_finish(struct hf_arena *a);
/* As finish, but one block of memory is kept for the next use. */
void hf_arena_reset(struct hf_arena *a);
/* Aligned for any type, not zeroed. NULL past the ceiling or without memory. */
void *hf_arena_alloc(struct hf_arena *a, size_t size);
/* A copy with a NUL behind it; ptr is NULL on failure. */
struct hf_span hf_arena_copy(struct hf_arena *a, struct hf_span bytes);
/* As printf, NUL-terminated; ptr is NULL on failure. */
struct hf_span hf_arena_printf(struct hf_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
