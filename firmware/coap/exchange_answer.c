/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the origin answers: to blocks of the request, and its answer block by block.
 *
 * A first block that was asked for more than once may have been made more than once: by an
 * origin that does not know repetitions, each under an entity tag of its own, of which the last
 * one is that of the blocks to come. So the second block is looked at before anything is told
 * of the first one, which is asked for anew when they do not belong together.
 */
#include "coap/coap_internal.h"
#include "holdfast/err.h"

#define RESTARTS_MAX 8

static bool block_of(const struct hf_coap_head *head, uint16_t number, struct hf_coap_block *out,
		     bool *there)
{
	const struct hf_span *value = hf_coap_option_get(head, number);

	*there = value != NULL;
	*out = (struct hf_coap_block){ 0 };
	return !value || hf_coap_block_parse(*value, out);
}

void hf_coap_x_ask(struct hf_exchange *x)
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
		    o->number != HF_COAP_OBSERVE && o->number != HF_COAP_IF_NONE_MATCH &&
		    o->number != HF_COAP_CONTENT_FORMAT)
			(void)hf_coap_option_add(&head, o->number, o->value);
	}
	if (hf_coap_option_add(&head, HF_COAP_BLOCK2, hf_coap_block_format(&block, bytes))) {
		hf_coap_x_malformed(x, "no room for another option");
		return;
	}
	hf_coap_x_emit(x, &head, hf_span(NULL, 0));
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
		hf_coap_x_malformed(x, "a block that does not belong to the others");
}

static int begin_head(struct hf_exchange *x)
{
	size_t payload = x->reply.payload.len;
	int err = hf_coap_answer_map(&x->reply.head, payload > 0, &x->arena, &x->head);
	const struct hf_span *size2 = hf_coap_option_get(&x->reply.head, HF_COAP_SIZE2);
	struct hf_span length;
	uint32_t size = 0;

	if (err || x->head.status == 204 || x->head.status == 304)
		return err;
	if (x->more && !hf_span_eq_str(x->msg->method, "HEAD")) {
		x->head.body = HF_BODY_CHUNKED;
		x->head.body_len = HF_LEN_UNKNOWN;
		return 0;
	}
	if (hf_span_eq_str(x->msg->method, "HEAD")) {
		if (x->more && (!size2 || !hf_coap_uint_parse(*size2, &size) || size == 0))
			return 0;
	} else {
		x->head.body = HF_BODY_LENGTH;
		x->head.body_len = payload;
	}
	length = hf_arena_printf(&x->arena, "%zu", x->more ? (size_t)size : payload);
	return length.ptr ? hf_fields_add(&x->head.fields, HF_SPAN("Content-Length"), length) :
			    HF_ENOMEM;
}

/* ---- a first block that was asked for more than once ---- */

static void swap_replies(struct hf_exchange *x)
{
	struct hf_coap_reply reply = x->reply;

	x->reply = x->first;
	x->first = reply;
}

/* Looks at the second block; false: there is no need to. */
static bool check_second(struct hf_exchange *x)
{
	if (!x->more || !x->repeated || x->checked || x->restarts == RESTARTS_MAX ||
	    x->request.code != 1 || !hf_span_eq_str(x->msg->method, "GET") ||
	    hf_coap_option_get(&x->request, HF_COAP_OBSERVE))
		return false;
	x->checking = true;
	x->payload_due = false;
	x->answer_len = x->reply.payload.len;
	swap_replies(x);
	x->reply.there = false;
	hf_coap_x_ask(x);
	return true;
}

static bool belongs_to_first(struct hf_exchange *x)
{
	struct hf_coap_block block;
	bool there;

	return block_of(&x->reply.head, HF_COAP_BLOCK2, &block, &there) && there &&
	       x->reply.head.code == x->first.head.code && same_etag(x) &&
	       (uint64_t)block.num << (block.szx + 4) == x->answer_len;
}

static void take_answer(struct hf_exchange *x);

static void take_second(struct hf_exchange *x)
{
	x->checking = false;
	x->checked = belongs_to_first(x);
	x->answer_len = 0;
	x->etag_len = 0;
	if (x->checked) {
		swap_replies(x);
		take_answer(x);
		return;
	}
	x->restarts++;
	x->reply.there = false;
	x->last_sent = false; /* the request goes again, as another message */
}

/* ---- the answer ---- */

static void take_answer(struct hf_exchange *x)
{
	const struct hf_span *tag = hf_coap_option_get(&x->reply.head, HF_COAP_ETAG);
	struct hf_coap_block block;
	bool there;

	if (!block_of(&x->reply.head, HF_COAP_BLOCK2, &block, &there) || block.num != 0 ||
	    x->reply.head.code == HF_COAP_CONTINUE || x->reply.head.code >> 5 < 2 ||
	    !take_payload(x, &block)) {
		hf_coap_x_malformed(x, "no answer to this request");
		return;
	}
	if (tag && tag->len <= sizeof(x->etag)) {
		memcpy(x->etag, tag->ptr, tag->len);
		x->etag_len = tag->len;
	}
	if (check_second(x))
		return;
	if (begin_head(x)) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ENOMEM, "out of memory");
		return;
	}
	if (x->head.body == HF_BODY_NONE) {
		x->reply.payload.len = 0;
		x->more = false;
	}
	x->head_seen = true;
	hf_coap_x_tell_head(x);
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
	if (x->body.len < HF_COAP_BODY_MAX && !x->body_done)
		x->want_writable = true;
	return true;
}

void hf_coap_x_take(struct hf_exchange *x)
{
	x->active_ms = hf_coap_now(x->t);
	if (hf_coap_x_take_echo(x))
		return;
	if (x->head_seen)
		take_next_block(x);
	else if (x->checking)
		take_second(x);
	else if (take_block_reply(x))
		x->reply.there = false;
	else
		take_answer(x);
}

void hf_coap_x_give(struct hf_exchange *x)
{
	struct hf_span payload = x->reply.payload;

	x->payload_due = false;
	x->reply.there = false;
	x->answer_len += payload.len;
	if (payload.len > 0 && !hf_coap_x_tell_body(x, payload))
		return;
	if (x->state != HF_COAP_X_ACTIVE)
		return;
	x->follow = x->more;
	if (!x->more)
		hf_coap_x_end(x, HF_END_COMPLETE, 0, "");
}
