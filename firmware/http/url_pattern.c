/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is compiled to two programs, one for the path and one for the
 * query, of steps that a set of positions moves through, one input byte at a
 * time (Thompson's simulation):
 *
 *   BYTE c     takes c, goes to the next step
 *   NAME       takes a byte that a name may hold, goes to the next step
 *   NAME_MORE  goes to the next step, or takes such a byte and stays
 *   ANY        goes to the next step, or takes any byte and stays
 *   OPTION n   goes to the next step and to step n, behind the group
 *
 * A program matches when the position behind its last step is in the set at
 * the end of the input. All moves without input go forward, so one ascending
 * pass over the set follows them all. The literal bytes at a program's front
 * are compared before the simulation starts.
 */
#include "http/url_pattern.h"

#include <assert.h>
#include <stdlib.h>

#include "holdfast/err.h"
#include "http/url.h"

enum op {
	OP_BYTE,
	OP_NAME,
	OP_NAME_MORE,
	OP_ANY,
	OP_OPTION,
};

struct step {
	uint8_t op;
	char byte;
	uint16_t to; /* OP_OPTION */
};

struct program {
	struct step *v;
	size_t n, prefix; /* steps; how many of the first ones are OP_BYTE */
	bool names_stop_at_slash;
};

struct hf_url_pattern {
	struct program path, query;
	bool has_query;
	struct step steps[];
};

/* A step needs at least half a byte of text: a name (two steps) has two. */
#define STEPS_MAX (HF_URL_PATTERN_MAX + 1)

_Static_assert(STEPS_MAX < UINT16_MAX, "steps are numbered in 16 bits");

/* ---- compiling ---- */

struct compiler {
	struct hf_span text;
	size_t at;
	struct program *out;
	bool in_query;
	size_t group;	 /* the OP_OPTION of the open group, plus 1 */
	size_t group_at; /* where it was opened */
	size_t *error_at;
	const char **error;
};

static int wrong(struct compiler *c, size_t at, const char *words)
{
	*c->error_at = at;
	*c->error = words;
	return HF_EINVAL;
}

static void emit(struct compiler *c, enum op op, char byte)
{
	c->out->v[c->out->n++] = (struct step){ .op = (uint8_t)op, .byte = byte };
}

static char peek(const struct compiler *c)
{
	return c->at < c->text.len ? c->text.ptr[c->at] : '\0';
}

static bool is_visible(char b)
{
	unsigned char u = (unsigned char)b;

	return u > 0x20 && u < 0x7f;
}

static bool is_name_byte(char b, bool first)
{
	if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b == '_' || b == '$')
		return true;
	return !first && b >= '0' && b <= '9';
}

static struct hf_span take_name(struct compiler *c)
{
	size_t start = c->at;

	while (c->at < c->text.len && is_name_byte(peek(c), c->at == start))
		c->at++;
	return hf_span(c->text.ptr + start, c->at - start);
}

/* True when ":name" stands before @end already. */
static bool has_name(const struct compiler *c, struct hf_span name, size_t end)
{
	struct compiler before = *c;

	for (before.at = 0; before.at < end;) {
		char b = before.text.ptr[before.at++];

		if (b == '\\')
			before.at++;
		else if (b == ':' && hf_span_eq(take_name(&before), name))
			return true;
	}
	return false;
}

/* What may not stand behind '*', a name and, but for '?', a group. */
static int refuse_modifier(struct compiler *c)
{
	if (peek(c) == '?')
		return wrong(c, c->at, "'?' behind a name or '*'; use {...}? or, for a query, \\?");
	if (peek(c) == '*' || peek(c) == '+')
		return wrong(c, c->at, "repetition is not supported");
	return 0;
}

static int compile_name(struct compiler *c, size_t colon)
{
	struct hf_span name = take_name(c);

	if (name.len == 0)
		return wrong(c, colon, "':' without a name; for a colon write \\:");
	if (has_name(c, name, colon))
		return wrong(c, colon, "name is used twice");
	emit(c, OP_NAME, 0);
	emit(c, OP_NAME_MORE, 0);
	return refuse_modifier(c);
}

static int compile_any(struct compiler *c)
{
	emit(c, OP_ANY, 0);
	return refuse_modifier(c);
}

static int open_group(struct compiler *c, size_t brace)
{
	if (c->group)
		return wrong(c, brace, "group inside a group");
	c->group_at = brace;
	emit(c, OP_OPTION, 0);
	c->group = c->out->n;
	return 0;
}

/* A group that is not optional needs no step of its own: its OP_OPTION leads
 * to where it would go anyway. */
static int close_group(struct compiler *c, size_t brace)
{
	struct step *option;

	if (!c->group)
		return wrong(c, brace, "'}' without '{'");
	option = &c->out->v[c->group - 1];
	option->to = (uint16_t)c->group;
	c->group = 0;
	if (peek(c) != '?')
		return refuse_modifier(c);
	c->at++;
	option->to = (uint16_t)c->out->n;
	return 0;
}

/* A literal byte of the path, or three of them: "%41". */
static void compile_literal(struct compiler *c, char b)
{
	char normal[3];
	size_t i, n;

	if (b != '%' || c->in_query || c->text.len - c->at < 2 ||
	    hf_hex_digit(c->text.ptr[c->at]) < 0 || hf_hex_digit(c->text.ptr[c->at + 1]) < 0) {
		emit(c, OP_BYTE, b);
		return;
	}
	n = hf_pct_normalize(hf_span(c->text.ptr + c->at - 1, 3), normal);
	c->at += 2;
	for (i = 0; i < n; i++)
		emit(c, OP_BYTE, normal[i]);
}

static int begin_query(struct compiler *c, struct hf_url_pattern *p, size_t at)
{
	if (c->group)
		return wrong(c, at, "'?' inside a group");
	p->has_query = true;
	p->query.v = c->out->v + c->out->n;
	c->out = &p->query;
	c->in_query = true;
	return 0;
}

static int compile_escape(struct compiler *c, struct hf_url_pattern *p, size_t backslash)
{
	char b = peek(c);

	if (c->at == c->text.len)
		return wrong(c, backslash, "'\\' at the end");
	if (!is_visible(b))
		return wrong(c, c->at, "byte must be percent-encoded");
	c->at++;
	if (b == '?' && !c->in_query)
		return begin_query(c, p, backslash);
	emit(c, OP_BYTE, b);
	return 0;
}

static int compile_next(struct compiler *c, struct hf_url_pattern *p)
{
	size_t at = c->at++;
	char b = c->text.ptr[at];

	if (!is_visible(b))
		return wrong(c, at, "byte must be percent-encoded");
	switch (b) {
	case '*':
		return compile_any(c);
	case ':':
		return compile_name(c, at);
	case '{':
		return open_group(c, at);
	case '}':
		return close_group(c, at);
	case '(':
	case ')':
		return wrong(c, at, "regular expressions are not supported");
	case '#':
		return wrong(c, at, "fragments never reach a server");
	case '\\':
		return compile_escape(c, p, at);
	case '?':
		if (!c->in_query)
			return begin_query(c, p, at);
		break;
	default:
		break;
	}
	compile_literal(c, b);
	return 0;
}

static void count_prefix(struct program *program)
{
	while (program->prefix < program->n && program->v[program->prefix].op == OP_BYTE)
		program->prefix++;
}

static int compile_text(struct compiler *c, struct hf_url_pattern *p)
{
	int err = 0;

	if (c->text.len == 0)
		return wrong(c, 0, "pattern is empty");
	if (c->text.ptr[0] != '/' && c->text.ptr[0] != '*' && c->text.ptr[0] != '{')
		return wrong(c, 0, "a path begins with '/'");
	while (!err && c->at < c->text.len)
		err = compile_next(c, p);
	if (!err && c->group)
		err = wrong(c, c->group_at, "'{' without '}'");
	return err;
}

static int compile_into(struct hf_url_pattern *p, struct hf_span text, size_t *error_at,
			const char **error)
{
	struct compiler c = {
		.text = text,
		.out = &p->path,
		.error_at = error_at,
		.error = error,
	};
	int err;

	err = compile_text(&c, p);
	if (err)
		return err;
	assert(p->path.n + p->query.n <= STEPS_MAX);
	count_prefix(&p->path);
	count_prefix(&p->query);
	return 0;
}

int hf_url_pattern_compile(struct hf_span text, struct hf_url_pattern **out, size_t *error_at,
			   const char **error)
{
	struct hf_url_pattern *p;
	int err;

	if (text.len > HF_URL_PATTERN_MAX) {
		*error_at = HF_URL_PATTERN_MAX;
		*error = "pattern is too long";
		return HF_EINVAL;
	}
	p = calloc(1, sizeof(*p) + (text.len + 1) * sizeof(p->steps[0]));
	if (!p)
		return HF_ENOMEM;
	p->path.v = p->steps;
	p->path.names_stop_at_slash = true;
	err = compile_into(p, text, error_at, error);
	if (err) {
		hf_url_pattern_destroy(p);
		return err;
	}
	*out = p;
	return 0;
}

void hf_url_pattern_destroy(struct hf_url_pattern *p)
{
	free(p);
}

/* ---- matching ---- */

/* A set of positions between @low and @high, others are not in it. */
struct positions {
	uint64_t bits[STEPS_MAX / 64 + 1];
	size_t low, high; /* empty when low > high */
};

static void clear(struct positions *set)
{
	set->low = STEPS_MAX;
	set->high = 0;
}

static bool has(const struct positions *set, size_t at)
{
	return at >= set->low && at <= set->high && (set->bits[at / 64] >> (at % 64) & 1);
}

static bool is_empty(const struct positions *set)
{
	return set->low > set->high;
}

/* Never below the lowest position. Words are zeroed when the upper bound grows
 * over them. */
static void add(struct positions *set, size_t at)
{
	size_t word;

	assert(at <= STEPS_MAX && (is_empty(set) || at >= set->low));
	if (is_empty(set)) {
		set->low = set->high = at;
		set->bits[at / 64] = 0;
	}
	for (word = set->high / 64 + 1; word <= at / 64; word++)
		set->bits[word] = 0;
	if (at > set->high)
		set->high = at;
	set->bits[at / 64] |= UINT64_C(1) << (at % 64);
}

/* Adds what can be reached without input. */
static void close_over(const struct program *program, struct positions *set)
{
	size_t at;

	for (at = set->low; at <= set->high && at < program->n; at++) {
		const struct step *step = &program->v[at];

		if (!has(set, at) || step->op == OP_BYTE || step->op == OP_NAME)
			continue;
		add(set, at + 1);
		if (step->op == OP_OPTION)
			add(set, step->to);
	}
}

/* Where @at goes with @byte; @nowhere when it does not take it. */
static size_t after(const struct program *program, size_t at, char byte, size_t nowhere)
{
	bool name_byte = byte != '/' || !program->names_stop_at_slash;

	switch ((enum op)program->v[at].op) {
	case OP_BYTE:
		return program->v[at].byte == byte ? at + 1 : nowhere;
	case OP_NAME:
		return name_byte ? at + 1 : nowhere;
	case OP_NAME_MORE:
		return name_byte ? at : nowhere;
	case OP_ANY:
		return at;
	case OP_OPTION:
		return nowhere;
	}
	return nowhere;
}

static void advance(const struct program *program, const struct positions *from, char byte,
		    struct positions *to)
{
	const size_t nowhere = SIZE_MAX;
	size_t at, next;

	clear(to);
	for (at = from->low; at <= from->high && at < program->n; at++) {
		if (!has(from, at))
			continue;
		next = after(program, at, byte, nowhere);
		if (next != nowhere)
			add(to, next);
	}
	close_over(program, to);
}

static bool skip_prefix(const struct program *program, struct hf_span *input)
{
	size_t i;

	if (input->len < program->prefix)
		return false;
	for (i = 0; i < program->prefix; i++)
		if (program->v[i].byte != input->ptr[i])
			return false;
	*input = hf_span_skip(*input, program->prefix);
	return true;
}

static bool run(const struct program *program, struct hf_span input)
{
	struct positions sets[2];
	size_t i;

	if (!skip_prefix(program, &input))
		return false;
	if (program->prefix == program->n)
		return input.len == 0;
	clear(&sets[0]);
	add(&sets[0], program->prefix);
	close_over(program, &sets[0]);
	for (i = 0; i < input.len && !is_empty(&sets[i % 2]); i++)
		advance(program, &sets[i % 2], input.ptr[i], &sets[(i + 1) % 2]);
	return i == input.len && has(&sets[i % 2], program->n);
}

bool hf_url_pattern_match(const struct hf_url_pattern *p, struct hf_span path, struct hf_span query)
{
	if (!run(&p->path, path))
		return false;
	return !p->has_query || run(&p->query, query);
}
