/* SPDX-License-Identifier: Apache-2.0 */
/* struct hf_port, watch: descriptors of a library's own. */
#include <stdbool.h>
#include <unistd.h>

#include "lib/port_contract_private.h"

struct watched {
	struct port_world *w;
	int ends[2]; /* of a pipe: read, write */
	struct hf_watch *watch;
	unsigned ready;
	bool close_inside, drain;
};

static void on_ready(void *user)
{
	struct watched *v = user;
	char byte;

	v->ready++;
	if (v->drain)
		v->drain = read(v->ends[0], &byte, 1) == 1 ? false : true;
	if (v->close_inside)
		v->w->port->watch_close(v->w->port, v->watch);
	v->close_inside = false;
}

static void turns(struct watched *v, unsigned most, unsigned ready)
{
	for (unsigned i = 0; i < most && v->ready < ready; i++)
		v->w->turn(v->w->user);
}

static const char *watch_pipe(struct watched *v)
{
	if (pipe(v->ends))
		return "no pipe";
	if (v->w->port->watch(v->w->port, v->ends[0], on_ready, v, &v->watch))
		return "watch failed";
	return v->ready ? "it was told inside of watch" : NULL;
}

static const char *byte(struct watched *v)
{
	return write(v->ends[1], "x", 1) == 1 ? NULL : "the pipe is closed";
}

static const char *each_turn(struct watched *v)
{
	const char *why = watch_pipe(v);

	if (why)
		return why;
	turns(v, QUIET_TURNS, 1);
	if (v->ready)
		return "nothing is there, and it was told";
	why = byte(v);
	turns(v, TURNS, 3);
	if (why || v->ready < 3)
		return why ? why : "it was not told on each turn";
	v->drain = true;
	turns(v, TURNS, v->ready + 1);
	v->ready = 0;
	turns(v, QUIET_TURNS, 1);
	if (v->ready)
		return "all was read, and it was told";
	why = byte(v);
	turns(v, TURNS, 1);
	return why ? why : v->ready ? NULL : "it was not told again";
}

static const char *port_watch_tells_on_each_turn(struct port_world *w)
{
	struct watched v = { .w = w };
	const char *why = w->port->watch ? each_turn(&v) : NULL;

	if (!w->port->watch)
		return NULL;
	w->port->watch_close(w->port, v.watch);
	close(v.ends[0]);
	close(v.ends[1]);
	return why;
}

static const char *port_watch_closed_tells_nothing(struct port_world *w)
{
	struct watched v = { .w = w, .close_inside = true };
	const char *why;

	if (!w->port->watch)
		return NULL;
	why = watch_pipe(&v);
	if (!why)
		why = byte(&v);
	if (why)
		return why;
	turns(&v, TURNS, 1);
	turns(&v, QUIET_TURNS, 2);
	if (v.ready != 1)
		return v.ready ? "it was told after watch_close" : "it was not told";
	why = byte(&v); /* the descriptor is still ours */
	if (!why && w->port->watch(w->port, v.ends[0], on_ready, &v, &v.watch))
		why = "it cannot be watched again";
	if (why)
		return why;
	w->port->watch_close(w->port, v.watch);
	turns(&v, QUIET_TURNS, 2);
	close(v.ends[0]);
	close(v.ends[1]);
	return v.ready == 1 ? NULL : "it was told after watch_close";
}

const struct port_case port_watch_cases[] = {
	CASE(port_watch_tells_on_each_turn),
	CASE(port_watch_closed_tells_nothing),
	{ NULL, NULL },
};
