/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the simulator itself: a test bench without memory has no result to
 * give, so it stops. */
#ifndef SIM_MEM_H
#define SIM_MEM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	return sim_must(calloc(1, n ? n : 1));
}

static inline void *sim_realloc(void *p, size_t n)
{
	return sim_must(realloc(p, n ? n : 1));
}

static inline char *sim_strdup(const char *s)
{
	return sim_must(strdup(s));
}

#endif
