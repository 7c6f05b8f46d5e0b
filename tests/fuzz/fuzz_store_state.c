/* SPDX-License-Identifier: Apache-2.0 */
/* The store's fixed-size values: what decodes encodes to the same bytes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span bytes = hf_span(data, size);
	struct hf_record_state state;
	struct hf_lane_v lane;
	struct hf_row row;
	uint8_t again[HF_ROW_SIZE];

	if (!hf_row_decode(bytes, &row)) {
		hf_row_encode(&row, again);
		again[2] = data[2]; /* flags that have no meaning are dropped */
		assert(memcmp(again, data, HF_ROW_SIZE) == 0);
	}
	if (!hf_lane_decode(bytes, &lane)) {
		hf_lane_encode(&lane, again);
		assert(memcmp(again, data, HF_LANE_SIZE) == 0);
	}
	memset(&state, 0, sizeof(state));
	if (!hf_born_decode(bytes, &state)) {
		hf_born_encode(&state, again);
		assert(memcmp(again, data, HF_BORN_SIZE) == 0);
	}
	return 0;
}
