/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust anchors as an index over DER bytes: per certificate 16 bytes and its
 * encoding. A certificate is parsed while a chain is verified whose top names
 * its subject, and freed with that.
 */
#ifndef HF_NET_TLS_TRUST_H
#define HF_NET_TLS_TRUST_H

#include <mbedtls/x509_crt.h>

#include "base/buf.h"
#include "holdfast/port.h"

struct hf_tls_trust_entry {
	uint64_t subject; /* hash of the folded name */
	uint32_t offset, len;
};

struct hf_tls_trust {
	unsigned char *der;
	size_t der_len, der_cap;
	struct hf_tls_trust_entry *entries;
	size_t n, cap;
};

void hf_tls_trust_init(struct hf_tls_trust *t);
void hf_tls_trust_finish(struct hf_tls_trust *t);
/* Adds the certificates of a file (PEM bundle or one in DER), or of every *.pem
 * and *.crt in a directory; one that is there already is left out. HF_ECONFIG
 * with a line in @faults when the file has none, HF_ENOMEM. */
int hf_tls_trust_add_file(struct hf_tls_trust *t, struct hf_port *port, const char *path,
			  struct hf_buf *faults);
int hf_tls_trust_add_dir(struct hf_tls_trust *t, struct hf_port *port, const char *dir,
			 struct hf_buf *faults);
/* Gives back what the arrays have too much. */
void hf_tls_trust_trim(struct hf_tls_trust *t);
/* An mbedtls_x509_crt_ca_cb_t; @trust is a struct hf_tls_trust. */
int hf_tls_trust_find(void *trust, mbedtls_x509_crt const *child, mbedtls_x509_crt **candidates);

#endif
