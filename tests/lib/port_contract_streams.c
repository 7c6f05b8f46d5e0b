/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port, streams. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

static const char *both_ends_hear_each_other(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	p.server.echo = true;
	port_end_read(&p.client, true);
	port_end_read(&p.server, true);
	CHECK(port_end_write(&p.client, "hello", 5) == 5);
	WAIT_FOR(w, p.client.got == 5);
	CHECK(memcmp(p.client.head, "hello", 5) == 0);
	CHECK(p.client.writables == 0 && p.client.ends == 0 && p.client.errors == 0);
	return port_pair_close(&p);
}

static const char *the_peer_has_the_address_of_its_end(struct port_world *w)
{
	struct hf_peer peer;
	struct pair p;

	OPEN(&p, w);
	CHECK(w->port->stream_peer(w->port, p.client.stream, &peer) == 0);
	CHECK(peer.addr.family == HF_FAMILY_IPV4 && peer.addr.port == p.addr.port);
	CHECK(peer.addr.ip[0] == 127 && !peer.has_creds);
	CHECK(w->port->stream_peer(w->port, p.server.stream, &peer) == 0);
	CHECK(peer.addr.ip[0] == 127 && peer.addr.port != 0);
	return port_pair_close(&p);
}

static const char *nobody_there_is_refused_on_a_later_turn(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = port_listener_open(&p, w);
	if (why)
		return why;
	port_listener_close(&p);
	port_quiet(w);
	CHECK(port_client_connect(&p) == 0);
	CHECK(p.client.connects == 0);
	WAIT_FOR(w, p.client.connects == 1);
	CHECK(p.client.connect_err == HF_ECONNREFUSED);
	port_quiet(w);
	CHECK(p.client.connects == 1 && p.client.errors == 0);
	return port_pair_close(&p);
}

static const char *data_waits_while_reading_is_off(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	CHECK(port_end_write(&p.client, "one", 3) == 3);
	port_quiet(w);
	CHECK(p.server.got == 0);
	port_end_read(&p.server, true);
	WAIT_FOR(w, p.server.got == 3);
	port_end_read(&p.server, false);
	CHECK(port_end_write(&p.client, "two", 3) == 3);
	port_quiet(w);
	CHECK(p.server.got == 3);
	port_end_read(&p.server, true);
	port_end_read(&p.server, false);
	port_quiet(w);
	CHECK(p.server.got == 3);
	port_end_read(&p.server, false);
	port_end_read(&p.server, true);
	WAIT_FOR(w, p.server.got == 6);
	CHECK(memcmp(p.server.head, "onetwo", 6) == 0);
	return port_pair_close(&p);
}

/* Writes the port_pattern from *sent to FLOOD, as far as it goes. */
static ptrdiff_t flood(struct end *e, uint64_t *sent)
{
	char chunk[16384];
	ptrdiff_t n;

	do {
		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = port_pattern(*sent + i);
		n = port_end_write(e, chunk, sizeof(chunk));
		if (n < 0)
			return n;
		*sent += (uint64_t)n;
	} while (n == (ptrdiff_t)sizeof(chunk) && *sent < FLOOD);
	return n;
}

static const char *a_slow_reader_stops_the_writer(struct port_world *w)
{
	uint64_t sent = 0;
	struct pair p;
	int seen;

	OPEN(&p, w);
	while (sent < FLOOD) {
		seen = p.client.writables;
		CHECK(flood(&p.client, &sent) >= 0);
		if (sent >= FLOOD)
			break;
		CHECK(p.client.writables == seen);
		port_end_read(&p.server, true);
		WAIT_FOR(w, p.client.writables > seen);
		port_end_read(&p.server, false);
	}
	CHECK(p.client.writables > 0);
	port_end_read(&p.server, true);
	WAIT_FOR(w, p.server.got == sent);
	CHECK(p.server.in_order);
	return port_pair_close(&p);
}

static const char *after_a_shutdown_the_other_side_still_speaks(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	port_end_read(&p.client, true);
	port_end_read(&p.server, true);
	CHECK(port_end_write(&p.client, "last", 4) == 4);
	w->port->stream_shutdown(w->port, p.client.stream);
	WAIT_FOR(w, p.server.ends == 1);
	CHECK(p.server.got == 4);
	CHECK(p.client.ends == 0);
	CHECK(port_end_write(&p.server, "answer", 6) == 6);
	WAIT_FOR(w, p.client.got == 6);
	port_quiet(w);
	CHECK(p.server.ends == 1 && p.client.ends == 0);
	port_end_shut(&p.server, false);
	WAIT_FOR(w, p.client.ends == 1);
	CHECK(p.client.errors == 0);
	return port_pair_close(&p);
}

static const char *the_end_waits_while_reading_is_off(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	CHECK(port_end_write(&p.client, "bye", 3) == 3);
	port_end_shut(&p.client, false);
	port_quiet(w);
	CHECK(p.server.events == 0);
	port_end_read(&p.server, true);
	WAIT_FOR(w, p.server.ends == 1);
	CHECK(p.server.got == 3 && p.server.errors == 0);
	return port_pair_close(&p);
}

static const char *an_abort_resets_the_other_side(struct port_world *w)
{
	struct pair p;

	OPEN(&p, w);
	port_end_read(&p.server, true);
	port_end_shut(&p.client, true);
	WAIT_FOR(w, p.server.errors == 1);
	CHECK(p.server.error == HF_ECONNRESET && p.server.ends == 0);
	CHECK(port_end_write(&p.server, "x", 1) < 0);
	port_quiet(w);
	CHECK(p.server.errors == 1);
	return port_pair_close(&p);
}

static const char *writing_to_a_dead_stream_fails(struct port_world *w)
{
	ptrdiff_t n = 0;
	struct pair p;

	OPEN(&p, w);
	port_end_shut(&p.server, true);
	for (int i = 0; i < TURNS && n >= 0 && p.client.errors == 0; i++) {
		n = port_end_write(&p.client, "x", 1);
		w->turn(w->user);
	}
	CHECK(n == HF_ECONNRESET || p.client.error == HF_ECONNRESET);
	return port_pair_close(&p);
}

static const char *closing_in_on_data_ends_all_events(struct port_world *w)
{
	struct pair p;
	int seen;

	OPEN(&p, w);
	p.server.close_on_data = true;
	port_end_read(&p.server, true);
	CHECK(port_end_write(&p.client, "stop", 4) == 4);
	WAIT_FOR(w, p.server.events == 1);
	seen = p.server.events;
	port_quiet(w);
	CHECK(p.server.events == seen);
	return port_pair_close(&p);
}

static const char *closing_in_on_connect_is_safe(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = port_listener_open(&p, w);
	if (why)
		return why;
	p.client.close_on_connect = true;
	CHECK(port_client_connect(&p) == 0);
	WAIT_FOR(w, p.client.connects == 1 && p.accepted == 1);
	CHECK(!p.client.stream);
	return port_pair_close(&p);
}

static const char *closing_before_on_connect_ends_it(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = port_listener_open(&p, w);
	if (why)
		return why;
	CHECK(port_client_connect(&p) == 0);
	port_end_shut(&p.client, false);
	port_quiet(w);
	CHECK(p.client.events == 0);
	return port_pair_close(&p);
}

const struct port_case port_stream_cases[] = {
	CASE(both_ends_hear_each_other),
	CASE(the_peer_has_the_address_of_its_end),
	CASE(nobody_there_is_refused_on_a_later_turn),
	CASE(data_waits_while_reading_is_off),
	CASE(a_slow_reader_stops_the_writer),
	CASE(after_a_shutdown_the_other_side_still_speaks),
	CASE(the_end_waits_while_reading_is_off),
	CASE(an_abort_resets_the_other_side),
	CASE(writing_to_a_dead_stream_fails),
	CASE(closing_in_on_data_ends_all_events),
	CASE(closing_in_on_connect_is_safe),
	CASE(closing_before_on_connect_ends_it),
	{ NULL, NULL },
};
