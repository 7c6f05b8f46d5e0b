/* SPDX-License-Identifier: Apache-2.0 */
/* Setting and clearing flags of all entries of a URL. */
#include <stdlib.h>

#include "cache/cache_private.h"
#include "holdfast/err.h"

struct marking {
	struct hf_list link;
	struct hf_cache_lookup lookup;
	struct hf_cache *cache;
	uint32_t set, clear;
	char url[];
};

static void mark_all(struct hf_cache *c, struct hf_stored *const *v, size_t n, uint32_t set,
		     uint32_t clear)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t flags = (v[i]->state.flags & ~clear) | set;

		if (flags != v[i]->state.flags)
			hf_stored_unref(hf_cache_update(c, v[i], NULL, &v[i]->entry.times, flags));
	}
}

static void marking_end(struct marking *m)
{
	hf_list_remove(&m->link);
	free(m);
}

static void marking_found(void *user, struct hf_stored *const *v, size_t n)
{
	struct marking *m = user;

	mark_all(m->cache, v, n, m->set, m->clear);
	marking_end(m);
}

static int begin_marking(struct hf_cache *c, uint32_t cache, struct hf_span url, uint32_t set,
			 uint32_t clear)
{
	struct marking *m = calloc(1, sizeof(*m) + url.len);
	int err;

	if (!m)
		return HF_ENOMEM;
	memcpy(m->url, url.ptr, url.len);
	m->cache = c;
	m->set = set;
	m->clear = clear;
	m->lookup = (struct hf_cache_lookup){ .cache = cache,
					      .url = hf_span(m->url, url.len),
					      .all = true,
					      .found = marking_found,
					      .user = m };
	hf_list_push(&c->markings, &m->link);
	err = hf_cache_lookup(c, &m->lookup);
	if (err)
		marking_end(m);
	return err;
}

void hf_cache_mark(struct hf_cache *c, uint32_t cache, struct hf_span url, uint32_t set,
		   uint32_t clear)
{
	struct hf_stored *const *v, *held[HF_SHELF_VARIANTS_MAX] = { NULL };
	struct hf_hot_slot *s;
	size_t n, i;

	if (!hf_cache_peek(c, cache, url, &v, &n)) {
		if (begin_marking(c, cache, url, set, clear))
			hf_cache_remove(c, cache, url); /* what cannot be marked goes */
		return;
	}
	s = hf_hot_find(&c->hot, cache, url);
	n = s ? s->n : 0;
	for (i = 0; i < n; i++)
		held[i] = hf_stored_ref(s->v[i]);
	mark_all(c, held, n, set, clear);
	for (i = 0; i < n; i++)
		hf_stored_unref(held[i]);
}

void hf_cache_drop_markings(struct hf_cache *c)
{
	struct hf_list *it;

	while ((it = hf_list_first(&c->markings)))
		marking_end(hf_container_of(it, struct marking, link));
}
