/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoAP servers that the operator asks: a configured origin over its own transport, any
 * other address in the clear over one that is made for the question.
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/agent_private.h"

#define ERRANDS_MAX 8

struct errand {
	struct hf_list node;
	struct hf_agent_origin way;
	bool over;
};

static struct errand *errand_of(struct hf_list *node)
{
	return hf_container_of(node, struct errand, node);
}

static void drop(struct errand *e)
{
	hf_list_remove(&e->node);
	hf_agent_way_close(&e->way);
	free(e);
}

/* A transport cannot go while it calls: on a turn of its own. */
static void sweep(void *user)
{
	struct hf_agent *a = user;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &a->errands)
		if (errand_of(it)->over)
			drop(errand_of(it));
}

void hf_agent_errands_init(struct hf_agent *a)
{
	hf_list_init(&a->errands);
	hf_timer_init(&a->errands_timer, sweep, a);
}

void hf_agent_errands_destroy(struct hf_agent *a)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &a->errands)
		drop(errand_of(it));
	hf_timerq_clear(&a->timers, &a->errands_timer);
}

static struct hf_transport *origin_at(struct hf_agent *a, const struct hf_url *url)
{
	for (size_t i = 0; i < a->settings->origins_n; i++) {
		const struct hf_url *own = &a->settings->origins[i].url;

		if (a->origins[i].coap && hf_span_ieq(own->scheme, url->scheme) &&
		    hf_span_ieq(own->host, url->host) && own->port == url->port)
			return a->origins[i].transport;
	}
	return NULL;
}

static unsigned under_way(struct hf_agent *a)
{
	struct hf_list *it, *tmp;
	unsigned n = 0;

	hf_list_for(it, tmp, &a->errands)
		n++;
	return n;
}

static int open_errand(struct hf_agent *a, const struct hf_url *url, struct hf_transport **out)
{
	const struct hf_origin_settings s = {
		.url = *url,
		.connect_timeout_ms = CONFIG_HF_CONNECT_TIMEOUT_MS,
		.first_byte_timeout_ms = CONFIG_HF_FIRST_BYTE_TIMEOUT_MS,
	};
	struct errand *e = calloc(1, sizeof(*e));
	int err = e ? hf_agent_way_open(a, url, &s, &e->way) : HF_ENOMEM;

	if (!e)
		return err;
	hf_list_push(&a->errands, &e->node);
	if (err)
		drop(e);
	else
		*out = e->way.transport;
	return err;
}

/* What is at @url cannot be asked without being an origin. */
static int refuse(struct hf_agent *a, const struct hf_url *url, char *why, size_t size)
{
	if (hf_span_starts(url->scheme, HF_SPAN("coaps"))) {
		snprintf(why, size,
			 "%.*s needs a key or certificates, and no [origin] of the "
			 "configuration has this address; one with this url and "
			 "psk-identity, ca-file or pin makes it known.",
			 HF_SPAN_ARG(url->scheme));
		return 404;
	}
	if (!hf_span_starts(url->scheme, HF_SPAN("coap"))) {
		snprintf(why, size, "url is a URL as coap://192.0.2.1/path.");
		return 400;
	}
	if (under_way(a) < ERRANDS_MAX)
		return 0;
	snprintf(why, size, "%d servers that are no origins are being asked; wait for an answer.",
		 ERRANDS_MAX);
	return 503;
}

int hf_agent_coap_way(void *user, const struct hf_url *url, struct hf_transport **out, char *why,
		      size_t size)
{
	struct hf_agent *a = user;
	int status;

	*out = origin_at(a, url);
	status = *out ? 0 : refuse(a, url, why, size);
	if (*out || status)
		return status;
	if (open_errand(a, url, out) == 0)
		return 0;
	snprintf(why, size, "Holdfast is short of memory.");
	return 503;
}

void hf_agent_coap_left(void *user, struct hf_transport *way)
{
	struct hf_agent *a = user;
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &a->errands)
		if (errand_of(it)->way.transport == way) {
			errand_of(it)->over = true;
			(void)hf_timerq_set(&a->timers, &a->errands_timer,
					    a->port->boottime_ms(a->port));
		}
}
