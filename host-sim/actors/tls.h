/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of TLS, by the same Mbed TLS as the agent's. Time and
 * randomness reach it through a port of its own for each connection, so that a
 * seed gives the same bytes again, whoever else is connected.
 */
#ifndef SIM_TLS_H
#define SIM_TLS_H

#include "actors/certs.h"
#include "base/buf.h"
#include "sim/net.h"

struct sim_tls_server; /* what the connections of a host share */
struct sim_tls;	       /* one of them */

/* Its ticket keys are those of @host alone: nobody else can resume a session. */
struct sim_tls_server *sim_tls_server_create(struct sim_world *world, int64_t epoch_ms,
					     enum sim_cert cert, const char *host);
void sim_tls_server_destroy(struct sim_tls_server *s);

/* @stream: of whom it is, for its draws. */
struct sim_tls *sim_tls_create(struct sim_tls_server *s, const struct hf_stream *stream);
void sim_tls_destroy(struct sim_tls *t);
/* Ciphertext has come. */
void sim_tls_feed(struct sim_tls *t, const void *data, size_t len);
/* Goes on with the handshake, then gives plaintext: how many bytes, 0: no more
 * now, negative: the connection is over (HF_EEOF, HF_ETLS). */
ptrdiff_t sim_tls_read(struct sim_tls *t, void *out, size_t len);
/* Takes plaintext once the handshake is done: how many bytes. */
size_t sim_tls_write(struct sim_tls *t, struct hf_span data);
void sim_tls_close_notify(struct sim_tls *t);
/* Ciphertext to be sent. */
struct hf_buf *sim_tls_out(struct sim_tls *t);

#endif
