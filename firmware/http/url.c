/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting URLs apart. What is unusual in a host or a port is refused. */
#include "http/url.h"

#include "holdfast/err.h"
#include "http/message.h"

#define HOST_MAX 255

static const struct scheme {
	const char *name;
	uint16_t port;
} schemes[] = {
	{ "http", 80 },	   { "https", 443 },	 { "coap", 5683 },
	{ "coaps", 5684 }, { "coap+tcp", 5683 }, { "coaps+tcp", 5684 },
};

static const struct scheme *find_scheme(struct hf_span name)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (hf_span_ieq_str(name, schemes[i].name))
			return &schemes[i];
	return NULL;
}

uint16_t hf_url_default_port(struct hf_span scheme)
{
	const struct scheme *s = find_scheme(scheme);

	return s ? s->port : 0;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_unreserved(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_reg_name(struct hf_span host)
{
	size_t i;

	for (i = 0; i < host.len; i++)
		if (!is_unreserved(host.ptr[i]))
			return false;
	return host.len > 0 && host.len <= HOST_MAX;
}

/* The look of an IPv6 address, no zone; the resolver reads it in earnest. */
static bool is_ipv6(struct hf_span host)
{
	size_t i, colons = 0;

	for (i = 0; i < host.len; i++) {
		char c = host.ptr[i];

		colons += c == ':';
		if (c != ':' && c != '.' && hf_hex_digit(c) < 0)
			return false;
	}
	return colons >= 2 && host.len <= 45;
}

static int parse_port(struct hf_span text, uint16_t *port)
{
	uint64_t number;

	if (text.len > 5 || !hf_span_u64(text, &number) || number == 0 || number > UINT16_MAX)
		return HF_EINVAL;
	*port = (uint16_t)number;
	return 0;
}

/* "host", "host:port", "[v6]", "[v6]:port"; @port stays when there is none. */
static int parse_authority(struct hf_span text, struct hf_span *host, bool *ipv6, bool *port_given,
			   uint16_t *port)
{
	struct hf_span rest = text;

	*ipv6 = text.len > 0 && text.ptr[0] == '[';
	if (*ipv6) {
		rest = hf_span_skip(text, 1);
		*host = hf_span_cut(&rest, ']');
		if (!rest.ptr || !is_ipv6(*host))
			return HF_EINVAL;
		*port_given = rest.len > 0;
		if (*port_given && rest.ptr[0] != ':')
			return HF_EINVAL;
		rest = hf_span_skip(rest, 1);
	} else {
		*host = hf_span_cut(&rest, ':');
		*port_given = rest.ptr != NULL;
		if (!is_reg_name(*host))
			return HF_EINVAL;
	}
	return *port_given ? parse_port(rest, port) : 0;
}

int hf_host_parse(struct hf_span text, struct hf_span *host, uint16_t *port)
{
	bool ipv6, port_given;

	*port = 0;
	return parse_authority(text, host, &ipv6, &port_given, port);
}

static void split_query(struct hf_span text, struct hf_span *path, struct hf_span *query)
{
	*query = text;
	*path = hf_span_cut(query, '?');
}

/* Up to the first '/' or '?'. */
static struct hf_span cut_authority(struct hf_span *rest)
{
	size_t n = 0;

	while (n < rest->len && rest->ptr[n] != '/' && rest->ptr[n] != '?')
		n++;
	*rest = hf_span_skip(*rest, n);
	return hf_span(rest->ptr - n, n);
}

int hf_url_parse(struct hf_span text, struct hf_url *out)
{
	const struct scheme *scheme;
	struct hf_span rest = text, authority;
	int err;

	*out = (struct hf_url){ .port = 0 };
	if (!hf_is_visible(text) || memchr(text.ptr, '#', text.len))
		return HF_EINVAL;
	scheme = find_scheme(hf_span_cut(&rest, ':'));
	if (!scheme || !rest.ptr || !hf_span_starts(rest, HF_SPAN("//")))
		return HF_EINVAL;
	rest = hf_span_skip(rest, 2);
	authority = cut_authority(&rest);
	out->scheme = hf_span_str(scheme->name);
	out->port = scheme->port;
	err = parse_authority(authority, &out->host, &out->host_is_ipv6, &out->port_given,
			      &out->port);
	if (err)
		return err;
	split_query(rest, &out->path, &out->query);
	if (out->path.len == 0)
		out->path = HF_SPAN("/");
	return 0;
}

int hf_target_parse(struct hf_span target, struct hf_span *path, struct hf_span *query)
{
	if (target.len == 0 || target.ptr[0] != '/' || !hf_is_visible(target) ||
	    memchr(target.ptr, '#', target.len))
		return HF_EINVAL;
	split_query(target, path, query);
	return 0;
}

/* The byte that "%41" at @at stands for, or -1. */
static int pct_byte(struct hf_span s, size_t at)
{
	int high, low;

	if (s.len - at < 3 || s.ptr[at] != '%')
		return -1;
	high = hf_hex_digit(s.ptr[at + 1]);
	low = hf_hex_digit(s.ptr[at + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

size_t hf_pct_normalize(struct hf_span s, char *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i, n = 0;

	for (i = 0; i < s.len; i++) {
		int byte = pct_byte(s, i);

		if (byte < 0) {
			out[n++] = s.ptr[i];
			continue;
		}
		i += 2;
		if (byte < 0x80 && is_unreserved((char)byte)) {
			out[n++] = (char)byte;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[byte >> 4];
		out[n++] = hex[byte & 15];
	}
	return n;
}

/* Removes dot segments in place (RFC 3986 section 5.2.4): segment by segment,
 * the ones that stay are moved to the front. @p begins with '/'. */
static size_t remove_dots(char *p, size_t len)
{
	struct hf_span rest = hf_span(p + 1, len - 1), segment;
	size_t n = 0;
	bool last;

	do {
		segment = hf_span_cut(&rest, '/');
		last = rest.ptr == NULL;
		if (hf_span_eq_str(segment, "..")) {
			while (n > 0 && p[--n] != '/')
				;
		} else if (!hf_span_eq_str(segment, ".")) {
			p[n++] = '/';
			memmove(p + n, segment.ptr, segment.len);
			n += segment.len;
			continue;
		}
		if (last)
			p[n++] = '/';
	} while (!last);
	return n;
}

struct hf_span hf_path_normalize(struct hf_arena *arena, struct hf_span path)
{
	char *out;
	size_t n;

	if (path.len == 0 || path.ptr[0] != '/') /* "*" and the like */
		return hf_arena_copy(arena, path.len ? path : HF_SPAN("/"));
	out = hf_arena_alloc(arena, path.len + 1);
	if (!out)
		return hf_span(NULL, 0);
	n = hf_pct_normalize(path, out);
	n = remove_dots(out, n);
	out[n] = '\0';
	return hf_span(out, n);
}
