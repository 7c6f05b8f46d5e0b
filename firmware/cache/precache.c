/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/precache.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"

/* ---- loading ---- */

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int add_keys(struct hf_precache *p)
{
	const struct hf_shelf_list *l = &p->list;

	if (p->next_n + l->n > p->next_cap) {
		size_t cap = 2 * p->next_cap + l->n;
		uint64_t *grown = realloc(p->next_keys, cap * sizeof(*grown));

		if (!grown)
			return HF_ENOMEM;
		p->next_keys = grown;
		p->next_cap = cap;
	}
	for (size_t i = 0; i < l->n; i++)
		if (!p->by_name || l->v[i].note.len == 0)
			p->next_keys[p->next_n++] =
				hf_shelf_key(hf_cache_shelf(p->cache), p->next_id, l->v[i].url);
	return 0;
}

static void load_end(struct hf_precache *p, int err)
{
	p->loading = false;
	if (err) {
		free(p->next_keys);
	} else {
		free(p->keys);
		p->keys = p->next_keys;
		p->n = p->next_n;
		p->cap = p->next_cap;
		p->id = p->next_id;
		if (p->n > 0)
			qsort(p->keys, p->n, sizeof(*p->keys), compare);
	}
	p->next_keys = NULL;
	p->loaded(p->user, err);
}

static void next_page(struct hf_precache *p);

static void page_read(struct hf_shelf_op *op, int err)
{
	struct hf_precache *p = op->user;
	bool more = !err && p->list.more;
	uint64_t next = p->list.next;

	if (!err)
		err = add_keys(p);
	hf_shelf_list_finish(&p->list);
	if (err || !more) {
		load_end(p, err);
		return;
	}
	p->list.after = next;
	next_page(p);
}

static void next_page(struct hf_precache *p)
{
	p->list.op.done = page_read;
	p->list.op.user = p;
	hf_shelf_list(hf_cache_shelf(p->cache), &p->list);
}

void hf_precache_init(struct hf_precache *p, struct hf_cache *cache)
{
	*p = (struct hf_precache){ .cache = cache };
}

void hf_precache_finish(struct hf_precache *p)
{
	free(p->keys);
	free(p->next_keys);
	*p = (struct hf_precache){ .id = 0 };
}

void hf_precache_load(struct hf_precache *p, uint32_t id, void (*loaded)(void *user, int err),
		      void *user)
{
	assert(!p->loading);
	p->loading = true;
	p->loaded = loaded;
	p->user = user;
	p->next_id = id;
	p->next_n = 0;
	p->next_cap = 0;
	p->list = (struct hf_shelf_list){ .cache = id };
	next_page(p);
}

/* ---- finding ---- */

static bool has(const struct hf_precache *p, struct hf_span url)
{
	uint64_t key = hf_shelf_key(hf_cache_shelf(p->cache), p->id, url);

	return bsearch(&key, p->keys, p->n, sizeof(key), compare) != NULL;
}

static bool is_tracking(struct hf_span parameter)
{
	struct hf_span name = hf_span_cut(&parameter, '=');

	return hf_span_starts(name, HF_SPAN("utm_")) || hf_span_eq_str(name, "fbclid");
}

/* @target without the parameters that only tell where a visitor came from. */
static struct hf_span without_tracking(struct hf_span target, struct hf_arena *arena)
{
	struct hf_span query = target, path = hf_span_cut(&query, '?');
	char *text = hf_arena_alloc(arena, target.len + 1);
	size_t len = path.len;
	bool first = true;

	if (!text)
		return target;
	memcpy(text, path.ptr, path.len);
	while (query.ptr) {
		struct hf_span one = hf_span_cut(&query, '&');

		if (one.len == 0 || is_tracking(one))
			continue;
		text[len++] = first ? '?' : '&';
		first = false;
		memcpy(text + len, one.ptr, one.len);
		len += one.len;
	}
	return hf_span(text, len);
}

static bool try_with(const struct hf_precache *p, struct hf_span target, const char *suffix,
		     struct hf_arena *arena, struct hf_span *url)
{
	struct hf_span query = target, path = hf_span_cut(&query, '?');

	*url = hf_arena_printf(arena, "%.*s%s%s%.*s", HF_SPAN_ARG(path), suffix,
			       query.ptr ? "?" : "", HF_SPAN_ARG(query));
	return url->ptr && has(p, *url);
}

bool hf_precache_find(const struct hf_precache *p, struct hf_span target, struct hf_arena *arena,
		      struct hf_span *url)
{
	struct hf_span path;

	if (p->id == 0 || p->n == 0 || target.len == 0)
		return false;
	*url = target;
	if (has(p, *url))
		return true;
	if (memchr(target.ptr, '?', target.len)) {
		*url = without_tracking(target, arena);
		if (has(p, *url))
			return true;
		target = *url;
	}
	path = hf_span_cut(&(struct hf_span){ target.ptr, target.len }, '?');
	if (path.len > 0 && path.ptr[path.len - 1] == '/')
		return try_with(p, target, "index.html", arena, url);
	return try_with(p, target, ".html", arena, url);
}
