/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcoap calls some functions of Mbed TLS by names of ours (cmake/deps/build.sh), so
 * that its sessions stand on a struct hf_tls_client: trust, certificates, keys,
 * resumption and words for people are the same as of HTTP origins. It knows of no
 * credential; connection ids (RFC 9146) are its own to ask for. Sessions of servers
 * pass through.
 */
#include <stdio.h>

#include <mbedtls/ssl.h>

#include "coap/coap_internal.h"
#include "holdfast/err.h"

int hf_coap_ssl_setup(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf);
int hf_coap_ssl_handshake(mbedtls_ssl_context *ssl);
int hf_coap_ssl_read(mbedtls_ssl_context *ssl, unsigned char *data, size_t len);

int hf_coap_ssl_setup(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf)
{
	coap_session_t *session;
	struct hf_coap *t;

	if (mbedtls_ssl_conf_get_endpoint(conf) != MBEDTLS_SSL_IS_CLIENT)
		return mbedtls_ssl_setup(ssl, conf);
	/* the session is what libcoap's own verification gets */
	session = conf->MBEDTLS_PRIVATE(p_vrfy);
	t = coap_context_get_app_data(coap_session_get_context(session));
	if (hf_tls_attach(t->opt.tls, ssl, &t->tls))
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	mbedtls_ssl_set_user_data_p(ssl, t);
	return 0;
}

int hf_coap_ssl_handshake(mbedtls_ssl_context *ssl)
{
	struct hf_coap *t = mbedtls_ssl_get_user_data_p(ssl);

	return t ? hf_tls_attached_handshake(t->tls) : mbedtls_ssl_handshake(ssl);
}

int hf_coap_ssl_read(mbedtls_ssl_context *ssl, unsigned char *data, size_t len)
{
	struct hf_coap *t = mbedtls_ssl_get_user_data_p(ssl);

	return t ? hf_tls_attached_read(t->tls, data, len) : mbedtls_ssl_read(ssl, data, len);
}

coap_session_t *hf_coap_tls_open(struct hf_coap *t, const coap_address_t *to)
{
	coap_dtls_pki_t nothing = { .version = COAP_DTLS_PKI_SETUP_VERSION, .use_cid = 1 };

	(void)hf_tls_client_renew(t->opt.tls);
	return coap_new_client_session_pki(
		t->context, NULL, to, t->opt.stream ? COAP_PROTO_TLS : COAP_PROTO_DTLS, &nothing);
}

void hf_coap_tls_close(struct hf_coap *t)
{
	hf_tls_session_destroy(t->tls);
	t->tls = NULL;
}

enum hf_end hf_coap_tls_fault(struct hf_coap *t, char *words, size_t size, int *err)
{
	*err = t->tls ? hf_tls_attached_result(t->tls) : HF_EAGAIN;
	if (*err == 0 || *err == HF_ECONNRESET || *err == HF_ENOMEM)
		*err = HF_EAGAIN;
	if (*err != HF_EAGAIN) {
		snprintf(words, size, "%s", hf_tls_session_error(t->tls));
		return *err == HF_ECERT	    ? HF_END_TLS_CERT :
		       *err == HF_ECERTTIME ? HF_END_TLS_TIME :
					      HF_END_TLS;
	}
	/* A datagram that cannot be decrypted is dropped there without a word. */
	if (t->tls && hf_tls_attached_answered(t->tls)) {
		*err = HF_ETLS;
		snprintf(words, size,
			 "%s answers and does not finish the handshake: its key or identity is "
			 "another, or it does not accept our certificate",
			 t->host);
		return HF_END_TLS;
	}
	return HF_END_CONNECT;
}
