/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 heads and chunk framing as bytes. It refuses to write what would
 * break framing: CR, LF or NUL in a name, value, method, target or reason.
 */
#ifndef HF_HTTP_H1_WRITER_H
#define HF_HTTP_H1_WRITER_H

#include "base/buf.h"
#include "http/message.h"

/* Appends the head with its empty line. Framing fields (Content-Length,
 * Transfer-Encoding, Connection) are written from msg->body, body_len,
 * keep_alive, upgrade and removed from what is passed on; for an upgrade
 * "Connection: upgrade" is written and Upgrade itself is taken from the fields.
 * @has_body_fields false (responses to HEAD, 304): Content-Length of the fields
 * is passed on as it is. A response without a body says "Content-Length: 0"
 * unless its status has none (1xx, 204, 304); a request does for POST, PUT and
 * PATCH. The version is always HTTP/1.1: towards an HTTP/1.0 client use
 * HF_BODY_LENGTH or HF_BODY_CLOSE. HF_EINVAL, HF_ELIMIT, HF_ENOMEM; nothing is
 * appended then. */
int hf_h1_write_request(struct hf_buf *out, const struct hf_message *msg);
int hf_h1_write_response(struct hf_buf *out, const struct hf_message *msg, bool has_body_fields);
/* "1a\r\n" before @len body bytes (len > 0); "\r\n" goes behind them. Returns
 * the prefix length; @out holds at least 20 bytes. */
size_t hf_h1_chunk_prefix(size_t len, char out[20]);
/* "0\r\n", the trailers (may be NULL), "\r\n". */
int hf_h1_write_last_chunk(struct hf_buf *out, const struct hf_fields *trailers);

#endif
