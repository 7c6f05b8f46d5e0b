/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses as text. */
#ifndef HF_NET_ADDR_H
#define HF_NET_ADDR_H

#include "holdfast/port.h"

#define HF_ADDR_TEXT_SIZE 128 /* "[...]:65535" or a socket path, cut to it */

/* An IPv4 (four decimal parts) or IPv6 (RFC 4291 section 2.2, no zone, no
 * brackets) literal; port and scope become 0. HF_EINVAL. */
int hf_addr_parse(const char *text, struct hf_addr *out);
/* "192.0.2.1:80", "[2001:db8::1]:80", "unix:/run/x". Returns @out. */
char *hf_addr_format(const struct hf_addr *addr, char out[HF_ADDR_TEXT_SIZE]);
/* The same without the port, an IPv6 address without brackets. */
char *hf_addr_format_ip(const struct hf_addr *addr, char out[HF_ADDR_TEXT_SIZE]);
/* 127.0.0.0/8, ::1 and UNIX sockets: no link stands between. */
bool hf_addr_is_local(const struct hf_addr *addr);
/* Of "host" or "host:port": such an address, or a name that stands for one (RFC 6761
 * section 6.3). */
bool hf_host_is_local(const char *host);
/* A link-local address or a name under .local: it is reached where an interface has
 * no other address, too. */
bool hf_host_is_near(const char *host);
/* Family, address, port and scope are the same. */
bool hf_addr_eq(const struct hf_addr *a, const struct hf_addr *b);

#endif
