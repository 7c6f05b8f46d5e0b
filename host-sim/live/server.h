/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server on a loopback port: whole requests come in, whole
 * answers or event streams go out. The demo shop, the portal's login page and
 * the control page are such servers.
 */
#ifndef LIVE_SERVER_H
#define LIVE_SERVER_H

#include "base/buf.h"
#include "base/list.h"
#include "http/message.h"
#include "live/bench.h"

#define LIVE_BODY_BYTES_MAX (256 * 1024)

struct live_conn;

struct live_request {
	struct hf_span method;
	struct hf_span path, query;
	const struct hf_fields *fields;
	struct hf_span body;
};

struct live_server {
	struct live_bench *bench;
	/* A whole request; live_reply, live_stream or live_reset inside the call. */
	void (*on_request)(void *user, struct live_conn *c, const struct live_request *r);
	void *user;
	struct hf_listener *listener; /* NULL: does not listen */
	struct hf_list conns;
};

void live_server_init(struct live_server *s, struct live_bench *b,
		      void (*on_request)(void *user, struct live_conn *c,
					 const struct live_request *r),
		      void *user);
/* The errors of hf_port.listen. */
int live_server_listen(struct live_server *s, uint16_t port);
/* As a process that dies: nobody listens, open connections are reset. */
void live_server_down(struct live_server *s);
/* A stream that another listener was offered. */
void live_server_take(struct live_server *s, struct hf_stream *stream);
/* To every open event stream. */
void live_server_send_all(struct live_server *s, struct hf_span bytes);

struct live_reply {
	int status;
	const char *type; /* Content-Type, NULL: none */
	struct hf_span body;
	const struct hf_field *fields; /* more of them */
	size_t fields_n;
};
void live_reply(struct live_conn *c, const struct live_reply *reply);
void live_reply_text(struct live_conn *c, int status, const char *text);
/* Answers with an event stream that stays open. */
void live_stream(struct live_conn *c);
void live_send(struct live_conn *c, struct hf_span bytes);
/* Ends the connection with a reset, without an answer. */
void live_reset(struct live_conn *c);

#endif
