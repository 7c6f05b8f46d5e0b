/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A confirmable message that is repeated until it is acknowledged (RFC 7252 section
 * 4.2), by whoever sends it: the agent's libcoap, an origin, a sensor.
 */
#ifndef SIM_COAP_CON_H
#define SIM_COAP_CON_H

#include "base/list.h"
#include "sensor/datagram.h"
#include "sim/rng.h"
#include "sim/world.h"

#define SIM_COAP_PORT		   5683
#define SIM_COAP_ACK_TIMEOUT_US	   (2 * SIM_US_PER_S)
#define SIM_COAP_MAX_RETRANSMIT	   4
#define SIM_COAP_EXCHANGE_LIFETIME (247 * SIM_US_PER_S)

struct sim_con {
	struct hf_list item;
	struct sim_event due;
	uint64_t timeout_us;
	unsigned again; /* repetitions so far */
	uint16_t mid;
	size_t len;
	char bytes[HF_COAP_DATAGRAM_MAX];
};

/* False: @m has no room. */
bool sim_con_init(struct sim_con *con, const struct hf_coap_message *m, void (*fire)(void *user),
		  void *user);
/* It has been sent for the first time; @chance: 0 to 999, of ACK_RANDOM_FACTOR. */
void sim_con_sent(struct sim_con *con, struct sim_world *w, unsigned chance);
/* It is due: true, it is to be sent again; false, it is given up. */
bool sim_con_again(struct sim_con *con, struct sim_world *w);
void sim_con_stop(struct sim_con *con, struct sim_world *w);

#endif
