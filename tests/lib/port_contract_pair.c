/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a connection, and the listener between them. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

bool port_inside, port_event_inside;

void port_note_event(void)
{
	if (port_inside)
		port_event_inside = true;
}

char port_pattern(uint64_t offset)
{
	return (char)(offset * 31 + (offset >> 13));
}

void port_end_shut(struct end *e, bool abort)
{
	struct hf_stream *s = e->stream;

	if (!s)
		return;
	e->stream = NULL;
	port_inside = true;
	e->w->port->stream_close(e->w->port, s, abort);
	port_inside = false;
}

static void on_connect(void *user, int err)
{
	struct end *e = user;

	port_note_event();
	e->events++;
	e->connects++;
	e->connect_err = err;
	if (e->close_on_connect)
		port_end_shut(e, false);
}

static void on_data(void *user, const void *data, size_t len)
{
	struct end *e = user;
	const char *bytes = data;

	port_note_event();
	e->events++;
	for (size_t i = 0; i < len; i++) {
		if (e->got + i < sizeof(e->head))
			e->head[e->got + i] = bytes[i];
		if (bytes[i] != port_pattern(e->got + i))
			e->in_order = false;
	}
	e->got += len;
	if (e->echo)
		e->w->port->stream_write(e->w->port, e->stream, data, len);
	if (e->close_on_data)
		port_end_shut(e, false);
}

static void on_eof(void *user)
{
	struct end *e = user;

	port_note_event();
	e->events++;
	e->ends++;
}

static void on_writable(void *user)
{
	struct end *e = user;

	port_note_event();
	e->events++;
	e->writables++;
}

static void on_error(void *user, int err)
{
	struct end *e = user;

	port_note_event();
	e->events++;
	e->errors++;
	e->error = err;
}

const struct hf_stream_events port_end_events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_writable = on_writable,
	.on_error = on_error,
};

void port_end_read(struct end *e, bool on)
{
	port_inside = true;
	e->w->port->stream_read(e->w->port, e->stream, on);
	port_inside = false;
}

ptrdiff_t port_end_write(struct end *e, const void *data, size_t len)
{
	ptrdiff_t n;

	port_inside = true;
	n = e->w->port->stream_write(e->w->port, e->stream, data, len);
	port_inside = false;
	return n;
}

static void on_accept(void *user, struct hf_stream *stream)
{
	struct pair *p = user;

	port_note_event();
	p->accepted++;
	if (p->refuse || p->server.stream) {
		p->w->port->stream_close(p->w->port, stream, false);
		return;
	}
	p->server.stream = stream;
	p->w->port->stream_accept(p->w->port, stream, &port_end_events, &p->server);
}

const struct hf_listener_events port_pair_events = { .on_accept = on_accept };

const char *port_listener_open(struct pair *p, struct port_world *w)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } };
	int err;

	memset(p, 0, sizeof(*p));
	p->w = w;
	p->client.w = w;
	p->server.w = w;
	p->client.in_order = true;
	p->server.in_order = true;
	port_inside = true;
	err = w->port->listen(w->port, &at, &port_pair_events, p, &p->listener);
	port_inside = false;
	CHECK(err == 0);
	CHECK(w->port->listener_addr(w->port, p->listener, &p->addr) == 0);
	CHECK(p->addr.family == HF_FAMILY_IPV4 && p->addr.port != 0);
	return NULL;
}

int port_client_connect(struct pair *p)
{
	int err;

	port_inside = true;
	err = p->w->port->stream_connect(p->w->port, &p->addr, &port_end_events, &p->client,
					 &p->client.stream);
	port_inside = false;
	return err;
}

void port_quiet(struct port_world *w)
{
	for (int i = 0; i < QUIET_TURNS; i++)
		w->turn(w->user);
}

const char *port_pair_open(struct pair *p, struct port_world *w)
{
	const char *why = port_listener_open(p, w);

	if (why)
		return why;
	CHECK(port_client_connect(p) == 0);
	CHECK(p->client.connects == 0);
	WAIT_FOR(w, p->client.connects == 1 && p->server.stream);
	CHECK(p->client.connect_err == 0);
	return NULL;
}

void port_listener_close(struct pair *p)
{
	if (p->listener)
		p->w->port->listener_close(p->w->port, p->listener);
	p->listener = NULL;
}

const char *port_pair_close(struct pair *p)
{
	int before;

	port_end_shut(&p->client, false);
	port_end_shut(&p->server, false);
	port_listener_close(p);
	before = p->client.events + p->server.events;
	port_quiet(p->w);
	CHECK(p->client.events + p->server.events == before);
	return NULL;
}
