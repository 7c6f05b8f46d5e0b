/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holdfast/port.h promises, as cases that run against any port: each
 * makes its own listeners and streams on the loopback address and leaves
 * nothing behind. A port's own test makes the world and runs them all:
 *
 *	for (const struct port_case *c = port_cases; c->name; c++)
 *		why = port_case_run(c, &world);
 */
#ifndef HF_TESTS_PORT_CONTRACT_H
#define HF_TESTS_PORT_CONTRACT_H

#include "holdfast/port.h"

struct port_world {
	struct hf_port *port;
	/* Lets the world go on: delivers what is due, waits (in its own time) at
	 * most about 10 ms for it. */
	void (*turn)(void *user);
	void *user;
};

struct port_case {
	const char *name; /* a sentence: "closing_in_on_data_ends_all_events" */
	const char *(*run)(struct port_world *w);
};

extern const struct port_case port_cases[]; /* ends with a NULL name */

/* NULL: the port keeps this promise. Else where and what, static storage. */
const char *port_case_run(const struct port_case *c, struct port_world *w);

/* The name of the first operation that @port lacks; NULL: it has all. */
const char *port_missing_operation(const struct hf_port *port);

/* port_contract_watch.c: of ports that have it. */
const char *port_watch_tells_on_each_turn(struct port_world *w);
const char *port_watch_closed_tells_nothing(struct port_world *w);

#endif
