/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caches of the settings: which there are, their numbers on the shelf, and the
 * precache of each worker.
 *
 *   shelf opens -> caches get their numbers -> active precaches are read
 *                                           -> later: what is missing is installed
 */
#include <limits.h>
#include <stdlib.h>

#include "agent/caches.h"
#include "holdfast_config.h"

#define BINS_RETRY_MS 60000 /* a cache that could not be opened is tried again */

/* ---- what there is ---- */

static const char *cache_name(const struct hf_route *r)
{
	return r->cache.name ? r->cache.name : HF_CACHE_NAME_DEFAULT;
}

static void add_bin(struct hf_agent *a, unsigned origin, enum hf_shelf_kind kind, const char *owner,
		    const char *name, uint32_t *id)
{
	struct hf_agent_bin *b = &a->bins[a->bins_n++];

	b->agent = a;
	b->origin = origin;
	b->id = id;
	b->open.cache.kind = kind;
	b->open.cache.owner = hf_span_str(owner);
	b->open.cache.name = hf_span_str(name);
}

static int make_bins(struct hf_agent *a)
{
	const struct hf_settings *s = a->settings;
	size_t n = s->origins_n;

	for (size_t w = 0; w < s->workers_n; w++)
		n += s->workers[w].manifest->routes_n;
	a->bins = calloc(n + 1, sizeof(*a->bins));
	a->refreshers = calloc(s->origins_n + 1, sizeof(*a->refreshers));
	if (!a->bins || !a->refreshers)
		return HF_ENOMEM;
	for (size_t i = 0; i < s->origins_n; i++)
		if (s->origins[i].http_cache)
			add_bin(a, (unsigned)i, HF_SHELF_HTTP, s->origins[i].name, "",
				&a->fetch_origins[i].cache);
	for (size_t w = 0; w < s->workers_n; w++) {
		struct hf_manifest *m = s->workers[w].manifest;

		for (size_t k = 0; k < m->routes_n; k++)
			if (m->routes[k].source != HF_SOURCE_NETWORK)
				add_bin(a, s->workers[w].origin, HF_SHELF_NAMED, s->workers[w].name,
					cache_name(&m->routes[k]), &m->routes[k].cache_id);
	}
	return 0;
}

/* ---- opening ---- */

static void opened_one(struct hf_agent *a)
{
	if (--a->caches_pending == 0)
		a->caches_opened(a);
}

static void open_again_later(struct hf_agent *a)
{
	if (!hf_timer_is_set(&a->bins_timer))
		hf_timerq_set(&a->timers, &a->bins_timer,
			      a->port->boottime_ms(a->port) + BINS_RETRY_MS);
}

static void bin_opened(struct hf_shelf_op *op, int err)
{
	struct hf_agent_bin *b = op->user;

	b->pending = false;
	if (err && !b->agent->caches_ready)
		hf_log(&b->agent->log, HF_LOG_ERROR, "cache.unusable",
		       "owner=%.*s name=%.*s why=\"%s\"", HF_SPAN_ARG(b->open.cache.owner),
		       HF_SPAN_ARG(b->open.cache.name), hf_strerror(err));
	else
		*b->id = b->open.cache.id;
	if (err)
		open_again_later(b->agent);
	if (!b->agent->caches_ready)
		opened_one(b->agent);
}

static void open_bin(struct hf_agent_bin *b)
{
	b->pending = true;
	b->open.op.done = bin_opened;
	b->open.op.user = b;
	hf_shelf_cache_open(hf_cache_shelf(b->agent->cache), &b->open);
}

/* A medium that was full at the start may have room by now. */
static void open_again(void *user)
{
	struct hf_agent *a = user;

	for (size_t i = 0; i < a->bins_n && hf_cache_is_open(a->cache); i++)
		if (*a->bins[i].id == 0 && !a->bins[i].pending)
			open_bin(&a->bins[i]);
}

static void precache_read(void *user, int err)
{
	struct hf_agent_worker *w = user;

	(void)err; /* without memory: as if there were none */
	opened_one(w->agent);
}

static struct hf_agent_worker *worker_named(struct hf_agent *a, struct hf_span name)
{
	int i = hf_agent_worker_by_name(a, name);

	return i < 0 ? NULL : &a->workers[i];
}

void hf_agent_take_precaches(struct hf_agent *a, void (*read)(void *user, int err))
{
	const struct hf_shelf_caches *list = &a->caches_list;

	for (size_t i = 0; i < list->n; i++) {
		const struct hf_shelf_cache *c = &list->v[i];
		struct hf_agent_worker *w = worker_named(a, c->owner);

		if (c->kind != HF_SHELF_PRECACHE || !w)
			continue;
		if (c->active && !w->stored && !w->precache.loading) {
			w->stored = c->id;
			a->caches_pending++;
			hf_precache_load(&w->precache, c->id, read, w);
		} else if (c->previous && !w->before.loading) {
			a->caches_pending++;
			hf_precache_load(&w->before, c->id, read, w);
		}
	}
}

static void caches_listed(struct hf_shelf_op *op, int err)
{
	struct hf_agent *a = op->user;

	if (!err)
		hf_agent_take_precaches(a, precache_read);
	hf_shelf_caches_finish(&a->caches_list);
	opened_one(a);
}

static void cache_opened(void *user, int err, const struct hf_shelf_report *report)
{
	struct hf_agent *a = user;
	struct hf_shelf *shelf = hf_cache_shelf(a->cache);

	if (err) {
		hf_log(&a->log, HF_LOG_ERROR, "cache.unusable",
		       "why=\"%s\" hint=\"nothing is cached until the next start\"",
		       hf_strerror(err));
		a->caches_opened(a);
		return;
	}
	if (report->renewed)
		hf_log(&a->log, HF_LOG_WARNING, "cache.renewed", "lost=%llu",
		       (unsigned long long)report->lost);
	a->caches_pending = (unsigned)a->bins_n + 1;
	for (size_t i = 0; i < a->bins_n; i++)
		open_bin(&a->bins[i]);
	a->caches_list.op.done = caches_listed;
	a->caches_list.op.user = a;
	hf_shelf_caches(shelf, &a->caches_list);
}

static uint64_t device_ms(void *user)
{
	struct hf_agent *a = user;

	return a->queue ? hf_queue_device_ms(a->queue) : 0;
}

static int make_workers(struct hf_agent *a)
{
	a->workers = calloc(a->settings->workers_n + 1, sizeof(*a->workers));
	if (!a->workers)
		return HF_ENOMEM;
	for (unsigned i = 0; i < a->settings->workers_n; i++) {
		a->workers[i].agent = a;
		a->workers[i].number = i;
		hf_precache_init(&a->workers[i].precache, a->cache);
		hf_precache_init(&a->workers[i].before, a->cache);
		a->workers[i].before.by_name = true;
	}
	return 0;
}

int hf_agent_caches_create(struct hf_agent *a)
{
	struct hf_cache_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.rand = &a->rand,
		.bytes_max = CONFIG_HF_CACHE_BYTES_MAX,
		.memory_max = CONFIG_HF_CACHE_MEMORY_BYTES,
		.device_ms = device_ms,
		.assumed = !a->probe_transport,
		.open = hf_agent_caches_open_trial,
		.judged = hf_agent_caches_judged,
		.user = a,
	};
	int err;

	if (!IS_ENABLED(CONFIG_HF_CACHE))
		return 0;
	hf_timer_init(&a->bins_timer, open_again, a);
	err = hf_cache_create(&opt, &a->cache);
	if (!err)
		err = make_bins(a);
	return err ? err : make_workers(a);
}

void hf_agent_caches_open(struct hf_agent *a, void (*opened)(struct hf_agent *a))
{
	a->caches_opened = opened;
	if (a->cache)
		hf_cache_open(a->cache, cache_opened, a);
	else
		opened(a);
}

/* ---- precaches ---- */

static void precache_taken(void *user, int err)
{
	(void)user;
	(void)err;
}

static void before_taken(void *user, int err)
{
	struct hf_agent_worker *w = user;

	(void)err; /* without memory: as if there were none */
	if (!w->precache.loading)
		hf_precache_load(&w->precache, w->stored, precache_taken, w);
}

/* Until its URLs are read the version before answers. */
static void precache_activated(void *user, uint32_t id)
{
	struct hf_agent_worker *w = user;
	uint32_t before = w->stored;

	w->stored = id;
	w->fresh = true;
	if (w->before.loading)
		return; /* the new one follows it */
	if (before && before != id)
		hf_precache_load(&w->before, before, before_taken, w);
	else
		before_taken(w, 0);
}

static void dropped(struct hf_shelf_op *op, int err)
{
	(void)op;
	(void)err;
}

/* The manifest lists nothing any more. */
static void drop_precache(struct hf_agent_worker *w, struct hf_precache *p,
			  struct hf_shelf_cache_drop *drop)
{
	if (p->id == 0)
		return;
	drop->op.done = dropped;
	drop->cache = p->id;
	p->id = 0;
	hf_shelf_cache_drop(hf_cache_shelf(w->agent->cache), drop);
}

static void begin_install(struct hf_agent_worker *w)
{
	const struct hf_worker_settings *s = &w->agent->settings->workers[w->number];
	struct hf_install_options opt = {
		.fetch = w->agent->fetch,
		.worker = s->name,
		.origin = s->origin,
		.manifest = s->manifest,
		.activated = precache_activated,
		.changed = hf_agent_precache_event,
		.user = w,
	};

	if (s->manifest->precache_n == 0) {
		drop_precache(w, &w->precache, &w->drop);
		drop_precache(w, &w->before, &w->drop_before);
		return;
	}
	if (hf_install_create(&opt, &w->install) == 0)
		hf_install_start(w->install, w->stored);
}

void hf_agent_caches_start(struct hf_agent *a)
{
	if (!a->cache || !hf_cache_is_open(a->cache))
		return;
	for (unsigned i = 0; i < a->settings->origins_n; i++) {
		hf_refresher_init(&a->refreshers[i], a->fetch, i);
		a->sync_origins[i].refresher = &a->refreshers[i].transport;
	}
	for (size_t i = 0; i < a->settings->workers_n; i++)
		begin_install(&a->workers[i]);
}

void hf_agent_caches_origin_up(struct hf_agent *a, unsigned origin)
{
	for (size_t i = 0; a->workers && i < a->settings->workers_n; i++)
		if (a->workers[i].install && a->settings->workers[i].origin == origin)
			hf_install_poke(a->workers[i].install);
}

uint32_t hf_agent_precache(void *user, unsigned origin, struct hf_span target,
			   struct hf_arena *arena, struct hf_span *url)
{
	struct hf_agent *a = user;
	struct hf_span rest = target, path = hf_span_cut(&rest, '?');
	const struct hf_worker_settings *w = hf_settings_worker(a->settings, origin, path);
	const struct hf_agent_worker *worker;

	if (!w || !a->workers)
		return 0;
	worker = &a->workers[w - a->settings->workers];
	if (hf_precache_find(&worker->precache, target, arena, url))
		return worker->precache.id;
	return hf_precache_find(&worker->before, target, arena, url) ? worker->before.id : 0;
}

void hf_agent_precache_lost(void *user, uint32_t cache)
{
	struct hf_agent *a = user;

	for (size_t i = 0; a->workers && i < a->settings->workers_n; i++)
		if (a->workers[i].install && a->workers[i].stored == cache)
			hf_install_repair(a->workers[i].install);
}

/* ---- what a person, or a page, changes ---- */

static void widen(uint64_t *max, uint64_t other, bool first)
{
	if (first || other == 0)
		*max = other;
	else if (*max != 0 && other > *max)
		*max = other;
}

void hf_agent_cache_limits(void *user, uint32_t cache, uint64_t *entries_max, uint64_t *bytes_max)
{
	const struct hf_agent *a = user;
	bool first = true;

	*entries_max = 0;
	*bytes_max = 0;
	for (size_t w = 0; cache != 0 && w < a->settings->workers_n; w++) {
		const struct hf_manifest *m = a->settings->workers[w].manifest;

		for (size_t i = 0; i < m->routes_n; i++) {
			if (m->routes[i].cache_id != cache)
				continue;
			widen(entries_max, m->routes[i].cache.max_entries, first);
			widen(bytes_max, m->routes[i].cache.max_bytes, first);
			first = false;
		}
	}
}

static void bin_reopened(struct hf_shelf_op *op, int err)
{
	struct hf_agent_bin *b = op->user;

	if (!err)
		*b->id = b->open.cache.id;
}

void hf_agent_cache_dropped(void *user, uint32_t cache)
{
	struct hf_agent *a = user;

	for (size_t i = 0; i < a->bins_n; i++) {
		struct hf_agent_bin *b = &a->bins[i];

		if (*b->id != cache)
			continue;
		*b->id = 0;
		b->open.op.done = bin_reopened;
		hf_shelf_cache_open(hf_cache_shelf(a->cache), &b->open);
	}
	for (size_t i = 0; i < a->settings->workers_n; i++) {
		struct hf_agent_worker *w = &a->workers[i];

		if (w->before.id == cache)
			w->before.id = 0;
		if (w->stored != cache)
			continue;
		w->stored = 0;
		w->precache.id = 0;
		if (w->install)
			hf_install_again(w->install);
	}
}

void hf_agent_install_now(void *user, unsigned worker)
{
	struct hf_agent *a = user;

	for (unsigned i = 0; a->workers && i < a->settings->workers_n; i++)
		if (a->workers[i].install && (worker == UINT_MAX || worker == i))
			hf_install_poke(a->workers[i].install);
}

/* ---- room on the medium ---- */

void hf_agent_caches_give_way(void *user)
{
	struct hf_agent *a = user;
	struct hf_shelf_usage usage;

	if (!a->cache || !hf_cache_is_open(a->cache))
		return;
	hf_shelf_usage(hf_cache_shelf(a->cache), &usage);
	hf_log(&a->log, HF_LOG_WARNING, "cache.gives_way", "bytes=%llu",
	       (unsigned long long)usage.bytes);
	hf_shelf_give_way(hf_cache_shelf(a->cache), usage.bytes / 2);
}

/* ---- what the queue does to them ---- */

static int origin_named(const struct hf_agent *a, struct hf_span name)
{
	for (size_t i = 0; i < a->settings->origins_n; i++)
		if (hf_span_eq_str(name, a->settings->origins[i].name))
			return (int)i;
	return -1;
}

void hf_agent_caches_queue_event(struct hf_agent *a, const struct hf_queue_event *event)
{
	int origin = a->cache && a->fetch ? origin_named(a, event->origin) : -1;
	/* Without its fields: Location and Content-Location change nothing then. */
	struct hf_message answer = { .status = event->status };

	if (origin < 0)
		return;
	if (event->type == HF_QUEUE_QUEUED)
		hf_fetch_pending_write(a->fetch, (unsigned)origin, event->method, event->target);
	else if (event->type == HF_QUEUE_SETTLED)
		hf_fetch_written(a->fetch, (unsigned)origin, event->method, event->target, &answer);
}

/* ---- the end ---- */

void hf_agent_caches_stop(struct hf_agent *a)
{
	hf_timerq_clear(&a->timers, &a->bins_timer);
	for (size_t i = 0; a->workers && i < a->settings->workers_n; i++)
		if (a->workers[i].install)
			hf_install_stop(a->workers[i].install);
}

/* After hf_fetch_destroy. */
void hf_agent_caches_destroy(struct hf_agent *a)
{
	for (size_t i = 0; a->workers && i < a->settings->workers_n; i++) {
		hf_install_destroy(a->workers[i].install);
		hf_precache_finish(&a->workers[i].precache);
		hf_precache_finish(&a->workers[i].before);
	}
	free(a->workers);
	free(a->bins);
	free(a->refreshers);
}
