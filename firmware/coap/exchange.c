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

#include "coap/coap_internal.h"
#include "holdfast/err.h"

#define BODY_MAX  (2 * HF_COAP_BLOCK_MAX) /* a block, and a sign that more follows */
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
	hf_buf_init(&x->body, BODY_MAX);
	x->active_ms = hf_coap_now(t);
	return x;
}

void hf_coap_x_leave(struct hf_exchange *x)
{
	if (x->state == HF_COAP_X_WAITING && !hf_list_empty(&x->node))
		x->t->waiting_n--;
	else if (x->state != HF_COAP_X_ENDED && !hf_list_empty(&x->node))
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

static bool tell_head(struct hf_exchange *x)
{
	x->depth++;
	x->events->on_head(x->user, &x->head);
	return leave(x);
}

static bool tell_body(struct hf_exchange *x, struct hf_span data)
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

static void end_malformed(struct hf_exchange *x, const char *detail)
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

/* Nobody answers there: the next exchange goes another way. */
static void distrust_address(struct hf_exchange *x)
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
	distrust_address(x);
	hf_coap_x_end(x, HF_END_TIMEOUT, HF_ETIMEDOUT, detail);
}

/* What libcoap says of the message that was on its way. */
static void nacked(struct hf_exchange *x)
{
	bool nothing_arrived = x->messages == 1 && !x->repeated;

	switch (x->nack - 1) {
	case COAP_NACK_ICMP_ISSUE:
		distrust_address(x);
		if (!nothing_arrived) {
			hf_coap_x_end(x, HF_END_RESET, HF_ECONNREFUSED,
				      "nobody is at the origin's port any more");
			return;
		}
		hf_coap_message_cancel(x);
		x->messages = 0;
		x->last_sent = false;
		hf_coap_x_end(x, HF_END_CONNECT, HF_ECONNREFUSED, "nobody is at the origin's port");
		return;
	case COAP_NACK_TOO_MANY_RETRIES:
		distrust_address(x);
		hf_coap_x_end(x, HF_END_TIMEOUT, HF_ETIMEDOUT, "no answer to any repetition");
		return;
	case COAP_NACK_BAD_RESPONSE:
		end_malformed(x, "the answer is no CoAP message");
		return;
	case COAP_NACK_RST:
		hf_coap_x_end(x, HF_END_RESET, HF_ECONNRESET, "the origin answered with a reset");
		return;
	}
	hf_coap_x_end(x, HF_END_RESET, HF_ECONNRESET, "the session has ended");
}

/* ---- the request ---- */

static void emit(struct hf_exchange *x, const struct hf_coap_head *head, struct hf_span payload)
{
	int err = hf_coap_message_send(x, head, payload);

	x->active_ms = hf_coap_now(x->t);
	if (!err)
		return;
	if (x->messages == 1) {
		x->messages = 0; /* it did not leave */
		x->last_sent = false;
	}
	if (err == HF_EUNREACH)
		distrust_address(x);
	hf_coap_x_end(x,
		      err == HF_ENOMEM ? HF_END_INTERNAL :
		      x->messages      ? HF_END_RESET :
					 HF_END_CONNECT,
		      err, "the message could not be sent");
}

static void send_block(struct hf_exchange *x)
{
	uint32_t size = hf_coap_block_size(x->szx);
	struct hf_span data = hf_buf_span(&x->body);
	struct hf_coap_head head = x->request;
	struct hf_coap_block block = { .num = (uint32_t)(x->offset >> (x->szx + 4)),
				       .szx = x->szx };
	char block_bytes[4], size_bytes[4];
	bool fits = true;

	if (!x->body_done && data.len <= size)
		return; /* whether more follows is not known */
	block.more = data.len > size;
	if (block.more)
		data.len = size;
	x->blocks = x->blocks || block.more;
	if (x->blocks)
		fits = block.num < 1u << 20 &&
		       hf_coap_option_add(&head, HF_COAP_BLOCK1,
					  hf_coap_block_format(&block, block_bytes)) == 0;
	if (x->blocks && block.num == 0 && x->msg->body == HF_BODY_LENGTH &&
	    x->msg->body_len <= UINT32_MAX)
		fits = fits && hf_coap_option_add(&head, HF_COAP_SIZE1,
						  hf_coap_uint((uint32_t)x->msg->body_len,
							       size_bytes)) == 0;
	if (!fits) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ETOOBIG, "the body is too long for CoAP");
		return;
	}
	x->block_len = data.len;
	x->last_sent = !block.more;
	emit(x, &head, data);
}

size_t hf_coap_x_send(struct hf_exchange *x, struct hf_span data)
{
	size_t room = BODY_MAX - x->body.len, n = data.len < room ? data.len : room;

	if (x->state == HF_COAP_X_WAITING || x->state == HF_COAP_X_READY ||
	    x->state == HF_COAP_X_HELD)
		return 0;
	if (x->state != HF_COAP_X_ACTIVE || x->head_seen)
		return data.len;
	assert(x->msg->body != HF_BODY_LENGTH || data.len <= x->body_left);
	if (n > 0 && hf_buf_append(&x->body, hf_span(data.ptr, n)))
		n = 0;
	if (x->msg->body == HF_BODY_LENGTH) {
		x->body_left -= n;
		x->body_done = x->body_left == 0;
	}
	x->want_writable = n < data.len;
	hf_coap_soon(x);
	return n;
}

/* ---- the answer ---- */

static bool block_of(const struct hf_coap_head *head, uint16_t number, struct hf_coap_block *out,
		     bool *there)
{
	const struct hf_span *value = hf_coap_option_get(head, number);

	*there = value != NULL;
	*out = (struct hf_coap_block){ 0 };
	return !value || hf_coap_block_parse(*value, out);
}

/* Asks for the block behind what has come. */
static void ask(struct hf_exchange *x)
{
	struct hf_coap_block block = {
		.num = (uint32_t)(x->answer_len >> (x->answer_szx + 4)),
		.szx = x->answer_szx,
	};
	struct hf_coap_head head = { .code = x->request.code };
	char bytes[4];

	x->follow = false;
	for (size_t i = 0; i < x->request.n; i++) {
		const struct hf_coap_option *o = &x->request.options[i];

		if (o->number != HF_COAP_IF_MATCH && o->number != HF_COAP_ETAG &&
		    o->number != HF_COAP_IF_NONE_MATCH && o->number != HF_COAP_CONTENT_FORMAT)
			(void)hf_coap_option_add(&head, o->number, o->value);
	}
	if (hf_coap_option_add(&head, HF_COAP_BLOCK2, hf_coap_block_format(&block, bytes))) {
		end_malformed(x, "no room for another option");
		return;
	}
	emit(x, &head, hf_span(NULL, 0));
}

/* The entity tag of the answer, the same for each of its blocks. */
static bool same_etag(struct hf_exchange *x)
{
	const struct hf_span *tag = hf_coap_option_get(&x->reply.head, HF_COAP_ETAG);
	struct hf_span now = tag ? *tag : hf_span(NULL, 0);

	return hf_span_eq(now, hf_span(x->etag, x->etag_len));
}

static bool take_payload(struct hf_exchange *x, const struct hf_coap_block *block)
{
	size_t size = hf_coap_block_size(block->szx);

	x->more = block->more;
	x->answer_szx = block->szx;
	x->payload_due = true;
	return !block->more || x->reply.payload.len == size;
}

static void take_next_block(struct hf_exchange *x)
{
	struct hf_coap_block block;
	bool there;

	if (!block_of(&x->reply.head, HF_COAP_BLOCK2, &block, &there) || !there ||
	    x->reply.head.code >> 5 != 2 || !same_etag(x) ||
	    (uint64_t)block.num << (block.szx + 4) != x->answer_len || !take_payload(x, &block))
		end_malformed(x, "a block that does not belong to the others");
}

static int begin_head(struct hf_exchange *x)
{
	size_t payload = x->reply.payload.len;
	int err = hf_coap_answer_map(&x->reply.head, payload > 0, &x->arena, &x->head);
	struct hf_span length;

	if (err || x->head.status == 204 || x->head.status == 304)
		return err;
	if (x->more && !hf_span_eq_str(x->msg->method, "HEAD")) {
		x->head.body = HF_BODY_CHUNKED;
		x->head.body_len = HF_LEN_UNKNOWN;
		return 0;
	}
	if (hf_span_eq_str(x->msg->method, "HEAD"))
		return 0;
	x->head.body = HF_BODY_LENGTH;
	x->head.body_len = payload;
	length = hf_arena_printf(&x->arena, "%zu", payload);
	return length.ptr ? hf_fields_add(&x->head.fields, HF_SPAN("Content-Length"), length) :
			    HF_ENOMEM;
}

static void take_answer(struct hf_exchange *x)
{
	const struct hf_span *tag = hf_coap_option_get(&x->reply.head, HF_COAP_ETAG);
	struct hf_coap_block block;
	bool there;

	if (!block_of(&x->reply.head, HF_COAP_BLOCK2, &block, &there) || block.num != 0 ||
	    x->reply.head.code == HF_COAP_CONTINUE || x->reply.head.code >> 5 < 2 ||
	    !take_payload(x, &block)) {
		end_malformed(x, "no answer to this request");
		return;
	}
	if (tag && tag->len <= sizeof(x->etag)) {
		memcpy(x->etag, tag->ptr, tag->len);
		x->etag_len = tag->len;
	}
	if (begin_head(x)) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ENOMEM, "out of memory");
		return;
	}
	if (x->head.body == HF_BODY_NONE) {
		x->reply.payload.len = 0;
		x->more = false;
	}
	x->head_seen = true;
	tell_head(x);
}

/* What came is for the present block of the request; false: it is the answer. */
static bool take_block_reply(struct hf_exchange *x)
{
	uint8_t code = x->reply.head.code;
	struct hf_coap_block block;
	bool there;

	if (!block_of(&x->reply.head, HF_COAP_BLOCK1, &block, &there))
		there = false;
	if (code == HF_COAP_TOO_LARGE && there && block.szx < x->szx && x->offset == 0 &&
	    !x->shrunk) {
		x->shrunk = x->blocks = true;
		x->szx = block.szx;
		x->last_sent = false;
		return true;
	}
	if (x->last_sent || code >> 5 != 2)
		return false;
	hf_buf_consume(&x->body, x->block_len);
	x->offset += x->block_len;
	if (there && block.szx < x->szx)
		x->szx = block.szx;
	if (x->body.len < BODY_MAX && !x->body_done)
		x->want_writable = true;
	return true;
}

static void take_reply(struct hf_exchange *x)
{
	x->active_ms = hf_coap_now(x->t);
	if (x->head_seen)
		take_next_block(x);
	else if (take_block_reply(x))
		x->reply.there = false;
	else
		take_answer(x);
}

static void give_payload(struct hf_exchange *x)
{
	struct hf_span payload = x->reply.payload;

	x->payload_due = false;
	x->reply.there = false;
	x->answer_len += payload.len;
	if (payload.len > 0 && !tell_body(x, payload))
		return;
	if (x->state != HF_COAP_X_ACTIVE)
		return;
	x->follow = x->more;
	if (!x->more)
		hf_coap_x_end(x, HF_END_COMPLETE, 0, "");
}

/* ---- steps ---- */

static void answer_here(struct hf_exchange *x)
{
	if (hf_coap_answer_local(x->refused, &x->arena, &x->head)) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ENOMEM, "out of memory");
		return;
	}
	x->head_seen = true;
	x->depth++;
	if (tell_head(x))
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
		take_reply(x);
	if (x->state == HF_COAP_X_ACTIVE && x->payload_due && x->receiving)
		give_payload(x);
	if (x->state == HF_COAP_X_ACTIVE && x->follow && x->receiving)
		ask(x);
	if (x->state == HF_COAP_X_ACTIVE && !x->head_seen && !x->outstanding && !x->reply.there &&
	    !x->last_sent)
		send_block(x);
	if (x->state == HF_COAP_X_ACTIVE && !x->body_done && !x->head_seen && x->want_writable) {
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
	case HF_COAP_X_WAITING:
	case HF_COAP_X_ENDED:
	case HF_COAP_X_GONE:
		break;
	}
	if (leave(x) && x->state == HF_COAP_X_ENDED && x->receiving)
		tell_end(x);
}
