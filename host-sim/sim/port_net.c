/* SPDX-License-Identifier: Apache-2.0 */
/* The port's streams, datagrams, descriptors of libraries, and names. */
#include "sim/datagram.h"
#include "sim/mem.h"
#include "sim/port_private.h"

/* What is watched for a library that has sockets of its own: the simulator has an
 * implementation of it, and its descriptors are numbers that it has given. */
struct hf_watch {
	struct hf_list item;
	struct sim_port *port;
	int fd;
	void (*ready)(void *user);
	void *user;
	bool silent;
};

/* ---- streams ---- */

static int op_stream_connect(struct hf_port *port, const struct hf_addr *to,
			     const struct hf_stream_events *events, void *user,
			     struct hf_stream **out)
{
	if (!sim_port_is_on(port))
		return HF_EUNREACH;
	return sim_stream_connect(sim_port_dev(port)->node, port, to, events, user, out);
}

static void op_stream_accept(struct hf_port *port, struct hf_stream *stream,
			     const struct hf_stream_events *events, void *user)
{
	(void)port;
	sim_stream_accept(stream, events, user);
}

static void op_stream_read(struct hf_port *port, struct hf_stream *stream, bool on)
{
	(void)port;
	sim_stream_read(stream, on);
}

static ptrdiff_t op_stream_write(struct hf_port *port, struct hf_stream *stream, const void *data,
				 size_t len)
{
	(void)port;
	return sim_stream_write(stream, data, len);
}

static void op_stream_shutdown(struct hf_port *port, struct hf_stream *stream)
{
	(void)port;
	sim_stream_shutdown(stream);
}

static void op_stream_close(struct hf_port *port, struct hf_stream *stream, bool abort)
{
	(void)port;
	sim_stream_close(stream, abort);
}

static int op_stream_peer(struct hf_port *port, struct hf_stream *stream, struct hf_peer *out)
{
	(void)port;
	return sim_stream_peer(stream, out);
}

static int op_listen(struct hf_port *port, const struct hf_addr *at,
		     const struct hf_listener_events *events, void *user, struct hf_listener **out)
{
	if (!sim_port_is_on(port))
		return HF_EUNREACH;
	return sim_listen(sim_port_dev(port)->node, port, at, events, user, out);
}

static void op_listener_close(struct hf_port *port, struct hf_listener *listener)
{
	(void)port;
	sim_listener_close(listener);
}

static void op_listener_accept(struct hf_port *port, struct hf_listener *listener, bool on)
{
	(void)port;
	sim_listener_accept(listener, on);
}

static int op_listener_addr(struct hf_port *port, struct hf_listener *listener, struct hf_addr *out)
{
	(void)port;
	sim_listener_addr(listener, out);
	return 0;
}

static int op_resolve(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
		      struct hf_resolve **out)
{
	if (!sim_port_is_on(port))
		return HF_ENOMEM;
	return sim_resolve(sim_port_dev(port)->dns, sim_port_dev(port)->node, host, done, user,
			   out);
}

static void op_resolve_cancel(struct hf_port *port, struct hf_resolve *resolve)
{
	(void)port;
	sim_resolve_cancel(resolve);
}

/* ---- datagrams, and descriptors of others ---- */

static int op_datagram_open(struct hf_port *port, const struct hf_addr *at,
			    const struct hf_datagram_events *events, void *user,
			    struct hf_datagrams **out)
{
	if (!sim_port_is_on(port))
		return HF_EUNREACH;
	return sim_datagram_open(sim_port_dev(port)->node, port, at, events, user, out);
}

static void op_datagram_send(struct hf_port *port, struct hf_datagrams *d, const struct hf_addr *to,
			     const void *data, size_t len)
{
	(void)port;
	sim_datagram_send(d, to, data, len);
}

static int op_datagram_addr(struct hf_port *port, struct hf_datagrams *d, struct hf_addr *out)
{
	(void)port;
	*out = d->addr;
	return 0;
}

static void op_datagram_close(struct hf_port *port, struct hf_datagrams *d)
{
	(void)port;
	sim_datagram_close(d);
}

static int op_watch(struct hf_port *port, int fd, void (*ready)(void *user), void *user,
		    struct hf_watch **out)
{
	struct hf_watch *w;

	if (!sim_port_is_on(port))
		return HF_EIO;
	w = sim_alloc(sizeof(*w));
	*w = (struct hf_watch){ .port = sim_port_of(port), .fd = fd, .ready = ready, .user = user };
	hf_list_init(&w->item);
	hf_list_push(&w->port->watches, &w->item);
	*out = w;
	return 0;
}

static void op_watch_close(struct hf_port *port, struct hf_watch *w)
{
	(void)port;
	hf_list_remove(&w->item);
	sim_free(w);
}

void sim_port_readable(struct hf_port *port, int fd)
{
	struct sim_heap *before = sim_heap_enter(&sim_port_dev(port)->heap);
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &sim_port_of(port)->watches) {
		struct hf_watch *w = hf_container_of(it, struct hf_watch, item);

		if (w->fd != fd || w->silent)
			continue;
		w->ready(w->user);
		break;
	}
	sim_heap_enter(before);
}

void sim_port_net_init(struct hf_port *port)
{
	port->stream_connect = op_stream_connect;
	port->stream_accept = op_stream_accept;
	port->stream_read = op_stream_read;
	port->stream_write = op_stream_write;
	port->stream_shutdown = op_stream_shutdown;
	port->stream_close = op_stream_close;
	port->stream_peer = op_stream_peer;
	port->listen = op_listen;
	port->listener_close = op_listener_close;
	port->listener_accept = op_listener_accept;
	port->listener_addr = op_listener_addr;
	port->datagram_open = op_datagram_open;
	port->datagram_send = op_datagram_send;
	port->datagram_addr = op_datagram_addr;
	port->datagram_close = op_datagram_close;
	port->resolve = op_resolve;
	port->resolve_cancel = op_resolve_cancel;
}

void sim_port_watches_silence(struct sim_port *p)
{
	struct hf_list *it, *tmp;

	hf_list_for(it, tmp, &p->watches)
		hf_container_of(it, struct hf_watch, item)->silent = true;
}

void sim_port_watches(struct hf_port *port)
{
	port->watch = op_watch;
	port->watch_close = op_watch_close;
}
