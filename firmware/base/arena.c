/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of blocks; the first one is filled from its front. What is larger
 * than a quarter of a block gets a block of its own, which is put behind the
 * first one so that the room there is not lost.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES 4096 /* with the header */
#define ALIGN	    alignof(max_align_t)
#define PRINT_FEW   128 /* bytes of a text that is written once, not counted first */

struct hf_arena_block {
	struct hf_arena_block *next;
	size_t size, used; /* of data */
	alignas(max_align_t) char data[];
};

#define BLOCK_DATA (BLOCK_BYTES - sizeof(struct hf_arena_block))

void hf_arena_init(struct hf_arena *a, size_t max)
{
	*a = (struct hf_arena){ .max = max };
}

void hf_arena_init_from(struct hf_arena *a, size_t max, struct hf_spare *spare)
{
	*a = (struct hf_arena){ .max = max, .spare = spare };
}

static void block_free(struct hf_arena *a, struct hf_arena_block *b)
{
	if (a->spare && b->size == BLOCK_DATA)
		hf_spare_give(a->spare, b);
	else
		free(b);
}

void hf_arena_finish(struct hf_arena *a)
{
	struct hf_arena_block *b = a->blocks, *next;

	for (; b; b = next) {
		next = b->next;
		block_free(a, b);
	}
	hf_arena_init_from(a, a->max, a->spare);
}

void hf_arena_reset(struct hf_arena *a)
{
	struct hf_arena_block *first = a->blocks, *rest;

	if (!first || first->size > BLOCK_DATA) {
		hf_arena_finish(a);
		return;
	}
	rest = first->next;
	first->next = NULL;
	first->used = 0;
	a->blocks = rest;
	hf_arena_finish(a);
	a->blocks = first;
}

static struct hf_arena_block *block_new(struct hf_arena *a, size_t size)
{
	struct hf_arena_block *b = a->spare && size == BLOCK_DATA ?
					   hf_spare_take_as_it_is(a->spare, BLOCK_BYTES) :
					   malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

/* A block with room for @size bytes, linked in. */
static struct hf_arena_block *block_for(struct hf_arena *a, size_t size)
{
	struct hf_arena_block *first = a->blocks, *b;
	bool own = size > BLOCK_DATA / 4;

	if (first && size <= first->size - first->used)
		return first;
	b = block_new(a, own ? size : BLOCK_DATA);
	if (!b)
		return NULL;
	if (own && first) {
		b->next = first->next;
		first->next = b;
	} else {
		b->next = first;
		a->blocks = b;
	}
	return b;
}

void *hf_arena_alloc(struct hf_arena *a, size_t size)
{
	struct hf_arena_block *b;
	size_t padded;
	void *p;

	assert(a->used <= a->max);
	if (size == 0)
		size = 1;
	if (size > a->max - a->used)
		return NULL;
	padded = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (padded < size || padded > SIZE_MAX - sizeof(*b) || padded > a->max - a->used)
		return NULL;
	b = block_for(a, padded);
	if (!b)
		return NULL;
	p = b->data + b->used;
	b->used += padded;
	a->used += padded;
	return p;
}

struct hf_span hf_arena_copy(struct hf_arena *a, struct hf_span bytes)
{
	char *p = bytes.len < SIZE_MAX ? hf_arena_alloc(a, bytes.len + 1) : NULL;

	if (!p)
		return hf_span(NULL, 0);
	if (bytes.len > 0)
		memcpy(p, bytes.ptr, bytes.len);
	p[bytes.len] = '\0';
	return hf_span(p, bytes.len);
}

struct hf_span hf_arena_printf(struct hf_arena *a, const char *fmt, ...)
{
	char few[PRINT_FEW];
	va_list args;
	char *p;
	int n;

	va_start(args, fmt);
	n = vsnprintf(few, sizeof(few), fmt, args);
	va_end(args);
	if (n < 0)
		return hf_span(NULL, 0);
	if ((size_t)n < sizeof(few))
		return hf_arena_copy(a, hf_span(few, (size_t)n));
	p = hf_arena_alloc(a, (size_t)n + 1);
	if (!p)
		return hf_span(NULL, 0);
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	return hf_span(p, (size_t)n);
}
