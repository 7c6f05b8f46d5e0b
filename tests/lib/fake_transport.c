/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fake_transport.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "holdfast/err.h"

static struct fake_transport *fake_of(struct hf_transport *base)
{
	return hf_container_of(base, struct fake_transport, base);
}

static void exchange_free(struct hf_exchange *x)
{
	hf_list_remove(&x->link);
	x->t->running--;
	hf_buf_finish(&x->body);
	hf_arena_finish(&x->arena);
	free(x);
}

/* ---- operations ---- */

static int perform(struct hf_transport *base, const struct hf_transport_request *req,
		   const struct hf_exchange_events *events, void *user, struct hf_exchange **out)
{
	struct fake_transport *t = fake_of(base);
	struct hf_exchange *x;

	if (t->perform_err)
		return t->perform_err;
	x = calloc(1, sizeof(*x));
	if (!x)
		return HF_ENOMEM;
	x->t = t;
	x->events = events;
	x->user = user;
	x->msg = req->msg;
	x->fresh = req->fresh;
	x->window = t->window;
	hf_buf_init(&x->body, 64u << 20);
	hf_arena_init(&x->arena, 1u << 20);
	hf_list_push(&t->exchanges, &x->link);
	t->performed++;
	if (++t->running > t->running_max)
		t->running_max = t->running;
	*out = x;
	return 0;
}

static void go(struct hf_transport *base, struct hf_exchange *x)
{
	(void)base;
	assert(x->connected && !x->gone);
	x->gone = true;
}

static size_t send_data(struct hf_transport *base, struct hf_exchange *x, struct hf_span data)
{
	size_t n = data.len;

	(void)base;
	assert(x->gone && !x->body_done);
	if (x->window && n > x->window)
		n = x->window;
	assert(x->body.len + data.len <= x->msg->body_len);
	if (hf_buf_append(&x->body, hf_span(data.ptr, n)))
		return 0;
	return n;
}

static void send_end(struct hf_transport *base, struct hf_exchange *x,
		     const struct hf_fields *trailers)
{
	(void)base;
	(void)trailers;
	assert(x->gone && !x->body_done && x->body.len == x->msg->body_len);
	x->body_done = true;
}

static void receive(struct hf_transport *base, struct hf_exchange *x, bool on)
{
	(void)base;
	(void)x;
	(void)on;
}

static void cancel(struct hf_transport *base, struct hf_exchange *x)
{
	(void)base;
	assert(!x->cancelled);
	if (x->depth)
		x->cancelled = true;
	else
		exchange_free(x);
}

/* ---- steps ---- */

static bool leave(struct hf_exchange *x)
{
	x->depth = false;
	if (!x->cancelled)
		return true;
	exchange_free(x);
	return false;
}

bool fake_connect(struct hf_exchange *x)
{
	assert(!x->connected);
	x->connected = true;
	x->depth = true;
	if (x->events->on_send)
		x->events->on_send(x->user);
	else
		x->gone = true;
	return leave(x);
}

bool fake_writable(struct hf_exchange *x)
{
	assert(x->gone);
	x->depth = true;
	x->events->on_writable(x->user);
	return leave(x);
}

static void add_fields(struct hf_fields *f, const char *text)
{
	struct hf_span rest = hf_span_str(text ? text : "");

	while (rest.len > 0) {
		struct hf_span line = hf_span_cut(&rest, '\n');
		struct hf_span name = hf_span_cut(&line, ':');

		if (line.len > 0)
			line = hf_span_skip(line, 1);
		hf_fields_add(f, name, line);
	}
}

bool fake_head(struct hf_exchange *x, int status, const char *fields)
{
	x->head = (struct hf_message){ .status = status, .minor = 1, .body = HF_BODY_LENGTH };
	hf_fields_init(&x->head.fields, &x->arena);
	add_fields(&x->head.fields, fields);
	x->depth = true;
	x->events->on_head(x->user, &x->head);
	return leave(x);
}

bool fake_body(struct hf_exchange *x, struct hf_span data)
{
	x->depth = true;
	x->events->on_body(x->user, data);
	return leave(x);
}

void fake_end(struct hf_exchange *x, enum hf_end end, enum hf_sent sent)
{
	struct hf_exchange_result result = {
		.end = end,
		.sent = sent,
		.err = end == HF_END_COMPLETE ? 0 : HF_ECONNRESET,
		.detail = "as the test says",
	};

	hf_list_remove(&x->link);
	x->depth = true;
	x->events->on_end(x->user, &result, NULL);
	assert(!x->cancelled);
	exchange_free(x);
}

void fake_answer_whole(struct hf_exchange *x, const struct fake_answer_to *a)
{
	const char *body = a->body ? a->body : "";

	if (a->status == 0) {
		fake_end(x, a->end == HF_END_COMPLETE ? HF_END_RESET : a->end, HF_SENT_ALL);
		return;
	}
	if (!fake_head(x, a->status, a->fields))
		return;
	if (body[0] && !fake_body(x, hf_span_str(body)))
		return;
	fake_end(x, a->end, HF_SENT_ALL);
}

struct hf_span fake_field(const struct hf_exchange *x, const char *name)
{
	const struct hf_span *v = hf_fields_get(&x->msg->fields, name);

	return v ? *v : hf_span("", 0);
}

/* ---- the origin ---- */

static void take(struct hf_exchange *x)
{
	struct fake_transport *t = x->t;
	struct hf_span key = fake_field(x, "Idempotency-Key");

	x->taken = true;
	hf_buf_appendf(&t->log, "%.*s key=%.*s %.*s\n", HF_SPAN_ARG(x->msg->target),
		       HF_SPAN_ARG(key), HF_SPAN_ARG(hf_buf_span(&x->body)));
}

static bool wants_body(const struct hf_exchange *x)
{
	return x->msg->body == HF_BODY_LENGTH && !x->body_done;
}

/* True when something happened. */
static bool step(struct hf_exchange *x)
{
	struct fake_transport *t = x->t;
	struct fake_answer_to a = { .status = 201, .end = HF_END_COMPLETE };
	size_t before = x->body.len;

	if (!x->connected) {
		if (t->up)
			fake_connect(x);
		else
			fake_end(x, HF_END_CONNECT, HF_SENT_NONE);
		return true;
	}
	if (!x->gone)
		return false;
	if (wants_body(x)) {
		bool alive = fake_writable(x);

		return !alive || x->body_done || x->body.len > before;
	}
	take(x);
	if (t->answer)
		t->answer(t->user, x, &a);
	fake_answer_whole(x, &a);
	return true;
}

bool fake_transport_turn(struct fake_transport *t)
{
	size_t n = t->running;
	bool any = false;

	if (t->manual)
		return false;
	while (n-- > 0 && !hf_list_empty(&t->exchanges)) {
		struct hf_exchange *x =
			hf_container_of(t->exchanges.next, struct hf_exchange, link);

		/* round robin: what does not end goes to the back */
		hf_list_remove(&x->link);
		hf_list_push(&t->exchanges, &x->link);
		any |= step(x);
	}
	return any;
}

struct hf_exchange *fake_exchange(struct fake_transport *t, size_t i)
{
	for (struct hf_list *l = t->exchanges.next; l != &t->exchanges; l = l->next)
		if (i-- == 0)
			return hf_container_of(l, struct hf_exchange, link);
	return NULL;
}

/* ---- life ---- */

static const struct hf_transport operations = {
	.perform = perform,
	.go = go,
	.send = send_data,
	.send_end = send_end,
	.receive = receive,
	.cancel = cancel,
};

void fake_transport_init(struct fake_transport *t)
{
	memset(t, 0, sizeof(*t));
	t->base = operations;
	t->up = true;
	hf_list_init(&t->exchanges);
	hf_buf_init(&t->log, 16u << 20);
}

void fake_transport_finish(struct fake_transport *t)
{
	assert(t->running == 0);
	hf_buf_finish(&t->log);
}
