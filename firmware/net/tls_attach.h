/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions whose context and records are another library's (libcoap's, in
 * coap/): trust, our own certificate or key, resumption and words are those of a
 * struct hf_tls_client all the same.
 */
#ifndef HF_NET_TLS_ATTACH_H
#define HF_NET_TLS_ATTACH_H

#include "net/tls.h"

struct mbedtls_ssl_context;

/* In place of mbedtls_ssl_setup; @ssl is initialized, and gone before the session is
 * destroyed. HF_ENOMEM. */
int hf_tls_attach(struct hf_tls_client *c, struct mbedtls_ssl_context *ssl,
		  struct hf_tls_session **out);
/* In place of mbedtls_ssl_handshake, whose values it returns. */
int hf_tls_attached_handshake(struct hf_tls_session *s);
/* In place of mbedtls_ssl_read. */
int hf_tls_attached_read(struct hf_tls_session *s, unsigned char *data, size_t len);
/* Of the handshake, and of an alert behind it: 0, HF_EAGAIN while it is on its way, else as
 * hf_tls_session_handshake. */
int hf_tls_attached_result(const struct hf_tls_session *s);
/* The other side has said which keys it wants proven: it is there, and speaks TLS. */
bool hf_tls_attached_answered(const struct hf_tls_session *s);

#endif
