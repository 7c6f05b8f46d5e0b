/* SPDX-License-Identifier: Apache-2.0 */
/* Field lines, of heads and of trailers (RFC 9112 section 5). */
#include "http/h1_private.h"

#include <assert.h>

#include "holdfast/err.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int parse_field(struct hf_h1_reader *r, struct hf_span line, struct hf_field *out)
{
	struct hf_span value = line;
	struct hf_span name = hf_span_cut(&value, ':');

	if (!value.ptr)
		return hf_h1_bad(r, "field line without colon");
	if (name.len > 0 && (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
		return hf_h1_bad(r, "white space before the colon");
	if (!hf_is_token(name))
		return hf_h1_bad(r, "malformed field name");
	if (!hf_is_field_value(value))
		return hf_h1_bad(r, "control byte in a field value");
	out->name = name;
	out->value = hf_span_trim(value);
	return 0;
}

/* @section lies in the arena, behind the room for its fields at @v. */
int hf_h1_fields_parse(struct hf_h1_reader *r, struct hf_span section, struct hf_fields *fields)
{
	struct hf_span line;
	int err;

	while ((line = hf_h1_next_line(&section)).len > 0) {
		assert(fields->n < fields->cap);
		err = parse_field(r, line, &fields->v[fields->n]);
		if (err)
			return err;
		fields->n++;
	}
	return 0;
}

/* Copies @section into the arena with room for @cap fields before it. */
int hf_h1_fields_take(struct hf_h1_reader *r, struct hf_span *section, struct hf_fields *fields,
		      size_t cap)
{
	char *copy;

	hf_fields_init(fields, r->arena);
	fields->v = hf_arena_alloc(r->arena, cap * sizeof(*fields->v) + section->len);
	if (!fields->v)
		return hf_h1_no_memory(r);
	fields->cap = cap;
	copy = (char *)(fields->v + cap);
	memcpy(copy, section->ptr, section->len);
	section->ptr = copy;
	return 0;
}

/* ---- trailers ---- */

/* Not in trailers: what frames, routes, authenticates or describes the content
 * (RFC 9110 section 6.5.1). */
static bool may_be_trailer(struct hf_span name)
{
	static const char *const not [] = {
		"Age",
		"Authorization",
		"Cache-Control",
		"Connection",
		"Content-Encoding",
		"Content-Length",
		"Content-Range",
		"Content-Type",
		"Cookie",
		"Expect",
		"Host",
		"Idempotency-Key",
		"Keep-Alive",
		"Location",
		"Max-Forwards",
		"Pragma",
		"Proxy-Authenticate",
		"Proxy-Authorization",
		"Proxy-Connection",
		"Range",
		"Set-Cookie",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		"WWW-Authenticate",
	};
	size_t i;

	for (i = 0; i < COUNT(not ); i++)
		if (hf_span_ieq_str(name, not [i]))
			return false;
	return true;
}

static void drop_forbidden(struct hf_fields *f)
{
	size_t i, kept = 0;

	for (i = 0; i < f->n; i++)
		if (may_be_trailer(f->v[i].name))
			f->v[kept++] = f->v[i];
	f->n = kept;
}

int hf_h1_trailers_parse(struct hf_h1_reader *r, struct hf_span section)
{
	int err;

	if (r->section.lines == 0)
		return 0;
	err = hf_h1_fields_take(r, &section, &r->trailers, r->section.lines);
	if (!err)
		err = hf_h1_fields_parse(r, section, &r->trailers);
	if (!err)
		drop_forbidden(&r->trailers);
	return err;
}
