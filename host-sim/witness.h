/* SPDX-License-Identifier: Apache-2.0 */
/* What a device's log says, kept for checks and expectations. */
#ifndef SIM_WITNESS_H
#define SIM_WITNESS_H

#include "base/buf.h"
#include "sim/device.h"

struct sim_witness {
	struct sim_device_watch watch;
	struct sim_device *dev;
	struct hf_buf log; /* the lines, up to a limit */
	uint64_t *lives;   /* counted with each start of the process; NULL: nowhere */
	unsigned damage;   /* times it told of a damaged or vanished store */
	char first_damage[160];
};

void sim_witness_init(struct sim_witness *w, struct sim_device *dev);
void sim_witness_finish(struct sim_witness *w);
/* A line with @text in it has been logged. */
bool sim_witness_saw(const struct sim_witness *w, const char *text);

#endif
