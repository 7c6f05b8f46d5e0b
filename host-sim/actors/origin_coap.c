/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that reach an origin over CoAP. */
#include "actors/origin_private.h"
#include "sim/mem.h"

#define ONE_DATAGRAM 1024

static void answer_due(void *user)
{
	struct sim_visitor *v = user;

	if (v->order && v->reply && strlen(v->reply) > ONE_DATAGRAM)
		v->order->broken_off = true; /* a block of it may not come */
	sim_coap_answer(v->ask, v->reply);
	sim_origin_forget(v);
}

static void on_request(void *user, struct sim_coap_ask *ask, const struct hf_message *msg,
		       struct hf_span body)
{
	struct sim_origin *origin = user;
	struct sim_visitor *v = sim_alloc(sizeof(*v));
	char domain[96];

	v->origin = origin;
	v->ask = ask;
	v->keep = true;
	snprintf(domain, sizeof(domain), "%s/coap/think/%llu", origin->name,
		 (unsigned long long)++origin->coap_requests);
	sim_rng_init(&v->think, origin->world->seed, domain);
	snprintf(domain, sizeof(domain), "%s/coap/fate/%llu", origin->name,
		 (unsigned long long)origin->coap_requests);
	sim_rng_init(&v->fate, origin->world->seed, domain);
	sim_event_init(&v->answer, answer_due, v);
	hf_list_init(&v->item);
	hf_list_push(&origin->visitors, &v->item);
	sim_origin_answer(v, msg, body);
	sim_event_in(origin->world, &v->answer, origin->mood.slow_us + sim_origin_think_us(v));
}

static const char *on_look(void *user, const char *path)
{
	const struct sim_origin *origin = user;

	return sim_values_now(&origin->ledger->values, origin->name, path);
}

static const struct sim_coap_server_events events = { .on_request = on_request,
						      .on_look = on_look };

void sim_origin_coap_changed(struct sim_origin *origin, const char *path)
{
	if (origin->coap)
		sim_coap_server_changed(origin->coap, path);
}

void sim_origin_coap_up(struct sim_origin *origin, bool up)
{
	if (up == (origin->coap != NULL))
		return;
	if (up) {
		origin->coap = sim_coap_server_create(origin->node, &events, origin);
		return;
	}
	sim_coap_server_destroy(origin->coap);
	origin->coap = NULL;
}
