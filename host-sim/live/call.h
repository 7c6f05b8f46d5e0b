/* SPDX-License-Identifier: Apache-2.0 */
/* One request to holdfastd's panel side, as a page would send it. */
#ifndef LIVE_CALL_H
#define LIVE_CALL_H

#include "base/buf.h"
#include "http/transport.h"
#include "live/bench.h"

#define LIVE_ANSWER_BYTES_MAX (1024 * 1024)

/* A client of one port; what several calls share. */
struct live_client {
	struct live_bench *bench;
	struct hf_transport *transport;
	char host[32]; /* "127.0.0.1:8480" */
};

void live_client_init(struct live_client *c, struct live_bench *b, uint16_t port);
/* No call may run. */
void live_client_finish(struct live_client *c);

struct live_call {
	struct live_client *client;
	/* @status 0: no answer. A new call may be started inside. */
	void (*done)(void *user, int status, struct hf_span body);
	/* Body bytes as they come; NULL: they are collected. */
	void (*on_bytes)(void *user, struct hf_span bytes);
	void *user;
	struct hf_exchange *exchange; /* NULL: not running */
	struct hf_arena arena;
	struct hf_message msg;
	struct hf_span sending; /* what is left of the body */
	struct hf_buf body;
	int status;
};

void live_call_init(struct live_call *c, struct live_client *client,
		    void (*done)(void *user, int status, struct hf_span body), void *user);
/* @body.ptr NULL: none. All three are copied. Not while it runs. */
void live_call_start(struct live_call *c, const char *method, const char *target,
		     struct hf_span body);
bool live_call_runs(const struct live_call *c);
/* No done comes. Also when nothing runs. */
void live_call_cancel(struct live_call *c);

#endif
