/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A firing: one sync event of one tag, from its dispatch to its end or its time
 * limit, by what the manifest says that the event does.
 */
#ifndef HF_SYNC_FIRING_H
#define HF_SYNC_FIRING_H

#include "holdfast/sync_action.h"
#include "sync/sync.h"
#include "sync/tag_state.h"

struct hf_firing;

struct hf_firing_world {
	const struct hf_sync_options *sync;
	/* The @n-th lane in which requests of @tag are queued, NULL: no more. */
	const char *(*lane)(void *user, unsigned worker, struct hf_span tag, unsigned n,
			    bool *family);
	void *user;
};

struct hf_firing_end {
	enum hf_tag_event event; /* SUCCESS, FAILURE, OFFLINE */
	enum hf_tag_why why;
	int status;	   /* of the answer, 0: none */
	uint64_t delay_ms; /* the origin named the time, 0: it did not */
};

struct hf_firing_job {
	unsigned worker, origin;
	struct hf_span tag;
	const struct hf_sync_action *action;
	uint64_t key;	     /* random, of the registration */
	uint32_t generation; /* of the registration */
};

/* @world, @job's tag and action stay until done, which comes on a later turn.
 * HF_ENOMEM. */
int hf_firing_start(const struct hf_firing_world *world, const struct hf_firing_job *job,
		    void (*done)(void *user, const struct hf_firing_end *end), void *user,
		    struct hf_firing **out);
/* Ends it; done does not come. NULL is fine. */
void hf_firing_destroy(struct hf_firing *f);
/* Until its time limit. */
uint64_t hf_firing_left_ms(const struct hf_firing *f);
/* By which a page speaks of this event: HF_FIRING_ID_LEN random characters. */
#define HF_FIRING_ID_LEN 32
const char *hf_firing_id(const struct hf_firing *f);
/* A page says how it ended. HF_ESTATE: no page is asked. */
int hf_firing_settle(struct hf_firing *f, bool success);
const char *hf_firing_kind_name(enum hf_sync_kind kind);

#endif
