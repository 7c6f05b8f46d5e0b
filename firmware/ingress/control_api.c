/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of /.holdfast/, and the life of a call. */
#include "ingress/api.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "http/url.h"

#define CALL_ARENA_MAX (1024 * 1024)

/* Path below /.holdfast/; "*" stands for one segment, "**" for the rest. */
struct resource {
	const char *path;
	const char *method; /* GET also serves HEAD */
	bool operator_only;
	const struct hf_api_kind *kind;
};

static const struct resource resources[] = {
	{ "requests", "GET", false, &hf_api_list },
	{ "requests/*", "GET", false, &hf_api_show },
	{ "requests/*", "DELETE", false, &hf_api_cancel },
	{ "requests/*/response", "GET", false, &hf_api_response },
	{ "requests/*/retry", "POST", true, &hf_api_retry },
	{ "events", "GET", false, &hf_api_events },
	{ "status", "GET", false, &hf_api_status },
	{ "lanes", "GET", false, &hf_api_lanes },
	{ "caches", "GET", false, &hf_api_caches },
	{ "caches/*", "GET", false, &hf_api_cache_show },
	{ "caches/*", "PUT", false, &hf_api_cache_open },
	{ "caches/*", "DELETE", false, &hf_api_cache_drop },
	{ "caches/*/entries", "GET", false, &hf_api_entries },
	{ "caches/*/entries", "PUT", false, &hf_api_entry_put },
	{ "caches/*/entries", "DELETE", false, &hf_api_entry_delete },
	{ "coap", "GET", true, &hf_api_coap_observe },
	{ "coap", "POST", true, &hf_api_coap_ask },
	{ "install", "POST", true, &hf_api_install },
	{ "holds", "GET", true, &hf_api_holds },
	{ "holds", "POST", true, &hf_api_hold },
	{ "holds", "DELETE", true, &hf_api_release },
	{ "metrics", "GET", true, &hf_api_metrics },
	{ "client.js", "GET", false, &hf_api_client_js },
	{ "worker.js", "GET", false, &hf_api_client_worker },
	{ "client.d.ts", "GET", false, &hf_api_client_types },
	{ "sync-now", "POST", false, &hf_api_sync_now },
	{ "export", "GET", true, &hf_api_export },
	{ "store/check", "POST", true, &hf_api_store_check },
	{ "sync", "GET", false, &hf_api_sync_list },
	{ "sync", "POST", false, &hf_api_sync_register },
	{ "sync", "DELETE", false, &hf_api_sync_unregister },
	{ "sync/**", "GET", false, &hf_api_sync_show },
	{ "sync/**", "POST", false, &hf_api_sync_register },
	{ "sync/**", "DELETE", false, &hf_api_sync_unregister },
	{ "sync-events/*/success", "POST", false, &hf_api_sync_succeeded },
	{ "sync-events/*/failure", "POST", false, &hf_api_sync_failed },
	{ "periodicsync", "GET", false, &hf_api_periodic_list },
	{ "periodicsync", "POST", false, &hf_api_periodic_register },
	{ "periodicsync", "DELETE", false, &hf_api_periodic_unregister },
	{ "periodicsync/**", "GET", false, &hf_api_periodic_show },
	{ "periodicsync/**", "POST", false, &hf_api_periodic_register },
	{ "periodicsync/**", "DELETE", false, &hf_api_periodic_unregister },
};
#define RESOURCES_N (sizeof(resources) / sizeof(resources[0]))

/* ---- the life of a call ---- */

static struct hf_api_call *call_of(struct hf_exchange *x)
{
	return (struct hf_api_call *)(void *)x;
}

static void free_call(struct hf_api_call *call)
{
	assert(call->depth == 0);
	hf_list_remove(&call->link);
	hf_timerq_clear(call->in->opt.timers, &call->timer);
	if (call->kind && call->kind->finish)
		call->kind->finish(call);
	hf_arena_finish(&call->arena);
	free(call);
}

static bool is_over(const struct hf_api_call *call)
{
	return !call->events;
}

static void free_if_over(struct hf_api_call *call)
{
	if (is_over(call) && !call->busy && call->depth == 0)
		free_call(call);
}

bool hf_api_leave(struct hf_api_call *call)
{
	bool over = is_over(call);

	call->depth--;
	free_if_over(call);
	return !over;
}

unsigned hf_api_origin(const struct hf_api_call *call)
{
	return call->control ? UINT_MAX : call->origin;
}

struct hf_span hf_api_origin_name(const struct hf_api_call *call)
{
	unsigned origin = hf_api_origin(call);

	return origin == UINT_MAX ? hf_span(NULL, 0) :
				    hf_queue_origin_name(call->in->opt.queue, origin);
}

bool hf_api_resume(struct hf_api_call *call)
{
	assert(call->busy);
	call->busy = false;
	if (!is_over(call))
		return true;
	free_if_over(call);
	return false;
}

static bool has_answer(const struct hf_api_call *call)
{
	return call->reply || call->serve;
}

static size_t call_send(struct hf_transport *t, struct hf_exchange *x, struct hf_span data)
{
	struct hf_api_call *call = call_of(x);

	(void)t;
	if (!call->kind->send || has_answer(call))
		return data.len;
	return call->kind->send(call, data);
}

static void call_send_end(struct hf_transport *t, struct hf_exchange *x,
			  const struct hf_fields *trailers)
{
	struct hf_api_call *call = call_of(x);

	(void)t;
	(void)trailers;
	if (call->kind->send_end && !has_answer(call))
		call->kind->send_end(call);
}

/* The client has kept its body back until it hears that it is wanted. */
static void go_on(struct hf_api_call *call)
{
	struct hf_message head = { .status = 100, .minor = 1, .keep_alive = true };

	if (!call->msg->expect_continue || call->msg->minor == 0 || call->wanted)
		return;
	call->wanted = true;
	hf_fields_init(&head.fields, &call->arena);
	if (call->events->on_interim)
		call->events->on_interim(call->user, &head);
}

void hf_api_writable(struct hf_api_call *call)
{
	if (is_over(call) || has_answer(call))
		return;
	call->depth++;
	go_on(call);
	if (!is_over(call) && call->events->on_writable)
		call->events->on_writable(call->user);
	hf_api_leave(call);
}

static void call_receive(struct hf_transport *t, struct hf_exchange *x, bool on)
{
	struct hf_api_call *call = call_of(x);

	(void)t;
	call->receiving = on;
	if (call->reply)
		hf_reply_receive(call->reply, on);
	else if (call->serve)
		hf_serve_receive(call->serve, on);
	else if (on && call->kind->pump && !hf_timer_is_set(&call->timer))
		hf_api_pump(call);
}

static void call_cancel(struct hf_transport *t, struct hf_exchange *x)
{
	struct hf_api_call *call = call_of(x);

	(void)t;
	call->events = NULL;
	if (call->reply)
		hf_reply_cancel(call->reply);
	if (call->serve)
		hf_serve_cancel(call->serve);
	call->reply = NULL;
	call->serve = NULL;
	free_if_over(call);
}

static void on_timer(void *user)
{
	hf_api_pump(user);
}

void hf_api_init(struct hf_ingress *in)
{
	hf_list_init(&in->calls);
	in->api = (struct hf_transport){
		.send = call_send,
		.send_end = call_send_end,
		.receive = call_receive,
		.cancel = call_cancel,
	};
}

void hf_api_finish(struct hf_ingress *in)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &in->calls) {
		struct hf_api_call *call = hf_container_of(it, struct hf_api_call, link);

		if (call->reply)
			hf_reply_abandon(call->reply);
		if (call->serve)
			hf_serve_cancel(call->serve);
		free_call(call);
	}
}

void hf_api_stop(struct hf_ingress *in)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &in->calls) {
		struct hf_api_call *call = hf_container_of(it, struct hf_api_call, link);

		if (!is_over(call) && call->kind->stop)
			call->kind->stop(call);
	}
}

/* ---- replies ---- */

static void reply_ended(void *owner)
{
	struct hf_api_call *call = owner;

	call->reply = NULL;
	call->serve = NULL;
	call->events = NULL;
	free_if_over(call);
}

int hf_api_reply_new(struct hf_api_call *call, struct hf_reply **out)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	struct hf_reply_world world = {
		.port = opt->port,
		.timers = opt->timers,
		.store = opt->store,
	};

	return hf_reply_create(&world, out);
}

void hf_api_reply(struct hf_api_call *call, struct hf_reply *r)
{
	call->reply = r;
	hf_reply_start(r, call->events, call->user, reply_ended, call);
	hf_reply_receive(r, call->receiving);
}

/* Its body cannot be read, and nothing was said yet. */
static void serve_lost(void *owner)
{
	struct hf_api_call *call = owner;

	call->serve = NULL;
	hf_api_problem(call, 404, "The stored body cannot be read.");
}

int hf_api_serve(struct hf_api_call *call, const struct hf_serve_options *opt, struct hf_stored *s)
{
	struct hf_serve_options own = *opt;
	int err;

	own.arena = call->msg->fields.arena;
	own.events = call->events;
	own.user = call->user;
	own.ended = reply_ended;
	own.lost = serve_lost;
	own.owner = call;
	err = hf_serve_start(&own, s, &call->serve);
	if (!err)
		hf_serve_receive(call->serve, call->receiving);
	return err;
}

/* Nothing can be said: the connection ends. */
static void break_off(struct hf_api_call *call)
{
	struct hf_exchange_result result = { .end = HF_END_INTERNAL,
					     .err = HF_ENOMEM,
					     .detail = "short of memory" };
	const struct hf_exchange_events *events = call->events;

	call->events = NULL;
	events->on_end(call->user, &result, NULL);
	free_if_over(call);
}

static int start_problem(struct hf_api_call *call, const struct hf_problem *p)
{
	struct hf_reply *r;
	int err = hf_api_reply_new(call, &r);

	if (err)
		return err;
	err = hf_reply_problem(r, p);
	if (err)
		hf_reply_destroy(r);
	else
		hf_api_reply(call, r);
	return err;
}

void hf_api_problem_state(struct hf_api_call *call, int status, const char *detail,
			  const char *state, const char *reason)
{
	struct hf_problem p = {
		.status = status,
		.error = status >= 500 ? "proxy_internal_error" : NULL,
		.detail = detail,
		.retry_after_s = status == 503 ? 5 : 0,
		.state = state,
		.reason = reason,
	};

	if (start_problem(call, &p))
		break_off(call);
}

void hf_api_problem(struct hf_api_call *call, int status, const char *detail)
{
	hf_api_problem_state(call, status, detail, NULL, NULL);
}

void hf_api_store_failed(struct hf_api_call *call)
{
	hf_api_problem(call, 503, "The device's store cannot be read now.");
}

void hf_api_json(struct hf_api_call *call, int status, struct hf_buf *json)
{
	hf_api_text(call, status, HF_SPAN("application/json"), json);
}

void hf_api_text(struct hf_api_call *call, int status, struct hf_span type, struct hf_buf *text)
{
	struct hf_reply *r = NULL;
	struct hf_fields *fields;
	int err = hf_api_reply_new(call, &r);

	if (!err) {
		hf_reply_status(r, status);
		fields = hf_reply_fields(r);
		err = hf_fields_add(fields, HF_SPAN("Content-Type"), type);
		if (!err)
			err = hf_fields_add(fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
		if (!err)
			err = hf_buf_append(hf_reply_body(r), hf_buf_span(text));
	}
	hf_buf_finish(text);
	if (!err) {
		hf_api_reply(call, r);
		return;
	}
	hf_reply_destroy(r);
	hf_api_problem(call, 503, "Holdfast is short of memory.");
}

/* ---- streams ---- */

void hf_api_pump(struct hf_api_call *call)
{
	if (call->depth > 0 || is_over(call))
		return;
	call->depth++;
	call->kind->pump(call);
	hf_api_leave(call);
}

void hf_api_begin_stream(struct hf_api_call *call, struct hf_span content_type)
{
	struct hf_message head = {
		.status = 200,
		.minor = 1,
		.keep_alive = true,
		.body = HF_BODY_CHUNKED,
	};

	hf_fields_init(&head.fields, &call->arena);
	if (hf_fields_add(&head.fields, HF_SPAN("Content-Type"), content_type) ||
	    hf_fields_add(&head.fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"))) {
		break_off(call);
		return;
	}
	call->events->on_head(call->user, &head);
}

void hf_api_piece(struct hf_api_call *call, struct hf_span data)
{
	if (!is_over(call))
		call->events->on_body(call->user, data);
}

void hf_api_end_stream(struct hf_api_call *call, bool complete)
{
	struct hf_exchange_result result = {
		.end = complete ? HF_END_COMPLETE : HF_END_TRUNCATED,
		.sent = HF_SENT_ALL,
		.detail = "",
	};
	const struct hf_exchange_events *events = call->events;

	if (!events)
		return;
	call->events = NULL;
	events->on_end(call->user, &result, NULL);
	free_if_over(call);
}

/* ---- dispatch ---- */

/* @id gets what "*" stands for. */
static bool matches(const char *pattern, struct hf_span path, struct hf_span *id)
{
	struct hf_span rest = hf_span_str(pattern), want, have;

	while (rest.ptr && path.ptr) {
		want = hf_span_cut(&rest, '/');
		if (hf_span_eq_str(want, "**")) {
			*id = path;
			return path.len > 0;
		}
		have = hf_span_cut(&path, '/');
		if (hf_span_eq_str(want, "*")) {
			if (have.len == 0)
				return false;
			*id = have;
		} else if (!hf_span_eq(want, have)) {
			return false;
		}
	}
	return !rest.ptr && !path.ptr;
}

struct found {
	const struct resource *resource; /* NULL: none */
	struct hf_span id;
	char allow[64]; /* methods of the path, "" when there is no such path */
};

static void find(struct hf_span method, struct hf_span path, struct found *out)
{
	size_t i;

	*out = (struct found){ 0 };
	for (i = 0; i < RESOURCES_N; i++) {
		const struct resource *r = &resources[i];
		bool get = strcmp(r->method, "GET") == 0;

		if (!matches(r->path, path, &out->id))
			continue;
		if (out->allow[0])
			strcat(out->allow, ", ");
		strcat(out->allow, get ? "GET, HEAD" : r->method);
		if (hf_span_eq_str(method, r->method) || (get && hf_span_eq_str(method, "HEAD")))
			out->resource = r;
	}
}

static struct hf_api_call *open_call(struct hf_ingress *in, const struct hf_api_request *req,
				     const struct hf_api_kind *kind)
{
	struct hf_api_call *call = calloc(1, kind ? kind->size : sizeof(*call));

	if (!call)
		return NULL;
	call->in = in;
	call->kind = kind;
	call->msg = req->msg;
	call->host = req->host;
	call->control = req->control;
	call->origin = req->origin;
	call->receiving = true;
	hf_arena_init(&call->arena, CALL_ARENA_MAX);
	hf_timer_init(&call->timer, on_timer, call);
	hf_list_push(&in->calls, &call->link);
	return call;
}

static const struct hf_api_kind refused = { .size = sizeof(struct hf_api_call) };

static int perform_problem(struct hf_ingress *in, const struct hf_api_request *req,
			   const struct hf_problem *p, const struct hf_exchange_events *events,
			   void *user, struct hf_exchange **out)
{
	struct hf_api_call *call = open_call(in, req, &refused);
	int err;

	if (!call)
		return HF_ENOMEM;
	call->events = events;
	call->user = user;
	err = start_problem(call, p);
	if (err) {
		free_call(call);
		return err;
	}
	*out = (struct hf_exchange *)(void *)call;
	return 0;
}

static int start(struct hf_api_call *call)
{
	struct hf_timerq *timers = call->in->opt.timers;
	int err = call->kind->start ? call->kind->start(call) : 0;

	if (!err && call->kind->pump)
		err = hf_timerq_set(timers, &call->timer, hf_ingress_now(call->in));
	return err;
}

static int start_or_refuse(struct hf_api_call *call)
{
	const char *fault = hf_api_query_fault(call->query);
	struct hf_problem p = { .status = 400, .detail = fault };

	return fault ? start_problem(call, &p) : start(call);
}

static struct hf_span below_prefix(struct hf_span path)
{
	struct hf_span rest = hf_span_skip(path, sizeof("/.holdfast") - 1);

	return rest.len > 0 ? hf_span_skip(rest, 1) : hf_span("", 0);
}

int hf_api_perform(struct hf_ingress *in, const struct hf_api_request *req,
		   const struct hf_exchange_events *events, void *user, struct hf_exchange **out)
{
	struct hf_problem p = { 0 };
	struct hf_span path, query;
	struct hf_api_call *call;
	struct found found;
	int err;

	if (hf_target_parse(req->msg->target, &path, &query))
		return HF_EINVAL;
	find(req->msg->method, below_prefix(path), &found);
	if (!found.resource) {
		p.status = found.allow[0] ? 405 : 404;
		p.allow = found.allow[0] ? found.allow : NULL;
		p.detail = found.allow[0] ? "The resource does not know this method." :
					    "There is no such resource below /.holdfast/.";
		return perform_problem(in, req, &p, events, user, out);
	}
	if (found.resource->operator_only && !req->control) {
		p.status = 403;
		p.detail = "Only the operator may do this, over the control socket.";
		return perform_problem(in, req, &p, events, user, out);
	}
	call = open_call(in, req, found.resource->kind);
	if (!call)
		return HF_ENOMEM;
	call->events = events;
	call->user = user;
	call->id = hf_arena_copy(&call->arena, found.id);
	call->query = query;
	err = call->id.ptr ? start_or_refuse(call) : HF_ENOMEM;
	if (err) {
		call->events = NULL;
		free_if_over(call);
		return err;
	}
	*out = (struct hf_exchange *)(void *)call;
	return 0;
}
