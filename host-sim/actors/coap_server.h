/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CoAP side of an origin (RFC 7252, RFC 7959): puts requests together, block by
 * block, and says answers. A message that comes again within its life is answered as
 * the first time, without another request. An answer that takes longer than a second
 * follows the acknowledgement, and is repeated until it is acknowledged itself.
 */
#ifndef SIM_COAP_SERVER_H
#define SIM_COAP_SERVER_H

#include "http/message.h"
#include "sim/net.h"

struct sim_coap_server;
struct sim_coap_ask; /* a request that waits for its answer */

struct sim_coap_server_events {
	/* @msg and @body are valid during the call; sim_coap_answer comes later. What was
	 * "idempotency-key" in the query is the field Idempotency-Key. */
	void (*on_request)(void *user, struct sim_coap_ask *ask, const struct hf_message *msg,
			   struct hf_span body);
	/* What is at @path, to be observed; NULL: a request like others. */
	const char *(*on_look)(void *user, const char *path);
};

struct sim_coap_server *sim_coap_server_create(struct sim_node *node,
					       const struct sim_coap_server_events *events,
					       void *user);
/* What it has seen is forgotten. NULL is fine. */
void sim_coap_server_destroy(struct sim_coap_server *s);
/* What is at @path is another value now. */
void sim_coap_server_changed(struct sim_coap_server *s, const char *path);
/* @text is an HTTP answer, which is said in CoAP: what breaks off in its body ends behind
 * a block, what is none is sent as it is. NULL: nothing is ever said. */
void sim_coap_answer(struct sim_coap_ask *ask, const char *text);

#endif
