/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader keeps a stack of open arrays and objects (HF_JSON_DEPTH_MAX) and
 * does not recurse. Stricter than RFC 8259 asks: \u0000 is refused, because the
 * texts become C strings, and numbers are at most NUMBER_MAX bytes.
 */
#include "worker/json_locate.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"

#define NUMBER_MAX 60

struct scanner {
	struct hf_json_map *m;
	struct hf_json_error *error;
	const char *p;
	size_t at, len;
	uint32_t open[HF_JSON_DEPTH_MAX];
	uint32_t counts[HF_JSON_DEPTH_MAX];
	unsigned depth;
};

static int wrong(struct scanner *s, size_t at, const char *words)
{
	s->error->at = at;
	s->error->words = words;
	return HF_EPROTO;
}

static int peek(const struct scanner *s)
{
	return s->at < s->len ? (unsigned char)s->p[s->at] : -1;
}

static void skip_space(struct scanner *s)
{
	while (s->at < s->len && strchr(" \t\r\n", s->p[s->at]) && s->p[s->at] != '\0')
		s->at++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* ---- strings ---- */

static int hex4(const struct scanner *s, size_t at)
{
	int value = 0;

	if (s->len - at < 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		char c = s->p[i];
		int digit = is_digit(c)		 ? c - '0' :
			    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			    c >= 'A' && c <= 'F' ? c - 'A' + 10 :
						   -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* At the 'u' of an escape. */
static int scan_unicode(struct scanner *s)
{
	size_t start = s->at - 1;
	int high = hex4(s, s->at + 1), low;

	if (high < 0)
		return wrong(s, start, "four hexadecimal digits must follow \\u");
	if (high == 0)
		return wrong(s, start, "\\u0000 is not allowed");
	s->at += 5;
	if (high < 0xd800 || high > 0xdfff)
		return 0;
	if (high > 0xdbff || s->len - s->at < 6 || s->p[s->at] != '\\' || s->p[s->at + 1] != 'u')
		return wrong(s, start, "half of a surrogate pair");
	low = hex4(s, s->at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return wrong(s, start, "half of a surrogate pair");
	s->at += 6;
	return 0;
}

static int scan_escape(struct scanner *s)
{
	s->at++;
	if (s->at >= s->len)
		return wrong(s, s->len, "the text ends inside a string");
	if (s->p[s->at] == 'u')
		return scan_unicode(s);
	if (!strchr("\"\\/bfnrt", s->p[s->at]) || s->p[s->at] == '\0')
		return wrong(s, s->at - 1, "no such escape in a string");
	s->at++;
	return 0;
}

static bool continues(const struct scanner *s, size_t n)
{
	if (s->len - s->at <= n)
		return false;
	for (size_t i = 1; i <= n; i++) {
		if (((unsigned char)s->p[s->at + i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

/* A character beyond ASCII (RFC 3629 section 4). */
static int scan_utf8(struct scanner *s)
{
	unsigned char c = (unsigned char)s->p[s->at];
	unsigned char d = s->len - s->at > 1 ? (unsigned char)s->p[s->at + 1] : 0;
	size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

	if (c < 0xc2 || c > 0xf4 || !continues(s, more) || (c == 0xe0 && d < 0xa0) ||
	    (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f))
		return wrong(s, s->at, "not UTF-8");
	s->at += more + 1;
	return 0;
}

static int scan_string(struct scanner *s)
{
	size_t start = s->at;
	int err = 0;

	s->at++;
	while (!err) {
		int c = peek(s);

		if (c < 0 || c == '\n' || c == '\r')
			return wrong(s, start,
				     "the string that begins here does not end in its line");
		if (c == '"')
			break;
		if (c == '\\')
			err = scan_escape(s);
		else if (c < 0x20)
			return wrong(s, s->at, "a control byte in a string; write it as \\u00XX");
		else if (c >= 0x80)
			err = scan_utf8(s);
		else
			s->at++;
	}
	if (!err)
		s->at++;
	return err;
}

/* ---- scalars ---- */

static int scan_digits(struct scanner *s)
{
	if (!is_digit(peek(s)))
		return wrong(s, s->at, "a digit is missing in a number");
	while (is_digit(peek(s)))
		s->at++;
	return 0;
}

static int scan_number(struct scanner *s)
{
	size_t start = s->at;
	int err;

	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0' && s->len - s->at > 1 && is_digit((unsigned char)s->p[s->at + 1]))
		return wrong(s, start, "a number does not begin with 0");
	err = scan_digits(s);
	if (!err && peek(s) == '.') {
		s->at++;
		err = scan_digits(s);
	}
	if (!err && (peek(s) == 'e' || peek(s) == 'E')) {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		err = scan_digits(s);
	}
	if (!err && s->at - start > NUMBER_MAX)
		return wrong(s, start, "the number is too long");
	return err;
}

static int scan_literal(struct scanner *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (s->len - s->at >= n && memcmp(s->p + s->at, words[i], n) == 0) {
			s->at += n;
			return 0;
		}
	}
	switch (peek(s)) {
	case -1:
		return wrong(s, s->len, "the text ends too early");
	case '/':
	case '#':
		return wrong(s, s->at, "JSON has no comments");
	case '\'':
		return wrong(s, s->at, "strings stand in double quotes");
	case '}':
	case ']':
		return wrong(s, s->at, "a value is missing; is there a comma too many?");
	default:
		return wrong(s, s->at, "not a JSON value");
	}
}

/* ---- the tree ---- */

static int add_value(struct scanner *s, uint32_t key_at)
{
	struct hf_json_map *m = s->m;
	struct hf_json_value *v;

	if (m->n == m->cap) {
		uint32_t cap = m->cap ? m->cap * 2 : 64;

		v = realloc(m->values, cap * sizeof(*v));
		if (!v)
			return HF_ENOMEM;
		m->values = v;
		m->cap = cap;
	}
	v = &m->values[m->n];
	*v = (struct hf_json_value){
		.at = (uint32_t)s->at, .key_at = key_at, .parent = HF_JSON_NONE, .end = m->n + 1
	};
	if (s->depth > 0) {
		v->parent = s->open[s->depth - 1];
		v->index = s->counts[s->depth - 1]++;
	}
	m->n++;
	return 0;
}

static int open_value(struct scanner *s)
{
	if (s->depth == HF_JSON_DEPTH_MAX)
		return wrong(s, s->at, "nested too deeply");
	s->open[s->depth] = s->m->n - 1;
	s->counts[s->depth] = 0;
	s->depth++;
	s->at++;
	return 0;
}

/* A value's begin: all of a scalar, the bracket of an array or object. */
static int begin_value(struct scanner *s, uint32_t key_at, bool *opened)
{
	int err = add_value(s, key_at), c = peek(s);

	*opened = c == '{' || c == '[';
	if (err)
		return err;
	if (*opened)
		return open_value(s);
	if (c == '"')
		return scan_string(s);
	if (c == '-' || is_digit(c))
		return scan_number(s);
	return scan_literal(s);
}

static int scan_key(struct scanner *s, uint32_t *key_at)
{
	int err;

	skip_space(s);
	if (peek(s) == '}')
		return wrong(s, s->at, "a member is missing; is there a comma too many?");
	if (peek(s) != '"')
		return wrong(s, s->at, "a member's name in double quotes is missing");
	*key_at = (uint32_t)s->at;
	err = scan_string(s);
	if (err)
		return err;
	skip_space(s);
	if (peek(s) != ':')
		return wrong(s, s->at, "a colon is missing behind a member's name");
	s->at++;
	return 0;
}

/* Between two values: closes what ends here. *next: another value follows. */
static int end_values(struct scanner *s, bool *next)
{
	*next = false;
	while (s->depth > 0) {
		uint32_t container = s->open[s->depth - 1];
		bool object = s->p[s->m->values[container].at] == '{';

		skip_space(s);
		if (peek(s) == ',') {
			s->at++;
			*next = true;
			return 0;
		}
		if (peek(s) != (object ? '}' : ']'))
			return wrong(s, s->at,
				     object ? "a comma or } is missing" :
					      "a comma or ] is missing");
		s->at++;
		s->depth--;
		s->m->values[container].end = s->m->n;
	}
	return 0;
}

/* Just behind an opening bracket: is there nothing in it? */
static bool is_empty(struct scanner *s)
{
	char open = s->p[s->m->values[s->open[s->depth - 1]].at];

	skip_space(s);
	return peek(s) == (open == '{' ? '}' : ']');
}

static int scan_text(struct scanner *s)
{
	bool next = true, opened;
	int err = 0;

	while (!err && next) {
		uint32_t key_at = HF_JSON_NONE;

		if (s->depth > 0 && s->p[s->m->values[s->open[s->depth - 1]].at] == '{')
			err = scan_key(s, &key_at);
		if (err)
			return err;
		skip_space(s);
		err = begin_value(s, key_at, &opened);
		if (!err && (!opened || is_empty(s)))
			err = end_values(s, &next);
	}
	if (err)
		return err;
	skip_space(s);
	return s->at < s->len ? wrong(s, s->at, "text behind the end of the document") : 0;
}

int hf_json_map_init(struct hf_json_map *m, struct hf_span text, struct hf_json_error *error)
{
	struct scanner s = { .m = m, .error = error, .p = text.ptr, .len = text.len };
	int err;

	assert(text.len <= INT32_MAX);
	*m = (struct hf_json_map){ .text = text };
	*error = (struct hf_json_error){ 0, "" };
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		s.at = 3;
	err = scan_text(&s);
	if (err)
		hf_json_map_finish(m);
	return err;
}

void hf_json_map_finish(struct hf_json_map *m)
{
	free(m->values);
	*m = (struct hf_json_map){ .text = { NULL, 0 } };
}

/* ---- places ---- */

void hf_json_place(struct hf_span text, size_t at, unsigned *line, unsigned *column)
{
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < at && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			(*line)++;
			start = i + 1;
		}
	}
	*column = (unsigned)(at - start) + 1;
}

/* The key as it is written, without its quotes. */
static struct hf_span key_text(const struct hf_json_map *m, const struct hf_json_value *v)
{
	const char *start = m->text.ptr + v->key_at + 1, *end = start;

	while (*end != '"')
		end += *end == '\\' ? 2 : 1;
	return hf_span(start, (size_t)(end - start));
}

int hf_json_path(const struct hf_json_map *m, uint32_t value, struct hf_buf *out)
{
	uint32_t chain[HF_JSON_DEPTH_MAX + 1];
	unsigned n = 0;
	int err = 0;

	for (uint32_t v = value; m->values[v].parent != HF_JSON_NONE; v = m->values[v].parent)
		chain[n++] = v;
	for (unsigned i = n; i > 0 && !err; i--) {
		const struct hf_json_value *v = &m->values[chain[i - 1]];

		if (v->key_at == HF_JSON_NONE)
			err = hf_buf_appendf(out, "[%u]", v->index);
		else
			err = hf_buf_appendf(out, "%s%.*s", i == n ? "" : ".",
					     HF_SPAN_ARG(key_text(m, v)));
	}
	return err;
}
