/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of an exchange, and its request block by block. */
#include <assert.h>
#include <stdio.h>

#include "coap/coap_internal.h"
#include "holdfast/err.h"

void hf_coap_x_emit(struct hf_exchange *x, const struct hf_coap_head *head, struct hf_span payload)
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
		hf_coap_x_distrust_address(x);
	hf_coap_x_end(x,
		      err == HF_ENOMEM ? HF_END_INTERNAL :
		      x->messages      ? HF_END_RESET :
					 HF_END_CONNECT,
		      err, "the message could not be sent");
}

void hf_coap_x_send_block(struct hf_exchange *x)
{
	uint32_t size = hf_coap_block_size(x->szx);
	struct hf_span data = hf_buf_span(&x->body);
	struct hf_coap_head head = x->request;
	struct hf_coap_block block = { .num = (uint32_t)(x->offset >> (x->szx + 4)),
				       .szx = x->szx };
	char block_bytes[4], size_bytes[4], tag_bytes[4];
	bool fits = true;

	if (!x->body_done && data.len <= size)
		return; /* whether more follows is not known */
	block.more = data.len > size;
	if (block.more)
		data.len = size;
	x->blocks = x->blocks || block.more;
	if (x->blocks && !x->tag)
		x->tag = ++x->t->tag;
	if (x->blocks)
		fits = block.num < 1u << 20 &&
		       hf_coap_option_add(&head, HF_COAP_BLOCK1,
					  hf_coap_block_format(&block, block_bytes)) == 0 &&
		       hf_coap_option_add(&head, HF_COAP_REQUEST_TAG,
					  hf_coap_uint(x->tag, tag_bytes)) == 0;
	if (x->blocks && block.num == 0 && x->msg->body == HF_BODY_LENGTH &&
	    x->msg->body_len <= UINT32_MAX)
		fits = fits && hf_coap_option_add(&head, HF_COAP_SIZE1,
						  hf_coap_uint((uint32_t)x->msg->body_len,
							       size_bytes)) == 0;
	if (!fits) {
		hf_coap_x_end(x, HF_END_INTERNAL, HF_ETOOBIG, "the body is too long for CoAP");
		return;
	}
	/* Some servers know the blocks of a body by their token. */
	x->keep_token = x->keep_token || x->offset > 0;
	x->block_len = data.len;
	x->last_sent = !block.more;
	hf_coap_x_emit(x, &head, data);
}

size_t hf_coap_x_send(struct hf_exchange *x, struct hf_span data)
{
	size_t room = HF_COAP_BODY_MAX - x->body.len, n = data.len < room ? data.len : room;

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
