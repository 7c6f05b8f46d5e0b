/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of holdfastd (near) gets one to the origin (far) and a pipe for
 * each direction. Near bytes that come before the far side is connected wait in
 * the pipe. What breaks one side resets the other.
 *
 * Nobody listens while the origin is not reachable, so that holdfastd's calls
 * are refused, as by a machine without a server. An origin of the user's that
 * is down is noticed only after a call was taken: it is reset then.
 */
#include "live/relay.h"

#include <stdio.h>
#include <stdlib.h>

#include "live/portal.h"
#include "live/tap.h"
#include "net/dial.h"
#include "net/tls.h"

struct live_relay {
	struct live_relay_options opt;
	struct live_weather weather;
	struct hf_dialer dialer;
	struct hf_tls_client *tls; /* NULL: in the clear */
	struct hf_listener *listener;
	struct live_server portal;
	struct hf_list conns;
};

struct conn {
	struct live_relay *relay;
	struct hf_list node;
	struct hf_stream *near;
	struct hf_channel *far; /* NULL: not connected yet */
	struct hf_dial dial;
	struct hf_timer delay; /* before the call is passed on */
	struct live_pipe out;  /* near -> far */
	struct live_pipe in;   /* far -> near */
	struct live_tap tap;
	bool busy, gone;
};

static struct hf_port *port_of(const struct conn *c)
{
	return c->relay->opt.bench->port;
}

/* ---- the end ---- */

static void free_conn(struct conn *c)
{
	if (c->relay->opt.rewrite)
		live_tap_finish(&c->tap);
	free(c);
}

static void close_conn(struct conn *c, bool abort)
{
	struct live_relay *r = c->relay;

	if (c->gone)
		return;
	c->gone = true;
	hf_list_remove(&c->node);
	hf_timerq_clear(&r->opt.bench->timers, &c->delay);
	hf_dial_cancel(&c->dial);
	hf_channel_close(c->far, abort);
	port_of(c)->stream_close(port_of(c), c->near, abort);
	live_pipe_finish(&c->out);
	live_pipe_finish(&c->in);
	if (!c->busy)
		free_conn(c);
}

static void broken(void *user)
{
	close_conn(user, true);
}

/* Both directions are over. */
static void close_if_ended(struct conn *c)
{
	if (c->out.ended && c->in.ended)
		close_conn(c, false);
}

/* ---- near: holdfastd ---- */

static ptrdiff_t write_near(void *user, struct hf_span bytes)
{
	struct conn *c = user;

	return port_of(c)->stream_write(port_of(c), c->near, bytes.ptr, bytes.len);
}

static void end_near(void *user)
{
	struct conn *c = user;

	port_of(c)->stream_shutdown(port_of(c), c->near);
	close_if_ended(c);
}

static void room_near(void *user)
{
	struct conn *c = user;

	hf_channel_read(c->far, true);
}

static void pass_near_bytes(struct conn *c, struct hf_span bytes)
{
	if (!live_pipe_put(&c->out, bytes))
		port_of(c)->stream_read(port_of(c), c->near, false);
}

static void near_data(void *user, const void *data, size_t len)
{
	struct conn *c = user;
	int err;

	if (!c->relay->opt.rewrite) {
		pass_near_bytes(c, hf_span(data, len));
		return;
	}
	c->busy = true;
	err = live_tap_feed(&c->tap, hf_span(data, len));
	c->busy = false;
	if (c->gone) {
		free_conn(c);
	} else if (err) {
		close_conn(c, true);
	} else {
		pass_near_bytes(c, hf_buf_span(&c->tap.out));
		hf_buf_clear(&c->tap.out);
	}
}

static void near_eof(void *user)
{
	struct conn *c = user;

	live_pipe_end(&c->out);
}

static void near_writable(void *user)
{
	struct conn *c = user;

	live_pipe_go_on(&c->in);
}

static void near_error(void *user, int err)
{
	(void)err;
	close_conn(user, true);
}

static const struct hf_stream_events near_events = {
	.on_data = near_data,
	.on_eof = near_eof,
	.on_writable = near_writable,
	.on_error = near_error,
};

static const struct live_pipe_events in_events = {
	.write = write_near,
	.end = end_near,
	.room = room_near,
	.broken = broken,
};

/* ---- far: the origin ---- */

static ptrdiff_t write_far(void *user, struct hf_span bytes)
{
	struct conn *c = user;

	return hf_channel_write(c->far, bytes.ptr, bytes.len);
}

static void end_far(void *user)
{
	struct conn *c = user;

	hf_channel_shutdown(c->far);
	close_if_ended(c);
}

static void room_far(void *user)
{
	struct conn *c = user;

	port_of(c)->stream_read(port_of(c), c->near, true);
}

static const struct live_pipe_events out_events = {
	.write = write_far,
	.end = end_far,
	.room = room_far,
	.broken = broken,
};

static void far_open(void *user, int err)
{
	struct conn *c = user;

	if (err) {
		hf_log(&c->relay->opt.bench->log, HF_LOG_ERROR, "relay.tls", "detail=\"%s\"",
		       hf_channel_error(c->far));
		close_conn(c, true);
		return;
	}
	hf_channel_read(c->far, true);
	live_pipe_open(&c->out);
}

static void far_data(void *user, struct hf_span data)
{
	struct conn *c = user;

	if (!live_pipe_put(&c->in, data))
		hf_channel_read(c->far, false);
}

static void far_eof(void *user)
{
	struct conn *c = user;

	live_pipe_end(&c->in);
}

static void far_writable(void *user)
{
	struct conn *c = user;

	live_pipe_go_on(&c->out);
}

static void far_error(void *user, int err)
{
	(void)err;
	close_conn(user, true);
}

static const struct hf_channel_events far_events = {
	.on_open = far_open,
	.on_data = far_data,
	.on_eof = far_eof,
	.on_writable = far_writable,
	.on_error = far_error,
};

static void dialled(void *user, const struct hf_dial_result *result)
{
	struct conn *c = user;

	if (result->err) {
		close_conn(c, true);
		return;
	}
	c->far = result->channel;
	hf_channel_bind(c->far, &far_events, c);
	if (!c->relay->tls)
		far_open(c, 0);
	else if (hf_channel_start_tls(c->far, c->relay->tls))
		close_conn(c, true);
}

static void call_far(void *user)
{
	struct conn *c = user;

	hf_dial_start(&c->dial, &c->relay->dialer, dialled, c);
}

/* ---- the relay ---- */

static void take_near(struct live_relay *r, struct hf_stream *stream)
{
	struct conn *c = live_alloc(sizeof(*c));
	struct live_bench *b = r->opt.bench;

	c->relay = r;
	c->near = stream;
	live_pipe_init(&c->out, b, &r->weather.line, &out_events, c);
	live_pipe_init(&c->in, b, &r->weather.line, &in_events, c);
	live_pipe_open(&c->in);
	if (r->opt.rewrite)
		live_tap_init(&c->tap, &r->opt.url, r->opt.on_request, r->opt.user);
	hf_timer_init(&c->delay, call_far, c);
	hf_list_push(&r->conns, &c->node);
	b->port->stream_accept(b->port, stream, &near_events, c);
	b->port->stream_read(b->port, stream, true);
	live_bench_after(b, &c->delay, 2 * (uint64_t)r->weather.line.delay_ms);
}

static void on_accept(void *user, struct hf_stream *stream)
{
	struct live_relay *r = user;

	if (r->weather.portal == LIVE_PORTAL_OFF)
		take_near(r, stream);
	else
		live_server_take(&r->portal, stream);
}

static void on_portal_request(void *user, struct live_conn *c, const struct live_request *q)
{
	const struct live_relay *r = user;

	live_portal_answer(c, q, r->weather.portal == LIVE_PORTAL_REDIRECT);
}

static void close_all(struct live_relay *r)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &r->conns)
		close_conn(hf_container_of(it, struct conn, node), true);
	live_server_down(&r->portal);
}

static void stop_listening(struct live_relay *r)
{
	if (r->listener)
		r->opt.bench->port->listener_close(r->opt.bench->port, r->listener);
	r->listener = NULL;
}

static int listen_again(struct live_relay *r)
{
	static const struct hf_listener_events events = { .on_accept = on_accept };
	struct hf_addr at = live_loopback(r->opt.port);
	struct hf_port *port = r->opt.bench->port;

	return r->listener ? 0 : port->listen(port, &at, &events, r, &r->listener);
}

int live_relay_set(struct live_relay *r, const struct live_weather *w)
{
	bool answered = w->link_up && (w->origin_up || w->portal != LIVE_PORTAL_OFF);
	bool other_way = w->portal != r->weather.portal;

	r->weather = *w;
	if (other_way || !answered)
		close_all(r);
	if (answered)
		return listen_again(r);
	stop_listening(r);
	return 0;
}

static int make_tls(struct live_relay *r, const char *host)
{
	struct hf_tls_client_options opt = { .port = r->opt.bench->port,
					     .log = &r->opt.bench->log,
					     .server_name = host,
					     .ca_file = r->opt.ca_file };
	struct hf_buf faults;
	int err;

	hf_buf_init(&faults, 4096);
	err = hf_tls_client_create(&opt, &faults, &r->tls);
	if (err)
		fprintf(stderr, "holdfast-sim: %.*s", HF_SPAN_ARG(hf_buf_span(&faults)));
	hf_buf_finish(&faults);
	return err;
}

int live_relay_create(const struct live_relay_options *opt, struct live_relay **out)
{
	struct live_relay *r = live_alloc(sizeof(*r));
	char *host = hf_span_dup(opt->url.host);
	int err;

	r->opt = *opt;
	hf_list_init(&r->conns);
	live_server_init(&r->portal, opt->bench, on_portal_request, r);
	err = host ? hf_dialer_init(&r->dialer, opt->bench->port, &opt->bench->timers, host,
				    opt->url.port) :
		     HF_ENOMEM;
	live_must(err);
	if (hf_span_eq_str(opt->url.scheme, "https"))
		err = make_tls(r, host);
	free(host);
	*out = r;
	if (err) {
		live_relay_destroy(r);
		*out = NULL;
	}
	return err;
}

void live_relay_destroy(struct live_relay *r)
{
	if (!r)
		return;
	close_all(r);
	stop_listening(r);
	hf_dialer_finish(&r->dialer);
	hf_tls_client_destroy(r->tls);
	free(r);
}
