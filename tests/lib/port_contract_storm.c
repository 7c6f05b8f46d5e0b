/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port: many streams at once. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

#define STORM_ENDS  24
#define STORM_STEPS 3000

struct storm {
	struct port_world *w;
	struct hf_listener *listener;
	struct hf_addr addr;
	struct storm_end {
		struct storm *storm;
		struct hf_stream *stream;
		bool open;
	} ends[STORM_ENDS];
	uint32_t seed;
	int opened, stray; /* events of a closed end */
	uint64_t bytes;
};

static uint32_t draw(struct storm *s, uint32_t below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void storm_close(struct storm_end *e)
{
	struct hf_stream *stream = e->stream;

	e->stream = NULL;
	e->open = false;
	e->storm->w->port->stream_close(e->storm->w->port, stream, draw(e->storm, 3) == 0);
}

/* Each event may end its stream, or another one. */
static void storm_event(struct storm_end *e, bool dead)
{
	struct storm_end *other = &e->storm->ends[draw(e->storm, STORM_ENDS)];

	port_note_event();
	if (!e->stream)
		e->storm->stray++;
	else if (dead || draw(e->storm, 20) == 0)
		storm_close(e);
	if (other->stream && draw(e->storm, 40) == 0)
		storm_close(other);
}

static void storm_connect(void *user, int err)
{
	struct storm_end *e = user;

	e->open = err == 0;
	storm_event(e, err != 0);
}

static void storm_data(void *user, const void *data, size_t len)
{
	struct storm_end *e = user;

	(void)data;
	e->storm->bytes += len;
	storm_event(e, false);
}

static void storm_eof(void *user)
{
	storm_event(user, false);
}

static void storm_error(void *user, int err)
{
	(void)err;
	storm_event(user, true);
}

static const struct hf_stream_events storm_events = {
	.on_connect = storm_connect,
	.on_data = storm_data,
	.on_eof = storm_eof,
	.on_writable = storm_eof,
	.on_error = storm_error,
};

static struct storm_end *free_end(struct storm *s)
{
	for (int i = 0; i < STORM_ENDS; i++)
		if (!s->ends[i].stream)
			return &s->ends[i];
	return NULL;
}

static void storm_accept(void *user, struct hf_stream *stream)
{
	struct storm *s = user;
	struct storm_end *e = free_end(s);

	port_note_event();
	if (!e || draw(s, 10) == 0) {
		s->w->port->stream_close(s->w->port, stream, draw(s, 2));
		return;
	}
	e->stream = stream;
	e->open = true;
	s->opened++;
	s->w->port->stream_accept(s->w->port, stream, &storm_events, e);
	s->w->port->stream_read(s->w->port, stream, true);
}

static const struct hf_listener_events storm_listener = { .on_accept = storm_accept };

static void storm_step(struct storm *s)
{
	static const char bytes[20000];
	struct hf_port *port = s->w->port;
	struct storm_end *e = &s->ends[draw(s, STORM_ENDS)];

	if (!e->stream) {
		port->stream_connect(port, &s->addr, &storm_events, e, &e->stream);
		return;
	}
	if (draw(s, 12) == 0) {
		storm_close(e);
		return;
	}
	if (!e->open)
		return;
	switch (draw(s, 4)) {
	case 0:
		port->stream_read(port, e->stream, draw(s, 2));
		break;
	case 1:
		port->stream_read(port, e->stream, true);
		break;
	case 2:
		if (port->stream_write(port, e->stream, bytes, draw(s, sizeof(bytes))) < 0)
			storm_close(e);
		break;
	default:
		if (draw(s, 4) == 0)
			port->stream_shutdown(port, e->stream);
	}
}

static const char *a_storm_of_streams_leaves_no_event_behind(struct port_world *w)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 127, 0, 0, 1 } };
	static struct storm s;

	memset(&s, 0, sizeof(s));
	s.w = w;
	for (int i = 0; i < STORM_ENDS; i++)
		s.ends[i].storm = &s;
	CHECK(w->port->listen(w->port, &at, &storm_listener, &s, &s.listener) == 0);
	CHECK(w->port->listener_addr(w->port, s.listener, &s.addr) == 0);
	for (int i = 0; i < STORM_STEPS; i++) {
		port_inside = true;
		storm_step(&s);
		port_inside = false;
		if (draw(&s, 8) == 0)
			w->turn(w->user);
	}
	for (int i = 0; i < STORM_ENDS; i++)
		if (s.ends[i].stream)
			storm_close(&s.ends[i]);
	w->port->listener_close(w->port, s.listener);
	port_quiet(w);
	CHECK(s.stray == 0);
	CHECK(s.opened > 50 && s.bytes > 0);
	return NULL;
}

const struct port_case port_storm_cases[] = {
	CASE(a_storm_of_streams_leaves_no_event_behind),
	{ NULL, NULL },
};
