/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses: between struct hf_addr and the kernel's struct sockaddr.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "port/linux/loop.h"

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == HF_UNIX_PATH_MAX + 1,
	       "the longest path fits with its NUL");

static socklen_t unix_to_sock(const struct hf_addr *addr, struct sockaddr_storage *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)out;
	size_t len = strnlen(addr->path, HF_UNIX_PATH_MAX);

	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, addr->path, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

socklen_t hf_linux_addr_to_sock(const struct hf_addr *addr, struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	switch (addr->family) {
	case HF_FAMILY_IPV4:
		in4->sin_family = AF_INET;
		in4->sin_port = htons(addr->port);
		memcpy(&in4->sin_addr, addr->ip, 4);
		return sizeof(*in4);
	case HF_FAMILY_IPV6:
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(addr->port);
		in6->sin6_scope_id = addr->scope;
		memcpy(&in6->sin6_addr, addr->ip, 16);
		return sizeof(*in6);
	case HF_FAMILY_UNIX:
		return unix_to_sock(addr, out);
	}
	assert(!"an address family of ours");
	return 0;
}

/* The path of an unbound peer is empty; an abstract name is not shown. */
static void unix_from_sock(const struct sockaddr_un *un, socklen_t len, struct hf_addr *out)
{
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t bytes = len > head ? strnlen(un->sun_path, len - head) : 0;

	if (bytes > HF_UNIX_PATH_MAX)
		bytes = HF_UNIX_PATH_MAX;
	memcpy(out->path, un->sun_path, bytes);
}

int hf_linux_addr_from_sock(const struct sockaddr *sa, socklen_t len, struct hf_addr *out)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

	memset(out, 0, sizeof(*out));
	switch (sa->sa_family) {
	case AF_INET:
		out->family = HF_FAMILY_IPV4;
		out->port = ntohs(in4->sin_port);
		memcpy(out->ip, &in4->sin_addr, 4);
		return 0;
	case AF_INET6:
		out->family = HF_FAMILY_IPV6;
		out->port = ntohs(in6->sin6_port);
		out->scope = in6->sin6_scope_id;
		memcpy(out->ip, &in6->sin6_addr, 16);
		return 0;
	case AF_UNIX:
		out->family = HF_FAMILY_UNIX;
		unix_from_sock((const struct sockaddr_un *)(const void *)sa, len, out);
		return 0;
	default:
		return HF_EINVAL;
	}
}

int hf_linux_socket(const struct hf_addr *addr)
{
	int domain = addr->family == HF_FAMILY_IPV4 ? AF_INET :
		     addr->family == HF_FAMILY_IPV6 ? AF_INET6 :
						      AF_UNIX;
	int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? hf_linux_err(errno) : fd;
}

int hf_linux_bind(int fd, const struct hf_addr *at)
{
	bool v6 = at->family == HF_FAMILY_IPV6;
	struct sockaddr_storage sock;
	socklen_t len = hf_linux_addr_to_sock(at, &sock);
	int on = 1;

	if (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)))
		return hf_linux_err(errno);
	if (!bind(fd, (struct sockaddr *)&sock, len))
		return 0;
	if (errno != EADDRNOTAVAIL || setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
						 v6 ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof(on)))
		return hf_linux_err(errno);
	return bind(fd, (struct sockaddr *)&sock, len) ? hf_linux_err(errno) : 0;
}
