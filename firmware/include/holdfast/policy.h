/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a queued request is to be delivered: declared by a route of the worker
 * manifest ("queue": {...}), stored with each record, so that a request keeps
 * the terms under which it was accepted when the manifest changes.
 */
#ifndef HOLDFAST_POLICY_H
#define HOLDFAST_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define HF_POLICY_EXPECT_MAX 8
#define HF_POLICY_NAME_MAX   255 /* bytes of tag, lane and header names */

enum hf_idempotency {
	HF_IDEMPOTENCY_KEYED,	   /* sent with a key the origin deduplicates by */
	HF_IDEMPOTENCY_IDEMPOTENT, /* repeating has no second effect by definition */
	HF_IDEMPOTENCY_ALWAYS,	   /* repeat whatever happens */
	HF_IDEMPOTENCY_NEVER,	   /* an ambiguous attempt is held for a person */
};

enum hf_order {
	HF_ORDER_BLOCK, /* strict FIFO: a held head stops the lane */
	HF_ORDER_SKIP,	/* pass over a held head */
};

enum hf_when_full {
	HF_WHEN_FULL_REJECT,	  /* the new one is refused */
	HF_WHEN_FULL_DROP_OLDEST, /* the oldest that is not being sent is cancelled */
};

struct hf_policy {
	char tag[HF_POLICY_NAME_MAX + 1];
	char lane[HF_POLICY_NAME_MAX + 1];
	char key_header[64]; /* "Idempotency-Key" */
	char credential[64]; /* of holdfast.conf, added when it is sent; "": none */
	bool key_quoted;     /* minted keys are sent as a structured-field string
			      * ("...", the IETF draft's form) instead of bare */
	enum hf_idempotency idempotency;
	enum hf_order order;
	uint32_t key_validity_s;     /* from the first attempt that may have arrived */
	uint32_t max_age_s;	     /* retention, from acceptance */
	uint32_t max_entries;	     /* waiting in the lane */
	enum hf_when_full when_full; /* with max_entries waiting */
	uint8_t urgency;	     /* of the lane: RFC 9218, section 4.1; 0: first, 7: last */
	uint16_t expect[HF_POLICY_EXPECT_MAX]; /* statuses that mean delivered */
	uint8_t expect_n;		       /* 0: every 2xx */
};

/* The defaults of docs/PROTOCOL.md. */
#define HF_POLICY_KEY_VALIDITY_S 86400
#define HF_POLICY_MAX_AGE_S	 604800
#define HF_POLICY_MAX_ENTRIES	 10000
#define HF_POLICY_URGENCY	 3
#define HF_POLICY_URGENCIES	 8

#endif
