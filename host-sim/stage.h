/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a run: one kiosk with its panel, one shop, a connectivity
 * check and a captive portal, on one network in one world.
 */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "actors/ledger.h"
#include "actors/origin.h"
#include "actors/panel.h"
#include "sim/device.h"
#include "sim/dns.h"
#include "sim/net.h"
#include "sim/world.h"

#define SIM_CONFIG_PATH	  "/etc/holdfast/holdfast.conf"
#define SIM_MANIFEST_PATH "/etc/holdfast/kiosk.worker.json"

enum sim_link {
	SIM_LINK_DOWN, /* no carrier */
	SIM_LINK_UP,
	SIM_LINK_DEAD,	  /* carrier, but nothing comes through */
	SIM_LINK_CAPTIVE, /* a login page answers everything */
};

struct sim_stage {
	struct sim_world world;
	struct sim_net net;
	struct sim_dns dns;
	struct sim_ledger ledger;
	struct sim_device *kiosk;
	struct sim_panel *panel;
	struct sim_origin *shop, *check, *portal;
	enum sim_link link;
	unsigned link_changes;
};

struct sim_stage_options {
	uint64_t seed;
	FILE *trace;	      /* NULL: none */
	const char *config;   /* NULL: the default one */
	const char *manifest; /* NULL: the default one */
	const struct sim_guest_ops *guest;
};

void sim_stage_init(struct sim_stage *s, const struct sim_stage_options *opt);
void sim_stage_finish(struct sim_stage *s);
void sim_stage_link(struct sim_stage *s, enum sim_link link);
/* Ends every fault: link and shop work, the power is on, no cut is set. */
void sim_stage_heal(struct sim_stage *s);

#endif
