/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up: in memory, else on the shelf, once for all who ask meanwhile. */
#include <assert.h>
#include <stdlib.h>

#include "cache/cache_private.h"
#include "holdfast/err.h"

struct find {
	struct hf_list link;
	struct hf_shelf_find op;
	struct hf_cache *cache;
	uint32_t generation; /* of the slot when the shelf was asked */
	char url[];
};

/* ---- what may be shown ---- */

bool hf_cache_is_shown(const struct hf_cache *c, struct hf_stored *const *v, size_t i)
{
	if (!hf_cache_shows(c, &v[i]->state))
		return false;
	for (size_t k = 0; k < i; k++)
		if (hf_span_eq(v[k]->entry.variant, v[i]->entry.variant) &&
		    hf_cache_shows(c, &v[k]->state))
			return false;
	return true;
}

static size_t choose_shown(struct hf_cache *c, struct hf_stored *const *v, size_t n,
			   struct hf_stored **out)
{
	size_t shown = 0;

	for (size_t i = 0; i < n; i++)
		if (hf_cache_is_shown(c, v, i))
			out[shown++] = v[i];
	return shown;
}

/* ---- on the shelf ---- */

/* Those who are told may look up, change and cancel as they like. */
static void answer_waiting(struct hf_cache *c, struct hf_list *waiting, struct hf_stored *const *v,
			   size_t n)
{
	struct hf_stored *shown[HF_SHELF_VARIANTS_MAX];
	struct hf_list *it;

	while ((it = hf_list_pop(waiting))) {
		struct hf_cache_lookup *l = hf_container_of(it, struct hf_cache_lookup, link);

		if (l->all)
			l->found(l->user, v, n);
		else
			l->found(l->user, shown, choose_shown(c, v, n, shown));
	}
}

/* Stored last first, as they come: each is put in front, so from the last on. */
static int take_rows(struct hf_cache *c, struct hf_hot_slot *s, const struct hf_shelf_find *f)
{
	struct hf_stored *stored;

	for (size_t i = f->n; i-- > 0;) {
		int err = hf_stored_decode(&f->v[i], &stored);

		if (err == HF_ECORRUPT)
			hf_cache_submit_remove(c, f->v[i].cache, hf_span(NULL, 0), f->v[i].id);
		else if (err)
			return err;
		else
			hf_hot_put(&c->hot, s, stored);
	}
	return 0;
}

/* The slot is ready, or gone after an error; returns what it holds, with references. */
static size_t find_finish(struct hf_cache *c, struct hf_hot_slot *s, struct find *f, int err,
			  struct hf_list *waiting, struct hf_stored **v)
{
	size_t n;

	s->loading = false;
	hf_list_take(&s->waiting, waiting);
	if (!err)
		err = take_rows(c, s, &f->op);
	n = err ? 0 : s->n;
	for (size_t i = 0; i < n; i++)
		v[i] = hf_stored_ref(s->v[i]);
	if (err)
		hf_hot_drop(&c->hot, s);
	else
		hf_hot_shrink(&c->hot, s);
	return n;
}

static void find_done(struct hf_shelf_op *op, int err)
{
	struct find *f = op->user;
	struct hf_cache *c = f->cache;
	struct hf_hot_slot *s = hf_hot_find(&c->hot, f->op.cache, f->op.url);
	struct hf_stored *v[HF_SHELF_VARIANTS_MAX];
	struct hf_list waiting;
	size_t n;

	assert(s && s->loading);
	if (!err && s->generation != f->generation && hf_cache_is_open(c)) {
		hf_shelf_find_finish(&f->op);
		f->generation = s->generation;
		hf_shelf_find(c->shelf, &f->op);
		return;
	}
	n = find_finish(c, s, f, err, &waiting, v);
	hf_shelf_find_finish(&f->op);
	hf_list_remove(&f->link);
	free(f);
	answer_waiting(c, &waiting, v, n);
	while (n > 0)
		hf_stored_unref(v[--n]);
}

bool hf_cache_peek(struct hf_cache *c, uint32_t cache, struct hf_span url,
		   struct hf_stored *const **v, size_t *n)
{
	struct hf_hot_slot *s = hf_hot_find(&c->hot, cache, url);

	*n = 0;
	if (!hf_cache_is_open(c) || cache == 0)
		return true;
	if (!s || s->loading)
		return false;
	hf_hot_used(&c->hot, s);
	*v = c->shown;
	*n = choose_shown(c, s->v, s->n, c->shown);
	return true;
}

static int begin_find(struct hf_cache *c, uint32_t cache, struct hf_span url,
		      struct hf_hot_slot **out)
{
	struct find *f = calloc(1, sizeof(*f) + url.len);
	int err;

	if (!f)
		return HF_ENOMEM;
	err = hf_hot_add(&c->hot, cache, url, out);
	if (err) {
		free(f);
		return err;
	}
	memcpy(f->url, url.ptr, url.len);
	f->cache = c;
	f->op.cache = cache;
	f->op.url = hf_span(f->url, url.len);
	f->op.data_max = HF_SHELF_PIECE;
	f->op.op.done = find_done;
	f->op.op.user = f;
	f->generation = (*out)->generation;
	hf_list_push(&c->finds, &f->link);
	hf_shelf_find(c->shelf, &f->op);
	return 0;
}

int hf_cache_lookup(struct hf_cache *c, struct hf_cache_lookup *l)
{
	struct hf_hot_slot *s;
	int err = 0;

	if (!hf_cache_is_open(c))
		return HF_ESTATE;
	s = hf_hot_find(&c->hot, l->cache, l->url);
	assert(!s || s->loading);
	if (!s)
		err = begin_find(c, l->cache, l->url, &s);
	if (!err)
		hf_list_push(&s->waiting, &l->link);
	return err;
}

void hf_cache_lookup_cancel(struct hf_cache_lookup *l)
{
	hf_list_remove(&l->link);
}

void hf_cache_drop_finds(struct hf_cache *c)
{
	struct hf_list *it;

	while ((it = hf_list_pop(&c->finds))) {
		struct find *f = hf_container_of(it, struct find, link);

		hf_shelf_find_finish(&f->op);
		free(f);
	}
}
