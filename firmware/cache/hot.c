/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/hot.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define KEY_PREFIX 4 /* the cache */
/* What a slot costs beside itself and its entries: its place in the map. */
#define OVERHEAD 96

static struct hf_span make_key(char *to, uint32_t cache, struct hf_span url)
{
	memcpy(to, &cache, KEY_PREFIX);
	memcpy(to + KEY_PREFIX, url.ptr, url.len);
	return hf_span(to, KEY_PREFIX + url.len);
}

static struct hf_span key_of(const struct hf_hot_slot *s)
{
	return hf_span(s->key, s->key_len);
}

void hf_hot_init(struct hf_hot *h, const uint64_t seed[2], size_t bytes_max)
{
	*h = (struct hf_hot){ .bytes_max = bytes_max };
	hf_strmap_init(&h->map, seed);
	hf_list_init(&h->lru);
}

void hf_hot_finish(struct hf_hot *h)
{
	struct hf_list *it;

	while ((it = hf_list_first(&h->lru))) {
		struct hf_hot_slot *s = hf_container_of(it, struct hf_hot_slot, lru);

		hf_list_init(&s->waiting);
		hf_hot_drop(h, s);
	}
	hf_strmap_finish(&h->map);
}

struct hf_hot_slot *hf_hot_find(struct hf_hot *h, uint32_t cache, struct hf_span url)
{
	char key[KEY_PREFIX + HF_SHELF_URL_MAX];

	if (url.len > HF_SHELF_URL_MAX)
		return NULL;
	return hf_strmap_get(&h->map, make_key(key, cache, url));
}

int hf_hot_add(struct hf_hot *h, uint32_t cache, struct hf_span url, struct hf_hot_slot **out)
{
	struct hf_hot_slot *s;

	if (url.len > HF_SHELF_URL_MAX)
		return HF_ETOOBIG;
	s = calloc(1, sizeof(*s) + KEY_PREFIX + url.len);
	if (!s)
		return HF_ENOMEM;
	s->key_len = make_key(s->key, cache, url).len;
	if (hf_strmap_put(&h->map, key_of(s), s)) {
		free(s);
		return HF_ENOMEM;
	}
	hf_list_init(&s->waiting);
	s->loading = true;
	s->generation = ++h->generation;
	s->bytes = sizeof(*s) + OVERHEAD + 2 * s->key_len;
	h->bytes += s->bytes;
	hf_list_push(&h->lru, &s->lru);
	*out = s;
	return 0;
}

static void account(struct hf_hot *h, struct hf_hot_slot *s, size_t more, size_t less)
{
	s->bytes = s->bytes + more - less;
	h->bytes = h->bytes + more - less;
}

void hf_hot_put(struct hf_hot *h, struct hf_hot_slot *s, struct hf_stored *e)
{
	if (s->n == HF_SHELF_VARIANTS_MAX)
		hf_hot_take_out(h, s, s->v[s->n - 1]->id);
	memmove(s->v + 1, s->v, s->n * sizeof(s->v[0]));
	s->v[0] = e;
	s->n++;
	account(h, s, e->bytes, 0);
}

bool hf_hot_replace(struct hf_hot *h, struct hf_hot_slot *s, struct hf_stored *e)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i]->id != e->id)
			continue;
		account(h, s, e->bytes, s->v[i]->bytes);
		hf_stored_unref(s->v[i]);
		s->v[i] = e;
		return true;
	}
	return false;
}

void hf_hot_take_out(struct hf_hot *h, struct hf_hot_slot *s, uint64_t id)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i]->id != id)
			continue;
		account(h, s, 0, s->v[i]->bytes);
		hf_stored_unref(s->v[i]);
		s->n--;
		memmove(s->v + i, s->v + i + 1, (s->n - i) * sizeof(s->v[0]));
		return;
	}
}

void hf_hot_changed(struct hf_hot *h, struct hf_hot_slot *s)
{
	if (s->loading)
		s->generation = ++h->generation;
}

void hf_hot_empty(struct hf_hot *h, struct hf_hot_slot *s)
{
	s->generation = ++h->generation;
	while (s->n > 0)
		hf_hot_take_out(h, s, s->v[s->n - 1]->id);
}

void hf_hot_used(struct hf_hot *h, struct hf_hot_slot *s)
{
	hf_list_remove(&s->lru);
	hf_list_push(&h->lru, &s->lru);
}

void hf_hot_drop(struct hf_hot *h, struct hf_hot_slot *s)
{
	assert(hf_list_empty(&s->waiting));
	hf_hot_empty(h, s);
	h->bytes -= s->bytes;
	hf_list_remove(&s->lru);
	hf_strmap_remove(&h->map, key_of(s));
	free(s);
}

void hf_hot_drop_cache(struct hf_hot *h, uint32_t cache)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &h->lru) {
		struct hf_hot_slot *s = hf_container_of(it, struct hf_hot_slot, lru);

		if (cache != 0 && memcmp(s->key, &cache, KEY_PREFIX) != 0)
			continue;
		if (s->loading)
			hf_hot_empty(h, s);
		else
			hf_hot_drop(h, s);
	}
}

void hf_hot_shrink(struct hf_hot *h, const struct hf_hot_slot *spare)
{
	struct hf_list *it, *tmp;

	if (h->bytes <= h->bytes_max)
		return;
	hf_list_for(it, tmp, &h->lru) {
		struct hf_hot_slot *s = hf_container_of(it, struct hf_hot_slot, lru);

		if (h->bytes <= h->bytes_max)
			return;
		if (!s->loading && s != spare)
			hf_hot_drop(h, s);
	}
}
