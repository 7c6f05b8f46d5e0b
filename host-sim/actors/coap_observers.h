/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who observes resources of a CoAP server (RFC 7641): each change goes to them as a
 * confirmable message, until one of them refuses it or is not heard of any more.
 */
#ifndef SIM_COAP_OBSERVERS_H
#define SIM_COAP_OBSERVERS_H

#include "coap/con.h"
#include "sim/net.h"

struct sim_coap_observers {
	struct sim_world *world;
	struct hf_datagrams *datagrams;
	struct sim_rng *rng;
	uint16_t *mid; /* the server's last one */
	struct hf_list list;
};

/* A representation: its options, and the bytes of their values. */
struct sim_coap_value {
	struct hf_coap_head head;
	char bytes[2][4];
};

void sim_coap_value(struct sim_coap_value *v, struct sim_world *w, bool observed);
void sim_coap_observers_finish(struct sim_coap_observers *o);
/* A GET of @path from @peer: it may begin or end an observation. True: it observes now. */
bool sim_coap_observers_take(struct sim_coap_observers *o, const struct hf_addr *peer,
			     const struct hf_coap_message *m, const char *path);
void sim_coap_observers_tell(struct sim_coap_observers *o, const char *path, const char *text);
/* An acknowledgement, or a reset, of the message @mid. */
void sim_coap_observers_heard(struct sim_coap_observers *o, const struct hf_addr *peer,
			      const struct hf_coap_message *m);

#endif
