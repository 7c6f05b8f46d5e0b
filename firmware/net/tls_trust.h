/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust anchors of a file and a directory, as an index over DER bytes: per certificate 16 bytes and its
 * encoding. A certificate is parsed while a chain is verified whose top names
 * its subject, and freed with that.
 */
#ifndef HF_NET_TLS_TRUST_H
#define HF_NET_TLS_TRUST_H

#include <mbedtls/x509_crt.h>

#include "base/buf.h"
#include "base/list.h"
#include "holdfast/port.h"

struct hf_tls_trust_entry {
	uint64_t subject; /* hash of the folded name */
	uint32_t offset, len;
};

struct hf_tls_trust {
	struct hf_list link; /* of those that may be shared */
	unsigned users;
	char *file, *dir; /* where it is from; each may be NULL */
	unsigned char *der;
	size_t der_len, der_cap;
	struct hf_tls_trust_entry *entries;
	size_t n, cap;
};

/* The certificates of @file (PEM bundle or one in DER) and of every *.pem and
 * *.crt in @dir, each once; both may be NULL. That of @shared, if there is one
 * of the same file and directory, else read anew and put there; @shared may be
 * NULL. HF_ECONFIG with a line in @faults when there is no certificate in one of
 * them, HF_ENOMEM. */
int hf_tls_trust_get(const char *file, const char *dir, struct hf_list *shared,
		     struct hf_port *port, struct hf_buf *faults, struct hf_tls_trust **out);
/* The last user's put frees it. NULL is fine. */
void hf_tls_trust_put(struct hf_tls_trust *t);
/* An mbedtls_x509_crt_ca_cb_t; @trust is a struct hf_tls_trust. */
int hf_tls_trust_find(void *trust, mbedtls_x509_crt const *child, mbedtls_x509_crt **candidates);

#endif
