/* SPDX-License-Identifier: Apache-2.0 */
/* The query of a call: name=value, separated by "&". */
#include "http/url.h"
#include "ingress/api.h"

#define PARAMETERS_MAX 32

struct hf_span hf_api_decode(struct hf_api_call *call, struct hf_span text, bool form)
{
	char *out = hf_arena_alloc(&call->arena, text.len + 1);
	size_t i, n = 0;

	if (!out)
		return hf_span(NULL, 0);
	for (i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (form && c == '+')
			c = ' ';
		if (c == '%') {
			int hi = i + 2 < text.len ? hf_hex_digit(text.ptr[i + 1]) : -1;
			int lo = i + 2 < text.len ? hf_hex_digit(text.ptr[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return hf_span(NULL, 0);
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		out[n++] = c;
	}
	return hf_span(out, n);
}

bool hf_api_query(struct hf_api_call *call, const char *name, struct hf_span *value)
{
	struct hf_span rest = call->query, one;

	while (rest.ptr && rest.len > 0) {
		one = hf_span_cut(&rest, '&');
		if (!hf_span_eq_str(hf_span_cut(&one, '='), name))
			continue;
		*value = hf_api_decode(call, one.ptr ? one : hf_span("", 0), true);
		return true;
	}
	return false;
}

static bool is_escaped_well(struct hf_span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '%' && (i + 2 >= text.len || hf_hex_digit(text.ptr[i + 1]) < 0 ||
					   hf_hex_digit(text.ptr[i + 2]) < 0))
			return false;
	return true;
}

const char *hf_api_query_fault(struct hf_span query)
{
	struct hf_span names[PARAMETERS_MAX], one;
	size_t n = 0;

	while (query.ptr && query.len > 0) {
		one = hf_span_cut(&query, '&');
		if (one.len == 0)
			continue;
		if (!is_escaped_well(one))
			return "A parameter is malformed: a \"%\" without two hex digits.";
		if (n == PARAMETERS_MAX)
			return "There are more than 32 parameters.";
		names[n] = hf_span_cut(&one, '=');
		for (size_t i = 0; i < n; i++)
			if (hf_span_eq(names[i], names[n]))
				return "A parameter stands twice.";
		n++;
	}
	return NULL;
}
