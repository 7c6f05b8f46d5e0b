/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to a token endpoint (RFC 6749 sections 4.4.2 and 6), and what its
 * end means by the table of queue/outcome.h:
 *
 *   a token                                         GOT
 *   an OAuth error that time does not heal, 401     REFUSED
 *   everything else: no answer, 429 and 503 with    FAILED: again later
 *   their Retry-After, 5xx, an answer that is none
 *
 * It goes on a connection of its own: one that has idled may die with the
 * request on it, and a refresh token that was taken so is lost.
 */
#ifndef HF_SYNC_TOKEN_FETCH_H
#define HF_SYNC_TOKEN_FETCH_H

#include "base/log.h"
#include "base/rand.h"
#include "base/timerq.h"
#include "holdfast/port.h"
#include "http/transport.h"
#include "net/connectivity.h"
#include "queue/outcome.h"
#include "sync/token_answer.h"

#define HF_TOKEN_NO_ORIGIN UINT32_MAX
#define HF_TOKEN_WHY_SIZE  40

struct hf_token_fetch;

/* What all tokens of an agent share; filled before the first is asked for. */
struct hf_token_world {
	struct hf_port *port;
	struct hf_timerq *timers;
	struct hf_log *log;
	struct hf_rand *rand;
	struct hf_store *store;
	struct hf_connectivity *connectivity;
	uint32_t backoff_base_ms, backoff_cap_ms, retry_after_max_s;
	bool stopping; /* nothing new is begun */
	/* A token of @origin has come, or cannot be had for now: what waited for it
	 * may look again. NULL: nobody wants to know. */
	void (*settled)(void *user, unsigned origin);
	void *user;
};

struct hf_token_endpoint {
	struct hf_transport *transport;
	unsigned origin; /* that has this transport, HF_TOKEN_NO_ORIGIN: none */
	bool tls;
	struct hf_span host; /* of its URL */
	uint16_t port;
	struct hf_span authority; /* for the Host field */
	const char *target;
};

struct hf_token_request {
	struct hf_span client_id;
	struct hf_span secret;	/* ptr NULL: a public client */
	bool secret_in_body;	/* else Basic (RFC 6749 section 2.3.1) */
	struct hf_span refresh; /* ptr NULL: client credentials */
	const char *scope;	/* NULL: none */
};

enum hf_token_end {
	HF_TOKEN_GOT,
	HF_TOKEN_REFUSED,
	HF_TOKEN_FAILED,
};

struct hf_token_result {
	enum hf_token_end end;
	struct hf_token_answer answer; /* GOT; valid during the call */
	enum hf_reason reason;	       /* FAILED */
	uint64_t delay_ms;	       /* FAILED: Retry-After, 0: none */
	char why[HF_TOKEN_WHY_SIZE];   /* REFUSED, FAILED: a word for people, no secret */
};

/* @request's strings are not kept. @done comes on a later turn. HF_ENOMEM,
 * HF_ELIMIT. */
int hf_token_fetch_start(const struct hf_token_world *w, const struct hf_token_endpoint *e,
			 const struct hf_token_request *request,
			 void (*done)(void *user, const struct hf_token_result *result), void *user,
			 struct hf_token_fetch **out);
/* Cancels it; done does not come. NULL is fine. */
void hf_token_fetch_destroy(struct hf_token_fetch *f);

#endif
