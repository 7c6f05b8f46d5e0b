/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened, line by line: "<time> <who>: <what>". Every line goes into a
 * running hash, so that two runs can be compared bit by bit without keeping
 * them; with @out set the lines are also printed.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdint.h>
#include <stdio.h>

struct sim_trace {
	uint64_t hash;
	uint64_t lines;
	FILE *out; /* NULL: the hash only */
};

void sim_trace_init(struct sim_trace *t, FILE *out);
void sim_trace_line(struct sim_trace *t, uint64_t now_us, const char *who, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
