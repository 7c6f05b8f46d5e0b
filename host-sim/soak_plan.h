/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of a seed: orders and faults (soak_faults.h has the budget), of one
 * device or a few. In the end everything works again, and a person looks after
 * what was held or given up.
 */
#ifndef SIM_SOAK_PLAN_H
#define SIM_SOAK_PLAN_H

#include "plan.h"

/* @days 0: up to half an hour, crowded with faults. Else so many days of all
 * devices together, with such a time in each day. */
void sim_soak_plan(uint64_t seed, unsigned days, struct sim_plan *plan);
/* That seed has an origin that speaks CoAP, or sensors, or both. */
bool sim_soak_is_coap(uint64_t seed);
/* The origin of that seed speaks TLS. */
bool sim_soak_is_secure(uint64_t seed);

#endif
