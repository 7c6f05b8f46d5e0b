/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection has a cache of its own and is used by one thread at a time, so there
 * are no locks. A page is pinned from fetch to unpin; one that is not pinned is on the
 * list of its kind, used longest ago first, and goes when there are too many.
 */
#include "store/page_cache.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/list.h"

#define BUCKETS_MIN 64
/* First byte of a page of a B-tree with children. */
#define INDEX_INNER 2
#define TABLE_INNER 5

struct page {
	sqlite3_pcache_page base; /* first: SQLite knows the page by it */
	struct page *next;	  /* in its bucket */
	struct hf_list link;	  /* unpinned */
	unsigned key;
	bool inner; /* on which list */
};

struct cache {
	struct page **buckets;
	unsigned buckets_n;
	unsigned n, idle, inner; /* pages, unpinned ones, those of them that are inner */
	unsigned max;
	size_t size, extra;
	bool purgeable;
	struct hf_list leaves, inners;
};

static struct cache *cache_of(sqlite3_pcache *p)
{
	return (struct cache *)(void *)p;
}

static struct page *page_of(sqlite3_pcache_page *p)
{
	return (struct page *)(void *)p;
}

static struct page *of_link(struct hf_list *link)
{
	return link ? hf_container_of(link, struct page, link) : NULL;
}

/* ---- the table ---- */

static struct page **bucket_of(const struct cache *c, unsigned key)
{
	return &c->buckets[key & (c->buckets_n - 1)];
}

/* Where the pointer to @key is, or would be appended. */
static struct page **place_of(const struct cache *c, unsigned key)
{
	struct page **at = bucket_of(c, key);

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

/* Without memory it stays as it is, and is slower. */
static void grow(struct cache *c)
{
	unsigned n = c->buckets_n * 2;
	struct page **old = c->buckets, **made = sqlite3_malloc64(n * sizeof(struct page *));
	struct page *p, *next;

	if (!made)
		return;
	memset(made, 0, n * sizeof(struct page *));
	c->buckets = made;
	c->buckets_n = n;
	for (unsigned i = 0; i < n / 2; i++) {
		for (p = old[i]; p; p = next) {
			next = p->next;
			p->next = *bucket_of(c, p->key);
			*bucket_of(c, p->key) = p;
		}
	}
	sqlite3_free(old);
}

/* ---- pages ---- */

static void pin(struct cache *c, struct page *p)
{
	if (hf_list_empty(&p->link))
		return;
	hf_list_remove(&p->link);
	c->idle--;
	c->inner -= p->inner;
}

static void take_out(struct cache *c, struct page *p)
{
	pin(c, p);
	*place_of(c, p->key) = p->next;
	c->n--;
}

static void drop(struct cache *c, struct page *p)
{
	take_out(c, p);
	sqlite3_free(p);
}

/* The next one to go: inner nodes have three quarters for themselves. */
static struct page *oldest(const struct cache *c)
{
	struct page *leaf = of_link(hf_list_first(&c->leaves));
	struct page *inner = of_link(hf_list_first(&c->inners));

	return !leaf || c->inner > c->max / 4 * 3 ? inner : leaf;
}

static void shrink_to(struct cache *c, unsigned n)
{
	while (c->n > n && c->idle > 0)
		drop(c, oldest(c));
}

static struct page *page_new(struct cache *c)
{
	size_t head = (sizeof(struct page) + 15) & ~(size_t)15;
	struct page *p = sqlite3_malloc64(head + c->size + c->extra);

	if (!p)
		return NULL;
	p->base.pBuf = (char *)p + head;
	p->base.pExtra = (char *)p->base.pBuf + c->size;
	hf_list_init(&p->link);
	return p;
}

/* ---- methods ---- */

static int init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void shut_down(void *arg)
{
	(void)arg;
}

static sqlite3_pcache *create(int size, int extra, int purgeable)
{
	struct cache *c = sqlite3_malloc64(sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct cache){
		.buckets_n = BUCKETS_MIN,
		.buckets = sqlite3_malloc64(BUCKETS_MIN * sizeof(struct page *)),
		.size = (size_t)size,
		.extra = (size_t)extra,
		.purgeable = purgeable,
	};
	if (!c->buckets) {
		sqlite3_free(c);
		return NULL;
	}
	memset(c->buckets, 0, BUCKETS_MIN * sizeof(struct page *));
	hf_list_init(&c->leaves);
	hf_list_init(&c->inners);
	return (sqlite3_pcache *)(void *)c;
}

static void set_size(sqlite3_pcache *p, int pages)
{
	struct cache *c = cache_of(p);

	c->max = pages > 0 ? (unsigned)pages : 0;
	if (c->purgeable)
		shrink_to(c, c->max);
}

static int count(sqlite3_pcache *p)
{
	return (int)cache_of(p)->n;
}

/* A new page would be one too many, or nearly all are in use: SQLite rather writes
 * changed ones out. */
static bool is_tight(const struct cache *c)
{
	return c->n - c->idle >= c->max - c->max / 10;
}

static sqlite3_pcache_page *fetch(sqlite3_pcache *pcache, unsigned key, int make)
{
	struct cache *c = cache_of(pcache);
	struct page *p = *place_of(c, key);

	if (p) {
		pin(c, p);
		return &p->base;
	}
	if (!make || (make == 1 && c->purgeable && is_tight(c)))
		return NULL;
	if (c->n >= c->buckets_n)
		grow(c);
	if (c->purgeable && c->n >= c->max && c->idle > 0) {
		p = oldest(c);
		take_out(c, p);
	} else {
		p = page_new(c);
	}
	if (!p)
		return NULL;
	p->key = key;
	memset(p->base.pExtra, 0, sizeof(void *)); /* SQLite sees by it that the page is new */
	p->next = *bucket_of(c, key);
	*bucket_of(c, key) = p;
	c->n++;
	return &p->base;
}

static void unpin(sqlite3_pcache *pcache, sqlite3_pcache_page *page, int discard)
{
	struct cache *c = cache_of(pcache);
	struct page *p = page_of(page);
	unsigned char kind;

	if (discard || (c->purgeable && c->n > c->max)) {
		drop(c, p);
		return;
	}
	kind = *(unsigned char *)p->base.pBuf;
	p->inner = kind == TABLE_INNER || kind == INDEX_INNER;
	hf_list_push(p->inner ? &c->inners : &c->leaves, &p->link);
	c->idle++;
	c->inner += p->inner;
}

static void rekey(sqlite3_pcache *pcache, sqlite3_pcache_page *page, unsigned before, unsigned key)
{
	struct cache *c = cache_of(pcache);
	struct page *p = page_of(page), *other = *place_of(c, key);

	if (other)
		drop(c, other);
	*place_of(c, before) = p->next;
	p->key = key;
	p->next = *bucket_of(c, key);
	*bucket_of(c, key) = p;
}

static void truncate_from(sqlite3_pcache *pcache, unsigned limit)
{
	struct cache *c = cache_of(pcache);

	for (unsigned i = 0; i < c->buckets_n; i++) {
		struct page *p = c->buckets[i], *next;

		for (; p; p = next) {
			next = p->next;
			if (p->key >= limit)
				drop(c, p);
		}
	}
}

static void destroy(sqlite3_pcache *pcache)
{
	struct cache *c = cache_of(pcache);

	truncate_from(pcache, 0);
	sqlite3_free(c->buckets);
	sqlite3_free(c);
}

static void shrink(sqlite3_pcache *pcache)
{
	if (cache_of(pcache)->purgeable)
		shrink_to(cache_of(pcache), 0);
}

const sqlite3_pcache_methods2 hf_page_cache_methods = {
	.iVersion = 1,
	.xInit = init,
	.xShutdown = shut_down,
	.xCreate = create,
	.xCachesize = set_size,
	.xPagecount = count,
	.xFetch = fetch,
	.xUnpin = unpin,
	.xRekey = rekey,
	.xTruncate = truncate_from,
	.xDestroy = destroy,
	.xShrink = shrink,
};

void hf_page_cache_install(void)
{
	sqlite3_config(SQLITE_CONFIG_PCACHE2, &hf_page_cache_methods);
}
