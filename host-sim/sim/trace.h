/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened, line by line: "<time> <who>: <what>". Every line goes into a
 * running hash, so that two runs can be compared bit by bit without keeping
 * them; with @out set the lines are also printed. Each who has a hash of its own
 * lines too.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SIM_TRACE_WHO 64

struct sim_trace_who {
	char name[40];
	uint64_t hash;
};

struct sim_trace {
	uint64_t hash;
	uint64_t lines;
	FILE *out; /* NULL: the hash only */
	struct sim_trace_who who[SIM_TRACE_WHO];
	size_t who_n;
};

void sim_trace_init(struct sim_trace *t, FILE *out);
void sim_trace_line(struct sim_trace *t, uint64_t now_us, const char *who, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The hash of the lines of @who alone. */
uint64_t sim_trace_of(struct sim_trace *t, const char *who);

#endif
