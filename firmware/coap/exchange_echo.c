/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An origin that wants to know whether a request is fresh, or its sender reachable, answers
 * 4.01 with an Echo and has done nothing (RFC 9175 section 2.3): the same message goes again
 * and brings it, as do those behind it.
 */
#include "coap/coap_internal.h"

static bool set_echo(struct hf_exchange *x, struct hf_span echo)
{
	struct hf_coap_head *head = &x->request;

	memcpy(x->echo, echo.ptr, echo.len);
	x->echo_len = echo.len;
	echo = hf_span(x->echo, x->echo_len);
	for (size_t i = 0; i < head->n; i++) {
		if (head->options[i].number != HF_COAP_ECHO)
			continue;
		head->options[i].value = echo;
		return true;
	}
	return hf_coap_option_add(head, HF_COAP_ECHO, echo) == 0;
}

/* Blocks that leave room for it. */
static bool shrink(struct hf_exchange *x)
{
	int szx = hf_coap_block_fit(hf_coap_message_room(x->t, &x->request));

	if (szx < 0)
		return false;
	if (szx < x->szx)
		x->szx = (uint8_t)szx;
	return true;
}

bool hf_coap_x_take_echo(struct hf_exchange *x)
{
	const struct hf_span *echo = hf_coap_option_get(&x->reply.head, HF_COAP_ECHO);
	bool before = x->echoed;

	x->echoed = false;
	if (x->reply.head.code != HF_COAP_UNAUTHORIZED || !echo || echo->len == 0 ||
	    echo->len > HF_COAP_ECHO_MAX || before || !set_echo(x, *echo) || !shrink(x))
		return false;
	x->echoed = true;
	x->reply.there = false;
	if (x->head_seen || x->checking) {
		hf_coap_x_ask(x);
		return true;
	}
	/* an observation that is known already goes on under its token */
	x->keep_token = hf_coap_option_get(&x->request, HF_COAP_OBSERVE) != NULL;
	x->last_sent = false; /* the block goes again */
	return true;
}
