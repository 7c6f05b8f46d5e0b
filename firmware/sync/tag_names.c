/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations by worker and tag: chains through the registrations themselves,
 * since there may be ten thousand of them.
 */
#include <stdlib.h>

#include "holdfast_config.h"
#include "sync/tags_private.h"

#define WORKER_SIZE sizeof(unsigned)
#define NAME_SIZE   (WORKER_SIZE + CONFIG_HF_SYNC_TAG_BYTES_MAX)
#define CAP_MIN	    16

static struct hf_tag **slot_of(const struct hf_tags *t, unsigned worker, struct hf_span text)
{
	char name[NAME_SIZE];

	memcpy(name, &worker, WORKER_SIZE);
	if (text.len > 0)
		memcpy(name + WORKER_SIZE, text.ptr, text.len);
	return &t->names[hf_siphash13(t->names_seed, hf_span(name, WORKER_SIZE + text.len)) &
			 (t->names_cap - 1)];
}

/* The link that leads to it, or to the end of its chain. There are slots. */
static struct hf_tag **link_of(const struct hf_tags *t, unsigned worker, struct hf_span text)
{
	struct hf_tag **link = slot_of(t, worker, text);

	while (*link && ((*link)->worker != worker || !hf_span_eq(hf_tag_text(*link), text)))
		link = &(*link)->next_name;
	return link;
}

struct hf_tag *hf_tags_find(struct hf_tags *t, unsigned worker, struct hf_span text)
{
	if (t->names_n == 0 || text.len > CONFIG_HF_SYNC_TAG_BYTES_MAX)
		return NULL;
	return *link_of(t, worker, text);
}

static int grow(struct hf_tags *t)
{
	size_t old_cap = t->names_cap;
	struct hf_tag **old = t->names, *tag, *next, **link;

	t->names_cap = old_cap ? old_cap * 2 : CAP_MIN;
	t->names = calloc(t->names_cap, sizeof(*t->names));
	if (!t->names) {
		t->names = old;
		t->names_cap = old_cap;
		return HF_ENOMEM;
	}
	for (size_t i = 0; i < old_cap; i++)
		for (tag = old[i]; tag; tag = next) {
			next = tag->next_name;
			link = slot_of(t, tag->worker, hf_tag_text(tag));
			tag->next_name = *link;
			*link = tag;
		}
	free(old);
	return 0;
}

int hf_tag_insert(struct hf_tag *tag)
{
	struct hf_tags *t = tag->tags;
	struct hf_tag **link;
	int err = t->names_n >= t->names_cap ? grow(t) : 0;

	if (err)
		return err;
	link = slot_of(t, tag->worker, hf_tag_text(tag));
	tag->next_name = *link;
	*link = tag;
	t->names_n++;
	t->counts[tag->worker]++;
	hf_list_push(&t->all, &tag->link);
	return 0;
}

void hf_tag_forget_name(struct hf_tag *tag)
{
	struct hf_tags *t = tag->tags;
	struct hf_tag **link;

	if (hf_tags_find(t, tag->worker, hf_tag_text(tag)) != tag)
		return;
	link = link_of(t, tag->worker, hf_tag_text(tag));
	*link = tag->next_name;
	tag->next_name = NULL;
	t->names_n--;
	t->counts[tag->worker]--;
}
