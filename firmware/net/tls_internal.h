/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the TLS client share. */
#ifndef HF_NET_TLS_INTERNAL_H
#define HF_NET_TLS_INTERNAL_H

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "net/tls.h"
#include "net/tls_attach.h"
#include "net/tls_own.h"
#include "net/tls_trust.h"

#define HF_TLS_PIN_BYTES  32
#define HF_TLS_SESSION_MS (24u * 60 * 60 * 1000) /* resumed no longer than this */

struct hf_tls_client {
	struct hf_port *port;
	struct hf_log *log;
	char *server_name;
	bool name_is_ip;
	unsigned char ip[16];
	size_t ip_len;
	struct hf_tls_sort sort;
	char *identity, *psk;	/* of sort */
	struct hf_tls_own *own; /* the present generation */
	char *cert_file, *key_file;
	uint64_t looked_ms;	/* boot time when the files were read last */
	uint64_t unfit_version; /* of the pair that was found unfit, 0: none */
	struct hf_tls_trust *trust;
	bool has_trust; /* a CA file or folder was given */
	unsigned char (*pins)[HF_TLS_PIN_BYTES];
	size_t pins_n;
	mbedtls_ssl_session saved; /* of the last connection, for resumption */
	bool has_saved;
	uint64_t saved_at_ms;
};

struct hf_tls_session {
	mbedtls_ssl_context *ssl; /* mine, or another library's (tls_attach.h) */
	mbedtls_ssl_context mine;
	struct hf_tls_client *client;
	struct hf_tls_own *own; /* that it began with */
	struct hf_tls_bio bio;
	bool open;     /* the handshake is done */
	bool offered;  /* resumption was asked for */
	bool verified; /* a certificate chain was looked at: not resumed */
	int err;       /* HF_EAGAIN, and how the handshake ended */
	bool anchored; /* a pin matches at or above the certificate looked at */
	size_t fault_len;
	char fault[256]; /* what is wrong with the chain */
	char error[320];
};

/* An f_vrfy of Mbed TLS; @session is a struct hf_tls_session. Checks pins and
 * address names, and writes the fault. */
int hf_tls_verify(void *session, mbedtls_x509_crt *crt, int depth, uint32_t *flags);
/* Appends to the fault; "; " stands between two. */
void hf_tls_fault(struct hf_tls_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Words for a return value of Mbed TLS into s->error; returns HF_E*. */
int hf_tls_explain(struct hf_tls_session *s, int ret);
/* Of a parser of certificates or keys: it had no memory. */
bool hf_tls_is_nomem(int ret);

/* The client's memory of the last session. */
void hf_tls_client_save(struct hf_tls_client *c, const mbedtls_ssl_context *ssl);
void hf_tls_client_forget(struct hf_tls_client *c);

#endif
