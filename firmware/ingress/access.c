/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths are cleaned here more than by RFC 3986 section 6.2.2: every escape is
 * decoded, '\' counts as '/', runs of slashes as one. What is ours only after
 * that is never served and never forwarded.
 */
#include "ingress/access.h"

#define OWN	".holdfast"
#define OWN_LEN (sizeof(OWN) - 1)

/* The next byte of @s, decoded twice over where it is escaped twice. */
static char take(struct hf_span *s)
{
	char c = s->ptr[0];
	size_t n = 1;

	while (c == '%' && s->len >= n + 2) {
		int hi = hf_hex_digit(s->ptr[n]), lo = hf_hex_digit(s->ptr[n + 1]);

		if (hi < 0 || lo < 0)
			break;
		c = (char)(hi << 4 | lo);
		n += 2;
	}
	*s = hf_span_skip(*s, n);
	return c == '\\' ? '/' : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Reads one segment: its length, and its first bytes in @name. Path parameters
 * (";...") do not count. */
static size_t take_segment(struct hf_span *s, char name[OWN_LEN + 1])
{
	size_t len = 0;
	bool parameter = false;
	char c;

	while (s->len > 0) {
		c = take(s);
		if (c == '/')
			break;
		if (c == ';')
			parameter = true;
		if (parameter)
			continue;
		if (len <= OWN_LEN)
			name[len] = lower(c);
		len++;
	}
	return len;
}

/* Whether some way of cleaning @path leads below our prefix: the first segment
 * at depth 0 after dot segments is ours. */
static bool leads_to_us(struct hf_span path)
{
	char name[OWN_LEN + 1];
	size_t depth = 0, len;
	bool ours = false;

	while (path.len > 0) {
		len = take_segment(&path, name);
		if (len == 0 || (len == 1 && name[0] == '.'))
			continue;
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			if (depth > 0)
				depth--;
			continue;
		}
		if (depth == 0)
			ours = len == OWN_LEN && memcmp(name, OWN, OWN_LEN) == 0;
		depth++;
	}
	return ours && depth > 0;
}

static bool is_plain(struct hf_span path)
{
	size_t i;

	for (i = 0; i < path.len; i++) {
		char c = path.ptr[i];
		char before = i > 0 ? path.ptr[i - 1] : 0;

		if (c == '%' || c == '\\' || c == ';')
			return false;
		if (before == '/' && (c == '/' || (c == '.' && i > 1)))
			return false;
	}
	return true;
}

enum hf_path_owner hf_access_path(struct hf_span path)
{
	bool plain = is_plain(path);
	bool begins = hf_span_starts(path, HF_SPAN("/" OWN)) &&
		      (path.len == OWN_LEN + 1 || path.ptr[OWN_LEN + 1] == '/');

	if (begins && leads_to_us(path))
		return HF_PATH_OURS;
	if (plain &&
	    !(path.len > OWN_LEN && hf_span_ieq(hf_span(path.ptr, OWN_LEN + 1), HF_SPAN("/" OWN))))
		return HF_PATH_ORIGIN;
	return leads_to_us(path) ? HF_PATH_AMBIGUOUS : HF_PATH_ORIGIN;
}

static bool is_same_origin(struct hf_span origin, struct hf_span host)
{
	struct hf_span prefix = HF_SPAN("http://"), rest;

	if (origin.len <= prefix.len || !hf_span_ieq(hf_span(origin.ptr, prefix.len), prefix))
		return false;
	rest = hf_span_skip(origin, prefix.len);
	if (hf_span_ieq(rest, host))
		return true;
	/* "http://localhost" and Host "localhost:80" are the same. */
	return host.len == rest.len + 3 && hf_span_ieq(hf_span(host.ptr, rest.len), rest) &&
	       memcmp(host.ptr + rest.len, ":80", 3) == 0;
}

const char *hf_access_page(const struct hf_message *msg, struct hf_span host)
{
	const struct hf_span *site = hf_fields_get(&msg->fields, "Sec-Fetch-Site");
	const struct hf_span *origin = hf_fields_get(&msg->fields, "Origin");

	if (site && !hf_span_ieq_str(*site, "same-origin") && !hf_span_ieq_str(*site, "none"))
		return "Only pages of the same origin may use /.holdfast/.";
	if (hf_fields_count(&msg->fields, "Origin") > 1)
		return "More than one Origin.";
	if (origin && !is_same_origin(*origin, host))
		return "Only pages of the same origin may use /.holdfast/.";
	return NULL;
}

bool hf_access_is_local(const struct hf_addr *addr)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	static const uint8_t loopback[16] = { [15] = 1 };

	switch (addr->family) {
	case HF_FAMILY_UNIX:
		return true;
	case HF_FAMILY_IPV4:
		return addr->ip[0] == 127;
	case HF_FAMILY_IPV6:
		if (memcmp(addr->ip, mapped, sizeof(mapped)) == 0)
			return addr->ip[12] == 127;
		return memcmp(addr->ip, loopback, sizeof(loopback)) == 0;
	}
	return false;
}
