/* SPDX-License-Identifier: Apache-2.0 */
#include "ingress/cache_scan.h"

#include <stdlib.h>

#include "holdfast/err.h"
#include "store/shelf_codec.h"

static struct hf_cache *cache_of(const struct hf_cache_scan *scan)
{
	return scan->c->call.in->opt.cache;
}

static void let_go(struct hf_cache_scan *scan)
{
	while (scan->n > 0)
		hf_stored_unref(scan->v[--scan->n].s);
}

static uint64_t key_of(const struct hf_stored *s)
{
	return s->id >> HF_SHELF_NUMBER_BITS;
}

/* The place of the one that has URL and variant of @s; scan->n: none. They come one
 * behind the other. */
static size_t twin(const struct hf_cache_scan *scan, const struct hf_stored *s)
{
	for (size_t i = scan->n; i-- > 0 && key_of(scan->v[i].s) == key_of(s);)
		if (hf_span_eq(scan->v[i].s->url, s->url) &&
		    hf_span_eq(scan->v[i].s->entry.variant, s->entry.variant))
			return i;
	return scan->n;
}

/* Takes the reference. */
static void keep(struct hf_cache_scan *scan, uint64_t order, struct hf_stored *s)
{
	size_t i = twin(scan, s);

	if (i < scan->n && scan->v[i].order > order) {
		hf_stored_unref(s);
		return;
	}
	if (i < scan->n)
		hf_stored_unref(scan->v[i].s);
	else
		scan->n++;
	scan->v[i] = (struct hf_cache_scanned){ order, s };
}

static int take_rows(struct hf_cache_scan *scan)
{
	for (size_t i = 0; i < scan->list.n; i++) {
		const struct hf_shelf_entry *row = &scan->list.v[i];
		struct hf_stored *s;
		int err;

		if (!hf_cache_shows(cache_of(scan), &row->state))
			continue;
		err = hf_stored_decode(row, &s);
		if (err == HF_ECORRUPT)
			continue; /* it goes when somebody wants it */
		if (err)
			return err;
		if (hf_cache_query_matches(&scan->c->call, scan->query, s))
			keep(scan, row->order, s);
		else
			hf_stored_unref(s);
	}
	return 0;
}

/* The last URL may have more on the next page: all of it goes there. */
static void cut(struct hf_cache_scan *scan)
{
	uint64_t key = key_of(scan->v[scan->n - 1].s);

	if (key_of(scan->v[0].s) == key)
		return;
	while (key_of(scan->v[scan->n - 1].s) == key)
		hf_stored_unref(scan->v[--scan->n].s);
	scan->next = (key << HF_SHELF_NUMBER_BITS) - 1;
}

static int by_order(const void *a, const void *b)
{
	const struct hf_cache_scanned *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

static void read_more(struct hf_cache_scan *scan, uint64_t after);

static void read_done(struct hf_shelf_op *op, int err)
{
	struct hf_cache_scan *scan = op->user;
	uint64_t next = scan->list.next;

	if (!hf_api_resume(&scan->c->call))
		return;
	if (!err)
		err = take_rows(scan);
	scan->more = scan->list.more;
	scan->next = next;
	hf_shelf_list_finish(&scan->list);
	if (!err && scan->more && scan->n < HF_SHELF_LIST_MAX) {
		read_more(scan, next);
		return;
	}
	if (!err && scan->more)
		cut(scan);
	if (scan->n > 1)
		qsort(scan->v, scan->n, sizeof(*scan->v), by_order);
	scan->page(scan, err);
}

static void read_more(struct hf_cache_scan *scan, uint64_t after)
{
	scan->list = (struct hf_shelf_list){
		.op = { .done = read_done, .user = scan },
		.cache = scan->c->cache.id,
		.after = after,
		.heads = true,
		.path = scan->query->path,
		.max = HF_SHELF_LIST_MAX - scan->n,
	};
	scan->c->call.busy = true;
	hf_shelf_list(hf_cache_shelf(cache_of(scan)), &scan->list);
}

void hf_cache_scan_page(struct hf_cache_scan *scan, uint64_t after)
{
	let_go(scan);
	read_more(scan, after);
}

void hf_cache_scan_finish(struct hf_cache_scan *scan)
{
	let_go(scan);
	hf_shelf_list_finish(&scan->list);
}
