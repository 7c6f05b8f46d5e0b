/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sensor beside a device: hands its readings over by CoAP, one after another, each a
 * confirmable message that is repeated until it is acknowledged, a long one block by
 * block (RFC 7252, RFC 7959). What it sends is an order in the ledger; 2.01 is its 202.
 *
 * One with keys of its own begins a reading anew, under the same key, until it has been
 * taken; another one gives it up with the last repetition, or when it is told to begin
 * again, since another message has another key. The power of the device is not its own.
 */
#ifndef SIM_SENSOR_H
#define SIM_SENSOR_H

#include "actors/ledger.h"
#include "sim/device.h"

struct sim_sensor;

struct sim_sensor_stats {
	unsigned taken, given_up, refused; /* readings */
	unsigned again;			   /* messages that were sent again */
	unsigned echoes, restarts;	   /* asked for an Echo; bodies begun anew */
};

struct sim_sensor *sim_sensor_create(struct sim_device *dev, struct sim_ledger *ledger,
				     const char *name, uint32_t ipv4, bool keys);
void sim_sensor_destroy(struct sim_sensor *s);
const char *sim_sensor_name(const struct sim_sensor *s);
/* The air between it and the device has the faults of its node. */
struct sim_node *sim_sensor_node(struct sim_sensor *s);
struct sim_order *sim_sensor_send(struct sim_sensor *s, const char *origin, const char *method,
				  const char *path, const char *body);
bool sim_sensor_idle(const struct sim_sensor *s);
const struct sim_sensor_stats *sim_sensor_stats(const struct sim_sensor *s);

#endif
