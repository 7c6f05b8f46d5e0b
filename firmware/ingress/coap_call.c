/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator speaks CoAP: to a configured origin over its own transport, with its keys,
 * or to any other server in the clear:
 *
 *   POST coap?url=URL&method=METHOD   one exchange. The body is the payload, Content-Type
 *                                     its format, Accept the one that is wanted. 200 with
 *                                     the answer's payload, whatever its code, which is in
 *                                     Holdfast-CoAP with the options
 *   GET coap?url=URL                  observes; Server-Sent Events (coap/observe.h)
 *
 * timeout=MS: until there is an answer, and then between two pieces of it.
 */
#include <stdio.h>

#include "holdfast/err.h"
#include "http/url.h"
#include "ingress/api.h"

#define ANSWER_MAX     16384 /* code and options in JSON */
#define TIMEOUT_MS     30000
#define TIMEOUT_MS_MAX 3600000
#define WORDS_MAX      320
#define FORMATS_MAX    4096 /* of the list of media types */

struct coap_call {
	struct hf_api_call call;
	struct hf_url url;
	struct hf_message msg;
	struct hf_transport *way;
	struct hf_exchange *exchange; /* NULL: none, or ended */
	struct hf_timer late;
	uint32_t timeout_ms;
	bool opened; /* late is initialised */
	bool begun;  /* the head has been told */
};

static struct coap_call *self(struct hf_api_call *call)
{
	return hf_container_of(call, struct coap_call, call);
}

static bool observes(const struct coap_call *c)
{
	return c->call.kind == &hf_api_coap_observe;
}

static void drop_exchange(struct coap_call *c)
{
	struct hf_exchange *x = c->exchange;

	c->exchange = NULL;
	hf_timerq_clear(c->call.in->opt.timers, &c->late);
	if (x)
		c->way->cancel(c->way, x);
}

/* ---- time ---- */

static void arm(struct coap_call *c)
{
	struct hf_timerq *timers = c->call.in->opt.timers;

	if (observes(c) && c->begun)
		hf_timerq_clear(timers, &c->late);
	else
		(void)hf_timerq_set(timers, &c->late, hf_ingress_now(c->call.in) + c->timeout_ms);
}

static void on_late(void *user)
{
	struct coap_call *c = user;
	char words[WORDS_MAX];

	if (c->begun && !c->call.receiving) {
		arm(c); /* not the origin's fault */
		return;
	}
	drop_exchange(c);
	if (c->begun) {
		hf_api_end_stream(&c->call, false);
		return;
	}
	snprintf(words, sizeof(words), "No answer from %.*s port %u within %g s.",
		 HF_SPAN_ARG(c->url.host), c->url.port, c->timeout_ms / 1000.0);
	hf_api_problem(&c->call, 504, words);
}

/* ---- the answer ---- */

static void on_writable(void *user)
{
	struct coap_call *c = user;

	hf_api_writable(&c->call);
}

/* What HTTP would say of it did not come from the origin, or is all there is. */
static void refuse(struct coap_call *c, int status)
{
	char words[WORDS_MAX];

	drop_exchange(c);
	if (observes(c))
		snprintf(words, sizeof(words), "It cannot be observed: %d %s.", status,
			 hf_status_reason(status));
	else
		snprintf(words, sizeof(words), "CoAP cannot say this request: %d %s.", status,
			 hf_status_reason(status));
	hf_api_problem(&c->call, status, words);
}

static int make_head(struct coap_call *c, const struct hf_message *from, struct hf_buf *answer,
		     struct hf_message *out)
{
	const struct hf_span *type = hf_fields_get(&from->fields, "Content-Type");
	int err = 0;

	*out = (struct hf_message){
		.status = 200, .minor = 1, .keep_alive = true, .body = HF_BODY_CHUNKED
	};
	hf_fields_init(&out->fields, &c->call.arena);
	if (type)
		err = hf_fields_add(&out->fields, HF_SPAN("Content-Type"), *type);
	if (!err && answer->len > 0)
		err = hf_fields_add(&out->fields, HF_SPAN("Holdfast-CoAP"), hf_buf_span(answer));
	return err ? err :
		     hf_fields_add(&out->fields, HF_SPAN("Cache-Control"), HF_SPAN("no-store"));
}

static void on_head(void *user, const struct hf_message *from)
{
	struct coap_call *c = user;
	struct hf_message head;
	struct hf_buf answer;
	int err = 0;

	hf_buf_init(&answer, ANSWER_MAX);
	c->call.depth++;
	if (!observes(c))
		err = c->call.in->opt.coap_answer(c->exchange, &answer);
	else if (from->status != 200)
		err = HF_ENOENT;
	if (!err)
		err = make_head(c, from, &answer, &head);
	if (err == HF_ENOENT) {
		refuse(c, from->status);
	} else if (err) {
		drop_exchange(c);
		hf_api_problem(&c->call, 503, "Holdfast is short of memory.");
	} else {
		c->begun = true;
		arm(c);
		c->call.events->on_head(c->call.user, &head);
	}
	hf_buf_finish(&answer);
	hf_api_leave(&c->call);
}

static void on_body(void *user, struct hf_span data)
{
	struct coap_call *c = user;

	c->call.depth++;
	arm(c);
	hf_api_piece(&c->call, data);
	if (c->call.events && c->exchange && !c->call.receiving)
		c->way->receive(c->way, c->exchange, false);
	hf_api_leave(&c->call);
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	struct coap_call *c = user;
	char words[WORDS_MAX];

	(void)trailers;
	c->exchange = NULL;
	hf_timerq_clear(c->call.in->opt.timers, &c->late);
	if (c->begun) {
		hf_api_end_stream(&c->call, result->end == HF_END_COMPLETE);
		return;
	}
	snprintf(words, sizeof(words), "No answer from %.*s port %u: %s.", HF_SPAN_ARG(c->url.host),
		 c->url.port, result->detail);
	hf_api_problem(&c->call, result->end == HF_END_TIMEOUT ? 504 : 502, words);
}

static const struct hf_exchange_events exchange_events = {
	.on_writable = on_writable,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

/* ---- the request ---- */

/* The name HTTP has for it; ptr NULL: there is none. */
static struct hf_span method_of(struct hf_span name)
{
	static const char *const known[] = { "GET", "POST", "PUT", "DELETE", "PATCH" };

	if (hf_span_eq_str(name, "FETCH"))
		return HF_SPAN("QUERY");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (hf_span_eq_str(name, known[i]))
			return hf_span_str(known[i]);
	return hf_span(NULL, 0);
}

static int copy_field(struct coap_call *c, const char *name)
{
	const struct hf_span *value = hf_fields_get(&c->call.msg->fields, name);

	return value ? hf_fields_add(&c->msg.fields, hf_span_str(name), *value) : 0;
}

static int make_request(struct coap_call *c, struct hf_span method)
{
	struct hf_span query = c->url.query;
	int err;

	c->msg = (struct hf_message){ .method = method, .target = c->url.path, .minor = 1 };
	if (query.ptr)
		c->msg.target = hf_arena_printf(&c->call.arena, "%.*s?%.*s",
						HF_SPAN_ARG(c->url.path), HF_SPAN_ARG(query));
	if (!c->msg.target.ptr)
		return HF_ENOMEM;
	hf_fields_init(&c->msg.fields, &c->call.arena);
	if (observes(c))
		return hf_fields_add(&c->msg.fields, HF_SPAN("Accept"),
				     HF_SPAN("text/event-stream"));
	if (c->call.msg->body != HF_BODY_LENGTH || c->call.msg->body_len > 0) {
		c->msg.body = c->call.msg->body;
		c->msg.body_len = c->call.msg->body_len;
	}
	err = copy_field(c, "Content-Type");
	return err ? err : copy_field(c, "Accept");
}

/* False: it was refused. */
static bool read_query(struct coap_call *c, struct hf_span *method)
{
	struct hf_span url = { NULL, 0 }, ms = { NULL, 0 }, name = { NULL, 0 };
	uint64_t timeout = TIMEOUT_MS;
	char words[WORDS_MAX];

	if (!hf_api_query(&c->call, "url", &url) || !url.ptr || hf_url_parse(url, &c->url)) {
		snprintf(words, sizeof(words),
			 "\"%.*s\" is no URL of CoAP, as coap://192.0.2.1/path: percent-encoded, "
			 "without a fragment.",
			 HF_SPAN_ARG(url));
		hf_api_problem(&c->call, 400, words);
		return false;
	}
	if (hf_api_query(&c->call, "timeout", &ms) &&
	    (!ms.ptr || !hf_span_u64(ms, &timeout) || timeout == 0 || timeout > TIMEOUT_MS_MAX)) {
		hf_api_problem(&c->call, 400, "timeout is 1 to 3600000 milliseconds.");
		return false;
	}
	c->timeout_ms = (uint32_t)timeout;
	*method = HF_SPAN("GET");
	if (!observes(c) && hf_api_query(&c->call, "method", &name))
		*method = method_of(name);
	if (method->ptr)
		return true;
	hf_api_problem(&c->call, 400, "method is GET, POST, PUT, DELETE, FETCH or PATCH.");
	return false;
}

/* False: the field names a type that CoAP has no number for, and that was told. */
static bool check_format(struct coap_call *c, const char *field, int status)
{
	const struct hf_span *type = hf_fields_get(&c->call.msg->fields, field);
	char words[WORDS_MAX + FORMATS_MAX];
	struct hf_buf known;
	bool there;

	if (!type || hf_span_eq_str(*type, "*/*"))
		return true;
	hf_buf_init(&known, FORMATS_MAX);
	there = c->call.in->opt.coap_format(*type, &known);
	if (!there) {
		snprintf(words, sizeof(words),
			 "CoAP has no Content-Format for %.*s; it has those of %.*s, and any by "
			 "its number.",
			 (int)(type->len < 128 ? type->len : 128), type->ptr,
			 HF_SPAN_ARG(hf_buf_span(&known)));
		hf_api_problem(&c->call, status, words);
	}
	hf_buf_finish(&known);
	return there;
}

static int start(struct hf_api_call *call)
{
	const struct hf_ingress_options *opt = &call->in->opt;
	struct coap_call *c = self(call);
	struct hf_transport_request req = { .msg = &c->msg };
	struct hf_span method;
	char why[WORDS_MAX];
	int err;

	hf_timer_init(&c->late, on_late, c);
	c->opened = true;
	if (!opt->coap_way) {
		hf_api_problem(call, 501, "This holdfastd is built without CoAP (HF_COAP).");
		return 0;
	}
	if (!read_query(c, &method) || !check_format(c, "Content-Type", 415) ||
	    (!observes(c) && !check_format(c, "Accept", 406)))
		return 0;
	err = opt->coap_way(opt->user, &c->url, &c->way, why, sizeof(why));
	if (err) {
		hf_api_problem(call, err, why);
		return 0;
	}
	req.first_byte_timeout_ms = c->timeout_ms;
	err = make_request(c, method);
	if (!err)
		err = c->way->perform(c->way, &req, &exchange_events, c, &c->exchange);
	if (!err)
		arm(c);
	return err;
}

static void pump(struct hf_api_call *call)
{
	struct coap_call *c = self(call);

	if (c->exchange && call->receiving)
		c->way->receive(c->way, c->exchange, true);
}

static size_t send(struct hf_api_call *call, struct hf_span data)
{
	struct coap_call *c = self(call);

	return c->exchange ? c->way->send(c->way, c->exchange, data) : data.len;
}

static void send_end(struct hf_api_call *call)
{
	struct coap_call *c = self(call);

	if (c->exchange && c->msg.body != HF_BODY_NONE)
		c->way->send_end(c->way, c->exchange, NULL);
}

static void finish(struct hf_api_call *call)
{
	struct coap_call *c = self(call);

	if (c->opened)
		drop_exchange(c);
	if (c->way)
		call->in->opt.coap_left(call->in->opt.user, c->way);
}

static void stop(struct hf_api_call *call)
{
	struct coap_call *c = self(call);

	if (!c->exchange)
		return;
	drop_exchange(c);
	if (c->begun)
		hf_api_end_stream(call, true);
	else
		hf_api_problem(call, 503, "holdfastd ends.");
}

const struct hf_api_kind hf_api_coap_ask = {
	.size = sizeof(struct coap_call),
	.start = start,
	.pump = pump,
	.send = send,
	.send_end = send_end,
	.finish = finish,
};

const struct hf_api_kind hf_api_coap_observe = {
	.size = sizeof(struct coap_call),
	.start = start,
	.pump = pump,
	.stop = stop,
	.finish = finish,
};
