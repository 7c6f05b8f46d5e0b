/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs as the proxy needs them (RFC 3986): absolute http, https, coap and
 * coaps URLs of the configuration, and request targets (RFC 9112 section 3.2).
 */
#ifndef HF_HTTP_URL_H
#define HF_HTTP_URL_H

#include "base/arena.h"
#include "base/span.h"

struct hf_url {
	struct hf_span scheme; /* lower case as written by us, no ':' */
	struct hf_span host;   /* without brackets */
	bool host_is_ipv6;
	uint16_t port; /* the scheme's default when absent */
	bool port_given;
	struct hf_span path;  /* from '/', "/" when absent */
	struct hf_span query; /* without '?', ptr NULL when absent */
};

/* Userinfo and fragments are refused, so are empty hosts, bad ports, control
 * bytes and spaces. HF_EINVAL. Spans point into @text or to static text. A
 * host is letters, digits and "-._~", or an IPv6 address in brackets. */
int hf_url_parse(struct hf_span text, struct hf_url *out);
/* 80, 443, 5683, 5684; 0 when unknown. */
uint16_t hf_url_default_port(struct hf_span scheme);
/* A Host field value (RFC 9110 section 7.2): host without brackets and port
 * (0: none given). HF_EINVAL. */
int hf_host_parse(struct hf_span text, struct hf_span *host, uint16_t *port);
/* Splits an origin-form target into path and query (ptr NULL when absent).
 * HF_EINVAL when it does not start with '/' or holds '#' or bytes outside
 * VCHAR. */
int hf_target_parse(struct hf_span target, struct hf_span *path, struct hf_span *query);
/* Percent-encodings of unreserved characters are decoded, the others get
 * upper-case hex. @out holds @s.len bytes; returns how many were written. */
size_t hf_pct_normalize(struct hf_span s, char *out);
/* @path with percent-encodings of unreserved characters decoded, upper-case
 * hex and dot segments removed (RFC 3986 section 6.2.2), in @arena: for
 * matching, never for forwarding. A '%' without two hex digits stays as it is.
 * ptr NULL without memory. */
struct hf_span hf_path_normalize(struct hf_arena *arena, struct hf_span path);

#endif
