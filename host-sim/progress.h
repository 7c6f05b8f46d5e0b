/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a long run is, in one line that is written over and over: only where a
 * person looks, at a terminal.
 */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sim_progress {
	FILE *out; /* NULL: nobody looks */
	const char *what;
	uint64_t n; /* in all */
	double begun_s, shown_s;
};

/* To @out when it is a terminal. */
void sim_progress_begin(struct sim_progress *p, FILE *out, const char *what, uint64_t n);
/* @done of them are; @note NULL or a few words. Not more than some times a second. */
void sim_progress_show(struct sim_progress *p, uint64_t done, const char *note);
/* The line goes away: before anything else is written, and at the end. */
void sim_progress_clear(struct sim_progress *p);

/* "soak [#####-----] 500 of 1000, 4 s left". */
void sim_progress_line(char *out, size_t size, const char *what, uint64_t done, uint64_t n,
		       double took_s);
/* Seconds of a clock that only goes forward. */
double sim_real_s(void);

#endif
