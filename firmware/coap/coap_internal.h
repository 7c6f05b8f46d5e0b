/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the CoAP transport and what they know of each other:
 *
 *   transport.c  the operations, the waiting line, what is told on a later turn
 *   session.c    names, addresses, the session of libcoap and its descriptor
 *   exchange.c   one exchange: its states, times and end
 *   exchange_request.c, exchange_answer.c   its two directions, block by block
 *   exchange_echo.c   a message that has to go again with an Echo
 *   observe.c    resources that are observed, and who listens
 *   tls.c        what libcoap asks of Mbed TLS for the session, answered by net/
 *   message.c    one message of libcoap, built and read
 *
 * libcoap's handlers only write down what has come; everything else happens when
 * hf_coap_run works through the "soon" list, outside of libcoap and of calls of
 * the user. Every call of libcoap stands between hf_coap_enter and
 * hf_coap_leave, since it asks for randomness.
 */
#ifndef HF_COAP_INTERNAL_H
#define HF_COAP_INTERNAL_H

#include <coap3/coap.h>

#include "base/buf.h"
#include "base/list.h"
#include "coap/block.h"
#include "coap/transport.h"
#include "net/tls_attach.h"

#define HF_COAP_ADDRS_MAX 8
#define HF_COAP_ECHO_MAX  40			  /* RFC 9175 section 2.2.1 */
#define HF_COAP_BODY_MAX  (2 * HF_COAP_BLOCK_MAX) /* a block, and a sign that more follows */

enum hf_coap_session_state {
	HF_COAP_DOWN,
	HF_COAP_RESOLVING,
	HF_COAP_HANDSHAKE,
	HF_COAP_UP,
};

struct hf_coap {
	struct hf_transport base;
	struct hf_coap_options opt;
	char *host, *query; /* of opt */
	bool literal;	    /* host is an address */
	coap_context_t *context;
	struct hf_watch *watch;

	enum hf_coap_session_state state;
	coap_session_t *session;
	struct hf_tls_session *tls; /* of the session */
	struct hf_resolve *resolve;
	struct hf_addr addrs[HF_COAP_ADDRS_MAX];
	size_t addrs_n, addr; /* addr: the one in use */
	uint64_t give_up_ms;  /* the attempt to connect, whatever the address */
	struct hf_timer deadline, idle;
	bool failed;  /* the session has */
	bool last;    /* no exchange follows those that run */
	bool silent;  /* this address does not answer */
	bool used;    /* an exchange was begun on the session */
	uint32_t tag; /* the last Request-Tag */

	struct hf_list waiting; /* exchanges without a session, in order */
	struct hf_list running;
	struct hf_list ended; /* their on_end is due */
	unsigned waiting_n, running_n;
	struct hf_list observations;
	unsigned observations_n;
	struct hf_list soon;
	struct hf_timer soon_timer;
	unsigned depth; /* our calls of events, and hf_coap_run, on the stack */
};

enum hf_coap_x_state {
	HF_COAP_X_WAITING,
	HF_COAP_X_READY,     /* has the session */
	HF_COAP_X_LOCAL,     /* is answered here */
	HF_COAP_X_HELD,	     /* on_send was told, go has not come */
	HF_COAP_X_ACTIVE,    /* messages may have left */
	HF_COAP_X_LISTENING, /* to an observation */
	HF_COAP_X_ENDED,     /* on_end is due */
	HF_COAP_X_GONE,
};

/* What a handler of libcoap has written down. */
struct hf_coap_reply {
	bool there;
	struct hf_coap_head head;
	struct hf_span payload;
	struct hf_arena arena;
};

struct hf_coap_observation; /* observe.c */

struct hf_exchange {
	struct hf_list node; /* waiting, running, ended, or of an observation */
	struct hf_list soon;
	struct hf_coap *t;
	enum hf_coap_x_state state;
	unsigned depth;
	const struct hf_message *msg;
	const struct hf_exchange_events *events;
	void *user;
	uint32_t first_byte_ms;
	int refused;	/* HTTP status to answer here */
	bool by_origin; /* ... which is the origin's */
	struct hf_span local_body;
	bool fresh, go, receiving;

	/* request */
	struct hf_coap_head request;
	struct hf_buf body; /* taken, not yet acknowledged; the present block first */
	uint64_t body_left; /* HF_BODY_LENGTH */
	uint64_t offset;    /* of the present block in the body */
	size_t block_len;   /* of the present block */
	uint8_t szx;	    /* of the request's blocks */
	bool body_done;	    /* the user has given all */
	bool want_writable;
	bool blocks;	/* the body goes block by block */
	bool last_sent; /* the request has left as a whole */
	bool shrunk;	/* smaller blocks were asked for once */
	uint32_t tag;	/* Request-Tag of the blocks; 0: not needed so far */

	/* the message that waits for its answer */
	bool outstanding, repeated;
	bool keep_token; /* the next message has the one that stands */
	uint8_t token[8];
	size_t token_len;
	coap_mid_t mid;	   /* of it */
	unsigned messages; /* sent so far */
	uint64_t request_bytes;
	bool echoed; /* it brings the Echo that the answer before asked for */
	char echo[HF_COAP_ECHO_MAX];
	size_t echo_len;

	/* answer */
	struct hf_coap_reply reply;
	struct hf_coap_reply first; /* its first block, while the second one is looked at */
	bool checking;		    /* ... which is asked for */
	bool checked;
	uint8_t restarts; /* first blocks that did not belong to the second */
	int nack;	  /* coap_nack_reason_t + 1, 0: none */
	bool head_seen;
	bool payload_due; /* of the reply, to be told */
	bool more;	  /* blocks come behind it */
	bool follow;	  /* the next block is to be asked for */
	uint64_t answer_len;
	uint8_t answer_szx;
	char etag[8];
	size_t etag_len;
	struct hf_message head;

	struct hf_coap_observation *observation;
	bool due, told_stale; /* to the listener */
	unsigned addresses;   /* at which nobody was there */

	uint64_t active_ms;
	struct hf_timer timer;
	struct hf_arena arena;
	struct hf_exchange_result result;
	char detail[192];
};

static inline struct hf_coap *hf_coap_of(struct hf_transport *t)
{
	return hf_container_of(t, struct hf_coap, base);
}

static inline uint64_t hf_coap_now(struct hf_coap *t)
{
	return t->opt.port->boottime_ms(t->opt.port);
}

/* transport.c */
/* hf_coap_run comes on a later turn. */
void hf_coap_wake(struct hf_coap *t);
void hf_coap_soon(struct hf_exchange *x);
void hf_coap_run(struct hf_coap *t);
/* Into the waiting line; to be answered here with x->refused. */
void hf_coap_x_queue(struct hf_exchange *x);
void hf_coap_x_local(struct hf_exchange *x);
/* Everybody in the waiting line ends. */
void hf_coap_fail_waiting(struct hf_coap *t, enum hf_end end, int err, const char *detail);

/* session.c */
struct hf_port *hf_coap_enter(struct hf_coap *t);
int hf_coap_session_init(struct hf_coap *t);
void hf_coap_session_finish(struct hf_coap *t);
/* Somebody waits: begins to connect. */
void hf_coap_session_want(struct hf_coap *t);
/* Another address is known than the one in use. */
bool hf_coap_session_has_other(const struct hf_coap *t);
/* Closes it, for the next exchange to begin anew. */
void hf_coap_session_drop(struct hf_coap *t, bool other_address);
/* What its handlers have written down. */
void hf_coap_session_look(struct hf_coap *t);
/* No exchange is left on it. */
void hf_coap_session_rest(struct hf_coap *t);
struct hf_exchange *hf_coap_by_token(struct hf_coap *t, const coap_pdu_t *pdu);

/* tls.c */
/* A session of libcoap with the transport's certificate or key. */
coap_session_t *hf_coap_tls_open(struct hf_coap *t, const coap_address_t *to);
/* After the session of libcoap. */
void hf_coap_tls_close(struct hf_coap *t);
/* How a session that did not come about ends the attempt, and words for that. */
enum hf_end hf_coap_tls_fault(struct hf_coap *t, char *words, size_t size, int *err);

/* message.c */
/* How much payload fits beside @head; 0: none. */
size_t hf_coap_message_room(struct hf_coap *t, const struct hf_coap_head *head);
/* Sends @head and @payload as a new confirmable message of @x. HF_ENOMEM, HF_EUNREACH. */
int hf_coap_message_send(struct hf_exchange *x, const struct hf_coap_head *head,
			 struct hf_span payload);
/* No more retransmissions. */
void hf_coap_message_cancel(struct hf_exchange *x);
/* Copies @pdu. HF_ENOMEM, HF_EPROTO. */
int hf_coap_message_read(const coap_pdu_t *pdu, struct hf_coap_reply *out);

/* exchange.c */
struct hf_exchange *hf_coap_x_create(struct hf_coap *t);
void hf_coap_x_destroy(struct hf_exchange *x);
/* Does what is due: events, messages. */
void hf_coap_x_step(struct hf_exchange *x);
void hf_coap_x_end(struct hf_exchange *x, enum hf_end end, int err, const char *detail);
void hf_coap_x_arm(struct hf_exchange *x);
void hf_coap_x_cancel(struct hf_exchange *x);
/* From the waiting line or the session. */
void hf_coap_x_leave(struct hf_exchange *x);
void hf_coap_x_malformed(struct hf_exchange *x, const char *detail);
/* Nobody answers there: the next exchange goes another way. */
void hf_coap_x_distrust_address(struct hf_exchange *x);
/* Events; false: it was cancelled inside. */
bool hf_coap_x_tell_head(struct hf_exchange *x);
bool hf_coap_x_tell_body(struct hf_exchange *x, struct hf_span data);

/* exchange_request.c */
void hf_coap_x_emit(struct hf_exchange *x, const struct hf_coap_head *head, struct hf_span payload);
void hf_coap_x_send_block(struct hf_exchange *x);
size_t hf_coap_x_send(struct hf_exchange *x, struct hf_span data);

/* exchange_echo.c */
/* What has come asks for the same with an Echo, and that was sent. */
bool hf_coap_x_take_echo(struct hf_exchange *x);

/* exchange_answer.c */
/* What has come. */
void hf_coap_x_take(struct hf_exchange *x);
/* Its payload, to the user. */
void hf_coap_x_give(struct hf_exchange *x);
/* Asks for the block behind what has come. */
void hf_coap_x_ask(struct hf_exchange *x);

#endif
