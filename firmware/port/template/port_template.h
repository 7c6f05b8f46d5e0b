/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port to start from: see port_template.c.
 */
#ifndef HF_PORT_TEMPLATE_H
#define HF_PORT_TEMPLATE_H

#include "holdfast/port.h"

struct hf_port_template {
	struct hf_port port; /* first, so that the port is found from it */
	uint64_t wake_ms;    /* what wake_at asked for */
	struct hf_job *jobs, **jobs_end;
};

void hf_port_template_init(struct hf_port_template *t);
/* One turn of the loop: what is due is delivered here and nowhere else. */
void hf_port_template_turn(struct hf_port_template *t);

#endif
