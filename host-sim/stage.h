/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a run: the devices with their panels and the origins of a cast,
 * a connectivity check, a captive portal and a stranger, on one network in one
 * world.
 */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "actors/ledger.h"
#include "actors/origin.h"
#include "actors/panel.h"
#include "actors/sensor.h"
#include "cast.h"
#include "sim/device.h"
#include "sim/dns.h"
#include "sim/net.h"
#include "sim/world.h"
#include "witness.h"

#define SIM_CONFIG_PATH	  "/etc/holdfast/holdfast.conf"
#define SIM_MANIFEST_PATH "/etc/holdfast/kiosk.worker.json"

/* What the devices did in an idle hour, each at most so much: old answers, lanes
 * without any, and the time. */
#define SIM_REST_WAKES 2
#define SIM_REST_JOBS  4
#define SIM_REST_BYTES 16384
#define SIM_REST_CALLS 0
/* Of a device with periodic sync: time is saved each minute at most, and a window
 * looked at; and for each fetch. */
#define SIM_PERIODIC_WAKES 75
#define SIM_PERIODIC_JOBS  75
#define SIM_PERIODIC_BYTES 1048576
#define SIM_VISIT_WAKES	   30
#define SIM_VISIT_JOBS	   12
#define SIM_VISIT_BYTES	   32768

/* Of a device with pages: last uses are stored some time after them, and what is missing
 * of a precache is asked for again, within an hour at the latest. */
#define SIM_INSTALL_WAKES 8
#define SIM_INSTALL_JOBS  24
#define SIM_INSTALL_BYTES 262144
#define SIM_INSTALL_CALLS 8

struct sim_rest {
	bool looked;
	uint64_t wakes, jobs, bytes, calls; /* of the device that did most */
	uint64_t visits;		    /* of periodic sync, which are work */
};

struct sim_stage {
	struct sim_world world;
	struct sim_net net;
	struct sim_dns dns;
	struct sim_ledger ledger;
	/* The first of each kind. */
	struct sim_device *kiosk;
	struct sim_panel *panel;
	struct sim_origin *shop;
	struct sim_device **devices;
	struct sim_panel **operators; /* at each device's control socket */
	struct sim_witness *witnesses;
	size_t devices_n;
	/* First one of each device, in their order, then the others. */
	struct sim_panel **panels;
	const char **panel_names; /* NULL: a device's own */
	size_t panels_n;
	struct sim_sensor *sensors[SIM_SENSORS_MAX];
	size_t sensors_n;
	struct sim_origin *origins[SIM_ORIGINS_MAX];
	size_t origins_n;
	struct sim_origin *check, *portal, *stranger;
	bool periodic; /* the manifest has periodic sync */
	struct sim_rest rest;
	uint64_t well_us;  /* when all faults ended for good, 0: they have not */
	uint64_t drain_us; /* from the end of all faults until nothing waited */
	bool drained;	   /* false: after all faults had ended something still waited */
};

struct sim_stage_options {
	uint64_t seed;
	FILE *trace;		     /* NULL: none */
	const struct sim_cast *cast; /* NULL: kiosk, panel, shop */
	size_t fleet;		     /* devices with a number as their name instead, 0: none */
	const char *config;	     /* NULL: the default one */
	const char *manifest;	     /* NULL: the default one */
	const struct sim_guest_ops *guest;
};

void sim_stage_init(struct sim_stage *s, const struct sim_stage_options *opt);
void sim_stage_finish(struct sim_stage *s);
/* By name; NULL: the first. NULL when there is none of that name. */
struct sim_device *sim_stage_device(const struct sim_stage *s, const char *name);
size_t sim_stage_device_index(const struct sim_stage *s, const char *name);
struct sim_origin *sim_stage_origin(const struct sim_stage *s, const char *name);
/* The panel called @name, or, NULL, the one of @device. */
struct sim_panel *sim_stage_panel(const struct sim_stage *s, const char *name, const char *device);
struct sim_panel *sim_stage_operator(const struct sim_stage *s, const char *device);
/* From the @i-th on, the first one called @name; NULL: the first at all. NULL when there is
 * none. */
struct sim_sensor *sim_stage_sensor(const struct sim_stage *s, const char *name, size_t *i);
/* Power on for every device. */
void sim_stage_boot(struct sim_stage *s);
/* Power off for every device, and a second for what follows. */
void sim_stage_shut_down(struct sim_stage *s);
/* The link of @dev costs by the byte from now on, or no more. */
void sim_stage_metered(struct sim_stage *s, struct sim_device *dev, bool metered);
/* The origins have another release of the app, and the devices' manifests; the agents
 * start anew with them. */
void sim_stage_release(struct sim_stage *s, unsigned release);
/* Ends every fault: links and origins work, the power is on, no cut is set. */
void sim_stage_heal(struct sim_stage *s);
/* Of all devices' disks together. */
void sim_stage_disk_stats(const struct sim_stage *s, struct sim_disk_stats *out);

#endif
