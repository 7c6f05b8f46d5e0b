/* SPDX-License-Identifier: Apache-2.0 */
/* No libc name functions: the core has none. */
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "http/url.h"

/* One decimal part of at most @max digits' worth, without leading zeros. */
static const char *parse_decimal(const char *p, unsigned max, unsigned *out)
{
	const char *start = p;
	unsigned v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned)(*p - '0');
		if (v > max)
			return NULL;
	}
	if (p == start || (*start == '0' && p > start + 1))
		return NULL;
	*out = v;
	return p;
}

/* The whole of @p is four parts. */
static bool parse_ipv4(const char *p, uint8_t out[4])
{
	unsigned i, v;

	for (i = 0; i < 4; i++) {
		p = parse_decimal(p, 255, &v);
		if (!p || *p != (i < 3 ? '.' : '\0'))
			return false;
		out[i] = (uint8_t)v;
		p++;
	}
	return true;
}

static const char *parse_group(const char *p, uint8_t out[2])
{
	unsigned v = 0, n = 0;

	while (hf_hex_digit(*p) >= 0 && n < 4) {
		v = v * 16 + (unsigned)hf_hex_digit(*p++);
		n++;
	}
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
	return n ? p : NULL;
}

static bool parse_ipv6(const char *p, uint8_t out[16])
{
	uint8_t bytes[16] = { 0 };
	size_t at = 0, gap = SIZE_MAX;
	const char *next;

	if (p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (*p) {
		if (at <= 12 && (gap != SIZE_MAX || at == 12) && parse_ipv4(p, bytes + at)) {
			at += 4;
			break;
		}
		if (at > 14)
			return false;
		next = parse_group(p, bytes + at);
		if (!next)
			return false;
		at += 2;
		p = next;
		if (!*p)
			break;
		if (*p++ != ':')
			return false;
		if (*p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = at;
			p++;
		} else if (!*p) {
			return false;
		}
	}
	if (gap == SIZE_MAX ? at != 16 : at > 14)
		return false;
	memset(out, 0, 16);
	if (gap == SIZE_MAX)
		gap = at;
	memcpy(out, bytes, gap);
	memcpy(out + 16 - (at - gap), bytes + gap, at - gap);
	return true;
}

int hf_addr_parse(const char *text, struct hf_addr *out)
{
	struct hf_addr a = { .family = HF_FAMILY_IPV4 };

	if (!parse_ipv4(text, a.ip)) {
		a.family = HF_FAMILY_IPV6;
		if (!parse_ipv6(text, a.ip))
			return HF_EINVAL;
	}
	*out = a;
	return 0;
}

/* The longest run of zero groups, at least two (RFC 5952 section 4.2). */
static unsigned zero_run(const uint16_t g[8], unsigned *len)
{
	unsigned i, j, best = 8;

	*len = 1;
	for (i = 0; i < 8; i = j + 1) {
		for (j = i; j < 8 && g[j] == 0; j++)
			;
		if (j - i > *len) {
			best = i;
			*len = j - i;
		}
	}
	return best;
}

static void format_ipv6(const uint8_t ip[16], char *out, size_t size)
{
	uint16_t g[8];
	unsigned i, run, len;
	size_t at = 0;

	for (i = 0; i < 8; i++)
		g[i] = (uint16_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
	run = zero_run(g, &len);
	out[0] = '\0';
	for (i = 0; i < 8; i++) {
		if (i == run) {
			at += (size_t)snprintf(out + at, size - at, "::");
			i += len - 1;
			continue;
		}
		at += (size_t)snprintf(out + at, size - at, "%s%x",
				       i > 0 && i != run + len ? ":" : "", g[i]);
	}
}

char *hf_addr_format_ip(const struct hf_addr *addr, char out[HF_ADDR_TEXT_SIZE])
{
	switch (addr->family) {
	case HF_FAMILY_IPV4:
		snprintf(out, HF_ADDR_TEXT_SIZE, "%u.%u.%u.%u", addr->ip[0], addr->ip[1],
			 addr->ip[2], addr->ip[3]);
		break;
	case HF_FAMILY_IPV6:
		format_ipv6(addr->ip, out, HF_ADDR_TEXT_SIZE);
		break;
	case HF_FAMILY_UNIX:
		snprintf(out, HF_ADDR_TEXT_SIZE, "unix:%s", addr->path);
		break;
	}
	return out;
}

char *hf_addr_format(const struct hf_addr *addr, char out[HF_ADDR_TEXT_SIZE])
{
	char ip[HF_ADDR_TEXT_SIZE];

	hf_addr_format_ip(addr, ip);
	if (addr->family == HF_FAMILY_UNIX)
		memcpy(out, ip, sizeof(ip));
	else if (addr->family == HF_FAMILY_IPV6)
		snprintf(out, HF_ADDR_TEXT_SIZE, "[%.100s]:%u", ip, addr->port);
	else
		snprintf(out, HF_ADDR_TEXT_SIZE, "%.100s:%u", ip, addr->port);
	return out;
}

bool hf_addr_is_local(const struct hf_addr *addr)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	switch (addr->family) {
	case HF_FAMILY_IPV4:
		return addr->ip[0] == 127;
	case HF_FAMILY_IPV6:
		return memcmp(addr->ip, loopback6, 16) == 0;
	case HF_FAMILY_UNIX:
		return true;
	}
	return false;
}

bool hf_addr_eq(const struct hf_addr *a, const struct hf_addr *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == HF_FAMILY_UNIX)
		return strcmp(a->path, b->path) == 0;
	return a->port == b->port && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, a->family == HF_FAMILY_IPV4 ? 4 : 16) == 0;
}

/* The host without port and without a dot at its end; false: it is none. True with
 * *@literal: it is the address @addr. */
static bool take_host(const char *host, struct hf_span *span, struct hf_addr *addr, bool *literal)
{
	char name[64]; /* a longer one is no address */
	uint16_t port;

	if (hf_host_parse(hf_span_str(host), span, &port))
		return false;
	snprintf(name, sizeof(name), "%.*s", HF_SPAN_ARG(*span));
	*literal = hf_addr_parse(name, addr) == 0;
	if (!*literal && span->ptr[span->len - 1] == '.')
		span->len--;
	return true;
}

/* The name is @label, or ends with it behind a dot. */
static bool is_under(struct hf_span name, const char *label)
{
	size_t len = strlen(label);

	if (name.len > len && name.ptr[name.len - len - 1] == '.')
		name = hf_span_skip(name, name.len - len);
	return hf_span_ieq_str(name, label);
}

bool hf_host_is_local(const char *host)
{
	struct hf_addr addr;
	struct hf_span span;
	bool literal;

	if (!take_host(host, &span, &addr, &literal))
		return false;
	return literal ? hf_addr_is_local(&addr) : is_under(span, "localhost");
}

static bool is_link_local(const struct hf_addr *a)
{
	if (a->family == HF_FAMILY_IPV4)
		return a->ip[0] == 169 && a->ip[1] == 254;
	return a->family == HF_FAMILY_IPV6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

bool hf_host_is_near(const char *host)
{
	struct hf_addr addr;
	struct hf_span span;
	bool literal;

	if (!take_host(host, &span, &addr, &literal))
		return false;
	return literal ? is_link_local(&addr) : is_under(span, "local");
}
