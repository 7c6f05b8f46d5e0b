/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Name look-up from a node: the names are those of the nodes, "localhost" and
 * numbers. Without a way to the outside it fails: at once without a link,
 * after some seconds of silence behind a black hole. What else is wrong with it
 * is in the node's sim_dns_faults (net.h).
 */
#ifndef SIM_DNS_H
#define SIM_DNS_H

#include "sim/net.h"

struct sim_dns {
	struct sim_net *net;
	struct hf_list running;
	uint64_t latency_us;	     /* of an answer */
	const struct sim_node *liar; /* whose address a lie gives; NULL: none */
};

void sim_dns_init(struct sim_dns *dns, struct sim_net *net);
int sim_resolve(struct sim_dns *dns, struct sim_node *from, const char *host, hf_resolve_done *done,
		void *user, struct hf_resolve **out);
void sim_resolve_cancel(struct hf_resolve *r);
/* Look-ups from @node do not report any more (its power went); only cancel is
 * left. */
void sim_dns_silence(struct sim_dns *dns, const struct sim_node *node);

#endif
