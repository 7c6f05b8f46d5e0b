/* SPDX-License-Identifier: Apache-2.0 */
/* The Block1 and Block2 options (RFC 7959 section 2.2). */
#ifndef HF_COAP_BLOCK_H
#define HF_COAP_BLOCK_H

#include "base/span.h"

#define HF_COAP_SZX_MAX	  6 /* 1024 bytes */
#define HF_COAP_BLOCK_MAX 1024u

struct hf_coap_block {
	uint32_t num;
	bool more;
	uint8_t szx;
};

static inline uint32_t hf_coap_block_size(uint8_t szx)
{
	return 16u << szx;
}

/* The value in @bytes. */
struct hf_span hf_coap_block_format(const struct hf_coap_block *block, char bytes[4]);
/* False: longer than three bytes, or the reserved size. */
bool hf_coap_block_parse(struct hf_span value, struct hf_coap_block *out);
/* The largest size of which a block fits into @room; -1: none. */
int hf_coap_block_fit(size_t room);

#endif
