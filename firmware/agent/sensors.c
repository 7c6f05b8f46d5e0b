/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor side: its server, its figures. */
#include "sensor/sensor.h"

#include <inttypes.h>

#include "agent/agent_private.h"
#include "holdfast/err.h"
#include "worker/condition.h"

static int origin_by_host(void *user, struct hf_span host)
{
	struct hf_agent *a = user;

	return hf_settings_origin_by_host(a->settings, host);
}

static bool origin_is_coap(void *user, unsigned origin)
{
	struct hf_agent *a = user;

	return a->origins[origin].coap;
}

/* The path of a condition that is no pattern, and not of GET. */
static void tell_path(const struct hf_condition *c, void (*each)(void *to, struct hf_span path),
		      void *to)
{
	if (!c || c->kind == HF_CONDITION_NOT)
		return;
	if (c->kind == HF_CONDITION_OR) {
		for (size_t i = 0; i < c->inner_n; i++)
			tell_path(c->inner[i], each, to);
		return;
	}
	if (c->pattern_text && c->pattern_text[0] == '/' &&
	    !strpbrk(c->pattern_text, "*:{}()?<>,;") && !c->mode && !c->destination &&
	    hf_condition_has_other_methods(c))
		each(to, hf_span_str(c->pattern_text));
}

/* Of the origin that a request without a Uri-Host is for. */
static void each_path(void *user, void (*each)(void *to, struct hf_span path), void *to)
{
	struct hf_agent *a = user;

	for (size_t w = 0; w < a->settings->workers_n; w++) {
		const struct hf_worker_settings *worker = &a->settings->workers[w];

		for (size_t i = 0; worker->origin == 0 && i < worker->manifest->routes_n; i++)
			if (worker->manifest->routes[i].queued)
				tell_path(worker->manifest->routes[i].condition, each, to);
	}
}

static int listen_all(struct hf_agent *a)
{
	const struct hf_sensor_settings *set = &a->settings->sensor;
	int err = 0;

	for (size_t i = 0; i < set->coap_n && !err; i++)
		err = hf_sensors_listen(a->sensors, &set->coap[i], false);
	for (size_t i = 0; i < set->coaps_n && !err; i++)
		err = hf_sensors_listen(a->sensors, &set->coaps[i], true);
	return err;
}

int hf_agent_sensors_begin(struct hf_agent *a)
{
	const struct hf_sensor_settings *set = &a->settings->sensor;
	struct hf_sensor_options opt = {
		.port = a->port,
		.timers = &a->timers,
		.log = &a->log,
		.fetch = a->fetch,
		.queue = a->queue,
		.store = a->store,
		.key = { .query = set->key_query, .option = set->key_option },
		.devices_file = set->devices_file,
		.origin_by_host = origin_by_host,
		.origin_is_coap = origin_is_coap,
		.route = hf_agent_route,
		.each_path = each_path,
		.user = a,
	};
	int err;

	if (set->coap_n + set->coaps_n == 0)
		return 0;
	if (!a->port->datagram_open)
		return HF_ENOTSUP;
	err = hf_sensors_create(&opt, &a->sensors);
	return err ? err : listen_all(a);
}

void hf_agent_sensors_stop(struct hf_agent *a)
{
	if (a->sensors)
		hf_sensors_stop(a->sensors);
}

void hf_agent_sensors_destroy(struct hf_agent *a)
{
	hf_sensors_destroy(a->sensors);
	a->sensors = NULL;
}

/* ---- figures ---- */

int hf_agent_sensors_status(struct hf_agent *a, struct hf_buf *out)
{
	struct hf_sensor_figures f;

	hf_sensors_figures(a->sensors, &f);
	return hf_buf_appendf(out,
			      "\"sensors\":{\"datagrams\":%" PRIu64 ",\"accepted\":%" PRIu64
			      ",\"repeated\":%" PRIu64 ",\"refused\":%" PRIu64
			      ",\"unavailable\":%" PRIu64 ",\"unproven\":%" PRIu64
			      ",\"dropped\":%" PRIu64 ",\"handshakes\":%" PRIu64
			      ",\"handshakesFailed\":%" PRIu64
			      ",\"calls\":%u,\"uploads\":%u,\"observers\":%u,\"sessions\":%u},",
			      f.datagrams, f.accepted, f.repeated, f.refused, f.unavailable,
			      f.unproven, f.dropped, f.handshakes, f.handshakes_failed, f.calls,
			      f.uploads, f.observers, f.sessions);
}

int hf_agent_sensors_metrics(struct hf_agent *a, struct hf_buf *out)
{
	struct hf_sensor_figures f;
	int err = 0;

	hf_sensors_figures(a->sensors, &f);
	const struct {
		struct hf_agent_metric m;
		uint64_t value;
	} all[] = {
		{ { "sensor_datagrams_total", "counter", "From sensors since the start." },
		  f.datagrams },
		{ { "sensor_accepted_total", "counter", "Requests that are on the medium." },
		  f.accepted },
		{ { "sensor_repeated_total", "counter", "Messages that came again." }, f.repeated },
		{ { "sensor_refused_total", "counter", "Answered 4.xx." }, f.refused },
		{ { "sensor_unavailable_total", "counter", "Answered 5.xx." }, f.unavailable },
		{ { "sensor_unproven_total", "counter", "Answered with an Echo to give back." },
		  f.unproven },
		{ { "sensor_dropped_total", "counter", "Past a limit, or no CoAP." }, f.dropped },
		{ { "sensor_handshakes_total", "counter", "Of devices with a key." },
		  f.handshakes },
		{ { "sensor_handshakes_failed_total", "counter", "Without the right key." },
		  f.handshakes_failed },
		{ { "sensor_sessions", "gauge", "Of DTLS, now." }, f.sessions },
		{ { "sensor_observers", "gauge", "Of requests, now." }, f.observers },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !err; i++)
		err = hf_agent_metric(out, &all[i].m, all[i].value);
	return err;
}
