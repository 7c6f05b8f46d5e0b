/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a device's program: how much it holds, how much it ever held,
 * and an allocation that fails. The program's code runs between enter and
 * enter of the one before; what the simulator allocates itself (mem.h) is not
 * counted. In a program that is linked without heap_wrap.c nothing is.
 */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_heap {
	uint64_t allocations;
	uint64_t fail_in; /* the allocation from now that fails, 0: none */
	uint64_t failed;
	size_t bytes, peak;
	size_t held; /* the most of bytes when sim_heap_look() was called */
};

/* Whose code runs from now on, NULL: nobody's. Returns who it was before. */
struct sim_heap *sim_heap_enter(struct sim_heap *h);
struct sim_heap *sim_heap_now(void);
/* False: this allocation fails. */
bool sim_heap_allows(struct sim_heap *h);
void sim_heap_changed(struct sim_heap *h, size_t got, size_t gave_back);
/* Nobody waits for the program now. */
void sim_heap_look(struct sim_heap *h);

#endif
