/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold after a run, one file per property. A check reads the ledger
 * and the stage, which see the product from outside only.
 */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include "stage.h"

struct sim_check {
	const char *name;    /* "accounted-for" */
	const char *promise; /* in words */
	/* False: broken; @why says how, in one line. */
	bool (*holds)(const struct sim_stage *s, char *why, size_t size);
};

/* Each answered 2xx (202 among them) has had its effect, was cancelled, or is held
 * or dead with a reason. */
extern const struct sim_check sim_check_accounted;
/* No order has had a second effect, no order has changed its key. */
extern const struct sim_check sim_check_effects;
/* What reached the origin is what the panel sent. */
extern const struct sim_check sim_check_intact;
/* In each lane: what was accepted before another was sent had its effect
 * before it. */
extern const struct sim_check sim_check_order;
/* One that waits for another one reaches the origin when that one is delivered. */
extern const struct sim_check sim_check_after;
/* The page gets the origin's answer for each 202. */
extern const struct sim_check sim_check_answers;
/* After the faults everything was delivered in hours. */
extern const struct sim_check sim_check_progress;
/* The agent's peak of memory, and the most while nobody asked it. */
extern const struct sim_check sim_check_memory;
/* Bytes written against what was kept. */
extern const struct sim_check sim_check_writes;
/* Periodic sync: once in an interval, not before it, and on when all is well. */
extern const struct sim_check sim_check_periodic;
/* The idle hour at the end. */
extern const struct sim_check sim_check_rest;
/* No damage is told of where the medium was in order. */
extern const struct sim_check sim_check_damage;
/* Pages: whole, as new as they must be, of one release, the origin's own. */
extern const struct sim_check sim_check_pages_whole;
extern const struct sim_check sim_check_pages_fresh;
extern const struct sim_check sim_check_one_release;
extern const struct sim_check sim_check_no_strangers;
/* What pages hear of resources that they observe. */
extern const struct sim_check sim_check_values;
/* State machines keep to their tables. */
extern const struct sim_check sim_check_moves;
/* No stream, listener or file is left behind, and nobody spins. */
extern const struct sim_check sim_check_tidy;

/* The medium has damaged the store of its device, which says so: it may be lost. */
bool sim_check_excused(const struct sim_stage *s, const struct sim_order *o);

/* All of them, up to a NULL. */
extern const struct sim_check *const sim_checks[];

#endif
