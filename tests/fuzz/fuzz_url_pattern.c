/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pattern, path and query, each ended by LF. Checked: compiling ends with a
 * program or an error inside the text; the result of matching against a slow
 * matcher that tries everything, for inputs small enough for it.
 */
#include <assert.h>

#include "base/arena.h"
#include "http/url.h"
#include "http/url_pattern.h"

/* Backtracking over the text of the pattern; valid patterns only. */
struct slow {
	struct hf_span pattern;
	bool in_query;
	unsigned steps;
};

static bool is_name_byte(char b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
	       b == '_' || b == '$';
}

static size_t group_end(struct hf_span pattern, size_t at)
{
	while (pattern.ptr[at] != '}')
		at += pattern.ptr[at] == '\\' ? 2 : 1;
	return at;
}

static bool slow_match(struct slow *s, size_t at, struct hf_span input);

/* One or more (@min) bytes, then the rest. */
static bool slow_run(struct slow *s, size_t at, struct hf_span input, size_t min, char stop)
{
	size_t n;

	for (n = 0; n <= input.len; n++) {
		if (n >= min && slow_match(s, at, hf_span_skip(input, n)))
			return true;
		if (n < input.len && stop && input.ptr[n] == stop)
			return false;
	}
	return false;
}

static bool slow_group(struct slow *s, size_t at, struct hf_span input)
{
	size_t end = group_end(s->pattern, at);

	if (slow_match(s, at + 1, input))
		return true;
	return end + 1 < s->pattern.len && s->pattern.ptr[end + 1] == '?' &&
	       slow_match(s, end + 2, input);
}

static bool slow_match(struct slow *s, size_t at, struct hf_span input)
{
	char b;

	if (++s->steps > 20000)
		return false; /* given up: the caller asks */
	if (at >= s->pattern.len)
		return input.len == 0;
	b = s->pattern.ptr[at];
	if (b == '*')
		return slow_run(s, at + 1, input, 0, '\0');
	if (b == '{')
		return slow_group(s, at, input);
	if (b == '}')
		return slow_match(s,
				  at + (hf_span_skip(s->pattern, at + 1).len > 0 &&
							s->pattern.ptr[at + 1] == '?' ?
						2 :
						1),
				  input);
	if (b == ':') {
		for (at++; at < s->pattern.len && is_name_byte(s->pattern.ptr[at]);)
			at++;
		return slow_run(s, at, input, 1, s->in_query ? '\0' : '/');
	}
	if (b == '\\')
		b = s->pattern.ptr[++at];
	return input.len > 0 && input.ptr[0] == b && slow_match(s, at + 1, hf_span_skip(input, 1));
}

/* Where the query begins in a valid pattern, or its length; *@next is behind
 * the '?'. */
static size_t query_at(struct hf_span pattern, size_t *next)
{
	bool after_group = false;
	size_t at;

	for (at = 0; at < pattern.len; at = *next) {
		bool escape = pattern.ptr[at] == '\\';
		char b = pattern.ptr[escape ? at + 1 : at];

		*next = at + (escape ? 2 : 1);
		if (b == '?' && (escape || !after_group))
			return at;
		after_group = b == '}' && !escape;
	}
	*next = at;
	return at;
}

static void compare(const struct hf_url_pattern *p, struct hf_span pattern, struct hf_span path,
		    struct hf_span query)
{
	size_t next, at = query_at(pattern, &next);
	struct slow on_path = { .pattern = hf_span(pattern.ptr, at) };
	struct slow on_query = { .pattern = hf_span_skip(pattern, next), .in_query = true };
	bool expected = slow_match(&on_path, 0, path) &&
			(at == pattern.len || slow_match(&on_query, 0, query));

	if (on_path.steps <= 20000 && on_query.steps <= 20000)
		assert(hf_url_pattern_match(p, path, query) == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span rest = hf_span(data, size);
	struct hf_span pattern = hf_span_cut(&rest, '\n');
	struct hf_span path = hf_span_cut(&rest, '\n');
	struct hf_span query = hf_span_cut(&rest, '\n');
	struct hf_url_pattern *p;
	struct hf_arena arena;
	const char *error = NULL;
	size_t error_at = SIZE_MAX;

	hf_arena_init(&arena, SIZE_MAX);
	path = hf_path_normalize(&arena, path);
	if (hf_url_pattern_compile(pattern, &p, &error_at, &error)) {
		assert(error && error_at <= pattern.len);
		hf_arena_finish(&arena);
		return 0;
	}
	hf_url_pattern_match(p, path, query);
	if (!memchr(pattern.ptr, '%', pattern.len))
		compare(p, pattern, path, query);
	hf_url_pattern_destroy(p);
	hf_arena_finish(&arena);
	return 0;
}
