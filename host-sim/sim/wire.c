/* SPDX-License-Identifier: Apache-2.0 */
/* When bytes come across, and whether: the faults of a node's network. */
#include "sim/conn.h"

#define RETRANSMIT_US	  (200 * SIM_US_PER_MS)
#define RETRANSMIT_MAX_US (30 * SIM_US_PER_S)
#define HEADERS_BYTES	  40 /* IP and TCP, in front of each segment */

static const struct sim_net_faults *faults_of(const struct sim_conn *c)
{
	return &c->end[0].node->faults;
}

static void count_metered(struct sim_node *n, size_t len)
{
	if (n && n->metered)
		n->metered_bytes += len + HEADERS_BYTES;
}

/* Each loss costs a retransmission, the next one twice as long. */
static uint64_t lost_time(struct sim_conn *c)
{
	uint64_t us = 0, wait = RETRANSMIT_US;

	while (wait < RETRANSMIT_MAX_US && sim_rng_chance(&c->fate, faults_of(c)->loss_percent)) {
		us += wait;
		wait *= 2;
	}
	return us;
}

uint64_t sim_wire_arrival(struct hf_stream *to, size_t len)
{
	struct sim_conn *c = to->conn;
	const struct sim_net_faults *f = faults_of(c);
	uint64_t at = c->net->world->now_us;

	if (c->loopback)
		return at + sim_conn_latency(c);
	count_metered(c->end[0].node, len);
	count_metered(c->end[1].node, len);
	if (f->bytes_per_s) {
		if (to->wire_until_us > at)
			at = to->wire_until_us;
		at += len * SIM_US_PER_S / f->bytes_per_s;
		to->wire_until_us = at;
	}
	at += sim_conn_latency(c) + f->latency_us;
	if (f->jitter_us)
		at += sim_rng_below(&c->fate, f->jitter_us + 1);
	if (f->loss_percent)
		at += lost_time(c);
	return at;
}

static bool strikes(const struct hf_stream *to)
{
	const struct sim_conn *c = to->conn;
	const struct sim_net_faults *f = faults_of(c);

	if (c->loopback || (f->breaks != SIM_NET_RESETS && f->breaks != SIM_NET_STALLS))
		return false;
	return to == &c->end[f->direction == SIM_UPLOADS ? 1 : 0];
}

size_t sim_wire_passes(struct hf_stream *to, size_t len)
{
	uint64_t at = faults_of(to->conn)->at_byte;

	if (to->lost || !strikes(to) || to->passed + len <= at)
		return len;
	return at > to->passed ? (size_t)(at - to->passed) : 0;
}

void sim_wire_strike(struct hf_stream *to)
{
	struct sim_conn *c = to->conn;
	uint64_t now = c->net->world->now_us;

	c->end[0].node->struck_us = now;
	if (faults_of(c)->breaks == SIM_NET_STALLS) {
		to->lost = true;
		return;
	}
	to->broken = true;
	sim_end_peer(to)->broken = true;
	sim_end_fail(to, HF_ECONNRESET, now + sim_conn_latency(c));
	sim_end_fail(sim_end_peer(to), HF_ECONNRESET, now + sim_conn_latency(c));
}

static void forget(struct sim_node *n)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &n->net->conns) {
		struct sim_conn *c = hf_container_of(it, struct sim_conn, item);

		if (c->loopback || c->end[0].node != n)
			continue;
		c->end[0].lost = c->end[1].lost = true;
		n->struck_us = n->net->world->now_us;
	}
}

void sim_net_worsen(struct sim_node *n, enum sim_net_fault fault, uint64_t value,
		    enum sim_direction direction)
{
	struct sim_net_faults *f = &n->faults;

	switch (fault) {
	case SIM_NET_NORMAL:
		*f = (struct sim_net_faults){ 0 };
		n->net->fragments = false;
		break;
	case SIM_NET_LATENCY:
		f->latency_us = value;
		break;
	case SIM_NET_JITTER:
		f->jitter_us = value;
		break;
	case SIM_NET_LOSS:
		f->loss_percent = (unsigned)value;
		break;
	case SIM_NET_BANDWIDTH:
		f->bytes_per_s = value;
		break;
	case SIM_NET_FORGETS:
		forget(n);
		break;
	case SIM_NET_RESETS:
	case SIM_NET_STALLS:
		f->breaks = fault;
		f->direction = direction;
		f->at_byte = value;
		break;
	case SIM_NET_FRAGMENTS:
		n->net->fragments = true;
		break;
	case SIM_NET_DOUBLES:
		f->double_percent = (unsigned)value;
		break;
	}
}
