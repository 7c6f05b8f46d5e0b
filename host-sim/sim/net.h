/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network: nodes (devices and hosts) with one link each to a common
 * middle, and byte streams between them. The stream contract is that of
 * struct hf_port; actors use the same calls, so a panel or an origin is
 * written like the agent.
 *
 * Bytes take the latency of both links, in order. While the way between two
 * nodes is closed (link down, a black hole, power off, another side of a
 * captive portal) nothing arrives: bytes are held as TCP would hold them,
 * arrive some time after the way is open again, and after 15 minutes the
 * stream times out. A connection attempt meets the state of the world when
 * it arrives: no route, refused, or silence.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "base/list.h"
#include "holdfast/port.h"
#include "sim/rng.h"
#include "sim/world.h"

enum sim_dns_mode {
	SIM_DNS_WORKS,
	SIM_DNS_FAILS, /* no such name */
	SIM_DNS_SLOW,
	SIM_DNS_LIES, /* the address of somebody else */
};

/* What is wrong with the names that a node looks up. */
struct sim_dns_faults {
	enum sim_dns_mode mode;
	uint64_t slow_us;
};

enum sim_net_fault {
	SIM_NET_NORMAL,	 /* ends all of them */
	SIM_NET_LATENCY, /* microseconds more, one way */
	SIM_NET_JITTER,	 /* up to so many more */
	SIM_NET_LOSS, /* percent of the segments come a retransmission later, of datagrams never */
	SIM_NET_BANDWIDTH, /* bytes a second, each way of a connection */
	SIM_NET_FORGETS,   /* connections that stand now go silent, for ever */
	SIM_NET_RESETS,	   /* each connection breaks at a byte */
	SIM_NET_STALLS,	   /* each connection goes silent one way at a byte */
	SIM_NET_FRAGMENTS, /* a write may arrive in pieces, on every connection */
	SIM_NET_DOUBLES,   /* percent of the datagrams come twice */
};

enum sim_direction {
	SIM_UPLOADS, /* from who called */
	SIM_ANSWERS,
};

/* What is wrong with the calls of a node, loopback apart. */
struct sim_net_faults {
	uint64_t latency_us, jitter_us;
	unsigned loss_percent, double_percent;
	uint64_t bytes_per_s;	   /* 0: no limit */
	enum sim_net_fault breaks; /* SIM_NET_RESETS, SIM_NET_STALLS, else not */
	enum sim_direction direction;
	uint64_t at_byte;
};

struct sim_net {
	struct sim_world *world;
	struct hf_list nodes;
	struct hf_list conns;
	struct hf_list packets;	     /* datagrams on their way */
	struct sim_node *portal;     /* who answers a captive node's calls; may be NULL */
	bool fragments;		     /* a write may arrive in pieces */
	struct sim_node *by_ip[256]; /* found last, by the last byte of its address */
	struct sim_node *by_name;    /* found last */
};

struct sim_node {
	struct hf_list item;
	struct sim_net *net;
	char name[64];	     /* also its DNS name */
	struct hf_addr addr; /* IPv4, port 0 */
	bool powered;
	bool link_up;	     /* carrier and address */
	bool bare;	     /* carrier only */
	bool black_hole;     /* the link is up but nothing comes through */
	bool captive;	     /* every call ends at the portal */
	uint64_t latency_us; /* one way, of its link */
	uint64_t jitter_us;
	uint16_t last_port;
	uint64_t calls;	  /* made from here; each has draws of its own */
	uint64_t refused; /* calls from other nodes that nobody listened for */
	struct sim_dns_faults dns;
	bool lied; /* its names have led to somebody else */
	struct sim_net_faults faults;
	bool metered;
	uint64_t struck_us; /* when bytes or a connection of it were last stopped on their way */
	uint64_t metered_bytes; /* that crossed its link while it was metered */
	struct hf_list listeners;
	/* datagram.h */
	bool local; /* beside the devices: their links do not matter */
	struct hf_list sockets;
	unsigned sockets_n, sockets_opened;
	uint64_t datagrams; /* sent from here beyond what is local */
};

void sim_net_init(struct sim_net *net, struct sim_world *world);
/* Every stream and listener must be closed. Frees the nodes. */
void sim_net_finish(struct sim_net *net);

/* Owned by the net; powered, link up. @name is copied. */
struct sim_node *sim_node_add(struct sim_net *net, const char *name, uint32_t ipv4);
struct sim_node *sim_node_at(struct sim_net *net, const struct hf_addr *at);
struct sim_node *sim_node_by_name(struct sim_net *net, const char *name);
/* After a change of a node's powered, link_up, black_hole or captive: what was
 * held moves again where the way is open. */
void sim_net_changed(struct sim_net *net);
/* @fault begins for the calls of @n; @value and @direction as it needs. */
void sim_net_worsen(struct sim_node *n, enum sim_net_fault fault, uint64_t value,
		    enum sim_direction direction);
/* True when bytes can pass between the two. */
bool sim_net_open(const struct sim_node *a, const struct sim_node *b, bool via_portal);

/* The streams, listeners and sockets for datagrams of @owner (as given to connect and listen) fall
 * silent: no event, no byte, only close is left. @reset: their peers are told
 * (the process died), else not (the power went). */
void sim_net_silence(struct sim_net *net, const void *owner, bool reset);
/* Streams, listeners and sockets for datagrams of @owner that are not closed. */
size_t sim_net_count(const struct sim_net *net, const void *owner);

/* ---- streams: contracts as in struct hf_port ---- */

int sim_stream_connect(struct sim_node *node, const void *owner, const struct hf_addr *to,
		       const struct hf_stream_events *events, void *user, struct hf_stream **out);
void sim_stream_accept(struct hf_stream *s, const struct hf_stream_events *events, void *user);
void sim_stream_read(struct hf_stream *s, bool on);
ptrdiff_t sim_stream_write(struct hf_stream *s, const void *data, size_t len);
void sim_stream_shutdown(struct hf_stream *s);
void sim_stream_close(struct hf_stream *s, bool abort);
int sim_stream_peer(struct hf_stream *s, struct hf_peer *out);
/* Chance for one end of one connection: the draws of @domain ("think") depend on
 * who called and on how many calls it had made, not on what others do. */
void sim_stream_rng(const struct hf_stream *s, const char *domain, struct sim_rng *out);

int sim_listen(struct sim_node *node, const void *owner, const struct hf_addr *at,
	       const struct hf_listener_events *events, void *user, struct hf_listener **out);
void sim_listener_close(struct hf_listener *l);
void sim_listener_accept(struct hf_listener *l, bool on);
void sim_listener_addr(const struct hf_listener *l, struct hf_addr *out);

/* "127.0.0.1:8480" or a path; static storage per call site is the caller's. */
const char *sim_addr_text(const struct hf_addr *a, char out[128]);
struct hf_addr sim_addr_ipv4(uint32_t ip, uint16_t port);

#endif
