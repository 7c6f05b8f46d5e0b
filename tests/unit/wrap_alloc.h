/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations of the code under test that fail when the test's alloc_fails says
 * so. The test is linked with --wrap for malloc, calloc and realloc (see its
 * .cmake file).
 */
#ifndef HF_TESTS_WRAP_ALLOC_H
#define HF_TESTS_WRAP_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool alloc_fails(void);

void *__wrap_malloc(size_t size)
{
	return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return alloc_fails() ? NULL : __real_realloc(p, size);
}

#endif
