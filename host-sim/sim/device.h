/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device: power, disk, clocks, a place in the network, read-only files, and
 * a program (the guest) that reaches all of it through struct hf_port.
 *
 *   off --boot--> on --cut--> dying --(next event)--> off
 *                 on --kill-> dying --(next event)--> stopped --restart--> on
 *
 * A cut freezes the disk as it survives and makes every operation of the port
 * fail or do nothing. The guest is destroyed by the next event, so a cut may
 * come in the middle of its code; then the device is off. A kill ends the
 * guest alone: the disk keeps what was written, clocks and panels go on, and
 * the guest is started anew.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include "holdfast/port.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/dns.h"
#include "sim/heap.h"
#include "sim/link.h"
#include "sim/net.h"
#include "sim/port.h"
#include "sim/vfs.h"
#include "sim/world.h"

struct sim_device;

/* The program of a device. */
struct sim_guest_ops {
	/* Starts it over &dev->port.port; *guest may be NULL. */
	int (*boot)(struct sim_device *dev, void **guest);
	/* Frees it, as abrupt as the power cut that came before. */
	void (*destroy)(void *guest);
};

/* Who wants to know: panels (which lose power too), the story. */
struct sim_device_watch {
	struct hf_list item;
	/* @up false: the power has just gone; true: the guest is about to start. */
	void (*on_power)(void *user, bool up);
	/* The guest says that it serves. May be NULL. */
	void (*on_ready)(void *user);
	/* The wall clock has been set right. May be NULL. */
	void (*on_clock)(void *user, int64_t before_ms, int64_t after_ms);
	/* A line of the guest's log. May be NULL. */
	void (*on_log)(void *user, int level, const char *line);
	void *user;
};

enum sim_power {
	SIM_OFF,
	SIM_ON,
	SIM_DYING,
	SIM_STOPPED, /* powered, without the guest */
};

enum sim_process_fault {
	SIM_PROCESS_KILLED,
	SIM_PROCESS_HANGS,   /* hears nothing until the watchdog kills it */
	SIM_PROCESS_CRASHES, /* so many times, so long after each start */
};

struct sim_process_faults {
	uint64_t crashes; /* still to come */
	uint64_t crash_after_us;
	uint64_t restart_us; /* from the end of the process to its next start */
	uint64_t watchdog_us;
	uint64_t restarts; /* so far */
	bool hangs;	   /* until the watchdog ends it */
};

struct sim_device {
	struct sim_world *world;
	struct sim_net *net;
	struct sim_dns *dns;
	struct sim_node *node;
	struct sim_disk *disk;
	struct sim_vfs *vfs;
	struct sim_clock clock;
	struct sim_link_faults link;
	struct sim_process_faults process;
	struct sim_heap heap;
	struct sim_port port;
	char name[32];
	enum sim_power power;
	bool killed; /* dying, but not for want of power */
	const struct sim_guest_ops *guest_ops;
	void *guest;
	int boot_err; /* of the last boot, 0: the guest runs */
	unsigned boots;
	uint64_t reboot_after_us; /* from a cut to the next boot; SIM_NEVER: by hand */
	uint64_t next_boot_cut;	  /* disk operation of the next boot that is cut, 0: none */
	/* Between power on and the guest's start, from the second boot on; may
	 * change the disk. NULL: nothing. */
	void (*before_boot)(struct sim_device *dev);
	unsigned leaks; /* what guests left open, in all lives */
	struct hf_list watches;
	struct hf_list files; /* struct device_file, read-only */
	struct sim_event ev_off, ev_boot, ev_sync, ev_crash;
};

/* Off, with an empty disk. @ipv4 is its address on the network. */
struct sim_device *sim_device_create(struct sim_world *world, struct sim_net *net,
				     struct sim_dns *dns, const char *name, uint32_t ipv4,
				     const struct sim_guest_ops *guest_ops);
/* Destroys the guest too. */
void sim_device_destroy(struct sim_device *dev);

/* A read-only file of the device, as the port's file_read gives it. */
void sim_device_file(struct sim_device *dev, const char *path, const char *text);
/* NULL when there is none. */
const char *sim_device_file_text(const struct sim_device *dev, const char *path);
/* Calls @each for every file of @dir, by name; stops at non-zero. */
int sim_device_files(struct sim_device *dev, const char *dir,
		     int (*each)(void *user, const char *path), void *user);
void sim_device_watch(struct sim_device *dev, struct sim_device_watch *watch);
void sim_device_unwatch(struct sim_device_watch *watch);

/* Power on. No effect unless off. */
void sim_device_boot(struct sim_device *dev);
/* Power off, now. No effect unless on. */
void sim_device_cut(struct sim_device *dev);
/* Power off at the @nth disk operation from now, and, when @again is not 0, at
 * that operation of the boot after it. */
void sim_device_cut_at(struct sim_device *dev, uint64_t nth, uint64_t again);
/* The guest ends as by SIGKILL, or ends itself. No effect unless on. */
void sim_device_kill(struct sim_device *dev, const char *why);
/* @times and @us as the fault needs them. */
void sim_device_process(struct sim_device *dev, enum sim_process_fault fault, uint64_t times,
			uint64_t us);
/* The wall clock; guest and watches hear of it. */
void sim_device_clock(struct sim_device *dev, enum sim_clock_fault fault, uint64_t us);
/* There is power: a panel can be touched. */
bool sim_device_is_lit(const struct sim_device *dev);
/* The cable; link.h has the rest. */
void sim_device_link(struct sim_device *dev, bool up);
/* A line of the trace that people read, for sim_disk_on_op(); @user: the device. */
void sim_device_see_disk(void *user, const char *op, const char *path, uint64_t at, size_t len);
/* After node->black_hole or node->captive was changed. */
void sim_device_network_changed(struct sim_device *dev);

#endif
