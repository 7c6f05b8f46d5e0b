/* SPDX-License-Identifier: Apache-2.0 */
/* How long a message's body is (RFC 9112 section 6.3). */
#include "http/h1_private.h"

#include "holdfast/err.h"

/* The last coding of the list is chunked, but it is not alone. */
static bool ends_in_chunked(struct hf_span codings)
{
	struct hf_span member, last = { NULL, 0 };

	while (hf_list_next(&codings, &member))
		last = member;
	return hf_span_ieq_str(last, "chunked");
}

/* A name that is no coding (RFC 9112 section 7): such as "identity", which older
 * servers say. It tells nothing of the bytes, and they end with the connection. */
static bool is_no_coding(struct hf_span name)
{
	static const char *const codings[] = { "chunked", "compress", "x-compress",
					       "deflate", "gzip",     "x-gzip" };
	size_t i;

	for (i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		if (hf_span_ieq_str(name, codings[i]))
			return false;
	return hf_is_token(name);
}

static int check_transfer_encoding(struct hf_h1_reader *r, struct hf_span value)
{
	if (r->msg.minor == 0)
		return hf_h1_bad(r, "Transfer-Encoding in HTTP/1.0");
	if (hf_fields_count(&r->msg.fields, "Content-Length") > 0)
		return hf_h1_bad(r, "Content-Length and Transfer-Encoding together");
	if (hf_fields_count(&r->msg.fields, "Transfer-Encoding") > 1)
		return hf_h1_bad(r, "more than one Transfer-Encoding");
	if (hf_span_ieq_str(value, "chunked"))
		return 0;
	if (r->kind == HF_H1_RESPONSE && is_no_coding(value)) {
		r->msg.body = HF_BODY_CLOSE;
		return 0;
	}
	if (hf_is_token(value) || ends_in_chunked(value))
		return hf_h1_fail(r, HF_EPROTO, 501, "transfer coding is not supported");
	return hf_h1_bad(r, "malformed Transfer-Encoding");
}

static int check_content_length(struct hf_h1_reader *r, struct hf_span value)
{
	if (hf_fields_count(&r->msg.fields, "Content-Length") > 1)
		return hf_h1_bad(r, "more than one Content-Length");
	if (!hf_span_u64(value, &r->msg.body_len))
		return hf_h1_bad(r, "malformed Content-Length");
	if (r->msg.body_len > HF_LEN_MAX)
		return hf_h1_bad(r, "Content-Length is too large");
	return 0;
}

/* Sets body and body_len from the fields alone. */
static int frame_by_fields(struct hf_h1_reader *r)
{
	struct hf_message *msg = &r->msg;
	const struct hf_span *coding = hf_fields_get(&msg->fields, "Transfer-Encoding");
	const struct hf_span *length = hf_fields_get(&msg->fields, "Content-Length");

	if (coding) {
		msg->body = HF_BODY_CHUNKED;
		msg->body_len = HF_LEN_UNKNOWN;
		return check_transfer_encoding(r, *coding);
	}
	if (length) {
		msg->body = HF_BODY_LENGTH;
		return check_content_length(r, *length);
	}
	if (r->kind == HF_H1_RESPONSE) {
		msg->body = HF_BODY_CLOSE;
		msg->body_len = HF_LEN_UNKNOWN;
	}
	return 0;
}

/* True when the fields promise a body that the status does not allow. */
static bool has_stray_body(const struct hf_message *msg)
{
	return msg->body == HF_BODY_CHUNKED || (msg->body == HF_BODY_LENGTH && msg->body_len > 0);
}

/* Responses that never have a body, whatever the fields say. */
static int frame_by_status(struct hf_h1_reader *r)
{
	struct hf_message *msg = &r->msg;
	bool bodiless = msg->status < 200 || msg->status == 204;

	if (bodiless && has_stray_body(msg)) {
		if (msg->status < 200)
			return hf_h1_bad(r, "interim response with a body");
		msg->keep_alive = false; /* it may be sent all the same */
	}
	if (bodiless || msg->status == 304 || r->no_body) {
		msg->body = HF_BODY_NONE;
		msg->body_len = 0;
	}
	return 0;
}

static bool wants_keep_alive(const struct hf_message *msg)
{
	if (hf_fields_has_token(&msg->fields, "Connection", "close"))
		return false;
	return msg->minor > 0 || hf_fields_has_token(&msg->fields, "Connection", "keep-alive");
}

int hf_h1_frame(struct hf_h1_reader *r)
{
	struct hf_message *msg = &r->msg;
	int err;

	msg->keep_alive = wants_keep_alive(msg);
	err = frame_by_fields(r);
	if (!err && r->kind == HF_H1_RESPONSE)
		err = frame_by_status(r);
	if (err)
		return err;
	if (msg->body == HF_BODY_CLOSE)
		msg->keep_alive = false;
	return 0;
}
