/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold after a run, one file per property. A check reads the ledger
 * and the stage, which see the product from outside only.
 */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include "stage.h"

struct sim_check {
	const char *name;    /* "nothing-lost" */
	const char *promise; /* in words */
	/* False: broken; @why says how, in one line. */
	bool (*holds)(const struct sim_stage *s, char *why, size_t size);
};

/* Each answered 2xx (202 among them) has had its effect. */
extern const struct sim_check sim_check_delivered;
/* No order has had a second effect, no order has changed its key. */
extern const struct sim_check sim_check_effects;
/* What reached the origin is what the panel sent. */
extern const struct sim_check sim_check_intact;
/* In each lane: what was accepted before another was sent had its effect
 * before it. */
extern const struct sim_check sim_check_order;
/* The page gets the origin's answer for each 202. */
extern const struct sim_check sim_check_answers;
/* No stream, listener or file is left behind, and nobody spins. */
extern const struct sim_check sim_check_tidy;

/* All of them, up to a NULL. */
extern const struct sim_check *const sim_checks[];

#endif
