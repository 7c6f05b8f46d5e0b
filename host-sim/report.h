/* SPDX-License-Identifier: Apache-2.0 */
/* The table at the end of a run, and durations in words. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "stage.h"

struct sim_totals {
	unsigned sent, accepted, queued, refused, delivered, cancelled;
	unsigned waiting_or_lost, duplicated;
	bool order_kept;
	uint64_t longest_wait_us;
	unsigned cuts, outages;
	uint64_t bytes;
	unsigned pages, pages_failed;
};

void sim_totals(const struct sim_stage *s, struct sim_totals *out);
void sim_totals_print(FILE *out, const struct sim_totals *t, bool colour);
/* "1 h 27 min", "3.2 s", "43 ms". */
const char *sim_span_text(uint64_t us, char out[32]);

#endif
