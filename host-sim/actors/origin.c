/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/origin.h"

#include "actors/origin_private.h"
#include "sim/mem.h"

#define PORT	     80
#define TLS_PORT     443
#define THINK_MIN_US (2 * SIM_US_PER_MS)
#define THINK_MAX_US (12 * SIM_US_PER_MS)
#define IDLE_US	     (75 * SIM_US_PER_S) /* nginx closes kept connections then */

/* ---- visitors ---- */

static void dismiss(struct sim_visitor *v, bool abort)
{
	struct sim_world *w = v->origin->world;

	if (abort && v->order) /* it may not have come through yet */
		v->order->broken_off = true;
	if (!v->ask)
		sim_http_close(&v->http, abort);
	sim_event_clear(w, &v->answer);
	sim_event_clear(w, &v->idle);
	free(v->reply);
	v->reply = NULL;
	v->dead = true;
	sim_event_in(w, &v->origin->reap, 0);
}

void sim_origin_forget(struct sim_visitor *v)
{
	dismiss(v, false);
}

uint64_t sim_origin_think_us(struct sim_visitor *v)
{
	return sim_rng_range(&v->think, THINK_MIN_US, THINK_MAX_US);
}

static void answer_due(void *user)
{
	struct sim_visitor *v = user;
	char *bytes = v->reply;

	v->reply = NULL;
	if (!bytes) { /* the answer is lost */
		dismiss(v, true);
		return;
	}
	sim_http_send(&v->http, hf_span_str(bytes));
	free(bytes);
	sim_event_in(v->origin->world, &v->idle, IDLE_US);
	if (!v->keep)
		sim_http_end(&v->http);
}

static void idle_due(void *user)
{
	dismiss(user, false);
}

static void on_message(void *user, const struct hf_message *msg, struct hf_span body)
{
	struct sim_visitor *v = user;
	struct sim_origin *origin = v->origin;

	sim_event_clear(origin->world, &v->idle);
	if (sim_event_is_set(&v->answer)) { /* pipelined: nobody here does that */
		dismiss(v, true);
		return;
	}
	v->order = NULL;
	v->keep = msg->keep_alive;
	sim_origin_answer(v, msg, body);
	sim_event_in(origin->world, &v->answer, origin->mood.slow_us + sim_origin_think_us(v));
}

static void on_gone(void *user, int err)
{
	(void)err;
	dismiss(user, false);
}

static const struct sim_http_events visitor_events = {
	.on_message = on_message,
	.on_gone = on_gone,
};

static struct sim_tls_server *server_now(struct sim_origin *origin)
{
	struct sim_tls_server **s = &origin->servers[origin->cert];

	if (!origin->tls)
		return NULL;
	if (!*s)
		*s = sim_tls_server_create(origin->world, origin->epoch_ms, origin->cert,
					   origin->node->name);
	return *s;
}

static void on_accept(void *user, struct hf_stream *stream)
{
	struct sim_origin *origin = user;
	struct sim_visitor *v = sim_alloc(sizeof(*v));

	v->origin = origin;
	sim_stream_rng(stream, "think", &v->think);
	sim_stream_rng(stream, "fate", &v->fate);
	sim_event_init(&v->answer, answer_due, v);
	sim_event_init(&v->idle, idle_due, v);
	sim_http_init(&v->http, HF_H1_REQUEST, &visitor_events, v);
	hf_list_init(&v->item);
	hf_list_push(&origin->visitors, &v->item);
	sim_http_accept(&v->http, stream, server_now(origin));
	sim_event_in(origin->world, &v->idle, IDLE_US);
}

static const struct hf_listener_events listener_events = { .on_accept = on_accept };

static void reap_due(void *user)
{
	struct sim_origin *origin = user;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &origin->visitors) {
		struct sim_visitor *v = hf_container_of(it, struct sim_visitor, item);

		if (!v->dead)
			continue;
		hf_list_remove(&v->item);
		if (!v->ask)
			sim_http_finish(&v->http);
		free(v);
	}
}

/* ---- life ---- */

struct sim_origin *sim_origin_create(struct sim_net *net, struct sim_ledger *ledger,
				     const struct sim_origin_options *opt)
{
	static const uint64_t seed[2] = { 1, 2 };
	struct sim_origin *origin = sim_alloc(sizeof(*origin));

	origin->net = net;
	origin->world = net->world;
	origin->ledger = ledger;
	origin->kind = opt->kind;
	origin->tls = opt->tls;
	origin->speaks_coap = opt->coap;
	origin->epoch_ms = opt->epoch_ms;
	origin->edition = origin->release = 1;
	snprintf(origin->name, sizeof(origin->name), "%s", opt->name);
	origin->node = sim_node_add(net, opt->host, opt->ipv4);
	origin->node->latency_us = 12 * SIM_US_PER_MS;
	origin->node->jitter_us = 3 * SIM_US_PER_MS;
	hf_list_init(&origin->visitors);
	hf_strmap_init(&origin->keys, seed);
	sim_event_init(&origin->reap, reap_due, origin);
	sim_origin_up(origin, true);
	return origin;
}

static void dismiss_all(struct sim_origin *origin)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &origin->visitors) {
		struct sim_visitor *v = hf_container_of(it, struct sim_visitor, item);

		if (!v->dead)
			dismiss(v, true);
	}
}

void sim_origin_up(struct sim_origin *origin, bool up)
{
	struct hf_addr at = origin->node->addr;

	at.port = origin->tls ? TLS_PORT : PORT;
	if (IS_ENABLED(CONFIG_HF_SENSOR) && origin->speaks_coap) {
		if (!up)
			dismiss_all(origin);
		sim_origin_coap_up(origin, up);
		return;
	}
	if (up == (origin->listener != NULL))
		return;
	if (up) {
		if (sim_listen(origin->node, origin, &at, &listener_events, origin,
			       &origin->listener))
			sim_must(NULL);
		return;
	}
	sim_listener_close(origin->listener);
	origin->listener = NULL;
	dismiss_all(origin);
}

bool sim_origin_is_up(const struct sim_origin *origin)
{
	return origin->listener != NULL || origin->coap != NULL;
}

void sim_origin_destroy(struct sim_origin *origin)
{
	size_t i;

	if (!origin)
		return;
	sim_origin_up(origin, false);
	reap_due(origin);
	sim_event_clear(origin->world, &origin->reap);
	hf_strmap_finish(&origin->keys);
	for (i = 0; i < SIM_CERTS; i++)
		sim_tls_server_destroy(origin->servers[i]);
	free(origin);
}

const char *sim_origin_name(const struct sim_origin *origin)
{
	return origin->name;
}

struct sim_node *sim_origin_node(struct sim_origin *origin)
{
	return origin->node;
}

void sim_origin_mood(struct sim_origin *origin, const struct sim_origin_mood *mood)
{
	origin->mood = *mood;
}

void sim_origin_cert(struct sim_origin *origin, enum sim_cert cert)
{
	origin->cert = cert;
}

void sim_origin_portal(struct sim_origin *origin, enum sim_portal_kind kind)
{
	origin->portal = kind;
}

void sim_origin_publish(struct sim_origin *origin)
{
	sim_pages_published(&origin->ledger->pages, origin->name, ++origin->edition,
			    origin->world->now_us);
}

void sim_origin_value(struct sim_origin *origin, const char *path, const char *text)
{
	sim_values_set(&origin->ledger->values, origin->name, path, text);
	if (IS_ENABLED(CONFIG_HF_SENSOR))
		sim_origin_coap_changed(origin, path);
}

void sim_origin_release(struct sim_origin *origin, unsigned release)
{
	origin->release = release;
}

void sim_origin_tokens(struct sim_origin *origin, uint64_t life_us)
{
	origin->tokens.life_us = life_us;
}

const struct sim_origin_mood *sim_origin_mood_now(const struct sim_origin *origin)
{
	return &origin->mood;
}
