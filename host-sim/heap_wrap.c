/* SPDX-License-Identifier: Apache-2.0 */
/* malloc and its like, as the program's code calls them (linked with --wrap). */
#include <malloc.h>

#include "sim/heap.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

void *__wrap_malloc(size_t size)
{
	struct sim_heap *h = sim_heap_now();
	void *p;

	if (!h)
		return __real_malloc(size);
	if (!sim_heap_allows(h))
		return NULL;
	p = __real_malloc(size);
	sim_heap_changed(h, malloc_usable_size(p), 0);
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	struct sim_heap *h = sim_heap_now();
	void *p;

	if (!h)
		return __real_calloc(n, size);
	if (!sim_heap_allows(h))
		return NULL;
	p = __real_calloc(n, size);
	sim_heap_changed(h, malloc_usable_size(p), 0);
	return p;
}

void *__wrap_realloc(void *old, size_t size)
{
	struct sim_heap *h = sim_heap_now();
	size_t before;
	void *p;

	if (!h)
		return __real_realloc(old, size);
	if (!sim_heap_allows(h))
		return NULL;
	before = malloc_usable_size(old);
	p = __real_realloc(old, size);
	if (p)
		sim_heap_changed(h, malloc_usable_size(p), before);
	return p;
}

void __wrap_free(void *p)
{
	struct sim_heap *h = sim_heap_now();

	if (h)
		sim_heap_changed(h, 0, malloc_usable_size(p));
	__real_free(p);
}
