/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link watch: rtnetlink says that something has changed, a fresh look at
 * the interfaces says what is true now. The link has carrier when an interface
 * beside loopback and those left out has; it is up when one of these has an
 * address beside link-local ones.
 *
 * What has become worse is told at once. What has become better, and a change of
 * addresses while up, is told when things have settled, at most SETTLE_MS later:
 * a cable that is plugged in gives a row of events. Where the kernel lets nobody
 * watch, the link counts as up, and only connecting tells the truth.
 */
#include <errno.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "port/linux/loop.h"
#include "port/linux/port_linux.h"

#define SETTLE_MS    200
#define DRAIN_ROUNDS 64
#define LOWER_UP     0x10000 /* IFF_LOWER_UP, which libc headers lack */

struct link_view {
	enum hf_link link;
	bool metered;
	uint64_t addresses; /* a fingerprint, the same in any order */
};

/* ---- looking ---- */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

static uint64_t hash_address(const struct ifaddrs *ifa)
{
	const void *sa = ifa->ifa_addr;
	uint64_t hash =
		hash_bytes(UINT64_C(0xcbf29ce484222325), ifa->ifa_name, strlen(ifa->ifa_name));

	if (ifa->ifa_addr->sa_family == AF_INET)
		return hash_bytes(hash, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	return hash_bytes(hash, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
}

bool hf_linux_link_is_left_out(const struct hf_port_linux *p, const char *name)
{
	struct hf_span rest = hf_span_str(p->link.left_out ? p->link.left_out : "");
	char pattern[64];

	while (rest.len > 0) {
		struct hf_span item = hf_span_trim(hf_span_cut(&rest, ','));

		if (item.len >= sizeof(pattern))
			continue;
		snprintf(pattern, sizeof(pattern), "%.*s", HF_SPAN_ARG(item));
		if (fnmatch(pattern, name, 0) == 0)
			return true;
	}
	return false;
}

static bool carries(const struct hf_port_linux *p, const struct ifaddrs *ifa)
{
	const unsigned all = IFF_UP | IFF_RUNNING | LOWER_UP;

	return !(ifa->ifa_flags & IFF_LOOPBACK) && (ifa->ifa_flags & all) == all &&
	       !hf_linux_link_is_left_out(p, ifa->ifa_name);
}

/* An address from which something beyond the link can be reached. */
static bool is_usable(const struct sockaddr *sa)
{
	const void *at = sa;

	if (sa && sa->sa_family == AF_INET) {
		uint32_t ip = ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr);

		return ip != INADDR_ANY && ip >> 24 != 127 && ip >> 16 != 0xa9fe;
	}
	if (sa && sa->sa_family == AF_INET6) {
		const struct in6_addr *ip = &((const struct sockaddr_in6 *)at)->sin6_addr;

		return !IN6_IS_ADDR_LINKLOCAL(ip) && !IN6_IS_ADDR_LOOPBACK(ip) &&
		       !IN6_IS_ADDR_UNSPECIFIED(ip);
	}
	return false;
}

/* By the names that the kernel and pppd give to modems. */
static bool is_modem(const char *name)
{
	return strncmp(name, "wwan", 4) == 0 || strncmp(name, "ppp", 3) == 0 ||
	       strncmp(name, "rmnet", 5) == 0;
}

static struct link_view look(const struct hf_port_linux *p)
{
	struct link_view view = { .metered = true };
	struct ifaddrs *all, *ifa;

	if (getifaddrs(&all))
		return (struct link_view){ .link = HF_LINK_UP };
	for (ifa = all; ifa; ifa = ifa->ifa_next) {
		if (!carries(p, ifa))
			continue;
		if (view.link == HF_LINK_DOWN)
			view.link = HF_LINK_BARE;
		if (!is_usable(ifa->ifa_addr))
			continue;
		view.link = HF_LINK_UP;
		view.metered &= is_modem(ifa->ifa_name);
		view.addresses += hash_address(ifa);
	}
	freeifaddrs(all);
	view.metered &= view.link == HF_LINK_UP;
	return view;
}

/* ---- telling ---- */

static void tell(struct hf_port_linux *p, struct link_view view)
{
	uv_timer_stop(&p->link.settle);
	p->link.told = true;
	p->link.link = view.link;
	p->link.metered = view.metered;
	p->link.addresses = view.addresses;
	(void)hf_linux_captive_look(p);
	if (p->port.events && p->port.events->on_link)
		p->port.events->on_link(p->port.events_user, view.link);
}

void hf_linux_link_tell_again(struct hf_port_linux *p)
{
	if (p->link.told && p->port.events && p->port.events->on_link)
		p->port.events->on_link(p->port.events_user, p->link.link);
}

static bool is_news(const struct hf_port_linux *p, struct link_view view)
{
	return !p->link.told || view.link != p->link.link || view.addresses != p->link.addresses;
}

static bool is_worse(const struct hf_port_linux *p, struct link_view view)
{
	return view.link == HF_LINK_DOWN ||
	       (view.link == HF_LINK_BARE && p->link.link == HF_LINK_UP);
}

static void settled(uv_timer_t *timer)
{
	struct hf_port_linux *p = timer->data;
	struct link_view view = look(p);

	if (is_news(p, view))
		tell(p, view);
}

static void tell_first(struct hf_linux_later *l)
{
	struct hf_linux_link *link = hf_container_of(l, struct hf_linux_link, first);
	struct hf_port_linux *p = hf_container_of(link, struct hf_port_linux, link);

	tell(p, look(p));
}

/* What the messages say is not read: they may have been lost (ENOBUFS), and the
 * interfaces say it better. */
static void drain(int fd)
{
	char waste[512];

	for (int i = 0; i < DRAIN_ROUNDS; i++)
		if (recv(fd, waste, sizeof(waste), 0) < 0 && errno != ENOBUFS && errno != EINTR)
			return;
}

static void link_changed(struct hf_linux_watch *w, int events, bool failed)
{
	struct hf_port_linux *p = w->port;
	struct link_view view;

	(void)events;
	(void)failed;
	drain(w->fd);
	if (!p->link.told)
		return;
	view = look(p);
	if (!is_news(p, view))
		uv_timer_stop(&p->link.settle);
	else if (is_worse(p, view))
		tell(p, view);
	else if (!uv_is_active((uv_handle_t *)&p->link.settle))
		hf_linux_timer_start(&p->link.settle, settled, SETTLE_MS);
}

/* ---- the socket ---- */

static int open_netlink(void)
{
	struct sockaddr_nl at = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool link_metered(struct hf_port *port)
{
	return hf_linux_of(port)->link.metered;
}

void hf_port_linux_leave_out(struct hf_port_linux *p, const char *patterns)
{
	p->link.left_out = patterns;
}

int hf_linux_link_init(struct hf_port_linux *p)
{
	int fd = open_netlink(), err;

	p->port.link_metered = link_metered;
	uv_timer_init(&p->loop, &p->link.settle);
	uv_unref((uv_handle_t *)&p->link.settle);
	p->link.settle.data = p;
	hf_linux_later_init(&p->link.first, tell_first);
	hf_linux_later_add(p, &p->link.first);
	if (fd < 0)
		return 0;
	err = hf_linux_watch_init(p, &p->link.watch, fd, link_changed);
	if (err) {
		close(fd);
		return err;
	}
	hf_linux_watch_want(&p->link.watch, UV_READABLE);
	return 0;
}

void hf_linux_link_finish(struct hf_port_linux *p)
{
	if (p->link.first.run)
		hf_linux_later_cancel(&p->link.first);
	if (p->link.watch.port)
		hf_linux_watch_close(&p->link.watch, NULL);
}
