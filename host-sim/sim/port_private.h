/* SPDX-License-Identifier: Apache-2.0 */
/* What port.c and port_net.c share. */
#ifndef SIM_PORT_PRIVATE_H
#define SIM_PORT_PRIVATE_H

#include "sim/device.h"

static inline struct sim_port *sim_port_of(struct hf_port *port)
{
	return (struct sim_port *)(void *)port;
}

static inline struct sim_device *sim_port_dev(struct hf_port *port)
{
	return sim_port_of(port)->dev;
}

static inline bool sim_port_is_on(struct hf_port *port)
{
	return sim_port_dev(port)->power == SIM_ON;
}

/* What is watched is never readable again. */
void sim_port_watches_silence(struct sim_port *p);
/* Streams, datagrams, names. */
void sim_port_net_init(struct hf_port *port);

#endif
