/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Response fields, an empty line, request fields, an empty line, request fields
 * of another one. Checked: a request matches its own key, unless that is "*";
 * two requests match each other's keys alike; the key is within its limit.
 */
#include "field_lines.h"
#include "http/vary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span rest = hf_span(data, size), none = hf_span(NULL, 0), key, key2;
	struct hf_fields response, request, request2;
	struct hf_arena arena;
	bool star;

	hf_arena_init(&arena, SIZE_MAX);
	response = read_lines(&rest, &arena);
	request = read_lines(&rest, &arena);
	request2 = read_lines(&rest, &arena);
	key = hf_vary_key(&arena, &response, &request);
	key2 = hf_vary_key(&arena, &response, &request2);
	assert(key.ptr && key.len <= HF_VARY_KEY_MAX);
	star = hf_span_eq_str(key, "*\n");
	assert(star || !hf_vary_is_star(&response));
	assert(hf_vary_match(&arena, key, &request, none) == !star);
	if (!star && !hf_span_eq_str(key2, "*\n")) {
		bool same = hf_span_eq(key, key2);

		assert(hf_vary_match(&arena, key, &request2, none) == same);
		assert(hf_vary_match(&arena, key2, &request, none) == same);
	}
	hf_vary_match(&arena, rest, &request, HF_SPAN("de")); /* a key of any bytes */
	hf_arena_finish(&arena);
	return 0;
}
