/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No field value is parsed further than it has to be: what is not understood
 * passes unchanged.
 */
#include "fetch/forward.h"

#include <stdio.h>

#include "holdfast/err.h"
#include "http/url.h"

#define PSEUDONYM "holdfast"

int hf_forward_fields(const struct hf_fields *in, size_t more, struct hf_arena *arena,
		      struct hf_fields *out)
{
	hf_fields_init(out, arena);
	out->v = hf_arena_alloc(arena, (in->n + more) * sizeof(*out->v));
	if (!out->v)
		return HF_ENOMEM;
	out->cap = in->n + more;
	if (in->n > 0)
		memcpy(out->v, in->v, in->n * sizeof(*out->v));
	out->n = in->n;
	return 0;
}

/* ---- Via ---- */

static bool names_us(struct hf_span value)
{
	struct hf_span rest = value, one, protocol;

	while (rest.ptr && rest.len > 0) {
		one = hf_span_trim(hf_span_cut(&rest, ','));
		protocol = hf_span_cut(&one, ' ');
		one = hf_span_trim(one);
		if (protocol.len > 0 && hf_span_ieq_str(hf_span_cut(&one, ' '), PSEUDONYM))
			return true;
	}
	return false;
}

bool hf_forward_is_loop(const struct hf_fields *fields)
{
	size_t i;

	for (i = 0; i < fields->n; i++) {
		if (hf_span_ieq_str(fields->v[i].name, "via") && names_us(fields->v[i].value))
			return true;
	}
	return false;
}

static int add_via(struct hf_fields *fields, int minor)
{
	return hf_fields_add(fields, HF_SPAN("Via"),
			     minor == 0 ? HF_SPAN("1.0 " PSEUDONYM) : HF_SPAN("1.1 " PSEUDONYM));
}

/* ---- Forwarded ---- */

/* The node of RFC 7239 section 6; 48 bytes hold the longest. */
static size_t format_node(const struct hf_addr *a, char out[64])
{
	const uint8_t *ip = a->ip;
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	static const uint8_t loopback[16] = { [15] = 1 };
	int n;

	if (a->family == HF_FAMILY_UNIX)
		n = snprintf(out, 64, "unknown");
	else if (a->family == HF_FAMILY_IPV4)
		n = snprintf(out, 64, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	else if (memcmp(ip, mapped, sizeof(mapped)) == 0)
		n = snprintf(out, 64, "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
	else if (memcmp(ip, loopback, sizeof(loopback)) == 0)
		n = snprintf(out, 64, "\"[::1]\"");
	else
		n = snprintf(out, 64, "\"[%x:%x:%x:%x:%x:%x:%x:%x]\"", ip[0] << 8 | ip[1],
			     ip[2] << 8 | ip[3], ip[4] << 8 | ip[5], ip[6] << 8 | ip[7],
			     ip[8] << 8 | ip[9], ip[10] << 8 | ip[11], ip[12] << 8 | ip[13],
			     ip[14] << 8 | ip[15]);
	return (size_t)n;
}

static char *put(char *at, struct hf_span s)
{
	if (s.len > 0)
		memcpy(at, s.ptr, s.len);
	return at + s.len;
}

/* A Host that was accepted holds no '"' and no '\'. */
static int add_forwarded(const struct hf_forward *fw, struct hf_arena *arena,
			 struct hf_fields *fields)
{
	char node[64], *text, *at;
	size_t node_len;

	if (!fw->peer)
		return 0; /* a request of our own */
	node_len = format_node(&fw->peer->addr, node);
	if (fw->identity.len > 0)
		node_len = 0;
	text = hf_arena_alloc(arena, node_len + fw->identity.len + fw->host.len + 32);
	at = text;
	if (!text)
		return HF_ENOMEM;
	at = put(at, HF_SPAN("for="));
	if (fw->identity.len > 0) /* RFC 7239 section 6.3 */
		at = put(at, HF_SPAN("_"));
	at = put(at, fw->identity);
	at = put(at, hf_span(node, node_len));
	if (fw->host.len > 0) {
		at = put(at, HF_SPAN(";host=\""));
		at = put(at, fw->host);
		at = put(at, HF_SPAN("\""));
	}
	at = put(at, HF_SPAN(";proto="));
	at = put(at, fw->proto ? hf_span_str(fw->proto) : HF_SPAN("http"));
	return hf_fields_add(fields, HF_SPAN("Forwarded"), hf_span(text, (size_t)(at - text)));
}

/* ---- one side's name for the other's ---- */

/* How many bytes of @value are "SCHEME://AUTHORITY" (or "//AUTHORITY" with
 * @relative), followed by a path, query, fragment or the end. 0: another. */
static size_t own_prefix(struct hf_span value, struct hf_span scheme, struct hf_span authority,
			 bool relative)
{
	size_t at = 0;
	struct hf_span rest, port;

	if (value.len > scheme.len + 3 && hf_span_ieq(hf_span(value.ptr, scheme.len), scheme) &&
	    memcmp(value.ptr + scheme.len, "://", 3) == 0)
		at = scheme.len + 3;
	else if (relative && value.len > 2 && memcmp(value.ptr, "//", 2) == 0)
		at = 2;
	if (at == 0 || value.len - at < authority.len ||
	    !hf_span_ieq(hf_span(value.ptr + at, authority.len), authority))
		return 0;
	at += authority.len;
	rest = hf_span_skip(value, at);
	port = hf_span_ieq_str(scheme, "https") ? HF_SPAN(":443") : HF_SPAN(":80");
	if (hf_span_starts(rest, port)) {
		rest = hf_span_skip(rest, port.len);
		at += port.len;
	}
	if (rest.len == 0 || rest.ptr[0] == '/' || rest.ptr[0] == '?' || rest.ptr[0] == '#')
		return at;
	return 0;
}

/* @value with its first @cut bytes replaced by scheme and authority. */
static int rename_value(struct hf_arena *arena, struct hf_span scheme, struct hf_span authority,
			size_t cut, struct hf_span *value)
{
	struct hf_span rest = hf_span_skip(*value, cut);
	char *text = hf_arena_alloc(arena, scheme.len + 3 + authority.len + rest.len + 1);
	char *at = text;

	if (!text)
		return HF_ENOMEM;
	if (authority.len > 0) {
		at = put(at, scheme);
		at = put(at, HF_SPAN("://"));
		at = put(at, authority);
	} else if (rest.len == 0 || rest.ptr[0] != '/') {
		at = put(at, HF_SPAN("/"));
	}
	at = put(at, rest);
	*value = hf_span(text, (size_t)(at - text));
	return 0;
}

/* ---- requests ---- */

/* Upgrades that are passed on: any but those that would carry HTTP past us. */
static bool upgrade_allowed(struct hf_span value)
{
	struct hf_span rest = value, one;

	while (rest.ptr && rest.len > 0) {
		one = hf_span_trim(hf_span_cut(&rest, ','));
		one = hf_span_cut(&one, '/');
		if (hf_span_ieq_str(one, "h2c") || hf_span_ieq_str(one, "tls") ||
		    hf_span_ieq_str(one, "http"))
			return false;
	}
	return value.len > 0;
}

static int rename_panel(const struct hf_forward *fw, struct hf_arena *arena,
			struct hf_fields *fields)
{
	size_t i, cut;
	int err;

	if (fw->host.len == 0)
		return 0;
	for (i = 0; i < fields->n; i++) {
		struct hf_field *f = &fields->v[i];

		if (!(f->name.len == 6 && hf_span_ieq_str(f->name, "origin")) &&
		    !(f->name.len == 7 && hf_span_ieq_str(f->name, "referer")))
			continue;
		cut = own_prefix(f->value, HF_SPAN("http"), fw->host, false);
		if (cut == 0)
			continue;
		err = rename_value(arena, fw->scheme, fw->authority, cut, &f->value);
		if (err)
			return err;
	}
	return 0;
}

int hf_forward_request(const struct hf_forward *fw, const struct hf_message *in,
		       struct hf_arena *arena, struct hf_message *out)
{
	const struct hf_span *upgrade = in->upgrade ? hf_fields_get(&in->fields, "upgrade") : NULL;
	size_t i;
	int err;

	*out = *in;
	out->minor = 1;
	out->keep_alive = true;
	out->upgrade = false;
	err = hf_forward_fields(&in->fields, 4, arena, &out->fields);
	if (err)
		return err;
	hf_fields_strip_hop(&out->fields);
	for (i = 0; i < out->fields.n; i++) {
		if (hf_span_ieq_str(out->fields.v[i].name, "host"))
			break;
	}
	if (i < out->fields.n)
		out->fields.v[i].value = fw->authority;
	else
		err = hf_fields_add(&out->fields, HF_SPAN("Host"), fw->authority);
	if (in->minor == 0 || in->body == HF_BODY_NONE) {
		hf_fields_remove(&out->fields, "expect");
		out->expect_continue = false;
	}
	if (!err)
		err = rename_panel(fw, arena, &out->fields);
	if (!err && upgrade && in->body == HF_BODY_NONE && upgrade_allowed(*upgrade)) {
		out->upgrade = true;
		err = hf_fields_add(&out->fields, HF_SPAN("Upgrade"), *upgrade);
	}
	if (!err)
		err = add_via(&out->fields, in->minor);
	if (!err)
		err = add_forwarded(fw, arena, &out->fields);
	return err;
}

/* ---- Prefer ---- */

/* Appends the preferences of @value that are not ours to @text. */
static char *keep_preferences(struct hf_span value, char *text, char *at)
{
	size_t begin = 0, i;
	bool quoted = false;

	for (i = 0; i <= value.len; i++) {
		struct hf_span one, rest, name;

		if (i < value.len && value.ptr[i] == '"')
			quoted = !quoted;
		if (i < value.len && (quoted || value.ptr[i] != ','))
			continue;
		one = hf_span_trim(hf_span(value.ptr + begin, i - begin));
		begin = i + 1;
		rest = one;
		name = hf_span_cut(&rest, ';');
		rest = name;
		name = hf_span_trim(hf_span_cut(&rest, '='));
		if (one.len == 0 || hf_span_ieq_str(name, "wait") ||
		    hf_span_ieq_str(name, "respond-async"))
			continue;
		if (at != text)
			at = put(at, HF_SPAN(", "));
		at = put(at, one);
	}
	return at;
}

int hf_forward_without_prefer(struct hf_fields *fields)
{
	size_t i, room = 0;
	char *text, *at;

	for (i = 0; i < fields->n; i++) {
		if (hf_span_ieq_str(fields->v[i].name, "prefer"))
			room += 2 * fields->v[i].value.len + 2;
	}
	if (room == 0)
		return 0;
	text = hf_arena_alloc(fields->arena, room);
	if (!text)
		return HF_ENOMEM;
	at = text;
	for (i = 0; i < fields->n; i++) {
		if (hf_span_ieq_str(fields->v[i].name, "prefer"))
			at = keep_preferences(fields->v[i].value, text, at);
	}
	hf_fields_remove(fields, "prefer");
	if (at == text)
		return 0;
	return hf_fields_add(fields, HF_SPAN("Prefer"), hf_span(text, (size_t)(at - text)));
}

/* ---- responses ---- */

/* "Domain=shop.example": the origin's host or a domain above it. */
static bool is_own_domain(struct hf_span attribute, struct hf_span authority)
{
	struct hf_span rest = attribute, name, host;
	uint16_t port;

	name = hf_span_trim(hf_span_cut(&rest, '='));
	if (!rest.ptr || !hf_span_ieq_str(name, "domain"))
		return false;
	rest = hf_span_trim(rest);
	if (rest.len > 0 && rest.ptr[0] == '.')
		rest = hf_span_skip(rest, 1);
	if (hf_host_parse(authority, &host, &port) || rest.len == 0 || rest.len > host.len)
		return false;
	if (!hf_span_ieq(hf_span_skip(host, host.len - rest.len), rest))
		return false;
	return rest.len == host.len || host.ptr[host.len - rest.len - 1] == '.';
}

static int without_domain(const struct hf_forward *fw, struct hf_arena *arena,
			  struct hf_span *value)
{
	struct hf_span rest = *value, one;
	char *text = NULL, *at = NULL;
	bool first = true, cut = false;

	while (rest.ptr) {
		one = hf_span_cut(&rest, ';');
		if (!first && is_own_domain(one, fw->authority)) {
			cut = true;
			continue;
		}
		if (!text) {
			text = hf_arena_alloc(arena, value->len + 1);
			if (!text)
				return HF_ENOMEM;
			at = text;
		}
		if (!first)
			*at++ = ';';
		at = put(at, one);
		first = false;
	}
	if (cut)
		*value = hf_span(text, (size_t)(at - text));
	return 0;
}

static int rename_origin(const struct hf_forward *fw, struct hf_arena *arena, struct hf_field *f)
{
	size_t cut;

	if ((f->name.len == 8 && hf_span_ieq_str(f->name, "location")) ||
	    (f->name.len == 16 && hf_span_ieq_str(f->name, "content-location"))) {
		cut = own_prefix(f->value, fw->scheme, fw->authority, true);
		if (cut > 0)
			return rename_value(arena, HF_SPAN("http"), fw->host, cut, &f->value);
	} else if (f->name.len == 10 && hf_span_ieq_str(f->name, "set-cookie")) {
		return without_domain(fw, arena, &f->value);
	}
	return 0;
}

int hf_forward_stored(const struct hf_forward *fw, struct hf_fields *fields)
{
	size_t i;
	int err = 0;

	for (i = 0; i < fields->n && !err; i++)
		err = rename_origin(fw, fields->arena, &fields->v[i]);
	return err;
}

bool hf_forward_is_ours(struct hf_span name)
{
	struct hf_span prefix = HF_SPAN("Holdfast-");

	return name.len > prefix.len && hf_span_ieq(hf_span(name.ptr, prefix.len), prefix);
}

static void strip_ours(struct hf_fields *fields)
{
	size_t i, kept = 0;

	for (i = 0; i < fields->n; i++) {
		if (!hf_forward_is_ours(fields->v[i].name))
			fields->v[kept++] = fields->v[i];
	}
	fields->n = kept;
}

int hf_forward_response(const struct hf_forward *fw, const struct hf_message *in,
			struct hf_arena *arena, struct hf_message *out)
{
	const struct hf_span *upgrade = in->status == 101 ? hf_fields_get(&in->fields, "upgrade") :
							    NULL;
	int err;

	*out = *in;
	out->minor = 1;
	out->keep_alive = true;
	err = hf_forward_fields(&in->fields, 4, arena, &out->fields);
	if (err)
		return err;
	hf_fields_strip_hop(&out->fields);
	if (!in->local)
		strip_ours(&out->fields);
	err = hf_forward_stored(fw, &out->fields);
	if (!err && upgrade)
		err = hf_fields_add(&out->fields, HF_SPAN("Upgrade"), *upgrade);
	if (!err && in->status != 100)
		err = add_via(&out->fields, in->minor);
	return err;
}
