/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port, listeners. */
#include "lib/port_contract_private.h"

#include <stdlib.h>
#include <string.h>

static const char *closing_in_on_accept_is_safe(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = port_listener_open(&p, w);
	if (why)
		return why;
	p.refuse = true;
	CHECK(port_client_connect(&p) == 0);
	WAIT_FOR(w, p.accepted == 1);
	CHECK(!p.server.stream);
	return port_pair_close(&p);
}

static const char *nobody_is_accepted_while_accepting_is_off(struct port_world *w)
{
	const char *why;
	struct pair p;

	why = port_listener_open(&p, w);
	if (why)
		return why;
	w->port->listener_accept(w->port, p.listener, false);
	CHECK(port_client_connect(&p) == 0);
	port_quiet(w);
	CHECK(p.accepted == 0);
	w->port->listener_accept(w->port, p.listener, true);
	WAIT_FOR(w, p.accepted == 1 && p.server.stream);
	return port_pair_close(&p);
}

static const char *an_address_is_listened_at_once(struct port_world *w)
{
	struct hf_listener *second = NULL;
	const char *why;
	struct pair p;

	why = port_listener_open(&p, w);
	if (why)
		return why;
	CHECK(w->port->listen(w->port, &p.addr, &port_pair_events, &p, &second) == HF_EBUSY);
	return port_pair_close(&p);
}

const struct port_case port_listener_cases[] = {
	CASE(closing_in_on_accept_is_safe),
	CASE(nobody_is_accepted_while_accepting_is_off),
	CASE(an_address_is_listened_at_once),
	{ NULL, NULL },
};
