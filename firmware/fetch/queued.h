/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to fetch/: a request whose route queues it.
 *
 *   COLLECT   its body arrives: into memory, or into a blob of the store
 *   AFTER     complete; the request that it waits for is being read
 *   TURN      waits for its turn in the lane, then for its token
 *   LIVE      an attempt runs, nothing of its answer has been passed on; one that
 *             was refused waits for another token
 *   PASS      the origin's answer streams to the page
 *   ADMIT     the queue takes it
 *   WATCH     accepted; Prefer: wait keeps the answer open
 *   LOAD      settled meanwhile; the stored answer is being read
 *   REPLY     an answer of ours goes out
 *   CLOSING   waits for the store to give back what it still holds
 *
 * When the panel leaves after its body was read, the request goes on without
 * it from AFTER to the end of ADMIT.
 */
#ifndef HF_FETCH_QUEUED_H
#define HF_FETCH_QUEUED_H

#include "fetch/body_send.h"
#include "fetch/body_spool.h"
#include "fetch/event.h"
#include "http/values.h"
#include "queue/after.h"

enum hf_queued_state {
	HF_QUEUED_COLLECT,
	HF_QUEUED_AFTER,
	HF_QUEUED_TURN,
	HF_QUEUED_LIVE,
	HF_QUEUED_PASS,
	HF_QUEUED_ADMIT,
	HF_QUEUED_WATCH,
	HF_QUEUED_LOAD,
	HF_QUEUED_REPLY,
	HF_QUEUED_CLOSING,
};

struct hf_queued {
	struct hf_event ev;
	struct hf_arena arena;
	uint8_t state; /* enum hf_queued_state */
	unsigned origin;
	struct hf_policy policy; /* a copy: the manifest may change meanwhile */
	struct hf_peer peer;
	struct hf_forward forward;
	struct hf_message stored;   /* end-to-end, without Host and key: what is kept */
	struct hf_message live;	    /* as it goes to the origin */
	struct hf_message response; /* as it goes to the page */
	struct hf_span key;
	struct hf_span identity; /* of the credential */
	struct hf_prefer prefer;
	struct hf_span after_field; /* Holdfast-After; empty: it waits for nobody, or no more */
	struct hf_after after;
	uint8_t after_depth;
	uint64_t parent;
	uint64_t opened_ms;
	bool has_body; /* the panel announced one, maybe of no bytes */

	struct hf_spool spool;
	struct hf_turn turn;
	bool has_turn;
	bool down; /* nothing was tried because the origin is not reachable */

	struct hf_transport *transport;
	struct hf_exchange *exchange;
	struct hf_body_send body;
	int status; /* of the origin's answer, 0: none */
	bool retried_now;
	uint32_t credential_version; /* of this attempt */
	struct hf_token_wait token;  /* the attempt waits for it: in TURN or LIVE */
	bool renewed;		     /* a 401 has had another token got */

	struct hf_admission admission;
	struct hf_watch watch;
	bool watching;
	struct hf_timer timer; /* "100 Continue" in COLLECT, the wait in WATCH */
	struct hf_store_load load;
	bool loading;
	struct hf_reply *reply;
	bool receiving; /* as ingress wants it */
};

void hf_queued_move(struct hf_queued *q, enum hf_queued_state to);
/* Ends the request's work; frees it when the store has nothing of it left. */
void hf_queued_close(struct hf_queued *q);
/* Frees it if it is CLOSING and nothing of it is under way. */
void hf_queued_release(struct hf_queued *q);
/* Answers with a problem, or closes when nobody listens. */
void hf_queued_refuse(struct hf_queued *q, const struct hf_problem *p);
/* The exchange is over: by its own end, or given up here. */
void hf_queued_leave_exchange(struct hf_queued *q);
void hf_queued_give_back(struct hf_queued *q);

/* It takes its turn in the lane. */
void hf_queued_take_turn(struct hf_queued *q);

/* queued_after.c. Holdfast-After of the panel's request: 0; HF_EINVAL with @p;
 * HF_ENOMEM. */
int hf_queued_after_read(struct hf_queued *q, const struct hf_fields *fields, struct hf_problem *p);
/* The body is complete: reads the other one, then takes the turn. */
void hf_queued_after(struct hf_queued *q);
/* The queue did not take it, because of the other: false, not because of that. */
bool hf_queued_after_refused(int err, struct hf_problem *p);

/* queued_live.c */
void hf_queued_try_live(struct hf_queued *q);

/* queued_answer.c: into the queue, with what the live attempt taught. */
void hf_queued_admit(struct hf_queued *q, const struct hf_verdict *v, bool maybe_received);
void hf_queued_reply(struct hf_queued *q, struct hf_reply *r);
void hf_queued_on_timer(struct hf_queued *q);

#endif
