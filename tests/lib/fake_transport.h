/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transport in memory. Exchanges move only in fake_transport_turn() and in
 * the calls a test makes on one exchange; nothing completes inside its own
 * call. By itself it plays an origin: one that is down refuses, one that is up
 * takes the request and gives the answer that @answer chooses. With @manual the
 * test is the origin.
 */
#ifndef HF_TESTS_FAKE_TRANSPORT_H
#define HF_TESTS_FAKE_TRANSPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "http/transport.h"

struct fake_transport;

struct hf_exchange {
	struct hf_list link;
	struct fake_transport *t;
	const struct hf_exchange_events *events;
	void *user;
	const struct hf_message *msg;
	bool fresh;
	bool connected, gone, body_done;
	bool taken; /* the origin has the whole request */
	bool depth; /* inside one of its events */
	bool cancelled;
	struct hf_buf body;
	struct hf_message head; /* of the answer */
	struct hf_arena arena;
	size_t window; /* body bytes taken before on_writable has to come again */
};

struct fake_answer_to {
	int status;	    /* 0: the connection dies */
	const char *fields; /* "Name: value\n..." */
	const char *body;
	enum hf_end end; /* HF_END_COMPLETE, HF_END_TRUNCATED, or of a dead one */
};

struct fake_transport {
	struct hf_transport base;
	struct hf_list exchanges; /* running, oldest first */
	unsigned running, running_max, performed;
	bool up;
	bool manual;
	int perform_err; /* of the next performs */
	size_t window;	 /* of new exchanges, 0: all */
	/* Chooses the answer to a request that was taken; NULL: 201. */
	void (*answer)(void *user, struct hf_exchange *x, struct fake_answer_to *out);
	void *user;
	/* Every request that was taken, in order: "target key=value body\n". */
	struct hf_buf log;
};

void fake_transport_init(struct fake_transport *t);
/* Asserts that no exchange is left. */
void fake_transport_finish(struct fake_transport *t);
/* One step for every exchange; true when anything happened. */
bool fake_transport_turn(struct fake_transport *t);
/* The @i-th running exchange; NULL when there is none. */
struct hf_exchange *fake_exchange(struct fake_transport *t, size_t i);

/* Steps of one exchange. Each returns false when it was cancelled inside. */
bool fake_connect(struct hf_exchange *x);  /* on_send */
bool fake_writable(struct hf_exchange *x); /* on_writable, until the body is there */
bool fake_head(struct hf_exchange *x, int status, const char *fields);
bool fake_body(struct hf_exchange *x, struct hf_span data);
void fake_end(struct hf_exchange *x, enum hf_end end, enum hf_sent sent);
void fake_answer_whole(struct hf_exchange *x, const struct fake_answer_to *a);
/* Value of a request field, "" when absent. */
struct hf_span fake_field(const struct hf_exchange *x, const char *name);

#endif
