/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32 as in IEEE 802.3, eight bytes at a step. Row k of the table says what a byte does
 * that is followed by k more. A CRC is linear: what the bytes of one bit do is all there
 * is to know, and the compiler puts the rest together.
 */
#include "store/codec.h"

#define STEP 8

#define BIT(i, n, c) ((i) >> (n)&1u ? (c) : 0u)
/* Byte @i of a row whose bytes 1, 2, 4 to 128 do @a to @h. */
#define BYTE(i, a, b, c, d, e, f, g, h)                                                            \
	(BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^ \
	 BIT(i, 6, g) ^ BIT(i, 7, h))
#define FOUR(i, ...)                                                                    \
	BYTE(i, __VA_ARGS__), BYTE((i) + 1u, __VA_ARGS__), BYTE((i) + 2u, __VA_ARGS__), \
		BYTE((i) + 3u, __VA_ARGS__)
#define SIXTEEN(i, ...)                                                                 \
	FOUR(i, __VA_ARGS__), FOUR((i) + 4u, __VA_ARGS__), FOUR((i) + 8u, __VA_ARGS__), \
		FOUR((i) + 12u, __VA_ARGS__)
#define SIXTY_FOUR(i, ...)                                                                         \
	SIXTEEN(i, __VA_ARGS__), SIXTEEN((i) + 16u, __VA_ARGS__), SIXTEEN((i) + 32u, __VA_ARGS__), \
		SIXTEEN((i) + 48u, __VA_ARGS__)
#define ROW(...)                                                                     \
	{                                                                            \
		SIXTY_FOUR(0u, __VA_ARGS__), SIXTY_FOUR(64u, __VA_ARGS__),           \
			SIXTY_FOUR(128u, __VA_ARGS__), SIXTY_FOUR(192u, __VA_ARGS__) \
	}

static const uint32_t table[STEP][256] = {
	ROW(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190,
	    0xedb88320),
	ROW(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05,
	    0x3b83984b),
	ROW(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0,
	    0xe1351b80),
	ROW(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d,
	    0xed59b63b),
	ROW(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04, 0x58f35849,
	    0xb1e6b092),
	ROW(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536, 0x0f580a6c,
	    0x1eb014d8),
	ROW(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c, 0x440b7579,
	    0x8816eaf2),
	ROW(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256, 0x299dc2ed,
	    0x533b85da),
};

static uint32_t load(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t step(uint32_t crc, const uint8_t *p)
{
	uint32_t a = crc ^ load(p), b = load(p + 4);

	return table[7][a & 255] ^ table[6][a >> 8 & 255] ^ table[5][a >> 16 & 255] ^
	       table[4][a >> 24] ^ table[3][b & 255] ^ table[2][b >> 8 & 255] ^
	       table[1][b >> 16 & 255] ^ table[0][b >> 24];
}

uint32_t hf_crc32(uint32_t crc, struct hf_span bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.ptr;
	size_t left = bytes.len;

	crc = ~crc;
	for (; left >= STEP; left -= STEP, p += STEP)
		crc = step(crc, p);
	for (; left > 0; left--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
	return ~crc;
}
