/* SPDX-License-Identifier: Apache-2.0 */
#include "coap/coap_internal.h"

#include "holdfast/err.h"
#include "net/tls_platform.h"

/* Header, marker and the longest token; Block1, Block2, Size1 and Request-Tag. */
#define FIXED_BYTES  (4 + 1 + 8)
#define BLOCK_BYTES  (4 * 6)
#define OPTION_BYTES 5 /* the most before a value */

/* Exported by libcoap, and in none of its public headers. */
void coap_cancel_all_messages(coap_context_t *context, coap_session_t *session,
			      coap_bin_const_t *token);

size_t hf_coap_message_room(struct hf_coap *t, const struct hf_coap_head *head)
{
	size_t all = coap_session_max_pdu_size(t->session);
	size_t used = FIXED_BYTES + BLOCK_BYTES;

	for (size_t i = 0; i < head->n; i++)
		used += OPTION_BYTES + head->options[i].value.len;
	return used < all ? all - used : 0;
}

static bool fill(coap_pdu_t *pdu, struct hf_exchange *x, const struct hf_coap_head *head,
		 struct hf_span payload)
{
	if (!coap_add_token(pdu, x->token_len, x->token))
		return false;
	for (size_t i = 0; i < head->n; i++) {
		const struct hf_coap_option *o = &head->options[i];

		if (!coap_add_option(pdu, o->number, o->value.len, (const uint8_t *)o->value.ptr))
			return false;
	}
	return payload.len == 0 || coap_add_data(pdu, payload.len, (const uint8_t *)payload.ptr);
}

static int send_message(struct hf_exchange *x, const struct hf_coap_head *head,
			struct hf_span payload)
{
	struct hf_coap *t = x->t;
	coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, (coap_pdu_code_t)head->code, t->session);

	if (!pdu)
		return HF_ENOMEM;
	if (!x->keep_token)
		coap_session_new_token(t->session, &x->token_len, x->token);
	x->keep_token = false;
	if (!fill(pdu, x, head, payload)) {
		coap_delete_pdu(pdu);
		return HF_ENOMEM;
	}
	x->outstanding = true;
	x->repeated = false;
	x->nack = 0;
	x->messages++;
	x->request_bytes += FIXED_BYTES + payload.len;
	x->mid = coap_send(t->session, pdu);
	if (x->mid != COAP_INVALID_MID)
		return 0;
	x->outstanding = false;
	return HF_EUNREACH;
}

int hf_coap_message_send(struct hf_exchange *x, const struct hf_coap_head *head,
			 struct hf_span payload)
{
	struct hf_coap *t = x->t;
	struct hf_port *before = hf_coap_enter(t);
	int err = send_message(x, head, payload);

	hf_tls_platform_leave(before);
	return err;
}

void hf_coap_message_cancel(struct hf_exchange *x)
{
	coap_bin_const_t token = { .length = x->token_len, .s = x->token };
	struct hf_port *before = hf_coap_enter(x->t);

	if (x->outstanding && x->t->session)
		coap_cancel_all_messages(x->t->context, x->t->session, &token);
	x->outstanding = false;
	hf_tls_platform_leave(before);
}

int hf_coap_message_read(const coap_pdu_t *pdu, struct hf_coap_reply *out)
{
	coap_opt_iterator_t it;
	coap_opt_t *option;
	const uint8_t *data;
	size_t len;

	hf_arena_reset(&out->arena);
	out->head = (struct hf_coap_head){ .code = (uint8_t)coap_pdu_get_code(pdu) };
	out->payload = hf_span(NULL, 0);
	coap_option_iterator_init(pdu, &it, COAP_OPT_ALL);
	while ((option = coap_option_next(&it))) {
		struct hf_span value = hf_arena_copy(&out->arena, hf_span(coap_opt_value(option),
									  coap_opt_length(option)));

		if (!value.ptr)
			return HF_ENOMEM;
		if (hf_coap_option_add(&out->head, it.number, value))
			return HF_EPROTO;
	}
	if (coap_get_data(pdu, &len, &data)) {
		out->payload = hf_arena_copy(&out->arena, hf_span(data, len));
		if (!out->payload.ptr)
			return HF_ENOMEM;
	}
	return 0;
}

static int append_option(struct hf_buf *out, const struct hf_coap_option *o, bool first)
{
	int err = hf_buf_appendf(out, "%s[%u,\"", first ? "" : ",", o->number);

	for (size_t i = 0; i < o->value.len && !err; i++)
		err = hf_buf_appendf(out, "%02x", (uint8_t)o->value.ptr[i]);
	return err ? err : hf_buf_append_str(out, "\"]");
}

int hf_coap_answer_write(struct hf_exchange *x, struct hf_buf *out)
{
	const struct hf_coap_head *head = &x->reply.head;
	int err;

	if (head->code == 0)
		return HF_ENOENT;
	err = hf_buf_appendf(out, "{\"code\":\"%u.%02u\",\"options\":[", head->code >> 5,
			     head->code & 31);
	for (size_t i = 0; i < head->n && !err; i++)
		err = append_option(out, &head->options[i], i == 0);
	return err ? err : hf_buf_append_str(out, "]}");
}
