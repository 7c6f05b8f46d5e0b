/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address that the device gets later than we start: in a network namespace of its own,
 * whose loopback, down at first, is the network that comes with 192.0.2.7 and ::1.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/linux/port_linux.h"

#define TURNS 1000

struct fixture {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	struct hf_stream *accepted;
	int connects, connect_err, datagrams;
};

static void on_connect(void *user, int err)
{
	struct fixture *f = user;

	f->connects++;
	f->connect_err = err;
}

static void on_data(void *user, const void *data, size_t len)
{
	(void)user;
	(void)data;
	(void)len;
}

static void on_eof(void *user)
{
	(void)user;
}

static void on_error(void *user, int err)
{
	(void)user;
	(void)err;
}

static const struct hf_stream_events stream_events = {
	.on_connect = on_connect,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_error = on_error,
};

static void on_accept(void *user, struct hf_stream *stream)
{
	struct fixture *f = user;

	f->accepted = stream;
	f->port->stream_accept(f->port, stream, &stream_events, f);
}

static const struct hf_listener_events listener_events = { .on_accept = on_accept };

static void on_datagram(void *user, const struct hf_addr *from, const void *data, size_t len)
{
	struct fixture *f = user;

	(void)from;
	assert_int_equal(len, 2);
	assert_memory_equal(data, "hi", 2);
	f->datagrams++;
}

static const struct hf_datagram_events datagram_events = { .on_datagram = on_datagram };

#define WAIT_FOR(f, what)                                        \
	do {                                                     \
		for (int i_ = 0; i_ < TURNS && !(what); i_++)    \
			hf_port_linux_turn((f)->linux_port, 10); \
		assert_true(what);                               \
	} while (0)

static void set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	if (unshare(CLONE_NEWNET))
		skip(); /* root may */
	assert_int_equal(hf_port_linux_create(NULL, &f->linux_port), 0);
	f->port = hf_port_linux_port(f->linux_port);
}

static void ask_of_lo(unsigned long what, struct ifreq *req)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(req->ifr_name, "lo");
	assert_int_equal(ioctl(fd, what, req), 0);
	close(fd);
}

/* Brings ::1 along. */
static void bring_up(void)
{
	struct ifreq req = { .ifr_flags = IFF_UP };

	ask_of_lo(SIOCSIFFLAGS, &req);
}

static void give_address(const struct hf_addr *at)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct ifreq req = { 0 };

	memcpy(&in4.sin_addr, at->ip, 4);
	memcpy(&req.ifr_addr, &in4, sizeof(in4));
	ask_of_lo(SIOCSIFADDR, &req);
}

/* In both ways: by streams and by datagrams. */
static void is_heard_later(const struct hf_addr *at)
{
	struct hf_addr stream_at, datagram_at;
	struct hf_datagrams *datagrams, *sender;
	struct hf_listener *listener;
	struct hf_stream *client;
	struct fixture f;

	set_up(&f);
	if (at->family == HF_FAMILY_IPV4)
		bring_up(); /* a network without any address takes every one for its own */
	assert_int_equal(f.port->listen(f.port, at, &listener_events, &f, &listener), 0);
	assert_int_equal(f.port->datagram_open(f.port, at, &datagram_events, &f, &datagrams), 0);
	assert_int_equal(f.port->listener_addr(f.port, listener, &stream_at), 0);
	assert_int_equal(f.port->datagram_addr(f.port, datagrams, &datagram_at), 0);

	if (at->family == HF_FAMILY_IPV4)
		give_address(at);
	else
		bring_up();
	assert_int_equal(f.port->stream_connect(f.port, &stream_at, &stream_events, &f, &client),
			 0);
	assert_int_equal(f.port->datagram_open(f.port, at, &datagram_events, &f, &sender), 0);
	f.port->datagram_send(f.port, sender, &datagram_at, "hi", 2);
	WAIT_FOR(&f, f.connects == 1 && f.accepted && f.datagrams == 1);
	assert_int_equal(f.connect_err, 0);
	f.port->datagram_close(f.port, sender);
	f.port->datagram_close(f.port, datagrams);
	assert_true(hf_port_linux_destroy(f.linux_port));
}

static void an_address_that_comes_later_is_heard(void **state)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV4, .ip = { 192, 0, 2, 7 } };

	(void)state;
	is_heard_later(&at);
}

/* In a namespace that is thrown away: a kernel may have IPv6 and give nobody an address. */
static bool has_ipv6(const struct hf_addr *at)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has;

	if (fd < 0)
		return false;
	close(fd);
	if (unshare(CLONE_NEWNET))
		return false;
	bring_up();
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(&in6.sin6_addr, at->ip, 16);
	has = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;
	if (fd >= 0)
		close(fd);
	return has;
}

static void one_of_ipv6_is_too(void **state)
{
	struct hf_addr at = { .family = HF_FAMILY_IPV6, .ip = { [15] = 1 } };

	(void)state;
	if (!has_ipv6(&at))
		skip();
	is_heard_later(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_comes_later_is_heard),
		cmocka_unit_test(one_of_ipv6_is_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
