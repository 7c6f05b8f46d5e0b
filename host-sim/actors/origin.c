/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/origin.h"

#include <assert.h>
#include <stdarg.h>

#include "actors/content.h"
#include "actors/tokens.h"
#include "base/strmap.h"
#include "sim/mem.h"

#define PORT	     80
#define TLS_PORT     443
#define THINK_MIN_US (2 * SIM_US_PER_MS)
#define THINK_MAX_US (12 * SIM_US_PER_MS)
#define IDLE_US	     (75 * SIM_US_PER_S) /* nginx closes kept connections then */

/* One accepted connection. */
struct visitor {
	struct hf_list item;
	struct sim_origin *origin;
	struct sim_http http;
	struct sim_event answer, idle;
	struct sim_rng think, fate; /* how long it takes; what goes wrong */
	char *reply;		    /* sent by answer; NULL: the connection is reset then */
	struct sim_order *order;    /* of the last answer */
	bool keep;
	bool dead;
};

struct sim_origin {
	struct sim_net *net;
	struct sim_world *world;
	struct sim_ledger *ledger;
	struct sim_node *node;
	enum sim_origin_kind kind;
	char name[32];
	enum sim_portal_kind portal;
	bool tls;
	int64_t epoch_ms;
	enum sim_cert cert;
	struct sim_tls_server *servers[SIM_CERTS]; /* made when needed */
	struct sim_origin_mood mood;
	struct sim_tokens tokens;
	unsigned edition, release;
	struct hf_listener *listener;
	struct hf_list visitors;
	struct sim_event reap;
	uint64_t second; /* in which it has begun so many requests */
	unsigned begun;
	struct hf_strmap keys; /* Idempotency-Key -> the order it has led to */
};

/* ---- what it says ---- */

__attribute__((format(printf, 4, 5))) static void reply(struct visitor *v, int status,
							const char *fields, const char *fmt, ...)
{
	char body[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(body, sizeof(body), fmt, ap);
	va_end(ap);
	if (asprintf(&v->reply, "HTTP/1.1 %d %s\r\n%sContent-Length: %zu\r\n%s\r\n%s", status,
		     hf_status_reason(status), fields, strlen(body),
		     v->keep ? "" : "Connection: close\r\n", body) < 0)
		sim_must(NULL);
}

static void reply_empty(struct visitor *v, int status, const char *fields)
{
	if (asprintf(&v->reply, "HTTP/1.1 %d %s\r\n%s%s\r\n", status, hf_status_reason(status),
		     fields, v->keep ? "" : "Connection: close\r\n") < 0)
		sim_must(NULL);
}

static bool as_sent(const struct sim_order *o, const struct hf_message *msg, struct hf_span body)
{
	return hf_span_eq_str(msg->method, o->method) &&
	       hf_span_eq_str(msg->target, o->parent ? o->due_path : o->path) &&
	       hf_span_eq_str(body, o->parent ? o->due_body : o->body);
}

/* It has come before the one that it waits for was done and answered so. */
static bool too_early(const struct sim_order *o)
{
	return o->parent && (o->parent->effects == 0 || o->parent->said_status != 201);
}

/* The order's number, then white space up to the size asked for. */
static void reply_done(struct visitor *v, struct sim_order *o)
{
	size_t size = v->origin->mood.answer_bytes;
	int n = snprintf(NULL, 0, SIM_ANSWER_BODY, o->n);
	int pad = size > (size_t)n ? (int)size - n : 0;

	v->order = o;
	o->answer_bytes = (size_t)n + (size_t)pad;
	if (asprintf(&v->reply,
		     "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
		     "Content-Length: %zu\r\n%s\r\n" SIM_ANSWER_BODY "%*s",
		     o->answer_bytes, v->keep ? "" : "Connection: close\r\n", o->n, pad, "") < 0)
		sim_must(NULL);
}

/* Half of it comes, then the end of the connection. */
static void break_off(struct visitor *v)
{
	v->reply[strlen(v->reply) / 2] = '\0';
	v->keep = false;
}

/* True when the key (origin, without one, nobody) has done it before. */
static bool done_before(struct sim_origin *origin, struct sim_order *o, const struct hf_span *key)
{
	char text[sizeof(o->key)];

	if (!key)
		return false;
	snprintf(text, sizeof(text), "%.*s", HF_SPAN_ARG(*key));
	if (!o->key[0])
		memcpy(o->key, text, sizeof(text));
	else if (strcmp(o->key, text) != 0)
		o->key_changed = true;
	return hf_strmap_get(&origin->keys, *key) != NULL;
}

/* What the next request is refused with, 0: it is not. */
static int refusal(struct sim_origin *origin)
{
	const struct sim_origin_mood *mood = &origin->mood;
	uint64_t second = origin->world->now_us / SIM_US_PER_S;

	if (mood->status || !mood->capacity)
		return mood->status;
	if (second != origin->second) {
		origin->second = second;
		origin->begun = 0;
	}
	return ++origin->begun > mood->capacity ? 503 : 0;
}

static void refuse(struct visitor *v, int status)
{
	const struct sim_origin_mood *mood = &v->origin->mood;
	char fields[64] = "";

	if (mood->retry_after_s)
		snprintf(fields, sizeof(fields), "Retry-After: %u\r\n", mood->retry_after_s);
	reply(v, status, fields, "no\n");
}

static bool has_token(struct sim_origin *origin, const struct hf_message *msg)
{
	return origin->tokens.life_us == 0 ||
	       sim_tokens_accept(&origin->tokens, hf_fields_get(&msg->fields, "Authorization"),
				 origin->world->now_us);
}

/* It gets lost and breaks off as those to orders do. */
static void answer_token(struct visitor *v, struct hf_span form)
{
	struct sim_origin *origin = v->origin;
	const struct sim_origin_mood *mood = &origin->mood;
	int refused = refusal(origin);
	char document[256];
	bool good;

	if (refused) {
		refuse(v, refused);
		return;
	}
	good = sim_tokens_answer(&origin->tokens, form, origin->world->now_us, document,
				 sizeof(document));
	if (sim_rng_chance(&v->fate, mood->lose_percent))
		return;
	reply(v, good ? 200 : 400, "Content-Type: application/json\r\n", "%s", document);
	if (sim_rng_chance(&v->fate, mood->break_percent))
		break_off(v);
}

static void answer_order(struct visitor *v, struct sim_order *o, const struct hf_message *msg,
			 struct hf_span body)
{
	struct sim_origin *origin = v->origin;
	int refused = refusal(origin);
	const struct hf_span *key = hf_fields_get(&msg->fields, "Idempotency-Key");
	bool repeat = done_before(origin, o, key);
	const struct sim_origin_mood *mood = &origin->mood;
	bool lost, breaks, garbled;

	if (!refused && !has_token(origin, msg))
		refused = 401;
	o->altered |= !as_sent(o, msg, body) || strcmp(o->origin, origin->name) != 0;
	o->too_early |= too_early(o);
	if (refused) {
		o->said_status = refused;
		sim_ledger_attempt(origin->ledger, o, refused, false);
		refuse(v, refused);
		return;
	}
	lost = sim_rng_chance(&v->fate, mood->lose_percent);
	breaks = sim_rng_chance(&v->fate, mood->break_percent);
	garbled = sim_rng_chance(&v->fate, mood->garble_percent);
	if (!repeat && key && hf_strmap_put(&origin->keys, *key, o))
		sim_must(NULL);
	sim_ledger_attempt(origin->ledger, o, lost || breaks || garbled ? 0 : 201, !repeat);
	if (lost)
		return;
	o->said_status = 201;
	o->broken_off |= breaks;
	reply_done(v, o);
	if (breaks)
		break_off(v);
	else if (garbled)
		v->reply[0] = '\x16';
}

/* "en-GB,de": the first two letters. */
static void language_of(const struct hf_message *msg, char out[8])
{
	const struct hf_span *field = hf_fields_get(&msg->fields, "Accept-Language");

	snprintf(out, 8, "%.*s", field && field->len >= 2 ? 2 : 0, field ? field->ptr : "");
}

static void reply_content(struct visitor *v, const struct hf_message *msg,
			  const struct sim_content *c)
{
	unsigned version = !c->app ? v->origin->edition : c->fixed ? 1 : v->origin->release;
	const struct hf_span *known = hf_fields_get(&msg->fields, "If-None-Match");
	char lang[8] = "", etag[32], fields[256], *body;
	bool same;

	if (c->varies)
		language_of(msg, lang);
	snprintf(etag, sizeof(etag), "\"%u%s\"", version, lang);
	same = known && memmem(known->ptr, known->len, etag, strlen(etag));
	snprintf(fields, sizeof(fields), "ETag: %s\r\n%s%s%s%s", etag,
		 c->cache_control[0] ? "Cache-Control: " : "", c->cache_control,
		 c->cache_control[0] ? "\r\n" : "", c->varies ? "Vary: Accept-Language\r\n" : "");
	sim_ledger_visit(v->origin->ledger, msg->target, same ? 304 : 200);
	if (same) {
		reply_empty(v, 304, fields);
		return;
	}
	body = sim_content_body(c, lang, version);
	if (asprintf(
		    &v->reply,
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n%sContent-Length: %zu\r\n%s\r\n%s",
		    fields, strlen(body), v->keep ? "" : "Connection: close\r\n", body) < 0)
		sim_must(NULL);
	sim_free(body);
}

/* It gets lost, breaks off and cannot be read as those to orders do. */
static void answer_content(struct visitor *v, const struct hf_message *msg,
			   const struct sim_content *c)
{
	const struct sim_origin_mood *mood = &v->origin->mood;
	int refused = refusal(v->origin);

	if (refused) {
		sim_ledger_visit(v->origin->ledger, msg->target, refused);
		refuse(v, refused);
		return;
	}
	if (sim_rng_chance(&v->fate, mood->lose_percent))
		return;
	reply_content(v, msg, c);
	if (sim_rng_chance(&v->fate, mood->break_percent))
		break_off(v);
	else if (sim_rng_chance(&v->fate, mood->garble_percent))
		v->reply[0] = '\x16';
}

static void answer_shop(struct visitor *v, const struct hf_message *msg, struct hf_span body)
{
	const struct hf_span *number = hf_fields_get(&msg->fields, SIM_ORDER_FIELD);
	struct sim_order *o = number ? sim_ledger_find(v->origin->ledger, *number) : NULL;
	bool token = v->origin->tokens.life_us && hf_span_eq_str(msg->target, SIM_TOKENS_PATH);
	struct sim_content content;
	int refused;

	if (!o && hf_span_eq_str(msg->method, "GET") && sim_content_of(msg->target, &content)) {
		answer_content(v, msg, &content);
		return;
	}
	refused = o || token ? 0 : refusal(v->origin);
	if (!o && hf_span_eq_str(msg->method, "GET"))
		sim_ledger_visit(v->origin->ledger, msg->target, refused ? refused : 200);
	if (token)
		answer_token(v, body);
	else if (o)
		answer_order(v, o, msg, body);
	else if (refused)
		refuse(v, refused);
	else if (hf_span_eq_str(msg->method, "HEAD"))
		reply_empty(v, 200, "Content-Type: text/html\r\n");
	else
		reply(v, 200, "Content-Type: text/html\r\n",
		      "<!doctype html><title>Shop</title>%.*s", HF_SPAN_ARG(msg->target));
}

static void answer_portal(struct visitor *v)
{
	static const char login[] = "Please log in.\n";

	switch (v->origin->portal) {
	case SIM_PORTAL_REDIRECT:
		reply(v, 302, "Location: http://login.portal.example/\r\n", "%s", login);
		break;
	case SIM_PORTAL_PAGE:
		reply(v, 200, "Content-Type: text/html\r\n", "%s", login);
		break;
	case SIM_PORTAL_511:
		reply(v, 511, "Content-Type: text/html\r\n", "%s", login);
		break;
	}
}

static void answer(struct visitor *v, const struct hf_message *msg, struct hf_span body)
{
	switch (v->origin->kind) {
	case SIM_ORIGIN_SHOP:
		answer_shop(v, msg, body);
		break;
	case SIM_ORIGIN_CHECK:
		reply_empty(v, 204, "");
		break;
	case SIM_ORIGIN_PORTAL:
		answer_portal(v);
		break;
	case SIM_ORIGIN_STRANGER:
		reply(v, 200, "Content-Type: text/html\r\n", "This name may be for sale.\n");
		break;
	}
}

/* ---- visitors ---- */

static void dismiss(struct visitor *v, bool abort)
{
	struct sim_world *w = v->origin->world;

	if (abort && v->order) /* it may not have come through yet */
		v->order->broken_off = true;
	sim_http_close(&v->http, abort);
	sim_event_clear(w, &v->answer);
	sim_event_clear(w, &v->idle);
	free(v->reply);
	v->reply = NULL;
	v->dead = true;
	sim_event_in(w, &v->origin->reap, 0);
}

static void answer_due(void *user)
{
	struct visitor *v = user;
	char *bytes = v->reply;

	v->reply = NULL;
	if (!bytes) { /* the answer is lost */
		dismiss(v, true);
		return;
	}
	sim_http_send(&v->http, hf_span_str(bytes));
	free(bytes);
	sim_event_in(v->origin->world, &v->idle, IDLE_US);
	if (!v->keep)
		sim_http_end(&v->http);
}

static void idle_due(void *user)
{
	dismiss(user, false);
}

static void on_message(void *user, const struct hf_message *msg, struct hf_span body)
{
	struct visitor *v = user;
	struct sim_origin *origin = v->origin;

	sim_event_clear(origin->world, &v->idle);
	if (sim_event_is_set(&v->answer)) { /* pipelined: nobody here does that */
		dismiss(v, true);
		return;
	}
	v->order = NULL;
	v->keep = msg->keep_alive;
	answer(v, msg, body);
	sim_event_in(origin->world, &v->answer,
		     origin->mood.slow_us + sim_rng_range(&v->think, THINK_MIN_US, THINK_MAX_US));
}

static void on_gone(void *user, int err)
{
	(void)err;
	dismiss(user, false);
}

static const struct sim_http_events visitor_events = {
	.on_message = on_message,
	.on_gone = on_gone,
};

static struct sim_tls_server *server_now(struct sim_origin *origin)
{
	struct sim_tls_server **s = &origin->servers[origin->cert];

	if (!origin->tls)
		return NULL;
	if (!*s)
		*s = sim_tls_server_create(origin->world, origin->epoch_ms, origin->cert,
					   origin->node->name);
	return *s;
}

static void on_accept(void *user, struct hf_stream *stream)
{
	struct sim_origin *origin = user;
	struct visitor *v = sim_alloc(sizeof(*v));

	v->origin = origin;
	sim_stream_rng(stream, "think", &v->think);
	sim_stream_rng(stream, "fate", &v->fate);
	sim_event_init(&v->answer, answer_due, v);
	sim_event_init(&v->idle, idle_due, v);
	sim_http_init(&v->http, HF_H1_REQUEST, &visitor_events, v);
	hf_list_init(&v->item);
	hf_list_push(&origin->visitors, &v->item);
	sim_http_accept(&v->http, stream, server_now(origin));
	sim_event_in(origin->world, &v->idle, IDLE_US);
}

static const struct hf_listener_events listener_events = { .on_accept = on_accept };

static void reap_due(void *user)
{
	struct sim_origin *origin = user;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &origin->visitors) {
		struct visitor *v = hf_container_of(it, struct visitor, item);

		if (!v->dead)
			continue;
		hf_list_remove(&v->item);
		sim_http_finish(&v->http);
		free(v);
	}
}

/* ---- life ---- */

struct sim_origin *sim_origin_create(struct sim_net *net, struct sim_ledger *ledger,
				     const struct sim_origin_options *opt)
{
	static const uint64_t seed[2] = { 1, 2 };
	struct sim_origin *origin = sim_alloc(sizeof(*origin));

	origin->net = net;
	origin->world = net->world;
	origin->ledger = ledger;
	origin->kind = opt->kind;
	origin->tls = opt->tls;
	origin->epoch_ms = opt->epoch_ms;
	origin->edition = origin->release = 1;
	snprintf(origin->name, sizeof(origin->name), "%s", opt->name);
	origin->node = sim_node_add(net, opt->host, opt->ipv4);
	origin->node->latency_us = 12 * SIM_US_PER_MS;
	origin->node->jitter_us = 3 * SIM_US_PER_MS;
	hf_list_init(&origin->visitors);
	hf_strmap_init(&origin->keys, seed);
	sim_event_init(&origin->reap, reap_due, origin);
	sim_origin_up(origin, true);
	return origin;
}

static void dismiss_all(struct sim_origin *origin)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &origin->visitors) {
		struct visitor *v = hf_container_of(it, struct visitor, item);

		if (!v->dead)
			dismiss(v, true);
	}
}

void sim_origin_up(struct sim_origin *origin, bool up)
{
	struct hf_addr at = origin->node->addr;

	at.port = origin->tls ? TLS_PORT : PORT;
	if (up == (origin->listener != NULL))
		return;
	if (up) {
		if (sim_listen(origin->node, origin, &at, &listener_events, origin,
			       &origin->listener))
			sim_must(NULL);
		return;
	}
	sim_listener_close(origin->listener);
	origin->listener = NULL;
	dismiss_all(origin);
}

bool sim_origin_is_up(const struct sim_origin *origin)
{
	return origin->listener != NULL;
}

void sim_origin_destroy(struct sim_origin *origin)
{
	size_t i;

	if (!origin)
		return;
	sim_origin_up(origin, false);
	reap_due(origin);
	sim_event_clear(origin->world, &origin->reap);
	hf_strmap_finish(&origin->keys);
	for (i = 0; i < SIM_CERTS; i++)
		sim_tls_server_destroy(origin->servers[i]);
	free(origin);
}

const char *sim_origin_name(const struct sim_origin *origin)
{
	return origin->name;
}

struct sim_node *sim_origin_node(struct sim_origin *origin)
{
	return origin->node;
}

void sim_origin_mood(struct sim_origin *origin, const struct sim_origin_mood *mood)
{
	origin->mood = *mood;
}

void sim_origin_cert(struct sim_origin *origin, enum sim_cert cert)
{
	origin->cert = cert;
}

void sim_origin_portal(struct sim_origin *origin, enum sim_portal_kind kind)
{
	origin->portal = kind;
}

void sim_origin_publish(struct sim_origin *origin)
{
	sim_pages_published(&origin->ledger->pages, origin->name, ++origin->edition,
			    origin->world->now_us);
}

void sim_origin_release(struct sim_origin *origin, unsigned release)
{
	origin->release = release;
}

void sim_origin_tokens(struct sim_origin *origin, uint64_t life_us)
{
	origin->tokens.life_us = life_us;
}

const struct sim_origin_mood *sim_origin_mood_now(const struct sim_origin *origin)
{
	return &origin->mood;
}
