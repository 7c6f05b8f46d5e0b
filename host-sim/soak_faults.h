/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fault budget: every kind of fault that soak injects, and that the product
 * promises to survive; nothing else. Which kinds a seed has is chosen first, so
 * that rare combinations come up too. `holdfast-sim budget` prints it as the
 * table of docs/SIMULATOR.md, and a test compares the two.
 */
#ifndef SIM_SOAK_FAULTS_H
#define SIM_SOAK_FAULTS_H

#include <stdio.h>

#include "plan.h"
#include "sim/rng.h"

struct sim_maker {
	struct sim_plan *plan;
	struct sim_rng rng; /* of the kind that is being added */
	uint64_t seed;
	unsigned part; /* of the plan: a day; each has draws of its own */
	uint64_t from_us, lasts_us;
	bool cached;		/* pages of content, and a precache */
	bool bulky;		/* large bodies: blobs, checkpoints */
	uint64_t faults_us[48]; /* when something breaks or works again */
	size_t faults_n;
};

struct sim_budget {
	const char *kind;    /* "link" */
	const char *faults;  /* what is injected, in words */
	const char *promise; /* what holds all the same, where it is not everything */
	unsigned percent;    /* of the seeds */
	unsigned bulky_percent;
	void (*add)(struct sim_maker *m);
};

/* Up to one without a kind. */
extern const struct sim_budget sim_budget[];

/* Draws for @kind, apart from all others of the seed. */
void sim_maker_turn(struct sim_maker *m, const char *kind);
struct sim_step *sim_maker_add(struct sim_maker *m, enum sim_do what, uint64_t at_us);
uint64_t sim_maker_moment(struct sim_maker *m);
/* Which device and which origin @s is about, where there are several. */
void sim_maker_place(struct sim_maker *m, struct sim_step *s);
void sim_soak_faults(struct sim_maker *m);
/* As a table in Markdown. */
void sim_budget_print(FILE *out);

#endif
