/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens fetch events: the route of the request decides which strategy runs.
 */
#include "fetch/fetch.h"

#include <assert.h>
#include <stdlib.h>

#include "fetch/event.h"
#include "fetch/fill.h"
#include "fetch/posted.h"
#include "holdfast/err.h"
#include "http/url.h"
#include "queue/after.h"

static struct hf_event *event_of(struct hf_exchange *x)
{
	return (struct hf_event *)(void *)x;
}

static size_t event_send(struct hf_transport *t, struct hf_exchange *x, struct hf_span data)
{
	(void)t;
	return event_of(x)->ops->send(event_of(x), data);
}

static void event_send_end(struct hf_transport *t, struct hf_exchange *x,
			   const struct hf_fields *trailers)
{
	(void)t;
	event_of(x)->ops->send_end(event_of(x), trailers);
}

static void event_receive(struct hf_transport *t, struct hf_exchange *x, bool on)
{
	(void)t;
	event_of(x)->ops->receive(event_of(x), on);
}

static void event_cancel(struct hf_transport *t, struct hf_exchange *x)
{
	(void)t;
	event_of(x)->ops->cancel(event_of(x));
}

static void event_go(struct hf_transport *t, struct hf_exchange *x)
{
	(void)t;
	(void)x;
}

int hf_fetch_create(const struct hf_fetch_options *opt, struct hf_fetch **out)
{
	struct hf_fetch *f = calloc(1, sizeof(*f));

	if (!f)
		return HF_ENOMEM;
	assert(opt->origins_n > 0 && opt->chunk_bytes > 0);
	f->opt = *opt;
	f->transport = (struct hf_transport){
		.go = event_go,
		.send = event_send,
		.send_end = event_send_end,
		.receive = event_receive,
		.cancel = event_cancel,
	};
	hf_list_init(&f->events);
	hf_list_init(&f->fills);
	hf_list_init(&f->posted);
	hf_list_init(&f->discards);
	*out = f;
	return 0;
}

struct hf_blob_discard {
	struct hf_store_blob_delete op;
	struct hf_list link;
};

void hf_fetch_abandon(struct hf_fetch *f)
{
	if (f)
		f->closing = true;
}

void hf_fetch_destroy(struct hf_fetch *f)
{
	struct hf_list *it;

	if (!f)
		return;
	f->closing = true;
	while ((it = hf_list_pop(&f->events))) {
		struct hf_event *ev = hf_container_of(it, struct hf_event, link);

		ev->ops->destroy(ev);
	}
	hf_fill_destroy_all(f);
	hf_posted_destroy_all(f);
	while ((it = hf_list_pop(&f->discards)))
		free(hf_container_of(it, struct hf_blob_discard, link));
	hf_spare_finish(&f->cached);
	hf_spare_finish(&f->serves);
	hf_spare_finish(&f->queued);
	hf_spare_finish(&f->blocks);
	free(f);
}

struct hf_transport *hf_fetch_transport(struct hf_fetch *f)
{
	return &f->transport;
}

void hf_event_open(struct hf_event *ev, struct hf_fetch *f, const struct hf_event_ops *ops,
		   const struct hf_exchange_events *events, void *user)
{
	ev->ops = ops;
	ev->fetch = f;
	ev->events = events;
	ev->user = user;
	hf_list_push(&f->events, &ev->link);
}

int hf_event_reply(struct hf_event *ev, struct hf_reply **out)
{
	const struct hf_fetch_options *opt = &ev->fetch->opt;
	struct hf_reply_world world = {
		.port = opt->port,
		.timers = opt->timers,
		.store = opt->store,
		.blocks = &ev->fetch->blocks,
	};

	return hf_reply_create(&world, out);
}

static void discard_done(struct hf_store_op *op, int err)
{
	struct hf_blob_discard *d = hf_container_of(op, struct hf_blob_discard, op.op);

	(void)err; /* at the next start the store finds it */
	hf_list_remove(&d->link);
	free(d);
}

void hf_fetch_discard(struct hf_fetch *f, uint64_t blob)
{
	struct hf_blob_discard *d;

	if (f->closing) /* at the next start the store finds it */
		return;
	d = calloc(1, sizeof(*d));
	if (!d)
		return;
	d->op.blob = blob;
	d->op.op.done = discard_done;
	hf_list_push(&f->discards, &d->link);
	hf_store_blob_delete(f->opt.store, &d->op);
}

/* ---- stored answers ---- */

/* The origin @l's request was for into @out, NULL when it is not configured any
 * more or the request is damaged. HF_ENOMEM. */
static int origin_of(struct hf_fetch *f, struct hf_store_load *l, struct hf_arena *arena,
		     const struct hf_fetch_origin **out)
{
	struct hf_record_head head;
	int err;

	*out = NULL;
	if (l->head.len == 0)
		return 0;
	err = hf_record_head_decode(hf_buf_span(&l->head), arena, &head);
	if (err)
		return err == HF_ENOMEM ? err : 0;
	for (unsigned i = 0; i < f->opt.origins_n; i++)
		if (hf_span_eq_str(head.origin, f->opt.origins[i].name))
			*out = &f->opt.origins[i];
	return 0;
}

int hf_fetch_stored(struct hf_fetch *f, struct hf_store_load *l, struct hf_span host,
		    struct hf_reply *r)
{
	const struct hf_fetch_origin *origin = NULL;
	struct hf_forward fw = { .host = host };
	int err = hf_reply_stored(r, l);

	if (!err)
		err = origin_of(f, l, hf_reply_arena(r), &origin);
	if (err || !origin)
		return err;
	fw.scheme = origin->scheme;
	fw.authority = origin->authority;
	return hf_forward_stored(&fw, hf_reply_fields(r));
}

/* ---- perform ---- */

static int refuse_loop(struct hf_fetch *f, const struct hf_exchange_events *events, void *user,
		       struct hf_event **out)
{
	static const struct hf_problem loop = {
		.status = 508,
		.error = "proxy_loop_detected",
		.detail = "The request has passed this Holdfast already; the origin's URL leads "
			  "back to it.",
	};

	return hf_network_refuse(f, &loop, events, user, out);
}

/* Its places would reach the origin as they are. */
static int refuse_after(struct hf_fetch *f, const struct hf_exchange_events *events, void *user,
			struct hf_event **out)
{
	static const struct hf_problem not_queued = {
		.status = 400,
		.error = "http_request_error",
		.detail = "Holdfast-After is for a request whose route queues it.",
	};

	return hf_network_refuse(f, &not_queued, events, user, out);
}

static struct hf_span field_or_nothing(const struct hf_fields *fields, const char *name)
{
	const struct hf_span *value = hf_fields_get(fields, name);

	return value ? *value : hf_span(NULL, 0);
}

static const struct hf_route *route_of(struct hf_fetch *f, const struct hf_fetch_request *req)
{
	const struct hf_message *msg = req->base.msg;
	struct hf_match_request match = {
		.method = msg->method,
		.mode = field_or_nothing(&msg->fields, "sec-fetch-mode"),
		.destination = field_or_nothing(&msg->fields, "sec-fetch-dest"),
	};

	if (!f->opt.route || hf_target_parse(msg->target, &match.path, &match.query))
		return NULL;
	return f->opt.route(f->opt.user, req->origin, &match);
}

int hf_fetch_perform(struct hf_fetch *f, const struct hf_fetch_request *req,
		     const struct hf_exchange_events *events, void *user, struct hf_exchange **out)
{
	const struct hf_route *route;
	struct hf_fetch_request timed = *req;
	struct hf_event *ev = NULL;
	int err;

	assert(req->origin < f->opt.origins_n);
	route = route_of(f, req);
	if (hf_forward_is_loop(&req->base.msg->fields))
		err = refuse_loop(f, events, user, &ev);
	else if (route && route->queued)
		err = hf_queued(f, req, route, events, user, &ev);
	else if (hf_fields_get(&req->base.msg->fields, HF_AFTER_FIELD))
		err = refuse_after(f, events, user, &ev);
	else
		err = hf_cached(f, req, route, false, events, user, &ev);
	if (err == HF_ENOENT) {
		if (route && route->network_timeout_ms)
			timed.base.first_byte_timeout_ms = route->network_timeout_ms;
		err = hf_network_only(f, &timed, events, user, &ev);
	}
	*out = (struct hf_exchange *)(void *)ev;
	return err;
}

/* ---- about the caches ---- */

const struct hf_cache_counts *hf_fetch_counts(const struct hf_fetch *f)
{
	return &f->counts;
}

void hf_fetch_forward(const struct hf_fetch *f, unsigned origin, struct hf_span host,
		      struct hf_forward *out)
{
	const struct hf_fetch_origin *o = hf_fetch_origin(f, origin);

	*out = (struct hf_forward){
		.scheme = o->scheme,
		.authority = o->authority,
		.host = host,
	};
}

/* ---- refreshing ---- */

static int refresher_perform(struct hf_transport *t, const struct hf_transport_request *req,
			     const struct hf_exchange_events *events, void *user,
			     struct hf_exchange **out)
{
	struct hf_refresher *r = hf_container_of(t, struct hf_refresher, transport);
	struct hf_fetch_request request = { .base = *req, .origin = r->origin };
	struct hf_event *ev = NULL;
	int err = hf_cached(r->fetch, &request, route_of(r->fetch, &request), true, events, user,
			    &ev);

	*out = (struct hf_exchange *)(void *)ev;
	return err;
}

void hf_refresher_init(struct hf_refresher *r, struct hf_fetch *f, unsigned origin)
{
	*r = (struct hf_refresher){ .transport = f->transport, .fetch = f, .origin = origin };
	r->transport.perform = refresher_perform;
}
