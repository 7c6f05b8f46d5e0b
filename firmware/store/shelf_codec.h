/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-size values of the shelf's database, little-endian, each with a CRC-32 of
 * the row id and what stands before it.
 *
 *   use    76 bytes: body u64, bytes u64 (as counted for the cache), used_dev_ms u64,
 *          request_dev_ms u64, response_dev_ms u64, response_wall_ms i64, boot u32,
 *          flags u32, seq u64, number u64 (shelf_proof.h), sum u32; in version 1
 *          68 bytes without the number, which is 0 then
 *   cache  22 bytes: kind u8, state u8, entries u64, bytes u64, sum u32 (and of owner
 *          and name)
 *   body   44 bytes: SHA-256, len u64, sum u32 (and of data in the row)
 *
 * An entry's id: cache 20 bits, hash of its URL 35, a number among those that have
 * both in common 8.
 */
#ifndef HF_STORE_SHELF_CODEC_H
#define HF_STORE_SHELF_CODEC_H

#include "store/codec.h"
#include "store/shelf.h"

#define HF_SHELF_USE_SIZE   76
#define HF_SHELF_USE_SIZE_1 68
#define HF_SHELF_CACHE_SIZE 22
#define HF_SHELF_BODY_SIZE  44

#define HF_SHELF_CACHE_BITS  20
#define HF_SHELF_HASH_BITS   35
#define HF_SHELF_NUMBER_BITS 8
#define HF_SHELF_NUMBERS     (1u << HF_SHELF_NUMBER_BITS)

/* A body's pieces: body << 24 | n. */
#define HF_SHELF_PIECE_BITS	   24
#define HF_SHELF_PIECE_ID(body, n) ((uint64_t)(body) << HF_SHELF_PIECE_BITS | (n))
#define HF_SHELF_PIECE_LAST	   ((1u << HF_SHELF_PIECE_BITS) - 1)

static inline uint32_t hf_shelf_cache_of(uint64_t id)
{
	return (uint32_t)(id >> (HF_SHELF_HASH_BITS + HF_SHELF_NUMBER_BITS));
}

/* Ids of a cache are in (first, last]. */
static inline uint64_t hf_shelf_first_of(uint32_t cache)
{
	return ((uint64_t)cache << (HF_SHELF_HASH_BITS + HF_SHELF_NUMBER_BITS)) - 1;
}

static inline uint64_t hf_shelf_last_of(uint32_t cache)
{
	return hf_shelf_first_of(cache + 1);
}

/* What the entries of a cache and URL have in common: their ids without numbers. */
uint64_t hf_shelf_key_of(const uint64_t seed[2], uint32_t cache, struct hf_span url);

struct hf_shelf_use {
	uint64_t body, bytes, seq;
	uint64_t number; /* who vouches for it; its trial in @state is not stored */
	struct hf_shelf_state state;
};

void hf_shelf_use_encode(uint64_t id, const struct hf_shelf_use *u, uint8_t out[HF_SHELF_USE_SIZE]);
/* HF_ECORRUPT, as those below. */
int hf_shelf_use_decode(uint64_t id, struct hf_span bytes, struct hf_shelf_use *u);

enum hf_shelf_cache_state {
	HF_SHELF_INACTIVE,
	HF_SHELF_ACTIVE,
	HF_SHELF_DROPPED,  /* its entries are being deleted */
	HF_SHELF_PREVIOUS, /* was active before the one that is */
};

struct hf_shelf_cache_v {
	uint8_t kind, state;
	uint64_t entries, bytes;
};

void hf_shelf_cache_encode(uint32_t id, const struct hf_shelf_cache_v *c, struct hf_span owner,
			   struct hf_span name, uint8_t out[HF_SHELF_CACHE_SIZE]);
int hf_shelf_cache_decode(uint32_t id, struct hf_span bytes, struct hf_span owner,
			  struct hf_span name, struct hf_shelf_cache_v *c);

struct hf_shelf_body_v {
	uint8_t sha256[32];
	uint64_t len;
};

void hf_shelf_body_encode(uint64_t id, const struct hf_shelf_body_v *b, struct hf_span data,
			  uint8_t out[HF_SHELF_BODY_SIZE]);
int hf_shelf_body_decode(uint64_t id, struct hf_span bytes, struct hf_span data,
			 struct hf_shelf_body_v *b);

/* Over a piece or an entry's texts: @id and the bytes. */
uint32_t hf_shelf_sum(uint64_t id, struct hf_span bytes);
uint32_t hf_shelf_entry_sum(uint64_t id, struct hf_span url, struct hf_span note,
			    struct hf_span head);

#endif
