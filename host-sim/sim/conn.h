/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a connection: two ends, each with the list of segments that
 * travel towards it. Shared by net.c (who reaches whom), conn.c (bytes) and
 * listener.c; nobody else includes it.
 */
#ifndef SIM_CONN_H
#define SIM_CONN_H

#include "sim/heap.h"
#include "sim/net.h"

#define SIM_WINDOW_BYTES    65536		 /* per direction, not yet read by the peer */
#define SIM_TCP_GIVES_UP_US (924 * SIM_US_PER_S) /* Linux, tcp_retries2 = 15 */
#define SIM_SYN_GIVES_UP_US (127 * SIM_US_PER_S) /* Linux, tcp_syn_retries = 6 */

struct sim_segment {
	struct hf_list item;
	uint64_t at_us; /* arrival when the way is open */
	bool fin;
	size_t len;
	uint8_t data[];
};

struct hf_stream {
	struct sim_conn *conn;
	struct sim_node *node;
	const void *owner;
	const struct hf_stream_events *events;
	void *user;
	struct hf_addr addr;
	bool open;   /* the owner has not closed it */
	bool silent; /* no events any more: the owner is gone */
	bool dark;   /* ... and the kernel with it: it sends nothing a second time */
	bool established;
	bool reading;
	bool wants_room; /* a write was short */
	bool fin_sent;
	int err;	/* dead: told to the owner */
	int coming_err; /* what ev_fail brings */
	uint64_t fail_since_us;
	struct hf_list in; /* struct sim_segment towards this end */
	size_t in_bytes;
	uint64_t last_at_us;
	bool held;	       /* the first segment met a closed way */
	struct sim_heap *heap; /* of the owner */
	/* of the wire towards this end (wire.c) */
	uint64_t passed;	/* bytes so far */
	uint64_t wire_until_us; /* busy with them */
	bool lost;		/* nothing comes through any more */
	bool broken;		/* what is sent after the reset is nothing */
	struct sim_event ev_data, ev_room, ev_fail, ev_connect;
};

struct sim_conn {
	struct hf_list item;
	struct sim_net *net;
	struct hf_stream end[2];  /* 0: who connected */
	struct sim_rng rng, fate; /* latency; what goes wrong */
	uint64_t nth;		  /* among the calls of its caller */
	bool loopback;
	bool via_portal;
	unsigned busy; /* calls into owners on the stack */
	struct hf_addr to;
	struct hf_list waiting; /* in a listener's backlog */
};

struct hf_listener {
	struct hf_list item;
	struct sim_node *node;
	const void *owner;
	const struct hf_listener_events *events;
	void *user;
	struct hf_addr addr;
	bool accepting;
	bool silent;
	struct sim_heap *heap;	/* of the owner */
	struct hf_list backlog; /* struct sim_conn.waiting */
	struct sim_event ev_accept;
};

/* A call from @node. */
struct sim_conn *sim_conn_create(struct sim_node *node);
struct hf_stream *sim_end_peer(struct hf_stream *s);
bool sim_conn_way_open(const struct sim_conn *c);
uint64_t sim_conn_latency(struct sim_conn *c);
/* Prepares an end that @owner on @node is going to hold. */
void sim_end_open(struct hf_stream *s, struct sim_node *node, const void *owner);
/* @err reaches @s at @at_us, if the way is open then. */
void sim_end_fail(struct hf_stream *s, int err, uint64_t at_us);
/* When @len bytes sent now reach @to. */
uint64_t sim_wire_arrival(struct hf_stream *to, size_t len);
/* How many of @len bytes a fault lets through to @to; it strikes behind them. */
size_t sim_wire_passes(struct hf_stream *to, size_t len);
void sim_wire_strike(struct hf_stream *to);
/* What was held may move: called when a way may have opened. */
void sim_conn_kick(struct sim_conn *c);
/* Both directions stand: called at the server's side of the connection. */
void sim_conn_free_if_done(struct sim_conn *c);
/* The listener of @node for @at, or NULL. */
struct hf_listener *sim_listener_find(struct sim_node *node, const struct hf_addr *at);
/* A call has arrived; the listener offers it to its owner now or later. */
void sim_listener_offer(struct hf_listener *l, struct sim_conn *c);

#endif
