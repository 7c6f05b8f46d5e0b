/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run looked like over time, for its report: the states of power, link,
 * clock and origins, the attempts of each order, bytes written, moments worth a
 * mark. It looks at the stage when time is about to move on and listens to the
 * watches; it sets no event and traces nothing, so the run is the same with and
 * without it.
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include "report/bands.h"

/* A request for an order that has reached an origin. */
struct sim_attempt {
	uint64_t at_us;
	int status; /* 0: the answer got lost */
	bool effect;
};

struct sim_attempts {
	struct sim_attempt *v;
	size_t n, cap;
};

enum sim_mark_kind {
	SIM_MARK_CUT,
	SIM_MARK_READY, /* the agent serves */
	SIM_MARK_PAGE,
	SIM_MARK_NO_PAGE,
};

struct sim_mark {
	uint64_t at_us;
	enum sim_mark_kind kind;
	unsigned n;	  /* of the boot; of a page: its status, 0: none */
	const char *name; /* of the device, NULL: of none or the only one */
};

struct sim_written {
	uint64_t at_us;
	uint64_t bytes;
};

/* Listens to one device. */
struct sim_record_device {
	struct sim_record *record;
	struct sim_device *dev;
	struct sim_device_watch watch;
};

struct sim_record {
	struct sim_stage *stage;
	struct sim_ledger_watch ledger_watch;
	struct sim_record_device devices[SIM_DEVICES_MAX];
	bool running;
	uint64_t end_us; /* of the plan, or, when that is later, of what was seen of it */
	struct sim_bands bands;
	struct sim_attempts *orders; /* by number, from 0 */
	size_t orders_n, orders_cap;
	struct sim_mark *marks;
	size_t marks_n, marks_cap;
	uint64_t bytes; /* written so far */
	struct sim_written *written;
	size_t written_n, written_cap;
};

/* Before the stage's first boot. */
struct sim_record *sim_record_create(struct sim_stage *s);
/* The plan has been carried out; what follows is the look at it. NULL is fine. */
void sim_record_over(struct sim_record *r);
/* Nothing later is recorded. NULL is fine. */
void sim_record_stop(struct sim_record *r);
/* Before the stage is finished. NULL is fine. */
void sim_record_destroy(struct sim_record *r);

#endif
