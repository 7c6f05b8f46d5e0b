/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/seen.h"

#include <stdlib.h>

#define CAP_MIN	 64
#define AT_RANGE (1U << 23) /* of hf_seen_entry.at_s */

void hf_seen_init(struct hf_seen *s, uint32_t max)
{
	*s = (struct hf_seen){ .max = max < CAP_MIN ? CAP_MIN : max };
}

void hf_seen_finish(struct hf_seen *s)
{
	free(s->ring);
	free(s->slots);
	*s = (struct hf_seen){ .max = s->max };
}

static uint32_t *slot_of(struct hf_seen *s, uint64_t hash)
{
	return &s->slots[hash % s->cap];
}

static bool is_old(const struct hf_seen_entry *e, uint64_t now_ms)
{
	return ((uint32_t)(now_ms / 1000) - e->at_s) % AT_RANGE > HF_SEEN_LIFETIME_MS / 1000;
}

static void unlink_entry(struct hf_seen *s, uint32_t index)
{
	struct hf_seen_entry *e = &s->ring[index];
	uint32_t *link = slot_of(s, e->hash);

	while (*link && *link != index + 1)
		link = &s->ring[*link - 1].next;
	if (*link)
		*link = e->next;
}

static void link_entry(struct hf_seen *s, uint32_t index)
{
	uint32_t *slot = slot_of(s, s->ring[index].hash);

	s->ring[index].next = *slot;
	*slot = index + 1;
}

static void drop_first(struct hf_seen *s)
{
	unlink_entry(s, s->first);
	s->first = (s->first + 1) % s->cap;
	s->n--;
}

static bool resize(struct hf_seen *s, uint32_t cap)
{
	struct hf_seen_entry *ring = calloc(cap, sizeof(*ring));
	uint32_t *slots = calloc(cap, sizeof(*slots));

	if (!ring || !slots) {
		free(ring);
		free(slots);
		return false;
	}
	for (uint32_t i = 0; i < s->n; i++)
		ring[i] = s->ring[(s->first + i) % s->cap];
	free(s->ring);
	free(s->slots);
	s->ring = ring;
	s->slots = slots;
	s->cap = cap;
	s->first = 0;
	for (uint32_t i = 0; i < s->n; i++)
		link_entry(s, i);
	return true;
}

static void drop_old(struct hf_seen *s, uint64_t now_ms)
{
	while (s->n > 0 && is_old(&s->ring[s->first], now_ms))
		drop_first(s);
	/* what a busy hour needed is given back in a quiet one */
	if (s->n == 0 && s->cap > CAP_MIN)
		hf_seen_finish(s);
}

struct hf_seen_entry *hf_seen_find(struct hf_seen *s, uint64_t hash, uint64_t now_ms)
{
	drop_old(s, now_ms);
	if (s->cap == 0)
		return NULL;
	for (uint32_t at = *slot_of(s, hash); at; at = s->ring[at - 1].next)
		if (s->ring[at - 1].hash == hash && s->ring[at - 1].live)
			return &s->ring[at - 1];
	return NULL;
}

struct hf_seen_entry *hf_seen_add(struct hf_seen *s, uint64_t hash, uint64_t now_ms)
{
	uint32_t more = s->cap ? s->cap * 2 : CAP_MIN, index;

	drop_old(s, now_ms);
	if (s->n == s->cap && (s->cap == 0 || s->cap < s->max) &&
	    !resize(s, more < s->max ? more : s->max) && s->cap == 0)
		return NULL;
	if (s->n == s->cap)
		drop_first(s);
	index = (s->first + s->n++) % s->cap;
	s->ring[index] = (struct hf_seen_entry){ .hash = hash,
						 .at_s = (now_ms / 1000) % AT_RANGE,
						 .live = 1 };
	link_entry(s, index);
	return &s->ring[index];
}

void hf_seen_forget(struct hf_seen *s, uint64_t hash, uint64_t now_ms)
{
	struct hf_seen_entry *e = hf_seen_find(s, hash, now_ms);

	if (e)
		e->live = 0;
}
