/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive, circular, doubly linked list. The head is a node of its own.
 * A node that is on no list points to itself (after hf_list_init) so that
 * removing twice is harmless.
 */
#ifndef HF_BASE_LIST_H
#define HF_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct hf_list {
	struct hf_list *prev, *next;
};

#define hf_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void hf_list_init(struct hf_list *l)
{
	l->prev = l;
	l->next = l;
}

static inline bool hf_list_empty(const struct hf_list *l)
{
	return l->next == l;
}

static inline void hf_list_insert_(struct hf_list *node, struct hf_list *prev, struct hf_list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void hf_list_push(struct hf_list *head, struct hf_list *node) /* at the end */
{
	hf_list_insert_(node, head->prev, head);
}

static inline void hf_list_push_front(struct hf_list *head, struct hf_list *node)
{
	hf_list_insert_(node, head, head->next);
}

static inline void hf_list_remove(struct hf_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	hf_list_init(node);
}

/* First node or NULL. */
static inline struct hf_list *hf_list_first(const struct hf_list *head)
{
	return head->next == head ? NULL : head->next;
}

/* Removes and returns the first node, NULL when empty. */
static inline struct hf_list *hf_list_pop(struct hf_list *head)
{
	struct hf_list *n = hf_list_first(head);

	if (n)
		hf_list_remove(n);
	return n;
}

/* Moves all nodes of @from to @to, which needs no init. */
static inline void hf_list_take(struct hf_list *from, struct hf_list *to)
{
	hf_list_init(to);
	if (hf_list_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	hf_list_init(from);
}

/* Safe against removal of @it inside the loop. */
#define hf_list_for(it, tmp, head)                                    \
	for ((it) = (head)->next, (tmp) = (it)->next; (it) != (head); \
	     (it) = (tmp), (tmp) = (it)->next)

#endif
