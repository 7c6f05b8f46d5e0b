/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attempt's end means: every combination of status, transport end and
 * policy has one verdict, the same for the first try and for replay. A pure
 * function; the table is in outcome.c and in docs/PROTOCOL.md.
 */
#ifndef HF_QUEUE_OUTCOME_H
#define HF_QUEUE_OUTCOME_H

#include "holdfast/policy.h"
#include "holdfast/port.h"
#include "http/transport.h"
#include "store/records.h"

/* X(name, text): why a record waits, is held or dead; text is seen in JSON, the
 * place in the list is what is stored */
#define HF_REASONS(X)                                                               \
	X(NONE, "")                                                                 \
	X(NETWORK, "network")	      /* origin not reachable */                    \
	X(CAPTIVE, "captive-portal")  /* a box between answered */                  \
	X(CLOCK, "clock")	      /* certificate dates need a set clock */      \
	X(BACKOFF, "backoff")	      /* transient answer */                        \
	X(RETRY_AFTER, "retry-after") /* the origin named a time */                 \
	X(AMBIGUOUS, "ambiguous")     /* may have arrived, may not be repeated */   \
	X(KEY_EXPIRED, "key-expired") /* may have arrived, key no longer valid */   \
	X(AUTH, "auth")		      /* 401 */                                     \
	X(PAYMENT, "payment")	      /* 402 */                                     \
	X(REDIRECT, "redirect")	      /* 3xx that must not be followed */           \
	X(UNEXPECTED, "unexpected-status")                                          \
	X(CERTIFICATE, "certificate")	/* refused for another reason than dates */ \
	X(SERVER_ERROR, "server-error") /* the same 500 again and again */          \
	X(CONFLICT, "conflict")		/* 409 that does not go away */             \
	X(REJECTED, "rejected")		/* permanent 4xx or 5xx */                  \
	X(EXPIRED, "expired")		/* older than maxAgeSeconds */              \
	X(ORIGIN_GONE, "origin-gone")	/* not in the configuration any more */     \
	X(DAMAGED, "damaged")		/* the stored request cannot be read */     \
	X(OPERATOR, "operator")                                                     \
	X(ORIGIN_FULL, "origin-full")	/* 507 */                                   \
	X(DISPLACED, "displaced")	/* a later one came in its place */         \
	X(IDENTITY, "identity")		/* it was accepted for someone else */      \
	X(CREDENTIAL, "credential")	/* there is no token to send it with */     \
	X(AFTER, "after")		/* the one it waits for is not delivered */ \
	X(AFTER_FAILED, "after-failed") /* that one was given up or cancelled */    \
	X(AFTER_VALUE, "after-value")	/* its answer has not what was asked for */

enum hf_reason {
#define HF_REASON_ENUM(name, text) HF_REASON_##name,
	HF_REASONS(HF_REASON_ENUM)
#undef HF_REASON_ENUM
};
const char *hf_reason_name(uint8_t reason);
/* A wait for it goes by the origin's time: nothing but a person ends it early. */
static inline bool hf_reason_binds(uint8_t reason)
{
	return reason == HF_REASON_RETRY_AFTER || reason == HF_REASON_ORIGIN_FULL;
}

enum hf_action {
	HF_ACTION_DELIVERED, /* settle with this answer */
	HF_ACTION_DEAD,	     /* settle as dead with this answer, if any */
	HF_ACTION_HOLD,	     /* a person or a condition must release it */
	HF_ACTION_RETRY,     /* after delay_ms, or back-off when 0; counted */
	HF_ACTION_RETRY_NOW, /* at once on a fresh connection; counted */
	HF_ACTION_FOLLOW,    /* 307, 308: same method and body to Location */
	HF_ACTION_WAIT,	     /* for connectivity, portal or clock, with delay_ms so long;
			      * not counted */
};

struct hf_attempt {
	const struct hf_policy *policy;
	struct hf_span method;
	bool tls;		    /* the origin is https */
	struct hf_span origin_host; /* as in its URL, for Location */
	uint16_t origin_port;
	const struct hf_exchange_result *result;
	const struct hf_message *head; /* final response head, NULL: none */
	uint32_t body_hash;	       /* of the answer's body, for equal 500s */
	/* before this attempt */
	const struct hf_record_state *state;
	bool retried_now; /* the attempt was itself a RETRY_NOW */
	uint64_t device_now_ms;
	enum hf_clock_trust trust; /* for Retry-After dates */
	int64_t wall_ms;
	uint32_t retry_after_max_s;
};

struct hf_verdict {
	enum hf_action action;
	enum hf_reason reason;
	uint64_t delay_ms;
	bool captive; /* tell connectivity */
};

void hf_outcome_classify(const struct hf_attempt *a, struct hf_verdict *out);

#endif
