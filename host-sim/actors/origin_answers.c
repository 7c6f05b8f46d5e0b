/* SPDX-License-Identifier: Apache-2.0 */
/* What an origin says to a request, and what it does. */
#include <stdarg.h>

#include "actors/content.h"
#include "actors/origin_private.h"
#include "sim/mem.h"

__attribute__((format(printf, 4, 5))) static void reply(struct sim_visitor *v, int status,
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

static void reply_empty(struct sim_visitor *v, int status, const char *fields)
{
	if (asprintf(&v->reply, "HTTP/1.1 %d %s\r\n%s%s\r\n", status, hf_status_reason(status),
		     fields, v->keep ? "" : "Connection: close\r\n") < 0)
		sim_must(NULL);
}

static bool as_sent(const struct sim_order *o, const struct hf_message *msg, struct hf_span target,
		    struct hf_span body)
{
	return hf_span_eq_str(msg->method, o->method) &&
	       hf_span_eq_str(target, o->parent ? o->due_path : o->path) &&
	       hf_span_eq_str(body, o->parent ? o->due_body : o->body);
}

/* It has come before the one that it waits for was done and answered so. */
static bool too_early(const struct sim_order *o)
{
	return o->parent && (o->parent->effects == 0 || o->parent->said_status != 201);
}

/* The order's number, then white space up to the size asked for. */
static void reply_done(struct sim_visitor *v, struct sim_order *o)
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
static void break_off(struct sim_visitor *v)
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

static void refuse(struct sim_visitor *v, int status)
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
static void answer_token(struct sim_visitor *v, struct hf_span form)
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

static void answer_order(struct sim_visitor *v, struct sim_order *o, const struct hf_message *msg,
			 struct hf_span target, struct hf_span body)
{
	struct sim_origin *origin = v->origin;
	int refused = refusal(origin);
	const struct hf_span *key = hf_fields_get(&msg->fields, "Idempotency-Key");
	bool repeat = done_before(origin, o, key);
	const struct sim_origin_mood *mood = &origin->mood;
	bool lost, breaks, garbled;

	if (!refused && !has_token(origin, msg))
		refused = 401;
	o->altered |= !as_sent(o, msg, target, body) || strcmp(o->origin, origin->name) != 0;
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

static void reply_content(struct sim_visitor *v, const struct hf_message *msg,
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
static void answer_content(struct sim_visitor *v, const struct hf_message *msg,
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

static void answer_shop(struct sim_visitor *v, const struct hf_message *msg, struct hf_span body)
{
	struct hf_span target;
	struct sim_order *o = sim_ledger_order_of(v->origin->ledger, msg, &target);
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
		answer_order(v, o, msg, target, body);
	else if (refused)
		refuse(v, refused);
	else if (hf_span_eq_str(msg->method, "HEAD"))
		reply_empty(v, 200, "Content-Type: text/html\r\n");
	else
		reply(v, 200, "Content-Type: text/html\r\n",
		      "<!doctype html><title>Shop</title>%.*s", HF_SPAN_ARG(msg->target));
}

static void answer_portal(struct sim_visitor *v)
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

void sim_origin_answer(struct sim_visitor *v, const struct hf_message *msg, struct hf_span body)
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
