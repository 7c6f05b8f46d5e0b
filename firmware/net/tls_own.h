/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client shows of itself, and the settings of Mbed TLS that it stands in:
 * with client-cert and client-key one generation for each pair that their files
 * have held, else one for good. Sessions keep the generation that they began with.
 */
#ifndef HF_NET_TLS_OWN_H
#define HF_NET_TLS_OWN_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "base/buf.h"
#include "net/tls.h"

/* What is the same for all generations. */
struct hf_tls_sort {
	enum hf_tls_kind kind;
	struct hf_span identity, psk; /* psk.len 0: certificates */
};

struct hf_tls_own {
	mbedtls_ssl_config conf;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
	uint64_t version; /* of the files' text; 0: there are none */
	unsigned users;
};

/* The text of both files. */
struct hf_tls_pair {
	char *cert, *key;
	size_t cert_len, key_len;
	uint64_t version;
};

/* HF_ECONFIG with a line in @faults, HF_ENOMEM. */
int hf_tls_pair_read(struct hf_port *port, const char *cert_file, const char *key_file,
		     struct hf_buf *faults, struct hf_tls_pair *out);
/* The key does not stay in memory. */
void hf_tls_pair_finish(struct hf_tls_pair *p);

/* With one user. @pair NULL: without a certificate of our own; the files' names are for
 * faults. HF_ECONFIG, HF_ENOMEM. */
int hf_tls_own_create(const struct hf_tls_sort *sort, const struct hf_tls_pair *pair,
		      const char *cert_file, const char *key_file, struct hf_buf *faults,
		      struct hf_tls_own **out);
/* One user less; NULL is fine. */
void hf_tls_own_put(struct hf_tls_own *own);

#endif
