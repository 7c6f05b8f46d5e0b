/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three sensors beside the demo kiosk: each makes a reading every four seconds and hands
 * them over, one after another, to holdfastd's coap-listen, for the demo meter. A message
 * is repeated until it is answered; then the reading begins anew, under the same key.
 */
#ifndef LIVE_SENSORS_H
#define LIVE_SENSORS_H

#include <cjson/cJSON.h>

#include "live/meter.h"

struct live_sensors;

/* @port: holdfastd's. */
struct live_sensors *live_sensors_create(struct live_bench *b, uint16_t port,
					 void (*changed)(void *user), void *user);
void live_sensors_destroy(struct live_sensors *s);
/* A list, each with what it has made, what holdfastd has taken and the meter has. */
cJSON *live_sensors_json(const struct live_sensors *s, const struct live_meter_figures *f);

#endif
