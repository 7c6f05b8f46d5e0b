/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources of the origin that are observed (RFC 7641), as Server-Sent Events.
 *
 * A GET whose Accept names text/event-stream becomes a listener. Those that ask for
 * the same share one observation: an exchange of our own registers it, and what
 * comes with its token is told to all. A listener that is held back hears the last
 * representation, not all between. When the last one goes it is deregistered.
 *
 * What a listener reads:
 *
 *   data: ...                 a representation that is text
 *   event: binary, data: ...  another, as base64
 *   event: stale              the origin is not heard of; it is asked again
 *   event: gone, data: 404    the origin has ended it; the stream ends
 */
#ifndef HF_COAP_OBSERVE_H
#define HF_COAP_OBSERVE_H

#include "coap/coap_internal.h"

/* Whether @msg asks for events. */
bool hf_coap_wants_events(const struct hf_message *msg);
/* @x, with its request mapped, becomes a listener; refused when there are too many
 * observations. HF_ENOMEM. */
int hf_coap_observe(struct hf_exchange *x);
/* What is due to the listener. */
void hf_coap_observe_step(struct hf_exchange *x);
/* A notification of an observation: true when it is one. */
bool hf_coap_observe_heard(struct hf_coap *t, const coap_pdu_t *pdu);
/* Does what is due of all observations. */
void hf_coap_observe_look(struct hf_coap *t);
/* The session is gone, and the origin's memory of us with it. */
void hf_coap_observe_lost(struct hf_coap *t);
/* The network may lead there again. */
void hf_coap_observe_again(struct hf_coap *t);
void hf_coap_observe_finish(struct hf_coap *t);

#endif
