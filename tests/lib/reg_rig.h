/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both managers of sync registrations over the queue rig. The worker "kiosk" is
 * of origin 0. What an event does goes by the first letter of its tag: 'p' page,
 * 'q' a request, else a refresh of "/<tag>".
 */
#ifndef HF_TESTS_REG_RIG_H
#define HF_TESTS_REG_RIG_H

#include "lib/queue_rig.h"
#include "sync/periodic.h"

struct regrig {
	struct qrig q;
	struct hf_tags *tags;
	struct hf_periodic *periodic;
	struct hf_periodic_sync what; /* its conditions hold for every tag */
	struct hf_periodic_sync declared[4];
	size_t declared_n;
	struct hf_buf told;	 /* "tag state\n" of both */
	uint64_t last_fired_ms;	 /* device time of the last event that began */
	unsigned fired, wakeups; /* events, and moments at which there were some */
	char event[40];		 /* of the last one for a page */
	unsigned saved;		 /* times that device time was saved */
	/* Round the loading of the registrations; NULL: nothing. */
	void (*before_start)(void), (*after_start)(void);
	int err; /* of the last change, 1: not done */
};

void regrig_init(struct regrig *r);
void regrig_finish(struct regrig *r);
void regrig_restart(struct regrig *r);
/* Settled as far as the store goes; the error of the call or of its end. */
int regrig_sync(struct regrig *r, const char *tag);
int regrig_periodic(struct regrig *r, const char *tag, uint64_t min_interval_ms);
int regrig_leave(struct regrig *r, const char *tag); /* a periodic one */
/* Of the registration of a tag; .state NULL: there is none. */
struct hf_periodic_figures regrig_figures(struct regrig *r, const char *tag);
struct hf_tag_figures regrig_tag(struct regrig *r, const char *tag);
/* Saves device time, as the agent does now and then. */
void regrig_save_time(struct regrig *r);
/* What was told since the last call. */
const char *regrig_told(struct regrig *r);
/* How many requests origin 0 has taken. */
unsigned regrig_hits(struct regrig *r);

#endif
