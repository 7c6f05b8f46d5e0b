/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes of length, then a Range value. Checked: ranges lie inside, and
 * together are no more than the whole; the length decides alike twice. */
#include <assert.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[HF_CONTENT_RANGE_MAX];
	struct hf_ranges ranges;
	uint64_t length = 0, sum = 0;
	enum hf_range_answer answer;
	size_t i;

	for (i = 0; i < 8 && i < size; i++)
		length = length << 8 | data[i];
	answer = hf_range_parse(hf_span(data + i, size - i), length, &ranges);
	assert((answer == HF_RANGE_PARTIAL) == (ranges.n > 0) && ranges.n <= HF_RANGES_MAX);
	for (i = 0; i < ranges.n; i++) {
		const struct hf_range *r = &ranges.v[i];

		assert(r->first <= r->last && r->last < length);
		assert(r->last - r->first + 1 <= length - sum);
		sum += r->last - r->first + 1;
		assert(hf_content_range_format(r, length, text) < sizeof(text));
	}
	return 0;
}
