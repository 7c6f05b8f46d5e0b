/* SPDX-License-Identifier: Apache-2.0 */
/* The shelf's fixed-size values, and integrity metadata: any bytes may come. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/shelf_codec.h"
#include "store/shelf_digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Gives @in the sum of what stands in it, so that the values behind it are reached. */
static void seal(uint8_t *in, size_t size)
{
	hf_put_le(in + size - 4, hf_shelf_sum(1, hf_span(in, size - 4)), 4);
}

static void use_and_body(const uint8_t *data, size_t size)
{
	uint8_t in[HF_SHELF_USE_SIZE] = { 0 }, again[HF_SHELF_USE_SIZE];
	struct hf_span none = hf_span(NULL, 0);
	struct hf_shelf_body_v body;
	struct hf_shelf_use use;

	memcpy(in, data, size < sizeof(in) ? size : sizeof(in));
	seal(in, HF_SHELF_USE_SIZE);
	if (!hf_shelf_use_decode(1, hf_span(in, HF_SHELF_USE_SIZE), &use)) {
		hf_shelf_use_encode(1, &use, again);
		assert(memcmp(in, again, HF_SHELF_USE_SIZE) == 0);
	}
	seal(in, HF_SHELF_BODY_SIZE);
	assert(!hf_shelf_body_decode(1, hf_span(in, HF_SHELF_BODY_SIZE), none, &body));
	hf_shelf_body_encode(1, &body, none, again);
	assert(memcmp(in, again, HF_SHELF_BODY_SIZE) == 0);
}

static void cache(const uint8_t *data, size_t size)
{
	uint8_t in[HF_SHELF_CACHE_SIZE] = { 0 }, again[HF_SHELF_CACHE_SIZE];
	struct hf_span none = hf_span(NULL, 0);
	struct hf_shelf_cache_v v;

	memcpy(in, data, size < sizeof(in) ? size : sizeof(in));
	seal(in, sizeof(in));
	if (hf_shelf_cache_decode(1, hf_span(in, sizeof(in)), none, none, &v))
		return;
	hf_shelf_cache_encode(1, &v, none, none, again);
	assert(memcmp(in, again, sizeof(in)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_span bytes = hf_span(data, size), none = hf_span(NULL, 0);
	struct hf_shelf_digest digest;
	struct hf_shelf_use use;
	struct hf_shelf_cache_v v;
	struct hf_shelf_body_v body;
	uint8_t sha256[32];

	hf_shelf_use_decode(1, bytes, &use);
	hf_shelf_cache_decode(1, bytes, none, none, &v);
	hf_shelf_body_decode(1, bytes, none, &body);
	use_and_body(data, size);
	cache(data, size);
	hf_shelf_digest_init(&digest, bytes);
	hf_shelf_digest_add(&digest, HF_SPAN("abc"));
	hf_shelf_digest_get(&digest, bytes, sha256);
	return 0;
}
