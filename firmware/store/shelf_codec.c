/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shelf_codec.h"

#include "base/strmap.h"

_Static_assert(HF_SHELF_CACHE_BITS + HF_SHELF_HASH_BITS + HF_SHELF_NUMBER_BITS == 63,
	       "an id is a positive row id");

#define SUM 4

uint64_t hf_shelf_key_of(const uint64_t seed[2], uint32_t cache, struct hf_span url)
{
	return (uint64_t)cache << HF_SHELF_HASH_BITS |
	       hf_siphash13(seed, url) >> (64 - HF_SHELF_HASH_BITS);
}

uint32_t hf_shelf_sum(uint64_t id, struct hf_span bytes)
{
	uint8_t number[8];

	hf_put_le(number, id, sizeof(number));
	return hf_crc32(hf_crc32(0, hf_span(number, sizeof(number))), bytes);
}

uint32_t hf_shelf_entry_sum(uint64_t id, struct hf_span url, struct hf_span note,
			    struct hf_span head)
{
	uint8_t lengths[8];

	hf_put_le(lengths, url.len, 4);
	hf_put_le(lengths + 4, note.len, 4);
	return hf_crc32(hf_crc32(hf_crc32(hf_shelf_sum(id, hf_span(lengths, sizeof(lengths))), url),
				 note),
			head);
}

static void seal(uint64_t id, uint8_t *bytes, size_t size, struct hf_span a, struct hf_span b)
{
	uint32_t sum = hf_shelf_sum(id, hf_span(bytes, size - SUM));

	hf_put_le(bytes + size - SUM, hf_crc32(hf_crc32(sum, a), b), SUM);
}

static bool is_sealed(uint64_t id, struct hf_span bytes, size_t size, struct hf_span a,
		      struct hf_span b)
{
	uint32_t sum;

	if (bytes.len != size)
		return false;
	sum = hf_shelf_sum(id, hf_span(bytes.ptr, size - SUM));
	return hf_get_le((const uint8_t *)bytes.ptr + size - SUM, SUM) ==
	       hf_crc32(hf_crc32(sum, a), b);
}

static const struct hf_span none;

void hf_shelf_use_encode(uint64_t id, const struct hf_shelf_use *u, uint8_t out[HF_SHELF_USE_SIZE])
{
	const struct hf_shelf_state *s = &u->state;

	hf_put_le(out, u->body, 8);
	hf_put_le(out + 8, u->bytes, 8);
	hf_put_le(out + 16, s->used_dev_ms, 8);
	hf_put_le(out + 24, s->request_dev_ms, 8);
	hf_put_le(out + 32, s->response_dev_ms, 8);
	hf_put_le(out + 40, (uint64_t)s->response_wall_ms, 8);
	hf_put_le(out + 48, s->boot, 4);
	hf_put_le(out + 52, s->flags, 4);
	hf_put_le(out + 56, u->seq, 8);
	hf_put_le(out + 64, u->number, 8);
	seal(id, out, HF_SHELF_USE_SIZE, none, none);
}

int hf_shelf_use_decode(uint64_t id, struct hf_span bytes, struct hf_shelf_use *u)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;
	bool first = bytes.len == HF_SHELF_USE_SIZE_1;

	if (!is_sealed(id, bytes, first ? HF_SHELF_USE_SIZE_1 : HF_SHELF_USE_SIZE, none, none))
		return HF_ECORRUPT;
	u->number = first ? 0 : hf_get_le(in + 64, 8);
	u->body = hf_get_le(in, 8);
	u->bytes = hf_get_le(in + 8, 8);
	u->seq = hf_get_le(in + 56, 8);
	u->state = (struct hf_shelf_state){
		.used_dev_ms = hf_get_le(in + 16, 8),
		.request_dev_ms = hf_get_le(in + 24, 8),
		.response_dev_ms = hf_get_le(in + 32, 8),
		.response_wall_ms = (int64_t)hf_get_le(in + 40, 8),
		.boot = (uint32_t)hf_get_le(in + 48, 4),
		.flags = (uint32_t)hf_get_le(in + 52, 4),
	};
	return u->body > INT64_MAX >> HF_SHELF_PIECE_BITS ? HF_ECORRUPT : 0;
}

void hf_shelf_cache_encode(uint32_t id, const struct hf_shelf_cache_v *c, struct hf_span owner,
			   struct hf_span name, uint8_t out[HF_SHELF_CACHE_SIZE])
{
	out[0] = c->kind;
	out[1] = c->state;
	hf_put_le(out + 2, c->entries, 8);
	hf_put_le(out + 10, c->bytes, 8);
	seal(id, out, HF_SHELF_CACHE_SIZE, owner, name);
}

int hf_shelf_cache_decode(uint32_t id, struct hf_span bytes, struct hf_span owner,
			  struct hf_span name, struct hf_shelf_cache_v *c)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;

	if (!is_sealed(id, bytes, HF_SHELF_CACHE_SIZE, owner, name))
		return HF_ECORRUPT;
	*c = (struct hf_shelf_cache_v){
		.kind = in[0],
		.state = in[1],
		.entries = hf_get_le(in + 2, 8),
		.bytes = hf_get_le(in + 10, 8),
	};
	if (c->kind < HF_SHELF_HTTP || c->kind > HF_SHELF_PRECACHE || c->state > HF_SHELF_PREVIOUS)
		return HF_ECORRUPT;
	return 0;
}

void hf_shelf_body_encode(uint64_t id, const struct hf_shelf_body_v *b, struct hf_span data,
			  uint8_t out[HF_SHELF_BODY_SIZE])
{
	memcpy(out, b->sha256, 32);
	hf_put_le(out + 32, b->len, 8);
	seal(id, out, HF_SHELF_BODY_SIZE, data, none);
}

int hf_shelf_body_decode(uint64_t id, struct hf_span bytes, struct hf_span data,
			 struct hf_shelf_body_v *b)
{
	if (!is_sealed(id, bytes, HF_SHELF_BODY_SIZE, data, none))
		return HF_ECORRUPT;
	memcpy(b->sha256, bytes.ptr, 32);
	b->len = hf_get_le((const uint8_t *)bytes.ptr + 32, 8);
	return 0;
}
