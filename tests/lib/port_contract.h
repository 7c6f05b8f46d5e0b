/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holdfast/port.h promises, as cases that run against any port: each
 * makes its own listeners and streams on the loopback address and leaves
 * nothing behind. A port's own test makes the world and runs them all:
 *
 *	for (size_t i = 0; (c = port_case_at(i)); i++)
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

/* NULL: there are not so many. */
const struct port_case *port_case_at(size_t i);

/* NULL: the port keeps this promise. Else where and what, static storage. */
const char *port_case_run(const struct port_case *c, struct port_world *w);

/* The name of the first operation that @port lacks; NULL: it has all. */
const char *port_missing_operation(const struct hf_port *port);

#endif
