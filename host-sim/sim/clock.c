/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clock.h"

#include <string.h>

#define EPOCH_MS INT64_C(1792821600000) /* 2026-10-24 06:00 UTC, a Saturday */
#define FLOOR_MS INT64_C(1790000000000) /* a month before: the build date */

void sim_clock_init(struct sim_clock *c, struct sim_world *world)
{
	memset(c, 0, sizeof(*c));
	c->world = world;
	c->epoch_ms = EPOCH_MS;
	c->floor_ms = FLOOR_MS;
	c->sync_after_us = 6 * SIM_US_PER_S;
}

int64_t sim_clock_true_ms(const struct sim_clock *c)
{
	return c->epoch_ms + (int64_t)(c->world->now_us / SIM_US_PER_MS);
}

void sim_clock_boot(struct sim_clock *c)
{
	c->booted_us = c->world->now_us;
	c->error_ms = c->has_battery ? c->battery_error_ms : c->floor_ms - sim_clock_true_ms(c);
	c->trust = c->has_battery ? HF_CLOCK_RTC : HF_CLOCK_UNSET;
}

uint64_t sim_clock_boot_us(const struct sim_clock *c)
{
	return c->world->now_us - c->booted_us;
}

int64_t sim_clock_wall_ms(const struct sim_clock *c)
{
	return sim_clock_true_ms(c) + c->error_ms;
}

void sim_clock_sync(struct sim_clock *c)
{
	c->error_ms = 0;
	c->battery_error_ms = 0; /* the kernel writes it back */
	c->trust = HF_CLOCK_SYNCED;
}

bool sim_clock_worsen(struct sim_clock *c, enum sim_clock_fault fault, uint64_t us)
{
	switch (fault) {
	case SIM_CLOCK_RIGHT:
		sim_clock_sync(c);
		return true;
	case SIM_CLOCK_AHEAD:
		c->error_ms += (int64_t)(us / SIM_US_PER_MS);
		return true;
	case SIM_CLOCK_BACK:
		c->error_ms -= (int64_t)(us / SIM_US_PER_MS);
		return true;
	case SIM_CLOCK_LATE:
		c->sync_after_us = us;
		return false;
	case SIM_CLOCK_BATTERY:
	case SIM_CLOCK_BATTERY_AHEAD:
	case SIM_CLOCK_BATTERY_BACK:
		c->has_battery = true;
		c->battery_error_ms = (int64_t)(us / SIM_US_PER_MS);
		if (fault == SIM_CLOCK_BATTERY_BACK)
			c->battery_error_ms = -c->battery_error_ms;
		return false;
	}
	return false;
}
