/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.2 and 1.3 clients by Mbed TLS: what is verified, and against what.
 * One struct hf_tls_client per origin; sessions of it share resumption.
 *
 * Trust anchors: PEM bundles are reduced to an index of subject names over the
 * certificates' DER bytes; a certificate is parsed only while a chain is being
 * verified that needs it, so a system bundle costs its DER bytes and an index,
 * once for all clients of a list, not the parsed form (about 460 KiB).
 */
#ifndef HF_NET_TLS_H
#define HF_NET_TLS_H

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "holdfast/port.h"

struct hf_tls_client;
struct hf_tls_session; /* one connection's TLS state */

/* What the records are carried by, and what is said in them. */
enum hf_tls_kind {
	HF_TLS_HTTP,	 /* a stream; HTTP/1.1 */
	HF_TLS_COAP,	 /* a stream; CoAP (RFC 8323) */
	HF_TLS_DATAGRAM, /* DTLS 1.2 */
};

struct hf_tls_client_options {
	struct hf_port *port;
	struct hf_log *log;
	enum hf_tls_kind kind;
	const char *server_name; /* SNI and verification (RFC 6125); address literals
				  * are matched against iPAddress names */
	/* Each may be NULL. Files are read through the port, those of the client's
	 * certificate again and again (hf_tls_client_renew), the others once. */
	const char *ca_file;		  /* PEM bundle */
	const char *ca_dir;		  /* every *.pem and *.crt in it */
	struct hf_list *trusts;		  /* clients of one list share the anchors of the same
					   * ca_file and ca_dir; a list that is empty at
					   * first and outlives them. NULL: not shared */
	const char *cert_file, *key_file; /* client certificate, PEM */
	const char *const *pins;	  /* base64 of SHA-256 over SubjectPublicKeyInfo (RFC
				  * 7469 section 2.4); any certificate of the chain
				  * matching any pin is enough */
	size_t pins_n;
	/* In place of certificates: a key that both sides know. Kept as copies. */
	struct hf_span identity, psk;
};

/* @faults gets one line for people per problem ("ca-file: no certificate in
 * /etc/x"). HF_ECONFIG, HF_ENOMEM. */
int hf_tls_client_create(const struct hf_tls_client_options *opt, struct hf_buf *faults,
			 struct hf_tls_client **out);
void hf_tls_client_destroy(struct hf_tls_client *c);
/* Looks whether the files of the client's certificate say something else, once a second
 * at most. True: sessions show another one from now on. A pair that cannot be read
 * or does not fit together changes nothing (logged). */
bool hf_tls_client_renew(struct hf_tls_client *c);
/* Whether both files are there and belong together, as hf_tls_client_create asks. */
int hf_tls_check_pair(struct hf_port *port, const char *cert_file, const char *key_file,
		      struct hf_buf *faults);

/* Over any byte pipe: @write and @read move ciphertext without blocking (as
 * hf_port.stream_write: how many taken; read: 0 means none now). */
struct hf_tls_bio {
	ptrdiff_t (*write)(void *user, const void *data, size_t len);
	ptrdiff_t (*read)(void *user, void *data, size_t len);
	void *user;
};
int hf_tls_session_create(struct hf_tls_client *c, const struct hf_tls_bio *bio,
			  struct hf_tls_session **out);
void hf_tls_session_destroy(struct hf_tls_session *s);
/* HF_EAGAIN: more ciphertext is needed. 0: done. HF_ECERT, HF_ECERTTIME,
 * HF_ETLS, HF_ECONNRESET: hf_tls_session_error says what failed. */
int hf_tls_session_handshake(struct hf_tls_session *s);
/* Plaintext: how many bytes, HF_EAGAIN, HF_EEOF (close_notify), or an error. */
ptrdiff_t hf_tls_session_read(struct hf_tls_session *s, void *data, size_t len);
ptrdiff_t hf_tls_session_write(struct hf_tls_session *s, const void *data, size_t len);
int hf_tls_session_close_notify(struct hf_tls_session *s);
/* "certificate of shop.example: not valid before 2027-01-01 (clock: unset)". */
const char *hf_tls_session_error(const struct hf_tls_session *s);

#endif
