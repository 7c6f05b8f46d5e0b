/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many devices and one origin: all of them are switched on, deliver an order,
 * lose the origin together, keep orders meanwhile, and find it again. What is
 * measured is what the origin sees from the moment it is back.
 */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include "report.h"

#define SIM_FLEET_MAX	     10000
#define SIM_FLEET_QUEUED_MAX 1000

struct sim_fleet_options {
	uint64_t seed;
	unsigned devices, queued; /* orders of each device while the origin is away */
	uint64_t outage_us;
	bool cables;		/* the devices' cables are down, not the origin */
	unsigned capacity;	/* requests that the origin takes in a second, 0: all */
	uint32_t retry_after_s; /* what it says beyond that, 0: nothing */
	/* So many of @n steps are done. NULL: nobody wants to know. */
	void (*progress)(void *user, uint64_t done, uint64_t n);
	void *user;
};

#define SIM_FLEET_TICK_US (100 * SIM_US_PER_MS)
#define SIM_FLEET_TICKS	  10 /* in a second */

/* What came to the origin in a tenth of a second. */
struct sim_fleet_tick {
	unsigned taken, refused;
};

struct sim_fleet_device {
	uint64_t first_us; /* its first request after the return; SIM_NEVER: none */
	uint64_t last_us;  /* and when its last order had its effect */
};

struct sim_fleet {
	struct sim_fleet_options opt;
	uint64_t away_us, back_us;    /* when the origin went and came back */
	uint64_t end_us;	      /* when nothing waited any more */
	bool drained;		      /* false: something waited for hours */
	struct sim_fleet_tick *ticks; /* since the return */
	size_t ticks_n, ticks_cap;
	struct sim_fleet_device *devices;
	uint64_t requests, refused; /* since the return */
	uint64_t kept;		    /* orders that waited when the origin came back */
	uint64_t knocks;	    /* calls that found nobody while it was away */
	size_t attempts_max;	    /* of one order */
	uint64_t device_bytes;	    /* of memory, the agent of the device that held most */
	struct sim_totals totals;
	uint64_t trace_hash, events;
};

/* Lost orders are in totals.waiting_or_lost. The caller ends with
 * sim_fleet_finish(). */
void sim_fleet_run(struct sim_fleet *f, const struct sim_fleet_options *opt);
void sim_fleet_finish(struct sim_fleet *f);

/* The @n ticks from @from on together. */
struct sim_fleet_tick sim_fleet_sum(const struct sim_fleet *f, size_t from, size_t n);

/* Of the second with most requests. */
unsigned sim_fleet_peak(const struct sim_fleet *f);
/* When that share of the devices had come back, since the return: 0.5 is the
 * median. SIM_NEVER: it had not. */
uint64_t sim_fleet_returned(const struct sim_fleet *f, double share);
bool sim_fleet_holds(const struct sim_fleet *f);

#endif
