/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets for datagrams. Per turn at most ROUNDS are read, so that a flood does not
 * starve streams; what the kernel has no room for meanwhile it drops.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/linux/loop.h"

#define ROUNDS 64

struct hf_datagrams {
	struct hf_linux_watch watch;
	const struct hf_datagram_events *events;
	void *user;
	bool closed;
};

/* False: nothing more now, or the socket was closed. */
static bool read_one(struct hf_datagrams *d)
{
	struct sockaddr_storage sock;
	socklen_t sock_len = sizeof(sock);
	char data[HF_DATAGRAM_BYTES_MAX];
	struct hf_addr from;
	ssize_t n =
		recvfrom(d->watch.fd, data, sizeof(data), 0, (struct sockaddr *)&sock, &sock_len);

	if (n < 0) /* also what an ICMP error says of one that was sent */
		return errno == ECONNREFUSED || errno == EINTR;
	if (hf_linux_addr_from_sock((struct sockaddr *)&sock, sock_len, &from) == 0)
		d->events->on_datagram(d->user, &from, data, (size_t)n);
	return !d->closed;
}

static void on_ready(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_datagrams *d = hf_container_of(w, struct hf_datagrams, watch);

	(void)events;
	(void)failed;
	for (unsigned i = 0; i < ROUNDS && read_one(d); i++) {
	}
}

static void on_closed(struct hf_linux_watch *w)
{
	free(hf_container_of(w, struct hf_datagrams, watch));
}

static int datagram_open(struct hf_port *port, const struct hf_addr *at,
			 const struct hf_datagram_events *events, void *user,
			 struct hf_datagrams **out)
{
	struct hf_datagrams *d = calloc(1, sizeof(*d));
	int domain = at->family == HF_FAMILY_IPV6 ? AF_INET6 : AF_INET, fd, err;

	if (!d)
		return HF_ENOMEM;
	fd = socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	err = fd < 0 ? hf_linux_err(errno) : hf_linux_bind(fd, at);
	d->events = events;
	d->user = user;
	if (!err)
		err = hf_linux_watch_init(hf_linux_of(port), &d->watch, fd, on_ready);
	if (err) {
		if (fd >= 0)
			close(fd);
		free(d);
		return err;
	}
	hf_linux_watch_want(&d->watch, UV_READABLE);
	*out = d;
	return 0;
}

static void datagram_send(struct hf_port *port, struct hf_datagrams *d, const struct hf_addr *to,
			  const void *data, size_t len)
{
	struct sockaddr_storage sock;
	socklen_t sock_len = hf_linux_addr_to_sock(to, &sock);

	(void)port;
	(void)!sendto(d->watch.fd, data, len, MSG_NOSIGNAL, (struct sockaddr *)&sock, sock_len);
}

static int datagram_addr(struct hf_port *port, struct hf_datagrams *d, struct hf_addr *out)
{
	struct sockaddr_storage sock;
	socklen_t len = sizeof(sock);

	(void)port;
	if (getsockname(d->watch.fd, (struct sockaddr *)&sock, &len))
		return hf_linux_err(errno);
	return hf_linux_addr_from_sock((struct sockaddr *)&sock, len, out);
}

static void datagram_close(struct hf_port *port, struct hf_datagrams *d)
{
	(void)port;
	d->closed = true;
	hf_linux_watch_close(&d->watch, on_closed);
}

void hf_linux_datagram_init(struct hf_port_linux *p)
{
	p->port.datagram_open = datagram_open;
	p->port.datagram_send = datagram_send;
	p->port.datagram_addr = datagram_addr;
	p->port.datagram_close = datagram_close;
}
