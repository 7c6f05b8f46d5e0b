/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads on their way through the proxy: hop-by-hop fields end here, Via and
 * Forwarded are added, and names of the origin and of the panel's side are put
 * in each other's place, so that a browser can live behind it.
 */
#ifndef HF_FETCH_FORWARD_H
#define HF_FETCH_FORWARD_H

#include "holdfast/port.h"
#include "http/message.h"

struct hf_forward {
	struct hf_span scheme, authority; /* the origin's: "https", "shop.example" */
	struct hf_span host;		  /* the panel's Host; empty: none was sent */
	const struct hf_peer *peer;	  /* NULL: a request of our own */
	struct hf_span identity;	  /* by which the peer is known; empty: its address */
	const char *proto;		  /* NULL: http */
};

/* A request that has been through us already (RFC 9110 section 7.6.3). */
bool hf_forward_is_loop(const struct hf_fields *fields);
/* @in as the panel sent it (target in origin-form) to @out as the origin gets it:
 * Host is the origin's, an Origin or Referer of the panel's own side becomes the
 * origin's. The field list is @arena's, most spans stay @in's. Upgrade is kept
 * except to h2c and TLS, which would be a second way past this reader. */
int hf_forward_request(const struct hf_forward *fw, const struct hf_message *in,
		       struct hf_arena *arena, struct hf_message *out);
/* A field that only Holdfast says: "Holdfast-...". */
bool hf_forward_is_ours(struct hf_span name);
/* @in as the origin sent it to @out as the panel gets it: Location and
 * Content-Location that name the origin name the panel's host instead, cookies
 * lose a Domain that is the origin's, fields that are ours are dropped. */
int hf_forward_response(const struct hf_forward *fw, const struct hf_message *in,
			struct hf_arena *arena, struct hf_message *out);
/* The same for the fields of an answer that was stored. */
int hf_forward_stored(const struct hf_forward *fw, struct hf_fields *fields);
/* Fields with the same spans, the list in @arena with room for @more. */
int hf_forward_fields(const struct hf_fields *in, size_t more, struct hf_arena *arena,
		      struct hf_fields *out);
/* Takes "respond-async" and "wait" out of Prefer: they were honoured here. */
int hf_forward_without_prefer(struct hf_fields *fields);

#endif
