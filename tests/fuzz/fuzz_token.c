/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token endpoint answers, and what is kept of refresh tokens: bytes from
 * outside or from a damaged medium are refused, or give tokens that may stand in
 * a field and that are stored as they were read.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "holdfast/err.h"
#include "http/message.h"
#include "sync/token_answer.h"
#include "sync/token_keep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct hf_span bytes)
{
	struct hf_token_answer a;
	struct hf_arena arena;

	hf_arena_init(&arena, 1 << 20);
	if (hf_token_answer_parse(bytes, &arena, &a) == 0) {
		assert(a.access.len > 0 && a.access.len <= HF_ACCESS_TOKEN_MAX);
		assert(hf_is_field_value(a.access));
		assert(!a.refresh.ptr || hf_token_is_valid(a.refresh, HF_REFRESH_TOKEN_MAX));
		assert(a.expires_s <= HF_TOKEN_EXPIRES_MAX);
	}
	(void)hf_token_error(bytes);
	hf_arena_finish(&arena);
}

static void kept(struct hf_span bytes)
{
	struct hf_token_keep k;
	struct hf_buf again;

	if (hf_token_keep_decode(bytes, &k)) {
		assert(k.n == 0);
		return;
	}
	hf_buf_init(&again, 1 << 20);
	assert(!hf_token_keep_encode(&k, &again));
	assert(bytes.len == 0 || hf_span_eq(hf_buf_span(&again), bytes));
	assert(!hf_token_keep_rotate(&k, 1, HF_SPAN("used"), HF_SPAN("next")));
	assert(hf_span_eq_str(HF_SPAN("next"), hf_token_keep_find(&k, 1)->current));
	hf_buf_finish(&again);
	hf_token_keep_finish(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span bytes = hf_span((const char *)data, size);

	answer(bytes);
	kept(bytes);
	return 0;
}
