/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 over TCP or TLS as a struct hf_transport: one per origin, with its
 * pool of connections.
 *
 * A new connection races the origin's addresses (Happy Eyeballs, RFC 8305).
 * Idle connections are kept for keepalive_timeout_ms; one that has been idle longer
 * than a second is checked by the first read event before use. Waiting
 * exchanges are served in order when a connection is free; each waits at most
 * connect_timeout_ms (HF_END_LIMIT).
 *
 * A handshake that the network breaks (reset, timeout) ends as HF_END_CONNECT;
 * HF_END_TLS means that the two sides did not agree.
 */
#ifndef HF_NET_HTTP1_H
#define HF_NET_HTTP1_H

#include "base/log.h"
#include "base/timerq.h"
#include "holdfast/port.h"
#include "http/transport.h"

struct hf_tls_client;

struct hf_http1_options {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	const char *host; /* name or address literal without brackets; kept as a copy */
	uint16_t port_number;
	struct hf_tls_client *tls;   /* NULL: cleartext; not owned */
	uint32_t connect_timeout_ms; /* DNS, connect and TLS handshake together */
	uint32_t first_byte_timeout_ms;
	uint32_t idle_timeout_ms;      /* between two reads or writes of an exchange;
				      * does not apply to upgraded connections and to
				      * responses of type text/event-stream */
	uint32_t keepalive_timeout_ms; /* idle in the pool */
	unsigned connections_max;
	size_t head_bytes_max;
	size_t fields_max;
};

int hf_http1_create(const struct hf_http1_options *opt, struct hf_transport **out);
/* Cancels what runs, without events; not inside an event. NULL is fine. */
void hf_http1_destroy(struct hf_transport *t);
/* The network has changed: idle connections are closed, running exchanges that
 * have not begun to receive are ended with HF_END_RESET when the link is gone,
 * and names are looked up anew. */
void hf_http1_network_changed(struct hf_transport *t, bool up);
/* Who answers is not the origin: connections that stand serve no further exchange,
 * and its name is looked up anew. */
void hf_http1_distrust(struct hf_transport *t);

struct hf_http1_figures {
	unsigned connections, idle, waiting;
	uint64_t opened, reused;
};
void hf_http1_figures(struct hf_transport *t, struct hf_http1_figures *out);

#endif
