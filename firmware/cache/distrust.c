/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/distrust.h"

static void next_page(struct hf_distrust *d);

static void page_read(struct hf_shelf_op *op, int err)
{
	struct hf_distrust *d = op->user;
	uint32_t boot = hf_cache_boot(d->cache);
	bool more = !err && d->list.more;

	for (size_t i = 0; !err && i < d->list.n; i++) {
		const struct hf_shelf_entry *e = &d->list.v[i];

		if (e->state.boot == boot && e->state.response_dev_ms >= d->since_ms)
			hf_cache_remove_entry(d->cache, d->id, e->url, e->id);
	}
	d->list.after = d->list.next;
	hf_shelf_list_finish(&d->list);
	if (more) {
		next_page(d);
	} else if (d->again) {
		d->list.after = 0;
		d->again = false;
		next_page(d);
	} else {
		d->running = false;
	}
}

static void next_page(struct hf_distrust *d)
{
	if (!hf_cache_is_open(d->cache)) {
		d->running = false;
		return;
	}
	d->list.cache = d->id;
	d->list.op.done = page_read;
	d->list.op.user = d;
	hf_shelf_list(hf_cache_shelf(d->cache), &d->list);
}

void hf_distrust(struct hf_distrust *d, struct hf_cache *cache, uint32_t id, uint64_t since_ms)
{
	if (d->running) {
		if (since_ms < d->since_ms)
			d->since_ms = since_ms;
		d->again = true;
		return;
	}
	*d = (struct hf_distrust){ .cache = cache, .id = id, .since_ms = since_ms, .running = true };
	next_page(d);
}
