/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange:
 *
 *   WAITING -> READY -> HELD -> ACTIVE -> ENDED -> GONE
 *
 * While ACTIVE at most one message of it waits for an answer: a block of the
 * request, then blocks of the answer are asked for.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "coap/observe.h"
#include "holdfast/err.h"

#define ARENA_MAX (512u * 1024)
#define REPLY_MAX (16u * 1024)

static void on_timer(void *user);

/* ---- making and freeing ---- */

struct hf_exchange *hf_coap_x_create(struct hf_coap *t)
{
	struct hf_exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->t = t;
	x->receiving = true;
	hf_list_init(&x->node);
	hf_list_init(&x->soon);
	hf_timer_init(&x->timer, on_timer, x);
	hf_arena_init(&x->arena, ARENA_MAX);
	hf_arena_init(&x->reply.arena, REPLY_MAX);
	hf_arena_init(&x->first.arena, REPLY_MAX);
	hf_buf_init(&x->body, HF_COAP_BODY_MAX);
	x->active_ms = hf_coap_now(t);
	return x;
}

void hf_coap_x_leave(struct hf_exchange *x)
{
	if (hf_list_empty(&x->node))
		return;
	if (x->state == HF_COAP_X_WAITING)
		x->t->waiting_n--;
	else if (x->state != HF_COAP_X_ENDED && x->state != HF_COAP_X_LISTENING)
		x->t->running_n--;
	hf_list_remove(&x->node);
}

void hf_coap_x_destroy(struct hf_exchange *x)
{
	assert(x->depth == 0);
	hf_coap_x_leave(x);
	hf_list_remove(&x->soon);
	hf_coap_message_cancel(x);
	hf_timerq_clear(x->t->opt.timers, &x->timer);
	hf_arena_finish(&x->arena);
	hf_arena_finish(&x->reply.arena);
	hf_arena_finish(&x->first.arena);
	hf_buf_finish(&x->body);
	free(x);
}

void hf_coap_x_cancel(struct hf_exchange *x)
{
	assert(x->state != HF_COAP_X_GONE);
	if (x->depth == 0) {
		hf_coap_x_destroy(x);
		return;
	}
	hf_coap_x_leave(x);
	hf_list_remove(&x->soon);
	hf_coap_message_cancel(x);
	hf_timerq_clear(x->t->opt.timers, &x->timer);
	x->state = HF_COAP_X_GONE; /* freed by leave */
}

/* ---- calling the user ---- */

/* After an event: false when the exchange was cancelled inside. */
static bool leave(struct hf_exchange *x)
{
	assert(x->depth > 0);
	if (--x->depth > 0 || x->state != HF_COAP_X_GONE)
		return x->state != HF_COAP_X_GONE;
	hf_coap_x_destroy(x);
	return false;
}

static bool tell_writable(struct hf_exchange *x)
{
	x->depth++;
	x->events->on_writable(x->user);
	return leave(x);
}

bool hf_coap_x_tell_head(struct hf_exchange *x)
{
	x->depth++;
	x->events->on_head(x->user, &x->head);
	return leave(x);
}

bool hf_coap_x_tell_body(struct hf_exchange *x, struct hf_span data)
{
	x->depth++;
	x->events->on_body(x->user, data);
	return leave(x);
}

static void tell_end(struct hf_exchange *x)
{
	struct hf_fields trailers;

	hf_fields_init(&trailers, &x->arena);
	hf_coap_x_leave(x);
	x->depth++;
	x->state = HF_COAP_X_GONE;
	x->events->on_end(x->user, &x->result, x->result.end == HF_END_COMPLETE ? &trailers : NULL);
	leave(x);
}

/* ---- the end ---- */

static enum hf_sent sent_so_far(const struct hf_exchange *x)
{
	if (x->messages == 0)
		return HF_SENT_NONE;
	return x->last_sent ? HF_SENT_ALL : HF_SENT_PART;
}

void hf_coap_x_end(struct hf_exchange *x, enum hf_end end, int err, const char *detail)
{
	assert(x->state != HF_COAP_X_ENDED && x->state != HF_COAP_X_GONE);
	hf_coap_message_cancel(x);
	hf_timerq_clear(x->t->opt.timers, &x->timer);
	snprintf(x->detail, sizeof(x->detail), "%s", detail);
	if (x->head_seen && end != HF_END_COMPLETE)
		end = HF_END_TRUNCATED;
	x->result = (struct hf_exchange_result){
		.end = end,
		.sent = sent_so_far(x),
		.request_bytes = x->request_bytes,
		.err = err,
		.detail = x->detail,
	};
	hf_coap_x_leave(x);
	x->state = HF_COAP_X_ENDED;
	hf_list_push(&x->t->ended, &x->node);
	hf_coap_soon(x);
}

void hf_coap_x_malformed(struct hf_exchange *x, const char *detail)
{
	hf_coap_x_end(x, HF_END_MALFORMED, HF_EPROTO, detail);
}

/* ---- times ---- */

static uint64_t deadline(const struct hf_exchange *x)
{
	const struct hf_coap_options *opt = &x->t->opt;

	switch (x->state) {
	case HF_COAP_X_WAITING:
		/* the session's own deadline says more */
		return x->active_ms + opt->connect_timeout_ms + 1;
	case HF_COAP_X_ACTIVE:
		return x->active_ms +
		       (x->outstanding && !x->head_seen ? x->first_byte_ms : opt->idle_timeout_ms);
	case HF_COAP_X_READY:
	case HF_COAP_X_LOCAL:
	case HF_COAP_X_HELD:
	case HF_COAP_X_LISTENING:
	case HF_COAP_X_ENDED:
	case HF_COAP_X_GONE:
		break;
	}
	return HF_TIMER_NEVER;
}

void hf_coap_x_arm(struct hf_exchange *x)
{
	uint64_t due = deadline(x);

	if (due == HF_TIMER_NEVER || (hf_timer_is_set(&x->timer) && x->timer.due_ms <= due))
		return;
	if (hf_timerq_set(x->t->opt.timers, &x->timer, due))
		hf_log(x->t->opt.log, HF_LOG_ERROR, "coap.timer", "err=ENOMEM");
}

void hf_coap_x_distrust_address(struct hf_exchange *x)
{
	x->t->last = x->t->state == HF_COAP_UP;
	x->t->silent = true;
}

static void on_timer(void *user)
{
	struct hf_exchange *x = user;
	uint64_t now = hf_coap_now(x->t);
	char detail[96];

	if (x->state == HF_COAP_X_ACTIVE && !x->receiving)
		x->active_ms = now; /* not the origin's fault */
	if (deadline(x) > now) {
		hf_coap_x_arm(x);
		return;
	}
	if (x->state == HF_COAP_X_WAITING) {
		snprintf(detail, sizeof(detail), "no turn within %u ms",
			 x->t->opt.connect_timeout_ms);
		hf_coap_x_end(x, HF_END_LIMIT, HF_ELIMIT, detail);
		return;
	}
	snprintf(detail, sizeof(detail), "%s for %llu ms", x->outstanding ? "no answer" : "idle",
		 (unsigned long long)(now - x->active_ms));
	hf_coap_x_distrust_address(x);
	hf_coap_x_end(x, HF_END_TIMEOUT, HF_ETIMEDOUT, detail);
}

/* Nothing of it has arrived: it is the first in line for another address. */
static void wait_again(struct hf_exchange *x)
{
	hf_coap_x_leave(x);
	x->state = HF_COAP_X_WAITING;
	x->nack = 0;
	x->active_ms = hf_coap_now(x->t);
	hf_list_push_front(&x->t->waiting, &x->node);
	x->t->waiting_n++;
	hf_coap_x_arm(x);
	hf_coap_wake(x->t);
}

/* What libcoap says of the message that was on its way. */
static void nacked(struct hf_exchange *x)
{
	bool nothing_arrived = x->messages == 1 && !x->repeated;

	switch (x->nack - 1) {
	case COAP_NACK_ICMP_ISSUE:
		hf_coap_x_distrust_address(x);
		if (!nothing_arrived) {
			hf_coap_x_end(x, HF_END_RESET, HF_ECONNREFUSED,
				      "nobody is at the origin's port any more");
			return;
		}
		hf_coap_message_cancel(x);
		x->messages = 0;
		x->last_sent = false;
		if (hf_coap_session_has_other(x->t) && x->addresses++ < HF_COAP_ADDRS_MAX)
			wait_again(x);
		else
			hf_coap_x_end(x, HF_END_CONNECT, HF_ECONNREFUSED,
				      "nobody is at the origin's port");
		return;
	case COAP_NACK_TOO_MANY_RETRIES:
		hf_coap_x_distrust_address(x);
		hf_coap_x_end(x, HF_END_TIMEOUT, HF_ETIMEDOUT, "no answer to any repetition");
		return;
	case COAP_NACK_BAD_RESPONSE:
		hf_coap_x_malformed(x, "the answer is no CoAP message");
		return;
	case COAP_NACK_RST:
		hf_coap_x_end(x, HF_END_RESET, HF_ECONNRESET, "the origin answered with a reset");
		return;
	}
	hf_coap_x_end(x, HF_END_RESET, HF_ECONNRESET, "the session has ended");
}

/* ---- steps ---- */

/* The origin's status alone, of what cannot be observed. */
static int bare_head(struct hf_exchange *x)
{
	hf_coap_answer_begin(x->refused, &x->arena, &x->head);
	x->head.body = HF_BODY_LENGTH;
	return hf_fields_add(&x->head.fields, HF_SPAN("Content-Length"), HF_SPAN("0"));
}

static int make_head_here(struct hf_exchange *x)
{
	int err = x->by_origin ?
			  bare_head(x) :
			  hf_coap_answer_local(x->refused, &x->arena, &x->head, &x->local_body);

	if (hf_span_eq_str(x->msg->method, "HEAD")) {
		x->head.body = HF_BODY_NONE;
		x->local_body.len = 0;
	}
	return err;
}

/* Head, body and end, as far as they are wanted now. */
static void answer_here(struct hf_exchange *x)
{
	bool told = x->head_seen;

	if (!told && make_head_here(x)) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ENOMEM, "out of memory");
		return;
	}
	x->state = HF_COAP_X_LOCAL;
	x->head_seen = true;
	x->depth++;
	if ((told || hf_coap_x_tell_head(x)) && x->receiving &&
	    (x->local_body.len == 0 || hf_coap_x_tell_body(x, x->local_body)))
		hf_coap_x_end(x, HF_END_COMPLETE, 0, "");
	leave(x);
}

static void begin(struct hf_exchange *x)
{
	int szx = hf_coap_block_fit(hf_coap_message_room(x->t, &x->request));

	if (szx < 0) {
		x->refused = 414;
		answer_here(x);
		return;
	}
	x->szx = (uint8_t)szx;
	x->state = HF_COAP_X_HELD;
	if (x->go) {
		hf_coap_soon(x);
		return;
	}
	x->depth++;
	x->events->on_send(x->user);
	leave(x);
}

static void advance(struct hf_exchange *x)
{
	if (x->nack)
		nacked(x);
	else if (x->reply.there && !x->payload_due && x->receiving)
		hf_coap_x_take(x);
	if (x->state == HF_COAP_X_ACTIVE && x->payload_due && x->receiving)
		hf_coap_x_give(x);
	if (x->state == HF_COAP_X_ACTIVE && x->follow && x->receiving)
		hf_coap_x_ask(x);
	if (x->state == HF_COAP_X_ACTIVE && !x->head_seen && !x->outstanding && !x->reply.there &&
	    !x->last_sent)
		hf_coap_x_send_block(x);
	if (x->state == HF_COAP_X_ACTIVE && !x->body_done && !x->head_seen && x->want_writable &&
	    x->body.len < HF_COAP_BODY_MAX) {
		x->want_writable = false;
		tell_writable(x);
	}
	if (x->state == HF_COAP_X_ACTIVE)
		hf_coap_x_arm(x);
}

void hf_coap_x_step(struct hf_exchange *x)
{
	x->depth++;
	switch (x->state) {
	case HF_COAP_X_LOCAL:
		answer_here(x);
		break;
	case HF_COAP_X_READY:
		begin(x);
		break;
	case HF_COAP_X_HELD:
		if (!x->go)
			break;
		x->state = HF_COAP_X_ACTIVE;
		x->active_ms = hf_coap_now(x->t);
		x->want_writable = true;
		advance(x);
		break;
	case HF_COAP_X_ACTIVE:
		advance(x);
		break;
	case HF_COAP_X_LISTENING:
		hf_coap_observe_step(x);
		break;
	case HF_COAP_X_WAITING:
	case HF_COAP_X_ENDED:
	case HF_COAP_X_GONE:
		break;
	}
	if (leave(x) && x->state == HF_COAP_X_ENDED && x->receiving)
		tell_end(x);
}
