/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks of a device: boot time counts from its last start; the wall clock
 * shows what the device believes. Without a battery it starts at a floor after
 * each boot and is set right some seconds after the link is up.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "holdfast/port.h"
#include "sim/world.h"

enum sim_clock_fault {
	SIM_CLOCK_RIGHT, /* synchronised, now */
	SIM_CLOCK_AHEAD, /* jumps so many microseconds */
	SIM_CLOCK_BACK,
	SIM_CLOCK_LATE,		 /* synchronises so long after the link is up */
	SIM_CLOCK_BATTERY,	 /* keeps its time without power, from the next boot on */
	SIM_CLOCK_BATTERY_AHEAD, /* the same, but wrong by so much until it is synchronised */
	SIM_CLOCK_BATTERY_BACK,
};

struct sim_clock {
	struct sim_world *world;
	int64_t epoch_ms;	/* true Unix time at the beginning of the world */
	int64_t floor_ms;	/* what a boot without battery shows */
	uint64_t sync_after_us; /* from link up to synchronised */
	bool has_battery;
	int64_t battery_error_ms; /* what the battery keeps, minus true time */
	uint64_t booted_us;	  /* world time of the last boot */
	int64_t error_ms;	  /* wall clock minus true time */
	enum hf_clock_trust trust;
};

void sim_clock_init(struct sim_clock *c, struct sim_world *world);
void sim_clock_boot(struct sim_clock *c);
uint64_t sim_clock_boot_us(const struct sim_clock *c);
int64_t sim_clock_wall_ms(const struct sim_clock *c);
int64_t sim_clock_true_ms(const struct sim_clock *c);
/* @us as the fault needs it. True: the wall clock has changed. */
bool sim_clock_worsen(struct sim_clock *c, enum sim_clock_fault fault, uint64_t us);
/* NTP has answered: the wall clock is right. */
void sim_clock_sync(struct sim_clock *c);

#endif
