/* SPDX-License-Identifier: Apache-2.0 */
#include "http/reference.h"

#include "http/message.h"

/* A scheme and ':' at the front (RFC 3986 section 3.1). */
static bool has_scheme(struct hf_span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (c == ':')
			return i > 0;
		if (!alpha &&
		    (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
			return false;
	}
	return false;
}

static bool same_origin(const struct hf_url *a, const struct hf_url *b)
{
	return hf_span_ieq(a->scheme, b->scheme) && hf_span_ieq(a->host, b->host) &&
	       a->port == b->port;
}

/* An absolute URL, or one without its scheme ("//host/path"). */
static bool resolve_url(const struct hf_url *base, struct hf_span text, struct hf_arena *arena,
			struct hf_target *out)
{
	struct hf_url url;

	if (hf_span_starts(text, HF_SPAN("//"))) {
		text = hf_arena_printf(arena, "%.*s:%.*s", HF_SPAN_ARG(base->scheme),
				       HF_SPAN_ARG(text));
		if (!text.ptr)
			return false;
	}
	if (hf_url_parse(text, &url) || !same_origin(base, &url))
		return false;
	out->path = url.path;
	out->query = url.query;
	return true;
}

/* @path in place of what stands behind the last '/' of the base's. */
static struct hf_span merge(const struct hf_url *base, struct hf_span path, struct hf_arena *arena)
{
	struct hf_span folder = base->path;

	while (folder.len > 0 && folder.ptr[folder.len - 1] != '/')
		folder.len--;
	if (folder.len == 0)
		folder = HF_SPAN("/");
	return hf_arena_printf(arena, "%.*s%.*s", HF_SPAN_ARG(folder), HF_SPAN_ARG(path));
}

static bool has_dots(struct hf_span path)
{
	struct hf_span segment;

	while (path.ptr) {
		segment = hf_span_cut(&path, '/');
		if (hf_span_eq_str(segment, ".") || hf_span_eq_str(segment, ".."))
			return true;
	}
	return false;
}

static bool resolve_path(const struct hf_url *base, struct hf_span text, struct hf_arena *arena,
			 struct hf_target *out)
{
	out->query = text;
	out->path = hf_span_cut(&out->query, '?');
	if (out->path.len == 0) {
		if (!out->query.ptr)
			out->query = base->query;
		out->path = base->path;
		return true;
	}
	if (out->path.ptr[0] != '/')
		out->path = merge(base, out->path, arena);
	return out->path.ptr != NULL;
}

bool hf_reference_resolve(const struct hf_url *base, struct hf_span reference,
			  struct hf_arena *arena, struct hf_target *out)
{
	struct hf_span text = hf_span_cut(&reference, '#');
	bool ok;

	if (text.len > HF_REFERENCE_MAX || (text.len > 0 && !hf_is_visible(text)))
		return false;
	if (has_scheme(text) || hf_span_starts(text, HF_SPAN("//")))
		ok = resolve_url(base, text, arena, out);
	else
		ok = resolve_path(base, text, arena, out);
	if (ok && has_dots(out->path))
		out->path = hf_path_normalize(arena, out->path);
	return ok && out->path.ptr;
}

bool hf_target_is_of(const struct hf_target *target, const struct hf_url *url)
{
	return hf_span_eq(target->path, url->path) &&
	       (target->query.ptr != NULL) == (url->query.ptr != NULL) &&
	       hf_span_eq(target->query, url->query);
}
