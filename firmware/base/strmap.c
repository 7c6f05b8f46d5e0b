/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chained buckets, a power of two of them, doubled when there is more than one
 * entry to a bucket on average. Hash: SipHash-1-3, keyed with the map's seed.
 */
#include "base/strmap.h"

#include <stdlib.h>

#include "holdfast/err.h"

#define CAP_MIN 16

struct hf_strmap_entry {
	struct hf_strmap_entry *next;
	uint64_t hash;
	void *value;
	size_t len;
	char key[];
};

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* Up to 8 bytes, the first one lowest. */
static uint64_t load_le(const char *p, size_t n)
{
	uint64_t x = 0;

	while (n-- > 0)
		x = x << 8 | (unsigned char)p[n];
	return x;
}

static void sip_block(uint64_t v[4], uint64_t block)
{
	v[3] ^= block;
	sip_round(v);
	v[0] ^= block;
}

uint64_t hf_siphash13(const uint64_t seed[2], struct hf_span s)
{
	uint64_t v[4] = {
		seed[0] ^ UINT64_C(0x736f6d6570736575),
		seed[1] ^ UINT64_C(0x646f72616e646f6d),
		seed[0] ^ UINT64_C(0x6c7967656e657261),
		seed[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t length_byte = (uint64_t)s.len << 56;
	int i;

	for (; s.len >= 8; s = hf_span_skip(s, 8))
		sip_block(v, load_le(s.ptr, 8));
	sip_block(v, length_byte | load_le(s.ptr, s.len));
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void hf_strmap_init(struct hf_strmap *m, const uint64_t seed[2])
{
	*m = (struct hf_strmap){ .seed = { seed[0], seed[1] } };
}

static void free_chain(struct hf_strmap_entry *e)
{
	struct hf_strmap_entry *next;

	for (; e; e = next) {
		next = e->next;
		free(e);
	}
}

void hf_strmap_finish(struct hf_strmap *m)
{
	size_t i;

	for (i = 0; i < m->cap; i++)
		free_chain(m->slots[i]);
	free(m->slots);
	m->slots = NULL;
	m->cap = m->len = 0;
}

/* The link that points to the entry of @key, or to the NULL at the chain's
 * end. The map has slots. */
static struct hf_strmap_entry **find(const struct hf_strmap *m, struct hf_span key, uint64_t hash)
{
	struct hf_strmap_entry **link = &m->slots[hash & (m->cap - 1)];

	while (*link) {
		struct hf_strmap_entry *e = *link;

		if (e->hash == hash && hf_span_eq(hf_span(e->key, e->len), key))
			break;
		link = &e->next;
	}
	return link;
}

static void rehash_chain(struct hf_strmap_entry *e, struct hf_strmap_entry **slots, size_t cap)
{
	struct hf_strmap_entry *next;

	for (; e; e = next) {
		struct hf_strmap_entry **slot = &slots[e->hash & (cap - 1)];

		next = e->next;
		e->next = *slot;
		*slot = e;
	}
}

static int grow(struct hf_strmap *m)
{
	size_t cap = m->cap ? m->cap * 2 : CAP_MIN, i;
	struct hf_strmap_entry **slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return HF_ENOMEM;
	for (i = 0; i < m->cap; i++)
		rehash_chain(m->slots[i], slots, cap);
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
	return 0;
}

static struct hf_strmap_entry *entry_new(struct hf_span key, uint64_t hash, void *value)
{
	struct hf_strmap_entry *e;

	if (key.len > SIZE_MAX - sizeof(*e))
		return NULL;
	e = malloc(sizeof(*e) + key.len);
	if (!e)
		return NULL;
	e->next = NULL;
	e->hash = hash;
	e->value = value;
	e->len = key.len;
	if (key.len > 0)
		memcpy(e->key, key.ptr, key.len);
	return e;
}

int hf_strmap_put(struct hf_strmap *m, struct hf_span key, void *value)
{
	uint64_t hash = hf_siphash13(m->seed, key);
	struct hf_strmap_entry **link, *e;
	int err;

	if (m->len > 0) {
		link = find(m, key, hash);
		if (*link) {
			(*link)->value = value;
			return 0;
		}
	}
	if (m->len >= m->cap) {
		err = grow(m);
		if (err)
			return err;
	}
	e = entry_new(key, hash, value);
	if (!e)
		return HF_ENOMEM;
	link = &m->slots[hash & (m->cap - 1)];
	e->next = *link;
	*link = e;
	m->len++;
	return 0;
}

void *hf_strmap_get(const struct hf_strmap *m, struct hf_span key)
{
	struct hf_strmap_entry *e;

	if (m->len == 0)
		return NULL;
	e = *find(m, key, hf_siphash13(m->seed, key));
	return e ? e->value : NULL;
}

void *hf_strmap_remove(struct hf_strmap *m, struct hf_span key)
{
	struct hf_strmap_entry **link, *e;
	void *value;

	if (m->len == 0)
		return NULL;
	link = find(m, key, hf_siphash13(m->seed, key));
	e = *link;
	if (!e)
		return NULL;
	*link = e->next;
	value = e->value;
	free(e);
	m->len--;
	return value;
}
