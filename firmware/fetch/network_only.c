/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Straight to the origin and back, nothing kept. When the origin gives no
 * answer, one of ours takes its place.
 *
 * Memory: this struct and a list of fields in the panel connection's arena;
 * bodies pass through, both ends hold each other back.
 */
#include <assert.h>
#include <stdlib.h>

#include "fetch/event.h"
#include "fetch/posted.h"
#include "fetch/problem_page.h"
#include "holdfast/err.h"

struct network_only {
	struct hf_event ev;
	struct hf_forward forward;
	struct hf_message request, response;
	struct hf_arena *arena; /* the panel connection's */
	struct hf_transport *transport;
	struct hf_exchange *exchange; /* NULL: ended or never begun */
	struct hf_reply *reply;
	struct hf_posted *posted; /* NULL: the answer is not stored */
	uint64_t asked_ms;	  /* boot time of the request */
	unsigned origin;
	int status;	/* of the origin's answer, 0: none yet */
	bool receiving; /* as ingress wants it */
	bool interim_ok;
};

static struct network_only *self(struct hf_event *ev)
{
	return hf_container_of(ev, struct network_only, ev);
}

static void free_event(struct network_only *n)
{
	hf_posted_end(n->posted, false);
	hf_list_remove(&n->ev.link);
	free(n);
}

static void reply_ended(void *owner)
{
	struct network_only *n = owner;

	n->reply = NULL;
	free_event(n);
}

/* Answers with @p in the origin's place. */
static int answer(struct network_only *n, const struct hf_problem *p)
{
	struct hf_reply *r;
	int err = hf_event_reply(&n->ev, &r);

	if (err)
		return err;
	err = hf_reply_problem(r, p);
	if (err) {
		hf_reply_destroy(r);
		return err;
	}
	n->reply = r;
	hf_reply_start(r, n->ev.events, n->ev.user, reply_ended, n);
	hf_reply_receive(r, n->receiving);
	return 0;
}

/* ---- from the origin ---- */

static void on_writable(void *user)
{
	struct network_only *n = user;

	n->ev.events->on_writable(n->ev.user);
}

static void on_interim(void *user, const struct hf_message *head)
{
	struct network_only *n = user;
	struct hf_message out;

	if (n->ev.events->on_interim && n->interim_ok &&
	    hf_forward_response(&n->forward, head, n->arena, &out) == 0)
		n->ev.events->on_interim(n->ev.user, &out);
}

static void on_body(void *user, struct hf_span data)
{
	struct network_only *n = user;

	if (n->posted)
		hf_posted_body(n->posted, data);
	n->ev.events->on_body(n->ev.user, data);
}

/* The head could not be made; the panel hears an error instead. */
static void give_up(struct network_only *n)
{
	static const struct hf_problem short_of = {
		.status = 503,
		.error = "proxy_internal_error",
		.detail = "Holdfast is short of memory.",
		.retry_after_s = 5,
	};
	const struct hf_exchange_events *events = n->ev.events;
	void *user = n->ev.user;
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };

	if (n->exchange)
		n->transport->cancel(n->transport, n->exchange);
	n->exchange = NULL;
	if (answer(n, &short_of) == 0)
		return;
	free_event(n);
	events->on_end(user, &result, NULL);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct network_only *n = user;

	n->status = head->status;
	hf_fetch_written(n->ev.fetch, n->origin, n->request.method, n->request.target, head);
	n->posted = hf_posted_begin(n->ev.fetch, n->origin, &n->request, n->asked_ms, head);
	if (hf_forward_response(&n->forward, head, n->arena, &n->response)) {
		give_up(n);
		return;
	}
	n->ev.events->on_head(n->ev.user, &n->response);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct network_only *n = user;
	const struct hf_exchange_events *events = n->ev.events;
	const struct hf_fetch_options *opt = &n->ev.fetch->opt;
	struct hf_problem p;

	n->exchange = NULL;
	hf_posted_end(n->posted, result->end == HF_END_COMPLETE);
	n->posted = NULL;
	if (opt->connectivity)
		hf_connectivity_heard(opt->connectivity, n->origin, result, n->status);
	if (n->status == 0) {
		hf_problem_of_end(result, opt->origins[n->origin].name, n->forward.authority,
				  n->arena, &p);
		p.page = hf_problem_page_fits(&n->request);
		if (answer(n, &p) == 0)
			return;
	}
	user = n->ev.user;
	free_event(n);
	events->on_end(user, result, trailers);
}

static const struct hf_exchange_events origin_events = {
	.on_writable = on_writable,
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

/* ---- from the panel ---- */

static size_t send_body(struct hf_event *ev, struct hf_span data)
{
	struct network_only *n = self(ev);

	if (!n->exchange)
		return data.len; /* an answer of ours does not need it */
	return n->transport->send(n->transport, n->exchange, data);
}

static void send_end(struct hf_event *ev, const struct hf_fields *trailers)
{
	struct network_only *n = self(ev);

	if (n->exchange)
		n->transport->send_end(n->transport, n->exchange, trailers);
}

static void receive(struct hf_event *ev, bool on)
{
	struct network_only *n = self(ev);

	n->receiving = on;
	if (n->exchange)
		n->transport->receive(n->transport, n->exchange, on);
	else if (n->reply)
		hf_reply_receive(n->reply, on);
}

static void report_cancelled(struct network_only *n)
{
	struct hf_exchange_result result = { .end = HF_END_COMPLETE,
					     .sent = HF_SENT_ALL,
					     .detail = "" };

	if (n->status && n->ev.fetch->opt.connectivity)
		hf_connectivity_heard(n->ev.fetch->opt.connectivity, n->origin, &result, n->status);
}

static void cancel(struct hf_event *ev)
{
	struct network_only *n = self(ev);

	if (n->exchange) {
		n->transport->cancel(n->transport, n->exchange);
		report_cancelled(n);
	} else if (n->reply) {
		hf_reply_cancel(n->reply);
	}
	free_event(n);
}

static void destroy(struct hf_event *ev)
{
	struct network_only *n = self(ev);

	if (n->exchange)
		n->transport->cancel(n->transport, n->exchange);
	else if (n->reply)
		hf_reply_abandon(n->reply);
	free_event(n);
}

static const struct hf_event_ops ops = { send_body, send_end, receive, cancel, destroy };

/* ---- opening ---- */

static struct network_only *open_event(struct hf_fetch *f, const struct hf_exchange_events *events,
				       void *user)
{
	struct network_only *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->receiving = true;
	hf_event_open(&n->ev, f, &ops, events, user);
	return n;
}

int hf_network_refuse(struct hf_fetch *f, const struct hf_problem *p,
		      const struct hf_exchange_events *events, void *user, struct hf_event **out)
{
	struct network_only *n = open_event(f, events, user);
	int err;

	if (!n)
		return HF_ENOMEM;
	err = answer(n, p);
	if (err) {
		free_event(n);
		return err;
	}
	*out = &n->ev;
	return 0;
}

/* The transport took nothing: an answer of ours says so. */
static int refuse_start(struct network_only *n, int err)
{
	struct hf_exchange_result result = { .end = HF_END_INTERNAL, .err = err, .detail = "" };
	struct hf_problem p;

	if (err == HF_ELIMIT)
		result.end = HF_END_LIMIT;
	hf_problem_of_end(&result, n->ev.fetch->opt.origins[n->origin].name, n->forward.authority,
			  n->arena, &p);
	p.page = hf_problem_page_fits(&n->request);
	return answer(n, &p);
}

int hf_network_only(struct hf_fetch *f, const struct hf_fetch_request *req,
		    const struct hf_exchange_events *events, void *user, struct hf_event **out)
{
	const struct hf_fetch_origin *origin = hf_fetch_origin(f, req->origin);
	struct network_only *n = open_event(f, events, user);
	struct hf_transport_request tr = req->base;
	int err;

	if (!n)
		return HF_ENOMEM;
	n->origin = req->origin;
	n->transport = origin->transport;
	n->arena = req->base.msg->fields.arena;
	n->interim_ok = !req->panel_minor0;
	n->forward = (struct hf_forward){
		.scheme = origin->scheme,
		.authority = origin->authority,
		.host = req->host,
		.peer = req->peer,
	};
	err = hf_forward_request(&n->forward, req->base.msg, n->arena, &n->request);
	if (!err) {
		tr.msg = &n->request;
		n->asked_ms = f->opt.port->boottime_ms(f->opt.port);
		err = n->transport->perform(n->transport, &tr, &origin_events, n, &n->exchange);
		if (err)
			err = refuse_start(n, err);
	}
	if (err) {
		free_event(n);
		return err;
	}
	*out = &n->ev;
	return 0;
}
