/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/heap.h"

static _Thread_local struct sim_heap *current;

struct sim_heap *sim_heap_enter(struct sim_heap *h)
{
	struct sim_heap *before = current;

	current = h;
	return before;
}

struct sim_heap *sim_heap_now(void)
{
	return current;
}

bool sim_heap_allows(struct sim_heap *h)
{
	h->allocations++;
	if (h->fail_in == 0 || --h->fail_in > 0)
		return true;
	h->failed++;
	return false;
}

void sim_heap_changed(struct sim_heap *h, size_t got, size_t gave_back)
{
	h->bytes += got;
	h->bytes -= gave_back < h->bytes ? gave_back : h->bytes;
	if (h->bytes > h->peak)
		h->peak = h->bytes;
}

void sim_heap_look(struct sim_heap *h)
{
	if (h->bytes > h->held)
		h->held = h->bytes;
}
