/* SPDX-License-Identifier: Apache-2.0 */
#include "http/json_at.h"

#include <string.h>

#include "holdfast/err.h"

struct reader {
	const char *p;
	size_t at, len;
	struct hf_arena *arena;
};

static int peek(const struct reader *r)
{
	return r->at < r->len ? (unsigned char)r->p[r->at] : -1;
}

static void skip_space(struct reader *r)
{
	int c;

	while ((c = peek(r)) == ' ' || c == '\t' || c == '\r' || c == '\n')
		r->at++;
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != (unsigned char)c)
		return false;
	r->at++;
	return true;
}

/* ---- strings ---- */

static int hex4(struct reader *r, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		int digit = peek(r) < 0 ? -1 : hf_hex_digit(r->p[r->at]);

		if (digit < 0)
			return HF_EPROTO;
		*out = *out << 4 | (unsigned)digit;
		r->at++;
	}
	return 0;
}

/* Behind "\u": one code point, of one escape or of a pair of surrogates. */
static int read_unicode(struct reader *r, unsigned *code)
{
	unsigned low;

	if (hex4(r, code))
		return HF_EPROTO;
	if (*code < 0xd800 || *code > 0xdfff)
		return 0;
	if (*code > 0xdbff || !take(r, '\\') || !take(r, 'u') || hex4(r, &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return HF_EPROTO;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

static size_t put_utf8(char *out, unsigned code)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (n == 1) {
		out[0] = (char)code;
		return n;
	}
	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(first[n] | code);
	return n;
}

/* Behind the backslash. */
static int read_escape(struct reader *r, char *out, size_t *n)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	int c = peek(r);
	const char *name;
	unsigned code;

	r->at++;
	if (c == 'u') {
		if (read_unicode(r, &code))
			return HF_EPROTO;
		*n += put_utf8(out + *n, code);
		return 0;
	}
	name = c > 0 ? strchr(names, c) : NULL;
	if (!name)
		return HF_EPROTO;
	out[(*n)++] = bytes[name - names];
	return 0;
}

/* At the opening quote; @end: behind the closing one. */
static int string_end(const struct reader *r, size_t *end, bool *escapes)
{
	*escapes = false;
	for (size_t i = r->at + 1; i < r->len; i++) {
		unsigned char c = (unsigned char)r->p[i];

		if (c == '"') {
			*end = i + 1;
			return 0;
		}
		if (c < 0x20)
			return HF_EPROTO;
		if (c == '\\') {
			*escapes = true;
			i++;
		}
	}
	return HF_EPROTO;
}

/* What is decoded is never longer than what is written. */
static int read_string(struct reader *r, struct hf_span *out)
{
	size_t end, n = 0;
	bool escapes;
	char *text;

	if (peek(r) != '"' || string_end(r, &end, &escapes))
		return HF_EPROTO;
	*out = hf_span(r->p + r->at + 1, end - r->at - 2);
	if (!escapes) {
		r->at = end;
		return 0;
	}
	text = hf_arena_alloc(r->arena, out->len);
	if (!text)
		return HF_ENOMEM;
	r->at++;
	while (r->at < end - 1) {
		if (!take(r, '\\'))
			text[n++] = r->p[r->at++];
		else if (read_escape(r, text, &n))
			return HF_EPROTO;
	}
	r->at = end;
	*out = hf_span(text, n);
	return 0;
}

/* ---- numbers and words ---- */

static bool take_digits(struct reader *r)
{
	size_t from = r->at;

	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	return r->at > from;
}

static int read_number(struct reader *r, struct hf_span *out)
{
	size_t from = r->at;

	take(r, '-');
	if (!take(r, '0') && !take_digits(r))
		return HF_EPROTO;
	if (take(r, '.') && !take_digits(r))
		return HF_EPROTO;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			take(r, '-');
		if (!take_digits(r))
			return HF_EPROTO;
	}
	*out = hf_span(r->p + from, r->at - from);
	return 0;
}

static int read_word(struct reader *r)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (r->len - r->at >= n && memcmp(r->p + r->at, words[i], n) == 0) {
			r->at += n;
			return 0;
		}
	}
	return HF_EPROTO;
}

static int skip_scalar(struct reader *r)
{
	struct hf_span text;
	bool escapes;
	size_t end;
	int c = peek(r);

	if (c == '"') {
		if (string_end(r, &end, &escapes))
			return HF_EPROTO;
		r->at = end;
		return 0;
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r, &text);
	return read_word(r);
}

/* ---- arrays and objects ---- */

/* A member's name and the colon. */
static int skip_name(struct reader *r)
{
	size_t end;
	bool escapes;

	skip_space(r);
	if (peek(r) != '"' || string_end(r, &end, &escapes))
		return HF_EPROTO;
	r->at = end;
	skip_space(r);
	return take(r, ':') ? 0 : HF_EPROTO;
}

/* What encloses the place: a bit each, the innermost lowest; 1: an object. */
struct nest {
	uint64_t objects;
	unsigned depth;
};

/* Behind '[' or '{'. True when it is not empty: its first value comes. */
static int enter(struct reader *r, struct nest *nest, bool object, bool *inside)
{
	if (nest->depth == HF_JSON_AT_DEPTH)
		return HF_EPROTO;
	nest->objects = nest->objects << 1 | object;
	nest->depth++;
	skip_space(r);
	*inside = peek(r) != (object ? '}' : ']');
	return *inside && object ? skip_name(r) : 0;
}

/* Behind a value: closes what ends there. True: another value comes. */
static int leave(struct reader *r, struct nest *nest, bool *inside)
{
	*inside = false;
	while (nest->depth > 0) {
		bool object = nest->objects & 1;

		skip_space(r);
		if (take(r, ',')) {
			*inside = true;
			return object ? skip_name(r) : 0;
		}
		if (!take(r, object ? '}' : ']'))
			return HF_EPROTO;
		nest->objects >>= 1;
		nest->depth--;
	}
	return 0;
}

static int skip_value(struct reader *r)
{
	struct nest nest = { 0 };
	bool inside;
	int err;

	do {
		skip_space(r);
		if (take(r, '{'))
			err = enter(r, &nest, true, &inside);
		else if (take(r, '['))
			err = enter(r, &nest, false, &inside);
		else {
			err = skip_scalar(r);
			inside = false;
		}
		if (!err && !inside)
			err = leave(r, &nest, &inside);
	} while (!err && inside);
	return err;
}

/* ---- the way ---- */

/* The token with "~" written, equal to the member's name. */
static bool is_name(struct hf_span token, struct hf_span name)
{
	size_t i = 0, j = 0;

	for (; i < token.len && j < name.len; i++, j++) {
		char c = token.ptr[i];

		if (c == '~' && i + 1 < token.len)
			c = token.ptr[++i] == '0' ? '~' : '/';
		if (c != name.ptr[j])
			return false;
	}
	return i == token.len && j == name.len;
}

static int into_object(struct reader *r, struct hf_span token)
{
	struct hf_span name;
	int err;

	skip_space(r);
	if (peek(r) == '}')
		return HF_ENOENT;
	for (;;) {
		skip_space(r);
		err = read_string(r, &name);
		skip_space(r);
		if (!err && !take(r, ':'))
			err = HF_EPROTO;
		if (err || is_name(token, name))
			return err;
		err = skip_value(r);
		skip_space(r);
		if (!err && take(r, '}'))
			err = HF_ENOENT;
		else if (!err && !take(r, ','))
			err = HF_EPROTO;
		if (err)
			return err;
	}
}

static int into_array(struct reader *r, struct hf_span token)
{
	uint64_t index;
	int err;

	if (!hf_span_u64(token, &index) || (token.len > 1 && token.ptr[0] == '0'))
		return HF_ENOENT;
	skip_space(r);
	if (peek(r) == ']')
		return HF_ENOENT;
	for (; index > 0; index--) {
		err = skip_value(r);
		skip_space(r);
		if (!err && take(r, ']'))
			err = HF_ENOENT;
		else if (!err && !take(r, ','))
			err = HF_EPROTO;
		if (err)
			return err;
	}
	return 0;
}

static int read_value(struct reader *r, struct hf_json_at *out)
{
	int c;

	skip_space(r);
	c = peek(r);
	out->text = hf_span(NULL, 0);
	out->kind = HF_JSON_OTHER;
	if (c == '"') {
		out->kind = HF_JSON_STRING;
		return read_string(r, &out->text);
	}
	if (c == '-' || (c >= '0' && c <= '9')) {
		out->kind = HF_JSON_NUMBER;
		return read_number(r, &out->text);
	}
	return c == '{' || c == '[' ? 0 : read_word(r);
}

bool hf_json_pointer_is_valid(struct hf_span pointer)
{
	if (pointer.len > 0 && pointer.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < pointer.len; i++) {
		if (pointer.ptr[i] != '~')
			continue;
		if (i + 1 == pointer.len ||
		    (pointer.ptr[i + 1] != '0' && pointer.ptr[i + 1] != '1'))
			return false;
	}
	return true;
}

int hf_json_at(struct hf_span json, struct hf_span pointer, struct hf_arena *arena,
	       struct hf_json_at *out)
{
	struct reader r = { .p = json.ptr, .len = json.len, .arena = arena };
	struct hf_span rest = hf_span_skip(pointer, pointer.len > 0);
	int err = 0;

	while (pointer.len > 0 && rest.ptr && !err) {
		struct hf_span token = hf_span_cut(&rest, '/');

		skip_space(&r);
		if (take(&r, '{'))
			err = into_object(&r, token);
		else if (take(&r, '['))
			err = into_array(&r, token);
		else
			err = skip_scalar(&r) ? HF_EPROTO : HF_ENOENT;
	}
	return err ? err : read_value(&r, out);
}
