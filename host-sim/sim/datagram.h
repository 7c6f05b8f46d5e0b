/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets for datagrams. What is sent takes the latency of both links; on its way it
 * gets lost, comes twice or later than what was sent after it, as the faults of the
 * network say (net.h): nobody holds it back until the way is open. A portal lets none
 * through. Where nobody listens, the sender hears so, as by ICMP.
 *
 * A node that is local (a sensor beside a device) reaches devices whatever becomes of
 * their link.
 */
#ifndef SIM_DATAGRAM_H
#define SIM_DATAGRAM_H

#include "sim/heap.h"
#include "sim/net.h"

struct hf_datagrams {
	struct hf_list item;
	struct sim_node *node;
	const void *owner;
	const struct hf_datagram_events *events;
	void *user;
	void (*on_refused)(void *user, const struct hf_addr *by); /* NULL: not wanted */
	struct hf_addr addr;
	struct sim_heap *heap; /* of the owner */
	bool silent;	       /* the owner is gone */
	unsigned busy;	       /* calls into the owner on the stack */
	bool closed;	       /* in one of them */
	struct sim_rng rng;
};

/* Contracts as in struct hf_port. */
int sim_datagram_open(struct sim_node *node, const void *owner, const struct hf_addr *at,
		      const struct hf_datagram_events *events, void *user,
		      struct hf_datagrams **out);
void sim_datagram_send(struct hf_datagrams *d, const struct hf_addr *to, const void *data,
		       size_t len);
void sim_datagram_close(struct hf_datagrams *d);
/* See sim_net_silence and sim_net_count. */
void sim_datagram_silence(struct sim_net *net, const void *owner);
size_t sim_datagram_count(const struct sim_net *net, const void *owner);
/* What is on its way is gone. */
void sim_datagram_finish(struct sim_net *net);

#endif
