/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replay: one record through one attempt, from lease to stored verdict.
 *
 *   take -> connect -> mark (durable) -> send -> answer -> classify -> store
 */
#ifndef HF_SYNC_REPLAY_H
#define HF_SYNC_REPLAY_H

#include "queue/lease.h"
#include "sync/sync.h"

struct hf_replay;

/* What an attempt has told of its origin. */
enum hf_replay_end {
	HF_REPLAY_NOT_TRIED,
	HF_REPLAY_ANSWERED,
	HF_REPLAY_PUSHED_BACK, /* no answer, or one that asks for less */
};

/* Takes the next record of @lane (READY) and tries it; @done when all of it is
 * over, the replay is gone then. HF_ENOMEM. */
int hf_replay_start(const struct hf_sync_options *opt, struct hf_lane *lane,
		    void (*done)(void *user, struct hf_replay *r, enum hf_replay_end end),
		    void *user, struct hf_replay **out);
/* Drops everything without an event, at closing down. */
void hf_replay_destroy(struct hf_replay *r);
struct hf_list *hf_replay_link(struct hf_replay *r);
struct hf_replay *hf_replay_from_link(struct hf_list *link);
struct hf_lane *hf_replay_lane(struct hf_replay *r);

#endif
