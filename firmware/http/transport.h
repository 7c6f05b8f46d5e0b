/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport seam: "perform this request, stream me the response, say how
 * much of the request left". First tries, replay, probes and tests see only
 * this, whatever the protocol below.
 *
 * An exchange is one attempt: nothing is retried below this line, with one
 * exception: a request on a reused connection that dies before any byte of
 * an answer, when none of its bytes were sent or the method is idempotent and
 * the request has no streamed body, is repeated once on a fresh connection
 * (RFC 9112 section 9.3.1).
 */
#ifndef HF_HTTP_TRANSPORT_H
#define HF_HTTP_TRANSPORT_H

#include "http/message.h"

struct hf_exchange; /* the transport's own */

/* How an attempt ended (design of outcomes: docs/PROTOCOL.md). */
enum hf_end {
	HF_END_COMPLETE,  /* a complete response */
	HF_END_UPGRADED,  /* 101: the tunnel has ended, both directions */
	HF_END_DNS,	  /* the name was not resolved */
	HF_END_CONNECT,	  /* refused, unreachable, connect timeout: nothing sent */
	HF_END_TLS,	  /* handshake failed for another reason than the next two */
	HF_END_TLS_CERT,  /* the certificate was refused */
	HF_END_TLS_TIME,  /* ... only because of its dates */
	HF_END_LIMIT,	  /* our own limit: no connection free in time */
	HF_END_RESET,	  /* the connection died */
	HF_END_TIMEOUT,	  /* no first byte, or idle for too long */
	HF_END_MALFORMED, /* the response is not HTTP */
	HF_END_TRUNCATED, /* head received, body cut short */
	HF_END_INTERNAL,  /* out of memory and the like */
};

enum hf_sent {
	HF_SENT_NONE, /* no byte of the request reached the connection */
	HF_SENT_PART,
	HF_SENT_ALL,
};

struct hf_exchange_result {
	enum hf_end end;
	enum hf_sent sent;
	uint64_t request_bytes; /* handed to the connection, head included */
	int err;		/* HF_E*, 0 when complete */
	const char *detail;	/* for people: "certificate is for other.example";
			     * valid during the call */
};

struct hf_exchange_events {
	/* A connection is there and the first byte of the request is about to be
	 * handed to it: from then on the origin may have received it. When this is
	 * set nothing is written, and on_writable does not come, before
	 * hf_transport.go was called (inside this call or later, when a durable mark
	 * is made). Once per exchange: a connection that dies meanwhile is replaced
	 * silently. NULL: goes by itself. */
	void (*on_send)(void *user);
	/* Room for request body bytes (also once at the start, when the request has
	 * HF_BODY_LENGTH or HF_BODY_CHUNKED): call hf_transport.send. */
	void (*on_writable)(void *user);
	/* Interim response (100, 103...), not 101. NULL: not wanted. */
	void (*on_interim)(void *user, const struct hf_message *head);
	/* The final response's head, hop-by-hop fields still present; valid until
	 * on_end returns. 101: the exchange is a tunnel now, on_body brings the
	 * other side's bytes and send carries ours. */
	void (*on_head)(void *user, const struct hf_message *head);
	void (*on_body)(void *user, struct hf_span data);
	/* Last event; the exchange is gone when it returns. @trailers is NULL
	 * unless end is HF_END_COMPLETE. */
	void (*on_end)(void *user, const struct hf_exchange_result *result,
		       const struct hf_fields *trailers);
};

struct hf_transport_request {
	/* method, target (origin-form), fields with Host, body kind and length.
	 * Must stay valid until on_end. Hop-by-hop fields are already removed, but
	 * an Upgrade request has msg.upgrade and its Upgrade field. */
	const struct hf_message *msg;
	uint32_t first_byte_timeout_ms; /* 0: the configured one */
	bool fresh;			/* on a new connection (421, 408) */
};

struct hf_transport {
	/* Starts an exchange. HF_ENOMEM, HF_ELIMIT: nothing started. */
	int (*perform)(struct hf_transport *t, const struct hf_transport_request *req,
		       const struct hf_exchange_events *events, void *user,
		       struct hf_exchange **out);
	/* The answer to on_send: write the request now, or as soon as a connection is
	 * there again. Once, only after on_send. */
	void (*go)(struct hf_transport *t, struct hf_exchange *x);
	/* Hands over request body (or tunnel) bytes; returns how many were taken.
	 * Fewer than @len: on_writable comes. After an error the rest is swallowed
	 * and on_end tells. Sending more than HF_BODY_LENGTH promised asserts. */
	size_t (*send)(struct hf_transport *t, struct hf_exchange *x, struct hf_span data);
	/* The body is complete (for HF_BODY_LENGTH: all bytes were sent); @trailers
	 * may be NULL. Tunnel: finishes our direction. */
	void (*send_end)(struct hf_transport *t, struct hf_exchange *x,
			 const struct hf_fields *trailers);
	/* Response back-pressure: while off, on_body and on_end do not come. */
	void (*receive)(struct hf_transport *t, struct hf_exchange *x, bool on);
	/* No more events; the connection is closed if anything was sent. */
	void (*cancel)(struct hf_transport *t, struct hf_exchange *x);
};

/* "refused", "tls-cert", ... for status, events and Proxy-Status. */
const char *hf_end_name(enum hf_end end);

#endif
