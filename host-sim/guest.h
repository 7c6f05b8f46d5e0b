/* SPDX-License-Identifier: Apache-2.0 */
/* Holdfast as the program of a simulated device: hf_agent over its port. */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include "sim/device.h"

extern const struct sim_guest_ops sim_guest_holdfast;

#endif
