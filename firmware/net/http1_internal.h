/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the HTTP/1.1 transport and what they know of each other:
 *
 *   http1.c           the transport: pool, waiting line, network changes
 *   http1_conn.c      one connection: dial, TLS, reader
 *   http1_exchange.c  one exchange: its states, times, response and end
 *   http1_request.c   its request on the way out
 *
 * Events are never told inside a call of the user: what has to be told then is
 * put on the "soon" list, which one timer works through on the next turn.
 */
#ifndef HF_NET_HTTP1_INTERNAL_H
#define HF_NET_HTTP1_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "http/h1_reader.h"
#include "http/h1_writer.h"
#include "net/channel.h"
#include "net/dial.h"
#include "net/http1.h"

#define HF_HTTP1_WAITING_MAX 1024
#define HF_HTTP1_FRESH_MS    1000 /* idle for less: used without a look */
#define HF_HTTP1_INTERIM_MAX 32	  /* 1xx heads before the final one */
#define HF_HTTP1_GRACE_MS    1000 /* for an answer after a failed write */

struct http1 {
	struct hf_transport base;
	struct hf_http1_options opt;
	struct hf_dialer dialer;
	struct hf_list idle;  /* connections without an exchange, latest first */
	struct hf_list conns; /* all others */
	unsigned connections, connecting, idle_n;
	struct hf_list waiting; /* exchanges without a connection */
	unsigned waiting_n;
	struct hf_list running; /* all other exchanges */
	struct hf_list spare;	/* finished ones, for their memory */
	unsigned spare_n;
	struct hf_list soon;
	struct hf_timer soon_timer, idle_timer;
	unsigned calls; /* calls of the user on the stack */
	bool pumping;
	uint64_t opened, reused;
};

enum conn_state {
	CONN_DIALING,
	CONN_HANDSHAKE,
	CONN_IDLE,
	CONN_BUSY,
};

struct conn {
	struct hf_list node;
	struct http1 *t;
	enum conn_state state;
	struct hf_dial dial;
	struct hf_timer deadline; /* of dial and handshake */
	struct hf_addr addr;
	struct hf_channel *ch;
	struct hf_h1_reader *reader;
	struct hf_exchange *x; /* CONN_BUSY, else NULL */
	uint64_t idle_since_ms;
	unsigned uses;	/* exchanges before this one, long idleness too */
	unsigned depth; /* our event handlers on the stack */
	bool closed;
	bool last;	 /* no exchange follows the one that runs */
	bool complete;	 /* the reader has seen the response's end */
	const char *why; /* what an event of the reader refused, else NULL */
};

enum x_state {
	X_WAITING, /* for a connection */
	X_READY,   /* has one; begins on the next turn */
	X_HELD,	   /* on_send was told, go has not come; c may be NULL */
	X_ACTIVE,  /* bytes may have left */
	X_TUNNEL,  /* after 101 */
	X_ENDED,   /* on_end is due */
	X_GONE,	   /* cancelled or told; only our own stack holds it */
};

struct hf_exchange {
	struct hf_list node; /* waiting, running or spare */
	struct hf_list soon;
	struct http1 *t;
	struct conn *c; /* NULL: none */
	enum x_state state;
	unsigned depth;	       /* our calls of its events on the stack */
	struct hf_message msg; /* the user's, but keep-alive is ours to say */
	const struct hf_exchange_events *events;
	void *user;
	uint32_t first_byte_ms;
	bool fresh;	/* wants a new connection */
	bool told_send; /* on_send was called */
	bool gone;	/* go was called, or nobody wants on_send */
	bool retried;
	bool receiving;

	/* request */
	struct hf_buf out;	/* taken from the user, not yet by the channel */
	uint64_t body_left;	/* HF_BODY_LENGTH */
	uint64_t attempt_bytes; /* handed to this connection */
	uint64_t request_bytes; /* the most of any connection */
	enum hf_sent sent;	/* the worst of earlier connections */
	bool built;		/* the head is in @out or has left */
	bool body_done;		/* the user has given all */
	bool corked;		/* @out is gathered for one write */
	bool want_writable;	/* a short send was answered */
	int write_err;		/* sends are swallowed, an answer may still come */

	/* response */
	struct hf_arena arena;
	struct hf_message head;
	struct hf_fields trailers;
	struct hf_buf held; /* body that came while receiving was off */
	unsigned interim;
	bool rx_any, head_seen;

	struct hf_timer timer;
	uint64_t start_ms;  /* of waiting */
	uint64_t active_ms; /* last byte either way */
	struct hf_exchange_result result;
	char detail[256];
};

/* ---- http1.c ---- */
static inline uint64_t http1_now(const struct http1 *t)
{
	return t->opt.port->boottime_ms(t->opt.port);
}
/* Gives waiting exchanges connections, and dials for those that remain. */
void hf_http1_pump(struct http1 *t);
void hf_http1_soon(struct hf_exchange *x);
/* Into the waiting line, at its front when it has been there before. */
void hf_http1_wait(struct hf_exchange *x, bool front);
/* A dial has failed: ends the first in the waiting line. */
void hf_http1_dial_failed(struct http1 *t, enum hf_end end, int err, const char *detail);

/* ---- http1_conn.c ---- */
/* Starts one for the pool. NULL without memory. */
struct conn *hf_http1_conn_open(struct http1 *t);
/* Closes and frees it; its exchange, if any, is the caller's business. */
void hf_http1_conn_close(struct conn *c, bool abort);
/* Its exchange is over and both sides may go on: back into the pool. */
void hf_http1_conn_release(struct conn *c);
/* Dials again with what is left of its time (network change). */
void hf_http1_conn_restart(struct conn *c);

/* ---- http1_exchange.c ---- */
struct hf_exchange *hf_http1_x_create(struct http1 *t);
void hf_http1_x_destroy(struct hf_exchange *x); /* frees, no event */
void hf_http1_x_cancel(struct hf_exchange *x);
/* @c is its connection from now on. */
void hf_http1_x_attach(struct hf_exchange *x, struct conn *c);
/* Its turn on the soon list. */
void hf_http1_x_run(struct hf_exchange *x);
void hf_http1_x_go(struct hf_exchange *x);
void hf_http1_x_receive(struct hf_exchange *x, bool on);
/* Sets the timer if it is not set or too late for the current deadline. */
void hf_http1_x_arm(struct hf_exchange *x);
/* Ends it: on_end comes now, or later when the user is on the stack or does not
 * receive. The connection has been taken off before. */
void hf_http1_x_end(struct hf_exchange *x, enum hf_end end, int err, const char *detail);
/* Its connection has died and is taken off: retry, hold or end. */
void hf_http1_x_lost(struct hf_exchange *x, bool reused, int err, const char *detail);
/* Closes its connection, which is of no more use. */
void hf_http1_x_drop_conn(struct hf_exchange *x, bool abort);
/* False when it was cancelled inside. */
bool hf_http1_x_tell_writable(struct hf_exchange *x);
/* Of its connection: */
void hf_http1_x_on_head(struct hf_exchange *x, const struct hf_message *head);
void hf_http1_x_on_body(struct hf_exchange *x, struct hf_span data);

/* ---- http1_request.c ---- */
static inline bool hf_http1_x_has_body(const struct hf_exchange *x)
{
	return x->msg.body == HF_BODY_LENGTH || x->msg.body == HF_BODY_CHUNKED;
}
/* Writes the head and asks for the body. Tells nothing when there is no body. */
void hf_http1_x_begin(struct hf_exchange *x);
void hf_http1_x_writable(struct hf_exchange *x);
size_t hf_http1_x_send(struct hf_exchange *x, struct hf_span data);
void hf_http1_x_send_end(struct hf_exchange *x, const struct hf_fields *trailers);
/* All of the request has been handed over. */
bool hf_http1_x_sent_all(const struct hf_exchange *x);

#endif
