/* SPDX-License-Identifier: Apache-2.0 */
/* What replay.c (the attempt) and replay_request.c (what is sent) share. */
#ifndef HF_SYNC_REPLAY_PRIVATE_H
#define HF_SYNC_REPLAY_PRIVATE_H

#include "sync/replay.h"

#define HF_REPLAY_FOLLOW_MAX	  5 /* redirects and renewed credentials */
#define HF_REPLAY_FAILED_DELAY_MS 5000

struct hf_replay {
	const struct hf_sync_options *opt;
	const struct hf_sync_origin *origin;
	struct hf_lease lease;
	struct hf_list link;
	void (*done)(void *user, struct hf_replay *r, enum hf_replay_end end);
	void *user;
	struct hf_arena arena; /* of one attempt */
	/* request */
	struct hf_message msg;
	struct hf_transport_request request;
	struct hf_exchange *exchange;
	struct hf_store_blob_read chunk;
	bool reading_chunk, sent_end;
	bool again;	       /* the next attempt waits for the chunk of this one */
	struct hf_span unsent; /* of the inline body or of the chunk */
	uint64_t body_left;    /* of the blob, behind unsent */
	bool gone;	       /* the transport was told to send */
	bool sent;	       /* a byte may have arrived, in any attempt */
	/* answer */
	bool has_head;
	struct hf_answer_head answer;
	struct hf_fields raw; /* with hop-by-hop fields: what is classified */
	struct hf_buf body;
	uint64_t dropped; /* body bytes past the limit */
	struct hf_timer timer;
	unsigned followed;
	struct hf_credential_value credential; /* of this attempt */
	struct hf_token_wait token;	       /* the next one waits for it */
	bool renewed;			       /* a 401 has had another token got */
	enum hf_replay_end told;
	/* the exchange ended while the mark was being stored */
	bool marking, end_waits;
	struct hf_lease_end end;
	struct hf_exchange_result result;
	bool over; /* finishes when the chunk read is back */
};

enum hf_replay_next {
	HF_REPLAY_END,	 /* with its verdict */
	HF_REPLAY_AGAIN, /* at once */
	HF_REPLAY_TOKEN, /* when r->token is told */
};

/* Fills r->msg. */
int hf_replay_build(struct hf_replay *r);
/* The credential of this attempt. False: it must not be made, the verdict says
 * what instead. */
bool hf_replay_bind(struct hf_replay *r, struct hf_verdict *v);
/* The attempt had an answer. When its credential was refused and another one can be
 * had, it goes again, once for each; a token is got anew for it once. @v: what
 * else becomes of it. */
enum hf_replay_next hf_replay_renew(struct hf_replay *r, struct hf_verdict *v);
/* The attempt ends with @v. */
void hf_replay_note_held(struct hf_replay *r, const struct hf_verdict *v);

#endif
