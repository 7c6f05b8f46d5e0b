/* SPDX-License-Identifier: Apache-2.0 */
/* GET caches; GET, PUT and DELETE of one of them; POST install. */
#include <inttypes.h>
#include <limits.h>

#include "holdfast/err.h"
#include "http/values.h"
#include "ingress/cache_call.h"

#define JSON_MAX   (1024 * 1024)
#define CACHES_MAX 64 /* named ones of a worker that pages open */

/* ---- all of them ---- */

static int append_estimate(struct hf_cache *cache, struct hf_buf *json)
{
	struct hf_shelf_usage u;

	hf_shelf_usage(hf_cache_shelf(cache), &u);
	return hf_buf_appendf(json, "],\"estimate\":{\"usage\":%" PRIu64 ",\"quota\":%" PRIu64 "}}",
			      u.bytes, u.bytes_max);
}

static void all_listed(struct hf_shelf_op *op, int err)
{
	struct hf_cache_call *c = op->user;
	struct hf_buf json;
	unsigned n = 0;

	if (!hf_api_resume(&c->call))
		return;
	if (err) {
		hf_cache_call_failed(&c->call, err);
		return;
	}
	hf_buf_init(&json, JSON_MAX);
	err = hf_buf_append_str(&json, "{\"caches\":[");
	for (size_t i = 0; i < c->list.n && !err; i++) {
		if (!hf_cache_call_sees(&c->call, &c->list.v[i]))
			continue;
		err = hf_buf_append_str(&json, n++ ? "," : "");
		if (!err)
			err = hf_cache_json(&c->list.v[i], &json);
	}
	if (!err)
		err = append_estimate(c->call.in->opt.cache, &json);
	hf_shelf_caches_finish(&c->list);
	hf_cache_call_answer(&c->call, 200, &json, err);
}

static int caches_start(struct hf_api_call *call)
{
	struct hf_cache_call *c = hf_cache_call_of(call);

	if (!hf_cache_call_open(call))
		return 0;
	c->list.op.done = all_listed;
	c->list.op.user = c;
	call->busy = true;
	hf_shelf_caches(hf_cache_shelf(call->in->opt.cache), &c->list);
	return 0;
}

static void finish(struct hf_api_call *call)
{
	hf_shelf_caches_finish(&hf_cache_call_of(call)->list);
}

const struct hf_api_kind hf_api_caches = {
	.size = sizeof(struct hf_cache_call),
	.start = caches_start,
	.finish = finish,
};

/* ---- one ---- */

static void answer_with(struct hf_cache_call *c, int status)
{
	struct hf_buf json;
	int err;

	hf_buf_init(&json, JSON_MAX);
	err = hf_cache_json(&c->cache, &json);
	hf_cache_call_answer(&c->call, status, &json, err);
}

static void show(struct hf_cache_call *c)
{
	answer_with(c, 200);
}

static int show_start(struct hf_api_call *call)
{
	hf_cache_call_find(hf_cache_call_of(call), show);
	return 0;
}

const struct hf_api_kind hf_api_cache_show = {
	.size = sizeof(struct hf_cache_call),
	.start = show_start,
	.finish = finish,
};

/* ---- opening one (caches.open) ---- */

struct open_call {
	struct hf_cache_call c;
	struct hf_shelf_cache_open open;
	bool is_new;
};

static void opened(struct hf_shelf_op *op, int err)
{
	struct open_call *o = op->user;

	if (!hf_api_resume(&o->c.call))
		return;
	o->c.cache = o->open.cache;
	if (err)
		hf_cache_call_failed(&o->c.call, err);
	else
		answer_with(&o->c, o->is_new ? 201 : 200);
}

static void before_open(struct hf_shelf_op *op, int err)
{
	struct open_call *o = op->user;
	const struct hf_shelf_cache *want = &o->open.cache;
	unsigned n = 0;

	if (!hf_api_resume(&o->c.call))
		return;
	if (err) {
		hf_cache_call_failed(&o->c.call, err);
		return;
	}
	o->is_new = true;
	for (size_t i = 0; i < o->c.list.n; i++) {
		const struct hf_shelf_cache *have = &o->c.list.v[i];

		if (have->kind != HF_SHELF_NAMED || !hf_span_eq(have->owner, want->owner))
			continue;
		n++;
		if (hf_span_eq(have->name, want->name))
			o->is_new = false;
	}
	hf_shelf_caches_finish(&o->c.list);
	if (o->is_new && n >= CACHES_MAX) {
		hf_api_problem(&o->c.call, 507, "The worker has as many caches as it may have.");
		return;
	}
	o->c.call.busy = true;
	hf_shelf_cache_open(hf_cache_shelf(o->c.call.in->opt.cache), &o->open);
}

static int open_start(struct hf_api_call *call)
{
	struct open_call *o = hf_container_of(call, struct open_call, c.call);
	const struct hf_ingress_options *opt = &call->in->opt;
	int worker;

	if (!hf_cache_call_open(call) || !hf_cache_call_name(&o->c))
		return 0;
	worker = hf_api_worker(call);
	if (worker < 0)
		return 0;
	o->open = (struct hf_shelf_cache_open){
		.op = { .done = opened, .user = o },
		.cache = { .kind = HF_SHELF_NAMED,
			   .owner = hf_span_str(opt->worker_name(opt->user, (unsigned)worker)),
			   .name = o->c.name },
	};
	o->c.list.op.done = before_open;
	o->c.list.op.user = o;
	call->busy = true;
	hf_shelf_caches(hf_cache_shelf(opt->cache), &o->c.list);
	return 0;
}

const struct hf_api_kind hf_api_cache_open = {
	.size = sizeof(struct open_call),
	.start = open_start,
	.finish = finish,
};

/* ---- dropping one (caches.delete, purge) ---- */

struct drop_call {
	struct hf_cache_call c;
	struct hf_shelf_cache_drop drop;
};

static void dropped(struct hf_shelf_op *op, int err)
{
	struct drop_call *d = op->user;
	struct hf_ingress *in = d->c.call.in;
	bool here;

	if (!err) {
		hf_cache_forget(in->opt.cache, d->drop.cache);
		if (in->opt.cache_dropped)
			in->opt.cache_dropped(in->opt.user, d->drop.cache);
	}
	here = hf_api_resume(&d->c.call);
	if (here && err)
		hf_cache_call_failed(&d->c.call, err);
	else if (here)
		answer_with(&d->c, 200);
}

static void drop(struct hf_cache_call *c)
{
	struct drop_call *d = hf_container_of(c, struct drop_call, c);

	if (c->cache.kind != HF_SHELF_NAMED && !c->call.control) {
		hf_api_problem(&c->call, 403,
			       "Only the operator may purge this cache, over the control socket.");
		return;
	}
	d->drop.cache = c->cache.id;
	d->drop.op.done = dropped;
	d->drop.op.user = d;
	c->call.busy = true;
	hf_shelf_cache_drop(hf_cache_shelf(c->call.in->opt.cache), &d->drop);
}

static int drop_start(struct hf_api_call *call)
{
	hf_cache_call_find(hf_cache_call_of(call), drop);
	return 0;
}

const struct hf_api_kind hf_api_cache_drop = {
	.size = sizeof(struct drop_call),
	.start = drop_start,
	.finish = finish,
};

/* ---- installing ---- */

static int install_start(struct hf_api_call *call)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	struct hf_span name;
	struct hf_buf json;
	int worker = -1;

	if (!hf_cache_call_open(call))
		return 0;
	if (hf_api_query(call, "worker", &name)) {
		worker = hf_api_worker(call);
		if (worker < 0)
			return 0;
	}
	if (opt->install_now)
		opt->install_now(opt->user, worker < 0 ? UINT_MAX : (unsigned)worker);
	hf_buf_init(&json, 64);
	hf_cache_call_answer(call, 202, &json, hf_buf_append_str(&json, "{\"state\":\"started\"}"));
	return 0;
}

const struct hf_api_kind hf_api_install = {
	.size = sizeof(struct hf_api_call),
	.start = install_start,
};
