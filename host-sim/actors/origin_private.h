/* SPDX-License-Identifier: Apache-2.0 */
/* What origin.c (who calls) and origin_answers.c (what it says) share. */
#ifndef SIM_ORIGIN_PRIVATE_H
#define SIM_ORIGIN_PRIVATE_H

#include "actors/coap_server.h"
#include "actors/origin.h"
#include "actors/tokens.h"
#include "base/strmap.h"

/* One accepted connection, or one request over CoAP. */
struct sim_visitor {
	struct hf_list item;
	struct sim_origin *origin;
	struct sim_http http;
	struct sim_coap_ask *ask; /* over CoAP; else NULL */
	struct sim_event answer, idle;
	struct sim_rng think, fate; /* how long it takes; what goes wrong */
	char *reply; /* sent by answer; NULL: the connection is reset then, or nothing is said */
	struct sim_order *order; /* of the last answer */
	bool keep;
	bool dead;
};

struct sim_origin {
	struct sim_net *net;
	struct sim_world *world;
	struct sim_ledger *ledger;
	struct sim_node *node;
	enum sim_origin_kind kind;
	char name[32];
	enum sim_portal_kind portal;
	bool tls, speaks_coap;
	int64_t epoch_ms;
	enum sim_cert cert;
	struct sim_tls_server *servers[SIM_CERTS]; /* made when needed */
	struct sim_origin_mood mood;
	struct sim_tokens tokens;
	unsigned edition, release;
	struct hf_listener *listener;
	struct sim_coap_server *coap; /* in its place */
	uint64_t coap_requests;
	struct hf_list visitors;
	struct sim_event reap;
	uint64_t second; /* in which it has begun so many requests */
	unsigned begun;
	struct hf_strmap keys; /* Idempotency-Key -> the order it has led to */
};

/* Puts what it says to @msg into @v->reply. */
void sim_origin_answer(struct sim_visitor *v, const struct hf_message *msg, struct hf_span body);

/* It is gone, without a word. */
void sim_origin_forget(struct sim_visitor *v);
uint64_t sim_origin_think_us(struct sim_visitor *v);

/* origin_coap.c */
void sim_origin_coap_up(struct sim_origin *origin, bool up);
void sim_origin_coap_changed(struct sim_origin *origin, const char *path);

#endif
