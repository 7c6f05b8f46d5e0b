/* SPDX-License-Identifier: Apache-2.0 */
#include "coap/block.h"

#include "coap/map.h"

struct hf_span hf_coap_block_format(const struct hf_coap_block *block, char bytes[4])
{
	return hf_coap_uint(block->num << 4 | (block->more ? 8u : 0) | block->szx, bytes);
}

bool hf_coap_block_parse(struct hf_span value, struct hf_coap_block *out)
{
	uint32_t n;

	if (value.len > 3 || !hf_coap_uint_parse(value, &n) || (n & 7) > HF_COAP_SZX_MAX)
		return false;
	*out = (struct hf_coap_block){ .num = n >> 4, .more = n & 8, .szx = n & 7 };
	return true;
}

int hf_coap_block_fit(size_t room)
{
	int szx = HF_COAP_SZX_MAX;

	while (szx >= 0 && hf_coap_block_size((uint8_t)szx) > room)
		szx--;
	return szx;
}
