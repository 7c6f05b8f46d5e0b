/* SPDX-License-Identifier: Apache-2.0 */
/* The record decoders: bytes from a damaged medium must be refused, not trusted. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span bytes = hf_span(data, size);
	struct hf_record_head head, again;
	struct hf_answer_head answer;
	struct hf_arena arena;
	struct hf_buf buf;
	uint64_t id;

	hf_arena_init(&arena, 1 << 20);
	hf_buf_init(&buf, 1 << 20);
	if (!hf_record_head_decode(bytes, &arena, &head)) {
		/* What was decoded encodes and decodes again. */
		assert(!hf_record_head_encode(&head, &buf));
		assert(!hf_record_head_decode(hf_buf_span(&buf), &arena, &again));
		assert(hf_span_eq(head.target, again.target));
		assert(head.fields.n == again.fields.n);
	}
	(void)hf_answer_head_decode(bytes, &arena, &answer);
	(void)hf_record_id_parse(bytes, &id);
	hf_buf_finish(&buf);
	hf_arena_finish(&arena);
	return 0;
}
