/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/link.h"

#include "sim/device.h"

static void change(struct sim_device *dev, enum sim_link state)
{
	struct sim_node *n = dev->node;
	bool up = state != SIM_LINK_DOWN && state != SIM_LINK_BARE;

	if (state == dev->link.state)
		return;
	dev->link.state = state;
	dev->link.changes++;
	n->bare = state == SIM_LINK_BARE;
	n->black_hole = state == SIM_LINK_DEAD;
	n->captive = state == SIM_LINK_CAPTIVE;
	if (n->link_up != up)
		sim_device_link(dev, up);
	else
		sim_device_network_changed(dev);
}

static void flap_due(void *user)
{
	struct sim_device *dev = user;
	bool up = dev->link.state == SIM_LINK_DOWN;

	change(dev, up ? SIM_LINK_UP : SIM_LINK_DOWN);
	sim_event_in(dev->world, &dev->link.ev_flap,
		     up ? dev->link.flap_up_us : dev->link.flap_down_us);
}

void sim_link_init(struct sim_device *dev)
{
	dev->link.state = SIM_LINK_UP;
	sim_event_init(&dev->link.ev_flap, flap_due, dev);
}

void sim_link_finish(struct sim_device *dev)
{
	sim_event_clear(dev->world, &dev->link.ev_flap);
}

void sim_link_set(struct sim_device *dev, enum sim_link state)
{
	dev->link.flap_down_us = dev->link.flap_up_us = 0;
	sim_event_clear(dev->world, &dev->link.ev_flap);
	change(dev, state);
}

void sim_link_flap(struct sim_device *dev, uint64_t down_us, uint64_t up_us)
{
	sim_link_set(dev, SIM_LINK_UP);
	dev->link.flap_down_us = down_us;
	dev->link.flap_up_us = up_us;
	sim_event_in(dev->world, &dev->link.ev_flap, 0);
}

void sim_link_metered(struct sim_device *dev, bool metered)
{
	bool before = dev->node->metered;

	dev->node->metered = metered;
	if (before && !metered)
		sim_device_network_changed(dev);
}
