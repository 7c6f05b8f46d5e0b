/* SPDX-License-Identifier: Apache-2.0 */
#include "http/etag.h"

/* W/"..." or "...", the closing quote being the last byte. */
static void split(struct hf_span text, struct hf_etag *out)
{
	bool weak = text.len > 2 && text.ptr[0] == 'W' && text.ptr[1] == '/' && text.ptr[2] == '"';
	struct hf_span quoted = hf_span_skip(text, weak ? 2 : 0);

	out->text = text;
	out->opaque = text;
	out->weak = false;
	if (quoted.len < 2 || quoted.ptr[0] != '"' || quoted.ptr[quoted.len - 1] != '"')
		return;
	out->opaque = hf_span(quoted.ptr + 1, quoted.len - 2);
	out->weak = weak;
}

bool hf_etag_of(const struct hf_fields *fields, struct hf_etag *out)
{
	const struct hf_span *line = hf_fields_get(fields, "ETag");
	struct hf_span text = line ? hf_span_trim(*line) : hf_span(NULL, 0);

	if (text.len == 0)
		return false;
	split(text, out);
	return true;
}

bool hf_etag_eq_weak(const struct hf_etag *a, const struct hf_etag *b)
{
	return hf_span_eq(a->opaque, b->opaque);
}

bool hf_etag_eq_strong(const struct hf_etag *a, const struct hf_etag *b)
{
	return !a->weak && !b->weak && hf_span_eq(a->opaque, b->opaque);
}

/* Where the member at the front of @s ends: at a comma outside quotes. */
static size_t member_length(struct hf_span s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.len && (quoted || s.ptr[i] != ','); i++)
		if (s.ptr[i] == '"')
			quoted = !quoted;
	return i;
}

bool hf_etag_next(struct hf_span *rest, struct hf_etag *out)
{
	struct hf_span text;
	size_t n;

	while (rest->len > 0) {
		n = member_length(*rest);
		text = hf_span_trim(hf_span(rest->ptr, n));
		*rest = hf_span_skip(*rest, n + 1);
		if (text.len > 0) {
			split(text, out);
			return true;
		}
	}
	return false;
}

static bool list_has(struct hf_span rest, const struct hf_etag *etag)
{
	struct hf_etag member;

	while (hf_etag_next(&rest, &member))
		if (hf_span_eq_str(member.text, "*") || (etag && hf_etag_eq_weak(&member, etag)))
			return true;
	return false;
}

bool hf_if_none_match(const struct hf_fields *request, const struct hf_etag *etag)
{
	size_t i;

	for (i = 0; i < request->n; i++)
		if (hf_span_ieq_str(request->v[i].name, "If-None-Match") &&
		    list_has(request->v[i].value, etag))
			return true;
	return false;
}
