/* SPDX-License-Identifier: Apache-2.0 */
/* See settings_value.h. */
#include "agent/settings_value.h"

#include "holdfast/err.h"

/* ---- addresses ---- */

static int parse_ipv4(struct hf_span text, uint8_t out[4])
{
	for (unsigned i = 0; i < 4; i++) {
		struct hf_span part = hf_span_cut(&text, '.');
		uint64_t v;

		if (!hf_span_u64(part, &v) || v > 255 || part.len > 3 ||
		    (part.len > 1 && part.ptr[0] == '0') || (i < 3) != (text.ptr != NULL))
			return HF_EINVAL;
		out[i] = (uint8_t)v;
	}
	return 0;
}

static int parse_group(struct hf_span part, uint16_t *out)
{
	unsigned v = 0;

	if (part.len == 0 || part.len > 4)
		return HF_EINVAL;
	for (size_t i = 0; i < part.len; i++) {
		char c = part.ptr[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (unsigned)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			v = v * 16 + (unsigned)(c - 'A') + 10;
		else
			return HF_EINVAL;
	}
	*out = (uint16_t)v;
	return 0;
}

/* Groups between colons, the last one possibly dotted. Returns how many bytes
 * of @out they fill (at most @max), or HF_EINVAL. */
static int parse_groups(struct hf_span text, uint8_t *out, int max)
{
	int n = 0;

	if (text.len == 0)
		return 0;
	while (text.ptr) {
		struct hf_span part = hf_span_cut(&text, ':');
		uint16_t group;

		if (!text.ptr && memchr(part.ptr, '.', part.len)) {
			if (n + 4 > max || parse_ipv4(part, out + n) != 0)
				return HF_EINVAL;
			return n + 4;
		}
		if (n + 2 > max || parse_group(part, &group) != 0)
			return HF_EINVAL;
		out[n++] = (uint8_t)(group >> 8);
		out[n++] = (uint8_t)(group & 0xff);
	}
	return n;
}

/* The "::" of an address, NULL when it has none. */
static const char *find_gap(struct hf_span text)
{
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.ptr[i] == ':' && text.ptr[i + 1] == ':')
			return text.ptr + i;
	}
	return NULL;
}

static int parse_ipv6(struct hf_span text, uint8_t out[16])
{
	const char *gap = find_gap(text);
	uint8_t tail[16];
	int head_n, tail_n;

	memset(out, 0, 16);
	if (!gap)
		return parse_groups(text, out, 16) == 16 ? 0 : HF_EINVAL;
	head_n = parse_groups(hf_span(text.ptr, (size_t)(gap - text.ptr)), out, 14);
	tail_n = parse_groups(hf_span_skip(text, (size_t)(gap - text.ptr) + 2), tail, 14);
	if (head_n < 0 || tail_n < 0 || head_n + tail_n > 14)
		return HF_EINVAL;
	if (memchr(text.ptr, '.', (size_t)(gap - text.ptr)))
		return HF_EINVAL; /* dotted numbers stand only at the end */
	memcpy(out + 16 - tail_n, tail, (size_t)tail_n);
	return 0;
}

int hf_ip_parse(struct hf_span text, struct hf_addr *out)
{
	*out = (struct hf_addr){ .family = HF_FAMILY_IPV4 };
	if (text.len == 0)
		return HF_EINVAL;
	if (parse_ipv4(text, out->ip) == 0)
		return 0;
	*out = (struct hf_addr){ .family = HF_FAMILY_IPV6 };
	return parse_ipv6(text, out->ip);
}

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

bool hf_ip_is_loopback(const struct hf_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr->family == HF_FAMILY_IPV4)
		return addr->ip[0] == 127;
	if (memcmp(addr->ip, mapped, sizeof(mapped)) == 0)
		return addr->ip[12] == 127;
	return is_zero(addr->ip, 15) && addr->ip[15] == 1;
}

bool hf_ip_is_any(const struct hf_addr *addr)
{
	return is_zero(addr->ip, addr->family == HF_FAMILY_IPV4 ? 4 : 16);
}

bool hf_ip_equal(const struct hf_addr *a, const struct hf_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->ip, b->ip, a->family == HF_FAMILY_IPV4 ? 4 : 16) == 0;
}

/* ---- listen ---- */

/* Cuts "host:port" at its last colon; brackets stay with the host. */
static const char *split_port(struct hf_span text, struct hf_span *host, struct hf_span *port)
{
	size_t at = text.len;

	while (at > 0 && text.ptr[at - 1] != ':' && text.ptr[at - 1] != ']')
		at--;
	if (at == 0 || text.ptr[at - 1] == ']')
		return "has no port, as in 127.0.0.1:8480";
	*host = hf_span(text.ptr, at - 1);
	*port = hf_span_skip(text, at);
	if (host->len == 0 || hf_span_eq_str(*host, "*"))
		return "has no address; all of them are 0.0.0.0 or [::]";
	if (host->ptr[0] != '[' && memchr(host->ptr, ':', host->len))
		return "IPv6 addresses stand in brackets, as in [::1]:8480";
	return NULL;
}

static const char *parse_host(struct hf_span host, struct hf_addr out[2], size_t *n)
{
	struct hf_span inner = host;
	bool bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';

	*n = 1;
	if (hf_span_ieq_str(host, "localhost")) {
		*n = 2;
		hf_ip_parse(HF_SPAN("127.0.0.1"), &out[0]);
		hf_ip_parse(HF_SPAN("::1"), &out[1]);
		return NULL;
	}
	if (bracketed)
		inner = hf_span(host.ptr + 1, host.len - 2);
	if (bracketed && memchr(inner.ptr, '%', inner.len))
		return "addresses with a zone (%) cannot be listened on";
	if (hf_ip_parse(inner, &out[0]) != 0 || bracketed != (out[0].family == HF_FAMILY_IPV6))
		return "is not an address: an IPv4 or [IPv6] literal, or localhost";
	return NULL;
}

size_t hf_listen_parse(struct hf_span text, struct hf_addr out[2], const char **problem)
{
	struct hf_span host, port;
	uint64_t number;
	size_t n = 0;

	*problem = split_port(text, &host, &port);
	if (!*problem)
		*problem = parse_host(host, out, &n);
	if (!*problem && (!hf_span_u64(port, &number) || number > 65535))
		*problem = "the port must be a number from 0 (any free one) to 65535";
	if (*problem)
		return 0;
	for (size_t i = 0; i < n; i++)
		out[i].port = (uint16_t)number;
	return n;
}

/* ---- hashes ---- */

bool hf_is_sha256_base64(struct hf_span text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	if (text.len != 44 || text.ptr[43] != '=')
		return false;
	for (size_t i = 0; i < 43; i++) {
		const char *digit = memchr(digits, text.ptr[i], sizeof(digits) - 1);

		/* the last one holds 4 bits, the two below them are zero */
		if (!digit || (i == 42 && (digit - digits) % 4 != 0))
			return false;
	}
	return true;
}
