/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holdfast-After: a field of a page, an answer of an origin and a body. Parts of the
 * input, with an empty line of NUL bytes between them: field, answer, text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "http/json_at.h"
#include "queue/after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What goes into a URL cannot leave its place. */
static void fill_url(const struct hf_after *a)
{
	struct hf_buf out;

	hf_buf_init(&out, 1 << 20);
	for (size_t i = 0; i < a->n; i++) {
		char place[64];
		int n = snprintf(place, sizeof(place), "{holdfast:%.*s}",
				 HF_SPAN_ARG(a->v[i].name));

		hf_buf_clear(&out);
		assert(!hf_after_fill(a, HF_AFTER_URL, hf_span(place, (size_t)n), &out));
		assert(out.len > 0 && hf_is_visible(hf_buf_span(&out)));
		for (size_t k = 0; k < out.len; k++)
			assert(!strchr("/?#&=\"", hf_buf_span(&out).ptr[k]));
	}
	hf_buf_finish(&out);
}

/* A string of JSON is one with a value in it, too. */
static void fill_json(const struct hf_after *a, struct hf_arena *arena)
{
	struct hf_json_at at;
	struct hf_buf text, out;

	hf_buf_init(&text, 1 << 20);
	hf_buf_init(&out, 1 << 20);
	for (size_t i = 0; i < a->n; i++) {
		hf_buf_clear(&text);
		hf_buf_clear(&out);
		assert(!hf_buf_appendf(&text, "{\"k\":\"{holdfast:%.*s}\",\"l\":1}",
				       HF_SPAN_ARG(a->v[i].name)));
		assert(!hf_after_fill(a, HF_AFTER_JSON, hf_buf_span(&text), &out));
		assert(!hf_json_at(hf_buf_span(&out), HF_SPAN("/k"), arena, &at));
		assert(hf_span_eq(at.text, a->v[i].text));
		assert(!hf_json_at(hf_buf_span(&out), HF_SPAN("/l"), arena, &at));
	}
	hf_buf_finish(&text);
	hf_buf_finish(&out);
}

static void fill_all(const struct hf_after *a, struct hf_span text)
{
	struct hf_buf out;

	hf_buf_init(&out, 1 << 22);
	for (int form = HF_AFTER_NONE; form <= HF_AFTER_TEXT; form++) {
		hf_buf_clear(&out);
		(void)hf_after_fill(a, (enum hf_after_form)form, text, &out);
	}
	hf_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span rest = hf_span(data, size), field = hf_span_cut(&rest, '\0');
	struct hf_span json = hf_span_cut(&rest, '\0'), location = json;
	struct hf_answer_head answer = { .status = 201, .truncated = size & 1 };
	struct hf_arena arena;
	struct hf_after a;
	struct hf_json_at at;
	const char *why = NULL;

	hf_arena_init(&arena, 8 << 20);
	hf_fields_init(&answer.fields, &arena);
	(void)hf_fields_add(&answer.fields, HF_SPAN("Location"), location);
	if (hf_json_pointer_is_valid(field))
		(void)hf_json_at(json, field, &arena, &at);
	if (!hf_after_parse(field, &arena, &a, &why)) {
		fill_all(&a, rest);
		(void)hf_after_check(&a, rest, HF_AFTER_JSON, rest, &why);
		if (!hf_after_resolve(&a, &answer, json, &arena, &why)) {
			fill_url(&a);
			fill_json(&a, &arena);
			fill_all(&a, rest);
		}
	} else {
		assert(why);
	}
	hf_arena_finish(&arena);
	return 0;
}
