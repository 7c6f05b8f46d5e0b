/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct hf_port over the simulated world. Jobs run on the world's thread, at
 * an event of their own; what they did to the disk decides how much later
 * their done comes. A power cut may fall inside a job.
 */
#ifndef SIM_PORT_H
#define SIM_PORT_H

#include "base/list.h"
#include "holdfast/port.h"
#include "sim/rng.h"
#include "sim/world.h"

struct sim_device;

/* Deviations from an honest port, for tests of the tests. */
struct sim_port_lies {
	/* A job of the store is reported done when it begins: what it writes reaches
	 * the disk only in the time after that. */
	bool done_before_run;
	bool never_metered;	 /* whatever the link costs */
	bool boot_time_is_wall;	 /* it jumps with the wall clock */
	uint64_t wakes_every_us; /* whatever was asked for; 0: not */
};

/* One queue of jobs: a thread of its own, as far as time goes. */
struct sim_jobs {
	struct sim_port *port;
	struct hf_job *first, **last; /* submitted; the first may have run */
	bool first_has_run;
	struct sim_event ev;
};

struct sim_port {
	struct hf_port port; /* first */
	struct sim_device *dev;
	struct sim_rng rng;
	uint8_t boot_id[16];
	struct sim_event ev_wake, ev_link, ev_clock, ev_late_cut, ev_settled;
	struct sim_jobs queues[HF_JOB_QUEUES];
	uint64_t job_write_us, job_sync_us, job_byte_ns; /* what a job costs */
	struct sim_port_lies lies;
	struct hf_list watches; /* struct hf_watch */
	int fds;		/* descriptors of libraries so far */
	/* How the guest has answered the world. */
	uint64_t wakes, jobs, ready, progress;
};

void sim_port_init(struct sim_port *p, struct sim_device *dev);
/* A new life, no events. The last guest has freed all it had. @same_boot: only
 * the process is new, not the boot id. */
void sim_port_boot(struct sim_port *p, bool same_boot);
/* No event comes any more. */
void sim_port_silence(struct sim_port *p);
void sim_port_finish(struct sim_port *p);
/* It has watch too: for a library that the simulator has an implementation of. */
void sim_port_watches(struct hf_port *port);
/* @fd is readable: inside of an event. */
void sim_port_readable(struct hf_port *port, int fd);
/* Events of the world, on a later turn. */
void sim_port_tell_link(struct sim_port *p);
void sim_port_tell_clock(struct sim_port *p);

#endif
