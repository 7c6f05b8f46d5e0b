/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Name look-up. A numeric address and the names of loopback (`localhost` and
 * all below it, RFC 6761 section 6.3) are answered without asking anybody, on a
 * later turn. All others go to libc's getaddrinfo on a thread of libuv's pool,
 * which is kept small; libuv lets half of it work on look-ups at a time.
 *
 * A cancelled look-up is forgotten at once; its memory goes when the thread
 * comes back with it.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "port/linux/loop.h"

#define POOL_THREADS  "3" /* two look-ups at a time */
#define ADDRESSES_MAX 32
#define HOST_MAX      253

struct hf_resolve {
	uv_getaddrinfo_t request;
	struct hf_linux_later later; /* an answer without a thread */
	struct hf_port_linux *port;
	hf_resolve_done *done; /* NULL: cancelled */
	void *user;
	bool on_thread;
	int err;
	size_t n;
	struct hf_addr addrs[2]; /* of @later */
};

/* ---- answers without a thread ---- */

static bool is_loopback_name(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host), name_len = sizeof(name) - 1;

	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len < name_len || strncasecmp(host + len - name_len, name, name_len) != 0)
		return false;
	return len == name_len || host[len - name_len - 1] == '.';
}

static void add_ipv4(struct hf_resolve *r, const struct in_addr *ip)
{
	struct hf_addr *a = &r->addrs[r->n++];

	a->family = HF_FAMILY_IPV4;
	memcpy(a->ip, ip, 4);
}

static void add_ipv6(struct hf_resolve *r, const struct in6_addr *ip, uint32_t scope)
{
	struct hf_addr *a = &r->addrs[r->n++];

	a->family = HF_FAMILY_IPV6;
	a->scope = scope;
	memcpy(a->ip, ip, 16);
}

/* "fe80::1%eth0", the zone by name or number. */
static bool parse_ipv6(const char *host, struct in6_addr *ip, uint32_t *scope)
{
	char text[INET6_ADDRSTRLEN];
	const char *zone = strchr(host, '%');
	size_t len = zone ? (size_t)(zone - host) : strlen(host);
	char *end;

	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, ip) != 1)
		return false;
	*scope = 0;
	if (!zone)
		return true;
	*scope = if_nametoindex(zone + 1);
	if (*scope == 0) {
		*scope = (uint32_t)strtoul(zone + 1, &end, 10);
		return zone[1] != '\0' && *end == '\0' && *scope != 0;
	}
	return true;
}

/* True when @r->addrs holds the answer. */
static bool answer_ourselves(struct hf_resolve *r, const char *host)
{
	struct in_addr ip4;
	struct in6_addr ip6;
	uint32_t scope;

	if (is_loopback_name(host)) {
		ip4.s_addr = htonl(INADDR_LOOPBACK);
		add_ipv6(r, &in6addr_loopback, 0);
		add_ipv4(r, &ip4);
	} else if (inet_pton(AF_INET, host, &ip4) == 1) {
		add_ipv4(r, &ip4);
	} else if (parse_ipv6(host, &ip6, &scope)) {
		add_ipv6(r, &ip6, scope);
	}
	return r->n > 0;
}

static void answer_now(struct hf_linux_later *l)
{
	struct hf_resolve *r = hf_container_of(l, struct hf_resolve, later);

	r->done(r->user, r->err, r->err ? NULL : r->addrs, r->n);
	free(r);
}

/* ---- answers of a thread ---- */

static void tell_answer(struct hf_resolve *r, const struct addrinfo *first)
{
	struct hf_addr addrs[ADDRESSES_MAX];
	size_t n = 0;

	for (const struct addrinfo *ai = first; ai && n < ADDRESSES_MAX; ai = ai->ai_next)
		if (!hf_linux_addr_from_sock(ai->ai_addr, ai->ai_addrlen, &addrs[n]))
			n++;
	if (n > 0)
		r->done(r->user, 0, addrs, n);
	else
		r->done(r->user, HF_EDNS, NULL, 0);
}

static void thread_answered(uv_getaddrinfo_t *request, int status, struct addrinfo *first)
{
	struct hf_resolve *r = hf_container_of(request, struct hf_resolve, request);

	assert(r->port->lookups > 0);
	r->port->lookups--;
	if (r->done && status)
		r->done(r->user, status == UV_EAI_MEMORY ? HF_ENOMEM : HF_EDNS, NULL, 0);
	else if (r->done)
		tell_answer(r, first);
	uv_freeaddrinfo(first);
	free(r);
}

static int ask_thread(struct hf_resolve *r, const char *host)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

	return uv_getaddrinfo(&r->port->loop, &r->request, thread_answered, host, NULL, &hints);
}

/* ---- operations ---- */

static int resolve(struct hf_port *port, const char *host, hf_resolve_done *done, void *user,
		   struct hf_resolve **out)
{
	struct hf_port_linux *p = hf_linux_of(port);
	struct hf_resolve *r = calloc(1, sizeof(*r));

	if (!r)
		return HF_ENOMEM;
	r->port = p;
	r->done = done;
	r->user = user;
	hf_linux_later_init(&r->later, answer_now);
	if (!answer_ourselves(r, host)) {
		if (strlen(host) <= HOST_MAX && ask_thread(r, host) == 0) {
			r->on_thread = true;
			p->lookups++;
			*out = r;
			return 0;
		}
		r->err = HF_EDNS; /* not a name at all */
	}
	hf_linux_later_add(p, &r->later);
	*out = r;
	return 0;
}

static void resolve_cancel(struct hf_port *port, struct hf_resolve *r)
{
	(void)port;
	if (r->on_thread) {
		r->done = NULL;
		uv_cancel((uv_req_t *)&r->request); /* works while it still waits */
		return;
	}
	hf_linux_later_cancel(&r->later);
	free(r);
}

void hf_linux_resolve_init(struct hf_port_linux *p)
{
	p->port.resolve = resolve;
	p->port.resolve_cancel = resolve_cancel;
	setenv("UV_THREADPOOL_SIZE", POOL_THREADS, 0);
}
