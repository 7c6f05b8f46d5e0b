/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/seen.h"

#include <stdlib.h>

#define CAP_MIN	   64
#define CHUNK	   1024	      /* entries that are allocated together */
#define SLOT_CHAIN 4	      /* entries of a slot when all places are taken */
#define AT_RANGE   (1U << 23) /* of hf_seen_entry.at_s */

void hf_seen_init(struct hf_seen *s, uint32_t max)
{
	*s = (struct hf_seen){ .cap = max < CAP_MIN ? CAP_MIN : max };
}

static uint32_t chunks_n(const struct hf_seen *s)
{
	return (s->cap + CHUNK - 1) / CHUNK;
}

void hf_seen_finish(struct hf_seen *s)
{
	for (uint32_t i = 0; s->chunks && i < chunks_n(s); i++)
		free(s->chunks[i]);
	free(s->chunks);
	free(s->slots);
	*s = (struct hf_seen){ .cap = s->cap };
}

static struct hf_seen_entry *at(struct hf_seen *s, uint32_t index)
{
	return &s->chunks[index / CHUNK][index % CHUNK];
}

static uint32_t *slot_of(struct hf_seen *s, uint64_t hash)
{
	return &s->slots[hash % (s->cap / SLOT_CHAIN)];
}

static bool is_old(const struct hf_seen_entry *e, uint64_t now_ms)
{
	return ((uint32_t)(now_ms / 1000) - e->at_s) % AT_RANGE > HF_SEEN_LIFETIME_MS / 1000;
}

static void unlink_entry(struct hf_seen *s, uint32_t index)
{
	struct hf_seen_entry *e = at(s, index);
	uint32_t *link = slot_of(s, e->hash);

	while (*link && *link != index + 1)
		link = &at(s, *link - 1)->next;
	if (*link)
		*link = e->next;
}

/* The chunk that the first one was in last, if nothing of it is left. */
static void free_chunk(struct hf_seen *s, uint32_t chunk)
{
	uint32_t last = (s->first + s->n + s->cap - 1) % s->cap;

	if (s->first / CHUNK == chunk || (s->n > 0 && last / CHUNK == chunk))
		return;
	free(s->chunks[chunk]);
	s->chunks[chunk] = NULL;
}

static void drop_first(struct hf_seen *s)
{
	uint32_t chunk = s->first / CHUNK;

	unlink_entry(s, s->first);
	s->first = (s->first + 1) % s->cap;
	s->n--;
	free_chunk(s, chunk);
}

static void drop_old(struct hf_seen *s, uint64_t now_ms)
{
	while (s->n > 0 && is_old(at(s, s->first), now_ms))
		drop_first(s);
	/* what a busy hour needed is given back in a quiet one */
	if (s->n == 0)
		hf_seen_finish(s);
}

struct hf_seen_entry *hf_seen_find(struct hf_seen *s, uint64_t hash, uint64_t now_ms)
{
	drop_old(s, now_ms);
	if (s->n == 0)
		return NULL;
	for (uint32_t i = *slot_of(s, hash); i; i = at(s, i - 1)->next)
		if (at(s, i - 1)->hash == hash && at(s, i - 1)->live)
			return at(s, i - 1);
	return NULL;
}

static bool make_place(struct hf_seen *s, uint32_t index)
{
	struct hf_seen_entry **chunk;

	if (!s->chunks)
		s->chunks = calloc(chunks_n(s), sizeof(struct hf_seen_entry *));
	if (!s->slots)
		s->slots = calloc(s->cap / SLOT_CHAIN, sizeof(*s->slots));
	if (!s->chunks || !s->slots)
		return false;
	chunk = &s->chunks[index / CHUNK];
	if (!*chunk)
		*chunk = calloc(CHUNK, sizeof(struct hf_seen_entry));
	return *chunk != NULL;
}

struct hf_seen_entry *hf_seen_add(struct hf_seen *s, uint64_t hash, uint64_t now_ms)
{
	struct hf_seen_entry *e;
	uint32_t index, *slot;

	drop_old(s, now_ms);
	if (s->n == s->cap)
		drop_first(s);
	index = (s->first + s->n) % s->cap;
	if (!make_place(s, index))
		return NULL;
	e = at(s, index);
	slot = slot_of(s, hash);
	*e = (struct hf_seen_entry){
		.hash = hash, .at_s = (now_ms / 1000) % AT_RANGE, .live = 1, .next = *slot
	};
	*slot = index + 1;
	s->n++;
	return e;
}

void hf_seen_forget(struct hf_seen *s, uint64_t hash, uint64_t now_ms)
{
	struct hf_seen_entry *e = hf_seen_find(s, hash, now_ms);

	if (e)
		e->live = 0;
}
