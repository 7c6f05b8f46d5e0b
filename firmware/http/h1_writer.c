/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head is appended piece by piece; when a piece fails, what was appended is
 * taken back.
 */
#include "http/h1_writer.h"

#include <assert.h>

#include "holdfast/err.h"

/* Written from the message, not from its fields. */
static bool is_framing(struct hf_span name, bool pass_length)
{
	if (hf_span_ieq_str(name, "Content-Length"))
		return !pass_length;
	return hf_span_ieq_str(name, "Transfer-Encoding") || hf_span_ieq_str(name, "Connection");
}

static int write_field(struct hf_buf *out, const struct hf_field *field)
{
	int err;

	if (!hf_is_token(field->name) || !hf_is_field_value(field->value))
		return HF_EINVAL;
	err = hf_buf_append(out, field->name);
	if (!err)
		err = hf_buf_append(out, HF_SPAN(": "));
	if (!err)
		err = hf_buf_append(out, field->value);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\r\n"));
	return err;
}

static int write_fields(struct hf_buf *out, const struct hf_fields *fields, bool pass_length)
{
	size_t i;
	int err;

	for (i = 0; i < fields->n; i++) {
		if (is_framing(fields->v[i].name, pass_length))
			continue;
		err = write_field(out, &fields->v[i]);
		if (err)
			return err;
	}
	return 0;
}

static int write_connection(struct hf_buf *out, const struct hf_message *msg)
{
	bool interim = msg->status >= 100 && msg->status < 200 && msg->status != 101;

	if (interim)
		return 0;
	if (msg->upgrade)
		return hf_buf_append(out, HF_SPAN("Connection: upgrade\r\n"));
	if (!msg->keep_alive || msg->body == HF_BODY_CLOSE)
		return hf_buf_append(out, HF_SPAN("Connection: close\r\n"));
	return 0;
}

static int write_length(struct hf_buf *out, uint64_t len)
{
	char digits[HF_DECIMAL_MAX];
	int err = hf_buf_append(out, HF_SPAN("Content-Length: "));

	if (!err)
		err = hf_buf_append(out, hf_span_of_u64(len, digits));
	return err ? err : hf_buf_append(out, HF_SPAN("\r\n"));
}

static int write_chunked(struct hf_buf *out)
{
	return hf_buf_append(out, HF_SPAN("Transfer-Encoding: chunked\r\n"));
}

/* POST, PUT and PATCH say so when they have no content (RFC 9110 section 8.6). */
static bool says_empty(struct hf_span method)
{
	return hf_span_eq_str(method, "POST") || hf_span_eq_str(method, "PUT") ||
	       hf_span_eq_str(method, "PATCH");
}

static int write_request_framing(struct hf_buf *out, const struct hf_message *msg)
{
	switch (msg->body) {
	case HF_BODY_NONE:
		return says_empty(msg->method) ? write_length(out, 0) : 0;
	case HF_BODY_LENGTH:
		return write_length(out, msg->body_len);
	case HF_BODY_CHUNKED:
		return write_chunked(out);
	case HF_BODY_CLOSE:
		break;
	}
	return HF_EINVAL;
}

static int write_response_framing(struct hf_buf *out, const struct hf_message *msg)
{
	bool bodiless = msg->status < 200 || msg->status == 204 || msg->status == 304;
	bool empty = msg->body == HF_BODY_NONE ||
		     (msg->body == HF_BODY_LENGTH && msg->body_len == 0);

	if (bodiless)
		return empty ? 0 : HF_EINVAL;
	switch (msg->body) {
	case HF_BODY_NONE:
		return write_length(out, 0);
	case HF_BODY_LENGTH:
		return write_length(out, msg->body_len);
	case HF_BODY_CHUNKED:
		return write_chunked(out);
	case HF_BODY_CLOSE:
		return 0;
	}
	return HF_EINVAL;
}

static int append_request(struct hf_buf *out, const struct hf_message *msg)
{
	int err;

	if (!hf_is_token(msg->method) || !hf_is_visible(msg->target))
		return HF_EINVAL;
	err = hf_buf_append(out, msg->method);
	if (!err)
		err = hf_buf_append(out, HF_SPAN(" "));
	if (!err)
		err = hf_buf_append(out, msg->target);
	if (!err)
		err = hf_buf_append(out, HF_SPAN(" HTTP/1.1\r\n"));
	if (!err)
		err = write_fields(out, &msg->fields, false);
	if (!err)
		err = write_connection(out, msg);
	if (!err)
		err = write_request_framing(out, msg);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\r\n"));
	return err;
}

static int append_response(struct hf_buf *out, const struct hf_message *msg, bool has_body_fields)
{
	char digits[HF_DECIMAL_MAX];
	int err;

	if (msg->status < 100 || msg->status > 999 || !hf_is_field_value(msg->reason))
		return HF_EINVAL;
	err = hf_buf_append(out, HF_SPAN("HTTP/1.1 "));
	if (!err)
		err = hf_buf_append(out, hf_span_of_u64((uint64_t)msg->status, digits));
	if (!err)
		err = hf_buf_append(out, HF_SPAN(" "));
	if (!err)
		err = hf_buf_append(out, msg->reason);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\r\n"));
	if (!err)
		err = write_fields(out, &msg->fields, !has_body_fields);
	if (!err)
		err = write_connection(out, msg);
	if (!err && has_body_fields)
		err = write_response_framing(out, msg);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\r\n"));
	return err;
}

int hf_h1_write_request(struct hf_buf *out, const struct hf_message *msg)
{
	size_t len = out->len;
	int err = append_request(out, msg);

	if (err)
		hf_buf_truncate(out, len);
	return err;
}

int hf_h1_write_response(struct hf_buf *out, const struct hf_message *msg, bool has_body_fields)
{
	size_t len = out->len;
	int err = append_response(out, msg, has_body_fields);

	if (err)
		hf_buf_truncate(out, len);
	return err;
}

size_t hf_h1_chunk_prefix(size_t len, char out[20])
{
	static const char hex[] = "0123456789abcdef";
	size_t digits = 1, i, rest;

	assert(len > 0); /* a chunk of zero bytes ends the body */
	for (rest = len >> 4; rest > 0; rest >>= 4)
		digits++;
	for (i = digits; i > 0; i--, len >>= 4)
		out[i - 1] = hex[len & 15];
	memcpy(out + digits, "\r\n", 2);
	return digits + 2;
}

int hf_h1_write_last_chunk(struct hf_buf *out, const struct hf_fields *trailers)
{
	size_t len = out->len;
	int err = hf_buf_append(out, HF_SPAN("0\r\n"));

	if (!err && trailers)
		err = write_fields(out, trailers, false);
	if (!err)
		err = hf_buf_append(out, HF_SPAN("\r\n"));
	if (err)
		hf_buf_truncate(out, len);
	return err;
}
