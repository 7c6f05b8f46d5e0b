/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners and the set of connections. Past the limit a panel hears 503; the
 * operator's socket and the metrics have places of their own, so that a device that is
 * full can still be asked why.
 */
#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "ingress/access.h"
#include "ingress/api.h"
#include "ingress/connection.h"
#include "net/addr.h"

#define CONTROLS_MAX	16
#define METRICS_MAX	8
#define REFUSALS_MAX	16 /* connections past the limit that are told so */
#define IDLE_TIMEOUT_MS 60000

struct hf_span hf_ingress_date(struct hf_ingress *in)
{
	int64_t ms;

	if (in->opt.port->wall_ms(in->opt.port, &ms) == HF_CLOCK_UNSET || ms < 0)
		return hf_span(NULL, 0);
	if (ms / 1000 != in->date_s) {
		in->date_s = ms / 1000;
		hf_http_date_format(in->date_s, in->date);
	}
	return hf_span(in->date, HF_HTTP_DATE_LEN);
}

/* ---- connections ---- */

static void finish_stop(void *user);

unsigned hf_ingress_connections(const struct hf_ingress *in)
{
	unsigned n = 0;

	for (int i = 0; i < HF_SIDES; i++)
		n += in->open[i];
	return n;
}

void hf_ingress_closed(struct hf_ingress *in, enum hf_side side)
{
	assert(in->open[side] > 0);
	in->open[side]--;
	if (in->stopping && hf_ingress_connections(in) == 0 && in->stopped &&
	    hf_timerq_set(in->opt.timers, &in->stop_timer, hf_ingress_now(in)))
		finish_stop(in);
}

static unsigned most_of(const struct hf_ingress *in, enum hf_side side)
{
	switch (side) {
	case HF_SIDE_CONTROL:
		return CONTROLS_MAX;
	case HF_SIDE_METRICS:
		return METRICS_MAX;
	case HF_SIDE_PANEL:
	case HF_SIDES:
		break;
	}
	return in->opt.connections_max;
}

static void on_accept(void *user, struct hf_stream *stream)
{
	static const struct hf_problem full = {
		.status = 503,
		.error = "connection_limit_reached",
		.detail = "As many connections are open as there may be.",
		.retry_after_s = 2,
	};
	static const struct hf_problem remote = {
		.status = 403,
		.error = "http_request_denied",
		.detail = "Only programs on this device may connect (allow-remote).",
	};
	struct hf_ingress_listener *l = user;
	struct hf_ingress *in = l->ingress;
	struct hf_port *port = in->opt.port;
	unsigned *n = &in->open[l->side], most = most_of(in, l->side);
	const struct hf_problem *refusal = NULL;
	struct hf_peer peer;

	if (l->side != HF_SIDE_CONTROL && !(l->side == HF_SIDE_PANEL && in->opt.allow_remote) &&
	    (port->stream_peer(port, stream, &peer) || !hf_access_is_local(&peer.addr)))
		refusal = &remote;
	if (*n >= most)
		refusal = &full;
	if (*n >= most + REFUSALS_MAX) {
		port->stream_close(port, stream, true);
		return;
	}
	if (l->side == HF_SIDE_CONTROL && port->stream_peer(port, stream, &peer) == 0 &&
	    peer.has_creds)
		hf_log(in->opt.log, HF_LOG_DEBUG, "control.connected", "uid=%u pid=%d",
		       (unsigned)peer.uid, (int)peer.pid);
	(*n)++;
	hf_connection_open(in, stream, l->side, refusal);
}

static const struct hf_listener_events listener_events = { .on_accept = on_accept };

static void flush_all(void *user)
{
	struct hf_ingress *in = user;
	struct hf_list *it;

	while ((it = hf_list_pop(&in->unflushed))) {
		struct hf_connection *c = hf_container_of(it, struct hf_connection, unflushed);

		hf_connection_enter(c);
		hf_connection_flush(c);
		hf_connection_leave(c);
	}
}

/* ---- listening ---- */

static void close_listeners(struct hf_ingress *in)
{
	size_t i;

	for (i = 0; i < in->listeners_n; i++)
		in->opt.port->listener_close(in->opt.port, in->listeners[i].listener);
	in->listeners_n = 0;
}

static int listen_at(struct hf_ingress *in, const struct hf_addr *at, enum hf_side side)
{
	struct hf_ingress_listener *l = &in->listeners[in->listeners_n];
	char text[HF_ADDR_TEXT_SIZE];
	int err;

	*l = (struct hf_ingress_listener){ .ingress = in, .side = side };
	err = in->opt.port->listen(in->opt.port, at, &listener_events, l, &l->listener);
	if (!err)
		in->listeners_n++;
	else
		hf_log(in->opt.log, HF_LOG_ERROR, "ingress.listen", "addr=%s err=\"%s\"",
		       hf_addr_format(at, text), hf_strerror(err));
	return err;
}

int hf_ingress_listen(struct hf_ingress *in, const struct hf_addr *panel, size_t n,
		      const struct hf_addr *control, const struct hf_addr *metrics,
		      size_t metrics_n)
{
	size_t i;
	int err = 0;

	assert(!in->listeners);
	in->listeners = calloc(n + metrics_n + 1, sizeof(*in->listeners));
	if (!in->listeners)
		return HF_ENOMEM;
	for (i = 0; i < n && !err; i++)
		err = listen_at(in, &panel[i], HF_SIDE_PANEL);
	for (i = 0; i < metrics_n && !err; i++)
		err = listen_at(in, &metrics[i], HF_SIDE_METRICS);
	if (!err && control)
		err = listen_at(in, control, HF_SIDE_CONTROL);
	if (err) {
		close_listeners(in);
		free(in->listeners);
		in->listeners = NULL;
	}
	return err;
}

/* ---- stopping ---- */

static void close_all(struct hf_ingress *in)
{
	struct hf_list *it;

	while ((it = hf_list_first(&in->connections)))
		hf_connection_close(hf_container_of(it, struct hf_connection, link), true);
}

/* Everybody has gone, or the time of grace is over. */
static void finish_stop(void *user)
{
	struct hf_ingress *in = user;
	void (*stopped)(void *user) = in->stopped;

	in->stopped = NULL;
	close_all(in);
	if (stopped)
		stopped(in->stopped_user);
}

void hf_ingress_stop(struct hf_ingress *in, uint32_t grace_ms, void (*done)(void *user), void *user)
{
	struct hf_list *it, *tmp;
	uint64_t due = hf_ingress_now(in) + grace_ms;

	close_listeners(in);
	in->stopping = true;
	hf_api_stop(in);
	hf_list_for(it, tmp, &in->connections) {
		hf_connection_stop(hf_container_of(it, struct hf_connection, link));
	}
	in->stopped = done;
	in->stopped_user = user;
	if (hf_ingress_connections(in) == 0)
		due = hf_ingress_now(in);
	if (hf_timerq_set(in->opt.timers, &in->stop_timer, due))
		finish_stop(in);
}

/* ---- the server ---- */

void hf_ingress_event(struct hf_ingress *in, unsigned to, const char *type, struct hf_span json)
{
	hf_event_hub_add(&in->hub, to, type, json);
}

int hf_ingress_create(const struct hf_ingress_options *opt, struct hf_ingress **out)
{
	struct hf_ingress *in = calloc(1, sizeof(*in));
	int err;

	if (!in)
		return HF_ENOMEM;
	in->opt = *opt;
	if (in->opt.idle_timeout_ms == 0)
		in->opt.idle_timeout_ms = IDLE_TIMEOUT_MS;
	in->date_s = -1;
	hf_list_init(&in->connections);
	hf_list_init(&in->unflushed);
	hf_timer_init(&in->flush_timer, flush_all, in);
	hf_timer_init(&in->stop_timer, finish_stop, in);
	hf_api_init(in);
	err = hf_event_hub_init(&in->hub, opt->event_log_max, opt->event_clients_max, opt->timers,
				opt->port);
	if (err) {
		free(in);
		return err;
	}
	*out = in;
	return 0;
}

void hf_ingress_destroy(struct hf_ingress *in)
{
	if (!in)
		return;
	in->stopped = NULL;
	close_listeners(in);
	close_all(in);
	hf_api_finish(in);
	hf_event_hub_finish(&in->hub);
	hf_timerq_clear(in->opt.timers, &in->flush_timer);
	hf_timerq_clear(in->opt.timers, &in->stop_timer);
	free(in->joined);
	free(in->listeners);
	free(in);
}
