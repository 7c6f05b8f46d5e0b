/* SPDX-License-Identifier: Apache-2.0 */
/* Mbed TLS's error numbers as sentences for people, and as HF_E*. */
#include "net/tls_internal.h"

#include <stdio.h>

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pem.h>
#include <psa/crypto_values.h>

#define DATES (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)

/* RFC 8446 section 6, the alerts that end a handshake. */
static const char *alert_name(unsigned alert)
{
	switch (alert) {
	case MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE:
		return "unexpected message";
	case MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC:
		return "bad record";
	case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
		return "handshake failure: no cipher in common, or a client certificate is wanted";
	case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
		return "our client certificate is refused";
	case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
		return "kind of our client certificate is not supported";
	case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
		return "our client certificate is revoked";
	case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
		return "our client certificate has expired";
	case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
		return "our client certificate is not accepted";
	case MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER:
		return "illegal parameter";
	case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
		return "issuer of our client certificate is not known there";
	case MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED:
		return "access denied";
	case MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR:
		return "decode error";
	case MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR:
		return "decrypt error";
	case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
		return "no protocol version in common";
	case MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY:
		return "insufficient security";
	case MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR:
		return "internal error";
	case MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME:
		return "the server does not know this name";
	case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_PSK_IDENTITY:
		return "the identity of our key is not known there";
	case 116:
		return "a client certificate is required";
	case MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL:
		return "the server does not speak our protocol";
	}
	return "refused";
}

static int explain_alert(struct hf_tls_session *s)
{
	/* Mbed TLS tells the number of a fatal alert nowhere else. */
	unsigned alert = s->ssl->MBEDTLS_PRIVATE(in_msg)[1];

	snprintf(s->error, sizeof(s->error), "alert %u from the server: %s", alert,
		 alert_name(alert));
	return HF_ETLS;
}

/* Dates are the certificate's fault only by a clock that is confirmed. */
static bool may_be_the_clock(const struct hf_tls_session *s, uint32_t flags)
{
	struct hf_port *port = s->client->port;
	int64_t wall;

	return !(flags & ~(uint32_t)DATES) && port->wall_ms(port, &wall) != HF_CLOCK_SYNCED;
}

static int explain_certificate(struct hf_tls_session *s, uint32_t flags)
{
	if (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE))
		hf_tls_fault(s, "certificate is not meant for servers");
	if (s->fault_len == 0)
		hf_tls_fault(s, "certificate refused (flags 0x%x)", (unsigned)flags);
	snprintf(s->error, sizeof(s->error), "%s", s->fault);
	return may_be_the_clock(s, flags) ? HF_ECERTTIME : HF_ECERT;
}

static int explain_other(struct hf_tls_session *s, int ret)
{
	char words[128];

	mbedtls_strerror(ret, words, sizeof(words));
	snprintf(s->error, sizeof(s->error), "%s (-0x%04x)", words, (unsigned)-ret);
	return HF_ETLS;
}

int hf_tls_explain(struct hf_tls_session *s, int ret)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(s->ssl);

	switch (ret) {
	case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
		return explain_alert(s);
	case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
	case MBEDTLS_ERR_SSL_BAD_CERTIFICATE:
		if (s->verified && flags != 0 && flags != UINT32_MAX)
			return explain_certificate(s, flags);
		snprintf(s->error, sizeof(s->error), "malformed certificate");
		return HF_ECERT;
	case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
		snprintf(s->error, sizeof(s->error), "the server offers neither TLS 1.2 nor 1.3");
		return HF_ETLS;
	case MBEDTLS_ERR_SSL_INVALID_RECORD:
		snprintf(s->error, sizeof(s->error), "the other side does not speak TLS");
		return HF_ETLS;
	case MBEDTLS_ERR_SSL_INVALID_MAC:
		snprintf(s->error, sizeof(s->error), "a record was damaged on the way");
		return HF_ETLS;
	case MBEDTLS_ERR_SSL_ALLOC_FAILED:
	case MBEDTLS_ERR_X509_ALLOC_FAILED:
	case PSA_ERROR_INSUFFICIENT_MEMORY:
		snprintf(s->error, sizeof(s->error), "out of memory");
		return HF_ENOMEM;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		snprintf(s->error, sizeof(s->error), "the server ended the handshake%s",
			 s->client->psk ? ": its key or identity is another" : "");
		return HF_ETLS;
	case MBEDTLS_ERR_SSL_CONN_EOF:
	case MBEDTLS_ERR_NET_CONN_RESET:
		snprintf(s->error, sizeof(s->error), "connection lost");
		return HF_ECONNRESET;
	}
	return explain_other(s, ret);
}

/* Errors of Mbed TLS are a high one of a module, a low one below it, or both. */
bool hf_tls_is_nomem(int ret)
{
	int low = -(-ret & 0x7f), high = -(-ret & ~0x7f);

	if (ret >= 0)
		return false;
	switch (high) {
	case MBEDTLS_ERR_X509_ALLOC_FAILED:
	case MBEDTLS_ERR_PK_ALLOC_FAILED:
	case MBEDTLS_ERR_PEM_ALLOC_FAILED:
	case MBEDTLS_ERR_ECP_ALLOC_FAILED:
		return true;
	}
	return low == MBEDTLS_ERR_ASN1_ALLOC_FAILED || low == MBEDTLS_ERR_MPI_ALLOC_FAILED;
}
