/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to ingress/: one connection of a panel or of the operator's command.
 *
 *   HEAD     between requests, or in the middle of a head
 *   WORK     one request is in work: its body comes, its answer goes
 *   TUNNEL   after 101: bytes both ways
 *   LINGER   the last answer is out; what the peer still sends is dropped, so
 *            that it can read the answer, until it ends or time is up
 *   CLOSED   gone; only our own stack still holds it
 *
 * One request is in work at a time; what a pipelining peer sends meanwhile
 * waits in @in, and reading stops when that is full.
 *
 * connection.c reads, connection_route.c finds who answers, connection_write.c
 * writes.
 */
#ifndef HF_INGRESS_CONNECTION_H
#define HF_INGRESS_CONNECTION_H

#include "base/buf.h"
#include "fetch/problem.h"
#include "http/h1_reader.h"
#include "ingress/ingress_private.h"

enum hf_connection_state {
	HF_CONNECTION_HEAD,
	HF_CONNECTION_WORK,
	HF_CONNECTION_TUNNEL,
	HF_CONNECTION_LINGER,
	HF_CONNECTION_CLOSED,
};

struct hf_connection {
	struct hf_ingress *ingress;
	struct hf_list link;
	struct hf_stream *stream;
	struct hf_peer peer;
	uint8_t side; /* enum hf_side */
	uint8_t state;
	unsigned depth; /* our handlers on the stack */
	struct hf_timer timer;
	uint64_t since_ms; /* of what the deadline counts from */

	/* from the peer */
	struct hf_h1_reader *reader; /* NULL: one that is only refused */
	struct hf_arena arena;	     /* of the request in work */
	struct hf_buf in;	     /* read, not used */
	size_t upload_len;	     /* first bytes of @in: body the exchange has no room for */
	bool reading;		     /* as the stream knows it */
	bool eof;
	bool head_begun;
	bool paused; /* the reader stopped for the exchange's sake */

	/* the request in work */
	struct hf_message *msg;
	struct hf_message request; /* as it is passed on: target in origin-form */
	struct hf_span host;
	bool request_done; /* all of it is read */
	bool minor0, is_head, keep_alive;
	struct hf_transport *transport;
	struct hf_exchange *exchange; /* NULL: none or ended */

	/* to the peer */
	struct hf_buf out;
	struct hf_list unflushed;
	enum hf_body_kind framing; /* of the answer */
	bool no_body;		   /* HEAD, 204, 304 */
	bool immediate;		   /* event streams: no piece waits for the next */
	bool response_begun, response_done;
	bool blocked;	/* the stream takes no more; on_writable comes */
	bool held_back; /* the exchange was told not to send more */
	bool shut;	/* our direction is finished */
};

/* Takes @stream, which came from on_accept. @refusal: it only hears that. */
void hf_connection_open(struct hf_ingress *in, struct hf_stream *stream, enum hf_side side,
			const struct hf_problem *refusal);
/* Cancels what is in work and closes. */
void hf_connection_close(struct hf_connection *c, bool abort);
/* The server stops: an idle one closes now, others after their answer. */
void hf_connection_stop(struct hf_connection *c);

void hf_connection_move(struct hf_connection *c, enum hf_connection_state to);

/* A head is there: begins the exchange, or answers itself. */
void hf_connection_route(struct hf_connection *c);

/* ---- connection_write.c ---- */

extern const struct hf_exchange_events hf_connection_events;
/* Answers with @p in place of an exchange. */
void hf_connection_problem(struct hf_connection *c, const struct hf_problem *p);
/* Hands @out to the stream as far as it goes. False: the connection was closed. */
bool hf_connection_flush(struct hf_connection *c);
void hf_connection_flush_soon(struct hf_connection *c);
/* Before and after every handler: the last to leave goes on with what is due. */
void hf_connection_enter(struct hf_connection *c);
void hf_connection_leave(struct hf_connection *c);
/* The exchange has room again. */
void hf_connection_upload(struct hf_connection *c);

#endif
