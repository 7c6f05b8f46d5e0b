/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of a port as cases: all of them, and what runs one. */
#include "lib/port_contract_private.h"

static const char *every_operation_is_there(struct port_world *w)
{
	return port_missing_operation(w->port);
}

static const struct port_case whole_cases[] = {
	CASE(every_operation_is_there),
	{ NULL, NULL },
};

const struct port_case *port_case_at(size_t i)
{
	const struct port_case *const groups[] = {
		whole_cases,	 port_stream_cases, port_storm_cases, port_listener_cases,
		port_name_cases, port_job_cases,    port_clock_cases, port_watch_cases,
	};

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const struct port_case *c = groups[g]; c->name; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

const char *port_case_run(const struct port_case *c, struct port_world *w)
{
	const char *why;

	port_event_inside = false;
	why = c->run(w);
	if (!why && port_event_inside)
		return "an event came inside the call of an operation";
	return why;
}

const char *port_missing_operation(const struct hf_port *port)
{
#define OPERATION(name)  \
	if (!port->name) \
	return #name
	OPERATION(boottime_ms);
	OPERATION(boottime_us);
	OPERATION(wall_ms);
	OPERATION(utc_offset_s);
	OPERATION(link_metered);
	OPERATION(captive_api);
	OPERATION(boot_id);
	OPERATION(wake_at);
	OPERATION(entropy);
	OPERATION(stream_connect);
	OPERATION(stream_accept);
	OPERATION(stream_read);
	OPERATION(stream_write);
	OPERATION(stream_shutdown);
	OPERATION(stream_close);
	OPERATION(stream_peer);
	OPERATION(listen);
	OPERATION(listener_close);
	OPERATION(listener_accept);
	OPERATION(listener_addr);
	OPERATION(resolve);
	OPERATION(resolve_cancel);
	OPERATION(job_submit);
	OPERATION(jobs_finish);
	OPERATION(vfs_name);
	OPERATION(state_dir);
	OPERATION(file_read);
	OPERATION(dir_read);
	OPERATION(log);
	OPERATION(ready);
	OPERATION(progress);
	OPERATION(tell);
#undef OPERATION
	if (!port->watch != !port->watch_close)
		return "one of watch and watch_close";
	if (!port->datagram_open != !port->datagram_send ||
	    !port->datagram_open != !port->datagram_addr ||
	    !port->datagram_open != !port->datagram_close)
		return "some of the operations of datagrams";
	/* an operation added to struct hf_port is added above too; file_exposed may be NULL */
	_Static_assert(sizeof(struct hf_port) == (2 + 39) * sizeof(void *), "39 operations");
	return NULL;
}
