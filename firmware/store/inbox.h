/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the loop leaves operations and a database's thread takes them, without a
 * lock. One side pushes, one takes.
 */
#ifndef HF_STORE_INBOX_H
#define HF_STORE_INBOX_H

#include <stdatomic.h>

#include "base/list.h"

struct hf_inbox {
	_Atomic(struct hf_list *) newest; /* linked by next */
};

static inline void hf_inbox_init(struct hf_inbox *i)
{
	atomic_init(&i->newest, NULL);
}

static inline bool hf_inbox_empty(struct hf_inbox *i)
{
	return atomic_load_explicit(&i->newest, memory_order_relaxed) == NULL;
}

static inline void hf_inbox_push(struct hf_inbox *i, struct hf_list *link)
{
	link->next = atomic_load_explicit(&i->newest, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&i->newest, &link->next, link,
						      memory_order_release, memory_order_relaxed))
		;
}

/* All of it to the end of @to, oldest first. Returns how many. */
static inline unsigned hf_inbox_take(struct hf_inbox *i, struct hf_list *to)
{
	struct hf_list *at = atomic_exchange_explicit(&i->newest, NULL, memory_order_acquire);
	struct hf_list *oldest = NULL;
	unsigned n = 0;

	while (at) {
		struct hf_list *older = at->next;

		at->next = oldest;
		oldest = at;
		at = older;
	}
	for (; oldest; n++) {
		struct hf_list *next = oldest->next;

		hf_list_push(to, oldest);
		oldest = next;
	}
	return n;
}

#endif
