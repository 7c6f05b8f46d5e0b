/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a name to a connected channel: look-up, then the race of addresses
 * (Happy Eyeballs, RFC 8305): families alternate, the next address is tried
 * CONFIG_HF_HAPPY_EYEBALLS_DELAY_MS after the one before or at once when that
 * one failed, the first success wins and closes the others.
 *
 * While nothing answers at all, a fresh attempt joins each second, so that a
 * network that comes back is noticed within that time and not at the next
 * retransmission of an old SYN.
 *
 * A dialer belongs to one origin and keeps its addresses for at most 30 s,
 * unless a dial failed; the last address that worked serves when the look-up
 * fails or takes more than a second.
 */
#ifndef HF_NET_DIAL_H
#define HF_NET_DIAL_H

#include "base/list.h"
#include "base/log.h"
#include "base/timerq.h"
#include "net/channel.h"

#define HF_DIAL_ADDRS_MAX    8
#define HF_DIAL_ATTEMPTS_MAX 8
#define HF_DIAL_CACHE_MS     30000

struct hf_dialer {
	struct hf_port *port;
	struct hf_timerq *timers;
	char *host;
	uint16_t port_number;
	bool literal;				 /* @host is an address */
	struct hf_addr addrs[HF_DIAL_ADDRS_MAX]; /* in the order to try */
	size_t n;
	uint64_t addrs_until_ms;
	struct hf_addr good; /* the last that worked */
	bool has_good;
	struct hf_resolve *resolve; /* one look-up for all who wait */
	struct hf_list dials;	    /* running */
};

struct hf_dial_result {
	int err;		    /* 0, HF_EDNS, HF_ECONNREFUSED, HF_EUNREACH, HF_ETIMEDOUT... */
	struct hf_channel *channel; /* open, reading off; the receiver's to bind */
	struct hf_addr addr;	    /* of @channel */
	const char *detail;	    /* for people; valid during the call */
};

struct hf_dial;

struct hf_dial_attempt {
	struct hf_dial *dial;
	struct hf_channel *channel; /* NULL: free */
	size_t addr;
	uint64_t order;
};

/* One running dial, embedded in its owner. */
struct hf_dial {
	struct hf_dialer *dialer;
	struct hf_list node;
	void (*done)(void *user, const struct hf_dial_result *result);
	void *user;
	struct hf_addr addrs[HF_DIAL_ADDRS_MAX];
	bool failed[HF_DIAL_ADDRS_MAX];
	size_t n, next;
	struct hf_dial_attempt attempts[HF_DIAL_ATTEMPTS_MAX];
	uint64_t order;
	struct hf_timer timer;
	bool resolving;
	int err; /* the most telling failure so far */
	char detail[192];
};

/* @host is kept as a copy. HF_ENOMEM. */
int hf_dialer_init(struct hf_dialer *d, struct hf_port *port, struct hf_timerq *timers,
		   const char *host, uint16_t port_number);
/* No dial may run. */
void hf_dialer_finish(struct hf_dialer *d);
/* Addresses are forgotten: the next dial looks the name up. */
void hf_dialer_forget(struct hf_dialer *d);
/* Addresses are forgotten and running dials begin anew on fresh sockets. */
void hf_dialer_network_changed(struct hf_dialer *d);

/* @done comes once, never inside this call, unless cancelled. */
void hf_dial_start(struct hf_dial *dial, struct hf_dialer *d,
		   void (*done)(void *user, const struct hf_dial_result *result), void *user);
/* Also after the end. @dial was started before or is zeroed. */
void hf_dial_cancel(struct hf_dial *dial);
/* What it is at, for a timeout: "name look-up of x", "connect to 192.0.2.1:80". */
const char *hf_dial_phase(struct hf_dial *dial, bool *resolving);

#endif
