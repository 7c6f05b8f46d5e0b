/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1.1 connection of an actor, either side, over a simulated stream:
 * whole messages come out, bytes go in. The owner frees it outside of its
 * callbacks.
 */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include "actors/tls.h"
#include "base/buf.h"
#include "http/h1_reader.h"
#include "sim/net.h"

struct sim_http_events {
	/* A connection that was asked for stands. May be NULL. */
	void (*on_open)(void *user);
	/* A head has come (not 1xx). May be NULL. */
	void (*on_head)(void *user, const struct hf_message *msg);
	/* A whole message; both are valid during the call. */
	void (*on_message)(void *user, const struct hf_message *msg, struct hf_span body);
	/* Body bytes as they come; NULL: they are collected for on_message. */
	void (*on_body)(void *user, struct hf_span data);
	/* The connection is over: 0 for a clean end between messages, else why. The
	 * stream is closed already. */
	void (*on_gone)(void *user, int err);
};

struct sim_http {
	enum hf_h1_kind kind; /* of what comes in */
	const struct sim_http_events *events;
	void *user;
	struct hf_stream *stream; /* NULL: not open */
	struct sim_tls *tls;	  /* NULL: in the clear */
	bool established;
	struct hf_h1_reader *reader;
	struct hf_arena arena;
	struct hf_message *msg; /* whose head has come */
	bool complete;
	bool close_after;  /* when all is sent */
	bool said_goodbye; /* TLS's close_notify */
	struct hf_buf body, out;
};

void sim_http_init(struct sim_http *h, enum hf_h1_kind kind, const struct sim_http_events *events,
		   void *user);
void sim_http_finish(struct sim_http *h);
void sim_http_connect(struct sim_http *h, struct sim_node *node, const void *owner,
		      const struct hf_addr *to);
/* A stream from a listener's on_accept. @tls NULL: in the clear. */
void sim_http_accept(struct sim_http *h, struct hf_stream *stream, struct sim_tls_server *tls);
/* Sends bytes, now or when the connection stands. */
void sim_http_send(struct sim_http *h, struct hf_span bytes);
/* Finishes when all is sent. */
void sim_http_end(struct sim_http *h);
/* Closes; no event comes. */
void sim_http_close(struct sim_http *h, bool abort);

#endif
