/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/live_cache.h"

#include <stdlib.h>
#include <string.h>

#include "holdfast/err.h"

static void no_wake(void *user, uint64_t due_ms)
{
	(void)user;
	(void)due_ms;
}

static uint64_t device_ms(void *user)
{
	struct live_cache *l = user;

	return l->port.port.boottime_ms(&l->port.port);
}

static void opened(void *user, int err, const struct hf_shelf_report *report)
{
	(void)report;
	((struct live_cache *)user)->opened = err;
}

static void told_open(void *user, bool any)
{
	((struct live_cache *)user)->open = any;
}

static void judged(void *user, bool proved, bool demoted)
{
	(void)proved;
	(void)demoted;
	((struct live_cache *)user)->judged++;
}

static void start(struct live_cache *l)
{
	struct hf_cache_options opt = {
		.port = &l->port.port,
		.timers = &l->timers,
		.log = &l->port.log,
		.rand = &l->rand,
		.bytes_max = 64u << 20,
		.memory_max = l->memory_max,
		.device_ms = device_ms,
		.assumed = l->assumed,
		.open = told_open,
		.judged = judged,
		.user = l,
	};

	l->opened = 1;
	if (hf_cache_create(&opt, &l->cache))
		abort();
	hf_cache_open(l->cache, opened, l);
	fake_port_settle(&l->port);
	if (l->opened != 0)
		abort();
}

void live_cache_init(struct live_cache *l, size_t memory_max)
{
	memset(l, 0, sizeof(*l));
	fake_port_init(&l->port);
	hf_timerq_init(&l->timers, no_wake, NULL);
	hf_rand_init(&l->rand, 1);
	l->memory_max = memory_max;
	start(l);
}

void live_cache_restart(struct live_cache *l)
{
	hf_cache_destroy(l->cache);
	l->open = false;
	start(l);
}

void live_cache_finish(struct live_cache *l)
{
	hf_cache_destroy(l->cache);
	hf_timerq_finish(&l->timers);
	fake_port_finish(&l->port);
}

static void op_done(struct hf_shelf_op *op, int err)
{
	op->err = err;
}

uint32_t live_cache_named(struct live_cache *l, enum hf_shelf_kind kind, const char *name)
{
	struct hf_shelf_cache_open o = {
		.op = { .done = op_done, .err = 1 },
		.cache = { .kind = kind, .owner = HF_SPAN("owner"), .name = hf_span_str(name) }
	};

	hf_shelf_cache_open(hf_cache_shelf(l->cache), &o);
	fake_port_settle(&l->port);
	return o.op.err ? 0 : o.cache.id;
}

/* ---- storing ---- */

struct put {
	struct hf_cache_put put;
	struct hf_field field;
	struct hf_fields fields;
	uint64_t ids[HF_SHELF_VARIANTS_MAX];
	char url[128], variant[64], text[4096];
};

static void put_done(struct hf_cache_put *p, int err, struct hf_stored *s)
{
	(void)err;
	(void)s;
	free(p->user);
}

static void find_replaced(struct live_cache *l, struct put *p)
{
	struct hf_stored *const *v;
	size_t n;

	if (!hf_cache_peek(l->cache, p->put.cache, p->put.url, &v, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (hf_span_eq(v[i]->entry.variant, p->put.variant))
			p->ids[p->put.replaces_n++] = v[i]->id;
}

int live_cache_put(struct live_cache *l, uint32_t cache, const char *url, const char *variant,
		   const char *text)
{
	struct put *p = calloc(1, sizeof(*p));
	struct hf_cache_clock now;
	int err;

	if (!p)
		return HF_ENOMEM;
	strcpy(p->url, url);
	strcpy(p->variant, variant);
	strcpy(p->text, text);
	p->field = (struct hf_field){ HF_SPAN("Content-Type"), HF_SPAN("text/plain") };
	p->fields = (struct hf_fields){ .v = &p->field, .n = 1, .cap = 1 };
	hf_cache_now(l->cache, &now);
	p->put = (struct hf_cache_put){
		.cache = cache,
		.url = hf_span_str(p->url),
		.note = HF_SPAN(""),
		.status = 200,
		.variant = hf_span_str(p->variant),
		.fields = &p->fields,
		.times = { .request_ms = now.device_ms,
			   .response_ms = now.device_ms,
			   .boot = now.boot },
		.replaces = p->ids,
		.data = hf_span_str(p->text),
		.doubtful = l->doubtful,
		.way = hf_cache_way(l->cache),
		.done = put_done,
		.user = p,
	};
	find_replaced(l, p);
	err = hf_cache_put(l->cache, &p->put);
	if (err)
		free(p);
	return err;
}

/* ---- looking ---- */

struct look {
	uint64_t *ids;
	size_t n;
};

static void found(void *user, struct hf_stored *const *v, size_t n)
{
	struct look *look = user;

	look->n = n;
	for (size_t i = 0; i < n; i++)
		look->ids[i] = v[i]->id;
}

size_t live_cache_ids(struct live_cache *l, uint32_t cache, const char *url,
		      uint64_t ids[HF_SHELF_VARIANTS_MAX])
{
	struct look look = { ids, 0 };
	struct hf_cache_lookup lookup = {
		.cache = cache, .url = hf_span_str(url), .found = found, .user = &look
	};
	struct hf_stored *const *v;
	size_t n;

	fake_port_settle(&l->port);
	if (hf_cache_peek(l->cache, cache, lookup.url, &v, &n))
		found(&look, v, n);
	else if (hf_cache_lookup(l->cache, &lookup) == 0)
		fake_port_settle(&l->port);
	return look.n;
}

/* The variant of @e is another one than those of @seen, or it cannot be read. */
static bool is_last(const struct hf_shelf_entry *e, struct hf_stored **seen, size_t *n)
{
	if (hf_stored_decode(e, &seen[*n]))
		return true;
	for (size_t i = 0; i < *n; i++) {
		if (hf_span_eq(seen[i]->entry.variant, seen[*n]->entry.variant)) {
			hf_stored_unref(seen[*n]);
			return false;
		}
	}
	++*n;
	return true;
}

size_t live_cache_shelf_ids(struct live_cache *l, uint32_t cache, const char *url,
			    uint64_t ids[HF_SHELF_VARIANTS_MAX])
{
	struct hf_stored *seen[HF_SHELF_VARIANTS_MAX];
	struct hf_shelf_find f = { .op = { .done = op_done, .err = 1 },
				   .cache = cache,
				   .url = hf_span_str(url) };
	size_t n = 0, all, distinct = 0;

	hf_shelf_find(hf_cache_shelf(l->cache), &f);
	fake_port_settle(&l->port);
	all = f.op.err ? 0 : f.n;
	for (size_t i = 0; i < all; i++)
		if (is_last(&f.v[i], seen, &distinct))
			ids[n++] = f.v[i].id;
	for (size_t i = 0; i < distinct; i++)
		hf_stored_unref(seen[i]);
	hf_shelf_find_finish(&f);
	return n;
}
