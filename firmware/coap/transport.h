/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoAP over UDP or DTLS (RFC 7252), or over TCP or TLS (RFC 8323), as a struct
 * hf_transport: one per origin.
 *
 * Requests are confirmable; at most CONFIG_HF_COAP_NSTART wait for an answer,
 * others wait in line. Bodies go block by block both ways (RFC 7959), so that no
 * more than two blocks of a request are in memory.
 *
 * libcoap has sockets and timers of its own: the one exception to struct
 * hf_port's being the world. It never blocks; the port watches its descriptor
 * (struct hf_port, watch).
 *
 * How an attempt ends: no name, HF_END_DNS; no connection in time,
 * HF_END_CONNECT; certificate, key or identity refused by one of the sides,
 * HF_END_TLS_CERT, HF_END_TLS_TIME, HF_END_TLS. An ICMP error for a
 * first datagram that was not repeated, HF_END_CONNECT: nothing arrived. A
 * reset or an error later, HF_END_RESET; no answer, HF_END_TIMEOUT.
 */
#ifndef HF_COAP_TRANSPORT_H
#define HF_COAP_TRANSPORT_H

#include "base/buf.h"
#include "base/log.h"
#include "base/timerq.h"
#include "coap/map.h"
#include "holdfast/port.h"
#include "http/transport.h"
#include "net/tls.h"

struct hf_coap_options {
	struct hf_port *port; /* with watch */
	struct hf_timerq *timers;
	struct hf_log *log;
	const char *host; /* name or address literal without brackets; kept as a copy */
	uint16_t port_number;
	bool stream;			/* TCP in place of UDP (RFC 8323) */
	struct hf_tls_client *tls;	/* NULL: in the clear; of a kind that fits, outlives it */
	struct hf_coap_key key;		/* query: kept as a copy */
	uint32_t connect_timeout_ms;	/* look-up and handshake together */
	uint32_t first_byte_timeout_ms; /* to the answer, retransmissions included */
	uint32_t idle_timeout_ms;	/* between two blocks */
	uint32_t keepalive_timeout_ms;	/* of a session without exchanges */
};

/* HF_ENOMEM, HF_ENOTSUP (the port watches no descriptors), HF_EIO. */
int hf_coap_create(const struct hf_coap_options *opt, struct hf_transport **out);
/* Cancels what runs, without events; not inside an event. */
void hf_coap_destroy(struct hf_transport *t);
/* Inside on_head of @x, an exchange that is answered and not observed: appends
 * {"code":"2.05","options":[[12,"32"],...]}, the values in hex. HF_ENOENT: the answer is
 * our own, in the origin's place. HF_ENOMEM, HF_ELIMIT. */
int hf_coap_answer_write(struct hf_exchange *x, struct hf_buf *out);
/* Whether a message can say @media_type; if not, appends to @known those that it can. */
bool hf_coap_says_format(struct hf_span media_type, struct hf_buf *known);
/* The network has changed: names are looked up anew, a session without exchanges is
 * closed; when the link is gone, exchanges end with HF_END_RESET. */
void hf_coap_network_changed(struct hf_transport *t, bool up);
/* Who answers is not the origin: the session serves no further exchange. */
void hf_coap_distrust(struct hf_transport *t);

#endif
