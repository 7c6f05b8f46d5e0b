/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches holdfastd from outside, by what any page can ask it: its event
 * stream, its status, and its list of requests. Goes on asking while it is off.
 */
#ifndef LIVE_WATCH_H
#define LIVE_WATCH_H

#include "live/call.h"
#include "live/journal.h"

struct live_watch {
	struct live_bench *bench;
	struct live_journal *journal;
	/* Its status has come, or it has stopped answering. */
	void (*changed)(void *user);
	void *user;
	struct live_client client;
	struct live_call events, status, list, record;
	struct hf_timer ask, listen;
	struct hf_buf stream; /* of the event stream, up to a whole event */
	bool serves;	      /* the last status was answered */
	bool listening;	      /* the event stream runs */
	cJSON *last;	      /* the last status, NULL: none */
	uint64_t depth, held; /* by the last status */
	char asked[256];      /* key of the order whose record is being asked for */
};

void live_watch_init(struct live_watch *w, struct live_bench *b, struct live_journal *j,
		     uint16_t port, void (*changed)(void *user), void *user);
void live_watch_finish(struct live_watch *w);

#endif
