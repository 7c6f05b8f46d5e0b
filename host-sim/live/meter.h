/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo origin that speaks CoAP: takes readings with POST /readings over UDP, each key
 * once in effect. What it has done survives its being killed. A build without CoAP has
 * none.
 */
#ifndef LIVE_METER_H
#define LIVE_METER_H

#include "live/levers.h"

#define LIVE_SENSORS 3

struct live_meter_figures {
	unsigned arrivals, effects, repeated, duplicates;
	unsigned of[LIVE_SENSORS]; /* effects of each sensor's readings */
};

struct live_meter;

/* @changed: something has come. */
struct live_meter *live_meter_create(struct live_bench *b, uint16_t port,
				     void (*changed)(void *user), void *user);
void live_meter_destroy(struct live_meter *m);
/* The levers that concern it: link, portal, origin, mood, shaky. The errors of
 * hf_port.datagram_open. */
int live_meter_set(struct live_meter *m, const struct live_levers *l);
const struct live_meter_figures *live_meter_figures(const struct live_meter *m);

#endif
