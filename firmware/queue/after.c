/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/after.h"

#include <stdlib.h>

#include "holdfast_config.h"
#include "http/json_at.h"
#include "http/values.h"

/* ---- the field ---- */

static int wrong(const char **why, const char *words)
{
	*why = words;
	return HF_EINVAL;
}

static void skip_spaces(struct hf_span *s)
{
	while (s->len > 0 && s->ptr[0] == ' ')
		*s = hf_span_skip(*s, 1);
}

static bool take(struct hf_span *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = hf_span_skip(*s, 1);
	return true;
}

/* An sf-string without its opening quote. */
static int read_string(struct hf_span *s, struct hf_arena *arena, struct hf_span *out)
{
	char *text = hf_arena_alloc(arena, s->len + 1);
	size_t n = 0;

	if (!text)
		return HF_ENOMEM;
	while (s->len > 0 && s->ptr[0] != '"') {
		char c = s->ptr[0];

		*s = hf_span_skip(*s, 1);
		if (c == '\\') {
			if (s->len == 0 || (s->ptr[0] != '"' && s->ptr[0] != '\\'))
				return HF_EINVAL;
			c = s->ptr[0];
			*s = hf_span_skip(*s, 1);
		}
		if (c < 0x20 || c > 0x7e)
			return HF_EINVAL;
		text[n++] = c;
	}
	*out = hf_span(text, n);
	return take(s, '"') ? 0 : HF_EINVAL;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int read_name(struct hf_span *s, struct hf_span *out)
{
	*out = hf_span(s->ptr, 0);
	while (out->len < s->len && is_name_char(s->ptr[out->len]))
		out->len++;
	*s = hf_span_skip(*s, out->len);
	if (out->len == 0 || out->len > HF_AFTER_NAME_MAX || out->ptr[0] < 'a')
		return HF_EINVAL;
	return 0;
}

static int read_from(struct hf_span *s, struct hf_arena *arena, struct hf_after_value *v)
{
	int err;

	if (take(s, '"')) {
		err = read_string(s, arena, &v->from);
		if (!err && !hf_json_pointer_is_valid(v->from))
			err = HF_EINVAL;
	} else {
		v->is_field = true;
		v->from = hf_span(s->ptr, 0);
		while (v->from.len < s->len && s->ptr[v->from.len] != ';' &&
		       s->ptr[v->from.len] != ' ')
			v->from.len++;
		*s = hf_span_skip(*s, v->from.len);
		err = hf_is_token(v->from) && !(v->from.ptr[0] >= '0' && v->from.ptr[0] <= '9') ?
			      0 :
			      HF_EINVAL;
	}
	return !err && v->from.len > HF_AFTER_FROM_MAX ? HF_EINVAL : err;
}

/* The last of a repeated name counts (RFC 9651 section 3.1.2). */
static struct hf_after_value *place_for(struct hf_after *a, struct hf_span name)
{
	for (size_t i = 0; i < a->n; i++)
		if (hf_span_eq(a->v[i].name, name))
			return &a->v[i];
	return a->n < HF_AFTER_VALUES_MAX ? &a->v[a->n++] : NULL;
}

static int read_parameter(struct hf_span *s, struct hf_arena *arena, struct hf_after *out,
			  const char **why)
{
	struct hf_after_value v = { 0 }, *to;
	int err;

	skip_spaces(s);
	if (read_name(s, &v.name))
		return wrong(why,
			     "Holdfast-After has a name that is none: it begins with a letter, "
			     "and has up to 32 of a-z, 0-9, _ and -.");
	err = take(s, '=') ? read_from(s, arena, &v) : HF_EINVAL;
	if (err == HF_EINVAL)
		*why = "A value of Holdfast-After is neither a JSON Pointer in quotes nor the name "
		       "of a field.";
	to = err ? NULL : place_for(out, v.name);
	if (!err && !to)
		return wrong(why, "Holdfast-After asks for more than 8 values.");
	if (!err)
		*to = v;
	return err;
}

int hf_after_parse(struct hf_span field, struct hf_arena *arena, struct hf_after *out,
		   const char **why)
{
	struct hf_span s = hf_span_trim(field);
	uint64_t row;
	int err;

	memset(out, 0, sizeof(*out));
	err = take(&s, '"') ? read_string(&s, arena, &out->id) : HF_EINVAL;
	if (!err)
		err = hf_record_id_parse(out->id, &row);
	if (err == HF_EINVAL)
		*why = "Holdfast-After does not begin with the id of a request, in quotes.";
	skip_spaces(&s);
	while (!err && take(&s, ';')) {
		err = read_parameter(&s, arena, out, why);
		skip_spaces(&s);
	}
	if (!err && s.len > 0)
		return wrong(why, "Holdfast-After has something behind its parameters.");
	return err;
}

/* ---- places ---- */

/* Takes @c, in a URL also as %XX. */
static bool take_sign(struct hf_span *s, char c, bool url)
{
	if (take(s, c))
		return true;
	if (!url || s->len < 3 || s->ptr[0] != '%' || hf_hex_digit(s->ptr[1]) != c >> 4 ||
	    hf_hex_digit(s->ptr[2]) != (c & 15))
		return false;
	*s = hf_span_skip(*s, 3);
	return true;
}

/* The value whose place @s begins with, and the place's length; NULL: none. */
static const struct hf_after_value *place_at(const struct hf_after *a, struct hf_span s, bool url,
					     size_t *len)
{
	struct hf_span rest = s, word = HF_SPAN("holdfast"), name;

	if (!take_sign(&rest, '{', url) || !hf_span_starts(rest, word))
		return NULL;
	rest = hf_span_skip(rest, word.len);
	if (!take_sign(&rest, ':', url) || read_name(&rest, &name) || !take_sign(&rest, '}', url))
		return NULL;
	*len = s.len - rest.len;
	for (size_t i = 0; i < a->n; i++)
		if (hf_span_eq(a->v[i].name, name))
			return &a->v[i];
	return NULL;
}

static bool has_place(const struct hf_after *a, const struct hf_after_value *v, struct hf_span text,
		      bool url)
{
	size_t len;

	for (; text.len > 0; text = hf_span_skip(text, 1))
		if (place_at(a, text, url, &len) == v)
			return true;
	return false;
}

int hf_after_check(const struct hf_after *a, struct hf_span target, enum hf_after_form form,
		   struct hf_span body, const char **why)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct hf_after_value *v = &a->v[i];

		if (!has_place(a, v, target, true) &&
		    (form == HF_AFTER_NONE || !has_place(a, v, body, form == HF_AFTER_URL)))
			return wrong(why, "A name of Holdfast-After has no place, as "
					  "{holdfast:name}, in the URL or in a body of text.");
	}
	return 0;
}

enum hf_after_form hf_after_form(const struct hf_fields *fields)
{
	const struct hf_span *type = hf_fields_get(fields, "Content-Type");
	struct hf_span rest, media, json = HF_SPAN("+json"), text = HF_SPAN("text/");

	if (!type || hf_fields_get(fields, "Content-Encoding"))
		return HF_AFTER_NONE;
	rest = *type;
	media = hf_span_trim(hf_span_cut(&rest, ';'));
	if (hf_span_ieq_str(media, "application/json") ||
	    (media.len > json.len && hf_span_ieq(hf_span_skip(media, media.len - json.len), json)))
		return HF_AFTER_JSON;
	if (hf_span_ieq_str(media, "application/x-www-form-urlencoded"))
		return HF_AFTER_URL;
	if (media.len > text.len && hf_span_ieq(hf_span(media.ptr, text.len), text))
		return HF_AFTER_TEXT;
	return HF_AFTER_NONE;
}

/* ---- values ---- */

static int missing(const char **why, const char *words)
{
	*why = words;
	return HF_ENOENT;
}

/* The path of a URI reference. */
static struct hf_span behind_authority(struct hf_span s)
{
	struct hf_span rest = s, scheme = hf_span_cut(&rest, ':');

	if (rest.ptr && !memchr(scheme.ptr, '/', scheme.len))
		s = rest;
	if (s.len < 2 || s.ptr[0] != '/' || s.ptr[1] != '/')
		return s;
	s = hf_span_skip(s, 2);
	hf_span_cut(&s, '/');
	return s;
}

/* Behind the path's last slash but one that ends it, decoded. */
static int last_segment(struct hf_span *s, struct hf_arena *arena)
{
	struct hf_span rest = *s, path = hf_span_cut(&rest, '#');
	char *text;
	size_t n = 0;

	rest = path;
	path = hf_span_cut(&rest, '?');
	path = behind_authority(path);
	if (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	while (path.len > 0 && memchr(path.ptr, '/', path.len))
		hf_span_cut(&path, '/');
	text = hf_arena_alloc(arena, path.len + 1);
	if (!text)
		return HF_ENOMEM;
	for (size_t i = 0; i < path.len; i++) {
		bool coded = path.ptr[i] == '%' && i + 2 < path.len &&
			     hf_hex_digit(path.ptr[i + 1]) >= 0 &&
			     hf_hex_digit(path.ptr[i + 2]) >= 0;

		text[n++] = coded ? (char)(hf_hex_digit(path.ptr[i + 1]) << 4 |
					   hf_hex_digit(path.ptr[i + 2])) :
				    path.ptr[i];
		i += coded ? 2 : 0;
	}
	*s = hf_span(text, n);
	return 0;
}

static int from_field(struct hf_after_value *v, const struct hf_fields *fields,
		      struct hf_arena *arena, const char **why)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (!hf_span_ieq(fields->v[i].name, v->from))
			continue;
		v->text = fields->v[i].value;
		if (hf_span_ieq_str(v->from, "Location") ||
		    hf_span_ieq_str(v->from, "Content-Location"))
			return last_segment(&v->text, arena);
		return 0;
	}
	return missing(why, "the answer has no such field");
}

/* What stands before the place where an answer was cut is as good as ever. */
static int from_body(struct hf_after_value *v, struct hf_span body, bool cut,
		     struct hf_arena *arena, const char **why)
{
	struct hf_json_at at;
	int err = hf_json_at(body, v->from, arena, &at);

	if (err == HF_ENOMEM)
		return err;
	if (cut && (err || (at.kind == HF_JSON_NUMBER &&
			    at.text.ptr + at.text.len == body.ptr + body.len)))
		return missing(why, "the answer is cut");
	if (err)
		return missing(why, err == HF_EPROTO ? "the answer is not JSON" :
						       "the answer has no such value");
	if (at.kind == HF_JSON_OTHER)
		return missing(why, "the value is no string and no number");
	v->text = at.text;
	v->is_number = at.kind == HF_JSON_NUMBER;
	return 0;
}

static bool is_usable(struct hf_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return false;
	return s.len > 0 && s.len <= CONFIG_HF_AFTER_VALUE_BYTES_MAX && hf_is_utf8(s) &&
	       !hf_span_eq_str(s, ".") && !hf_span_eq_str(s, "..");
}

int hf_after_resolve(struct hf_after *a, const struct hf_answer_head *answer, struct hf_span body,
		     struct hf_arena *arena, const char **why)
{
	int err = 0;

	for (size_t i = 0; i < a->n && !err; i++) {
		struct hf_after_value *v = &a->v[i];

		if (v->is_field)
			err = from_field(v, &answer->fields, arena, why);
		else if (hf_fields_get(&answer->fields, "Content-Encoding"))
			err = missing(why, "the answer has a Content-Encoding");
		else
			err = from_body(v, body, answer->truncated, arena, why);
		if (!err && !is_usable(v->text))
			err = missing(why, "the value is empty, too long, or not for a URL");
	}
	return err;
}

/* ---- filling in ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static int put_encoded(struct hf_span s, struct hf_buf *out)
{
	int err = 0;

	for (size_t i = 0; i < s.len && !err; i++)
		err = is_unreserved(s.ptr[i]) ?
			      hf_buf_append(out, hf_span(s.ptr + i, 1)) :
			      hf_buf_appendf(out, "%%%02X", (unsigned char)s.ptr[i]);
	return err;
}

/* The text as a JSON string, without the quotes. */
static int put_escaped(struct hf_span s, struct hf_buf *out)
{
	struct hf_buf quoted;
	struct hf_span inner;
	int err;

	hf_buf_init(&quoted, 8 * s.len + 2);
	err = hf_json_append_string(&quoted, s);
	inner = hf_buf_span(&quoted);
	if (!err)
		err = hf_buf_append(out, hf_span(inner.ptr + 1, inner.len - 2));
	hf_buf_finish(&quoted);
	return err;
}

/* How far a JSON text was read. */
struct json_place {
	size_t opened; /* behind the quote of the string it stands in, 0: in none */
	bool escaped;  /* the next byte is */
};

static void step(struct json_place *p, char c, size_t at)
{
	if (p->escaped)
		p->escaped = false;
	else if (p->opened && c == '\\')
		p->escaped = true;
	else if (c == '"')
		p->opened = p->opened ? 0 : at + 1;
}

/* A string ends here, and is no member's name. */
static bool ends_value(struct hf_span rest)
{
	if (!take(&rest, '"'))
		return false;
	while (rest.len > 0 && strchr(" \t\r\n", rest.ptr[0]) && rest.ptr[0])
		rest = hf_span_skip(rest, 1);
	return rest.len == 0 || rest.ptr[0] != ':';
}

/* *quote: the closing quote goes as the opening one did. */
static int put_json(const struct hf_after_value *v, const struct json_place *p, size_t at,
		    struct hf_span rest, struct hf_buf *out, bool *quote)
{
	if (!p->opened)
		return v->is_number ? hf_buf_append(out, v->text) :
				      hf_json_append_string(out, v->text);
	if (!v->is_number)
		return put_escaped(v->text, out);
	*quote = p->opened == at && ends_value(rest);
	if (*quote)
		hf_buf_truncate(out, out->len - 1);
	return hf_buf_append(out, v->text);
}

static int fill_json(const struct hf_after *a, struct hf_span text, struct hf_buf *out)
{
	struct json_place p = { 0 };
	size_t at = 0, len;
	int err = 0;

	while (at < text.len && !err) {
		struct hf_span rest = hf_span_skip(text, at);
		const struct hf_after_value *v = p.escaped ? NULL : place_at(a, rest, false, &len);
		bool quote = false;

		if (!v) {
			step(&p, text.ptr[at], at);
			err = hf_buf_append(out, hf_span(text.ptr + at, 1));
			at++;
			continue;
		}
		err = put_json(v, &p, at, hf_span_skip(rest, len), out, &quote);
		at += len + quote;
		if (quote)
			p.opened = 0;
	}
	return err;
}

int hf_after_fill(const struct hf_after *a, enum hf_after_form form, struct hf_span text,
		  struct hf_buf *out)
{
	bool url = form == HF_AFTER_URL;
	size_t len;
	int err = 0;

	if (form == HF_AFTER_JSON)
		return fill_json(a, text, out);
	while (text.len > 0 && !err) {
		const struct hf_after_value *v =
			form == HF_AFTER_NONE ? NULL : place_at(a, text, url, &len);

		if (v)
			err = url ? put_encoded(v->text, out) : hf_buf_append(out, v->text);
		else
			err = hf_buf_append(out, hf_span(text.ptr, 1));
		text = hf_span_skip(text, v ? len : 1);
	}
	return err;
}

/* ---- the request ---- */

static int fill_target(const struct hf_after *a, struct hf_arena *arena, struct hf_span *target)
{
	struct hf_buf out;
	int err;

	hf_buf_init(&out, CONFIG_HF_HEAD_BYTES_MAX);
	err = hf_after_fill(a, HF_AFTER_URL, *target, &out);
	if (!err) {
		*target = hf_arena_copy(arena, hf_buf_span(&out));
		err = target->ptr ? 0 : HF_ENOMEM;
	}
	hf_buf_finish(&out);
	return err;
}

/* A body twice as long as may be held is the longest that can come of it. */
static int fill_body(const struct hf_after *a, enum hf_after_form form, struct hf_buf *body)
{
	struct hf_buf out;
	int err;

	if (form == HF_AFTER_NONE)
		return 0;
	hf_buf_init(&out, 2 * CONFIG_HF_QUEUE_INLINE_BODY_BYTES);
	err = hf_after_fill(a, form, hf_buf_span(body), &out);
	if (err) {
		hf_buf_finish(&out);
		return err;
	}
	hf_buf_finish(body);
	*body = out;
	return 0;
}

int hf_after_apply(struct hf_after *a, const struct hf_store_load *other, struct hf_arena *arena,
		   struct hf_after_request *req, const char **why)
{
	struct hf_answer_head answer;
	int err = hf_answer_head_decode(hf_buf_span(&other->outcome_head), arena, &answer);

	if (a->n == 0)
		return 0;
	if (err == HF_ENOMEM)
		return err;
	if (err || !other->has_outcome)
		return missing(why, "the answer is kept no more");
	err = hf_after_resolve(a, &answer, hf_buf_span(&other->outcome_body), arena, why);
	if (!err)
		err = fill_target(a, arena, &req->target);
	if (!err && req->body)
		err = fill_body(a, hf_after_form(req->fields), req->body);
	return err == HF_ELIMIT || err == HF_ETOOBIG ?
		       missing(why, "the request is too long with its values") :
		       err;
}
