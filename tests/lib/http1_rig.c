/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/http1_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void say(struct shot *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct shot *s, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	hf_buf_append_str(&s->heard, s->heard.len ? " " : "");
	hf_buf_append_str(&s->heard, text);
}

const char *heard(struct shot *s)
{
	return hf_buf_cstr(&s->heard);
}

static void on_send(void *user)
{
	struct shot *s = user;

	say(s, "send?");
	if (s->go_at_once)
		s->w->t->go(s->w->t, s->x);
}

void pump_body(struct shot *s)
{
	size_t left = strlen(s->body) - s->body_at, n;

	n = s->w->t->send(s->w->t, s->x, hf_span(s->body + s->body_at, left));
	assert_true(n <= left);
	s->body_at += n;
	if (n == left)
		s->w->t->send_end(s->w->t, s->x, NULL);
}

static void on_writable(void *user)
{
	struct shot *s = user;

	if (s->body && !s->hold_body)
		pump_body(s);
	else
		say(s, "writable");
}

static void on_interim(void *user, const struct hf_message *head)
{
	say(user, "interim:%d", head->status);
}

static void on_head(void *user, const struct hf_message *head)
{
	struct shot *s = user;

	say(s, "head:%d", head->status);
	if (s->stop_on_head)
		s->w->t->receive(s->w->t, s->x, false);
	if (s->cancel_on_head) {
		s->w->t->cancel(s->w->t, s->x);
		s->x = NULL;
	}
}

static void on_body(void *user, struct hf_span data)
{
	struct shot *s = user;

	say(s, "body:%.*s", HF_SPAN_ARG(data));
	if (s->stop_on_body)
		s->w->t->receive(s->w->t, s->x, false);
	if (s->cancel_on_body) {
		s->w->t->cancel(s->w->t, s->x);
		s->x = NULL;
	}
}

static void on_end(void *user, const struct hf_exchange_result *result,
		   const struct hf_fields *trailers)
{
	static const char *const sent[] = { "none", "part", "all" };
	struct shot *s = user;

	assert_false(s->ended);
	assert_int_equal(trailers != NULL, result->end == HF_END_COMPLETE);
	if (trailers && trailers->n)
		say(s, "trailer:%.*s", HF_SPAN_ARG(trailers->v[0].value));
	say(s, "end:%s/%s", hf_end_name(result->end), sent[result->sent]);
	s->ended = true;
	s->result = *result;
	snprintf(s->detail, sizeof(s->detail), "%s", result->detail);
	s->result.detail = s->detail;
	s->x = NULL;
	if (s->next)
		shoot(s->next);
}

const struct hf_exchange_events plain_events = {
	.on_writable = on_writable,
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

const struct hf_exchange_events held_events = {
	.on_send = on_send,
	.on_writable = on_writable,
	.on_interim = on_interim,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};

void shoot_as(struct shot *s, const struct hf_exchange_events *events, bool fresh)
{
	struct hf_transport_request req = { .msg = &s->msg, .fresh = fresh };

	s->ended = false;
	s->body_at = 0;
	hf_buf_clear(&s->heard);
	assert_int_equal(s->w->t->perform(s->w->t, &req, events, s, &s->x), 0);
	assert_int_equal(s->heard.len, 0); /* no event inside the call */
}

void shoot(struct shot *s)
{
	shoot_as(s, &plain_events, false);
}

struct shot *shot(struct world *w, size_t i, const char *method, enum hf_body_kind kind,
		  const char *body)
{
	struct shot *s = &w->shots[i];

	s->msg = (struct hf_message){
		.method = hf_span_str(method),
		.target = HF_SPAN("/x"),
		.minor = 1,
		.body = kind,
		.body_len = kind == HF_BODY_LENGTH ? strlen(body) : 0,
	};
	s->body = body;
	hf_arena_reset(&s->arena);
	hf_fields_init(&s->msg.fields, &s->arena);
	hf_fields_add(&s->msg.fields, HF_SPAN("Host"), HF_SPAN("shop.example"));
	return s;
}

struct shot *get(struct world *w, size_t i)
{
	return shot(w, i, "GET", HF_BODY_NONE, NULL);
}

void http1_rig_make(struct world *w, unsigned connections_max)
{
	struct hf_http1_options opt = {
		.port = &w->net.port,
		.timers = &w->net.timers,
		.log = &w->net.log,
		.host = "shop.example",
		.port_number = 80,
		.connect_timeout_ms = 10000,
		.first_byte_timeout_ms = 30000,
		.idle_timeout_ms = 60000,
		.keepalive_timeout_ms = 15000,
		.connections_max = connections_max,
		.head_bytes_max = 32768,
		.fields_max = 100,
	};

	hf_http1_destroy(w->t);
	assert_int_equal(hf_http1_create(&opt, &w->t), 0);
}

int http1_rig_set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	size_t i;

	fake_net_init(&w->net);
	fake_net_host(&w->net, "192.0.2.1", FAKE_ACCEPT, 0);
	http1_rig_make(w, 4);
	for (i = 0; i < 4; i++) {
		w->shots[i].w = w;
		hf_arena_init(&w->shots[i].arena, 65536);
		hf_buf_init(&w->shots[i].heard, 1 << 24);
	}
	*state = w;
	return 0;
}

int http1_rig_tear_down(void **state)
{
	struct world *w = *state;
	size_t i;

	hf_http1_destroy(w->t);
	for (i = 0; i < 4; i++) {
		hf_arena_finish(&w->shots[i].arena);
		hf_buf_finish(&w->shots[i].heard);
	}
	fake_net_finish(&w->net);
	free(w);
	return 0;
}

const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const char get_head[] = "GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\n";

struct fake_peer *peer(struct world *w, size_t i)
{
	return fake_net_peer(&w->net, i);
}

void answer(struct world *w, size_t i, const char *text)
{
	fake_peer_send(peer(w, i), text);
	fake_net_settle(&w->net);
}

struct hf_http1_figures figures(struct world *w)
{
	struct hf_http1_figures f;

	hf_http1_figures(w->t, &f);
	return f;
}

void warm_up(struct world *w)
{
	shoot(get(w, 0));
	fake_net_settle(&w->net);
	answer(w, 0, ok);
	fake_peer_take(peer(w, 0));
	fake_net_advance(&w->net, 500);
}
