/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the simulator itself: a test bench without memory has no result to
 * give, so it stops. None of it counts as the device's program's. */
#ifndef SIM_MEM_H
#define SIM_MEM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/heap.h"

static inline void *sim_must(void *p)
{
	if (!p) {
		fputs("holdfast-sim: out of memory\n", stderr);
		abort();
	}
	return p;
}

/* Zeroed. */
static inline void *sim_alloc(size_t n)
{
	struct sim_heap *before = sim_heap_enter(NULL);
	void *p = calloc(1, n ? n : 1);

	sim_heap_enter(before);
	return sim_must(p);
}

static inline void *sim_realloc(void *old, size_t n)
{
	struct sim_heap *before = sim_heap_enter(NULL);
	void *p = realloc(old, n ? n : 1);

	sim_heap_enter(before);
	return sim_must(p);
}

static inline void sim_free(void *p)
{
	struct sim_heap *before = sim_heap_enter(NULL);

	free(p);
	sim_heap_enter(before);
}

/* Room for one more behind @n of @v, with elements of @size. */
static inline void *sim_grow(void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 16;
	return sim_realloc(v, *cap * size);
}

static inline char *sim_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(sim_alloc(n), s, n);
}

#endif
