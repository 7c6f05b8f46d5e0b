/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link of a device and what can be wrong with it: no carrier, a carrier
 * through which nothing comes or that gives no address, a portal's network, or
 * one of these again and again. What crosses a metered link is counted.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world.h"

struct sim_device;

enum sim_link {
	SIM_LINK_DOWN, /* no carrier */
	SIM_LINK_UP,
	SIM_LINK_DEAD,	  /* carrier, but nothing comes through */
	SIM_LINK_CAPTIVE, /* a login page answers everything */
	SIM_LINK_BARE,	  /* carrier, and no address */
};

struct sim_link_faults {
	enum sim_link state;
	uint64_t flap_down_us, flap_up_us; /* 0: it does not flap */
	unsigned changes;
	struct sim_event ev_flap;
};

void sim_link_init(struct sim_device *dev);
void sim_link_finish(struct sim_device *dev);
/* Ends flapping. */
void sim_link_set(struct sim_device *dev, enum sim_link state);
/* The agent hears of the end of it, as of another way to the network. */
void sim_link_metered(struct sim_device *dev, bool metered);
/* Down and up again and again, beginning with down. */
void sim_link_flap(struct sim_device *dev, uint64_t down_us, uint64_t up_us);

#endif
